"""Variables of DicomEdit 6, and statements that only evaluate."""

from __future__ import annotations

from dataclasses import dataclass

from anon.operations.run import Evaluate, Run
from anon.syntax.span import Span


@dataclass(frozen=True, slots=True)
class Store:
    """`name := value`: evaluated at once."""

    span: Span
    name: str
    evaluate: Evaluate

    def run(self, run: Run) -> None:
        """Carry the statement out."""
        run.variables[self.name] = self.evaluate(run)


@dataclass(frozen=True, slots=True)
class EvaluateOnly:
    """A call as a statement, or `echo`: the value is thrown away, patient data never goes to a log."""

    span: Span
    evaluate: Evaluate

    def run(self, run: Run) -> None:
        """Carry the statement out."""
        self.evaluate(run)
