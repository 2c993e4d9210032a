from __future__ import annotations

import re
import socket
import threading
import time
from datetime import UTC, datetime

import pytest
from builders import make_dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE
from receiving import (
    ABORT,
    ASSOCIATE_AC,
    ASSOCIATE_RJ,
    CT,
    EXPLICIT,
    IMPLICIT,
    INSTANCE_UID,
    RELEASE_RP,
    VERIFICATION,
    NotingIntake,
    RawClient,
    associate_rq,
    c_store_rq,
    command,
    elements_of,
    number,
    p_data,
    running_server,
    status_of,
)

from config.settings import Limits, Receiver, Routing, Sessions, Settings
from prearchive.incoming import FailureReason, IncomingInstance, Outcome, OutcomeKind
from receiver.errors import CannotListenError
from receiver.scp import Server
from receiver.sender import _Answers


def test_an_object_reaches_intake_as_encoded_with_everything_known_about_it() -> None:
    receiver = Receiver(
        ae_title="MR1",
        port=0,
        anonymize=False,
        quiet_seconds=7,
        routing=Routing(project=["(0020,000E):(.*)"]),
    )
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with running_server(receiver, clock=lambda: moment) as running, RawClient(running.port) as client:
        client.associate("MR1", "SCANNER1")
        assert client.store(b"not even DICOM") == 0x0000
        assert client.release() == RELEASE_RP
        [incoming] = running.intake.incoming
        [sender] = running.intake.started
    assert bytes(incoming.encoded_dataset) == b"not even DICOM"
    assert incoming.transfer_syntax_uid == EXPLICIT
    assert incoming.command_sop_class_uid == CT
    assert incoming.command_sop_instance_uid == INSTANCE_UID
    assert incoming.received_at == moment
    assert incoming.anonymize is False
    assert incoming.quiet_seconds == 7
    assert incoming.routing is not None and list(incoming.routing.project) == ["(0020,000E):(.*)"]
    assert incoming.given_up is None
    assert incoming.sender == sender
    assert re.fullmatch("[0-9a-f]{32}", sender.association_id)
    assert (sender.calling_ae_title, sender.called_ae_title) == ("SCANNER1", "MR1")
    assert (sender.peer, sender.started_at) == ("127.0.0.1", moment)
    assert running.intake.ended == [sender]


def test_the_sites_quiet_time_is_used_where_the_receiver_has_none() -> None:
    with running_server() as running, RawClient(running.port) as client:
        client.associate()
        client.store(b"x")
        assert running.intake.incoming[0].quiet_seconds == Sessions().quiet_seconds


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome(OutcomeKind.STORED), 0x0000),
        (Outcome(OutcomeKind.REJECTED), 0x0000),
        (Outcome(OutcomeKind.TRY_AGAIN, FailureReason.DISK_FULL), 0xA700),
        (Outcome(OutcomeKind.FAILED, FailureReason.SOP_INSTANCE_UID_MISMATCH), 0xA900),
        (Outcome(OutcomeKind.FAILED, FailureReason.SCRIPT_FAILED), 0xC020),
    ],
)
def test_the_response_has_the_status_of_the_outcome_and_names_the_object(
    outcome: Outcome, status: int
) -> None:
    intake = NotingIntake()
    intake.outcome = outcome
    with running_server(intake=intake) as running, RawClient(running.port) as client:
        client.associate()
        client.send(p_data(1, 3, c_store_rq()) + p_data(1, 2, b"secret^name"))
        response = client.read_pdu()
    assert status_of(response) == status
    found = elements_of(response)
    assert found[0x0002].rstrip(b"\0").decode() == CT
    assert found[0x1000].rstrip(b"\0").decode() == INSTANCE_UID
    assert bool(found.get(0x0902)) is (status != 0)
    assert b"secret" not in response[1]


def test_one_failed_object_does_not_disturb_the_others() -> None:
    intake = NotingIntake()

    def fail_on_the_second(incoming: IncomingInstance) -> Outcome:
        if bytes(incoming.encoded_dataset) == b"second":
            return Outcome(OutcomeKind.FAILED, FailureReason.SCRIPT_FAILED)
        return Outcome(OutcomeKind.STORED)

    intake.decide = fail_on_the_second
    with running_server(intake=intake) as running, RawClient(running.port) as client:
        client.associate()
        assert [client.store(text) for text in (b"first", b"second", b"third")] == [0, 0xC020, 0]
        client.release()
        running.wait_until_over()
        [released] = running.events("association_released")
    assert (released["instances"], released["failures"]) == (3, 1)


