"""The versions of the site's scripts: which there are, and their texts.

Texts come with their SHA-256, which is compared whenever one is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from prearchive.db import script_changes
from prearchive.errors import AmbiguousReferenceError, DamagedFileError, NotFoundError
from prearchive.script_history import Action, note, sha256_of

if TYPE_CHECKING:
    from prearchive.site import Site

_SHORTEST_PREFIX: Final = 4  # of a SHA-256


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of a script's history.

    Attributes:
        version: counts the texts from 1; None: the script was switched on or off.
        in_force: this text is the one that runs.
        record_id: how (0012,0064) names the text, with `record = true`.
    """

    version: int | None
    in_force: bool
    at: datetime
    who: str
    action: str
    why: str
    sha256: str | None
    language: str | None
    record_id: int | None


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a script with its text."""

    name: str
    version: int
    in_force: bool
    at: datetime
    who: str
    action: str
    why: str
    sha256: str
    language: str
    record_id: int
    text: str


def read_history(site: Site, name: str) -> list[HistoryEntry]:
    """The history of a script, oldest first; what is news in its file is noted before."""
    note(site, name)
    with site.read_engine.begin() as connection:
        changes = script_changes.changes_of(connection, name)
        switched_on = script_changes.find_last_switch(connection, name) != Action.DISABLED
    newest = max((change.version for change in changes if change.version is not None), default=None)
    return [
        HistoryEntry(
            version=change.version,
            in_force=switched_on and change.version is not None and change.version == newest,
            at=change.at,
            who=change.who,
            action=change.action,
            why=change.why,
            sha256=change.sha256,
            language=change.language,
            record_id=change.script_id,
        )
        for change in changes
    ]


def get_version(site: Site, name: str, reference: str | None = None) -> Version:
    """A version of a script with its text.

    Args:
        site: whose.
        name: of the script.
        reference: its number, or the beginning of its SHA-256 (the newest version with that text); None: the
            newest one.

    Raises:
        NotFoundError: there is no such version.
        AmbiguousReferenceError: several texts have a SHA-256 that begins like this.
        DamagedFileError: the kept text is not the one that was kept.
    """
    entries = [entry for entry in read_history(site, name) if entry.version is not None]
    entry = _find_entry(entries, name, reference)
    assert entry.version is not None
    assert entry.record_id is not None
    with site.read_engine.begin() as connection:
        text = script_changes.text_of(connection, entry.record_id)
    if sha256_of(text) != entry.sha256:
        raise DamagedFileError(
            f"the kept text of version {entry.version} of {name} was changed in the database: "
            "restore the database from a backup"
        )
    return Version(
        name=name,
        version=entry.version,
        in_force=entry.in_force,
        at=entry.at,
        who=entry.who,
        action=entry.action,
        why=entry.why,
        sha256=entry.sha256 or "",
        language=entry.language or "",
        record_id=entry.record_id,
        text=text,
    )


def _find_entry(entries: list[HistoryEntry], name: str, reference: str | None) -> HistoryEntry:
    if not entries:
        raise NotFoundError(f"{name} has no versions yet: put a text in force with `set FILE`")
    if reference is None:
        return entries[-1]
    wanted = reference.strip().lower()
    if re.fullmatch(r"[0-9]{1,9}", wanted):
        for entry in entries:
            if entry.version == int(wanted):
                return entry
    if re.fullmatch(rf"[0-9a-f]{{{_SHORTEST_PREFIX},64}}", wanted):
        found = {entry.sha256: entry for entry in entries if (entry.sha256 or "").startswith(wanted)}
        if len(found) > 1:
            raise AmbiguousReferenceError(
                f"several texts of {name} have a SHA-256 that begins with {wanted}:",
                [f"version {entry.version}: {sha256}" for sha256, entry in found.items()],
            )
        if found:
            return next(iter(found.values()))
    last = entries[-1].version
    there = "there is version 1" if last == 1 else f"there are versions 1 to {last}"
    raise NotFoundError(f"{name} has no version {reference!r}: {there} (the command `history` lists them)")
