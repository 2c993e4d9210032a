from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pydicom
import pytest
import structlog
from builders import encode_dataset, make_dataset
from intake_site import START, IntakeSite, make_sender, opened
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

from prearchive.db import queries
from prearchive.errors import StorageTroubleError
from prearchive.filestore import FileStore
from prearchive.incoming import FailureReason, Outcome, OutcomeKind, ReceiverRouting
from prearchive.intake import Intake
from prearchive.site import Site
from prearchive.states import SessionState


@pytest.fixture
def door(tmp_path: Path) -> Iterator[IntakeSite]:
    with opened(tmp_path) as found:
        yield found


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[IntakeSite]:
    """Without a site script."""
    with opened(tmp_path, script=None) as found:
        yield found


def agree(door: IntakeSite) -> None:
    """Every row names a file, every file has a row, digests and counts are right."""
    assert door.files() == door.row_paths()
    for session in door.sessions():
        rows = door.instances(session_id=session.id)
        assert session.instance_count == len(rows)
        assert session.size_bytes == sum(row.size_bytes for row in rows)
    sizes = {(row.size_bytes, row.digest) for row in door.instances()}
    assert {door.site.files.digest_of(path) for path in door.files()} == sizes


def stored_dataset(door: IntakeSite) -> Dataset:
    (path,) = door.files()
    return pydicom.dcmread(door.site.root / path)


# Stored


def test_an_instance_is_stored_after_the_site_script_with_its_row(door: IntakeSite) -> None:
    dataset = make_dataset()
    outcome = door.send(dataset)
    assert outcome.kind is OutcomeKind.STORED and outcome.reason is None
    stored = stored_dataset(door)
    assert stored[0x0012, 0x0063].value == "site script v01"
    assert "PatientBirthDate" not in stored
    assert stored.StudyInstanceUID != dataset.StudyInstanceUID
    (row,) = door.instances()
    assert row.sop_instance_uid == outcome.sop_instance_uid == dataset.SOPInstanceUID
    assert (row.modality, row.transfer_syntax_uid) == ("MR", "1.2.840.10008.1.2.1")
    session = door.session(outcome.session_id)
    assert session.study_uid == stored.StudyInstanceUID
    assert session.state is SessionState.RECEIVING
    assert (session.scan_date, session.scan_time) == ("2024-02-29", "10:11:12")
    assert session.last_received_at == session.uploaded_at == START
    agree(door)


def test_the_record_tells_who_sent_and_which_script_ran(door: IntakeSite) -> None:
    door.send()
    (row,) = door.instances()
    (association,) = door.rows(queries.ASSOCIATION)
    (script,) = door.rows(queries.SCRIPT_VERSION)
    assert (association.calling_ae_title, association.called_ae_title, association.peer) == (
        "SCANNER1",
        "XNAT",
        "10.0.0.7",
    )
    assert row.association_id == association.id and row.site_script_id == script.id
    assert script.sha256 == door.site.scripts.site().sha256
    assert "hashUID" in script.script_text


def test_instances_of_a_study_share_a_session_although_the_script_hashes_the_uid(door: IntakeSite) -> None:
    dataset = make_dataset()
    first = door.send(dataset)
    dataset.SOPInstanceUID = generate_uid()
    second = door.send(dataset)
    other = door.send()
    assert first.session_id == second.session_id != other.session_id
    agree(door)


def test_the_folder_is_named_by_project_time_and_label(plain: IntakeSite) -> None:
    plain.send(make_dataset(PatientComments="Project:Two Subject:Sub-1 Session:Ses-1"))
    (session,) = plain.sessions()
    local = START.astimezone()
    assert session.path == f"prearchive/P2/{local:%Y%m%d_%H%M%S}000/Ses-1"
    assert (session.project, session.subject, session.label) == ("P2", "Sub-1", "Ses-1")
    assert (session.subject_source, session.label_source) == ("given", "given")
    (path,) = plain.files()
    assert path.startswith(f"{session.path}/SCANS/1/DICOM/") and path.endswith(".dcm")


def test_two_sessions_of_the_same_moment_and_label_get_folders_of_their_own(plain: IntakeSite) -> None:
    plain.send()
    plain.send()
    assert [row.folder for row in plain.sessions()] == ["PID-1", "PID-1_1"]
    agree(plain)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_native_transfer_syntaxes_are_kept(door: IntakeSite, syntax: str) -> None:
    assert door.send(transfer_syntax_uid=syntax).kind is OutcomeKind.STORED
    stored = stored_dataset(door)
    assert stored.file_meta.TransferSyntaxUID == syntax
    assert stored[0x0012, 0x0063].value == "site script v01"


