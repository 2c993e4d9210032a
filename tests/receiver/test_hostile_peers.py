from __future__ import annotations

import os
import socket
import struct
import time

import pytest
from receiving import (
    ABORT,
    ASSOCIATE_AC,
    ASSOCIATE_RJ,
    NotingIntake,
    RawClient,
    Running,
    associate_rq,
    c_store_rq,
    p_data,
    running_server,
)

from config.settings import Limits
from prearchive.incoming import FailureReason, Outcome, OutcomeKind


def assert_still_serving(running: Running) -> None:
    with RawClient(running.port) as client:
        assert client.associate()[0] == ASSOCIATE_AC
        assert client.store(b"fine") == 0
        client.release()


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: pacs\r\n\r\n", "not-dicom"),
        (bytes(1000), "not-dicom"),
        (b"\1\0\0\0\0\4abcd", "invalid-pdu"),
        (b"\5\0\0\0\0\4\0\0\0\0", None),
        (p_data(1, 3, c_store_rq()), "pdu-too-long"),
        (associate_rq(calling="X").replace(b"X" + b" " * 15, b"\x1b[31mevil" + b" " * 7), "invalid-pdu"),
        (associate_rq(calling="X").replace(b"X" + b" " * 15, b" " * 16), "invalid-pdu"),
    ],
)
def test_garbage_ends_its_own_connection_only(garbage: bytes, reason: str | None) -> None:
    with running_server() as running:
        with RawClient(running.port) as client:
            client.send(garbage)
            assert client.read_pdu()[0] in (ABORT, 0)
        running.wait_until_over()
        refused = [entry["reason"] for entry in running.events("association_refused")]
        assert refused == ([reason] if reason else [])
        assert "\x1b" not in str(running.logged)
        assert_still_serving(running)


def test_random_bytes_in_an_association_end_it_and_nothing_reaches_intake() -> None:
    with running_server() as running:
        for _ in range(5):
            with RawClient(running.port) as client:
                client.associate()
                client.send(os.urandom(400))
                client.socket.shutdown(socket.SHUT_WR)
                assert client.read_pdu()[0] in (ABORT, 0)
        running.wait_until_over()
        assert running.intake.incoming == []
        assert_still_serving(running)


def test_ae_titles_padded_with_nul_are_read() -> None:
    request = associate_rq().replace(b"XNAT" + b" " * 12, b"XNAT" + bytes(12))
    with running_server() as running, RawClient(running.port) as client:
        client.send(request)
        assert client.read_pdu()[0] == ASSOCIATE_AC
        assert running.intake.started[0].called_ae_title == "XNAT"


@pytest.mark.parametrize("pdu_type", [1, 2, 5, 7])
def test_a_pdu_that_claims_to_be_huge_is_refused_before_it_is_read(pdu_type: int) -> None:
    with running_server() as running:
        with RawClient(running.port) as client:
            client.send(struct.pack(">BxI", pdu_type, 0xFFFFFFFF))
            assert client.read_pdu()[0] in (ABORT, 0)
        running.wait_until_over()
        assert running.events("association_refused")[0]["reason"] == "pdu-too-long"


def test_data_in_a_pdu_longer_than_the_limit_aborts_the_association() -> None:
    with running_server(limits=Limits(max_pdu_bytes=20000)) as running:
        with RawClient(running.port) as client:
            client.associate()
            client.send(p_data(1, 3, c_store_rq()) + struct.pack(">BxI", 4, 20001))
            assert client.read_pdu()[0] == ABORT
        running.wait_until_over()
        assert running.events("association_aborted")[0]["reason"] == "pdu-too-long"


@pytest.mark.parametrize(
    "violation",
    [
        p_data(1, 2, b"data set without a command"),
        p_data(5, 3, c_store_rq()) + p_data(5, 2, b"context that was never accepted"),
        p_data(1, 3, b"\0\0\0\1"),
        b"\4\0\0\0\0\7" + struct.pack(">IBB", 4000, 1, 3) + b"x",
    ],
)
def test_a_violation_of_the_protocol_aborts_the_association(violation: bytes) -> None:
    with running_server() as running:
        with RawClient(running.port) as client:
            client.associate()
            client.send(violation)
            assert client.read_pdu()[0] == ABORT
        running.wait_until_over()
        assert running.events("association_aborted")[0]["reason"] == "protocol-error"
        assert running.intake.incoming == []
        assert running.intake.ended == running.intake.started


def test_a_second_association_request_aborts_the_association() -> None:
    with running_server() as running:
        with RawClient(running.port) as client:
            client.associate()
            client.send(associate_rq())
            assert client.read_pdu()[0] == ABORT
        running.wait_until_over()
        assert_still_serving(running)


