"""Grids of recipe runs, and what is estimated from them."""
