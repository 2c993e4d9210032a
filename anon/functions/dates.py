"""Functions on dates."""
