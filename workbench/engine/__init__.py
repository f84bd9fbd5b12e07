"""From a plan to rows in the store, or to what it would cost."""
