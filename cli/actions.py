"""What a person does with sessions of the prearchive: `rebuild`, `move`, `label`, `delete`, `restore`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import Invocation, examples, get_invocation, opened_site
from cli.exits import ExitCode, SomeFailedError, UsageError, error_lines, exit_code
from cli.output import complain, print_document, safe_text
from cli.views import print_sessions
from prearchive.errors import ConfirmationNeededError, PrearchiveError

if TYPE_CHECKING:
    from prearchive.label_proposal import AutoLabel
    from prearchive.references import Scope
    from prearchive.site import Site

AUTO = "auto"  # as --session: the label that the project's script makes
LABEL_PREFIX = "label:"
Refs = Annotated[
    list[str], typer.Argument(metavar="REF", help="Sessions: number, label, study UID or place.")
]
SubjectLabel = Annotated[str | None, typer.Option("--subject", metavar="S", help="The subject's label.")]
SessionLabel = Annotated[
    str | None,
    typer.Option(
        "--session",
        metavar="L",
        help="The session's label; auto: the one the project's script makes (label:auto: the word auto).",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("rebuild")(rebuild)
    app.command("move", epilog=examples("prearc move 4 5 --project TRAINING"))(move)
    app.command(
        "label",
        epilog=examples("prearc label 4 --subject S01 --session S01_v01_mr", "prearc label 4 --session auto"),
    )(label)
    app.command("delete")(delete)
    app.command("restore")(restore)


def rebuild(context: typer.Context, refs: Refs) -> None:
    """Complete sessions now. Without waiting for silence; their files are looked at again."""
    from prearchive.settle import rebuild_session

    invocation = get_invocation(context)
    _for_each(
        invocation, refs, "prearchive", lambda site, number: rebuild_session(site, number, invocation.who)
    )


def move(
    context: typer.Context,
    refs: Refs,
    project: Annotated[str, typer.Option("--project", metavar="P", help="The project: id or alias.")],
) -> None:
    """Move sessions to another project. Also out of Unassigned."""
    from prearchive.move import move_session

    invocation = get_invocation(context)
    _for_each(
        invocation,
        refs,
        "prearchive",
        lambda site, number: move_session(site, number, project=project, who=invocation.who),
    )


def label(
    context: typer.Context,
    ref: Annotated[
        str, typer.Argument(metavar="REF", help="The session: number, label, study UID or place.")
    ],
    subject: SubjectLabel = None,
    session: SessionLabel = None,
) -> None:
    """Set and confirm labels. With neither option those that the session has are confirmed."""
    invocation = get_invocation(context)
    with opened_site(invocation) as site:
        from prearchive.labels import confirm
        from prearchive.references import get_session_id
        from prearchive.views import get_row

        session_id = get_session_id(site, ref, "prearchive")
        wanted = wanted_session(session)
        confirm(site, session_id, subject=subject, session=wanted, who=invocation.who)
        row = get_row(site, session_id)
        if invocation.as_json:
            print_document(row)
        else:
            print_sessions([row])


def wanted_session(text: str | None) -> str | AutoLabel | None:
    """Read `--session`: a label, or `auto`; `label:` before a label says that it is one, as in a REF."""
    if text is None:
        return None
    if text.lower() == AUTO:
        from prearchive.label_proposal import AutoLabel

        return AutoLabel()
    return text.removeprefix(LABEL_PREFIX)


def delete(context: typer.Context, refs: Refs, yes: Yes = False) -> None:
    """Put sessions into the trash. `prearc restore` brings them back."""
    from prearchive.trash import delete_session

    invocation = get_invocation(context)
    _for_each(
        invocation,
        refs,
        "prearchive",
        lambda site, number: delete_session(site, number, who=invocation.who),
        question=None if yes else "Put {count} into the trash ({refs})?",
    )


def restore(context: typer.Context, refs: Refs) -> None:
    """Bring sessions back from the trash. `prearc list --trash` shows it."""
    from prearchive.trash import restore_session

    invocation = get_invocation(context)
    _for_each(
        invocation, refs, "trash", lambda site, number: restore_session(site, number, who=invocation.who)
    )


def ask(question: str) -> None:
    """Let the person at the terminal say yes.

    Raises:
        ConfirmationNeededError: nobody is there to ask.
        UsageError: the answer was not yes.
    """
    if not is_interactive():
        raise ConfirmationNeededError("there is no terminal to ask on; --yes does it without asking")
    # On standard error: with --json standard output holds the document alone.
    print(f"{safe_text(question)} [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201
    if read_answer().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was done")


def is_interactive() -> bool:
    """Tell whether a person can answer."""
    return sys.stdin.isatty()


def read_answer() -> str:
    """Wait for the person's answer."""
    return sys.stdin.readline()


def _for_each(
    invocation: Invocation,
    refs: Sequence[str],
    scope: Scope,
    act: Callable[[Site, int], object],
    *,
    question: str | None = None,
) -> None:
    """Do something with each session; one that fails does not keep the others from it.

    Args:
        invocation: the options before the command.
        refs: the sessions as the person named them.
        scope: where they have to be.
        act: does it.
        question: asked once before anything is done, with {count} and {refs}.
    """
    with opened_site(invocation) as site:
        from prearchive.references import get_session_id
        from prearchive.views import get_row

        batch = Batch()
        numbers: dict[int, None] = {}
        for ref in refs:
            with batch.told():
                numbers[get_session_id(site, ref, scope)] = None
        if numbers and question:
            count = "1 session" if len(numbers) == 1 else f"{len(numbers)} sessions"
            ask(question.format(count=count, refs=", ".join(refs)))
        rows = []
        for number in numbers:
            with batch.told():
                act(site, number)
                rows.append(get_row(site, number))
    if invocation.as_json:
        print_document(rows)
    elif rows:
        print_sessions(rows)
    batch.end()


class Batch:
    """Work on several sessions: failures are told as they come, the worst decides the exit code."""

    def __init__(self) -> None:
        self._worst = ExitCode.DONE

    @contextmanager
    def told(self) -> Iterator[None]:
        """Tell a failure of this part and go on with the next."""
        try:
            yield
        except PrearchiveError as error:
            self._worst = max(self._worst, exit_code(error))
            for line in error_lines(error):
                complain(line)

    def end(self) -> None:
        """End the command with the worst exit code, if any part failed.

        Raises:
            SomeFailedError: one did.
        """
        if self._worst:
            raise SomeFailedError(self._worst)
