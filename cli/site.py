"""The site as a whole: `prearc init`, `migrate`, `status`, `check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.context import get_invocation, opened_site
from cli.exits import ExitCode, SomeFailedError
from cli.output import print_document, print_facts, print_table, say


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("init")(init)
    app.command("migrate")(migrate)
    app.command("status")(status)
    app.command("check")(check)


def init(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="Where; default: as --config.")] = None,
) -> None:
    """Write a new site folder. It gets commented settings and the two scripts of XNAT's training page."""
    from config.scripts import write_site_folder

    invocation = get_invocation(context)
    folder = folder or invocation.folder
    written = write_site_folder(folder)
    if invocation.as_json:
        print_document({"folder": folder, "files": written})
        return
    for path in written:
        say(f"wrote {path}")
    option = "" if folder == Path("site") else f" --config {folder}"
    say(f"Look at {written[0]}, then start the receiver: prearc{option} serve")


def migrate(context: typer.Context) -> None:
    """Bring the database up to date. A backup is made before; `serve` does it too."""
    from prearchive.db.migrations import migrate as migrate_database

    invocation = get_invocation(context)
    report = migrate_database(invocation.load_settings())
    if invocation.as_json:
        print_document(report)
    elif report.from_revision == report.to_revision:
        say("the database is up to date")
    else:
        say(f"migrated the database from {report.from_revision or 'nothing'} to {report.to_revision}")
        if report.backup:
            say(f"backup: {report.backup}")


def status(context: typer.Context) -> None:
    """Tell how the site is doing. Receivers, sessions, last errors, scripts in force."""
    invocation = get_invocation(context)
    with opened_site(invocation) as site:
        from prearchive.status import site_status

        report = site_status(site)
        if invocation.as_json:
            print_document(report)
        else:
            _print_status(report)


def check(context: typer.Context) -> None:
    """Look for anything that is wrong. Settings, scripts, database and files are held against each other."""
    invocation = get_invocation(context)
    with opened_site(invocation) as site:
        from prearchive.check import check_site

        from cli.archiving import progress_bar

        with progress_bar("checking files", invocation) as advance:
            findings = check_site(site, progress=advance)
    if invocation.as_json:
        print_document(findings)
    else:
        print_table(
            ("SEVERITY", "CODE", "WHERE", "WHAT"),
            [(finding.severity, finding.code, finding.where, finding.text) for finding in findings],
            empty="nothing is wrong",
        )
    if findings:
        raise SomeFailedError(ExitCode.FAILED)


def _print_status(report: Any) -> None:
    print_facts([("report", report)])
