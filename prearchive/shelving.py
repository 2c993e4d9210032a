"""Puts an instance that passed the site script into its session: opens what is missing; file, then row."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from anon.encoding.instance import EncodedInstance
from anon.encoding.text import first_text
from config.settings import UNASSIGNED
from prearchive import paths
from prearchive.arrival import (
    MODALITY,
    SERIES_NUMBER,
    STUDY_DATE,
    STUDY_TIME,
    Arrival,
    Identity,
    RefusedError,
    read_code,
    read_date,
    read_time,
)
from prearchive.db import queries
from prearchive.db.engine import DATABASE_TROUBLE, AlreadyThereError
from prearchive.db.queries import KnownScan, KnownSession
from prearchive.filestore import StoredFile
from prearchive.identify import Identification
from prearchive.incoming import Outcome, OutcomeKind
from prearchive.ledger import Ledger
from prearchive.modality import lead_modality, scan_type
from prearchive.naming import file_name, scan_label
from prearchive.placement import (
    NOT_ANONYMIZED_TEXT,
    NOT_ANONYMIZED_WARNING,
    Claim,
    Placement,
    disagreements,
)
from prearchive.script_messages import MessageNotes, add_messages
from prearchive.states import SessionEvent, SessionState, next_state

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.site import Site

RECEIVER = "receiver"  # who, in a session's history

log = structlog.get_logger(__name__)


class StartAgainError(Exception):
    """Somebody moved, archived or opened the session meanwhile: everything again, from memory."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An instance that is ready to be stored.

    Attributes:
        arrival: how it came.
        instance: after the site script.
        identity: its UIDs after the site script.
        identification: with guarded labels.
        placement: the session it belongs to, as far as it is there.
        scan: its scan, if that is there.
    """

    arrival: Arrival
    instance: EncodedInstance
    identity: Identity
    identification: Identification
    placement: Placement
    scan: KnownScan | None


class Shelving:
    """Stores prepared instances of a site."""

    def __init__(self, site: Site, ledger: Ledger) -> None:
        self._site = site
        self._ledger = ledger
        self._notes = MessageNotes()

    def put(self, prepared: Prepared) -> Outcome:
        """Store an instance: afterwards file and row are safe.

        Raises:
            StartAgainError: the session is not what it was when the placement was made.
            AlreadyThereError: the same, seen by the database.
            RefusedError: the same instance came twice at the same time.
            StorageTroubleError: the disk is full or broken; nothing is left behind.
        """
        session = prepared.placement.session
        if session is not None:
            claim = Claim.of(prepared.identification, prepared.identity.study_instance_uid)
            prepared.arrival.warnings.update(disagreements(session, claim))
            if prepared.scan is not None:
                return self._write(prepared, session, prepared.scan)
            return self._write(prepared, *self._add_scan(prepared, session))
        if not prepared.arrival.incoming.anonymize:
            prepared.arrival.warnings[NOT_ANONYMIZED_WARNING] = NOT_ANONYMIZED_TEXT
        with self._opened(prepared) as (opened, scan):
            return self._write(prepared, opened, scan)

    def _add_scan(self, prepared: Prepared, known: KnownSession) -> tuple[KnownSession, KnownScan]:
        with self._site.engine.begin() as connection:
            session = queries.find_session(connection, known.id, for_update=True)
            if session is None or not session.is_open:
                raise StartAgainError
            return session, self._scan(connection, prepared, session)

    @contextlib.contextmanager
    def _opened(self, prepared: Prepared) -> Iterator[tuple[KnownSession, KnownScan]]:
        """Open a session; it goes again when the block fails and no other thread has filled it."""
        path, timestamp = self._create_folder(prepared.placement.project, prepared.identification.session)
        session_id: int | None = None
        try:
            with self._site.engine.begin() as connection:
                now = self._site.clock()
                row = {**self._session_row(prepared), "path": path, "timestamp": timestamp}
                row |= {"uploaded_at": now, "modified_at": now, "last_received_at": now}
                row["folder"] = path.rpartition("/")[2]
                session_id = queries.insert(connection, queries.SESSION, row)
                state = SessionState.RECEIVING
                queries.add_event(
                    connection, session_id, at=now, who=RECEIVER, action="opened", to_state=state
                )
                session = queries.find_session(connection, session_id)
                assert session is not None
                scan = self._scan(connection, prepared, session)
            log.info("session_opened", session_id=session_id)
            prepared.arrival.session_id = session_id
            yield session, scan
        except BaseException:
            self._undo_opening(session_id, path)
            raise

    def _undo_opening(self, session_id: int | None, path: str) -> None:
        if session_id is not None:
            with contextlib.suppress(*DATABASE_TROUBLE), self._site.engine.begin() as connection:
                queries.delete_if_empty(connection, session_id)
        self._site.files.remove_empty_folders(path)

    def _create_folder(self, project: str | None, label: str) -> tuple[str, str]:
        """Make a folder of its own for a new session; return its path and timestamp."""
        now = self._site.clock().astimezone()
        timestamp = f"{now:%Y%m%d_%H%M%S}{now.microsecond // 1000:03d}"
        parent = paths.join(paths.PREARCHIVE, project or UNASSIGNED, timestamp)
        number = 0
        while True:
            path = paths.join(parent, paths.numbered(label, number))
            try:
                self._site.files.create_folder(path)
                return path, timestamp
            except FileExistsError:
                number += 1

    def _session_row(self, prepared: Prepared) -> dict[str, object]:
        arrival, labels, placement = prepared.arrival, prepared.identification, prepared.placement
        dataset = prepared.instance.dataset
        assert arrival.study_key is not None
        return {
            "project": placement.project,
            "subject": labels.subject,
            "label": labels.session,
            "subject_source": labels.subject_source.value,
            "label_source": labels.session_source.value,
            "state": SessionState.RECEIVING,
            "study_uid": prepared.identity.study_instance_uid,
            "study_key": arrival.study_key,
            "open_key": queries.open_key(
                placement.project,
                arrival.study_key,
                anonymize=arrival.incoming.anonymize,
                waits_for_id=placement.waits_for_id,
            ),
            "waits_for_id": placement.waits_for_id,
            "scan_date": read_date(dataset, STUDY_DATE),
            "scan_time": read_time(dataset, STUDY_TIME),
            "quiet_seconds": arrival.incoming.quiet_seconds,
            "anonymize": arrival.incoming.anonymize,
            "auto_archive": {True: "auto", False: "manual", None: None}[labels.auto_archive],
        }

    def _scan(self, connection: Connection, prepared: Prepared, session: KnownSession) -> KnownScan:
        """Find or add the scan of the instance's series; its id is allotted once."""
        series_key = prepared.arrival.series_key
        known = queries.find_scan(connection, session.id, series_key)
        if known is not None:
            return known
        dataset = prepared.instance.dataset
        modality = read_code(dataset, MODALITY)
        series_uid = prepared.identity.series_instance_uid
        return queries.add_scan(
            connection,
            session.id,
            label=scan_label(first_text(dataset, SERIES_NUMBER), series_uid),
            suffix=lead_modality([modality]),
            series_key=series_key,
            series_uid=series_uid,
            modality=modality,
            scan_type=scan_type([(prepared.identity.sop_class_uid or "", modality)]),
        )

    def _write(self, prepared: Prepared, session: KnownSession, scan: KnownScan) -> Outcome:
        """Write the file, then the row. Without the row the file is taken back."""
        arrival, instance = prepared.arrival, prepared.instance
        template = self._site.settings.sessions.file_name
        name = paths.numbered(file_name(template, instance.dataset), arrival.name_number)
        folder = paths.scan_folder(session.path, scan.label)
        with self._site.files.store(folder, name, instance.part10_chunks()) as stored:
            is_committing = False
            try:
                with self._site.engine.begin() as connection:
                    known, is_other_version = self._require_unmoved(connection, arrival, session)
                    association_id = self._ledger.association_row(connection, arrival.incoming.sender)
                    self._insert_instance(connection, prepared, scan, stored, association_id)
                    messages = self._note_messages(connection, arrival, known.id)
                    state = count_arrival(
                        connection,
                        known,
                        arrival.warnings,
                        is_other_version=is_other_version,
                        size_bytes=stored.size_bytes,
                        now=self._site.clock(),
                    )
                    is_committing = True
            except AlreadyThereError:
                arrival.name_number += 1  # a row has this name, but its file is missing
                raise
            except BaseException:
                if is_committing:
                    stored.leave_in_doubt()
                raise
            stored.keep()
        self._ledger.remember_association(arrival.incoming.sender, association_id)
        self._notes.remember(known.id, messages)
        if state is not known.state:
            log.info("session_state_changed", session_id=known.id, from_state=known.state, to_state=state)
        return Outcome(
            OutcomeKind.CONFLICTING if is_other_version else OutcomeKind.STORED,
            sop_instance_uid=prepared.identity.sop_instance_uid,
            session_id=session.id,
            size_bytes=stored.size_bytes,
            warnings=tuple(arrival.warnings),
            hashed_sop_instance_uid=arrival.hashed_sop_instance_uid,
        )

    def _require_unmoved(
        self, connection: Connection, arrival: Arrival, known: KnownSession
    ) -> tuple[KnownSession, bool]:
        """See that the session still is where the file went; tell whether it has another version already."""
        assert arrival.received_sop_key is not None
        found = queries.lock_session(connection, known.id, arrival.received_sop_key)
        if found is None:
            raise StartAgainError
        session, copies = found
        if not session.is_open or session.path != known.path:
            raise StartAgainError
        if arrival.received_digest in copies:
            raise RefusedError(None, OutcomeKind.DUPLICATE)  # it came twice at the same time
        return session, bool(copies)

    def _note_messages(self, connection: Connection, arrival: Arrival, session_id: int) -> list[str]:
        """Keep what the script said about the instance; return what the session has of it, if that changed.

        Nearly always it has all of it already, and nothing is asked of the database.
        """
        unknown = self._notes.unknown(session_id, arrival.messages)
        if not unknown:
            return []
        return add_messages(connection, session_id, unknown, self._site.clock())

    def _insert_instance(
        self,
        connection: Connection,
        prepared: Prepared,
        scan: KnownScan,
        stored: StoredFile,
        association_id: int,
    ) -> None:
        arrival = prepared.arrival
        row = {
            "session_id": arrival.session_id,
            "scan_id": scan.id,
            "sop_instance_uid": prepared.identity.sop_instance_uid,
            "sop_class_uid": prepared.identity.sop_class_uid,
            "modality": read_code(prepared.instance.dataset, MODALITY),
            "transfer_syntax_uid": prepared.instance.transfer_syntax_uid,
            "file_name": stored.file_name,
            "size_bytes": stored.size_bytes,
            "digest": stored.digest,
            "received_sop_key": arrival.received_sop_key,
            "received_digest": arrival.received_digest,
            "received_at": arrival.incoming.received_at,
            "association_id": association_id,
            "site_script_id": arrival.script_id,
        }
        connection.execute(queries.INSTANCE.insert(), row)


