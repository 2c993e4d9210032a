"""The revisions of the schema, without anything that takes time to import."""

from __future__ import annotations

from typing import Final

REVISIONS: Final = ("0001", "0002")  # oldest first; one script each in `versions`
HEAD: Final = REVISIONS[-1]
