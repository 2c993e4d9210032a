"""Pixel data: reading what an image is, decoding it, blacking a part of it out."""
