"""Audit rows of the way in: who sent, which script ran, and every instance that was not stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prearchive.arrival import Arrival
from prearchive.db import queries
from prearchive.incoming import Outcome, OutcomeKind, Sender
from prearchive.script_history import note_use

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.scripts import LoadedScript
    from prearchive.site import Site

_OUTCOMES = {
    OutcomeKind.DUPLICATE: "duplicate",
    OutcomeKind.FILTERED: "filtered",
    OutcomeKind.REJECTED: "rejected",
}
_MOST_REMEMBERED = 10_000


class Ledger:
    """Writes audit rows. Row ids of associations and scripts are remembered, a cache and nothing more.

    Args:
        site: whose.
        status_of: gives the DIMSE status that an outcome is answered with.
    """

    def __init__(self, site: Site, status_of: Callable[[Outcome], int] | None) -> None:
        self._site = site
        self._status_of = status_of
        self._associations: dict[str, int] = {}
        self._scripts: dict[str, int] = {}

    def association_row(self, connection: Connection, sender: Sender) -> int:
        """Return the row of an association, made at its first instance."""
        known = self._associations.get(sender.association_id)
        if known is not None:
            return known
        return queries.association_row(
            connection,
            {
                "association_id": sender.association_id,
                "calling_ae_title": sender.calling_ae_title[:16],
                "called_ae_title": sender.called_ae_title[:16],
                "peer": sender.peer[:64],
                "started_at": sender.started_at,
            },
        )

    def remember_association(self, sender: Sender, row_id: int) -> None:
        """The row is committed."""
        if len(self._associations) >= _MOST_REMEMBERED:
            self._associations.clear()
        self._associations[sender.association_id] = row_id

    def forget_association(self, sender: Sender) -> None:
        """The association has ended."""
        self._associations.pop(sender.association_id, None)

    def script_row(self, script: LoadedScript) -> int:
        """Return the row of a script's text; at its first use the script's history is brought up to it."""
        known = self._scripts.get(script.sha256)
        if known is None:
            known = self._scripts[script.sha256] = note_use(self._site, script)
        return known

    def record_discarded(self, arrival: Arrival, outcome: Outcome) -> None:
        """Write the row of an instance that left no file, in a transaction of its own."""
        sender = arrival.incoming.sender
        kind = _OUTCOMES.get(outcome.kind, "failed")
        with self._site.engine.begin() as connection:
            association_id = self.association_row(connection, sender)
            session_id = arrival.session_id
            if session_id is not None and queries.find_session(connection, session_id) is None:
                session_id = None
            queries.insert(
                connection,
                queries.DISCARDED,
                {
                    "session_id": session_id,
                    "outcome": kind,
                    "reason": kind if outcome.reason is None else outcome.reason.value,
                    "status": None if self._status_of is None else int(self._status_of(outcome)),
                    "at": self._site.clock(),
                    "association_id": association_id,
                    "received_sop_key": arrival.received_sop_key,
                    "study_key": arrival.study_key,
                    "hashed_sop_instance_uid": arrival.hashed_sop_instance_uid,
                    "received_digest": arrival.received_digest,
                    "size_bytes": arrival.size_bytes,
                    "script_id": arrival.script_id,
                    "script_line": outcome.script_line,
                    "script_column": outcome.script_column,
                },
            )
            if outcome.kind is OutcomeKind.DUPLICATE and session_id is not None:
                queries.touch_receiving(connection, session_id, self._site.clock())
        self.remember_association(sender, association_id)
