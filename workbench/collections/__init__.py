"""Passages, queries and judgements, wherever they come from."""
