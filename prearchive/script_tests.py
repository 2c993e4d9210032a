"""The tests beside the scripts in force, for `prearc check`: who edits a script by hand goes around them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from anon.errors import ScriptError
from anon.testing.format import read_suite
from anon.testing.model import FormatError, tests_path_of
from anon.testing.run import compile_for_tests, run_test

_NAMED: Final = 3


def failing_tests(text: str, script_path: Path) -> str:
    """Say which tests of a script do not pass; "" when all do, and when it has none.

    Args:
        text: of the script.
        script_path: of its file; its tests stand beside it.
    """
    tests_path = tests_path_of(script_path)
    if not tests_path.exists():
        return ""
    try:
        suite = read_suite(tests_path)
        script = compile_for_tests(text, script_path.name, suite)
    except FormatError as error:
        first = error.diagnostics[0]
        return f"{tests_path}:{first.line}:{first.column}: {first.message}; no test was run"
    except OSError as error:
        return f"{tests_path}: {error.strerror}; no test was run"
    except ScriptError as error:
        return f"its tests cannot be run: {error}"
    failed = [test.name for test in suite.tests if run_test(script, test).status != "passed"]
    if not failed:
        return ""
    names = ", ".join(f"{name!r}" for name in failed[:_NAMED])
    more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
    return f"{len(failed)} of {len(suite.tests)} tests fail: {names}{more}; `prearc anon test` tells why"
