"""From a ranking to values of measures."""
