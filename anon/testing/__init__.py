"""Tests of scripts: a file beside the script says what goes in and what must come out."""
