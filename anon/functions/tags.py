"""Functions on elements as a whole (DicomEdit 6)."""

from __future__ import annotations

from anon.functions.registry import builtin, paths
from anon.operations.delete import delete_path
from anon.operations.run import Run
from anon.tagpath import TagPath


@builtin("removeTags", versions="6.0+", arguments=[paths()], returns="nothing")
def remove_tags(run: Run, *paths: TagPath) -> None:
    """Remove all elements that these paths match, as `-` does. A text must hold one whole path."""
    for path in paths:
        delete_path(run, path)