def test_a_deflated_object_stays_deflated(door: IntakeSite) -> None:
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    encoded = machine.compress(encode_dataset(make_dataset())) + machine.flush()
    encoded += b"\0" * (len(encoded) % 2)
    outcome = door.send(encoded, transfer_syntax_uid=DeflatedExplicitVRLittleEndian)  # type: ignore[arg-type]
    assert outcome.kind is OutcomeKind.STORED
    stored = stored_dataset(door)
    assert stored.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    assert stored[0x0012, 0x0063].value == "site script v01"


def test_without_a_script_the_data_set_is_the_one_that_came(plain: IntakeSite) -> None:
    encoded = encode_dataset(make_dataset())
    plain.send(encoded)  # type: ignore[arg-type]
    (path,) = plain.files()
    assert (plain.site.root / path).read_bytes().endswith(encoded)
    assert plain.instances()[0].site_script_id is None


def test_a_receiver_without_anonymization_has_sessions_of_its_own(door: IntakeSite) -> None:
    dataset = make_dataset()
    treated = door.send(dataset)
    dataset.SOPInstanceUID = generate_uid()
    raw = door.send(dataset, anonymize=False)
    dataset.SOPInstanceUID = generate_uid()
    again = door.send(dataset, anonymize=False)
    assert treated.session_id != raw.session_id == again.session_id
    assert not door.session(raw.session_id).anonymize
    assert {row.site_script_id is None for row in door.instances(session_id=raw.session_id)} == {True}
    agree(door)


def test_record_adds_an_item_for_the_script(tmp_path: Path) -> None:
    with opened(tmp_path, anonymization={"record": True}) as door:
        assert door.send().kind is OutcomeKind.STORED
        assert len(stored_dataset(door)[0x0012, 0x0064].value) == 1


def test_the_receivers_routing_comes_before_the_sites(tmp_path: Path) -> None:
    rule = "(0020,000D):(.*):1 t:.+ r:"
    with opened(tmp_path, routing={"project": [f"{rule}P1"], "subject": [f"{rule}SITE"]}) as door:
        door.send(make_dataset(), routing=ReceiverRouting(project=[f"{rule}P2"]))
        door.send(make_dataset())
        assert [(row.project, row.subject) for row in door.sessions()] == [("P2", "SITE"), ("P1", "SITE")]


@pytest.mark.parametrize(
    ("comment", "decided"), [("AA:true", "auto"), ("AA:false", "manual"), ("nothing", None)]
)
def test_the_first_instance_decides_on_auto_archive(
    plain: IntakeSite, comment: str, decided: str | None
) -> None:
    dataset = make_dataset(PatientComments=comment)
    outcome = plain.send(dataset)
    dataset.SOPInstanceUID, dataset.PatientComments = generate_uid(), "AA:false"
    plain.send(dataset)
    assert plain.session(outcome.session_id).auto_archive == decided


def test_script_variables_are_those_of_the_session_it_joins(tmp_path: Path) -> None:
    names = {"(0008,0080)": "project", "(0008,0081)": "subject", "(0010,21B0)": "session"}
    script = "".join(f"{tag} := {name}\n" for tag, name in names.items()) + "(0008,1010) := modalityLabel\n"
    with opened(tmp_path, script) as door:
        dataset = make_dataset(PatientName=None, PatientID=None)
        door.send(dataset)
        stored = stored_dataset(door)
        values = [stored[0x0008, 0x0080].value, stored[0x0008, 0x0081].value]
        assert [*values, stored[0x0010, 0x21B0].value, stored[0x0008, 0x1010].value] == [
            "Unassigned",
            "",
            "dicom_upload",
            "MR",
        ]
        session_id = door.sessions()[0].id
        door.set_session(session_id, project="P2")
        dataset.SOPInstanceUID, dataset.InstanceNumber = generate_uid(), 2
        outcome = door.send(dataset)
        row = door.instances(session_id=session_id)[1]
        path = next(path for path in door.files() if path.endswith(row.file_name))
        assert outcome.session_id == session_id
        assert pydicom.dcmread(door.site.root / path)[0x0008, 0x0080].value == "P2"


# Labels


def test_labels_of_values_that_the_script_removes_are_keyed(tmp_path: Path) -> None:
    with opened(tmp_path, "- (0010,0010)\n- (0010,0020)\n") as door:
        dataset = make_dataset(PatientName="Secret^Name", PatientID="SECRET-ID")
        door.send(dataset)
        session = door.sessions()[0]
        assert session.subject.startswith("subject_") and session.label.startswith("session_")
        assert (session.subject_source, session.label_source) == ("keyed", "keyed")
        suffix = door.site.keys.label_suffix("SECRET-ID")
        assert session.label == f"session_{suffix}" == session.folder
        everything = b"".join(path.read_bytes() for path in door.site.root.rglob("*") if path.is_file())
        for name in (b"Secret", b"SECRET"):
            assert name not in everything
            assert not [path for path in door.site.root.rglob("*") if name.decode() in str(path)]


