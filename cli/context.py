"""What every command knows: which site, text or JSON, and who asks."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from cli.exits import UsageError
from prearchive.errors import NotFoundError

if TYPE_CHECKING:
    from config.settings import Settings
    from prearchive.site import Site

_FIRST_MADE = ("prearc.db", "site.key", "prearchive", "archive")  # by the first `prearc serve`
LONGEST_NAME = 128  # of the person in the history


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options that stand before the command."""

    folder: Path
    as_json: bool
    given_name: str | None
    verbose: bool

    @property
    def who(self) -> str:
        """The person in the history: `--as`, else who called sudo, else the user."""
        name = self.given_name or os.environ.get("SUDO_USER")
        if not name:
            try:
                name = getpass.getuser()
            except (KeyError, OSError):  # a user id without a name, as in containers
                name = f"uid {os.getuid()}"
        name = re.sub(r"[^ -~\u00a1-\uffff]", "_", name).strip()
        if not name or len(name) > LONGEST_NAME:
            raise UsageError(f"--as: a name has 1 to {LONGEST_NAME} characters")
        return name

    def load_settings(self) -> Settings:
        """Return the site's settings."""
        from config.load import load_settings

        return load_settings(self.folder)


def get_invocation(context: typer.Context) -> Invocation:
    """Return the options before the command."""
    return cast(Invocation, context.obj)


def is_new(settings: Settings) -> bool:
    """Tell whether a site has no data yet: `prearc serve` never ran on it.

    Where only the database is missing, something is wrong, and opening the site says so.
    """
    root = settings.storage.root
    return not settings.database.url and not any((root / name).exists() for name in _FIRST_MADE)


def examples(*commands: str) -> str:
    """Return the end of a command's help, each example on its own line."""
    return "\n".join(
        ["\b", "Examples:" if len(commands) > 1 else "Example:", *(f"  {line}" for line in commands)]
    )


@contextmanager
def opened_site(invocation: Invocation, *, looks_only: bool = False, create: bool = False) -> Iterator[Site]:
    """Open the site for one command.

    Args:
        invocation: the options before the command.
        looks_only: the command changes nothing, so nothing is logged, and structlog (which takes a quarter
            of the time that `prearc list` has) is not imported.
        create: the command is of use before the first `prearc serve`: make a database if there is none.

    Raises:
        NotFoundError: the site has no data yet, so no session that was named is there.
    """
    settings = invocation.load_settings()
    create = create and is_new(settings)
    if is_new(settings) and not create:
        raise NotFoundError("there are no sessions yet: `prearc serve` has not run on this site")
    from prearchive.site import Site

    if not looks_only:
        from cli import logs

        logs.configure(settings, verbose=invocation.verbose)
    site = Site.open(settings, create=create, reload=invocation.load_settings)
    try:
        yield site
    finally:
        site.close()
