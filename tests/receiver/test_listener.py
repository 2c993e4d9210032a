from __future__ import annotations

import errno
import gc
import time
import weakref

import pytest
from receiving import ABORT, ASSOCIATE_AC, STORED, NotingIntake, RawClient, c_store_rq, p_data, running_server

from prearchive.incoming import IncomingInstance, Outcome
from receiver import listener as listening


def test_running_out_of_descriptors_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server() as running:
        [listener] = running.server._listeners
        real, failures = listener.socket, [errno.EMFILE, errno.ECONNABORTED]

        class Failing:
            def accept(self) -> object:
                if failures:
                    raise OSError(failures.pop(0), "no")
                return real.accept()

            def __getattr__(self, name: str) -> object:
                return getattr(real, name)

        monkeypatch.setattr(listener, "socket", Failing())
        with RawClient(running.port) as client:
            assert client.associate()[0] == ASSOCIATE_AC
        assert failures == []
        monkeypatch.undo()


def test_finished_associations_are_collected_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[float] = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(time.monotonic()))
    monkeypatch.setattr(listening, "_COLLECT_SECONDS", -1.0)
    with running_server() as running:
        with RawClient(running.port) as client:
            client.associate()
            client.release()
        running.wait_until_over()
        running.wait_for(lambda: bool(collected))
        [listener] = running.server._listeners
        listener.service_actions()
        assert len(collected) == 1


def test_a_connection_for_which_no_association_can_be_made_gives_its_place_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with running_server() as running:
        with monkeypatch.context() as patch:
            patch.setattr(listening.ConnectionHandler, "handle", fail)
            with RawClient(running.port) as client:
                assert client.read_pdu()[0] == 0
        assert running.server._admission._connections.total() == 0
        assert running.events("association_refused")[0]["reason"] == "connection-failed"
        with RawClient(running.port) as client:
            assert client.associate()[0] == ASSOCIATE_AC


def test_an_association_whose_negotiation_breaks_is_closed_and_gives_its_place_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    with running_server() as running:
        with monkeypatch.context() as patch:
            patch.setattr("receiver.association.narrow", fail)
            with RawClient(running.port) as client:
                assert client.associate()[0] == ABORT
            running.wait_until_over()
        assert running.server._admission._associations.total() == 0
        assert running.intake.ended == running.intake.started
        assert running.events("association_aborted")[0]["reason"] == "internal"
        assert "secret" not in str(running.logged)


def test_running_out_of_memory_aborts_the_association_and_the_server_lives_on(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    with running_server() as running:
        with monkeypatch.context() as patch, RawClient(running.port) as client:
            client.associate()
            patch.setattr("receiver.association.MessageCollector.read_pdu", fail)
            client.send(p_data(1, 3, c_store_rq()))
            assert client.read_pdu()[0] == ABORT
            running.wait_until_over()
        assert running.events("association_aborted")[0]["reason"] == "internal"
        with RawClient(running.port) as client:
            client.associate()
            assert client.store(b"x") == 0
    assert capfd.readouterr().err == ""


def test_no_object_is_kept_once_it_is_answered() -> None:
    intake = NotingIntake()
    kept: list[weakref.ref[object]] = []

    class Noted(bytearray):
        """A bytearray that can be referred to weakly."""

    def note(incoming: IncomingInstance) -> Outcome:
        intake.incoming.clear()
        kept.append(weakref.ref(incoming.encoded_dataset))
        return STORED

    intake.decide = note
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("receiver.messages.bytearray", Noted, raising=False)
        with running_server(intake=intake) as running, RawClient(running.port) as client:
            client.associate()
            assert client.store(b"x") == 0
            running.wait_for(lambda: kept[0]() is None)


def test_an_event_that_pynetdicoms_state_machine_does_not_know_ends_the_association_quietly(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with running_server() as running, RawClient(running.port) as client:
        client.associate()
        running.server._associations.running()[0].dul.event_queue.put("Evt7")
        assert client.read_pdu()[0] == 0
        running.wait_until_over()
        assert running.events("association_aborted")[0]["reason"] == "protocol-error"
    assert capfd.readouterr().err == ""
