from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from builders import WHEEL_FILES, make_dataset, part10_bytes, sendable_wheel_files, wheel_file
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from receiving import IMPLICIT, NotingIntake, RawClient, running_server

from config.settings import Receiver
from prearchive.incoming import FailureReason, IncomingInstance, Outcome, OutcomeKind
from receiver.errors import CannotConnectError
from receiver.sender import SendResult, SentFile, echo, find_files, send_files


def send(port: int, *paths: Path, called: str = "XNAT", timeout_seconds: float = 10) -> list[SentFile]:
    return send_files(
        paths, called_ae_title=called, host="127.0.0.1", port=port, timeout_seconds=timeout_seconds
    )


def write_object(folder: Path, name: str, **elements: object) -> Path:
    path = folder / name
    path.write_bytes(part10_bytes(make_dataset(**elements)))
    return path


def test_every_sendable_file_of_the_pydicom_wheel_arrives_byte_for_byte() -> None:
    expected = set(sendable_wheel_files())
    assert len(expected) > 100
    with running_server() as running:
        rows = send(running.port, WHEEL_FILES)
        assert {row.path for row in rows if row.result is SendResult.SENT} >= expected
        assert not [row for row in rows if row.result in (SendResult.FAILED, SendResult.REFUSED)]
        arrived = running.intake.incoming
    sent = [row for row in rows if row.result is SendResult.SENT]
    assert len(arrived) == len(sent)
    by_uid: dict[str | None, list[bytes]] = {}
    for incoming in arrived:
        by_uid.setdefault(incoming.command_sop_instance_uid, []).append(bytes(incoming.encoded_dataset))
    for row in sent:
        content = row.path.read_bytes()
        candidates = [encoded for encoded in by_uid[row.sop_instance_uid] if content.endswith(encoded)]
        assert candidates, row.path
        # What precedes the data set is the preamble, the prefix and group 2, and nothing of them was sent.
        assert all(content[: len(content) - len(encoded)][128:132] == b"DICM" for encoded in candidates)
        assert all(encoded[:2] != b"\2\0" for encoded in candidates)


def test_a_row_is_made_for_each_file_and_reported_as_it_happens(tmp_path: Path) -> None:
    good = write_object(tmp_path, "b.dcm")
    (tmp_path / "a.txt").write_text("no DICOM")
    (tmp_path / "c").mkdir()
    deep = write_object(tmp_path / "c", "c.dcm")
    headless = tmp_path / "d.dcm"
    headless.write_bytes(part10_bytes(make_dataset())[132:])
    nameless = write_object(tmp_path, "e.dcm")
    nameless.write_bytes(nameless.read_bytes().replace(b"\x08\0\x18\0UI", b"\x08\0\x17\0UI"))
    missing = tmp_path / "missing.dcm"
    reported: list[SentFile] = []
    with running_server() as running:
        rows = send_files(
            [tmp_path, missing, good],
            called_ae_title="XNAT",
            host="127.0.0.1",
            port=running.port,
            progress=reported.append,
        )
    assert [(row.path.name, row.result, row.error) for row in rows] == [
        ("a.txt", "skipped", "not a DICOM file"),
        ("b.dcm", "sent", None),
        ("c.dcm", "sent", None),
        ("d.dcm", "skipped", "not a DICOM file"),
        ("e.dcm", "skipped", "no usable SOP Instance UID"),
        ("missing.dcm", "skipped", "No such file or directory"),
    ]
    assert sorted(reported, key=lambda row: row.path.name) == sorted(rows, key=lambda row: row.path.name)
    assert [row.status for row in rows if row.path in (good, deep)] == [0, 0]


def test_links_below_folders_are_not_followed(tmp_path: Path) -> None:
    write_object(tmp_path, "a.dcm")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert [path.name for path in find_files([tmp_path])] == ["a.dcm"]


def test_a_refused_object_is_reported_with_status_and_comment_and_the_next_is_sent(tmp_path: Path) -> None:
    paths = [write_object(tmp_path, f"{number}.dcm") for number in range(3)]
    intake = NotingIntake()

    def refuse_the_second(incoming: IncomingInstance) -> Outcome:
        if len(intake.incoming) == 2:
            return Outcome(OutcomeKind.FAILED, FailureReason.SCRIPT_FAILED)
        return Outcome(OutcomeKind.STORED)

    intake.decide = refuse_the_second
    with running_server(intake=intake) as running:
        rows = send(running.port, *paths)
        assert len(intake.started) == 1
    assert [row.status for row in rows] == [0, 0xC020, 0]
    assert rows[1].result is SendResult.REFUSED
    assert rows[1].error == "The anonymization script failed on this object"


def test_more_contexts_than_an_association_can_have_take_several(tmp_path: Path) -> None:
    for number in range(130):
        write_object(tmp_path, f"{number:03}.dcm", SOPClassUID=f"1.2.826.0.1.{number + 1}")
    with running_server() as running:
        rows = send(running.port, tmp_path)
        assert len(running.intake.started) == 2
    assert [row.status for row in rows] == [0] * 130


