"""Encoded data sets: read without decoding, change element by element, write back what was not touched."""
