"""Archiving: project script, labels, refusals, states afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from builders import make_dataset
from pydicom.uid import generate_uid
from review_site import ReviewSite, review_site, study

from anon import ApplyReport, Script
from anon.encoding.instance import EncodedInstance
from anon.encoding.text import first_text
from prearchive import archive_staging, labels, views
from prearchive.archive import archive_session, plan_archive
from prearchive.errors import (
    AllRejectedError,
    ArchiveConflictError,
    ArchiveScriptError,
    BadLabelError,
    ConfigurationProblemError,
    ConfirmationNeededError,
    DamagedFileError,
    NotFoundError,
    StateRefusedError,
)
from prearchive.scripts import LoadedScript
from prearchive.states import SessionState

WHO = "anna"


def archive(made: ReviewSite, session_id: int, **options: Any) -> views.SessionRow:
    options.setdefault("confirm", True)
    return archive_session(made.site, session_id, who=WHO, **options)


def snapshot(made: ReviewSite, session_id: int) -> Any:
    record = made.record(session_id)
    return record.state, record.subject, record.label, record.project, record.path, sorted(made.files())


def test_the_project_script_runs_with_xnats_variables_on_every_file(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(3))
        seen: list[tuple[int, int]] = []
        row = archive(
            made, session_id, subject="S01", session="S01_v01_mr", progress=lambda *step: seen.append(step)
        )
        assert (row.id, row.project, row.subject, row.session, row.status) == (
            session_id, "P1", "S01", "S01_v01_mr", "ARCHIVED",
        )  # fmt: skip
        assert seen[-1] == (3, 3)
        stored = made.datasets_of(session_id)
        assert len(stored) == 3
        for dataset in stored:
            assert dataset.StudyDescription == "P1"
            assert dataset.PatientName == "S01"
            assert dataset.PatientID == "S01_v01_mr"
            assert "PatientBirthDate" not in dataset
        assert all(
            str(path).startswith(str(made.site.root / "archive/P1/S01/S01_v01_mr/SCANS/1/DICOM/"))
            for path in made.paths_of(session_id)
        )
        record = made.record(session_id)
        assert (record.confirmed_by, record.subject_source, record.label_source) == (WHO, "person", "person")
        assert record.work is None and record.lease_owner is None and record.open_key is None
        assert made.history(session_id)[-2:] == ["archive_requested", "archived"]


def test_after_archiving_only_archive_and_manifest_are_left(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        archive(made, session_id)
        assert made.files() == made.row_paths() | {"archive/P1/Doe_Jane/PID-1/manifest.json"}
        assert not (made.site.root / "prearchive" / "P1").exists()


def test_rows_and_files_agree_after_archiving(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        archive(made, session_id)
        for row in views.list_files(made.site, session_id):
            size, digest = made.site.files.digest_of(row.path)
            assert (size, digest) == (row.size, row.digest)
        for dataset, row in zip(made.datasets_of(session_id), made.instances(), strict=True):
            assert dataset.SOPInstanceUID == row.sop_instance_uid
            assert row.project_script_id is not None
            assert row.site_script_id is not None


def test_a_session_of_a_receiver_without_anonymization_is_archived_byte_for_byte(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(anonymize=False)
        before = [path.read_bytes() for path in made.paths_of(session_id)]
        archive(made, session_id, subject="S1")
        assert [path.read_bytes() for path in made.paths_of(session_id)] == before


def test_a_project_without_script_archives_the_files_as_they_are(tmp_path: Path) -> None:
    with review_site(tmp_path, project_script=None) as made:
        session_id = made.ready()
        before = [path.read_bytes() for path in made.paths_of(session_id)]
        archive(made, session_id)
        assert [path.read_bytes() for path in made.paths_of(session_id)] == before


def test_a_project_script_that_ran_before_and_is_gone_is_not_forgotten(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        archive(made, made.ready(), subject="S1", session="E1")
    made.script_path.unlink()
    with review_site(tmp_path, project_script=None) as made:
        session_id = made.ready()
        before = snapshot(made, session_id)
        with pytest.raises(ConfigurationProblemError, match="gone"):
            archive(made, session_id, subject="S2", session="E2")
        assert snapshot(made, session_id) == before
    with review_site(tmp_path, project_script=None, projects={"P1": {"anonymize": False}}) as made:
        archive(made, session_id, subject="S2", session="E2")


def test_uids_that_the_project_script_changes_reach_rows_and_file_names(tmp_path: Path) -> None:
    script = "(0020,000D) := hashUID[(0020,000D)]\n(0008,0018) := hashUID[(0008,0018)]\n"
    with review_site(tmp_path, project_script=script) as made:
        session_id = made.ready()
        before = made.record(session_id).study_uid
        archive(made, session_id)
        record = made.record(session_id)
        assert record.study_uid not in (None, before)
        for path, dataset in zip(made.paths_of(session_id), made.datasets_of(session_id), strict=True):
            assert path.name.startswith(f"{record.study_uid}-1-")
            assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID


def test_record_leaves_an_item_for_the_project_script(tmp_path: Path) -> None:
    with review_site(tmp_path, anonymization={"record": True}) as made:
        session_id = made.ready()
        archive(made, session_id)
        (item_site, item_project) = made.datasets_of(session_id)[0].DeidentificationMethodCodeSequence
        assert item_site.CodeValue != item_project.CodeValue
        assert str(made.instances()[0].project_script_id) == item_project.CodeValue


def test_the_record_follows_what_the_script_deletes(tmp_path: Path) -> None:
    script = "(0008,1030) := project\n- (0012,0064)\n"
    with review_site(tmp_path, script, anonymization={"record": True}) as made:
        session_id = made.ready()
        archive(made, session_id)
        (item,) = made.datasets_of(session_id)[0].DeidentificationMethodCodeSequence
        assert item.CodeValue == str(made.instances()[0].project_script_id)


@pytest.mark.parametrize("anonymize", [True, False])
def test_without_an_application_or_the_wish_to_record_there_is_no_item(
    tmp_path: Path, anonymize: bool
) -> None:
    with review_site(tmp_path, anonymization={"record": not anonymize}) as made:
        session_id = made.ready(anonymize=anonymize)
        archive(made, session_id)
        assert all(
            "DeidentificationMethodCodeSequence" not in found for found in made.datasets_of(session_id)
        )
        assert all((row.site_script_id is not None) is anonymize for row in made.instances())


def test_a_bad_label_changes_nothing(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        before = snapshot(made, session_id)
        for label in ("a/b", "", "ä", "x" * 65, "../x"):
            with pytest.raises(BadLabelError):
                archive(made, session_id, session=label)
            with pytest.raises(BadLabelError):
                archive(made, session_id, subject=label)
        assert snapshot(made, session_id) == before


def test_states_and_labels_that_forbid_archiving_change_nothing(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        receiving = made.arrive(study())
        nameless = made.ready(study(PatientName="", PatientID=""))
        unassigned = made.ready(study(project="nowhere"))
        empty = made.ready(study())
        made.set_session(empty, instance_count=0)
        broken = made.ready(study())
        made.set_session(broken, state=SessionState.ERROR)
        for session_id in (receiving, nameless, unassigned, empty, broken):
            before = snapshot(made, session_id)
            with pytest.raises(StateRefusedError):
                archive(made, session_id)
            assert plan_archive(made.site, session_id).refused
            assert snapshot(made, session_id) == before


def test_keyed_labels_never_reach_the_archive_without_a_person(tmp_path: Path) -> None:
    script = '(0010,0010) := "ANON"\n(0010,0020) := "ANON"\n'
    with review_site(tmp_path, script=script) as made:
        session_id = made.ready()
        assert made.record(session_id).label.startswith("session_")
        with pytest.raises(StateRefusedError, match="unlabelled"):
            archive(made, session_id)
        with pytest.raises(StateRefusedError, match="unlabelled"):
            archive(made, session_id, session="L1")
        assert archive(made, session_id, session="L1", subject="S1").session == "L1"


def test_a_person_may_give_even_a_label_that_looks_like_none(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(PatientName="", PatientID=""))
        labels.confirm(made.site, session_id, subject="S1", session="dicom_upload", who=WHO)
        assert archive(made, session_id).session == "dicom_upload"


def test_nobody_confirmed_the_labels(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        with pytest.raises(ConfirmationNeededError):
            archive(made, session_id, confirm=False)
        labels.confirm(made.site, session_id, who="berta")
        archive(made, session_id, confirm=False)
        assert made.record(session_id).confirmed_by == "berta"


def test_project_is_only_given_for_unassigned_sessions(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        unassigned = made.ready(study(project="nowhere"))
        with pytest.raises(NotFoundError):
            archive(made, unassigned, project="NOPE")
        assert archive(made, unassigned, project="P1").project == "P1"
        assigned = made.ready(study(PatientID="PID-2"))
        with pytest.raises(StateRefusedError, match="move"):
            archive(made, assigned, project="P2")
        assert archive(made, assigned, project="P1").project == "P1"


def test_a_script_that_fails_on_one_file_changes_nothing(tmp_path: Path) -> None:
    script = 'version "6.3"\nif ((0020,0013) = "2") { (0008,0018) := "not a uid" }\n'
    with review_site(tmp_path, project_script=script) as made:
        session_id = made.ready(study(3))
        before = snapshot(made, session_id)
        plan = plan_archive(made.site, session_id)
        assert isinstance(plan.refusal, ArchiveScriptError)
        with pytest.raises(ArchiveScriptError, match="1 of 3 files"):
            archive(made, session_id, session="OTHER")
        after = snapshot(made, session_id)
        assert after[0] is SessionState.ERROR
        assert after[1:] == before[1:]
        assert "archive-failed" in made.warnings(session_id)
        record = made.record(session_id)
        assert record.archived_key is None and record.work is None and record.open_key is not None


class RejectingScript:
    """Rejects the instances with these Instance Numbers, and changes nothing."""

    language = "6.x"

    def __init__(self, *numbers: str) -> None:
        self.numbers = numbers

    def apply_encoded(
        self, instance: EncodedInstance, variables: Any, *, record_id: Any = None
    ) -> ApplyReport:
        is_rejected = first_text(instance.dataset, 0x00200013) in self.numbers
        return ApplyReport("rejected" if is_rejected else "ok")

    def propose_session_label(self, *_: Any) -> None:
        return None


def reject(made: ReviewSite, monkeypatch: pytest.MonkeyPatch, *numbers: str) -> None:
    loaded = LoadedScript(cast(Script, RejectingScript(*numbers)), "reject", "0" * 64, "projects/P1.das")
    monkeypatch.setattr(made.site.scripts, "project", lambda project: loaded)


def test_rejected_instances_are_left_out_and_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(3))
        reject(made, monkeypatch, "2")
        row = archive(made, session_id)
        assert row.instances == 2
        assert {dataset.InstanceNumber for dataset in made.datasets_of(session_id)} == {1, 3}
        (discarded,) = views.show_session(made.site, session_id).discarded
        assert (discarded.outcome, discarded.count) == ("rejected", 1)
        assert made.files() == made.row_paths() | {"archive/P1/Doe_Jane/PID-1/manifest.json"}


def test_when_all_are_rejected_nothing_changes_but_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        reject(made, monkeypatch, "1", "2")
        before = snapshot(made, session_id)
        assert isinstance(plan_archive(made.site, session_id).refusal, AllRejectedError)
        with pytest.raises(AllRejectedError):
            archive(made, session_id)
        after = snapshot(made, session_id)
        assert (after[0], after[1:]) == (SessionState.ERROR, before[1:])


def test_a_damaged_file_stops_the_archive(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        path = made.paths_of(session_id)[0]
        path.write_bytes(path.read_bytes()[:-2] + b"XY")
        with pytest.raises(DamagedFileError):
            archive(made, session_id)
        assert made.record(session_id).state is SessionState.ERROR
        assert not list((made.site.root / "archive").iterdir())


def test_the_dry_run_shows_changes_and_changes_nothing(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(2, StudyComments="later"))
        before = snapshot(made, session_id)
        plan = plan_archive(made.site, session_id, subject="S9")
        assert not plan.refused
        assert plan.as_json()["labels"] == {"project": "P1", "subject": "S9", "session": "PID-1"}
        assert [(notice.code, notice.kind) for notice in plan.notices] == [(12, "WARN")]
        assert [(change.path, change.before, change.after, change.files) for change in plan.changes] == [
            ("(0010,0010)", "Doe^Jane", "S9", 2)
        ]
        assert json.dumps(plan.as_json())
        assert snapshot(made, session_id) == before


def test_the_dry_run_counts_values_apart_and_shows_removed_and_nested_elements(tmp_path: Path) -> None:
    script = '- (0020,0013)\n- (0040,0275)\n(0010,4000) := "new"\n'
    item = make_dataset()
    with review_site(tmp_path, project_script=script) as made:
        session_id = made.ready(study(2, RequestAttributesSequence=[item]))
        changes = {
            (change.path, change.before, change.after): change.files
            for change in plan_archive(made.site, session_id).changes
        }
        assert changes["(0020,0013)", "1", None] == 1
        assert changes["(0020,0013)", "2", None] == 1
        assert changes["(0010,4000)", None, "new"] == 2
        assert changes["(0040,0275)", "(sequence)", None] == 2
        assert changes["(0040,0275)[0]/(0010,0010)", "Doe^Jane", None] == 2


def test_an_existing_session_is_a_conflict(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        archive(made, made.ready())
        second = made.ready(study())
        plan = plan_archive(made.site, second)
        assert isinstance(plan.refusal, ArchiveConflictError)
        assert {1, 5} <= {notice.code for notice in plan.notices}
        before = snapshot(made, second)
        with pytest.raises(ArchiveConflictError, match="CONFLICT-1"):
            archive(made, second)
        after = snapshot(made, second)
        assert (after[0], after[1:]) == (SessionState.CONFLICT, before[1:])
        assert "archive-conflict" in made.warnings(second)
        with pytest.raises(StateRefusedError):
            archive(made, second)
        assert archive(made, second, session="ANOTHER").session == "ANOTHER"
        assert "archive-conflict" not in made.warnings(second)


def test_labels_of_a_project_differ_by_more_than_case(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        archive(made, made.ready(), session="Visit1")
        with pytest.raises(ArchiveConflictError):
            archive(made, made.ready(study()), session="VISIT1")


def test_the_existing_spelling_of_a_subject_is_used(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        archive(made, made.ready(), subject="Sub1", session="A")
        row = archive(made, made.ready(study()), subject="SUB1", session="B")
        assert row.subject == "Sub1"
        assert all(dataset.PatientName == "Sub1" for dataset in made.datasets_of(row.id))


def test_a_label_under_another_subject_is_refused_in_every_mode(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        archive(made, made.ready(), subject="S1", session="A")
        for mode in ("none", "append", "delete"):
            session_id = made.ready(study())
            with pytest.raises(ArchiveConflictError, match="FAIL-4"):
                archive(made, session_id, subject="S2", session="A", overwrite=mode)
            assert made.record(session_id).state is SessionState.CONFLICT


def test_late_instances_find_the_session_again_after_a_refused_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with review_site(tmp_path) as made:
        reject(made, monkeypatch, "1", "2")
        common = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
        session_id = made.ready(study(2, **common))
        with pytest.raises(AllRejectedError):
            archive(made, session_id)
        late = study(1, **common)[0]
        assert made.send(late).session_id == session_id


def test_data_of_an_archived_session_open_a_new_one(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        common = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
        datasets = study(2, **common)
        session_id = made.ready(datasets)
        archive(made, session_id)
        assert made.send(datasets[0]).session_id != session_id


def test_labels_given_just_before_archiving_begins_are_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = archive_staging.treatment_for

    with review_site(tmp_path) as made:
        session_id = made.ready()
        labels.confirm(made.site, session_id, subject="S1", session="OLD", who="anna")

        def relabelled_meanwhile(*arguments: Any) -> Any:
            labels.confirm(made.site, session_id, session="NEW", who="berta")
            return original(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(archive_staging, "treatment_for", relabelled_meanwhile)
            with pytest.raises(StateRefusedError, match="just been changed"):
                archive_session(made.site, session_id, who="anna")
        assert made.record(session_id).state is SessionState.READY
        assert archive_session(made.site, session_id, who="anna").session == "NEW"
