"""Removing elements."""

from __future__ import annotations

from dataclasses import dataclass

from anon.encoding.text import SPECIFIC_CHARACTER_SET
from anon.operations.charset import recode
from anon.operations.run import Run
from anon.syntax.span import Span
from anon.tagpath import TagPath, delete_places


def remove_tag(run: Run, tag: int) -> None:
    """Remove an element of the top level, whatever it is.

    Raises:
        StatementError: it is (0008,0005) and the texts are not ASCII.
    """
    dataset = run.instance.element_set(tag)
    if tag == SPECIFIC_CHARACTER_SET and tag in dataset:
        recode((dataset,), None)
    else:
        dataset.remove(tag)


def delete_path(run: Run, path: TagPath) -> None:
    """Remove every element that a path matches, with all below it.

    Raises:
        StatementError: (0008,0005) is among them and the texts are not ASCII.
    """
    tag = path.tag
    if tag is not None:
        remove_tag(run, tag)
        return
    dataset = run.instance.dataset
    charset = dataset.get(SPECIFIC_CHARACTER_SET)
    delete_places(run.tops(path), path)
    if charset is not None and SPECIFIC_CHARACTER_SET not in dataset:
        # A wildcard took the character set away: the texts that are left are written without one.
        dataset.put(SPECIFIC_CHARACTER_SET, "CS", charset.value)
        recode((dataset,), None)


@dataclass(frozen=True, slots=True)
class DeletePath:
    """`- path` of DicomEdit 6: every element that matches, with all below it."""

    span: Span
    path: TagPath

    def run(self, run: Run) -> None:
        """Carry the statement out."""
        delete_path(run, self.path)
