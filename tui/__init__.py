"""The terminal screens: what is in a store, query by query, side by side. Only `lsw tui` imports it."""
