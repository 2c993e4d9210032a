"""The history of the site's scripts: every text that was in force, since when, by whom and why.

The file is what is in force; the history follows it. A text that a person put into the file by hand is
noticed by the next one who looks: a server that starts or reads the file anew, an instance or session that
the script runs on, a command. `replacing` writes down what is intended before the file is replaced: a process
that dies in between leaves the old text and no new version, or the new text with its author and reason.

All of this happens under one lock a site, so versions count up without gaps, however many processes there
are. `prearchive.script_versions` reads what is written here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

import anon
from prearchive import paths
from prearchive.db import queries, script_changes
from prearchive.db.script_changes import ChangeRecord
from prearchive.errors import ConfigurationProblemError, StorageTroubleError
from prearchive.scripts import SITE_SCRIPT_NAME, project_of, script_path

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from config.settings import Settings
    from prearchive.scripts import LoadedScript
    from prearchive.site import Site

UNKNOWN: Final = "unknown"  # who changed a file by hand
_LOCK_NAME: Final = "scripts.lock"
_LOCK_SECONDS: Final = 15

log = structlog.get_logger(__name__)


class Action(StrEnum):
    """What a line of a history tells."""

    FIRST = "first"  # the text that was there when the history began
    SET = "set"
    ROLLBACK = "rollback"
    EDITED = "edited"  # the file was changed by hand
    RAN = "ran"  # before there were histories
    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(slots=True)
class Replacement:
    """What became of a new text; `version` is known when `replacing` has ended, None: it was not written."""

    version: int | None = None


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that compiles."""

    text: str
    sha256: str
    language: str


def note_all(site: Site) -> None:
    """Note the texts in force, and what the files of all scripts hold."""
    for loaded in site.scripts.in_force():
        note_use(site, loaded)
    note(site, SITE_SCRIPT_NAME)
    for project in site.settings.projects:
        note(site, f"projects/{project}.das")


def note(site: Site, name: str) -> None:
    """Note what a script's file holds, and whether it is switched on, when that is news.

    A text with mistakes is none that is in force, so it is left out.

    Raises:
        StorageTroubleError: somebody else has kept the histories locked for long.
    """
    if _has_news(site, name):
        with _locked(site):
            _catch_up(site, name)


def note_use(site: Site, loaded: LoadedScript) -> int:
    """Note that a text runs; returns the number of its row, which `record = true` writes into objects.

    Raises:
        StorageTroubleError: somebody else has kept the histories locked for long.
    """
    with site.read_engine.begin() as connection:
        last = script_changes.find_last_version(connection, loaded.name)
    if last is not None and last.sha256 == loaded.sha256 and last.script_id is not None:
        return last.script_id
    with _locked(site):
        _catch_up(site, loaded.name, loaded)
    with site.read_engine.begin() as connection:
        found = script_changes.find_script(connection, loaded.sha256)
    if found is None:
        raise AssertionError("it was kept a moment ago")
    return found


@contextmanager
def replacing(
    site: Site, name: str, text: str, *, language: str, action: Action, who: str, why: str
) -> Iterator[Replacement]:
    """Enter into the history that the body replaces a script's file by `text`, which has been compiled.

    Raises:
        StorageTroubleError: somebody else has kept the histories locked for long.
    """
    with _locked(site):
        _catch_up(site, name)
        with site.engine.begin() as connection:
            script_changes.lock_history(connection)
            row_id = _keep(site, connection, name, _Text(text, sha256_of(text), language))
            script_changes.add_change(
                connection, name, version=None, script_id=row_id, at=site.clock(), who=who, action=action,
                why=why,
            )  # fmt: skip
        replacement = Replacement()
        try:
            yield replacement
        finally:
            replacement.version = _catch_up(site, name)


@contextmanager
def switching(site: Site, name: str, enabled: bool, *, who: str, why: str = "") -> Iterator[None]:
    """Enter into the history that the body switches a script on or off in `prearc.toml`."""
    with _locked(site):
        _catch_up(site, name)
        yield
        with site.engine.begin() as connection:
            script_changes.lock_history(connection)
            _add_switch(site, connection, name, enabled, who, why)


def _has_news(site: Site, name: str) -> bool:
    content = _read(script_path(site.settings, name))
    with site.read_engine.begin() as connection:
        last = script_changes.find_last_version(connection, name)
        switched_on = script_changes.find_last_switch(connection, name) != Action.DISABLED
        if script_changes.has_intention(connection, name):
            return True
    if content is not None and (last is None or last.sha256 != hashlib.sha256(content).hexdigest()):
        return True
    return last is not None and _is_enabled(site.settings, name) not in (None, switched_on)


