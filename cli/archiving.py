"""`prearc archive`: look at what would happen, confirm the labels, archive."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TextIO, TypedDict

import typer

from cli import actions
from cli.actions import AUTO, SessionLabel, SubjectLabel, Yes, ask, wanted_session
from cli.context import Invocation, examples, get_invocation, opened_site
from cli.differences import print_changes
from cli.exits import SomeFailedError, exit_code
from cli.output import complain, print_document, print_facts, say, say_wrapped
from cli.views import Ref, print_sessions

if TYPE_CHECKING:
    from prearchive.archive import ArchivePlan
    from prearchive.errors import PrearchiveError
    from prearchive.label_proposal import AutoLabel

MOST_LOOKED_AT = 1000  # files, before a person is asked: some seconds
_MOST_ELEMENTS = 20


class Wish(TypedDict):
    """What the options ask for, as the archive step takes it."""

    project: str | None
    subject: str | None
    session: str | AutoLabel | None
    overwrite: str


class Overwrite(StrEnum):
    """What to do when the archive has this session already."""

    NONE = "none"
    APPEND = "append"
    DELETE = "delete"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        "archive",
        epilog=examples(
            "prearc archive 4 --dry-run",
            "prearc archive 4 --subject S01 --session S01_v01_mr --yes",
            "prearc archive 4 --subject S01 --session auto",
            "prearc archive 5 --project TRAINING      (from Unassigned)",
        ),
    )(archive)


def archive(
    context: typer.Context,
    ref: Ref,
    subject: SubjectLabel = None,
    session: SessionLabel = None,
    project: Annotated[
        str | None, typer.Option("--project", metavar="P", help="The project, for a session of Unassigned.")
    ] = None,
    overwrite: Annotated[
        Overwrite, typer.Option("--overwrite", help="When it is archived already: refuse, merge or replace.")
    ] = Overwrite.NONE,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show labels, conflicts and header changes; change nothing.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Archive a session. Confirms the labels and runs the project's script on every file."""
    invocation = get_invocation(context)
    with opened_site(invocation) as site:
        from prearchive.archive import archive_session, plan_archive
        from prearchive.references import get_session_id

        number = get_session_id(site, ref, "prearchive")
        wish = Wish(
            project=project,
            subject=subject,
            session=wanted_session(session),
            overwrite=overwrite.value,
        )
        if dry_run:
            with progress_bar("looking", invocation) as advance:
                plan = plan_archive(site, number, **wish, progress=advance)
            _show_plan(invocation, plan)
            if plan.refusal is not None:
                raise _told(plan, plan.refusal, "this would be refused: ")
            return
        if not yes:
            is_asked = actions.is_interactive()
            with progress_bar("looking", invocation) as advance:
                plan = plan_archive(
                    site, number, **wish, with_changes=is_asked, most_files=MOST_LOOKED_AT, progress=advance
                )
            if plan.refusal is not None:
                raise _told(plan, plan.refusal)  # before anybody is asked
            if is_asked:
                _tell_plan(plan, stream=sys.stderr)
                _tell_changes(plan, most=_MOST_ELEMENTS, stream=sys.stderr)
                say(stream=sys.stderr)
            ask("Archive it with these labels?")
            wish["session"] = _agreed(wish["session"], plan)
        with progress_bar("archiving", invocation) as advance:
            row = archive_session(site, number, **wish, who=invocation.who, confirm=True, progress=advance)
        if invocation.as_json:
            print_document(row)
        else:
            print_sessions([row])


def _show_plan(invocation: Invocation, plan: ArchivePlan) -> None:
    if invocation.as_json:
        print_document(plan)
        return
    _tell_plan(plan)
    _tell_changes(plan)


def _tell_changes(plan: ArchivePlan, *, most: int | None = None, stream: TextIO | None = None) -> None:
    """Tell what the project's script changes.

    Args:
        plan: what was found out.
        most: elements that are shown, for the person who is about to be asked; None shows all.
        stream: where to, standard output by default.
    """
    look = plan.look
    if look is None:
        return
    if look.script is None:
        say("\nNo script runs: the files are archived as they are.", stream=stream)
        return
    part = "" if look.files == look.of_files else f", seen in {look.files} of {look.of_files} files"
    say(f"\nWhat {look.script} changes{part}", stream=stream)
    print_changes(plan.changes, look.files, most=most, stream=stream)
    if look.rejected:
        say(f"It rejects {look.rejected} of {count_of(look.files, 'file')}.", stream=stream)
    _tell_messages(plan, stream=stream)
    if part or (most is not None and len({change.path for change in plan.changes}) > most):
        say("`--dry-run` shows every change in all files.", stream=stream)


def _tell_messages(plan: ArchivePlan, stream: TextIO | None = None) -> None:
    if plan.messages:
        say("\nWhat the project's script says", stream=stream)
    for message in plan.messages:
        told = f"  {message.text} ({count_of(message.files, 'file')})"
        say_wrapped(told, indent="    ", stream=stream)


def count_of(number: int, what: str) -> str:
    """A number with its noun: `1 file`, `2 files`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _told(plan: ArchivePlan, refusal: PrearchiveError, words: str = "") -> SomeFailedError:
    """Tell why nothing is archived, and which label would help where only that is missing."""
    complain(f"{words}{refusal}")
    missing = [notice.code for notice in plan.notices if notice.kind == "FAIL"]
    if plan.proposed_session is not None and missing == [8]:
        complain(f"--session {AUTO} takes the label that the project's script makes: {plan.proposed_session}")
    return SomeFailedError(exit_code(refusal))


def _agreed(session: str | AutoLabel | None, plan: ArchivePlan) -> str | AutoLabel | None:
    """What was asked for; of a label that the script makes, the one that the person has seen."""
    if session is None or isinstance(session, str):
        return session
    return replace(session, shown=plan.labels["session"])


def _tell_plan(plan: ArchivePlan, stream: TextIO | None = None) -> None:
    facts = [(name, plan.labels[name]) for name in ("project", "subject", "session")]
    if plan.proposed_session not in (None, plan.labels["session"]):
        facts.append(("proposed label", f"{plan.proposed_session} (--session {AUTO} takes it)"))
    print_facts(facts, stream=stream)
    for notice in plan.notices:
        say_wrapped(f"{notice.kind} {notice.code}: {notice.text}", indent="  ", stream=stream)


@contextmanager
def progress_bar(what: str, invocation: Invocation) -> Iterator[Callable[[int, int], None]]:
    """Give a function that takes (done, total) and draws a bar, where standard error is a terminal."""
    if invocation.as_json or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
