"""A store with nothing in it."""

from tests.store.conftest import store

__all__ = ["store"]