def test_an_object_beyond_the_limit_is_refused_without_keeping_it_and_the_next_is_taken() -> None:
    intake = NotingIntake()
    intake.decide = lambda incoming: (
        Outcome(OutcomeKind.FAILED, incoming.given_up) if incoming.given_up else Outcome(OutcomeKind.STORED)
    )
    with running_server(intake=intake, limits=Limits(max_object_bytes=10000)) as running:
        with RawClient(running.port) as client:
            client.associate()
            assert client.store(bytes(10001)) == 0xC002
            assert client.store(bytes(10000)) == 0
        assert [incoming.given_up for incoming in intake.incoming] == [FailureReason.TOO_LARGE, None]
        assert bytes(intake.incoming[0].encoded_dataset) == b""


def test_an_object_without_end_aborts_the_association() -> None:
    with running_server(limits=Limits(max_object_bytes=10000)) as running, RawClient(running.port) as client:
        client.associate()
        client.send(p_data(1, 3, c_store_rq()) + p_data(1, 0, bytes(10001)) * 2)
        assert client.read_pdu()[0] == ABORT


def test_one_address_gets_its_share_of_associations_and_others_still_come_in() -> None:
    with running_server(limits=Limits(max_associations=3, associations_per_address=2)) as running:
        clients = [RawClient(running.port) for _ in range(3)]
        answers = [client.associate() for client in clients]
        assert [answer[0] for answer in answers] == [ASSOCIATE_AC, ASSOCIATE_AC, ASSOCIATE_RJ]
        assert answers[2][1] == b"\0\2\3\2"
        neighbour, third = RawClient(running.port, "127.0.0.2"), RawClient(running.port, "127.0.0.3")
        assert neighbour.associate()[0] == ASSOCIATE_AC
        assert third.associate() == (ASSOCIATE_RJ, b"\0\2\3\2")
        clients[0].release()
        running.intake.wait_for(lambda intake: len(intake.ended) == 1)
        with RawClient(running.port) as again:
            assert again.associate()[0] == ASSOCIATE_AC
        for client in (*clients, neighbour, third):
            client.socket.close()


def test_silent_connections_of_one_address_do_not_lock_out_another() -> None:
    with running_server(limits=Limits(max_associations=4, associations_per_address=2)) as running:
        silent = [RawClient(running.port) for _ in range(30)]
        closed = [client for client in silent[-10:] if client.read_pdu()[0] == 0]
        assert len(closed) == 10
        with RawClient(running.port, "127.0.0.2") as neighbour:
            assert neighbour.associate()[0] == ASSOCIATE_AC
        reasons = [entry["reason"] for entry in running.events("association_refused")]
        assert "too-many-connections" in reasons
        for client in silent:
            client.socket.close()
        running.wait_until_over()
        assert_still_serving(running)


def test_an_idle_association_is_aborted() -> None:
    with running_server(limits=Limits(idle_seconds=1)) as running:
        with RawClient(running.port) as client:
            client.associate()
            assert client.read_pdu()[0] == ABORT
        running.wait_until_over()
        assert running.events("association_aborted")[0]["reason"] == "idle"


def test_a_connection_that_never_asks_for_an_association_is_closed() -> None:
    with running_server(limits=Limits(idle_seconds=1)) as running:
        with RawClient(running.port) as silent, RawClient(running.port) as halfway:
            halfway.send(associate_rq()[:20])
            assert silent.read_pdu()[0] == 0
            assert halfway.read_pdu()[0] == 0
        running.wait_until_over()


def test_a_pdu_that_drips_in_is_not_waited_for() -> None:
    with running_server(limits=Limits(idle_seconds=1)) as running:
        with RawClient(running.port) as client:
            client.associate()
            client.send(p_data(1, 3, c_store_rq())[:-1])
            begun = time.monotonic()
            assert client.read_pdu()[0] in (ABORT, 0)
            assert time.monotonic() - begun < 5
        running.wait_until_over()
        assert running.events("association_aborted")[0]["reason"] == "too-slow"


def test_a_sender_that_disappears_in_the_middle_leaves_nothing() -> None:
    with running_server() as running:
        with RawClient(running.port) as client:
            client.associate()
            client.send(p_data(1, 3, c_store_rq()) + p_data(1, 0, b"half"))
        running.wait_until_over()
        assert running.intake.incoming == []
        assert running.events("association_aborted")[0]["reason"] == "connection-lost"


def test_an_abort_of_the_peer_is_logged_as_such() -> None:
    with running_server() as running:
        with RawClient(running.port) as client:
            client.associate()
            client.send(b"\7\0\0\0\0\4\0\0\0\0")
            assert client.read_pdu()[0] == 0
        running.wait_until_over()
        assert running.events("association_aborted")[0]["reason"] == "by-peer"


def test_a_port_scan_is_not_worth_a_line() -> None:
    with running_server() as running:
        RawClient(running.port).socket.close()
        running.wait_until_over()
        assert [entry["event"] for entry in running.logged] == ["server_started"]
