"""The site as a whole: `prearc init`, `migrate`, `status`, `check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.archiving import progress_bar
from cli.context import Invocation, get_invocation, is_new, opened_site
from cli.exits import ExitCode, SomeFailedError
from cli.output import print_document, print_table, say, say_wrapped, size_text

if TYPE_CHECKING:
    from prearchive.finding import Finding
    from prearchive.status import SiteStatus


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
    say(f"Look at {written[0]}, then start the receiver:")
    say(f"  prearc{option} serve")


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
    from prearchive.status import new_site_status, site_status

    invocation = get_invocation(context)
    settings = invocation.load_settings()
    if is_new(settings):
        report = new_site_status(settings)
    else:
        with opened_site(invocation) as site:
            report = site_status(site)
    if invocation.as_json:
        print_document(report)
    else:
        _print_status(report)


def check(context: typer.Context) -> None:
    """Look for anything that is wrong. Settings, scripts, database and files are held against each other."""
    invocation = get_invocation(context)
    findings = _find(invocation)
    if invocation.as_json:
        print_document(findings)
    else:
        for finding in findings:
            say(f"{finding.severity}[{finding.code}] {finding.where}: {finding.text}")
        say(f"{len(findings)} finding{'s' * (len(findings) != 1)}" if findings else "nothing is wrong")
    if findings:
        raise SomeFailedError(ExitCode.FAILED)


def _find(invocation: Invocation) -> list[Finding]:
    from prearchive.check import check_settings, check_site

    settings = invocation.load_settings()
    if is_new(settings):
        from prearchive.scripts import ScriptShelf

        return check_settings(settings, ScriptShelf(settings))
    with opened_site(invocation) as site, progress_bar("checking files", invocation) as advance:
        return check_site(site, progress=advance)


def _print_status(report: SiteStatus) -> None:
    say("The receiver is running." if report.running else "The receiver is not running: `prearc serve`.")
    for problem in report.problems:
        say(f"\nPROBLEM: {problem}")
    say("\nReceivers")
    print_table(
        ("AE TITLE", "HOST", "PORT", "STATE", "SCRIPTS"),
        [
            (
                receiver.ae_title,
                receiver.host,
                receiver.port,
                "listening" if receiver.listening else "down" if receiver.enabled else "disabled",
                "run" if receiver.anonymize else "NEVER RUN",
            )
            for receiver in report.receivers
        ],
        right=("PORT",),
        empty="none",
    )
    say("\nSessions")
    print_table(
        ("STATUS", "COUNT", "OLDEST"),
        [(state.status, state.sessions, state.oldest) for state in report.sessions],
        right=("COUNT",),
        empty="none",
    )
    say("\nScripts")
    print_table(
        ("SCRIPT", "LANGUAGE", "VERSION", "SHA-256", "IN FORCE"),
        [
            (
                script.name,
                script.language,
                script.version,
                (script.sha256 or "")[:12],
                ", ".join(sha256[:12] for sha256 in script.in_force),
            )
            for script in report.scripts
        ],
        right=("VERSION",),
        empty="none is enabled",
    )
    if report.switched_off:
        say_wrapped(f"Switched off: {', '.join(report.switched_off)}", indent="  ")
    _print_troubles(report)


def _print_troubles(report: SiteStatus) -> None:
    if report.discarded:
        say("\nDiscarded instances")
        print_table(
            ("OUTCOME", "REASON", "LAST 24 H", "TOTAL"),
            [(kind.outcome, kind.reason, kind.last_24_hours, kind.total) for kind in report.discarded],
            right=("LAST 24 H", "TOTAL"),
        )
    if report.errors:
        say("\nLast errors")
        print_table(
            ("AT", "WHAT", "SESSION", "SCRIPT AT", "HASHED SOP INSTANCE UID"),
            [
                (
                    trouble.at,
                    trouble.code,
                    trouble.session,
                    f"{trouble.script_line}:{trouble.script_column}" if trouble.script_line else None,
                    trouble.hashed_sop_instance_uid,
                )
                for trouble in report.errors
            ],
        )
    if report.disk is not None:
        room = "" if report.disk.enough else ": TOO LITTLE, senders are told to try later"
        free, reserve = size_text(report.disk.free_bytes), size_text(report.disk.reserve_bytes)
        say(f"\nDisk: {free} free, {reserve} in reserve{room}")
