"""Mistakes in scripts and failures of scripts, as data: a code, a sentence, a place and a hint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from anon.syntax.span import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One remark about a place in a script.

    Attributes:
        code: names the mistake; stable.
        message: what is wrong, in the script's words; never a value from an object.
        line: from 1.
        column: from 1, in characters.
        end_line: line of the last character.
        end_column: column behind the last character.
        hint: the likely repair, or "".
        severity: a script with an "error" is not compiled.
    """

    code: str
    message: str
    line: int
    column: int
    end_line: int
    end_column: int
    hint: str = ""
    severity: Severity = "error"


class ScriptError(Exception):
    """A script cannot be compiled, or failed on an object (which is then left as it was).

    Attributes:
        diagnostics: all mistakes found, in the order of the script.
        name: of the script.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic], name: str = "script") -> None:
        self.diagnostics = sorted(diagnostics, key=lambda found: (found.line, found.column))
        self.name = name
        super().__init__(self._summary())

    def _summary(self) -> str:
        if not self.diagnostics:
            return f"{self.name}: script error"
        first = self.diagnostics[0]
        more = len(self.diagnostics) - 1
        rest = f" (and {more} more)" if more else ""
        return f"{self.name}:{first.line}:{first.column}: {first.message} [{first.code}]{rest}"

    def __reduce__(self) -> tuple[type[ScriptError], tuple[list[Diagnostic], str]]:
        return ScriptError, (self.diagnostics, self.name)


class StatementError(Exception):
    """A statement cannot be carried out on this object; `Script` gives it a place in the script.

    The message holds no value of the object.

    Attributes:
        code: names the failure; stable.
        message: what went wrong.
        hint: the likely repair, or "".
        span: the culprit, filled in on the way up by whoever knows it first.
    """

    def __init__(self, code: str, message: str, hint: str = "", span: Span | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.span = span


class Rejected(Exception):  # noqa: N818 (an outcome that the script asked for, not an error)
    """The script's `reject` was reached."""