def test_labels_as_received_are_used_when_the_site_wants_that(tmp_path: Path) -> None:
    with opened(tmp_path, "- (0010,0010)\n- (0010,0020)\n", sessions={"labels": "as-received"}) as door:
        door.send()
        assert (door.sessions()[0].subject, door.sessions()[0].label) == ("Doe_Jane", "PID-1")


def test_the_first_labels_win_and_others_are_warnings(plain: IntakeSite) -> None:
    dataset = make_dataset()
    first = plain.send(dataset)
    dataset.SOPInstanceUID, dataset.PatientName, dataset.PatientID = generate_uid(), "Roe^Jim", "PID-2"
    second = plain.send(dataset)
    assert second.session_id == first.session_id
    assert set(second.warnings) == {"subject-disagreement", "session-disagreement"}
    assert plain.warnings(first.session_id) == {"subject-disagreement", "session-disagreement"}
    dataset.SOPInstanceUID = generate_uid()
    plain.send(dataset)
    assert len(plain.rows(queries.WARNING)) == 2
    session = plain.session(first.session_id)
    assert (session.subject, session.label) == ("Doe_Jane", "PID-1")


def test_warnings_show_nothing_that_the_script_removes(tmp_path: Path) -> None:
    with opened(tmp_path, "- (0010,0010)\n- (0010,0020)\n") as door:
        dataset = make_dataset()
        door.send(dataset)
        dataset.SOPInstanceUID, dataset.PatientName, dataset.PatientID = generate_uid(), "Roe^Jim", "PID-2"
        door.send(dataset)
        texts = " ".join(row.text for row in door.rows(queries.WARNING))
        assert "subject_" in texts and "Roe" not in texts and "PID" not in texts


# Projects


def test_without_a_project_the_only_session_of_the_study_is_joined(plain: IntakeSite) -> None:
    dataset = make_dataset(PatientComments="Project:P1")
    first = plain.send(dataset)
    dataset.SOPInstanceUID, dataset.PatientComments = generate_uid(), ""
    assert plain.send(dataset).session_id == first.session_id


def test_another_project_opens_a_session_there_unless_a_person_moved_the_first(plain: IntakeSite) -> None:
    dataset = make_dataset(PatientComments="Project:P1")
    first = plain.send(dataset)
    dataset.SOPInstanceUID, dataset.PatientComments = generate_uid(), "Project:P2"
    second = plain.send(dataset)
    assert second.session_id != first.session_id
    plain.set_session(second.session_id, state=SessionState.DELETED, open_key=None)
    plain.set_session(first.session_id, pinned=True)
    dataset.SOPInstanceUID = generate_uid()
    third = plain.send(dataset)
    assert third.session_id == first.session_id
    assert plain.warnings(first.session_id) == {"project-disagreement"}


# Late, duplicate, conflicting


def test_a_late_instance_reopens_the_session_and_withdraws_the_confirmation(door: IntakeSite) -> None:
    dataset = make_dataset()
    outcome = door.send(dataset)
    door.set_session(
        outcome.session_id, state=SessionState.READY, confirmed_at=START, confirmed_by="somebody"
    )
    door.clock.go_on(60)
    dataset.SOPInstanceUID = generate_uid()
    assert door.send(dataset).session_id == outcome.session_id
    session = door.session(outcome.session_id)
    assert session.state is SessionState.RECEIVING
    assert (session.confirmed_at, session.confirmed_by) == (None, None)
    assert session.last_received_at == door.clock()
    event = door.rows(queries.EVENT)[-1]
    assert (event.action, event.from_state, event.to_state) == (
        "instance_stored",
        SessionState.READY,
        SessionState.RECEIVING,
    )
    assert "confirmed again" in event.text


def test_an_identical_duplicate_leaves_an_audit_row_and_no_file(door: IntakeSite) -> None:
    dataset = make_dataset()
    first = door.send(dataset)
    door.clock.go_on(10)
    again = door.send(dataset)
    assert again.kind is OutcomeKind.DUPLICATE and again.session_id == first.session_id
    (row,) = door.discarded()
    assert (row.outcome, row.reason, row.session_id) == ("duplicate", "duplicate", first.session_id)
    assert door.session(first.session_id).last_received_at == door.clock()
    agree(door)


