"""`prearc anon test`: run the tests of scripts, and tell like a test runner what failed and why."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import Invocation, examples, get_invocation
from cli.exits import ExitCode, SomeFailedError, UsageError
from cli.output import complain, print_document, say
from cli.script_files import compile_or_tell, scripts_below, visible_below
from cli.script_verdicts import ScriptRun, sum_of, tell_failures, tell_run, tell_sum
from prearchive.errors import NotFoundError

if TYPE_CHECKING:
    from anon.testing.model import Suite
    from config.scripts import ScriptFile

# For the help alone: the verbs themselves are imported when tests run.
VERBS = (
    "equals absent present empty unchanged rejected fails warns",
    "tag_retained text_notnull text_retained text_removed date_shifted",
    "uid_changed uid_consistent patid_consistent pixels_hidden pixels_retained",
)


def register(app: typer.Typer) -> None:
    """Add the command to `prearc anon`."""
    app.command(
        "test",
        epilog=examples(
            "prearc anon test                  (scripts of the site or of this folder)",
            "prearc anon test p4.das -k name   (only tests with `name` in their names)",
            "prearc anon test p4.das --init    (write p4.tests.toml to begin with)",
        )
        + "\n\n\b\nWhat a test can expect (docs/script-tests.md explains it):\n"
        + "\n".join(f"  {line}" for line in VERBS),
    )(test)


def test(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DIR|FILE", help="Folders, scripts, or files of tests."),
    ] = None,
    select: Annotated[
        str | None, typer.Option("-k", metavar="TEXT", help="Only tests with this text in their names.")
    ] = None,
    stop_early: Annotated[bool, typer.Option("-x", help="Stop at the first test that fails.")] = False,
    init: Annotated[bool, typer.Option("--init", help="Write a first file of tests instead.")] = False,
) -> None:
    """Run the tests of scripts. Those of NAME.das stand beside it in NAME.tests.toml.

    Exit code 1 when a test failed, 2 when a file of tests has mistakes, 3 when a script has.
    """
    invocation = get_invocation(context)
    if init:
        _write_starters(invocation, paths or [])
        return
    from anon.testing.model import tests_path_of

    scripts = _find_scripts(paths or [_default_folder(invocation)])
    began = time.monotonic()
    runs: list[ScriptRun] = []
    for script_path in scripts:
        run = run_script_tests(script_path, tests_path_of(script_path), select=select, stop_early=stop_early)
        runs.append(run)
        if not invocation.as_json and (select is None or run.verdicts or run.exit_code):
            tell_run(run)
        if stop_early and run.exit_code:
            break
    if select is not None and not any(run.verdicts or run.exit_code for run in runs):
        raise NotFoundError(f"no test has {select!r} in its name")
    if invocation.as_json:
        print_document([row for run in runs for row in run.rows()])
    else:
        tell_failures(runs, sys.stdout)
        tell_sum(runs, time.monotonic() - began)
    worst = max(run.exit_code for run in runs)
    if worst:
        raise SomeFailedError(worst)


# -- which scripts


def _default_folder(invocation: Invocation) -> Path:
    """The scripts of the site; where there is none, the current folder."""
    if invocation.folder != Path("site") or (invocation.folder / "prearc.toml").exists():
        return invocation.load_settings().site_script_path.parent
    return Path()


def _find_scripts(paths: Sequence[Path]) -> list[Path]:
    """The scripts that are meant, each once; where there are tests without a script, it is named too."""
    from anon.testing.model import SUFFIX, script_path_of

    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            named = {*scripts_below(path), *map(script_path_of, visible_below(path, f"*{SUFFIX}"))}
            found.update(dict.fromkeys(sorted(named)))
        elif path.exists():
            found[script_path_of(path) if path.name.endswith(SUFFIX) else path] = None
        else:
            raise FileNotFoundError(2, "there is no such file", str(path))
    if not found:
        raise NotFoundError(f"there are no scripts (*.das) in {', '.join(map(str, paths))}")
    return list(found)


# -- running


def run_script_tests(
    script_path: Path,
    tests_path: Path,
    *,
    text: str | None = None,
    select: str | None = None,
    stop_early: bool = False,
) -> ScriptRun:
    """Run the tests of a script. Without tests it only has to compile.

    Args:
        script_path: names it.
        tests_path: where its tests are, if it has any.
        text: of the script, if it is not that of its file.
        select: only tests with this text in their names.
        stop_early: stop at the first test that does not pass.
    """
    import anon
    from anon.script_text import decode_script, readable_text
    from anon.testing.format import read_suite
    from anon.testing.model import FormatError

    run = ScriptRun(script_path, tests_path if tests_path.exists() else None)
    if text is None and not script_path.exists():
        run.format_problem = f"{tests_path}: there is no {script_path.name} beside it"
        return run
    if text is None:
        raw = script_path.read_bytes()
        try:
            text = decode_script(raw, str(script_path))
        except anon.ScriptError as error:
            run.script_error, run.text = error, readable_text(raw)
            return run
    run.text = text
    suite = None
    try:
        suite = None if run.tests is None else read_suite(run.tests)
    except FormatError as error:
        run.format_error = error
    _run_suite(run, suite, select, stop_early)
    return run


def _run_suite(run: ScriptRun, suite: Suite | None, select: str | None, stop_early: bool) -> None:
    import anon
    from anon.testing.run import compile_for_tests, run_test

    try:
        script = compile_for_tests(run.text, str(run.script), suite)
    except anon.ScriptError as error:
        run.script_error = error
        return
    for test in suite.tests if suite is not None else ():
        if select is None or select.casefold() in test.name.casefold():
            run.verdicts.append(run_test(script, test))
            if stop_early and run.exit_code:
                return


# -- before a script comes into force


def refuse_failing_tests(script_file: ScriptFile, text: str, source: Path) -> None:
    """Run the tests that a script must pass before it comes into force.

    They are those beside the script in force and those beside the file that the new text comes from.

    Args:
        script_file: that the text is for.
        text: of the new script.
        source: the file that it comes from, or `-`.

    Raises:
        SomeFailedError: a test fails, or cannot be run; that is told on standard error.
    """
    from anon.testing.model import tests_path_of

    tests_paths = [tests_path_of(script_file.path)]
    name = script_file.path
    if str(source) != "-":
        name = source
        tests_paths.append(tests_path_of(source))
    found = {path.resolve(): path for path in tests_paths if path.exists()}
    runs = [run_script_tests(name, path, text=text) for path in found.values()]
    worst = max((run.exit_code for run in runs), default=ExitCode.DONE)
    if not worst:
        return
    tell_failures(runs, sys.stderr)
    say(stream=sys.stderr)
    complain(f"{sum_of(runs)}: {script_file.path} stays as it was")
    bad = [run.tests for run in runs if run.exit_code]
    complain(f"change the script or, if it is right, what is expected in {' and '.join(map(str, bad))}")
    if len(runs) > len(bad):  # those of one of two files pass
        passed = next(run.tests for run in runs if not run.exit_code)
        if bad == tests_paths[:1]:
            complain(f"all of {passed} pass: if they replace the others, copy that file to {bad[0]} first")
    complain("in an emergency: `set FILE --without-tests --why TEXT`")
    raise SomeFailedError(worst)


# -- beginning


def _write_starters(invocation: Invocation, paths: Sequence[Path]) -> None:
    """Write a file of tests beside each script that is named."""
    from anon.testing.model import tests_path_of
    from anon.testing.starter import starter_suite

    if not paths:
        raise UsageError("--init: name a script")
    written: list[Path] = []
    for script_path in paths:
        tests_path = tests_path_of(script_path)
        text = starter_suite(compile_or_tell(script_path), script_path.name)
        try:
            with tests_path.open("x", encoding="utf-8") as target:
                target.write(text)
        except FileExistsError:
            raise UsageError(f"{tests_path} exists already; nothing is overwritten") from None
        written.append(tests_path)
    if invocation.as_json:
        print_document({"files": written})
        return
    for path in written:
        say(f"wrote {path}")
