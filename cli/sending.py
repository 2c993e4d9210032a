"""`prearc send`: send files to a DICOM receiver, as DICOM Browser does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from cli.archiving import progress_bar
from cli.context import examples, get_invocation
from cli.exits import ExitCode, SomeFailedError, UsageError
from cli.output import complain, print_document, say

if TYPE_CHECKING:
    from receiver.sender import SentFile

_DESTINATION = re.compile(
    r"(?P<title>[^@]+)@(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>[0-9]{1,5})", re.ASCII
)


class Destination(NamedTuple):
    """A receiver to send to."""

    ae_title: str
    host: str
    port: int


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        "send",
        epilog=examples("prearc send study/ XNAT@127.0.0.1:8104", "prearc send a.dcm b.dcm PACS@[::1]:104"),
    )(send)


def send(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files and folders.")],
    destination: Annotated[str, typer.Argument(metavar="AE@HOST:PORT", help="The receiver.")],
    calling: Annotated[str, typer.Option("--calling", metavar="AE", help="Our own AE title.")] = "PREARC",
) -> None:
    """Send files by C-STORE. Each exactly as it is."""
    invocation = get_invocation(context)
    receiver = parse_destination(destination)
    _require_ae_title(calling, f"--calling {calling!r}")
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(2, "there is no such file", str(path))
    from cli import logs
    from receiver.sender import SendResult, find_files, send_files

    logs.silence_libraries()
    total = sum(1 for _ in find_files(paths))
    done: list[SentFile] = []
    with progress_bar("sending", invocation) as advance:

        def note(row: SentFile) -> None:
            done.append(row)
            advance(len(done), total)

        rows = send_files(
            paths,
            called_ae_title=receiver.ae_title,
            host=receiver.host,
            port=receiver.port,
            calling_ae_title=calling,
            progress=note,
        )
    if invocation.as_json:
        print_document(rows)
    else:
        _tell(rows)
    results = {row.result for row in rows}
    if SendResult.SENT not in results or results & {SendResult.FAILED, SendResult.REFUSED}:
        raise SomeFailedError(ExitCode.FAILED)


def _tell(rows: Sequence[SentFile]) -> None:
    from receiver.sender import SendResult

    for row in rows:
        if row.result is not SendResult.SENT:
            status = f" (status 0x{row.status:04X})" if row.status is not None else ""
            complain(f"{row.path}: {row.result.value}: {row.error or 'no reason given'}{status}")
    counts = {result: sum(1 for row in rows if row.result is result) for result in SendResult}
    say(
        ", ".join(f"{count} {result.value}" for result, count in counts.items() if count) or "nothing to send"
    )


def parse_destination(text: str) -> Destination:
    """Read `AE@HOST:PORT`.

    Raises:
        UsageError: it is something else.
    """
    match = _DESTINATION.fullmatch(text)
    if not match or not 1 <= int(match["port"]) <= 65535:
        raise UsageError(f"{text!r}: write the receiver as AE@HOST:PORT, for example XNAT@127.0.0.1:8104")
    _require_ae_title(match["title"], repr(text))
    return Destination(match["title"], match["v6"] or match["host"], int(match["port"]))


def _require_ae_title(title: str, named: str) -> None:
    from config.settings import ae_title_problem

    problem = ae_title_problem(title)
    if problem:
        raise UsageError(f"{named}: {problem}")