def test_the_same_data_set_in_another_transfer_syntax_is_other_content(door: IntakeSite) -> None:
    dataset = make_dataset()
    door.send(dataset)
    outcome = door.send(dataset, transfer_syntax_uid=ImplicitVRLittleEndian)
    assert outcome.kind is OutcomeKind.CONFLICTING
    agree(door)


def test_other_content_under_the_same_uid_is_kept_beside_and_the_session_is_in_conflict(
    door: IntakeSite,
) -> None:
    dataset = make_dataset()
    first = door.send(dataset)
    dataset.InstitutionName = "elsewhere"
    second = door.send(dataset)
    assert second.kind is OutcomeKind.CONFLICTING and second.session_id == first.session_id
    assert door.session(first.session_id).state is SessionState.CONFLICT
    assert door.warnings(first.session_id) == {"duplicate-sop-instance-uid"}
    names = sorted(row.file_name for row in door.instances())
    assert names[0][: -len(".dcm")] + "_1.dcm" in names or names[1][: -len(".dcm")] + "_1.dcm" in names
    assert door.send(dataset).kind is OutcomeKind.DUPLICATE
    agree(door)


def test_duplicates_count_within_one_session_only(plain: IntakeSite) -> None:
    dataset = make_dataset()
    first = plain.send(dataset)
    plain.set_session(first.session_id, state=SessionState.ARCHIVED, open_key=None)
    second = plain.send(dataset)
    assert second.kind is OutcomeKind.STORED and second.session_id != first.session_id


# Scans


def scan_labels(door: IntakeSite) -> list[str]:
    return [row.label for row in door.rows(queries.SCAN)]


def test_scan_ids_are_allotted_once_for_each_series(door: IntakeSite) -> None:
    study = generate_uid()
    series = [generate_uid() for _ in range(3)]
    for uid in (*series, *reversed(series)):
        dataset = make_dataset(StudyInstanceUID=study, SeriesInstanceUID=uid, SeriesNumber=7)
        assert door.send(dataset).kind is OutcomeKind.STORED
    assert scan_labels(door) == ["7", "7-MR1", "7-MR2"]
    # The first number of a series counts.
    door.send(make_dataset(StudyInstanceUID=study, SeriesInstanceUID=series[0], SeriesNumber=9))
    assert scan_labels(door) == ["7", "7-MR1", "7-MR2"]
    agree(door)


def test_a_long_scan_id_leaves_room_for_the_ending(door: IntakeSite) -> None:
    study = generate_uid()
    for uid in ("1." + "2" * 62, "1." + "2" * 61 + "3"):
        door.send(make_dataset(StudyInstanceUID=study, SeriesInstanceUID=uid, SeriesNumber=None))
    labels = scan_labels(door)
    assert len(set(labels)) == 2 and all(len(label) <= 64 for label in labels)


def test_data_without_study_or_series_uid_are_stored_with_a_warning(plain: IntakeSite) -> None:
    outcome = plain.send(make_dataset(StudyInstanceUID=None))
    assert outcome.kind is OutcomeKind.STORED
    assert plain.warnings(outcome.session_id) == {"study-uid-missing"}
    study = generate_uid()
    results = [
        plain.send(make_dataset(StudyInstanceUID=study, SeriesInstanceUID=None, SeriesNumber=number))
        for number in (1, 1, 2)
    ]
    assert {row.label for row in plain.rows(queries.SCAN, session_id=results[0].session_id)} == {"1", "2"}
    assert plain.warnings(results[0].session_id) == {"series-uid-missing"}
    neither = plain.send(make_dataset(StudyInstanceUID=None, SeriesInstanceUID=None))
    assert neither.kind is OutcomeKind.STORED
    agree(plain)


# Refused


REFUSED: list[tuple[dict[str, Any], dict[str, Any], FailureReason]] = [
    ({"SOPInstanceUID": None}, {}, FailureReason.SOP_INSTANCE_UID_MISSING),
    ({"SOPInstanceUID": ""}, {}, FailureReason.SOP_INSTANCE_UID_MISSING),
    ({"SOPClassUID": None}, {}, FailureReason.SOP_CLASS_UID_MISSING),
    ({"SOPInstanceUID": "1.2/../../etc"}, {}, FailureReason.UID_UNSAFE),
    ({"SOPInstanceUID": "1." + "2" * 70}, {}, FailureReason.UID_UNSAFE),
    ({"SOPInstanceUID": "1." + "2" * 170}, {}, FailureReason.UID_UNSAFE),
    ({"SOPClassUID": "1.2 3"}, {}, FailureReason.UID_UNSAFE),
    ({"StudyInstanceUID": "../../1"}, {}, FailureReason.UID_UNSAFE),
    ({"SeriesInstanceUID": ["1.2", "1.3"]}, {}, FailureReason.UID_UNSAFE),
    ({}, {"command_sop_instance_uid": "1.2.3"}, FailureReason.SOP_INSTANCE_UID_MISMATCH),
    ({}, {"transfer_syntax_uid": "1.2.3.4"}, FailureReason.UNSUPPORTED_TRANSFER_SYNTAX),
    ({}, {"given_up": FailureReason.TOO_LARGE}, FailureReason.TOO_LARGE),
    ({}, {"encoded_dataset": b"no data set"}, FailureReason.CANNOT_PARSE),
    ({}, {"encoded_dataset": b""}, FailureReason.SOP_INSTANCE_UID_MISSING),
]


