"""What every screen is made of: lists, panes, searching, choosing, exporting, keys and colours."""
