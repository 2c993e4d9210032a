"""Conditions, and the statements that depend on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anon.errors import StatementError
from anon.matching import Pattern
from anon.operations.run import Evaluate, Operation, Run, Test, perform
from anon.syntax.span import Span
from anon.values import text_of


def equality4(left: Evaluate, right: Evaluate) -> Test:
    """`=` of DicomEdit 4: an absent value equals an absent value, not an empty one."""
    return lambda run: text_of(left(run)) == text_of(right(run))


def equality6(left: Evaluate, right: Evaluate) -> Test:
    """`=` of DicomEdit 6: false when the left value is absent."""

    def test(run: Run) -> bool:
        value = text_of(left(run))
        return value is not None and value == text_of(right(run))

    return test


def match(left: Evaluate, right: Callable[[Run], object], pattern: Callable[[Run], Pattern]) -> Test:
    """`~`: the whole of the left value matches; false when it is absent, whatever the pattern is.

    Args:
        left: the value.
        right: where the pattern comes from, evaluated when it does not matter what it is.
        pattern: the same, compiled.
    """

    def test(run: Run) -> bool:
        value = text_of(left(run))
        if value is None:
            right(run)
            return False
        return pattern(run).fullmatch(value) is not None

    return test


def negation(test: Test) -> Test:
    """The opposite."""
    return lambda run: not test(run)


def truth(evaluate: Evaluate) -> Test:
    """A value as a condition: true when it is the boolean or the text `true` in any case."""

    def test(run: Run) -> bool:
        value = evaluate(run)
        if value is None:
            raise StatementError("no-value", "the condition has no value")
        return is_true(value)

    return test


def is_true(value: object) -> bool:
    """Java's reading of a boolean: only `true` is, in any case."""
    return value if isinstance(value, bool) else isinstance(value, str) and value.lower() == "true"


@dataclass(frozen=True, slots=True)
class Choose:
    """Ternaries and if / elseif / else of DicomEdit 6: the first branch that is true is carried out."""

    span: Span
    branches: tuple[tuple[Test, Span, tuple[Operation, ...]], ...]
    otherwise: tuple[Operation, ...]

    def run(self, run: Run) -> None:
        """Carry the statement out."""
        for test, span, operations in self.branches:
            run.span = span
            try:
                is_chosen = test(run)
            except StatementError as failure:
                failure.span = failure.span or span
                raise
            if run.observer is not None:
                run.observer.condition(span, is_chosen)
            if is_chosen:
                perform(operations, run)
                return
        perform(self.otherwise, run)