def test_what_the_peer_does_not_accept_fails_alone(tmp_path: Path) -> None:
    write_object(tmp_path, "a.dcm", SOPClassUID="1.2.840.10008.5.1.4.31")  # Modality Worklist
    good = write_object(tmp_path, "b.dcm")
    with running_server() as running:
        odd, sent = send(running.port, tmp_path)
        [alone] = send(running.port, odd.path)
    assert (odd.result, odd.status) == (SendResult.FAILED, None)
    assert "does not accept" in (odd.error or "")
    assert (sent.path, sent.result) == (good, SendResult.SENT)
    assert alone.error == odd.error


def test_a_refused_association_is_an_error() -> None:
    with running_server(Receiver(ae_title="OTHER", port=0)) as running:
        with pytest.raises(CannotConnectError, match=r"refused the association: .*[Cc]alled AE"):
            send(running.port, wheel_file("CT_small.dcm"))
        with pytest.raises(CannotConnectError, match="refused"):
            echo("XNAT", "127.0.0.1", running.port)


def test_a_peer_that_is_not_there_is_an_error() -> None:
    with socket.socket() as deaf:  # bound, so that nobody else gets the port, but it does not listen
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        with pytest.raises(CannotConnectError, match=f"cannot connect to XNAT@127.0.0.1:{port}"):
            send(port, wheel_file("CT_small.dcm"))


def test_a_host_that_has_no_address_is_an_error() -> None:
    with pytest.raises(CannotConnectError, match=r"no-such-host\.invalid"):
        echo("XNAT", "no-such-host.invalid", 104)


def test_nothing_to_send_needs_no_peer(tmp_path: Path) -> None:
    assert send(1, tmp_path) == []


@contextmanager
def breaking_proxy(port: int, *budgets: int) -> Iterator[int]:
    """Pass connections on to a port; cut each after so many bytes of the sender; refuse any more."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket, budget: int) -> None:
        try:
            while budget > 0 and (piece := source.recv(min(budget, 4096))):
                target.sendall(piece)
                budget -= len(piece)
        except OSError:
            pass
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def serve() -> None:
        for budget in budgets:
            sender, _ = listener.accept()
            receiver = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=pump, args=(receiver, sender, 1 << 30), daemon=True).start()
            pump(sender, receiver, budget)
        listener.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.close()


def test_after_a_broken_association_the_rest_goes_over_another(tmp_path: Path) -> None:
    for number in range(3):
        write_object(tmp_path, f"{number}.dcm", ImageComments="x" * 9000)
    with running_server() as running, breaking_proxy(running.port, 15000, 1 << 30) as port:
        rows = send(port, tmp_path)
    assert [row.result for row in rows] == ["sent", "failed", "sent"]
    assert rows[1].error == "no answer"


def test_a_peer_that_always_breaks_off_is_not_tried_for_ever(tmp_path: Path) -> None:
    for number in range(5):
        write_object(tmp_path, f"{number}.dcm", ImageComments="x" * 9000)
    with running_server() as running, breaking_proxy(running.port, 5000, 5000, 1 << 30) as port:
        rows = send(port, tmp_path)
    assert [row.result for row in rows] == ["failed"] * 5
    assert "not tried" in (rows[4].error or "")


def test_a_peer_that_goes_away_fails_the_rest(tmp_path: Path) -> None:
    for number in range(3):
        write_object(tmp_path, f"{number}.dcm", ImageComments="x" * 9000)
    with running_server() as running, breaking_proxy(running.port, 15000) as port:
        rows = send(port, tmp_path)
    assert [row.result for row in rows] == ["sent", "failed", "failed"]
    assert "cannot connect" in (rows[2].error or "")


def test_a_file_that_vanishes_before_its_turn_fails_alone(tmp_path: Path) -> None:
    paths = [write_object(tmp_path, f"{number}.dcm") for number in range(3)]
    with running_server() as running:
        rows = send_files(
            paths,
            called_ae_title="XNAT",
            host="127.0.0.1",
            port=running.port,
            progress=lambda row: paths[1].unlink(missing_ok=True),
        )
    assert [row.result for row in rows] == ["sent", "failed", "sent"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_skipped(tmp_path: Path) -> None:
    path = write_object(tmp_path, "a.dcm")
    path.chmod(0)
    with running_server() as running:
        [row] = send(running.port, path)
    assert (row.result, row.error) == (SendResult.SKIPPED, "Permission denied")


def test_echo_is_answered() -> None:
    with running_server() as running:
        assert echo("XNAT", "127.0.0.1", running.port) == 0


def test_what_is_sent_keeps_a_uid_that_differs_from_the_file_meta_information(tmp_path: Path) -> None:
    dataset = make_dataset()
    content = part10_bytes(dataset)
    other = generate_uid()[: len(dataset.SOPInstanceUID)].ljust(len(dataset.SOPInstanceUID), "1")
    path = tmp_path / "a.dcm"
    path.write_bytes(
        content.replace(dataset.SOPInstanceUID.encode(), other.encode(), 1)
    )  # group 2 comes first
    with running_server() as running:
        [row] = send(running.port, path)
        [incoming] = running.intake.incoming
    assert row.sop_instance_uid == incoming.command_sop_instance_uid == dataset.SOPInstanceUID
    assert incoming.transfer_syntax_uid == ExplicitVRLittleEndian != IMPLICIT


def test_a_raw_client_and_the_sender_may_share_a_server() -> None:
    with running_server() as running, RawClient(running.port) as client:
        client.associate()
        assert echo("XNAT", "127.0.0.1", running.port) == 0
        assert client.store(b"x") == 0
