"""`manifest.json` in a session's folder: everything needed to rebuild the session's rows without a database.

Replaced atomically when a session becomes READY, is labelled, moved or archived. It holds what the rows hold:
stored UIDs, labels, digests, keyed hashes of what was received, senders, and the scripts that ran with their
text. It holds no other value of a data set.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prearchive import paths
from prearchive.db import session_contents, session_rows
from prearchive.db.session_rows import (
    LASTING_COLUMNS,
    DiscardedRow,
    EventRow,
    InstanceRow,
    ScanRows,
    ScriptRow,
    SenderRow,
    SessionRows,
    WarningRow,
)
from prearchive.errors import DamagedFileError, NotFoundError, StateRefusedError
from prearchive.states import SessionState

if TYPE_CHECKING:
    from prearchive.filestore import FileStore
    from prearchive.site import Site

FORMAT = 1
_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "datetime": (datetime,),
    "None": (type(None),),
}
_OPTIONAL_COLUMNS = frozenset(
    {
        "project", "subject", "study_uid", "session_type", "modality_label", "scan_date", "scan_time",
        "auto_archive", "confirmed_at", "confirmed_by", "deleted_from",
    }
)  # fmt: skip
_NUMBER_COLUMNS = frozenset({"id", "quiet_seconds", "instance_count", "size_bytes"})
_YES_NO_COLUMNS = frozenset({"anonymize", "pinned"})


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of a `manifest.json`."""

    rows: SessionRows
    archive_id: str | None  # of the archiving that made the folder; None in the prearchive


def manifest_path(session_path: str) -> str:
    """Where a session's manifest is."""
    return paths.join(session_path, paths.MANIFEST_NAME)


def write_manifest(site: Site, session_id: int) -> None:
    """Write the manifest of a session from its rows; nothing to do while it has no folder.

    Raises:
        NotFoundError: no such session.
        StorageTroubleError: the disk refuses; the former manifest stays.
    """
    with site.read_engine.begin() as connection:
        rows = session_rows.read_rows(connection, session_id)
    if rows is None:
        raise NotFoundError(f"there is no session {session_id}")
    session_path = rows.session["path"]
    if site.files.has_folder(session_path):
        archive_id = None
        if rows.session["state"] is SessionState.ARCHIVED:
            archive_id = read_manifest(site.files, session_path).archive_id
        write_rows(site.files, session_path, rows, archive_id)


def write_rows(files: FileStore, session_path: str, rows: SessionRows, archive_id: str | None) -> None:
    """Write a manifest of given rows into a folder."""
    content = {"format": FORMAT, "archive_id": archive_id, **_plain(rows)}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    files.write_atomically(manifest_path(session_path), text.encode() + b"\n")


def read_manifest(files: FileStore, session_path: str) -> Manifest:
    """Read and check the manifest of a folder.

    Raises:
        DamagedFileError: missing, or not a manifest this version understands.
    """
    path = manifest_path(session_path)
    content = bytes(files.read_instance(path))
    try:
        return parse_manifest(content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DamagedFileError(f"{path}: this is no manifest that can be used") from None


def find_manifest(files: FileStore, session_path: str) -> Manifest | None:
    """The manifest of a folder; None when there is none that can be used."""
    try:
        return read_manifest(files, session_path)
    except DamagedFileError:
        return None


def parse_manifest(content: bytes) -> Manifest:
    """Turn the text of a manifest into rows.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is not one.
    """
    found = json.loads(content)
    if found["format"] != FORMAT:
        raise ValueError("unknown format")
    archive_id = found["archive_id"]
    if archive_id is not None and not isinstance(archive_id, str):
        raise TypeError("archive_id")
    scans = []
    for entry in found["scans"]:
        instances = [_shaped(InstanceRow, instance) for instance in entry.pop("instances")]
        scan = _shaped(ScanRows, {**entry, "instances": instances})
        paths.checked_component(scan.label)
        for instance in instances:
            paths.checked_component(instance.file_name)
        scans.append(scan)
    rows = SessionRows(
        session=_session_columns(found["session"]),
        scans=scans,
        senders=[_shaped(SenderRow, entry) for entry in found["senders"]],
        scripts=[_shaped(ScriptRow, entry) for entry in found["scripts"]],
        discarded=[_shaped(DiscardedRow, entry) for entry in found["discarded"]],
        history=[_shaped(EventRow, entry) for entry in found["history"]],
        warnings=[_shaped(WarningRow, entry) for entry in found["warnings"]],
    )
    return Manifest(rows, archive_id)


def rebuild_rows(site: Site, folder: str) -> int:
    """Insert the rows of a session again from the manifest in its folder; returns the session's number.

    The former number is kept when it is free. The place decides what the session is: a folder of the trash
    gives a deleted session whatever its manifest says. A session that was RECEIVING or busy becomes READY.

    Raises:
        DamagedFileError: no usable manifest.
        StateRefusedError: the folder belongs to a session of the database already.
    """
    rows = read_manifest(site.files, folder).rows
    top = paths.components(folder)[0]
    session = rows.session
    reservations: dict[str, Any] = {}
    state = SessionState(session["state"])
    if top == paths.ARCHIVE:
        state = SessionState.ARCHIVED
        reservations["archived_key"] = archived_key(session["project"], session["label"])
    elif state not in (SessionState.READY, SessionState.CONFLICT, SessionState.ERROR):
        state = SessionState.READY
    if top == paths.TRASH:
        former = session["path"] if session["path"] != folder else (session["deleted_from"] or {}).get("path")
        session["deleted_from"] = {"state": state.value, "path": former}
        state = SessionState.DELETED
    session.update(state=state, path=folder)
    with site.engine.begin() as connection:
        if session_rows.has_path(connection, folder):
            raise StateRefusedError(f"{folder} belongs to a session already")
        if top == paths.PREARCHIVE:
            reservations["open_key"] = session_rows.free_open_key(connection, session)
        return session_contents.insert_session(connection, rows, reservations)


def archived_key(project: str, label: str) -> str:
    """The reservation of a label in a project's archive: labels differ by more than case."""
    return f"{project}|{label.lower()}"


def _plain(value: Any) -> Any:
    """Dataclasses, times and states as JSON has them."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(part) for name, part in asdict(value).items()}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.value if isinstance(value, SessionState) else value


def _session_columns(entry: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in LASTING_COLUMNS:
        value = entry[name]
        if value is None:
            if name not in _OPTIONAL_COLUMNS:
                raise TypeError(name)
        elif name == "state":
            value = SessionState(value)
        elif name.endswith("_at"):
            value = _time(value)
        elif name == "deleted_from":
            value = dict(value)
        else:
            kind = int if name in _NUMBER_COLUMNS else bool if name in _YES_NO_COLUMNS else str
            if type(value) is not kind:
                raise TypeError(name)
        columns[name] = value
    paths.components(columns["path"])
    return columns


def _shaped(shape: type[Any], entry: dict[str, Any]) -> Any:
    """Make a row dataclass of a JSON object that has exactly its fields."""
    values: dict[str, Any] = {}
    for column in fields(shape):
        value = entry.pop(column.name)
        kinds = str(column.type)
        if "SessionState" in kinds:
            value = None if value is None else SessionState(value)
        elif "list" not in kinds:
            if "datetime" in kinds and value is not None:
                value = _time(value)
            allowed = tuple(kind for word in kinds.split(" | ") for kind in _KINDS[word])
            if not isinstance(value, allowed) or isinstance(value, bool):
                raise TypeError(column.name)
        values[column.name] = value
    if entry:
        raise KeyError("unknown key")
    return shape(**values)


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without zone")
    return at
