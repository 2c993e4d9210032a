"""A running receiver with an intake that only takes notes, and a client that speaks raw PDUs."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import build_context
from structlog.testing import capture_logs

from config.settings import Limits, Receiver, Settings
from prearchive.incoming import IncomingInstance, Outcome, OutcomeKind, Sender
from receiver.scp import Server

CT = "1.2.840.10008.5.1.4.1.1.2"
VERIFICATION = "1.2.840.10008.1.1"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
INSTANCE_UID = "1.2.3.4.5"
STORED = Outcome(OutcomeKind.STORED)
ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RP, ABORT = 2, 3, 4, 6, 7


class NotingIntake:
    """Remembers what it was given and answers with `outcome`, or what `decide` returns."""

    def __init__(self) -> None:
        self.outcome = STORED
        self.decide: Callable[[IncomingInstance], Outcome] | None = None
        self.incoming: list[IncomingInstance] = []
        self.started: list[Sender] = []
        self.ended: list[Sender] = []
        self.refuse_with: Exception | None = None
        self._changed = threading.Condition()

    def association_started(self, sender: Sender) -> None:
        if self.refuse_with is not None:
            raise self.refuse_with
        with self._changed:
            self.started.append(sender)
            self._changed.notify_all()

    def accept(self, incoming: IncomingInstance) -> Outcome:
        with self._changed:
            self.incoming.append(incoming)
            self._changed.notify_all()
        return self.decide(incoming) if self.decide else self.outcome

    def association_ended(self, sender: Sender) -> None:
        with self._changed:
            self.ended.append(sender)
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[NotingIntake], bool], seconds: float = 10.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), seconds)


class Running:
    """A running server: its port, its intake, and what it logged."""

    def __init__(self, server: Server, intake: NotingIntake, logged: list[Any]) -> None:
        self.server = server
        self.intake = intake
        self.logged = logged
        self.settings = server._settings

    @property
    def port(self) -> int:
        return self.server.addresses[0].port

    def events(self, name: str) -> list[Any]:
        return [entry for entry in self.logged if entry["event"] == name]

    def wait_for_events(self, name: str, count: int) -> list[Any]:
        """Wait until so many are logged."""
        self.wait_for(lambda: len(self.events(name)) >= count)
        return self.events(name)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.005)

    def wait_until_over(self) -> None:
        """Wait until the last association is over, so that everything about it is logged."""
        assert self.server._associations.wait_until_none(10)


@contextmanager
def running_server(
    *receivers: Receiver, limits: Limits | None = None, intake: NotingIntake | None = None, **options: Any
) -> Iterator[Running]:
    """Start a server on a free port; XNAT is its only receiver unless others are given."""
    settings = Settings(
        folder=Path("/nonexistent"),
        receivers=list(receivers) or [Receiver(port=0)],
        limits=limits or Limits(),
    )
    door = intake or NotingIntake()
    server = Server(settings, door, **options)
    with capture_logs() as logged:
        try:
            server.start()
            yield Running(server, door, logged)
        finally:
            server.stop(grace_seconds=0, drain_seconds=5)


class RawClient:
    """A sender that can do everything wrong."""

    def __init__(self, port: int, source: str = "127.0.0.1", context: Any = None) -> None:
        connection = socket.create_connection(("127.0.0.1", port), 10, (source, 0))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(connection, server_hostname="localhost") if context else connection

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def associate(
        self,
        called: str = "XNAT",
        calling: str = "SCANNER1",
        contexts: list[tuple[str, list[str]]] | None = None,
        max_length: int = 16384,
    ) -> tuple[int, bytes]:
        """Request an association; return type and body of the answer. Context IDs are 1, 3, 5 ..."""
        self.socket.sendall(associate_rq(called, calling, contexts, max_length))
        return self.read_pdu()

    def read_pdu(self) -> tuple[int, bytes]:
        """Return type and body of the next PDU; (0, b"") when the connection is closed.

        After a PDU that ends the association the connection is closed, as PS3.8 wants it.
        """
        header = self._read(6)
        if len(header) < 6:
            return 0, b""
        pdu_type, length = struct.unpack(">BxI", header)
        body = self._read(length)
        if pdu_type in (ASSOCIATE_RJ, RELEASE_RP, ABORT):
            self.socket.close()
        return pdu_type, body

    def send(self, encoded: bytes) -> None:
        self.socket.sendall(encoded)

    def store(self, encoded_dataset: bytes, context_id: int = 1, sop_instance_uid: str = INSTANCE_UID) -> int:
        """Send C-STORE; return the status of the response."""
        self.send(
            p_data(context_id, 3, c_store_rq(sop_instance_uid)) + p_data(context_id, 2, encoded_dataset)
        )
        return status_of(self.read_pdu())

    def release(self) -> int:
        self.send(b"\x05\0\0\0\0\4\0\0\0\0")
        return self.read_pdu()[0]

    def _read(self, count: int) -> bytes:
        received = b""
        while len(received) < count:
            try:
                piece = self.socket.recv(count - len(received))
            except ConnectionResetError:
                break
            if not piece:
                break
            received += piece
        return received


def associate_rq(
    called: str = "XNAT",
    calling: str = "SCANNER1",
    contexts: list[tuple[str, list[str]]] | None = None,
    max_length: int = 16384,
) -> bytes:
    """An encoded A-ASSOCIATE-RQ."""
    request = A_ASSOCIATE()
    request.application_context_name = "1.2.840.10008.3.1.1.1"
    request.called_ae_title = called
    request.calling_ae_title = calling
    proposed = []
    for number, (abstract, syntaxes) in enumerate(contexts or [(CT, [EXPLICIT]), (VERIFICATION, [IMPLICIT])]):
        context = build_context(abstract, syntaxes)
        context.context_id = 2 * number + 1
        proposed.append(context)
    request.presentation_context_definition_list = proposed
    length = MaximumLengthNotification()
    length.maximum_length_received = max_length
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = "1.2.3.4"
    request.user_information = [length, implementation]
    return A_ASSOCIATE_RQ(request).encode()


def p_data(context_id: int, control: int, fragment: bytes) -> bytes:
    """A P-DATA-TF PDU with one presentation data value."""
    pdv = struct.pack(">IBB", len(fragment) + 2, context_id, control) + fragment
    return struct.pack(">BxI", P_DATA, len(pdv)) + pdv


def command(*elements: tuple[int, bytes]) -> bytes:
    """An encoded command set."""
    return b"".join(struct.pack("<HHI", 0, tag, len(value)) + value for tag, value in elements)


def number(value: int) -> bytes:
    return struct.pack("<H", value)


def c_store_rq(sop_instance_uid: str = INSTANCE_UID, *, data_set_type: int = 0) -> bytes:
    uid = sop_instance_uid.encode()
    return command(
        (0x0002, CT.encode() + b"\0"),
        (0x0100, number(1)),
        (0x0110, number(7)),
        (0x0700, number(0)),
        (0x0800, number(data_set_type)),
        (0x1000, uid + b"\0" * (len(uid) % 2)),
    )


def elements_of(pdu: tuple[int, bytes]) -> dict[int, bytes]:
    """The elements of the command set in a P-DATA-TF PDU."""
    pdu_type, body = pdu
    assert pdu_type == P_DATA, pdu
    encoded, position, found = body[6:], 0, {}
    while position < len(encoded):
        _, tag, length = struct.unpack_from("<HHI", encoded, position)
        found[tag] = encoded[position + 8 : position + 8 + length]
        position += 8 + length
    return found


def status_of(pdu: tuple[int, bytes]) -> int:
    return int.from_bytes(elements_of(pdu)[0x0900], "little")
