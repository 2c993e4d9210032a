"""What an operation works on: one application of a script to one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from anon.encoding.elements import DataSet
from anon.encoding.instance import EncodedInstance
from anon.errors import StatementError
from anon.host import Host
from anon.places import Place, find_place
from anon.syntax.span import Span
from anon.tagpath import TagPath, TagStep
from anon.values import Value, Values, charsets_of
from anon.vr import values_in


class Observer(Protocol):
    """Follows a script while it is carried out."""

    def condition(self, span: Span, is_true: bool) -> None:
        """A condition was evaluated."""

    def statement(self, span: Span) -> None:
        """A statement was carried out, with all that stands in it."""


class Run:
    """One application of a script.

    Attributes:
        instance: the object, edited in place.
        values: how the dialect reads and writes values.
        host: what the program around the engine gives.
        variables: their values, under the names the script's dialect uses.
        messages: warnings so far, each with its place in the script.
        span: the statement being carried out.
        observer: who wants to know what is carried out, mostly nobody.
    """

    __slots__ = ("host", "instance", "messages", "observer", "span", "values", "variables")

    def __init__(
        self, instance: EncodedInstance, values: Values, variables: Mapping[str, Value], host: Host
    ) -> None:
        self.instance = instance
        self.host = host
        self.values = values
        self.variables = dict(variables)
        self.messages: list[tuple[Span | None, str]] = []
        self.span: Span | None = None
        self.observer: Observer | None = None

    def warn(self, text: str) -> None:
        """Note something that whoever runs the script should know; never with a value in it."""
        if (self.span, text) not in self.messages:
            self.messages.append((self.span, text))

    def top(self, path: TagPath) -> DataSet:
        """The data set that a singular path starts in: group 2 or the rest."""
        step = path.steps[0]
        assert isinstance(step, TagStep)
        return self.instance.element_set(step.bits)

    def tops(self, path: TagPath) -> Sequence[DataSet]:
        """The data sets that a path with wildcards may start in."""
        step = path.steps[0]
        instance = self.instance
        if isinstance(step, TagStep) and step.mask >> 16 == 0xFFFF:
            return (instance.element_set(step.bits),)
        return (instance.meta, instance.dataset)

    def read_place(self, place: Place | None) -> str | None:
        """The text of the element at a place; None when it is absent."""
        if place is None:
            return None
        element = place.dataset.get(place.tag)
        if element is None:
            return None
        if element.is_sequence and not element.items:
            self.warn("a sequence without items has no value, it is read as the text `null`")
        return self.values.read(element, place.dataset.encoding.little, lambda: charsets_of(place.chain))

    def read(self, path: TagPath) -> str | None:
        """The text of the element that a singular path means; None when it is absent."""
        tag = path.tag
        if tag is None:
            return self.read_place(find_place(self.top(path), path))
        dataset = self.instance.element_set(tag)
        return self.read_place(Place((dataset,), tag)) if tag in dataset else None

    def parts(self, path: TagPath, text: str) -> tuple[str, ...]:
        """The values in the text that was read from an element."""
        place = find_place(self.top(path), path)
        element = None if place is None else place.dataset.get(place.tag)
        return (text,) if element is None else values_in(text, element.vr)


class Operation(Protocol):
    """A compiled statement."""

    @property
    def span(self) -> Span:
        """Where the statement stands."""

    def run(self, run: Run) -> None:
        """Carry the statement out."""


Evaluate = Callable[[Run], Value]
Test = Callable[[Run], bool]


def perform(operations: Sequence[Operation], run: Run) -> None:
    """Carry operations out, top to bottom.

    Raises:
        StatementError: one failed; its place is filled in.
    """
    for operation in operations:
        run.span = operation.span
        try:
            operation.run(run)
        except StatementError as failure:
            failure.span = failure.span or operation.span
            raise
        if run.observer is not None:
            run.observer.statement(operation.span)