@pytest.mark.parametrize(("elements", "changes", "reason"), REFUSED)
def test_what_cannot_be_taken_is_refused_with_its_reason_and_an_audit_row(
    door: IntakeSite, elements: dict[str, Any], changes: dict[str, Any], reason: FailureReason
) -> None:
    encoded = encode_dataset(make_dataset(**elements))
    outcome = door.intake.accept(
        door.incoming(
            changes.get("encoded_dataset", encoded),
            **{k: v for k, v in changes.items() if k != "encoded_dataset"},
        )
    )
    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, reason)
    (row,) = door.discarded()
    assert (row.outcome, row.reason) == ("failed", reason.value)
    assert door.files() == set() and door.sessions() == []


def test_limits_of_size_and_nesting_are_kept(tmp_path: Path) -> None:
    limits = {"min_free_bytes": 0, "max_object_bytes": 2000, "max_nesting": 2}
    with opened(tmp_path, limits=limits) as door:
        assert door.send(make_dataset(ImageComments="x" * 3000)).reason is FailureReason.TOO_LARGE
        inner = Dataset()
        for _ in range(4):
            outer = Dataset()
            outer.ReferencedStudySequence = [inner]
            inner = outer
        dataset = make_dataset()
        dataset.ReferencedStudySequence = inner.ReferencedStudySequence
        assert door.send(dataset).reason is FailureReason.TOO_DEEP
        assert len(door.discarded()) == 2


def test_a_refused_instance_is_named_by_keyed_hashes_alone(door: IntakeSite) -> None:
    dataset = make_dataset(StudyInstanceUID="1.2.3.4.5.6789")
    outcome = door.send(dataset, command_sop_instance_uid="1.2.3.4.98765")
    keys = door.site.keys
    (row,) = door.discarded()
    assert row.received_sop_key == keys.uid_key(str(dataset.SOPInstanceUID))
    assert row.study_key == keys.uid_key("1.2.3.4.5.6789")
    assert row.hashed_sop_instance_uid == outcome.hashed_sop_instance_uid
    assert "4.5.6789" not in str(row) and "4.98765" not in str(row)


def test_another_sop_class_than_announced_and_malformed_uids_are_warnings(plain: IntakeSite) -> None:
    outcome = plain.send(make_dataset(SOPInstanceUID="1.02..3"), command_sop_class_uid="1.2.3")
    assert outcome.kind is OutcomeKind.STORED
    assert plain.warnings(outcome.session_id) == {"sop-class-mismatch", "uid-malformed"}


def test_padding_of_uids_does_not_matter(plain: IntakeSite) -> None:
    dataset = make_dataset(SOPInstanceUID="1.2.34")
    outcome = plain.send(dataset, command_sop_instance_uid="1.2.34\0 ")
    assert outcome.kind is OutcomeKind.STORED


def test_tricks_in_values_stay_in_the_sessions_folder(plain: IntakeSite) -> None:
    trick = "../../../../../tmp/evil"
    dataset = make_dataset(PatientName=trick, PatientID=trick, StudyDescription=trick)
    dataset.SeriesNumber = None
    encoded = encode_dataset(dataset)
    for element in (b"\x20\x00\x11\x00IS\x04\x00../x", b"\x20\x00\x11\x00IS\x02\x00.."):
        position = encoded.index(b"\x20\x00\x13\x00")
        start = encoded.index(b"\x20\x00\x11\x00")
        outcome = plain.send(encoded[:start] + element + encoded[position:])  # type: ignore[arg-type]
        assert outcome.kind in (OutcomeKind.STORED, OutcomeKind.CONFLICTING)
    agree(plain)
    assert all(path.startswith("prearchive/Unassigned/") for path in plain.files())


# Scripts


