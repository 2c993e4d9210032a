"""Which versions of the site's scripts ran on what is stored: on a session, and on each of its files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from prearchive.db import script_changes
from prearchive.db.script_changes import NumberedText

if TYPE_CHECKING:
    from sqlalchemy import Connection

Role = Literal["site", "project"]
SITE_SCRIPT_NAME: Final = "site.das"


@dataclass(frozen=True, slots=True)
class UsedScript:
    """A script text that ran on files of a session.

    Attributes:
        role: as the site script, or as the project's.
        name: of the script.
        version: its number in the script's history; None: the text came from elsewhere, with a manifest.
        sha256: of the text.
        record_id: how (0012,0064) names it, with `record = true`.
        files: on how many files it ran.
    """

    role: str
    name: str
    version: int | None
    sha256: str
    record_id: int
    files: int


@dataclass(frozen=True, slots=True)
class RanVersion:
    """The version of a script that ran on one file."""

    version: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class ScriptsOfFile:
    """What ran on one file; None: no script did."""

    site: RanVersion | None
    project: RanVersion | None


def scripts_of_session(connection: Connection, session_id: int, project: str | None) -> list[UsedScript]:
    """The scripts that ran on the stored files of a session: the site's first."""
    ran = script_changes.scripts_of_session(connection, session_id)
    numbers = _Numbers(script_changes.numbered_texts(connection, _names(project)))
    return [
        UsedScript(
            role=found.role,
            name=_name(found.role, project),
            version=numbers.find(_name(found.role, project), found.script_id, found.last_at),
            sha256=found.sha256,
            record_id=found.script_id,
            files=found.files,
        )
        for found in ran
    ]


def scripts_of_files(
    connection: Connection, session_id: int, project: str | None
) -> dict[str, ScriptsOfFile]:
    """The scripts that ran on each stored file of a session, by its path below the storage root."""
    texts = {
        found.script_id: found.sha256 for found in script_changes.scripts_of_session(connection, session_id)
    }
    numbers = _Numbers(script_changes.numbered_texts(connection, _names(project)))
    archived_at = script_changes.find_archived_at(connection, session_id)

    def version(role: Role, script_id: int | None, at: datetime) -> RanVersion | None:
        if script_id is None:
            return None
        return RanVersion(numbers.find(_name(role, project), script_id, at), texts[script_id])

    return {
        found.path: ScriptsOfFile(
            version("site", found.site_script_id, found.received_at),
            version("project", found.project_script_id, archived_at or found.received_at),
        )
        for found in script_changes.scripts_of_files(connection, session_id)
    }


class _Numbers:
    """Finds the number of a text: the same one may have been in force several times."""

    def __init__(self, versions: Iterable[NumberedText]) -> None:
        self._versions: dict[tuple[str, int], list[NumberedText]] = {}
        for found in versions:
            self._versions.setdefault((found.name, found.script_id), []).append(found)

    def find(self, name: str, script_id: int, at: datetime) -> int | None:
        """The version that the text was at a time; it may have been noted a moment after it ran."""
        known = self._versions.get((name, script_id))
        if not known:
            return None
        earlier = [found for found in known if found.since <= at]
        return (earlier[-1] if earlier else known[0]).version


def _name(role: str, project: str | None) -> str:
    return SITE_SCRIPT_NAME if role == "site" else f"projects/{project}.das"


def _names(project: str | None) -> list[str]:
    return [_name("site", project), _name("project", project)]
