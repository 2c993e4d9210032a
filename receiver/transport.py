"""The sockets: an association's own, which reads ahead, and the listener that accepts connections.

pynetdicom's `AssociationSocket` and `AssociationServer` are kept; overridden is what a receiver on an open
network cannot live with: reads that wait for ever, 4 KiB at a time; `select`, which fails beyond descriptor
1023; a TLS handshake in the accepting thread, where one silent peer would lock out everybody else.
"""

from __future__ import annotations

import errno
import gc
import select
import socket
import ssl
import time
from socketserver import BaseServer
from typing import TYPE_CHECKING, Any, cast

import structlog
from pynetdicom.ae import ApplicationEntity
from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

from receiver.allow import plain_address

if TYPE_CHECKING:
    from receiver.association import AcceptedAssociation
    from receiver.handlers import Reception

BUFFER_BYTES = 256 * 1024
BACKLOG = 128
_COLLECT_SECONDS = 60.0
_DRAIN_SECONDS = 1.0
_DRAIN_BYTES = 8 * 1024 * 1024
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)

log = structlog.get_logger(__name__)


class ConnectionLostError(OSError):
    """The peer closed the connection."""


class ReadAheadSocket(AssociationSocket):
    """An association's socket with a buffer, a deadline, and acknowledgements without delay.

    One thread reads. Views that are handed out are valid until the next read.
    """

    def __init__(self, association: AcceptedAssociation, connection: socket.socket, patience: float) -> None:
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._start = 0
        self._end = 0
        self._deadline = float("inf")
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        connection.settimeout(patience)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(association, client_socket=connection)

    @property
    def ready(self) -> bool:
        """Whether there is something to read, or the connection is closed."""
        return self.wait(0)

    def wait(self, seconds: float) -> bool:
        """Wait until there is something to read, or the connection is closed; False when nothing happened."""
        if self._start < self._end:
            return True
        connection = self.socket
        if connection is None:
            return False
        # TLS has records of its own that poll knows nothing about.
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            return True
        if seconds:
            acknowledge_at_once(connection)
        return bool(self._poll.poll(seconds * 1000))

    def set_deadline(self, seconds: float) -> None:
        """Until when the PDU that begins now has to be there: a byte a minute is no PDU."""
        self._deadline = time.monotonic() + seconds

    def peek(self, count: int) -> memoryview:
        """Return the next `count` (few) bytes without taking them.

        Raises:
            OSError: connection lost, or too slow (`TimeoutError`).
        """
        while self._end - self._start < count:
            self._fill()
        return self._buffer[self._start : self._start + count]

    def take_exactly(self, count: int) -> memoryview:
        """Take `count` (few) bytes. Raises as `peek`."""
        taken = self.peek(count)
        self._start += count
        return taken

    def take(self, most: int) -> memoryview:
        """Take what is there, between 1 and `most` bytes. Raises as `peek`."""
        if self._start == self._end:
            self._fill()
        end = min(self._end, self._start + most)
        taken = self._buffer[self._start : end]
        self._start = end
        return taken

    def recv(self, nr_bytes: int) -> bytearray:
        """Read `nr_bytes`, for the PDUs that pynetdicom reads itself; fewer when the peer closed."""
        received = bytearray()
        try:
            while len(received) < nr_bytes:
                received += self.take(nr_bytes - len(received))
        except ConnectionLostError:
            pass
        return received

    def drain_and_close(self) -> None:
        """Close after the peer did, so that what was sent last arrives; but do not wait for long.

        Closing with unread bytes resets the connection, and a reset overtakes an A-ASSOCIATE-RJ or A-ABORT.
        """
        budget = _DRAIN_BYTES
        self.set_deadline(_DRAIN_SECONDS)
        try:
            while budget > 0 and self.wait(max(0.0, self._deadline - time.monotonic())):
                budget -= len(self.take(BUFFER_BYTES))
        except OSError:
            pass
        self.close()

    def release(self) -> None:
        """Give the buffer back; finished associations are only found by the garbage collector."""
        self._buffer = memoryview(b"")
        self._start = self._end = 0

    def hang_up(self) -> None:
        """Shut the connection down from another thread; the reading thread sees it closed."""
        connection = self.socket
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _fill(self) -> None:
        connection = self.socket
        if connection is None:
            raise ConnectionLostError
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end == len(self._buffer):
            rest = self._end - self._start
            self._buffer[:rest] = bytes(self._buffer[self._start : self._end])
            self._start, self._end = 0, rest
        acknowledge_at_once(connection)
        count = connection.recv_into(self._buffer[self._end :])
        if not count:
            raise ConnectionLostError
        self._end += count
        if time.monotonic() > self._deadline:
            raise TimeoutError


