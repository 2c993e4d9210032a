"""The only door into the prearchive, for the receiver and for imports: `Intake.accept`.

Parse, check the UIDs, identify, look for a duplicate, run the site script, all in memory; then write the
file, then the row, then answer. Bytes that the site script has not seen never reach the disk. Whatever
happens, there is an answer, and a row: of the instance, or of the discarded instance.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import structlog

from anon import ScriptError
from anon.encoding.elements import DataSetError
from anon.encoding.instance import EncodedInstance, can_parse
from config.settings import UNASSIGNED
from prearchive.arrival import (
    MODALITY,
    Arrival,
    Identity,
    RefusedError,
    outcome_of,
    read_code,
    read_identity,
    reason_of,
)
from prearchive.db import queries
from prearchive.db.engine import DATABASE_TROUBLE, AlreadyThereError
from prearchive.db.queries import KnownScan
from prearchive.dump import instance_limits
from prearchive.errors import StorageTroubleError
from prearchive.identify import Identification, guard_labels, identify
from prearchive.incoming import FailureReason, IncomingInstance, Outcome, OutcomeKind, Sender
from prearchive.ledger import Ledger
from prearchive.modality import modality_label
from prearchive.placement import Placement, place
from prearchive.shelving import Prepared, Shelving, StartAgainError

if TYPE_CHECKING:
    from prearchive.site import Site

_ATTEMPTS = 20  # each time somebody else was faster
_SHUT_DOWN_SECONDS = 30

log = structlog.get_logger(__name__)


class Intake:
    """Takes instances in. Safe to use from several threads.

    Args:
        site: where to.
        status_of: gives the DIMSE status that an outcome is answered with, for the audit rows; None for
            imports.
    """

    def __init__(self, site: Site, status_of: Callable[[Outcome], int] | None = None) -> None:
        self._site = site
        self._ledger = Ledger(site, status_of)
        self._shelving = Shelving(site, self._ledger)
        self._state = threading.Condition()
        self._running = 0
        self._is_shut = False

    def association_started(self, sender: Sender) -> None:
        """Take over changed settings and scripts: they count from the next association on."""
        self._site.refresh()

    def association_ended(self, sender: Sender) -> None:
        """Forget what was remembered for an association."""
        self._ledger.forget_association(sender)

    def shut_down(self, timeout_seconds: float = _SHUT_DOWN_SECONDS) -> bool:
        """Take no more instances; wait for those under way. Returns whether all of them ended."""
        with self._state:
            self._is_shut = True
            return self._state.wait_for(lambda: self._running == 0, timeout_seconds)

    def accept(self, incoming: IncomingInstance) -> Outcome:
        """Store an instance, or say why not. Never raises."""
        started = time.perf_counter()
        arrival = Arrival(incoming)
        with self._counted():
            outcome = self._try_to_store(arrival)
            if outcome.kind not in (OutcomeKind.STORED, OutcomeKind.CONFLICTING):
                outcome = self._record_discarded(arrival, outcome)
        _log_outcome(arrival, outcome, round((time.perf_counter() - started) * 1000, 1))
        return outcome

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._state:
            self._running += 1
        try:
            yield
        finally:
            with self._state:
                self._running -= 1
                self._state.notify_all()

    def _try_to_store(self, arrival: Arrival) -> Outcome:
        try:
            if self._is_shut:
                raise RefusedError(FailureReason.SHUTTING_DOWN, OutcomeKind.TRY_AGAIN)
            self._examine(arrival)
            for _ in range(_ATTEMPTS):
                try:
                    return self._attempt(arrival)
                except (StartAgainError, AlreadyThereError):
                    continue
            # So many times somebody else was faster: not the sender's fault.
            raise RefusedError(FailureReason.DATABASE_AWAY, OutcomeKind.TRY_AGAIN)
        except RefusedError as refusal:
            return outcome_of(refusal, arrival)
        except DataSetError as error:
            return outcome_of(RefusedError(reason_of(error)), arrival)
        except StorageTroubleError:
            return outcome_of(RefusedError(FailureReason.DISK_FULL, OutcomeKind.TRY_AGAIN), arrival)
        except DATABASE_TROUBLE:
            return outcome_of(RefusedError(FailureReason.DATABASE_AWAY, OutcomeKind.TRY_AGAIN), arrival)
        except (OSError, MemoryError) as error:
            # Not the object's fault, so not the end of it.
            arrival.error_class = type(error).__name__
            return outcome_of(RefusedError(FailureReason.OUT_OF_RESOURCES, OutcomeKind.TRY_AGAIN), arrival)
        except Exception as error:
            # Only the class: the text, and the traceback, may hold values.
            arrival.error_class = type(error).__name__
            return outcome_of(RefusedError(FailureReason.INTERNAL), arrival)

    def _record_discarded(self, arrival: Arrival, outcome: Outcome) -> Outcome:
        try:
            self._ledger.record_discarded(arrival, outcome)
        except Exception as error:
            log.error("audit_failed", reason=outcome.kind.value, error=type(error).__name__)
            if outcome.kind is not OutcomeKind.FAILED:
                # A success without any record would make the instance vanish.
                return outcome_of(RefusedError(FailureReason.DATABASE_AWAY, OutcomeKind.TRY_AGAIN), arrival)
        return outcome

    # Before anything is decided

    def _examine(self, arrival: Arrival) -> None:
        incoming = arrival.incoming
        keys = self._site.keys
        named = incoming.command_sop_instance_uid
        if named is not None:
            arrival.note_sop_instance_uid(keys, named.strip(" \0"))
        if incoming.given_up is not None:
            raise RefusedError(incoming.given_up)
        if arrival.size_bytes > self._site.settings.limits.max_object_bytes:
            raise RefusedError(FailureReason.TOO_LARGE)
        if not can_parse(incoming.transfer_syntax_uid):
            raise RefusedError(FailureReason.UNSUPPORTED_TRANSFER_SYNTAX)
        arrival.received_digest = keys.received_digest(incoming.encoded_dataset, incoming.transfer_syntax_uid)

    def _parse(self, arrival: Arrival) -> EncodedInstance:
        return EncodedInstance.from_wire(
            arrival.incoming.encoded_dataset,
            arrival.incoming.transfer_syntax_uid,
            instance_limits(self._site.settings),
        )

    # One attempt, from the bytes in memory

    def _attempt(self, arrival: Arrival) -> Outcome:
        settings = self._site.settings
        incoming = arrival.incoming
        arrival.warnings.clear()
        arrival.messages = []
        arrival.session_id = None
        instance = self._parse(arrival)
        identity = arrival.take_identity(self._site.keys, instance.dataset)
        identification = identify(
            instance.dataset,
            receiver_rules=incoming.routing,
            site_rules=settings.routing,
            resolve_project=settings.resolve_project,
        )
        placement, scan = self._look_up(arrival, identification)
        self._run_site_script(arrival, instance, identification, placement, identity)
        guarded = guard_labels(identification, instance.dataset, self._site.keys, settings.sessions.labels)
        prepared = Prepared(arrival, instance, _stored_identity(instance), guarded, placement, scan)
        return self._shelving.put(prepared)

    def _look_up(
        self, arrival: Arrival, identification: Identification
    ) -> tuple[Placement, KnownScan | None]:
        """Find the session and scan that are there already; an identical duplicate ends here."""
        assert arrival.study_key is not None
        assert arrival.received_sop_key is not None
        with self._site.read_engine.begin() as connection:
            found = queries.sessions_of_study(
                connection,
                arrival.study_key,
                anonymize=arrival.incoming.anonymize,
                series_key=arrival.series_key,
                received_sop_key=arrival.received_sop_key,
            )
        placement = place(identification.project, [known.session for known in found])
        if placement.session is None:
            return placement, None
        arrival.session_id = placement.session.id
        known = next(known for known in found if known.session is placement.session)
        if arrival.received_digest in known.copies:
            raise RefusedError(None, OutcomeKind.DUPLICATE)
        return placement, known.scan

    def _run_site_script(
        self,
        arrival: Arrival,
        instance: EncodedInstance,
        identification: Identification,
        placement: Placement,
        identity: Identity,
    ) -> None:
        """Run the site script on the instance in memory.

        Raises:
            RefusedError: the script rejected it, or failed on it.
        """
        loaded = self._site.scripts.site() if arrival.incoming.anonymize else None
        arrival.script = loaded
        if loaded is None:
            return
        arrival.script_id = self._ledger.script_row(loaded)
        modality = read_code(instance.dataset, MODALITY)
        variables = {
            "project": identification.project or placement.project or UNASSIGNED,
            "subject": identification.subject or "",
            "session": identification.session,
            "modalityLabel": modality_label([(identity.sop_class_uid or "", modality)]),
        }
        record_id = str(arrival.script_id) if self._site.settings.anonymization.record else None
        try:
            report = loaded.script.apply_encoded(instance, variables, record_id=record_id)
        except ScriptError as error:
            first = error.diagnostics[0]
            raise RefusedError(
                FailureReason.SCRIPT_FAILED, code=first.code, line=first.line, column=first.column
            ) from None
        if report.status == "rejected":
            raise RefusedError(None, OutcomeKind.REJECTED)
        arrival.messages = report.messages


def _stored_identity(instance: EncodedInstance) -> Identity:
    """Read the UIDs after the site script; they have to be usable still."""
    try:
        identity = read_identity(instance.dataset)
    except RefusedError:
        raise RefusedError(FailureReason.SCRIPT_SPOILED_UIDS) from None
    if identity.sop_instance_uid is None or identity.sop_class_uid is None:
        raise RefusedError(FailureReason.SCRIPT_SPOILED_UIDS)
    return identity


def _log_outcome(arrival: Arrival, outcome: Outcome, duration_ms: float) -> None:
    """Write one line to received.log, and for a failed script one to anon.log. No value of the data set."""
    sender = arrival.incoming.sender
    fields: dict[str, object] = {
        "association_id": sender.association_id,
        "calling_ae_title": sender.calling_ae_title,
        "called_ae_title": sender.called_ae_title,
        "peer": sender.peer,
        "session_id": outcome.session_id,
        "size_bytes": outcome.size_bytes,
        "duration_ms": duration_ms,
    }
    if outcome.kind in (OutcomeKind.STORED, OutcomeKind.CONFLICTING):
        fields |= {"sop_instance_uid": outcome.sop_instance_uid, "reason": outcome.kind.value}
        log.info("instance_stored", **fields)
        return
    fields["hashed_sop_instance_uid"] = outcome.hashed_sop_instance_uid
    if outcome.kind is OutcomeKind.DUPLICATE:
        log.info("instance_duplicate", **fields)
        return
    if arrival.script is not None:
        fields["script_sha256"] = arrival.script.sha256
    if outcome.kind is OutcomeKind.REJECTED:
        log.info("instance_rejected", **fields)
        return
    reason = None if outcome.reason is None else outcome.reason.value
    log.warning("instance_failed", reason=reason, error=arrival.error_class, **fields)
    if outcome.script_code is not None:
        log.error(
            "script_failed",
            code=outcome.script_code,
            line=outcome.script_line,
            column=outcome.script_column,
            hashed_sop_instance_uid=outcome.hashed_sop_instance_uid,
            script_sha256=fields.get("script_sha256"),
        )
