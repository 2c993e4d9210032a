"""Removing elements."""

from __future__ import annotations

from dataclasses import dataclass

from anon.encoding.text import SPECIFIC_CHARACTER_SET
from anon.errors import StatementError
from anon.operations.charset import recode
from anon.operations.run import Run
from anon.places import Place, delete_places, find_places
from anon.syntax.span import Span
from anon.tagpath import TRANSFER_SYNTAX_UID, TagPath, TagStep


def remove_tag(run: Run, tag: int) -> None:
    """Remove an element of the top level, whatever it is.

    Raises:
        StatementError: it is (0008,0005) and the texts are not ASCII, or the transfer syntax.
    """
    remove_place(Place((run.instance.element_set(tag),), tag))


def remove_place(place: Place) -> None:
    """Remove the element at a place, whatever it is.

    Raises:
        StatementError: as `remove_tag`.
    """
    if place.tag == TRANSFER_SYNTAX_UID:
        raise StatementError("transfer-syntax", "a script cannot remove the transfer syntax")
    if place.tag == SPECIFIC_CHARACTER_SET and place.tag in place.dataset:
        recode(place.chain, None)
    else:
        place.dataset.remove(place.tag)


def delete_path(run: Run, path: TagPath) -> None:
    """Remove every element that a path matches, with all below it.

    Raises:
        StatementError: (0008,0005) is among them and the texts are not ASCII.
    """
    tag = path.tag
    if tag is not None:
        remove_tag(run, tag)
        return
    charsets = [
        (place, element.value)
        for place in (find_places(run.tops(path), path) if _may_end_in(path, SPECIFIC_CHARACTER_SET) else ())
        if place.tag == SPECIFIC_CHARACTER_SET and (element := place.dataset.get(place.tag)) is not None
    ]
    delete_places(run.tops(path), path)
    # Character sets that a wildcard took away: the texts that are left are written without them.
    for place, value in charsets:
        place.dataset.put(SPECIFIC_CHARACTER_SET, "CS", value)
    for place, _ in charsets:
        recode(place.chain, None)


def _may_end_in(path: TagPath, tag: int) -> bool:
    last = path.steps[-1]
    return not isinstance(last, TagStep) or tag & last.mask == last.bits


@dataclass(frozen=True, slots=True)
class DeletePath:
    """`- path` of DicomEdit 6: every element that matches, with all below it."""

    span: Span
    path: TagPath

    def run(self, run: Run) -> None:
        """Carry the statement out."""
        delete_path(run, self.path)
