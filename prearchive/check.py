"""Holds settings, scripts, database and files of a site against each other; changes nothing.

Works while a server receives: whatever looks wrong is read a second time before it is reported, and files
that a process is just writing, or that a dead process left without an acknowledgement, are no findings.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prearchive import paths
from prearchive.db import script_changes, upkeep
from prearchive.db.engine import database_url, integrity_problems, sqlite_path
from prearchive.db.upkeep import InstancePlace, SessionPlace
from prearchive.errors import ConfigurationProblemError
from prearchive.finding import Finding, Severity
from prearchive.keys import KEY_NAME, key_path
from prearchive.manifest import find_manifest
from prearchive.naming import template_problem
from prearchive.routing import routing_problems
from prearchive.script_tests import failing_tests
from prearchive.scripts import LOOKUP_NAME, LoadedScript, explain, script_path
from prearchive.settle import find_damage
from prearchive.states import BUSY_STATES, SessionState
from prearchive.strays import everything_below, prefixes, stray_findings, unknown_files

if TYPE_CHECKING:
    from config.settings import Settings
    from prearchive.scripts import ScriptShelf
    from prearchive.site import Site

Progress = Callable[[int, int], None]

#: States in which a session's manifest says what its rows say.
WITH_MANIFEST = frozenset({SessionState.READY, SessionState.ARCHIVED})
_MOST_OPEN = 20  # files and folders that others can read; the rest is counted
_OTHERS = 0o077
_OTHERS_BUT_GROUP = 0o027  # with [storage] group: it may read


def check_site(site: Site, *, progress: Progress | None = None) -> list[Finding]:
    """Check everything; an empty list says that nothing is wrong.

    Args:
        site: which.
        progress: is told how many stored files of how many have been read.
    """
    findings = [*check_settings(site.settings, site.scripts), *_permission_findings(site)]
    with site.read_engine.begin() as connection:
        damage = integrity_problems(connection)
    findings += [Finding("error", "database-damaged", "database", text) for text in damage]
    findings += _server_findings(site)
    findings += _history_findings(site)
    with site.read_engine.begin() as connection:
        sessions = upkeep.session_places(connection)
        total = upkeep.count_instances(connection)
    count = _Counter(progress, total)
    for session in sessions:
        findings += _session_findings(site, session, count)
    findings += _unfinished_findings(site)
    findings += stray_findings(site, sessions)
    findings += _open_findings(site, sessions, told={finding.where for finding in findings})
    return findings


def check_settings(settings: Settings, scripts: ScriptShelf) -> list[Finding]:
    """Check settings and scripts alone: all that can be wrong before the first `prearc serve`."""
    return [*_settings_findings(settings), *_script_findings(settings, scripts)]


class _Counter:
    """Tells the progress."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._done = 0
        self._total = total

    def advance(self) -> None:
        """One more file was read; instances that arrive meanwhile count too."""
        self._done += 1
        self._total = max(self._total, self._done)
        if self._progress is not None:
            self._progress(self._done, self._total)


# -- settings, scripts, permissions, servers


def _settings_findings(settings: Settings) -> Iterator[Finding]:
    where = str(settings.config_path)
    for problem in routing_problems(settings):
        yield Finding("error", "bad-routing-rule", where, problem)
    problem_text = template_problem(settings.sessions.file_name)
    if problem_text is not None:
        yield Finding("error", "bad-file-name-template", where, f"sessions.file_name: {problem_text}")


def _script_findings(settings: Settings, scripts: ScriptShelf) -> Iterator[Finding]:
    for name, found in scripts.newest().items():
        if isinstance(found, Exception):
            code = "script-unusable" if isinstance(found, ConfigurationProblemError) else "script-error"
            if name == LOOKUP_NAME:
                code = "bad-lookup-table"
            yield Finding("error", code, name, explain(found, script_path(settings, name)))
        elif isinstance(found, LoadedScript):
            failing = failing_tests(found.text, script_path(settings, name))
            if failing:
                yield Finding("warning", "script-tests-fail", name, failing)


def _permission_findings(site: Site) -> Iterator[Finding]:
    grouped = site.settings.storage.group is not None
    forbidden = _OTHERS_BUT_GROUP if grouped else _OTHERS
    for name in paths.TOP_FOLDERS:
        yield from _mode_findings(site.root / name, name, "folder-open-to-others", forbidden)
    key_file = key_path(site.root, site.settings.storage.key_file)
    yield from _mode_findings(key_file, KEY_NAME, "key-open-to-others", _OTHERS, severity="error")
    database = sqlite_path(database_url(site.settings.database.url, site.root))
    if database is not None:
        yield from _mode_findings(database, database.name, "database-open-to-others", _OTHERS)


def _mode_findings(
    path: Path, where: str, code: str, forbidden: int, severity: Severity = "warning"
) -> Iterator[Finding]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return  # a key may come from the environment, folders are made when they are needed
    if mode & forbidden:
        text = f"its mode is {mode:04o}: others can read or change it; use {mode & ~forbidden:04o}"
        yield Finding(severity, code, where, text)


