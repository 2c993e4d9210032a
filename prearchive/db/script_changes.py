"""Statements about the history of scripts, and about which scripts ran on stored instances.

Every function runs inside the caller's transaction and never commits. A row of `script_change` is one of
three: with a version, a text that came into force; without version and text, a switch on or off; without
version but with a text, an intention: the file is about to be replaced, and whoever does it may die over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, and_, delete, func, insert, select

from prearchive import paths
from prearchive.db.models import Instance, Scan, ScriptChange, ScriptVersion, Session, SessionEvent

_LOCK = int.from_bytes(sha256(b"script history").digest()[:8], "big", signed=True)
_ENDS_ARCHIVING = ("archived", "merged")  # actions of `session_event`


class ChangeRecord(NamedTuple):
    """A line of a script's history. Columns are explained in `models.ScriptChange`."""

    version: int | None
    at: datetime
    who: str
    action: str
    why: str
    script_id: int | None
    sha256: str | None
    language: str | None


class RanRecord(NamedTuple):
    """A script text that ran on instances of a session.

    Attributes:
        role: whether it ran as the site script or as the project's.
        last_at: when it ran on the last of them.
    """

    role: str
    script_id: int
    sha256: str
    files: int
    last_at: datetime


class FileScripts(NamedTuple):
    """Which scripts ran on a stored file, by the numbers of their rows, and when the site script did."""

    path: str
    received_at: datetime
    site_script_id: int | None
    project_script_id: int | None


class NumberedText(NamedTuple):
    """A version of a script, and since when it was in force."""

    name: str
    script_id: int
    sha256: str
    version: int
    since: datetime


class TextRecord(NamedTuple):
    """A kept script text."""

    id: int
    name: str
    sha256: str
    script_text: str


_CHANGES = select(
    ScriptChange.version,
    ScriptChange.at,
    ScriptChange.who,
    ScriptChange.action,
    ScriptChange.why,
    ScriptChange.script_id,
    ScriptVersion.sha256,
    ScriptVersion.language,
).join(ScriptVersion, ScriptVersion.id == ScriptChange.script_id, isouter=True)

_IS_INTENTION = and_(ScriptChange.version.is_(None), ScriptChange.script_id.is_not(None))


def lock_history(connection: Connection) -> None:
    """Let nobody else write histories until this transaction has ended.

    In SQLite a writing transaction keeps everybody else out as it is.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def find_last_version(connection: Connection, name: str) -> ChangeRecord | None:
    """The version of a script that was noted last."""
    row = connection.execute(
        _CHANGES.where(ScriptChange.name == name, ScriptChange.version.is_not(None))
        .order_by(ScriptChange.version.desc())
        .limit(1)
    ).first()
    return None if row is None else ChangeRecord._make(row)


def has_version(connection: Connection, name: str, text_sha256: str) -> bool:
    """Whether a text was noted as a version of a script."""
    found = connection.execute(
        select(ScriptChange.id)
        .join(ScriptVersion, ScriptVersion.id == ScriptChange.script_id)
        .where(ScriptChange.name == name, ScriptVersion.sha256 == text_sha256)
        .limit(1)
    )
    return found.first() is not None


def changes_of(connection: Connection, name: str) -> list[ChangeRecord]:
    """The history of a script, oldest first."""
    rows = connection.execute(
        _CHANGES.where(ScriptChange.name == name, ~_IS_INTENTION).order_by(ScriptChange.id)
    )
    return [ChangeRecord._make(row) for row in rows]


def find_last_switch(connection: Connection, name: str) -> str | None:
    """The action that switched a script on or off last; None: it never was."""
    return connection.execute(
        select(ScriptChange.action)
        .where(ScriptChange.name == name, ScriptChange.version.is_(None), ScriptChange.script_id.is_(None))
        .order_by(ScriptChange.id.desc())
        .limit(1)
    ).scalar()


def has_intention(connection: Connection, name: str) -> bool:
    """Whether somebody is about to replace a script, or died over it."""
    found = select(ScriptChange.id).where(ScriptChange.name == name, _IS_INTENTION).limit(1)
    return connection.execute(found).first() is not None


def take_intention(connection: Connection, name: str) -> ChangeRecord | None:
    """Remove the intention to replace a script; returns it."""
    intended = [ScriptChange.name == name, _IS_INTENTION]
    row = connection.execute(_CHANGES.where(*intended).order_by(ScriptChange.id.desc()).limit(1)).first()
    connection.execute(delete(ScriptChange).where(*intended))
    return None if row is None else ChangeRecord._make(row)


def find_script(connection: Connection, text_sha256: str) -> int | None:
    """The row of a text."""
    return connection.execute(select(ScriptVersion.id).where(ScriptVersion.sha256 == text_sha256)).scalar()


def text_of(connection: Connection, script_id: int) -> str:
    """The text of a version."""
    return connection.execute(
        select(ScriptVersion.script_text).where(ScriptVersion.id == script_id)
    ).scalar_one()


def add_change(
    connection: Connection,
    name: str,
    *,
    version: int | None,
    script_id: int | None,
    at: datetime,
    who: str,
    action: str,
    why: str,
) -> None:
    """Write a line of a script's history."""
    connection.execute(
        insert(ScriptChange).values(
            name=name[:255],
            version=version,
            script_id=script_id,
            at=at,
            who=who[:128],
            action=action,
            why=why,
        )
    )


