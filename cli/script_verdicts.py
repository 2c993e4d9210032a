"""What became of the tests of scripts: as rows for programs, and told to people."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from cli.drawing import say_drawn
from cli.exits import ExitCode
from cli.output import Styled, columns, safe_text, say, say_styled, say_wrapped, shortened

if TYPE_CHECKING:
    from anon.errors import ScriptError
    from anon.testing.model import CheckResult, FormatError, Verdict

_WORDS = {
    "passed": Styled("ok    ", "green"),
    "failed": Styled("FAILED", "red"),
    "error": Styled("ERROR ", "yellow"),
}
_LABEL = 8
_INDENT = 10


@dataclass(slots=True)
class ScriptRun:
    """What became of the tests of one script.

    Attributes:
        script: its path.
        tests: where its tests are; None when it has none.
        verdicts: one a test.
        text: of the script.
        script_error: the mistakes of the script.
        format_error: the mistakes of the file of tests.
        format_problem: why there is nothing to test.
    """

    script: Path
    tests: Path | None
    verdicts: list[Verdict] = field(default_factory=list)
    text: str = ""
    script_error: ScriptError | None = None
    format_error: FormatError | None = None
    format_problem: str = ""

    @property
    def exit_code(self) -> ExitCode:
        """What this script alone would end the command with."""
        if self.script_error is not None:
            return ExitCode.SCRIPT_ERROR
        if self.format_error is not None or self.format_problem:
            return ExitCode.USAGE
        failed = any(verdict.status != "passed" for verdict in self.verdicts)
        return ExitCode.FAILED if failed else ExitCode.DONE

    @property
    def problems(self) -> list[str]:
        """What kept the tests from being run, a line each."""
        found = [self.format_problem] if self.format_problem else []
        for error in (self.script_error, self.format_error):
            for each in error.diagnostics if error is not None else ():
                assert error is not None
                hint = f" ({each.hint})" if each.hint else ""
                found.append(f"{error.name}:{each.line}:{each.column}: {each.message}{hint} [{each.code}]")
        return found

    def rows(self) -> Iterator[dict[str, Any]]:
        """One for each expectation, or for each mistake; one when there are no tests."""
        problems = self.problems
        for problem in problems:
            yield self._row(None, None, "error", problem)
        if self.tests is None and not problems:
            yield self._row(None, None, "untested", "there are no tests")
        for verdict in self.verdicts:
            for check in verdict.checks:
                yield self._row(verdict, check, check.status, check.message or None)

    def _row(
        self, verdict: Verdict | None, check: CheckResult | None, status: str, message: str | None
    ) -> dict[str, Any]:
        return {
            "script": self.script,
            "tests": self.tests,
            "test": verdict.name if verdict else None,
            "line": verdict.line if verdict else None,
            "status": status,
            "verb": check.verb if check else None,
            "path": check.path if check else None,
            "expected": check.expected if check else None,
            "found": check.found if check else None,
            "message": message,
            "statements": [{"line": each.line, "text": each.text} for each in check.statements]
            if check
            else [],
        }


def tell_run(run: ScriptRun) -> None:
    """A line for the script and one for each test."""
    count = len(run.verdicts)
    what = "cannot be tested" if run.exit_code > ExitCode.FAILED else f"{count} test{'s' * (count != 1)}"
    say_styled(Styled(str(run.script), "bold"), f"  ({what})")
    width = columns(sys.stdout)
    for verdict in run.verdicts:
        name = safe_text(verdict.name, one_line=True)
        first, *more = textwrap.wrap(name, width - _INDENT, break_on_hyphens=False)
        say_styled("  ", _WORDS[verdict.status], f"  {first}")
        for line in more:
            say(" " * _INDENT + line)


def tell_failures(runs: Sequence[ScriptRun], stream: TextIO) -> None:
    """Explain everything that did not pass."""
    for run in runs:
        if run.script_error is not None:
            say(stream=stream)
            say_drawn(run.script_error.diagnostics, run.text, str(run.script), stream=stream)
        if run.format_error is not None:
            error = run.format_error
            say(stream=stream)
            say_drawn(error.diagnostics, error.text, error.name, stream=stream)
        if run.format_problem:
            say(f"\n{run.format_problem}", stream=stream)
        for verdict in run.verdicts:
            if verdict.status != "passed":
                _tell_verdict(run, verdict, stream)


def _tell_verdict(run: ScriptRun, verdict: Verdict, stream: TextIO) -> None:
    say(stream=stream)
    word = Styled(_WORDS[verdict.status].text.strip(), _WORDS[verdict.status].style)
    say_styled(word, " ", Styled(safe_text(verdict.name, one_line=True), "bold"), stream=stream)
    say(f"  {run.tests}:{verdict.line}", stream=stream)
    for check in verdict.checks:
        if check.status != "passed":
            _tell_check(run, check, stream)


def _tell_check(run: ScriptRun, check: CheckResult, stream: TextIO) -> None:
    width = columns(stream)
    sentence = safe_text(f"{check.verb}: {check.message}" if check.verb else check.message, one_line=True)
    for line in textwrap.wrap(sentence, width - 2, subsequent_indent="  ", break_on_hyphens=False):
        say_styled("  ", Styled(line, _WORDS[check.status].style), stream=stream)
    if check.status != "failed":
        return
    facts = [("expected", check.expected), ("found", check.found)]
    facts += [(f"line {each.line}", each.text) for each in check.statements]
    for label, value in facts:
        if value is not None:
            shown = shortened(value, width - _LABEL - 6)
            say(f"    {label.ljust(_LABEL)}  {shown}", stream=stream)
    if check.path is not None and not check.statements:
        say(f"    no statement of {run.script.name} changes it", stream=stream)


def tell_sum(runs: Sequence[ScriptRun], seconds: float) -> None:
    """The last lines: how many tests passed, and which scripts have none."""
    untested = [run.script for run in runs if run.tests is None]
    if untested:
        say()
        say_wrapped(f"without tests: {', '.join(map(str, untested))}", indent="  ")
        say("`prearc anon test SCRIPT --init` writes a first file of tests.")
    style = "red" if any(run.exit_code for run in runs) else "green"
    say()
    say_styled(Styled(sum_of(runs), style), f" in {seconds:.2f} s")


def sum_of(runs: Sequence[ScriptRun]) -> str:
    """Return how many tests passed and how many did not."""
    counts = Counter(verdict.status for run in runs for verdict in run.verdicts)
    broken = sum(run.exit_code > ExitCode.FAILED for run in runs)
    words = [f"{counts['passed']} passed"]
    if counts["failed"]:
        words.append(f"{counts['failed']} failed")
    if counts["error"]:
        words.append(f"{counts['error']} with an error")
    if broken:
        words.append(f"{broken} script{'s' * (broken != 1)} not tested")
    return ", ".join(words)
