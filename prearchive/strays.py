"""Files below the storage root that no row of the database names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prearchive import paths
from prearchive.db import upkeep
from prearchive.db.upkeep import InstancePlace, SessionPlace
from prearchive.finding import Finding
from prearchive.states import SessionState

if TYPE_CHECKING:
    from prearchive.site import Site

_MOST_STRAYS: Final = 20  # named for one place; the rest is counted


def unknown_files(site: Site, session: SessionPlace, places: list[InstancePlace]) -> list[Finding]:
    """Find files in the folder of a session that none of its rows names.

    Args:
        site: whose.
        session: where its folder is.
        places: of its rows, as they were a moment ago.
    """
    if session.state is SessionState.DELETED:
        return []  # the trash is for the operator
    known = {paths.instance_path(session.path, place.scan_label, place.file_name) for place in places}
    known.add(paths.join(session.path, paths.MANIFEST_NAME))
    unknown = [path for path in _files_below(site.root, session.path) if path not in known]
    if not unknown:
        return []
    # In this order: a file that is no longer in flight has its row by now, or is gone.
    in_flight = _in_flight(site)
    with site.read_engine.begin() as connection:
        places = upkeep.instance_places(connection, session.id)
    known |= {paths.instance_path(session.path, place.scan_label, place.file_name) for place in places}
    return _strays(site, (path for path in unknown if path not in in_flight and path not in known))


def stray_findings(site: Site, sessions: Iterable[SessionPlace]) -> list[Finding]:
    """Find files below prearchive and archive that are in no session's folder."""
    seen = {session.path for session in sessions}
    outside = list(_outside(site.root, seen))
    if not outside:
        return []
    in_flight = _in_flight(site)
    with site.read_engine.begin() as connection:
        owned = {session.path for session in upkeep.session_places(connection)}
        # Folders on their way: what is wrong with these is said by the session.
        owned |= {path for work in upkeep.unfinished_work(connection) for path in work.paths}
    owned |= seen
    return _strays(site, (path for path in outside if path not in in_flight and not prefixes(path) & owned))


def _outside(root: Path, session_paths: set[str]) -> Iterator[str]:
    above = {prefix for path in session_paths for prefix in prefixes(path) if prefix != path}
    waiting = [paths.PREARCHIVE, paths.ARCHIVE]
    while waiting:
        folder = waiting.pop()
        for name, is_folder in _entries(root / folder):
            path = f"{folder}/{name}"
            if not is_folder:
                yield path
            elif path in above:
                waiting.append(path)
            elif path not in session_paths:
                yield from _files_below(root, path)


def _strays(site: Site, candidates: Iterable[str]) -> list[Finding]:
    text = "no row names this file: it was never acknowledged, or somebody put it here"
    found = [path for path in candidates if os.path.lexists(site.root / path)]
    findings = [Finding("error", "stray-file", path, text) for path in found[:_MOST_STRAYS]]
    if len(found) > _MOST_STRAYS:
        more = len(found) - _MOST_STRAYS
        where = paths.parent(found[_MOST_STRAYS])
        findings.append(Finding("error", "stray-file", where, f"{more} more files without a row"))
    return findings


def _in_flight(site: Site) -> set[str]:
    """Return what processes are writing, and what dead ones left for recovery to remove."""
    found = site.files.in_flight_paths()
    for writer in site.files.find_writers():
        found |= writer.paths
        site.files.release_writer(writer, remove=False)
    return found


def prefixes(path: str) -> set[str]:
    """The path and all folders above it, below the storage root."""
    names = path.split("/")
    return {"/".join(names[:length]) for length in range(1, len(names) + 1)}


def _files_below(root: Path, folder: str) -> Iterator[str]:
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        for name, is_folder in _entries(root / current):
            if is_folder:
                waiting.append(f"{current}/{name}")
            else:
                yield f"{current}/{name}"


def everything_below(root: Path, folder: str) -> Iterator[str]:
    """All files and folders below a folder, by their paths below the storage root."""
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        for name, is_folder in _entries(root / current):
            yield f"{current}/{name}"
            if is_folder:
                waiting.append(f"{current}/{name}")


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """Return names in a folder, and which of them are folders; links are files here."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
