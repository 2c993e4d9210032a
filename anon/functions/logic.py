"""Functions on logic."""