def acknowledge_at_once(connection: socket.socket) -> None:
    """Switch delayed acknowledgements off until the next read (Linux; the flag does not stick).

    A sender with Nagle's algorithm on, the default of DCMTK's tools, keeps back the rest of an object until
    the first part is acknowledged: 40 ms an object otherwise.
    """
    if hasattr(socket, "TCP_QUICKACK"):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError:
            pass  # closed meanwhile; the read says so


class ConnectionHandler(RequestHandler):
    """Makes the association for an accepted connection."""

    def _create_association(self) -> AcceptedAssociation:
        from receiver.association import AcceptedAssociation

        listener = cast(Listener, self.server)
        association = AcceptedAssociation(self.ae, listener, listener.reception)
        association.set_socket(ReadAheadSocket(association, self.request, listener.reception.idle_seconds))
        association.acceptor.ae_title = listener.ae_title
        association.acceptor.address_info = self.local
        association.acceptor.implementation_class_uid = self.ae.implementation_class_uid
        association.acceptor.implementation_version_name = self.ae.implementation_version_name
        association.requestor.address_info = self.remote
        association.begin(plain_address(self.client_address[0]))
        return association


class Listener(ThreadedAssociationServer):
    """Listens on one host and port, for all receivers that share it."""

    request_queue_size = BACKLOG
    daemon_threads = True

    def __init__(
        self,
        entity: ApplicationEntity,
        address: tuple[str, int],
        reception: Reception,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.reception = reception
        self.tls = tls
        self._collected_at = time.monotonic()
        self._has_garbage = False
        # The TLS context is not given to the base class, which would shake hands in the accepting thread.
        super().__init__(entity, address, entity.ae_title, [], request_handler=ConnectionHandler)

    def _bind_defaults(self) -> None:
        """Bind nothing: no handler of pynetdicom is used, and its own only log."""

    def server_bind(self) -> None:
        """Bind the socket; it never blocks, because several processes may accept from it."""
        super().server_bind()
        cast(socket.socket, self.socket).setblocking(False)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, without a TLS handshake."""
        try:
            return cast(socket.socket, self.socket).accept()
        except OSError as error:
            if error.errno in _OUT_OF_DESCRIPTORS:
                time.sleep(0.05)  # the connection stays queued: do not spin until a descriptor is free
            raise

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is a place for a connection from this address; otherwise it is closed."""
        peer = plain_address(client_address[0])
        if self.reception.enter_connection(peer):
            self._has_garbage = True
            return True
        log.warning("association_refused", peer=peer, reason="too-many-connections")
        return False

    def service_actions(self) -> None:
        """Collect finished associations, which refer to themselves, every minute; not more often."""
        if self._has_garbage and time.monotonic() - self._collected_at > _COLLECT_SECONDS:
            self._has_garbage = False
            self._collected_at = time.monotonic()
            gc.collect()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands where TLS is on, then start the association; in the connection's own thread."""
        try:
            if self.tls is not None:
                request.settimeout(self.reception.acse_seconds)
                request = self.tls.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
        except BaseException:
            self.reception.leave_connection(plain_address(client_address[0]))
            raise

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log that a connection came to nothing: a failed TLS handshake, or gone before it began."""
        log.info("association_refused", peer=plain_address(client_address[0]), reason="connection-failed")

    def shutdown(self) -> None:
        """Leave `serve_forever`; pynetdicom would look for this listener in a list of the entity."""
        BaseServer.shutdown(self)
