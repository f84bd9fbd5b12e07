"""What recipes and studies found, as panes of the first screen."""