def count_arrival(
    connection: Connection,
    session: KnownSession,
    warnings: dict[str, str],
    *,
    is_other_version: bool,
    size_bytes: int,
    now: datetime,
    who: str = RECEIVER,
) -> SessionState:
    """Count an instance in its session, with the history and warnings that follow; return the new state.

    Args:
        connection: in a writing transaction that has locked the session.
        session: as it was before.
        warnings: codes and texts; one more is put in for another version of an instance.
        is_other_version: whether the session has the same SOP Instance UID with other content.
        size_bytes: of the file.
        now: the time.
        who: for the history.
    """
    event = SessionEvent.INSTANCE_STORED
    if is_other_version:
        event = SessionEvent.CONFLICT_FOUND
        warnings["duplicate-sop-instance-uid"] = "an instance came again with other content: both are kept"
    state = next_state(session.state, event)
    queries.record_arrival(connection, session.id, state=state, size_bytes=size_bytes, now=now)
    if state is not session.state or session.confirmed_at is not None:
        queries.add_event(
            connection,
            session.id,
            at=now,
            who=who,
            action=event.value,
            from_state=session.state,
            to_state=state,
            text="" if session.confirmed_at is None else "the labels must be confirmed again",
        )
    for code, text in warnings.items():
        queries.add_warning(connection, session.id, code, text, now)
    return state