# -- what ran on instances


def scripts_of_session(connection: Connection, session_id: int) -> list[RanRecord]:
    """The scripts that ran on the instances of a session: the site's first, in the order of first use."""
    archived_at = find_archived_at(connection, session_id)
    found = []
    for role, column in (("site", Instance.site_script_id), ("project", Instance.project_script_id)):
        rows = connection.execute(
            select(
                ScriptVersion.id,
                ScriptVersion.sha256,
                func.count(),
                func.max(Instance.received_at, type_=Instance.received_at.type),
            )
            .join(ScriptVersion, ScriptVersion.id == column)
            .where(Instance.session_id == session_id)
            .group_by(ScriptVersion.id, ScriptVersion.sha256)
            .order_by(ScriptVersion.id)
        )
        for script_id, text_sha256, files, received_at in rows:
            last_at = received_at if role == "site" else archived_at or received_at
            found.append(RanRecord(role, script_id, text_sha256, files, last_at))
    return found


def find_archived_at(connection: Connection, session_id: int) -> datetime | None:
    """When the project's script ran on a session last."""
    return connection.execute(
        select(func.max(SessionEvent.at, type_=SessionEvent.at.type)).where(
            SessionEvent.session_id == session_id, SessionEvent.action.in_(_ENDS_ARCHIVING)
        )
    ).scalar()


def numbered_texts(connection: Connection, names: Iterable[str]) -> list[NumberedText]:
    """The versions of some scripts, oldest first."""
    rows = connection.execute(
        select(
            ScriptChange.name,
            ScriptVersion.id,
            ScriptVersion.sha256,
            ScriptChange.version,
            ScriptChange.at,
        )
        .join(ScriptVersion, ScriptVersion.id == ScriptChange.script_id)
        .where(ScriptChange.name.in_(list(names)), ScriptChange.version.is_not(None))
        .order_by(ScriptChange.name, ScriptChange.version)
    )
    return [NumberedText._make(row) for row in rows]


def last_versions(connection: Connection) -> dict[tuple[str, str], int]:
    """The newest version number of each text, by the name of the script and the SHA-256."""
    rows = connection.execute(
        select(ScriptChange.name, ScriptVersion.sha256, func.max(ScriptChange.version))
        .join(ScriptVersion, ScriptVersion.id == ScriptChange.script_id)
        .where(ScriptChange.version.is_not(None))
        .group_by(ScriptChange.name, ScriptVersion.sha256)
    )
    return {(name, text_sha256): version for name, text_sha256, version in rows if version is not None}


def scripts_of_files(connection: Connection, session_id: int) -> list[FileScripts]:
    """The scripts that ran on each stored file of a session."""
    rows = connection.execute(
        select(
            Session.path,
            Scan.label,
            Instance.file_name,
            Instance.received_at,
            Instance.site_script_id,
            Instance.project_script_id,
        )
        .join(Session, Session.id == Instance.session_id)
        .join(Scan, Scan.id == Instance.scan_id)
        .where(Instance.session_id == session_id)
    )
    return [
        FileScripts._make((paths.instance_path(path, label, file_name), *rest))
        for path, label, file_name, *rest in rows
    ]


# -- for `prearc check`


def kept_texts(connection: Connection) -> Iterator[TextRecord]:
    """Every script text that is kept."""
    columns = (ScriptVersion.id, ScriptVersion.name, ScriptVersion.sha256, ScriptVersion.script_text)
    for row in connection.execute(select(*columns).order_by(ScriptVersion.id)):
        yield TextRecord(*row)


def counted_versions(connection: Connection) -> list[tuple[str, int, int]]:
    """Names of scripts with the number of their versions and the highest version number."""
    rows = connection.execute(
        select(ScriptChange.name, func.count(ScriptChange.version), func.max(ScriptChange.version))
        .where(ScriptChange.version.is_not(None))
        .group_by(ScriptChange.name)
        .order_by(ScriptChange.name)
    )
    return [(name, count, highest or 0) for name, count, highest in rows]