def test_an_intake_that_raises_all_the_same_gets_the_object_refused_and_the_text_goes_nowhere() -> None:
    intake = NotingIntake()

    def burst(incoming: IncomingInstance) -> Outcome:
        raise RuntimeError("secret^name")

    intake.decide = burst
    with running_server(intake=intake) as running, RawClient(running.port) as client:
        client.associate()
        client.send(p_data(1, 3, c_store_rq()) + p_data(1, 2, b"x"))
        response = client.read_pdu()
        assert client.store(b"y") == 0xC0FF
        assert b"secret" not in response[1]
        assert "secret" not in str(running.logged)


def test_pynetdicom_as_sender_is_served() -> None:
    dataset = make_dataset()
    with running_server() as running:
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        entity = AE("SCU")
        entity.add_requested_context(dataset.SOPClassUID, IMPLICIT)
        entity.add_requested_context(VERIFICATION)
        association = entity.associate("127.0.0.1", running.port, ae_title="XNAT")
        assert association.is_established
        association.dimse = _Answers(association)
        assert association.send_c_echo().Status == 0x0000
        assert association.send_c_store(dataset).Status == 0x0000
        association.release()
        assert association.is_released
        assert running.intake.incoming[0].transfer_syntax_uid == IMPLICIT
        assert running.intake.incoming[0].command_sop_instance_uid == dataset.SOPInstanceUID


def test_unknown_services_and_storage_in_the_context_of_verification_are_answered() -> None:
    find = command((0x0002, b"1.2\0"), (0x0100, number(0x20)), (0x0110, number(9)), (0x0800, number(0)))
    with running_server() as running, RawClient(running.port) as client:
        client.associate()
        client.send(p_data(1, 3, find) + p_data(1, 2, b"identifier"))
        found = elements_of(client.read_pdu())
        assert (found[0x0100], found[0x0900], found[0x0120]) == (number(0x8020), number(0x0211), number(9))
        assert found[0x0902]
        assert client.store(b"x", context_id=3) == 0x0122
        assert running.intake.incoming == []


def test_cancel_and_stray_responses_are_passed_over() -> None:
    cancel = command((0x0100, number(0x0FFF)), (0x0120, number(1)), (0x0800, number(0x0101)))
    stray = command((0x0100, number(0x8001)), (0x0120, number(1)), (0x0800, number(0x0101)))
    with running_server() as running, RawClient(running.port) as client:
        client.associate()
        client.send(p_data(1, 3, cancel) + p_data(1, 3, stray))
        assert client.store(b"x") == 0


def test_a_store_request_without_a_data_set_still_reaches_intake_to_be_recorded() -> None:
    with running_server() as running, RawClient(running.port) as client:
        client.associate()
        client.send(p_data(1, 3, c_store_rq(data_set_type=0x0101)))
        client.read_pdu()
        assert bytes(running.intake.incoming[0].encoded_dataset) == b""


def test_several_ae_titles_share_a_port_and_disabled_ones_are_unknown() -> None:
    receivers = [
        Receiver(ae_title="ONE", port=0),
        Receiver(ae_title="TWO", port=0, anonymize=False),
        Receiver(ae_title="OFF", port=0, enabled=False),
    ]
    with running_server(*receivers) as running:
        [address] = running.server.addresses
        assert address.ae_titles == ("ONE", "TWO")
        for title, anonymize in (("ONE", True), ("TWO", False)):
            with RawClient(address.port) as client:
                assert client.associate(title)[0] == ASSOCIATE_AC
                client.store(b"x")
                assert running.intake.incoming[-1].anonymize is anonymize
        for title in ("OFF", "one", "NOBODY"):
            with RawClient(address.port) as client:
                assert client.associate(title) == (ASSOCIATE_RJ, b"\0\1\1\7")
        running.wait_until_over()
        assert {entry["reason"] for entry in running.events("association_refused")} == {
            "called-ae-title-unknown"
        }


def test_a_port_whose_only_receiver_is_disabled_says_so() -> None:
    with running_server(Receiver(port=0, enabled=False)) as running, RawClient(running.port) as client:
        assert client.associate() == (ASSOCIATE_RJ, b"\0\1\1\7")


@pytest.mark.parametrize(
    ("allow", "calling", "is_accepted"),
    [
        (None, "ANYBODY", True),
        ([], "SCANNER1", False),
        (["SCANNER1"], "SCANNER1", True),
        (["SCANNER1"], "SCANNER2", False),
        (["127.0.0.0/8"], "ANYBODY", True),
        (["10.0.0.0/8"], "ANYBODY", False),
        (["SCANNER1@127.0.0.1"], "SCANNER1", True),
        (["SCANNER1@10.1.2.3"], "SCANNER1", False),
        (["SCANNER1@127.0.0.1"], "SCANNER2", False),
    ],
)
def test_who_is_not_on_the_allow_list_is_refused_as_calling_ae_title_not_recognized(
    allow: list[str] | None, calling: str, is_accepted: bool
) -> None:
    with running_server(Receiver(port=0, allow=allow)) as running, RawClient(running.port) as client:
        pdu_type, body = client.associate(calling=calling)
        if is_accepted:
            assert pdu_type == ASSOCIATE_AC
        else:
            assert (pdu_type, body) == (ASSOCIATE_RJ, b"\0\1\1\3")
            assert running.intake.started == []


