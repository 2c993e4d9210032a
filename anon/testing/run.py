"""Running tests: what a script makes of the inputs, held against what is expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from anon.encoding.elements import DataSetError
from anon.encoding.instance import EncodedInstance
from anon.errors import ScriptError
from anon.script import Script, compile_script
from anon.testing.inputs import build
from anon.testing.model import CheckResult, Input, InputError, ScriptTest, Statement, Suite, Verdict
from anon.testing.observed import Observed, Snapshot
from anon.testing.registry import Answer
from anon.trial import Trace, trace_script

# UIDs that are derived with a key come out the same in each run of the tests.
_KEY: Final = bytes(32)


def compile_for_tests(text: str, name: str, suite: Suite | None) -> Script:
    """Compile a script with what its tests give it: their lookup table, a key, and no web server.

    Raises:
        ScriptError: with all mistakes of the script.
    """
    return compile_script(text, name, lookup=None if suite is None else suite.lookup, key=_KEY)


def run_test(script: Script, test: ScriptTest) -> Verdict:
    """Run one test; whatever goes wrong is in the result."""
    try:
        for source in test.inputs:
            _require_variables(script, source)
        contents = [build(source) for source in test.inputs]
        observed = [observe(script, test, number, content) for number, content in enumerate(contents)]
    except InputError as error:
        check = CheckResult("error", None, None, None, None, str(error))
        return Verdict(test.name, test.line, (check,))
    traces = _Traces(script, test, contents)
    return Verdict(test.name, test.line, tuple(_judge(script, test, observed, traces)))


def _require_variables(script: Script, source: Input) -> None:
    known = {name.lower() for name in source.variables}
    missing = [name for name in script.variables if name.lower() not in known]
    if missing:
        *most, last = [f"{name!r}" for name in missing]
        names = f"{', '.join(most)} and {last}" if most else last
        raise InputError(f"the script needs {names}: write such variables below [variables]")


def observe(script: Script, test: ScriptTest, index: int, content: bytes) -> Observed:
    """What the script makes of an input.

    Args:
        script: to run.
        test: that the input belongs to.
        index: of the input, from 0.
        content: of the input, as a file of PS3.10.

    Raises:
        InputError: this is no DICOM.
    """
    number, of = index + 1, len(test.inputs)
    try:
        before = Snapshot(EncodedInstance.from_part10(content))
        _ = before.entries  # read now, so that what cannot be read is told as such
        instance = EncodedInstance.from_part10(content)
    except DataSetError as error:
        raise InputError(f"{test.inputs[index].file}: cannot be read as DICOM ({error.code})") from None
    try:
        report = script.apply_encoded(instance, test.inputs[index].variables)
    except ScriptError as error:
        return Observed(number, of, before, None, "failed", (), error.diagnostics[0])
    if report.status == "rejected":
        return Observed(number, of, before, None, "rejected", report.messages, None)
    return Observed(number, of, before, Snapshot(instance), "ok", report.messages, None)


def _judge(
    script: Script, test: ScriptTest, observed: Sequence[Observed], traces: _Traces
) -> Iterator[CheckResult]:
    wanted = {each.verb.name for each in test.expectations}
    lost = [each for each in observed if each.outcome != "ok"]
    if not wanted & {"rejected", "fails"}:
        yield from (_unexpected(script, each) for each in lost)
    for expectation in test.expectations:
        if lost and not expectation.verb.is_outcome:
            continue  # said already: there is no result
        for answer in expectation.verb.judge(observed, expectation):
            statements = traces.touching(answer) if answer.status == "failed" else ()
            yield CheckResult(
                answer.status,
                expectation.verb.name,
                answer.path,
                answer.expected,
                answer.found,
                _sentence(answer),
                statements,
            )


def _sentence(answer: Answer) -> str:
    """The message, with the input that it is about."""
    place = answer.observed.place if answer.observed is not None else ""
    return place + answer.message if answer.message else ""


def _unexpected(script: Script, observed: Observed) -> CheckResult:
    """The script does not take an input that it was meant to take."""
    if observed.failure is None:
        message = f"{observed.place}the script rejects the object; if it should, write `rejected = true`"
        return CheckResult("failed", None, None, "(accepted)", "(rejected)", message)
    failure = observed.failure
    hint = f" ({failure.hint})" if failure.hint else ""
    message = f"{observed.place}the script fails in line {failure.line}: {failure.message}{hint}"
    got = f"(fails with {failure.code})"
    return CheckResult("failed", None, None, "(accepted)", got, message, (_line(script, failure.line),))


def _line(script: Script, number: int) -> Statement:
    lines = script.text.splitlines()
    return Statement(number, lines[number - 1].strip() if number <= len(lines) else "")


class _Traces:
    """Which statements changed an element. Scripts run once more for that, but only where a check failed."""

    def __init__(self, script: Script, test: ScriptTest, contents: Sequence[bytes]) -> None:
        self._script = script
        self._test = test
        self._contents = contents
        self._traces: dict[int, Trace] = {}

    def touching(self, answer: Answer) -> tuple[Statement, ...]:
        """The statements that changed the element of an answer, or what is in it, in their order."""
        if answer.path is None or answer.observed is None:
            return ()
        index = answer.observed.number - 1
        if index not in self._traces:
            variables = self._test.inputs[index].variables
            self._traces[index] = trace_script(self._script, self._contents[index], variables)
        found: list[Statement] = []
        for step in self._traces[index].steps:
            paths = [difference.path for difference in step.differences]
            if any(path == answer.path or path.startswith(f"{answer.path}[") for path in paths):
                found.append(Statement(step.position.line, step.source))
        return tuple(found)
