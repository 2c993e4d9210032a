"""`prearc anon values`: the distinct values of all elements, to be looked through for what slipped by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.archiving import count_of, progress_bar
from cli.context import Invocation, get_invocation, opened_site
from cli.differences import say_element, value_text
from cli.exits import ExitCode, SomeFailedError, UsageError
from cli.output import columns, complain, print_document, say
from cli.script_inputs import OfArchived, OfSession, dicom_files, ref_and_scope
from cli.unreadable import unreadable_text

if TYPE_CHECKING:
    from anon.distinct import DistinctValues, ValueTally

_WIDEST_VALUE = 100


def values(
    context: typer.Context,
    inputs: Annotated[
        list[Path] | None, typer.Argument(metavar="INPUT", help="DICOM files and folders.")
    ] = None,
    session: OfSession = None,
    archived: OfArchived = None,
    free_text: Annotated[
        bool, typer.Option("--free-text", help="Only elements that people type into: names, descriptions.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="Values of an element that are shown.")
    ] = 20,
) -> None:
    """List the different values of every element. Free text first: look what slipped through.

    Binary values are left out.
    """
    invocation = get_invocation(context)
    if sum([bool(inputs), session is not None, archived is not None]) != 1:
        raise UsageError("name files and folders, or a session with --session or --archived")
    tally, problems = (
        _values_of_files(invocation, inputs)
        if inputs
        else (_values_of_session(invocation, session, archived), [])
    )
    rows = [row for row in tally.rows() if row.is_free_text or not free_text]
    if invocation.as_json:
        print_document([_value_row(row) for row in rows])
    else:
        for row in rows:
            _print_values(row, tally.files, limit)
        if rows:
            say()
        what = "free-text element" if free_text else "element"
        say(f"{count_of(tally.files, 'file')}, {count_of(len(rows), what)}")
    for problem in problems:
        complain(problem)
    if problems:
        raise SomeFailedError(ExitCode.FAILED)


def _print_values(row: DistinctValues, files: int, limit: int) -> None:
    where = "" if files == 1 else f"  in {row.files} of {files} files"
    say_element(row.path, row.keyword, f"{row.vr}{where}")
    for value, count in row.values[:limit]:
        say(f"  {count:>6}  {value_text(value, min(_WIDEST_VALUE, columns() - 10))}")
    hidden = len(row.values) - limit + row.more
    if hidden > 0:
        say(f"          ... and {count_of(hidden, 'more value')}")


def _value_row(row: DistinctValues) -> dict[str, Any]:
    return {
        "path": row.path,
        "tag": row.tag,
        "vr": row.vr,
        "keyword": row.keyword,
        "files": row.files,
        "values": [{"value": value, "count": count} for value, count in row.values],
        "more": row.more,
    }


def _values_of_session(invocation: Invocation, session: str | None, archived: str | None) -> ValueTally:
    from prearchive.references import get_session_id
    from prearchive.trials import session_values

    with opened_site(invocation, looks_only=True) as site:
        ref, scope = ref_and_scope(session, archived)
        number = get_session_id(site, ref, scope)
        with progress_bar("reading", invocation) as advance:
            return session_values(site, number, advance)


def _values_of_files(invocation: Invocation, inputs: list[Path]) -> tuple[ValueTally, list[str]]:
    from anon.distinct import ValueTally
    from anon.encoding.elements import DataSetError
    from anon.encoding.instance import EncodedInstance

    tally = ValueTally()
    problems: list[str] = []
    for path in dicom_files(inputs, invocation, "reading"):
        try:
            tally.add(EncodedInstance.from_part10(path.read_bytes()))
        except (DataSetError, OSError) as error:
            problems.append(f"{path}: {unreadable_text(error)}")
    return tally, problems
