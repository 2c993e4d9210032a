"""The built-in functions of both dialects."""