def test_a_script_that_fails_refuses_that_object_alone(tmp_path: Path) -> None:
    script = '(0012,0063) := "v1"\n(0008,0060) = "XX" : (0008,103E) := (0008,1140)\n'
    study = {"StudyInstanceUID": generate_uid(), "ReferencedImageSequence": [Dataset()]}
    with opened(tmp_path, script) as door, structlog.testing.capture_logs() as logs:
        outcomes = [door.send(make_dataset(Modality=modality, **study)) for modality in ("MR", "XX", "MR")]
        assert [outcome.kind.value for outcome in outcomes] == ["stored", "failed", "stored"]
        failed = outcomes[1]
        assert failed.reason is FailureReason.SCRIPT_FAILED
        assert (failed.script_line, failed.hashed_sop_instance_uid is not None) == (2, True)
        (row,) = door.discarded()
        assert row.session_id == outcomes[0].session_id
        assert (row.script_line, row.script_column) == (failed.script_line, failed.script_column)
        assert row.script_id == door.rows(queries.SCRIPT_VERSION)[0].id
        assert len(door.files()) == 2
        (event,) = [entry for entry in logs if entry["event"] == "script_failed"]
        assert event["line"] == 2 and event["hashed_sop_instance_uid"] == failed.hashed_sop_instance_uid
        agree(door)


class Rejecting:
    """Stands for a compiled script that rejects everything."""

    language = "6.1"

    def apply_encoded(self, instance: Any, variables: Any, *, record_id: str | None = None) -> Any:
        return type("Report", (), {"status": "rejected", "messages": []})()


def test_a_rejected_instance_is_a_success_with_an_audit_row_and_no_bytes(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = door.site.scripts.site()
    assert loaded is not None
    fake = type(loaded)(Rejecting(), loaded.text, loaded.sha256, loaded.name)  # type: ignore[arg-type]
    monkeypatch.setattr(door.site.scripts, "site", lambda: fake)
    with structlog.testing.capture_logs() as logs:
        outcome = door.send()
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECTED, None)
    (row,) = door.discarded()
    assert (row.outcome, row.reason) == ("rejected", "rejected")
    assert door.files() == set() and door.sessions() == []
    assert [entry["event"] for entry in logs] == ["script_changed", "instance_rejected"]


