"""What a person means by a reference to a session: number, place, label or Study Instance UID.

A bare integer is always the session's number. `PROJECT/TIMESTAMP/FOLDER` is its place and holds for archived
sessions too, which may also be named `PROJECT/SUBJECT/LABEL`. Anything else is a label or a Study Instance
UID, as stored or as received; `label:X` and `uid:X` say which.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from config.settings import UNASSIGNED
from prearchive.db import views as db_views
from prearchive.db.views import SessionRecord
from prearchive.errors import AmbiguousReferenceError, NotFoundError
from prearchive.states import SessionState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.site import Site

Scope = Literal["prearchive", "archive", "trash"]

SCOPES: Final[dict[str, tuple[SessionState, ...]]] = {
    "prearchive": tuple(
        state for state in SessionState if state not in (SessionState.ARCHIVED, SessionState.DELETED)
    ),
    "archive": (SessionState.ARCHIVED,),
    "trash": (SessionState.DELETED,),
}
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_UID = re.compile(r"[0-9.]{1,64}", re.ASCII)


def get_session_id(site: Site, ref: str, scope: Scope = "prearchive") -> int:
    """The number of the one session that a reference names.

    Raises:
        NotFoundError: no session of this scope; says so when another scope has one.
        AmbiguousReferenceError: several, with the candidates.
    """
    with site.read_engine.begin() as connection:
        found = _candidates(connection, site, ref.strip())
    if not found:
        raise NotFoundError(f"there is no session {ref!r}")
    inside = [record for record in found if is_in_scope(record, scope)]
    if not inside:
        raise NotFoundError(f"there is no session {ref!r} in the {scope}: {_elsewhere(found[0])}")
    if len(inside) > 1:
        raise AmbiguousReferenceError(
            f"{ref!r} names {len(inside)} sessions; use the number",
            [f"{record.id}  {record.ref}  {record.state}" for record in inside],
        )
    return inside[0].id


def is_in_scope(record: SessionRecord, scope: Scope) -> bool:
    """Whether a session belongs to the prearchive, the archive or the trash; a merged one to none."""
    return record.state in SCOPES[scope] and record.merged_into_id is None


def _candidates(connection: Connection, site: Site, ref: str) -> list[SessionRecord]:
    if _NUMBER.fullmatch(ref):
        record = db_views.find_session(connection, int(ref))
        return [] if record is None else [record]
    kind, colon, rest = ref.partition(":")
    if colon and kind == "label":
        return db_views.find_sessions_labelled(connection, rest)
    if colon and kind == "uid":
        return _of_study(connection, site, rest)
    parts = ref.split("/")
    if len(parts) == 3:
        return _at_place(connection, site, *parts)
    if len(parts) > 1:
        return []
    found = {record.id: record for record in db_views.find_sessions_labelled(connection, ref)}
    if _UID.fullmatch(ref):
        found.update((record.id, record) for record in _of_study(connection, site, ref))
    return [found[number] for number in sorted(found)]


def _at_place(
    connection: Connection, site: Site, project_text: str, middle: str, last: str
) -> list[SessionRecord]:
    project = (
        None if project_text == UNASSIGNED else site.settings.resolve_project(project_text) or project_text
    )
    found = {record.id: record for record in db_views.find_sessions_at(connection, project, middle, last)}
    if project is not None:
        for record in db_views.find_sessions_labelled(connection, last, project=project, subject=middle):
            if record.state is SessionState.ARCHIVED:
                found.setdefault(record.id, record)
    return [found[number] for number in sorted(found)]


def _of_study(connection: Connection, site: Site, text: str) -> list[SessionRecord]:
    study_uid = text.strip()
    return db_views.find_sessions_of_study(connection, study_uid, site.keys.uid_key(study_uid))


def _elsewhere(record: SessionRecord) -> str:
    if record.merged_into_id is not None:
        return f"session {record.id} was merged into session {record.merged_into_id}"
    if record.state is SessionState.ARCHIVED:
        return f"session {record.id} is in the archive (see `prearc archived list`)"
    if record.state is SessionState.DELETED:
        return f"session {record.id} is in the trash (see `prearc restore`)"
    return f"session {record.id} is in the prearchive, {record.state}"
