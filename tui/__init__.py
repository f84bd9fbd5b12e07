"""The terminal screens: what is in a store, query by query, side by side. Only `lsw tui` imports it."""

import os

os.environ.setdefault("TEXTUAL_FPS", "120")  # a key's effect waits for the next frame: 8 ms instead of 16