@pytest.mark.parametrize("value", ['"../../x"', '""', '"1.2.3.4/5"'])
def test_a_script_that_spoils_the_uids_refuses_the_object(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    class Spoiling(Rejecting):
        def apply_encoded(self, instance: Any, variables: Any, *, record_id: str | None = None) -> Any:
            instance.dataset.put(0x00080018, "UI", value.strip('"').encode())
            return type("Report", (), {"status": "ok", "messages": []})()

    loaded = door.site.scripts.site()
    assert loaded is not None
    fake = type(loaded)(Spoiling(), loaded.text, loaded.sha256, loaded.name)  # type: ignore[arg-type]
    monkeypatch.setattr(door.site.scripts, "site", lambda: fake)
    assert door.send().reason is FailureReason.SCRIPT_SPOILED_UIDS
    assert door.files() == set()


# Trouble


def test_a_full_disk_means_try_again_and_leaves_only_an_audit_row(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise StorageTroubleError("full")

    monkeypatch.setattr(FileStore, "store", fail)
    outcome = door.send()
    assert (outcome.kind, outcome.reason) == (OutcomeKind.TRY_AGAIN, FailureReason.DISK_FULL)
    assert door.sessions() == [] and door.files() == set()
    assert list((door.site.root / "prearchive").iterdir()) == []
    assert [(row.outcome, row.reason) for row in door.discarded()] == [("failed", "disk-full")]


def test_a_database_that_is_locked_means_try_again_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prearchive.db.engine._PRAGMAS", ("PRAGMA busy_timeout = 10",))
    with opened(tmp_path) as door:
        dataset = make_dataset()
        door.send(dataset)
        before = door.files()
        other = sqlite3.connect(door.site.root / "prearc.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for late in (make_dataset(), dataset, make_dataset(StudyInstanceUID=dataset.StudyInstanceUID)):
            outcome = door.send(late)
            assert (outcome.kind, outcome.reason) == (OutcomeKind.TRY_AGAIN, FailureReason.DATABASE_AWAY)
        refused = door.send(make_dataset(SOPInstanceUID=None))
        assert refused.kind is OutcomeKind.FAILED  # the sender is told, although there is no row
        other.execute("ROLLBACK")
        other.close()
        assert door.files() == before
        assert door.send(dataset).kind is OutcomeKind.DUPLICATE
        agree(door)


def test_a_commit_in_doubt_keeps_the_file(door: IntakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset()
    door.send(dataset)
    dataset.SOPInstanceUID, dataset.InstanceNumber = generate_uid(), 2

    engine = door.site.engine
    real, count = engine.dialect.do_commit, queries.record_arrival
    counted: list[bool] = []

    def fail_once(connection: Any) -> None:
        if counted:
            counted.clear()
            raise sqlite3.OperationalError("disk I/O error")
        real(connection)

    def count_and_arm(*args: Any, **keywords: Any) -> None:
        count(*args, **keywords)
        counted.append(True)

    monkeypatch.setattr(engine.dialect, "do_commit", fail_once)
    monkeypatch.setattr(queries, "record_arrival", count_and_arm)
    outcome = door.send(dataset)
    assert outcome.kind is OutcomeKind.TRY_AGAIN
    strays = door.files() - door.row_paths()
    assert len(strays) == 1 and strays <= door.site.files.in_flight_paths()


def test_after_shut_down_the_sender_is_asked_to_try_again(door: IntakeSite) -> None:
    assert door.intake.shut_down()
    outcome = door.send()
    assert (outcome.kind, outcome.reason) == (OutcomeKind.TRY_AGAIN, FailureReason.SHUTTING_DOWN)
    assert door.files() == set()
    assert [row.reason for row in door.discarded()] == ["shutting-down"]


def test_shut_down_waits_for_instances_under_way(door: IntakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, go_on = threading.Event(), threading.Event()
    real = FileStore.store

    def slow(self: FileStore, *args: Any) -> Any:
        entered.set()
        assert go_on.wait(20)
        return real(self, *args)

    monkeypatch.setattr(FileStore, "store", slow)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(door.send()))
    thread.start()
    assert entered.wait(20)
    assert not door.intake.shut_down(timeout_seconds=0)
    go_on.set()
    assert door.intake.shut_down()
    thread.join()
    assert outcomes[0].kind is OutcomeKind.STORED


def test_anything_unexpected_is_an_answer_and_a_row_but_no_text(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **keywords: Any) -> None:
        raise KeyError("Doe^Jane")

    monkeypatch.setattr("prearchive.intake.identify", fail)
    with structlog.testing.capture_logs() as logs:
        outcome = door.send()
    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, FailureReason.INTERNAL)
    assert [row.reason for row in door.discarded()] == ["internal"]
    assert [entry["error"] for entry in logs] == ["KeyError"] and "Doe" not in str(logs)


def test_a_name_that_a_row_has_while_its_file_is_missing_is_not_used(door: IntakeSite) -> None:
    dataset = make_dataset()
    door.send(dataset)
    (path,) = door.files()
    (door.site.root / path).unlink()
    dataset.InstitutionName = "elsewhere"
    assert door.send(dataset).kind is OutcomeKind.CONFLICTING
    assert len({row.file_name for row in door.instances()}) == 2


# Others are at work


def test_an_instance_whose_session_is_moved_while_its_file_is_written_starts_again(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset()
    first = door.send(dataset)
    before = door.session(first.session_id)
    target = before.path.replace("Unassigned", "P1")
    real = FileStore.store
    moved: list[bool] = []

    def move_after(self: FileStore, *args: Any) -> Any:
        stored = real(self, *args)
        if not moved:
            moved.append(True)
            self.move_folder(before.path, target)
            door.set_session(first.session_id, path=target, project="P1", state=SessionState.READY)
        return stored

    monkeypatch.setattr(FileStore, "store", move_after)
    dataset.SOPInstanceUID, dataset.InstanceNumber = generate_uid(), 2
    outcome = door.send(dataset)
    assert (outcome.kind, outcome.session_id) == (OutcomeKind.STORED, first.session_id)
    agree(door)
    assert all(path.startswith(target) for path in door.files())


def test_what_arrives_while_a_session_is_busy_waits_in_a_session_of_its_own(door: IntakeSite) -> None:
    dataset = make_dataset(PatientComments="Project:P1")
    first = door.send(dataset)
    door.set_session(first.session_id, state=SessionState.ARCHIVING, open_key=None)
    outcomes = []
    for _ in range(2):
        dataset.SOPInstanceUID = generate_uid()
        outcomes.append(door.send(dataset))
    assert outcomes[0].session_id == outcomes[1].session_id != first.session_id
    waiting = door.session(outcomes[0].session_id)
    assert (waiting.waits_for_id, waiting.project) == (first.session_id, "P1")
    agree(door)


def test_an_instance_that_never_finds_a_quiet_session_may_be_sent_again(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset()
    first = door.send(dataset)
    real = queries.lock_session

    def moved(*arguments: Any) -> Any:
        session, copies = cast(tuple[queries.KnownSession, list[str]], real(*arguments))
        return session._replace(path="prearchive/elsewhere"), copies

    monkeypatch.setattr(queries, "lock_session", moved)
    dataset.SOPInstanceUID = generate_uid()
    outcome = door.send(dataset)
    monkeypatch.undo()
    assert outcome.kind is OutcomeKind.TRY_AGAIN
    assert len(door.instances(session_id=first.session_id)) == 1
    agree(door)


def test_eight_threads_store_one_study_at_once(door: IntakeSite) -> None:
    study, shared = generate_uid(), [make_dataset() for _ in range(4)]
    for dataset in shared:
        dataset.StudyInstanceUID = study
    outcomes: list[Outcome] = []
    barrier = threading.Barrier(8)

    def send(number: int) -> None:
        sender = make_sender()
        barrier.wait()
        for turn in range(4):
            own = make_dataset(StudyInstanceUID=study, SeriesNumber=turn, InstanceNumber=number)
            outcomes.append(door.send(own, sender=sender))
            outcomes.append(door.send(shared[turn], sender=sender))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = [outcome.kind for outcome in outcomes]
    assert kinds.count(OutcomeKind.STORED) == 36 and kinds.count(OutcomeKind.DUPLICATE) == 28
    assert len(door.sessions()) == 1
    assert len(door.rows(queries.ASSOCIATION)) == 8
    agree(door)


def test_a_session_opened_in_vain_is_removed_unless_another_thread_has_filled_it(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = generate_uid()
    real = FileStore.store
    calls: list[str] = []

    def fail_first(self: FileStore, *args: Any) -> Any:
        calls.append(args[0])
        if len(calls) == 1:
            assert door.send(make_dataset(StudyInstanceUID=study)).kind is OutcomeKind.STORED
            raise StorageTroubleError("full")
        return real(self, *args)

    monkeypatch.setattr(FileStore, "store", fail_first)
    assert door.send(make_dataset(StudyInstanceUID=study)).kind is OutcomeKind.TRY_AGAIN
    assert len(door.sessions()) == 1
    agree(door)


# Associations


def test_scripts_are_read_again_for_the_next_association(door: IntakeSite) -> None:
    door.send()
    path = door.settings.site_script_path
    path.write_text('(0012,0063) := "v02, longer"\n')
    door.send()
    assert door.rows(queries.SCRIPT_VERSION)[0].script_text != path.read_text()
    door.intake.association_started(door.sender)
    door.send()
    assert door.rows(queries.SCRIPT_VERSION)[1].script_text == path.read_text()
    door.intake.association_ended(door.sender)
    door.send()
    assert len(door.rows(queries.ASSOCIATION)) == 1
    assert len(door.rows(queries.SCRIPT_VERSION)) == 2


def test_an_import_has_no_status_in_its_audit_rows(door: IntakeSite) -> None:
    intake = Intake(door.site)
    intake.accept(door.incoming(make_dataset(SOPInstanceUID=None)))
    assert [row.status for row in door.discarded()] == [None]


def test_no_log_line_holds_a_value_of_the_data_set(tmp_path: Path) -> None:
    script = '(0012,0063) := "v01"\n(0020,000D) := hashUID[(0020,000D)]\n'
    with structlog.testing.capture_logs() as logs, opened(tmp_path, script) as door:
        dataset = make_dataset(PatientName="Secret^Name", PatientID="SECRET-ID", StudyInstanceUID="1.2.77.88")
        door.send(dataset)
        door.send(dataset)
        dataset.PatientComments = "Secret"
        door.send(dataset)
        door.send(make_dataset(SOPInstanceUID="Secret", PatientName="Secret^Name"))
    text = str(logs)
    assert "Secret" not in text and "SECRET" not in text and "1.2.77.88" not in text
    assert [entry["event"] for entry in logs if entry["event"] != "session_state_changed"] == [
        "script_changed",
        "session_opened",
        "instance_stored",
        "instance_duplicate",
        "instance_stored",
        "instance_failed",
    ]


def test_a_site_opened_twice_keeps_its_key_and_finds_its_sessions(tmp_path: Path) -> None:
    dataset = make_dataset()
    with opened(tmp_path) as door:
        first = door.send(dataset)
    with opened(tmp_path) as door:
        dataset.SOPInstanceUID = generate_uid()
        assert door.send(dataset).session_id == first.session_id
        assert isinstance(door.site, Site)


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), MemoryError(), FileNotFoundError()])
def test_what_is_not_the_objects_fault_may_be_sent_again(
    door: IntakeSite, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def failing(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(FileStore, "store", failing)
        outcome = door.send()
    assert (outcome.kind, outcome.reason) == (OutcomeKind.TRY_AGAIN, FailureReason.OUT_OF_RESOURCES)
    assert [row.reason for row in door.discarded()] == ["out-of-resources"]
    assert door.sessions() == [] and door.files() == set()
