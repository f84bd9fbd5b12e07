"""Recipes and scales, as TOML. See `lsw recipe list`."""
