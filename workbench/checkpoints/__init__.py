"""Models: where they are, and that they are what they say."""
