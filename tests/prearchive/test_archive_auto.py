"""Archiving by the project's policy, and what arrives while a session is being archived."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import make_dataset
from intake_site import START
from pydicom.uid import generate_uid
from review_site import ReviewSite, review_site, study

from prearchive import archive_auto, archive_staging, labels
from prearchive.archive import archive_session, auto_archive_ready
from prearchive.db import queries
from prearchive.errors import ArchiveScriptError, StorageTroubleError
from prearchive.settle import rebuild_session
from prearchive.states import SessionState

AUTO: dict[str, Any] = {
    "projects": {"P1": {"prearchive": "auto"}, "P2": {"prearchive": "overwrite"}, "P3": {}}
}
COMMON = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}


def test_the_policy_archives_and_confirms_as_itself(tmp_path: Path) -> None:
    with review_site(tmp_path, **AUTO) as made:
        auto = made.ready(study(PatientID="A"))
        manual = made.ready(study(PatientID="M", project="P3"))
        unassigned = made.ready(study(PatientID="U", project="nowhere"))
        receiving = made.arrive(study(PatientID="R"))
        assert auto_archive_ready(made.site) == [auto]
        assert made.record(auto).confirmed_by == archive_auto.POLICY_NAME
        for session_id in (manual, unassigned):
            assert made.record(session_id).state is SessionState.READY
        assert made.record(receiving).state is SessionState.RECEIVING
        assert auto_archive_ready(made.site) == []


def test_the_first_instances_word_beats_the_policy(tmp_path: Path) -> None:
    with review_site(tmp_path, **AUTO) as made:
        yes = made.ready(study(project="P3", PatientID="Y", PatientComments="Project:P3 AA:true"))
        no = made.ready(study(PatientID="N", PatientComments="Project:P1 AA:false"))
        assert auto_archive_ready(made.site) == [yes]
        assert made.record(no).state is SessionState.READY


def test_doubtful_labels_wait_for_a_person(tmp_path: Path) -> None:
    with review_site(tmp_path, **AUTO) as made:
        for warning in sorted(archive_auto.BLOCKING_WARNINGS):
            session_id = made.ready(study(1))
            with made.site.engine.begin() as connection:
                queries.add_warning(connection, session_id, warning, "doubt", START)
            before = made.history(session_id)
            assert auto_archive_ready(made.site) == []
            assert made.history(session_id) == before


def test_placeholders_and_sessions_in_a_persons_hands_wait(tmp_path: Path) -> None:
    with review_site(tmp_path, **AUTO) as made:
        nameless = made.ready(study(PatientName="", PatientID=""))
        labelled = made.ready(study(PatientID="L"))
        labels.confirm(made.site, labelled, session="L1", who="anna")
        before = [made.history(number) for number in (nameless, labelled)]
        assert auto_archive_ready(made.site) == []
        assert [made.history(number) for number in (nameless, labelled)] == before


def test_code_4_merges_and_conflicts_on_the_same_instances_code_5_replaces(tmp_path: Path) -> None:
    with review_site(tmp_path, **AUTO) as made:
        datasets = study(3, **COMMON)
        first = made.ready(datasets[:1])
        auto_archive_ready(made.site)
        second = made.ready(datasets[1:2])
        assert auto_archive_ready(made.site) == [first]
        assert made.record(second).merged_into_id == first
        third = made.ready(datasets[1:])
        assert auto_archive_ready(made.site) == []
        assert made.record(third).state is SessionState.CONFLICT
        assert auto_archive_ready(made.site) == []
        for dataset in datasets:
            dataset.StudyDescription = "P2"
        fourth = made.ready(datasets[:2])
        assert auto_archive_ready(made.site) == [fourth]
        fifth = made.ready(datasets[1:])
        assert auto_archive_ready(made.site) == [fourth]
        assert made.record(fifth).merged_into_id == fourth
        assert made.record(fourth).instance_count == 3


def test_trouble_with_one_session_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with review_site(tmp_path, **AUTO) as made:
        first, second = made.ready(study(PatientID="1")), made.ready(study(PatientID="2"))
        original = archive_session

        def sometimes(site: Any, session_id: int, **options: Any) -> Any:
            if session_id == first:
                raise RuntimeError("unforeseen")
            return original(site, session_id, **options)

        monkeypatch.setattr(archive_auto, "archive_session", sometimes)
        assert auto_archive_ready(made.site) == [second]


def during(made: ReviewSite, monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Do something while a session is ARCHIVING: just before the folder gets to its place."""
    original = made.site.files.move_folder

    def moving(source: str, target: str) -> None:
        if target.startswith("archive/"):
            act()
        original(source, target)

    monkeypatch.setattr(made.site.files, "move_folder", moving)