def test_settings_that_change_hold_for_the_next_association() -> None:
    settings: list[Settings] = []
    with running_server(current_settings=lambda: settings[-1]) as running:
        settings.append(running.settings)
        with RawClient(running.port) as client:
            assert client.associate()[0] == ASSOCIATE_AC
            closed = running.settings.receivers[0].model_copy(update={"allow": []})
            settings.append(running.settings.model_copy(update={"receivers": [closed]}))
            assert client.store(b"x") == 0
        with RawClient(running.port) as client:
            assert client.associate() == (ASSOCIATE_RJ, b"\0\1\1\3")


def test_trouble_while_deciding_refuses_for_now_and_gives_the_place_back() -> None:
    intake = NotingIntake()
    intake.refuse_with = RuntimeError("secret")
    with running_server(intake=intake, limits=Limits(associations_per_address=1)) as running:
        for _ in range(2):
            with RawClient(running.port) as client:
                assert client.associate() == (ASSOCIATE_RJ, b"\0\2\2\1")
            running.wait_until_over()
        intake.refuse_with = None
        with RawClient(running.port) as client:
            assert client.associate()[0] == ASSOCIATE_AC
        assert "secret" not in str(running.logged)


def test_contexts_are_accepted_for_storage_and_verification_only() -> None:
    contexts = [
        ("1.3.46.670589.11.0.0.12.1", ["1.2.840.10008.1.2.6.2", EXPLICIT]),
        ("1.2.840.10008.5.1.4.31", [IMPLICIT]),
        (CT, ["1.2.3.4.5"]),
    ]
    with running_server() as running, RawClient(running.port) as client:
        pdu_type, body = client.associate(contexts=contexts)
        assert pdu_type == ASSOCIATE_AC
        results = re.findall(rb"\x21\0..(.)\0(.)\0\x40\0..([0-9.]+)", body, re.DOTALL)
        assert [(cid[0], result[0]) for cid, result, _ in results] == [(1, 0), (3, 3), (5, 4)]
        assert results[0][2].decode().startswith(EXPLICIT)


def test_the_announced_pdu_length_is_the_receivers_but_not_beyond_the_limit() -> None:
    receivers = [Receiver(ae_title="A", port=0, max_pdu=65536), Receiver(ae_title="B", port=0, max_pdu=8192)]
    with running_server(*receivers, limits=Limits(max_pdu_bytes=20000)) as running:
        for title, announced in (("A", 20000), ("B", 8192)):
            with RawClient(running.port) as client:
                body = client.associate(title)[1]
                assert b"\x51\0\0\4" + announced.to_bytes(4, "big") in body


def test_a_peer_that_takes_tiny_pdus_gets_its_answer_in_pieces() -> None:
    with running_server() as running, RawClient(running.port) as client:
        client.associate(max_length=64)
        client.send(p_data(1, 3, c_store_rq()) + p_data(1, 2, b"x"))
        pieces = []
        while True:
            pdu_type, body = client.read_pdu()
            assert pdu_type == 4 and len(body) <= 64
            pieces.append(body[6:])
            if body[5] == 3:
                break
        assert status_of((4, bytes(6) + b"".join(pieces))) == 0


def test_a_port_in_use_is_one_clear_error_and_leaves_nothing_bound() -> None:
    ours = "127.0.0.77"  # where nobody else looks for a free port
    with socket.create_server((ours, 0)) as free, socket.create_server(("127.0.0.1", 0)) as taken:
        free_port, taken_port = free.getsockname()[1], taken.getsockname()[1]
        free.close()
        with running_server() as running:
            receivers = [
                Receiver(ae_title="A", host=ours, port=free_port),
                Receiver(ae_title="B", port=taken_port),
            ]
            settings = running.settings.model_copy(update={"receivers": receivers})
            with pytest.raises(
                CannotListenError, match=rf"^cannot listen on 127.0.0.1:{taken_port}: .*in use$"
            ):
                Server(settings, NotingIntake()).start()
        socket.create_server((ours, free_port)).close()


