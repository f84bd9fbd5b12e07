"""The record of every translation, fine-tune and retrieval run: a DuckDB file, artifact folders, live events.

This package knows nothing of rankers or recipes: it keeps rows and folders and gives them back.
"""

from store.errors import LswError, nearest
from store.layout import Store, resolve

__all__ = ["LswError", "Store", "nearest", "resolve"]
