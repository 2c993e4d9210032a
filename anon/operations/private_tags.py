"""Private data elements as a whole (PS3.5 section 7.8)."""

from __future__ import annotations

from dataclasses import dataclass

from anon.encoding.elements import DataSet
from anon.operations.run import Run
from anon.syntax.span import Span


def remove_private(dataset: DataSet) -> None:
    """Remove every element of an odd group, creators included, at every depth."""
    for tag in dataset.tags():
        if tag >> 16 & 1:
            dataset.remove(tag)
    for tag in dataset.sequence_tags():
        element = dataset.get(tag)
        if element is not None:
            for item in element.items:
                remove_private(item)


@dataclass(frozen=True, slots=True)
class RemoveAllPrivateTags:
    """`removeAllPrivateTags`: group 2 and pixel data are untouched, emptied items stay."""

    span: Span

    def run(self, run: Run) -> None:
        """Carry the statement out."""
        remove_private(run.instance.dataset)