def test_an_address_that_is_not_ours_cannot_be_listened_on() -> None:
    with running_server() as running:
        elsewhere = running.settings.model_copy(update={"receivers": [Receiver(host="192.0.2.1", port=0)]})
        with pytest.raises(CannotListenError, match=r"192\.0\.2\.1"):
            Server(elsewhere, NotingIntake()).bind()


def test_a_stop_answers_the_object_under_way_then_ends_the_association() -> None:
    intake = NotingIntake()
    entered, leave = threading.Event(), threading.Event()

    def slowly(incoming: IncomingInstance) -> Outcome:
        entered.set()
        leave.wait(10)
        return Outcome(OutcomeKind.STORED)

    intake.decide = slowly
    with running_server(intake=intake) as running, RawClient(running.port) as client:
        port = running.port
        client.associate()
        client.send(p_data(1, 3, c_store_rq()) + p_data(1, 2, b"x"))
        assert entered.wait(10)
        stopping = threading.Thread(target=running.server.stop, args=(0, 10))
        stopping.start()
        while not running.server._draining.is_set():
            time.sleep(0.005)
        leave.set()
        assert status_of(client.read_pdu()) == 0
        assert client.read_pdu()[0] == ABORT
        stopping.join(10)
        assert not stopping.is_alive()
        [aborted] = running.events("association_aborted")
        assert aborted["reason"] == "shutting-down"
        assert running.intake.ended == running.intake.started
        with pytest.raises(ConnectionRefusedError):
            RawClient(port)


def test_a_stop_ends_idle_associations_and_connections_without_one() -> None:
    with running_server() as running, RawClient(running.port) as idle, RawClient(running.port) as silent:
        idle.associate()
        running.server.stop(grace_seconds=0, drain_seconds=5)
        assert idle.read_pdu()[0] == ABORT
        assert silent.read_pdu()[0] == 0
        assert running.events("server_stopped")[0]["cut_associations"] == 0


def test_a_stop_lets_a_busy_sender_finish_but_does_not_wait_for_a_silent_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("receiver.association._LULL_SECONDS", 60.0)
    with running_server() as running, RawClient(running.port) as busy, RawClient(running.port) as silent:
        busy.associate()
        silent.associate()
        stopping = threading.Thread(target=running.server.stop, args=(30, 0))
        stopping.start()
        while not running.server._stopping.is_set():
            time.sleep(0.005)
        assert busy.store(b"x") == 0
        assert busy.release() == RELEASE_RP
        monkeypatch.setattr("receiver.association._LULL_SECONDS", 0.1)
        assert silent.read_pdu()[0] == ABORT
        stopping.join(10)
        assert not stopping.is_alive()


def test_a_stop_cuts_what_does_not_end() -> None:
    with running_server() as running, RawClient(running.port) as client:
        client.associate()
        client.send(p_data(1, 3, c_store_rq()) + p_data(1, 0, b"half an object"))
        running.intake.wait_for(lambda intake: bool(intake.started))
        while running.server._associations.running()[0].dul._collector.is_idle:  # type: ignore[attr-defined]
            time.sleep(0.005)
        running.server.stop(grace_seconds=0, drain_seconds=0.1)
        assert client.read_pdu()[0] == 0
        assert running.intake.incoming == []


def test_no_association_begins_while_the_server_stops() -> None:
    with running_server() as running, RawClient(running.port) as client:
        request = associate_rq()
        client.send(request[:5])
        running.server._stopping.set()
        client.send(request[5:])
        assert client.read_pdu() == (ASSOCIATE_RJ, b"\0\2\3\1")


def test_the_log_names_the_association_in_every_line() -> None:
    with running_server() as running, RawClient(running.port) as client:
        client.associate(calling="SCANNER1")
        client.store(b"x")
        client.release()
        running.wait_until_over()
        [started] = running.events("server_started")
        [accepted] = running.events("association_accepted")
        [released] = running.events("association_released")
        assert (started["port"], started["ae_titles"]) == (running.port, ["XNAT"])
    for entry in (accepted, released):
        assert entry["association_id"] == running.intake.started[0].association_id
        assert (entry["calling_ae_title"], entry["called_ae_title"]) == ("SCANNER1", "XNAT")
        assert entry["peer"] == "127.0.0.1"
    assert released["duration_ms"] >= 0


def test_an_intake_that_fails_at_the_end_of_an_association_does_no_harm() -> None:
    class Failing(NotingIntake):
        def association_ended(self, sender: object) -> None:
            raise RuntimeError("secret")

    with running_server(intake=Failing(), limits=Limits(associations_per_address=1)) as running:
        for _ in range(2):
            with RawClient(running.port) as client:
                assert client.associate()[0] == ASSOCIATE_AC
                client.release()
            running.wait_until_over()
        assert "secret" not in str(running.logged)
