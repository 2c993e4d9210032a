from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from receiver.transport import BUFFER_BYTES, ConnectionLostError, ReadAheadSocket, acknowledge_at_once


@pytest.fixture
def ends() -> Iterator[tuple[ReadAheadSocket, socket.socket]]:
    """The socket of an association, and the peer's end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname())
        connection, _ = listener.accept()
    association = SimpleNamespace(dul=SimpleNamespace(event_queue=queue.Queue()))
    ours = ReadAheadSocket(cast(Any, association), connection, 5.0)
    yield ours, peer
    peer.close()
    ours.close()


def test_peeked_bytes_stay_and_taken_bytes_go(ends: tuple[ReadAheadSocket, socket.socket]) -> None:
    ours, peer = ends
    peer.sendall(b"abcdef")
    assert bytes(ours.peek(2)) == b"ab"
    assert bytes(ours.take_exactly(3)) == b"abc"
    assert bytes(ours.take(2)) == b"de"
    assert ours.ready
    assert bytes(ours.take(99)) == b"f"
    assert not ours.ready


def test_what_spans_the_end_of_the_buffer_is_read_whole(
    ends: tuple[ReadAheadSocket, socket.socket],
) -> None:
    ours, peer = ends
    sent = bytes(range(251)) * (7 * (2 * BUFFER_BYTES // (7 * 251) + 1))
    sending = threading.Thread(target=peer.sendall, args=(sent,))
    sending.start()
    received = b"".join(bytes(ours.take_exactly(7)) for _ in range(len(sent) // 7))
    sending.join()
    assert received == sent


def test_a_closed_connection_is_an_error_and_a_short_read_for_pynetdicom(
    ends: tuple[ReadAheadSocket, socket.socket],
) -> None:
    ours, peer = ends
    peer.sendall(b"abc")
    peer.close()
    assert ours.recv(10) == b"abc"
    with pytest.raises(ConnectionLostError):
        ours.peek(1)
    ours.close()
    assert not ours.ready
    with pytest.raises(ConnectionLostError):
        ours.take(1)


def test_a_read_beyond_its_deadline_times_out(ends: tuple[ReadAheadSocket, socket.socket]) -> None:
    ours, peer = ends
    ours.set_deadline(-1)
    peer.sendall(b"abc")
    with pytest.raises(TimeoutError):
        ours.peek(1)


def test_draining_ends_when_the_peer_has_closed(ends: tuple[ReadAheadSocket, socket.socket]) -> None:
    ours, peer = ends
    peer.sendall(b"late")
    peer.shutdown(socket.SHUT_WR)
    ours.drain_and_close()
    assert ours.socket is None
    assert ours.event_queue.queue[-1] == "Evt17"


def test_hanging_up_and_acknowledging_do_no_harm_when_the_connection_is_gone(
    ends: tuple[ReadAheadSocket, socket.socket],
) -> None:
    ours, peer = ends
    connection = ours.socket
    assert connection is not None
    peer.close()
    connection.close()
    ours.hang_up()
    acknowledge_at_once(connection)
    ours.close()
    ours.hang_up()