def _catch_up(site: Site, name: str, used: LoadedScript | None = None) -> int | None:
    """Write what is news into the history. The lock is held, so nobody is just replacing the file.

    Returns:
        The version that came into force as it was intended, None for any other.
    """
    path = script_path(site.settings, name)
    with site.read_engine.begin() as connection:
        last = script_changes.find_last_version(connection, name)
    changed_at, found = _find_text(path, known=last)
    enabled = _find_switch(site, name)
    intended = None
    with site.engine.begin() as connection:
        script_changes.lock_history(connection)
        intention = script_changes.take_intention(connection, name)
        if used is not None and _is_gone(connection, name, used, found):
            text = _Text(used.text, used.sha256, used.language)
            why = "was in the file for a while"
            _add_version(site, connection, name, text, _by_hand(connection, name), UNKNOWN, why)
        if found is not None and intention is not None and intention.sha256 == found.sha256:
            action = Action(intention.action)
            intended = _add_version(site, connection, name, found, action, intention.who, intention.why)
        elif found is not None and not _is_last(connection, name, found):
            why = f"file of {changed_at}"
            _add_version(site, connection, name, found, _by_hand(connection, name), UNKNOWN, why)
        if enabled is not None and script_changes.find_last_version(connection, name) is not None:
            _add_switch(site, connection, name, enabled, UNKNOWN, "found in the settings")
    return intended


def _is_gone(connection: Connection, name: str, used: LoadedScript, found: _Text | None) -> bool:
    """Whether a text runs that nobody noted before the file was changed again."""
    if found is not None and found.sha256 == used.sha256:
        return False
    return not script_changes.has_version(connection, name, used.sha256)


def _is_last(connection: Connection, name: str, text: _Text) -> bool:
    last = script_changes.find_last_version(connection, name)
    return last is not None and last.sha256 == text.sha256


def _by_hand(connection: Connection, name: str) -> Action:
    return Action.FIRST if script_changes.find_last_version(connection, name) is None else Action.EDITED


def _add_version(
    site: Site, connection: Connection, name: str, text: _Text, action: Action, who: str, why: str
) -> int:
    last = script_changes.find_last_version(connection, name)
    number = 1 if last is None or last.version is None else last.version + 1
    row_id = _keep(site, connection, name, text)
    script_changes.add_change(
        connection, name, version=number, script_id=row_id, at=site.clock(), who=who, action=action, why=why
    )
    log.info("script_changed", script=name, version=number, action=action.value, script_sha256=text.sha256)
    return number


def _keep(site: Site, connection: Connection, name: str, text: _Text) -> int:
    """The row of a text, made when it is new."""
    return queries.script_row(
        connection,
        {
            "sha256": text.sha256,
            "name": name[:255],
            "language": text.language,
            "script_text": text.text,
            "first_used_at": site.clock(),
        },
    )


def _add_switch(site: Site, connection: Connection, name: str, enabled: bool, who: str, why: str) -> None:
    # A script that was never switched off is on.
    if (script_changes.find_last_switch(connection, name) != Action.DISABLED) == enabled:
        return
    action = Action.ENABLED if enabled else Action.DISABLED
    script_changes.add_change(
        connection, name, version=None, script_id=None, at=site.clock(), who=who, action=action, why=why
    )


@contextmanager
def _locked(site: Site) -> Iterator[None]:
    """Let nobody else change scripts or their histories."""
    from filelock import FileLock, Timeout

    lock = FileLock(site.root / paths.TEMPORARY / _LOCK_NAME, timeout=_LOCK_SECONDS, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise StorageTroubleError("somebody else is just changing scripts; try again") from None
    except OSError as error:
        raise ConfigurationProblemError(
            f"{lock.lock_file}: cannot be locked: {error.strerror}; run the command as the server's user"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _is_enabled(settings: Settings, name: str) -> bool | None:
    project = project_of(name)
    if project is None:
        return settings.anonymization.site_enabled
    found = settings.projects.get(project)
    return None if found is None else found.anonymize


def _find_switch(site: Site, name: str) -> bool | None:
    """Whether a script is switched on as `prearc.toml` is now; None: it does not say."""
    try:
        return _is_enabled(site.read_settings(), name)
    except Exception:  # whoever loads these settings tells what is wrong with them
        return None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None  # there is none; or the command that needs it says so


def _find_text(path: Path, known: ChangeRecord | None) -> tuple[str, _Text | None]:
    """Read a script that compiles, and when its file was changed; None: there is none."""
    content = _read(path)
    if content is None:
        return "", None
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        changed_at = datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone()
        text = content.decode("utf-8")
        if known is not None and known.sha256 == sha256 and known.language is not None:
            language = known.language
        else:
            language = anon.compile_script(text, name=path.name).language
    except (OSError, UnicodeDecodeError, anon.ScriptError):
        return "", None
    return changed_at.strftime("%Y-%m-%d %H:%M"), _Text(text, sha256, language)


def sha256_of(text: str) -> str:
    """The SHA-256 of a script as its file would have it."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
