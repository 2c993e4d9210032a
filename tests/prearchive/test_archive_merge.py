"""Archiving into a session that is archived already: append, delete, what is replaced, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import CTImageStorage, generate_uid
from review_site import ReviewSite, review_site, study

from prearchive import manifest, views
from prearchive.archive import archive_session, plan_archive
from prearchive.errors import ArchiveConflictError, NotFoundError, StateRefusedError
from prearchive.references import get_session_id
from prearchive.states import SessionState

STUDY = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}


def archive(made: ReviewSite, session_id: int, overwrite: str = "none", **options: Any) -> views.SessionRow:
    return archive_session(made.site, session_id, who="anna", confirm=True, overwrite=overwrite, **options)


def codes(made: ReviewSite, session_id: int, overwrite: str = "none") -> set[tuple[int, str]]:
    plan = plan_archive(made.site, session_id, overwrite=overwrite)
    return {(notice.code, notice.kind) for notice in plan.notices}


def check_agreement(made: ReviewSite, archived_id: int) -> None:
    """Rows, files, counts and manifest of an archived session say the same."""
    rows = views.list_files(made.site, archived_id)
    assert {row.path for row in rows} | {made.record(archived_id).path + "/manifest.json"} == {
        name for name in made.files() if name.startswith("archive/")
    }
    assert all(made.site.files.digest_of(row.path) == (row.size, row.digest) for row in rows)
    record = made.record(archived_id)
    assert (record.instance_count, record.size_bytes) == (len(rows), sum(row.size for row in rows))
    found = manifest.read_manifest(made.site.files, record.path).rows
    assert sorted(instance.digest for _, instance in found.instances()) == sorted(row.digest for row in rows)


def test_append_adds_the_instances_that_are_new(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        datasets = study(5, **STUDY)
        first = made.ready(datasets[:3])
        archive(made, first)
        second = made.ready(datasets[3:])
        assert codes(made, second) == {(1, "CONFLICT"), (16, "CONFLICT")}
        row = archive(made, second, "append")
        assert (row.id, row.instances) == (first, 5)
        check_agreement(made, first)
        source = made.record(second)
        assert (source.state, source.merged_into_id) == (SessionState.DELETED, first)
        assert made.history(first)[-1] == "merged"
        assert made.history(second)[-1] == "merged"
        assert not [name for name in made.files() if not name.startswith("archive/")]
        assert [row.id for row in views.list_sessions(made.site, "trash")] == []
        with pytest.raises(NotFoundError, match="merged into session"):
            get_session_id(made.site, str(second), "trash")


def test_append_refuses_instances_that_are_there_and_changes_nothing(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        datasets = study(3, **STUDY)
        first = made.ready(datasets[:2])
        archive(made, first)
        before = made.files()
        second = made.ready(datasets[1:])
        with pytest.raises(ArchiveConflictError, match="CONFLICT-14"):
            archive(made, second, "append")
        assert made.record(second).state is SessionState.CONFLICT
        assert {name for name in made.files() if name.startswith("archive/")} == before
        assert not [name for name in made.files() if name.startswith("tmp/")]
        assert made.record(first).work is None and made.record(first).lease_owner is None
        check_agreement(made, first)


def test_delete_replaces_them_and_keeps_what_was_replaced_in_the_trash(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        datasets = study(3, **STUDY)
        first = made.ready(datasets[:2])
        archive(made, first)
        old = {dataset.SOPInstanceUID: dataset for dataset in made.datasets_of(first)}
        datasets[1].ImageComments = "newer"
        second = made.ready(datasets[1:])
        row = archive(made, second, "delete")
        assert (row.id, row.instances) == (first, 3)
        check_agreement(made, first)
        stored = {dataset.SOPInstanceUID: dataset for dataset in made.datasets_of(first)}
        assert stored[datasets[1].SOPInstanceUID].ImageComments == "newer"
        assert "ImageComments" not in old[datasets[1].SOPInstanceUID]
        trash = [name for name in made.files() if name.startswith("trash/")]
        assert len(trash) == 1 and trash[0].startswith(f"trash/replaced_{first}_")
        (discarded,) = views.show_session(made.site, first).discarded
        assert (discarded.outcome, discarded.reason) == ("duplicate", "replaced-in-archive")


def test_another_study_is_refused_by_append_and_merged_by_delete(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        first = made.ready(study(2))
        archive(made, first)
        second = made.ready(study(2))
        assert (5, "CONFLICT") in codes(made, second, "append")
        with pytest.raises(ArchiveConflictError, match="CONFLICT-5"):
            archive(made, second, "append")
        study_uid = made.record(first).study_uid
        row = archive(made, second, "delete")
        assert (row.instances, row.study_uid) == (4, study_uid)
        check_agreement(made, first)


def test_another_modality_is_refused_in_every_mode(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        archive(made, made.ready(study(1, **STUDY)))
        other = study(
            1, StudyInstanceUID=STUDY["StudyInstanceUID"], SOPClassUID=CTImageStorage, Modality="CT"
        )
        second = made.ready(other)
        assert (19, "FAIL") in codes(made, second)
        for mode in ("append", "delete"):
            with pytest.raises(ArchiveConflictError, match="FAIL-19"):
                archive(made, second, mode)


def test_an_unknown_series_with_a_taken_number_is_renamed_and_later_files_join_it(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        study_uid = STUDY["StudyInstanceUID"]
        first = made.ready(study(1, **STUDY))
        archive(made, first)
        other = study(2, StudyInstanceUID=study_uid)
        second = made.ready(other[:1])
        assert (17, "CONFLICT") in codes(made, second, "append")
        archive(made, second, "append")
        third = made.ready(other[1:])
        assert (16, "CONFLICT") in codes(made, third, "append")
        archive(made, third, "append")
        scans = {scan.id: scan.files for scan in views.show_session(made.site, first).scans}
        assert scans == {"1": 1, "1-MR1": 2}
        check_agreement(made, first)


def test_a_known_series_that_a_newcomer_renamed_joins_its_scan(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        first = made.ready(study(1, **STUDY))
        archive(made, first)
        newcomer = study(1, StudyInstanceUID=STUDY["StudyInstanceUID"])
        second = made.ready([*newcomer, *study(1, **STUDY)])
        assert {scan.id for scan in views.show_session(made.site, second).scans} == {"1", "1-MR1"}
        assert {16, 17} <= {code for code, _ in codes(made, second, "append")}
        archive(made, second, "append")
        scans = {scan.id: scan.files for scan in views.show_session(made.site, first).scans}
        assert scans == {"1": 2, "1-MR1": 1}
        check_agreement(made, first)


def test_data_that_no_script_has_seen_are_still_named_so_after_a_merge(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        first = made.ready(study(1, **STUDY))
        archive(made, first)
        raw = made.ready(study(1, StudyInstanceUID=STUDY["StudyInstanceUID"]), anonymize=False)
        assert [warning.code for warning in views.get_row(made.site, raw).warnings] == ["not-anonymized"]
        archive(made, raw, "delete")
        details = views.show_session(made.site, first)
        assert [warning.code for warning in details.row.warnings] == ["not-anonymized"]
        assert not details.anonymize
        check_agreement(made, first)


def test_a_known_series_with_another_number_needs_delete_and_keeps_the_archived_scan(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        first = made.ready(study(1, **STUDY))
        archive(made, first)
        second = made.ready(study(1, SeriesNumber=7, **STUDY))
        assert (18, "CONFLICT") in codes(made, second)
        with pytest.raises(ArchiveConflictError, match="CONFLICT-18"):
            archive(made, second, "append")
        archive(made, second, "delete")
        assert {scan.id: scan.files for scan in views.show_session(made.site, first).scans} == {"1": 2}
        check_agreement(made, first)


def test_two_versions_of_an_instance_need_delete_and_are_both_archived(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        (dataset,) = study(1, **STUDY)
        session_id = made.arrive([dataset])
        dataset.ImageComments = "other content"
        assert made.send(dataset).session_id == session_id
        from prearchive.settle import rebuild_session

        assert rebuild_session(made.site, session_id, "anna").status == "CONFLICT"
        assert (22, "WARN") in codes(made, session_id)
        with pytest.raises(ArchiveConflictError, match="WARN-22"):
            archive(made, session_id, "append")
        assert archive(made, session_id, "delete").instances == 2
        check_agreement(made, session_id)


def test_nobody_merges_into_a_session_that_is_being_merged_into(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        first = made.ready(study(1, **STUDY))
        archive(made, first)
        second = made.ready(study(1, **STUDY))
        made.set_session(first, work={"merging": 99}, lease_owner="someone")
        with pytest.raises(StateRefusedError, match="CONFLICT-10"):
            archive(made, second, "append")
        assert made.record(second).state is SessionState.READY


def test_a_label_that_is_just_being_archived_is_taken(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        first, second = made.ready(study(1)), made.ready(study(1))
        made.set_session(first, state=SessionState.ARCHIVING, archived_key="P1|pid-1", open_key=None)
        with pytest.raises(StateRefusedError, match="in progress"):
            archive(made, second)
        assert made.record(second).state is SessionState.READY


def test_a_discarded_duplicate_counts_for_the_session_it_was_merged_into(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        datasets = study(2, **STUDY)
        first = made.ready(datasets[:1])
        archive(made, first)
        second = made.arrive(datasets[1:])
        made.send(datasets[1])
        made.ready([datasets[1]])
        archive(made, second, "append")
        (discarded,) = views.show_session(made.site, first).discarded
        assert (discarded.outcome, discarded.count) == ("duplicate", 2)
