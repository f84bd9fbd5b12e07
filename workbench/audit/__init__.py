"""Are translations good, and do queries lose by bad ones?"""
