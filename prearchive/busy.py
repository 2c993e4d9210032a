"""Work on a whole session: begin it, end it, in a way that a crash in between can be repaired.

A busy state (ARCHIVING, MOVING, DELETING) is committed first, with a lease and `work`: enough to finish or
undo. Then the files change, then the end state is committed. While a session is busy it has no open key, so
arriving instances wait in a session of their own and join it afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import structlog

from prearchive.db import queries, session_rows
from prearchive.db import views as db_views
from prearchive.db.views import SessionRecord
from prearchive.errors import NotFoundError, StateRefusedError
from prearchive.site import NO_LEASE
from prearchive.states import SessionEvent, SessionState, next_state

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.site import Site

log = structlog.get_logger(__name__)


def get_record(connection: Connection, session_id: int) -> SessionRecord:
    """The session's row.

    Raises:
        NotFoundError: there is no such session.
    """
    record = db_views.find_session(connection, session_id)
    if record is None:
        raise NotFoundError(f"there is no session {session_id}")
    return record


def begin(
    site: Site,
    connection: Connection,
    record: SessionRecord,
    event: SessionEvent,
    work: Mapping[str, Any],
    *,
    who: str,
    text: str = "",
    values: Mapping[str, Any] | None = None,
) -> SessionState:
    """Bring a session into the busy state that `event` leads to; returns that state.

    Args:
        site: whose.
        connection: in a writing transaction; the caller commits before it touches a file.
        record: the session as it was read.
        event: what is asked for.
        work: what will be done, for recovery; `back_to` is added.
        who: asks for it.
        text: for the history.
        values: further columns to set.

    Raises:
        StateRefusedError: the state does not allow it, or somebody was faster.
    """
    busy = next_state(record.state, event)
    now = site.clock()
    columns = {
        **(values or {}),
        "open_key": None,
        **site.new_lease(),
        "work": {**work, "back_to": record.state.value, "who": who},
    }
    if not queries.change_state(connection, record.id, [record.state], busy, **columns):
        raise StateRefusedError(f"session {record.id} is not {record.state} any more: try again")
    queries.add_event(
        connection, record.id, at=now, who=who, action=event.value, from_state=record.state, to_state=busy,
        text=text,
    )  # fmt: skip
    return busy


def renew(site: Site, session_id: int, busy: SessionState) -> None:
    """Say that long work is still going on."""
    with site.engine.begin() as connection:
        queries.change_state(connection, session_id, [busy], busy, **site.new_lease())


def end(
    site: Site,
    connection: Connection,
    record: SessionRecord,
    busy: SessionState,
    state: SessionState,
    *,
    who: str,
    action: str,
    text: str = "",
    values: Mapping[str, Any] | None = None,
) -> bool:
    """Leave a busy state. Back in the prearchive the session takes its open key again if that is free.

    Args:
        site: whose.
        connection: in a writing transaction.
        record: the session as it was read before it became busy.
        busy: the state it is in.
        state: the state it goes to.
        who: did the work.
        action: for the history.
        text: for the history.
        values: further columns to set; `project` counts for the open key.

    Returns:
        Whether arriving instances find this session again (True, too, where they should not any more).
    """
    changes = dict(values or {})
    now = site.clock()
    found = True
    if state in queries.OPEN_STATES:
        changes["open_key"] = session_rows.free_open_key(connection, {**asdict(record), **changes})
        found = changes["open_key"] is not None
    columns = {**NO_LEASE, "modified_at": now, **changes}
    if not queries.change_state(connection, record.id, [busy], state, **columns):
        raise StateRefusedError(f"session {record.id} is not {busy} any more: see its history")
    queries.add_event(
        connection, record.id, at=now, who=who, action=action, from_state=busy, to_state=state, text=text
    )
    return found


def stamp(site: Site) -> str:
    """The local time as XNAT writes it in names of folders: yyyyMMdd_HHmmssSSS."""
    return site.clock().astimezone().strftime("%Y%m%d_%H%M%S%f")[:18]


def log_change(session_id: int, from_state: SessionState, to_state: SessionState) -> None:
    """Write the log line of a committed change of state."""
    log.info("session_state_changed", session_id=session_id, from_state=from_state, to_state=to_state)