def test_what_arrives_during_archiving_becomes_a_session_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with review_site(tmp_path) as made:
        datasets = study(2, **COMMON)
        session_id = made.ready(datasets[:1])
        arrived: list[int | None] = []
        during(made, monkeypatch, lambda: arrived.append(made.send(datasets[1]).session_id))
        archive_session(made.site, session_id, who="anna", confirm=True)
        (late,) = arrived
        assert late is not None and late != session_id
        record = made.record(late)
        assert (record.state, record.waits_for_id) == (SessionState.RECEIVING, None)
        assert record.open_key is not None
        assert made.record(session_id).instance_count == 1


def test_what_arrives_during_a_failed_archiving_joins_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with review_site(tmp_path) as made:
        datasets = study(2, **COMMON)
        session_id = made.ready(datasets[:1])

        def arrive_and_fail() -> None:
            assert made.send(datasets[1]).session_id != session_id
            raise StorageTroubleError("full")

        during(made, monkeypatch, arrive_and_fail)
        with pytest.raises(StorageTroubleError):
            archive_session(made.site, session_id, who="anna", confirm=True)
        record = made.record(session_id)
        assert (record.state, record.instance_count) == (SessionState.RECEIVING, 2)
        assert made.files() >= made.row_paths()
        assert not [name for name in made.files() if name.startswith(("tmp/", "archive/"))]
        rebuild_session(made.site, session_id, "anna")
        assert made.record(session_id).state is SessionState.READY


def test_an_unforeseen_error_puts_everything_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        before = made.record(session_id)

        def interrupt() -> None:
            raise KeyboardInterrupt

        during(made, monkeypatch, interrupt)
        with pytest.raises(KeyboardInterrupt):
            archive_session(made.site, session_id, who="anna", confirm=True)
        after = made.record(session_id)
        assert (after.state, after.open_key, after.archived_key) == (before.state, before.open_key, None)
        assert made.history(session_id)[-1] == "archive_refused"


def test_a_script_error_is_the_cause_and_holds_no_values(tmp_path: Path) -> None:
    script = 'version "6.3"\n(0008,0018) := (0010,0010)\n'
    with review_site(tmp_path, project_script=script) as made:
        session_id = made.ready([make_dataset(StudyDescription="P1", PatientName="Secret^Name")])
        with pytest.raises(ArchiveScriptError) as caught:
            archive_session(made.site, session_id, subject="S", who="anna", confirm=True)
        assert "Secret" not in str(caught.value)
        assert caught.value.__cause__ is not None


def test_trouble_of_the_disk_is_not_met_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageTroubleError("the disk is full")

    with review_site(tmp_path, **AUTO) as made:
        session_id = made.ready()
        with monkeypatch.context() as patch:
            patch.setattr(archive_staging, "stage", full)
            for _ in range(5):
                assert auto_archive_ready(made.site) == []
                made.clock.go_on(2)
        assert made.record(session_id).state is SessionState.READY
        assert made.history(session_id).count("archive_refused") == 1
        made.clock.go_on(archive_auto.RETRY_AFTER.total_seconds())
        assert auto_archive_ready(made.site) == [session_id]
