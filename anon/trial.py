"""Trying a script out on an object: what it would change, and which statement does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from anon.comparison import Difference, State, changed_tags, compare, state_of
from anon.encoding.elements import Buffer
from anon.encoding.instance import NO_SURPRISES, EncodedInstance, Limits
from anon.errors import ScriptError
from anon.script import Script
from anon.syntax.span import Position, Span


@dataclass(frozen=True, slots=True)
class Trial:
    """What a script does to one object.

    Attributes:
        status: "ok" or "rejected"; a rejected object has no differences.
        differences: element by element, in their order.
        messages: of the script's report.
    """

    status: Literal["ok", "rejected"]
    differences: list[Difference]
    messages: list[str]


def try_script(
    script: Script, content: Buffer, variables: Mapping[str, str], *, limits: Limits = NO_SURPRISES
) -> Trial:
    """Say what a script would change in a file; nothing is written.

    Args:
        script: which.
        content: a PS3.10 file.
        variables: values by name; case does not count.
        limits: how much the object may ask for.

    Raises:
        ScriptError: a variable is missing, or a statement failed.
        DataSetError: this is no DICOM file.
    """
    instance = EncodedInstance.from_part10(content, limits)
    report = script.apply_encoded(instance, variables)
    if report.status == "rejected":
        return Trial("rejected", [], report.messages)
    changed = changed_tags(instance)
    before = state_of(EncodedInstance.from_part10(content, limits), changed)
    return Trial("ok", compare(before, state_of(instance, changed)), report.messages)


@dataclass(frozen=True, slots=True)
class TraceStep:
    """A condition that was evaluated or a statement that was carried out.

    Attributes:
        position: in the script.
        source: the text there, lines joined by blanks.
        holds: of a condition, whether it is true; None for a statement.
        differences: what the statement changed, element by element.
    """

    position: Position
    source: str
    holds: bool | None = None
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Trace:
    """A script, step by step, on one object.

    Attributes:
        status: "ok", "rejected", or "failed" with what failed in `failure`.
        steps: in the order in which they were carried out; DicomEdit 4 works backwards.
        messages: of the script's report.
        failure: why it stopped.
    """

    status: Literal["ok", "rejected", "failed"]
    steps: list[TraceStep]
    messages: list[str]
    failure: ScriptError | None = None


def trace_script(
    script: Script, content: Buffer, variables: Mapping[str, str], *, limits: Limits = NO_SURPRISES
) -> Trace:
    """Carry a script out on a file in memory and note each step; nothing is written.

    Args:
        script: which.
        content: a PS3.10 file.
        variables: values by name; case does not count.
        limits: how much the object may ask for.

    Raises:
        ScriptError: a variable is missing, so nothing was carried out.
        DataSetError: this is no DICOM file.
    """
    instance = EncodedInstance.from_part10(content, limits)
    follower = _Follower(script, instance, EncodedInstance.from_part10(content, limits))
    script.require(variables)
    try:
        report = script.apply_encoded(instance, variables, observer=follower)
    except ScriptError as failure:
        return Trace("failed", follower.steps, [], failure)
    return Trace(report.status, follower.steps, report.messages)


class _Follower:
    """Compares the object after each statement with what it was before."""

    def __init__(self, script: Script, instance: EncodedInstance, original: EncodedInstance) -> None:
        self.steps: list[TraceStep] = []
        self._script = script
        self._instance = instance
        self._original = original
        self._counts: dict[int, int] = {}  # how often each tag has been changed
        self._states: dict[int, State] = {}  # of each of them: what there is now
        self._starts: list[int] = []  # where in the script each step begins

    def condition(self, span: Span, is_true: bool) -> None:
        """Note a condition."""
        self._note(span, TraceStep(self._script.position(span), self._source(span), holds=is_true))

    def statement(self, span: Span) -> None:
        """Note a statement and what it changed; one around others has been told by these."""
        differences = self._changes()
        holds_others = any(span.start <= start < span.end for start in self._starts)
        if differences or not holds_others:
            step = TraceStep(self._script.position(span), self._source(span), differences=differences)
            self._note(span, step)

    def _note(self, span: Span, step: TraceStep) -> None:
        self.steps.append(step)
        self._starts.append(span.start)

    def _source(self, span: Span) -> str:
        return " ".join(self._script.source_text(span).split())

    def _changes(self) -> list[Difference]:
        counts = self._instance.dataset.change_counts() | self._instance.meta.change_counts()
        touched = {tag for tag, count in counts.items() if count != self._counts.get(tag)}
        found = []
        for tag in sorted(touched):
            before = self._states[tag] if tag in self._states else state_of(self._original, {tag})
            self._states[tag] = state_of(self._instance, {tag})
            found += compare(before, self._states[tag])
        self._counts = counts
        return found