def _open_findings(site: Site, sessions: Iterable[SessionPlace], told: set[str]) -> list[Finding]:
    """Find files and folders of sessions that others than their owner (and group) can read or change."""
    forbidden = _OTHERS_BUT_GROUP if site.settings.storage.group is not None else _OTHERS
    found: list[Finding] = []
    above: set[str] = set()
    for session in sessions:
        if session.state is SessionState.DELETED:
            continue  # the trash is for the operator
        shared = prefixes(session.path) - {session.path, *paths.TOP_FOLDERS} - above
        above |= shared
        for path in (*sorted(shared), session.path, *everything_below(site.root, session.path)):
            full_path = site.root / path
            if path in told or full_path.is_symlink():  # a link's own mode says nothing
                continue
            code = "folder-open-to-others" if full_path.is_dir() else "file-open-to-others"
            found += _mode_findings(full_path, path, code, forbidden)
    more = len(found) - _MOST_OPEN
    if more > 0:
        text = f"{more} more files and folders are open to others"
        found[_MOST_OPEN:] = [Finding("warning", "file-open-to-others", str(site.root), text)]
    return found


def _server_findings(site: Site) -> Iterator[Finding]:
    with site.read_engine.begin() as connection:
        servers = upkeep.servers(connection)
    for server in servers:
        if not server.is_alive(site.clock()):
            continue
        for problem in server.scripts.get("problems", []):
            text = f"a running server keeps the last good version: {problem}"
            yield Finding("error", "newest-version-not-in-force", f"server {server.owner}", text)


def _history_findings(site: Site) -> Iterator[Finding]:
    """Find script texts and histories that are not what was kept."""
    with site.read_engine.begin() as connection:
        for kept in script_changes.kept_texts(connection):
            if hashlib.sha256(kept.script_text.encode("utf-8")).hexdigest() != kept.sha256:
                text = (
                    f"the kept text with SHA-256 {kept.sha256[:12]} was changed in the database; "
                    "restore the database from a backup"
                )
                yield Finding("error", "script-text-changed", kept.name, text)
        for name, count, highest in script_changes.counted_versions(connection):
            if count != highest:
                text = f"its history has {count} versions, but the last one is version {highest}"
                yield Finding("error", "script-history-gap", name, text)


# -- sessions: rows against files


def _session_findings(site: Site, session: SessionPlace, count: _Counter) -> list[Finding]:
    """Check one session; what looks wrong must look wrong twice, or it was just changing."""
    found = _look_at(site, session.id, count)
    if not found:
        return []
    again = _look_at(site, session.id, None)
    return [finding for finding in found if finding in again]


def _look_at(site: Site, session_id: int, count: _Counter | None) -> list[Finding]:
    with site.read_engine.begin() as connection:
        session = upkeep.find_session_place(connection, session_id)
        places = upkeep.instance_places(connection, session_id)
    if session is None:
        return []
    where = f"session {session.id}"
    if session.state in BUSY_STATES:
        return _busy_findings(site, session, where)
    if session.state is SessionState.DELETED and not site.files.has_folder(session.path):
        return []  # merged into another one, or somebody emptied the trash
    found = []
    for place in places:
        problem = find_damage(site, session.path, place)
        if count is not None:
            count.advance()
        if problem is not None:
            path = paths.instance_path(session.path, place.scan_label, place.file_name)
            code = "file-missing" if problem == "is missing" else "file-damaged"
            found.append(Finding("error", code, path, f"the file {problem} ({where}, {session.state.value})"))
    found += _count_findings(session, places, where)
    if places:
        found += _manifest_findings(site, session, places)
    found += unknown_files(site, session, places)
    return found


def _busy_findings(site: Site, session: SessionPlace, where: str) -> list[Finding]:
    expires_at = session.lease_expires_at
    is_late = expires_at is None or expires_at < site.clock()
    if not is_late and site.files.is_alive(session.lease_owner):
        return []
    text = (
        f"it is {session.state.value}, but nobody works on it any more: "
        "the next start of `prearc serve` finishes or undoes that"
    )
    return [Finding("error", "stuck-session", where, text)]


def _unfinished_findings(site: Site) -> Iterator[Finding]:
    """Find archivings whose last step, removing the source, nobody does any more."""
    with site.read_engine.begin() as connection:
        unfinished = upkeep.unfinished_work(connection)
    for work in unfinished:
        if work.state not in BUSY_STATES and not site.files.is_alive(work.lease_owner):
            text = (
                f"it is {work.state.value}, but what comes after was broken off: "
                "the next start of `prearc serve` cleans up"
            )
            yield Finding("error", "stuck-session", f"session {work.id}", text)


def _count_findings(session: SessionPlace, places: list[InstancePlace], where: str) -> list[Finding]:
    size_bytes = sum(place.size_bytes for place in places)
    if (session.instance_count, session.size_bytes) == (len(places), size_bytes):
        return []
    text = (
        f"the session counts {session.instance_count} instances with {session.size_bytes} bytes, "
        f"its rows are {len(places)} with {size_bytes}; `prearc rebuild` counts anew"
    )
    return [Finding("warning", "count-differs", where, text)]


def _manifest_findings(site: Site, session: SessionPlace, places: list[InstancePlace]) -> list[Finding]:
    path = paths.join(session.path, paths.MANIFEST_NAME)
    manifest = find_manifest(site.files, session.path)
    if manifest is None:
        if session.state not in WITH_MANIFEST and not (site.root / path).exists():
            return []  # it is written when the session becomes READY
        return [Finding("error", "manifest-missing", path, "there is no manifest that can be used")]
    if session.state not in WITH_MANIFEST:
        return []  # an older one: instances came since
    rows = manifest.rows
    differing = [
        name for name in ("project", "subject", "label") if rows.session.get(name) != getattr(session, name)
    ]
    named = {(scan.label, instance.file_name, instance.digest) for scan, instance in rows.instances()}
    if named != {(place.scan_label, place.file_name, place.digest) for place in places}:
        differing.append("instances")
    if not differing:
        return []
    text = f"the manifest and the database differ in: {', '.join(differing)}"
    return [Finding("error", "manifest-differs", path, text)]
