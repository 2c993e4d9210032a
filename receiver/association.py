"""An accepted association: pynetdicom's negotiation and state machine, with a P-DATA loop of our own.

Overridden are three small parts of pynetdicom 3.0:

- `ACSE`: who may come in, and with which presentation contexts, is decided here;
- `DULServiceProvider`: while the association is established, P-DATA-TF PDUs are read, served and answered in
  one loop, without queues between threads and without polling; every other PDU goes the way of the library;
- `Association`: its thread waits for what the provider reports instead of waking up every millisecond.
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Any, cast

import structlog
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.acse import ACSE
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu import _PDUType
from pynetdicom.pdu_primitives import A_ABORT, A_ASSOCIATE, A_P_ABORT, A_RELEASE

from config.settings import Limits
from receiver.contexts import narrow
from receiver.errors import ProtocolViolationError
from receiver.handlers import CONNECTION_LOST, Conversation, Reception
from receiver.messages import P_DATA, Message, MessageCollector, command_pdus
from receiver.transport import ReadAheadSocket

if TYPE_CHECKING:
    from receiver.listener import Listener

MAX_ASSOCIATE_PDU_BYTES = 1024 * 1024  # 128 presentation contexts with 32 transfer syntaxes each have 280 KiB
_ASSOCIATE_RQ = 0x01
_PDU_TYPES = frozenset(range(0x01, 0x08))
_NEGOTIATION_PDUS = frozenset({_ASSOCIATE_RQ, 0x02})
MAX_OTHER_PDU_BYTES = 64  # release and abort have 4
_HEADER = struct.Struct(">BxI")
_AE_TITLES = slice(10, 42)  # called and calling AE title in A-ASSOCIATE-RQ, PS3.8 table 9-11
_WAIT_SECONDS = 0.25  # how soon a stop of the server is seen
_LULL_SECONDS = 1.0  # so long without a message, and a sender is taken to be waiting when the server stops
_AWAITING_REQUEST = "Sta2"  # states of PS3.8 section 9.2
_DECIDING = "Sta3"
_ESTABLISHED = "Sta6"
_AWAITING_CLOSE = "Sta13"
_INVALID_PDU = "Evt19"
_CONNECTION_CLOSED = "Evt17"
_ARTIM_EXPIRED = "Evt18"

log = structlog.get_logger(__name__)


class Gate(ACSE):
    """Association control: lets in whom `Conversation.admit` lets in."""

    def negotiate_association(self) -> None:
        """Refuse the association, or negotiate it."""
        association = cast(AcceptedAssociation, self.assoc)
        request = cast(A_ASSOCIATE, self.requestor.primitive)
        refusal = association.conversation.admit(request.calling_ae_title, request.called_ae_title)
        if refusal is not None:
            self.send_reject(*refusal.value)
            association.kill()
            return
        cast(Provider, self.dul).apply(association.conversation.limits)
        self.acceptor.maximum_length = association.conversation.max_pdu_bytes
        self.acceptor.supported_contexts = narrow(request.presentation_context_definition_list)
        super().negotiate_association()


class Provider(DULServiceProvider):
    """The upper layer of one association; its thread reads the socket, and serves objects."""

    def __init__(self, association: AcceptedAssociation, reception: Reception) -> None:
        super().__init__(association)
        self._association = association
        self._reception = reception
        self._idle_seconds = reception.idle_seconds
        self.apply(reception.settings.limits)
        self._active_at = time.monotonic()

    def apply(self, limits: Limits) -> None:
        """Set the limits for the association that begins."""
        self._max_pdu_bytes = limits.max_pdu_bytes
        self._collector = MessageCollector(limits.max_object_bytes)

    @property
    def connection(self) -> ReadAheadSocket:
        """The socket."""
        return cast(ReadAheadSocket, self.socket)

    def run_reactor(self) -> None:
        """Run until the connection is closed; the association's thread hears of the end at once."""
        try:
            super().run_reactor()
        except Exception as error:
            # An event that the state machine has no action for. The error text may quote the peer.
            log.warning("association_broken", error=type(error).__name__)
            self._association.end_because("protocol-error")
        finally:
            self.connection.close()
            self._wake_association()

    def _is_transport_event(self) -> bool:
        state = self.state_machine.current_state
        if self.event_queue.queue or state == _DECIDING:
            return False  # first things first; what a sender in a hurry sent after its request can wait
        if state == _ESTABLISHED:
            return self._serve()
        if state == _AWAITING_CLOSE:
            self.connection.drain_and_close()
            return True
        if state == _AWAITING_REQUEST and not self.connection.wait(_WAIT_SECONDS):
            if self._reception.stopping.is_set():
                self.event_queue.put(_ARTIM_EXPIRED)
            return False
        self._active_at = time.monotonic()
        return super()._is_transport_event()

    def _decode_pdu(self, bytestream: bytearray) -> tuple[_PDUType, str]:
        if bytestream[0] == _ASSOCIATE_RQ:
            # Some senders pad AE titles with NUL, which pynetdicom takes for a broken PDU.
            bytestream[_AE_TITLES] = bytestream[_AE_TITLES].replace(b"\0", b" ")
        try:
            return super()._decode_pdu(bytestream)
        except Exception:  # of many kinds; pynetdicom makes an invalid PDU of each
            self._association.end_because("invalid-pdu")
            raise

    def _read_pdu_data(self) -> None:
        """Read a PDU as pynetdicom does, but not one that claims to be longer than it may be."""
        try:
            pdu_type, length = self._begin_pdu()
        except OSError as error:
            self._lose_connection(error)
            return
        if pdu_type not in _PDU_TYPES:
            self._refuse_pdu("not-dicom")
        elif length > (MAX_ASSOCIATE_PDU_BYTES if pdu_type in _NEGOTIATION_PDUS else MAX_OTHER_PDU_BYTES):
            self._refuse_pdu("pdu-too-long")
        else:
            super()._read_pdu_data()

    def _serve(self) -> bool:
        """Read and serve P-DATA-TF until there is something else to do."""
        while not (self.to_provider_queue.queue or self.event_queue.queue or self._kill_thread):
            if not self.connection.wait(_WAIT_SECONDS):
                self._check_patience()
                return False
            try:
                pdu_type, length = self._begin_pdu()
                if pdu_type != P_DATA:
                    self._read_pdu_data()
                    return True
                if length > self._max_pdu_bytes:
                    self._refuse_pdu("pdu-too-long")
                    return True
                self._read_and_answer(length)
            except ProtocolViolationError:
                self._refuse_pdu("protocol-error")
                return True
            except OSError as error:
                self._lose_connection(error)
                return True
            except Exception:  # out of memory, or a mistake of ours: pynetdicom aborts the association
                self._association.end_because("internal")
                raise
            self._active_at = time.monotonic()
            if self._reception.draining.is_set() and self._collector.is_idle:
                self._abort("shutting-down")
        return False

    def _begin_pdu(self) -> tuple[int, int]:
        """Return type and length of the next PDU, which has to arrive in time from now on."""
        self.connection.set_deadline(self._idle_seconds)
        pdu_type, length = _HEADER.unpack(self.connection.peek(_HEADER.size))
        if pdu_type == P_DATA and self.state_machine.current_state == _ESTABLISHED:
            self.connection.take_exactly(_HEADER.size)
        return pdu_type, length

    def _read_and_answer(self, length: int) -> None:
        """Read the rest of a P-DATA-TF PDU. A function, so that no object is kept."""
        for message in self._collector.read_pdu(self.connection, length):
            self._answer(message)

    def _answer(self, message: Message) -> None:
        context = self._association._accepted_cx.get(message.context_id)
        if context is None:
            raise ProtocolViolationError("presentation context not accepted")
        response = self._association.conversation.answer(
            message, str(context.abstract_syntax), str(context.transfer_syntax[0])
        )
        if response is not None:
            longest = self._association.requestor.maximum_length or 0
            self.connection.send(command_pdus(message.context_id, response, longest))

    def _check_patience(self) -> None:
        silent_seconds = time.monotonic() - self._active_at
        is_ending = self._reception.draining.is_set() or (
            self._reception.stopping.is_set() and silent_seconds > _LULL_SECONDS
        )
        if is_ending and self._collector.is_idle:
            self._abort("shutting-down")
        elif silent_seconds > self._idle_seconds:
            self._abort("idle")

    def _abort(self, reason: str) -> None:
        self._association.end_because(reason)
        self._association.acse.send_abort(0x00)
        self._wake_association()

    def _refuse_pdu(self, reason: str) -> None:
        """Let the state machine abort the association."""
        self._association.end_because(reason)
        self.event_queue.put(_INVALID_PDU)

    def _lose_connection(self, error: OSError) -> None:
        self._association.end_because("too-slow" if isinstance(error, TimeoutError) else CONNECTION_LOST)
        self.event_queue.put(_CONNECTION_CLOSED)

    def _wake_association(self) -> None:
        cast(Any, self.to_user_queue).put(None)  # for which `receive_pdu` returns None: nothing came


