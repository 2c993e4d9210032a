"""What an association means here: who may open one, and how an object gets from a message into `intake`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from threading import Condition, Event
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import structlog

from config.settings import Limits, Receiver, Settings
from prearchive.incoming import (
    FailureReason,
    IncomingInstance,
    Outcome,
    OutcomeKind,
    ReceiverRouting,
    Sender,
)
from receiver.allow import AllowList
from receiver.contexts import VERIFICATION
from receiver.limits import Admission
from receiver.messages import Command, Message, Tag
from receiver.status import Status, comment_for, for_outcome

if TYPE_CHECKING:
    from receiver.association import AcceptedAssociation

MAX_ACSE_SECONDS = 30.0  # for the A-ASSOCIATE-RQ, and for the last PDU to be taken (ARTIM timer of PS3.8)
CONNECTION_LOST = "connection-lost"  # why an association ended: the peer closed, or the network broke
_NOT_PRINTABLE = re.compile(r"[^ -~]")

log = structlog.get_logger(__name__)


def now_utc() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


class IntakeDoor(Protocol):
    """What the receiver needs of `prearchive.intake.Intake`."""

    def association_started(self, sender: Sender) -> None:
        """An association was accepted; scripts that changed are in force from here on."""

    def accept(self, incoming: IncomingInstance) -> Outcome:
        """Store an instance or say why not; does not raise."""

    def association_ended(self, sender: Sender) -> None:
        """No more instances come over this association."""


class Refusal(Enum):
    """Why an association is refused: result, source and diagnostic of A-ASSOCIATE-RJ (PS3.8 table 9-21)."""

    CALLED_AE_TITLE_UNKNOWN = (1, 1, 7)
    NOT_ALLOWED = (1, 1, 3)  # the calling AE title or the address
    TOO_MANY_ASSOCIATIONS = (2, 3, 2)
    SHUTTING_DOWN = (2, 3, 1)
    INTERNAL = (2, 2, 1)  # transient: the sender may try again

    @property
    def reason(self) -> str:
        """The word for it in the log."""
        return self.name.lower().replace("_", "-")


class OpenAssociations:
    """The associations that are running, so that the server can end them."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._running: set[AcceptedAssociation] = set()

    def add(self, association: AcceptedAssociation) -> None:
        """An association began."""
        with self._changed:
            self._running.add(association)

    def remove(self, association: AcceptedAssociation) -> None:
        """An association is over."""
        with self._changed:
            self._running.discard(association)
            self._changed.notify_all()

    def running(self) -> list[AcceptedAssociation]:
        """Return those that are running now."""
        with self._changed:
            return list(self._running)

    def wait_until_none(self, seconds: float) -> bool:
        """Wait until none is left, at most so long; True when none is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, seconds)


@dataclass
class Reception:
    """What all connections of a listener share.

    Attributes:
        host: as configured; with `port` it tells which receivers of the settings are served here.
        port: as configured.
        intake: where instances go.
        current_settings: returns the settings in force now; asked once for each association.
        settings: the last answer.
        admission: counts, shared by all listeners.
        associations: those running, shared by all listeners.
        stopping: no new associations.
        draining: associations end after the message they are receiving.
        clock: returns the time, aware.
    """

    host: str
    port: int
    intake: IntakeDoor
    current_settings: Callable[[], Settings]
    settings: Settings
    admission: Admission
    associations: OpenAssociations
    stopping: Event = field(default_factory=Event)
    draining: Event = field(default_factory=Event)
    clock: Callable[[], datetime] = now_utc

    @property
    def idle_seconds(self) -> float:
        """How long a connection may be silent."""
        return float(self.settings.limits.idle_seconds)

    @property
    def acse_seconds(self) -> float:
        """How long the opening of an association may take."""
        return min(MAX_ACSE_SECONDS, self.idle_seconds)

    def enter_connection(self, peer: str) -> bool:
        """Take a place for a connection from this address."""
        limits = self.settings.limits
        return self.admission.enter_connection(
            peer, max_associations=limits.max_associations, per_address=limits.associations_per_address
        )

    def leave_connection(self, peer: str) -> None:
        """Give the place back."""
        self.admission.leave_connection(peer)

    def find_receiver(self, called_ae_title: str) -> Receiver | None:
        """Return the enabled receiver of this AE title on this port."""
        for receiver in self.settings.receivers:
            is_here = (receiver.host, receiver.port) == (self.host, self.port)
            if is_here and receiver.enabled and receiver.ae_title == called_ae_title:
                return receiver
        return None


class Conversation:
    """One association: first `admit`, then `answer` for each message, `close` at the end."""

    def __init__(self, reception: Reception, peer: str) -> None:
        self._reception = reception
        self._peer = peer
        self._settings = reception.settings
        self._receiver = Receiver(enabled=False)
        self._sender: Sender | None = None
        self._is_refused = False
        self._instances = 0
        self._failures = 0
        self._log: Any = log.bind(peer=peer)

    @property
    def max_pdu_bytes(self) -> int:
        """The maximum length of P-DATA-TF that is announced to the peer."""
        return min(self._receiver.max_pdu, self.limits.max_pdu_bytes)

    @property
    def limits(self) -> Limits:
        """The limits of this association."""
        return self._settings.limits

    def admit(self, calling_ae_title: str, called_ae_title: str) -> Refusal | None:
        """Decide on an association request; None lets it in. Whatever goes wrong here, it does not get in."""
        calling = clean_ae_title(calling_ae_title)
        called = clean_ae_title(called_ae_title)
        sender = Sender(uuid4().hex, calling, called, self._peer, self._reception.clock())
        self._log = log.bind(
            association_id=sender.association_id,
            calling_ae_title=calling,
            called_ae_title=called,
            peer=self._peer,
        )
        try:
            refusal = self._find_refusal(sender)
        except Exception as error:
            self._is_refused = True
            self._log.error("association_refused", reason="internal", error=type(error).__name__)
            return Refusal.INTERNAL
        if refusal is not None:
            self._is_refused = True
            self._log.warning("association_refused", reason=refusal.reason)
            return refusal
        self._sender = sender
        self._log.info("association_accepted")
        return None

    def answer(self, message: Message, sop_class_uid: str, transfer_syntax_uid: str) -> bytes | None:
        """Do what a message asks; return the encoded response, None where PS3.7 has none.

        `sop_class_uid` and `transfer_syntax_uid` are those of the presentation context.
        """
        command = message.command
        match command.command_field:
            case Command.C_ECHO_RQ:
                return command.response(Status.SUCCESS)
            case Command.C_STORE_RQ if sop_class_uid == VERIFICATION:
                return command.response(
                    Status.SOP_CLASS_NOT_SUPPORTED, "This presentation context is for Verification only"
                )
            case Command.C_STORE_RQ:
                outcome = self._store(message, transfer_syntax_uid)
                return command.response(for_outcome(outcome), comment_for(outcome))
            case Command.C_CANCEL_RQ:
                return None  # nothing is running that could be cancelled, and it has no response
            case number if number & Command.RESPONSE:
                return None  # nothing was asked
            case _:
                return command.response(Status.UNRECOGNIZED_OPERATION, "Only C-STORE and C-ECHO are served")

    def close(self, *, is_released: bool, reason: str | None) -> None:
        """The association is over; `reason` says why, where it was not released."""
        if self._sender is None:
            # It never became an association. Gone without a word: a port scan, or a health check.
            if reason not in (None, CONNECTION_LOST) and not self._is_refused:
                self._log.warning("association_refused", reason=reason)
            return
        sender, self._sender = self._sender, None
        self._reception.admission.leave_association(self._peer)
        try:
            self._reception.intake.association_ended(sender)
        except Exception as error:
            self._log.error("association_end_failed", error=type(error).__name__)
        duration = self._reception.clock() - sender.started_at
        fields: dict[str, Any] = {"instances": self._instances, "failures": self._failures}
        fields["duration_ms"] = round(duration.total_seconds() * 1000)
        if is_released:
            self._log.info("association_released", **fields)
        else:
            self._log.warning("association_aborted", reason=reason or CONNECTION_LOST, **fields)

    def _find_refusal(self, sender: Sender) -> Refusal | None:
        reception = self._reception
        if reception.stopping.is_set():
            return Refusal.SHUTTING_DOWN
        reception.settings = self._settings = reception.current_settings()
        receiver = reception.find_receiver(sender.called_ae_title)
        if receiver is None:
            return Refusal.CALLED_AE_TITLE_UNKNOWN
        if not AllowList(receiver.allow).allows(sender.calling_ae_title, self._peer):
            return Refusal.NOT_ALLOWED
        if not reception.admission.enter_association(
            self._peer,
            max_associations=self.limits.max_associations,
            per_address=self.limits.associations_per_address,
        ):
            return Refusal.TOO_MANY_ASSOCIATIONS
        try:
            reception.intake.association_started(sender)
        except BaseException:
            reception.admission.leave_association(self._peer)
            raise
        self._receiver = receiver
        return None

    def _store(self, message: Message, transfer_syntax_uid: str) -> Outcome:
        assert self._sender is not None
        self._instances += 1
        incoming = IncomingInstance(
            encoded_dataset=message.encoded_dataset or b"",
            transfer_syntax_uid=transfer_syntax_uid,
            sender=self._sender,
            received_at=self._reception.clock(),
            command_sop_class_uid=message.command.find_uid(Tag.AFFECTED_SOP_CLASS_UID),
            command_sop_instance_uid=message.command.find_uid(Tag.AFFECTED_SOP_INSTANCE_UID),
            anonymize=self._receiver.anonymize,
            quiet_seconds=self._settings.receiver_quiet_seconds(self._receiver),
            routing=_routing(self._receiver),
            given_up=FailureReason.TOO_LARGE if message.is_too_large else None,
        )
        try:
            outcome = self._reception.intake.accept(incoming)
        except Exception as error:
            self._log.error("instance_failed", reason="internal", error=type(error).__name__)
            outcome = Outcome(OutcomeKind.FAILED, FailureReason.INTERNAL)
        if for_outcome(outcome) is not Status.SUCCESS:
            self._failures += 1
        return outcome


def clean_ae_title(text: str) -> str:
    """Return an AE title from the wire, fit for logs and tables: printable ASCII, no padding."""
    return _NOT_PRINTABLE.sub("?", text.strip(" \0"))[:16]


def _routing(receiver: Receiver) -> ReceiverRouting:
    routing = receiver.routing
    return ReceiverRouting(
        project=tuple(routing.project), subject=tuple(routing.subject), session=tuple(routing.session)
    )
