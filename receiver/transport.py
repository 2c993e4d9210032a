"""The socket of an association.

Of pynetdicom's `AssociationSocket` is overridden what a receiver on an open network cannot live with: reads
that wait for ever, reads of 4 KiB, and `select`, which fails beyond descriptor 1023.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from typing import TYPE_CHECKING

from pynetdicom.transport import AssociationSocket

if TYPE_CHECKING:
    from receiver.association import AcceptedAssociation

BUFFER_BYTES = 256 * 1024
_DRAIN_SECONDS = 1.0
_DRAIN_BYTES = 8 * 1024 * 1024


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