class AcceptedAssociation(Association):
    """An association with a sender."""

    def __init__(self, entity: ApplicationEntity, listener: Listener, reception: Reception) -> None:
        super().__init__(entity, MODE_ACCEPTOR)
        self.reception = reception
        self._server = listener
        self.name = f"AcceptorThread@{id(self):x}"  # pynetdicom finds its acceptors by this name
        self.acse = Gate(self)
        self.dul = Provider(self, reception)
        # Setting these also sets the timers of the new provider.
        self.network_timeout = reception.idle_seconds
        self.acse_timeout = reception.acse_seconds
        self._peer = ""
        self._reason: str | None = None

    def begin(self, peer: str) -> None:
        """Say who the peer is; before the thread starts."""
        self._peer = peer
        self.conversation = Conversation(self.reception, peer)

    def end_because(self, reason: str) -> None:
        """Note why the association is aborted; the first reason counts."""
        self._reason = self._reason or reason

    def hang_up(self) -> None:
        """Close the connection at once, from another thread."""
        cast(ReadAheadSocket, self.dul.socket).hang_up()

    def run_reactor(self) -> None:
        """Run the association from the request to its end."""
        self.reception.associations.add(self)
        try:
            super().run_reactor()
        except Exception as error:
            log.error("association_broken", error=type(error).__name__)
            self.end_because("internal")
            self.acse.send_abort(0x02)
        finally:
            if self.dul.is_alive():
                self.kill()
            self.conversation.close(is_released=self.is_released, reason=self._reason)
            self.reception.leave_connection(self._peer)
            cast(ReadAheadSocket, self.dul.socket).release()
            self.reception.associations.remove(self)

    def _run_reactor(self) -> None:
        """Wait for the end of the established association; objects are served by the provider meanwhile."""
        while not self._kill:
            primitive = self.dul.receive_pdu(wait=True, timeout=_WAIT_SECONDS)
            if isinstance(primitive, A_RELEASE) and primitive.result is None:
                self.acse.send_release(is_response=True)
                self.is_released = True
            elif isinstance(primitive, A_ABORT | A_P_ABORT):
                self.end_because("by-peer" if isinstance(primitive, A_ABORT) else CONNECTION_LOST)
                self.is_aborted = True
            if self.is_released or self.is_aborted or not self.dul.is_alive():
                self.kill()
