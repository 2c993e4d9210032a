"""`prearc list`, `show`, `tags`, `files`, and the same for the archive: `prearc archived ...`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli.context import Invocation, examples, get_invocation, is_new, opened_site
from cli.exits import UsageError
from cli.output import SHORT_SHA, is_terminal, print_document, print_facts, print_table, say, size_text
from cli.stored_files import print_files

if TYPE_CHECKING:
    from prearchive.session_row import SessionRow
    from prearchive.views import SessionDetails

Scope = Literal["prearchive", "archive"]
Ref = Annotated[str, typer.Argument(metavar="REF", help="The session: number, label, study UID or place.")]
OfProject = Annotated[
    str | None, typer.Option("--project", metavar="P", help="Only this project, or Unassigned.")
]
OfStatus = Annotated[str | None, typer.Option("--status", metavar="S", help="Only this status, as READY.")]
OfSubject = Annotated[str | None, typer.Option("--subject", metavar="LABEL", help="Only this subject.")]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="Only what arrived since: 2026-05-31, 2026-05-31T08:00, 7d, 12h."
    ),
]
InTrash = Annotated[bool, typer.Option("--trash", help="Show the trash instead (see `prearc restore`).")]
OfScan = Annotated[str | None, typer.Option("--scan", metavar="ID", help="Only this scan.")]
OfInstance = Annotated[
    str | None,
    typer.Option("--instance", metavar="UID", help="This instance, by its stored SOP Instance UID."),
]
Summary = Annotated[
    bool, typer.Option("--summary", help="All files: one row a path with its distinct values.")
]
WithScripts = Annotated[
    bool, typer.Option("--scripts", help="Show which versions of the scripts ran on each file instead.")
]

_AGO = re.compile(r"(\d{1,6})([dhm])", re.ASCII)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(
        "list", epilog=examples("prearc list --project Unassigned", "prearc list --status READY --since 7d")
    )(list_prearchive)
    app.command("show")(show_prearchive)
    app.command("tags", epilog=examples("prearc tags 3 --scan 2", "prearc tags 3 --summary"))(tags_prearchive)
    app.command("files")(files_prearchive)
    archived = typer.Typer(help="The same views of the archive.", no_args_is_help=True)
    archived.command("list")(list_archive)
    archived.command("show")(show_archive)
    archived.command("tags")(tags_archive)
    archived.command("files")(files_archive)
    app.add_typer(archived, name="archived")


def list_prearchive(
    context: typer.Context,
    project: OfProject = None,
    status: OfStatus = None,
    subject: OfSubject = None,
    since: Since = None,
    trash: InTrash = False,
) -> None:
    """List the prearchive. Newest first."""
    _list(get_invocation(context), "trash" if trash else "prearchive", project, status, subject, since)


def list_archive(
    context: typer.Context, project: OfProject = None, subject: OfSubject = None, since: Since = None
) -> None:
    """List the archive. Newest first."""
    _list(get_invocation(context), "archive", project, None, subject, since)


def show_prearchive(context: typer.Context, ref: Ref) -> None:
    """Show one session. Labels, scans, warnings, history, what was discarded."""
    _show(get_invocation(context), "prearchive", ref)


def show_archive(context: typer.Context, ref: Ref) -> None:
    """Show one archived session. Labels, scans, warnings, history."""
    _show(get_invocation(context), "archive", ref)


def tags_prearchive(
    context: typer.Context,
    ref: Ref,
    scan: OfScan = None,
    instance: OfInstance = None,
    summary: Summary = False,
) -> None:
    """Show DICOM elements. Of the first file, of a scan, of an instance, or of all files."""
    _tags(get_invocation(context), "prearchive", ref, scan, instance, summary)


def tags_archive(
    context: typer.Context,
    ref: Ref,
    scan: OfScan = None,
    instance: OfInstance = None,
    summary: Summary = False,
) -> None:
    """Show DICOM elements of an archived session."""
    _tags(get_invocation(context), "archive", ref, scan, instance, summary)


def files_prearchive(context: typer.Context, ref: Ref, scripts: WithScripts = False) -> None:
    """List the stored files. Path below the storage root, size, digest."""
    print_files(get_invocation(context), "prearchive", ref, scripts)


def files_archive(context: typer.Context, ref: Ref, scripts: WithScripts = False) -> None:
    """List the stored files of an archived session."""
    print_files(get_invocation(context), "archive", ref, scripts)


def parse_since(text: str, now: datetime) -> datetime:
    """Read `2026-05-31`, `2026-05-31T08:00`, `7d`, `12h` or `30m`; times without offset are local."""
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            unit = {"d": "days", "h": "hours", "m": "minutes"}[ago[2]]
            return now - timedelta(**{unit: int(ago[1])})
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(f"--since {text!r}: write a date, a time, or how long ago as 7d, 12h, 30m") from None


def print_sessions(rows: Sequence[SessionRow], empty: str = "no sessions") -> None:
    """Print the prearchive table; the last column counts warnings."""
    print_table(
        ("ID", "PROJECT", "SUBJECT", "SESSION", "STATUS", "SCANNED", "FILES", "!"),
        [
            (
                row.id,
                row.project,
                row.subject,
                row.session,
                row.status,
                row.scan_date,
                row.instances,
                len(row.warnings) or "",
            )
            for row in rows
        ],
        right=("ID", "FILES"),
        empty=empty,
    )


def _list(
    invocation: Invocation,
    scope: Literal["prearchive", "archive", "trash"],
    project: str | None,
    status: str | None,
    subject: str | None,
    since: str | None,
) -> None:
    after = parse_since(since, datetime.now().astimezone()) if since else None
    settings = invocation.load_settings()
    if is_new(settings):
        if invocation.as_json:
            print_document([])
        else:
            say("(no sessions; `prearc serve` has not run yet)")
        return
    from prearchive.db.quick import find_session_rows

    rows = find_session_rows(settings, scope, project=project, status=status, subject=subject, since=after)
    if rows is None:
        with opened_site(invocation, looks_only=True) as site:
            from prearchive.views import list_sessions

            rows = list_sessions(site, scope, project=project, status=status, subject=subject, since=after)
    if invocation.as_json:
        print_document(rows)
    else:
        print_sessions(rows)


def _show(invocation: Invocation, scope: Scope, ref: str) -> None:
    with opened_site(invocation, looks_only=True) as site:
        from prearchive.references import get_session_id
        from prearchive.views import show_session

        details = show_session(site, get_session_id(site, ref, scope))
        if invocation.as_json:
            print_document(details)
        else:
            _print_details(details)


def _print_details(details: SessionDetails) -> None:
    row = details.row
    scanned = " ".join(part for part in (row.scan_date, row.scan_time) if part)
    proposed = details.proposed_label if details.proposed_label != row.session else None
    print_facts(
        [
            ("session", row.session),
            ("subject", row.subject),
            ("project", row.project),
            ("status", row.status),
            ("number", row.id),
            ("ref", row.ref),
            ("scanned", scanned),
            ("arrived", _readable(row.uploaded)),
            ("changed", _readable(row.last_modified)),
            ("study UID", row.study_uid),
            ("type", details.session_type),
            ("files", f"{row.instances}, {size_text(details.size_bytes)}"),
            ("folder", details.path),
            (
                "labels",
                f"confirmed by {details.confirmed_by}" if details.confirmed_by else "not confirmed yet",
            ),
            *([("proposed label", f"{proposed} (prearc label {row.id} --session auto)")] if proposed else []),
        ]
    )
    if not details.anonymize:
        say("\nNO SCRIPT EVER RUNS ON THIS SESSION: its receiver has anonymize = false.")
    if details.waiting_for is not None:
        say(f"\nIt arrived while session {details.waiting_for} was busy and joins it afterwards.")
    if row.warnings:
        say("\nWarnings")
        for warning in row.warnings:
            say(f"  {warning.code}: {warning.text}")
    say("\nScans")
    print_table(
        ("ID", "MODALITY", "TYPE", "FILES", "SERIES UID"),
        [(scan.id, scan.modality, scan.type, scan.files, scan.series_uid) for scan in details.scans],
        right=("FILES",),
        empty="none",
    )
    say("\nScripts that ran")
    print_table(
        ("SCRIPT", "VERSION", "SHA-256", "FILES"),
        [(used.name, used.version, used.sha256[:SHORT_SHA], used.files) for used in details.scripts],
        right=("VERSION", "FILES"),
        empty="none",
    )
    if details.discarded:
        say("\nDiscarded")
        print_table(
            ("COUNT", "OUTCOME", "REASON"),
            [(discarded.count, discarded.outcome, discarded.reason) for discarded in details.discarded],
            right=("COUNT",),
            wrap=True,
        )
    say("\nHistory")
    print_table(
        ("AT", "WHO", "ACTION", "TEXT"),
        [(_readable(entry.at), entry.who, entry.action, entry.text) for entry in details.history],
        empty="none",
        wrap=True,
    )


def _readable(at: str) -> str:
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _tags(
    invocation: Invocation,
    scope: Scope,
    ref: str,
    scan: str | None,
    instance: str | None,
    summary: bool,
) -> None:
    if summary and instance:
        raise UsageError("--summary is about all files; leave out --instance")
    with opened_site(invocation, looks_only=True) as site:
        from prearchive.dump import dump_tags, summarize_tags
        from prearchive.references import get_session_id

        session_id = get_session_id(site, ref, scope)
        if summary:
            counted = summarize_tags(site, session_id, scan=scan)
            if invocation.as_json:
                print_document(counted)
                return
            print_table(
                ("PATH", "VR", "KEYWORD", "FILES", "VALUES"),
                [
                    (row.path, row.vr, row.keyword, row.count, _shortened(" | ".join(row.values)))
                    for row in counted
                ],
                right=("FILES",),
            )
            return
        rows = dump_tags(site, session_id, scan=scan, instance=instance)
        if invocation.as_json:
            print_document(rows)
            return
        print_table(
            ("PATH", "VR", "KEYWORD", "VALUE"),
            [(row.path, row.vr, row.keyword, _shortened(row.value or "")) for row in rows],
        )


def _shortened(value: str, longest: int = 200) -> str:
    """Cut a value for a terminal; a pipe and JSON get all of it."""
    return value[:longest] + "..." if is_terminal() and len(value) > longest else value
