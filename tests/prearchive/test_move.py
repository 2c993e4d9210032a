"""Moving to another project: one rename, labels unchanged, late instances follow."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import generate_uid
from review_site import review_site, study

from prearchive import move
from prearchive.errors import NotFoundError, StateRefusedError, StorageTroubleError
from prearchive.manifest import read_manifest
from prearchive.states import SessionState


def test_the_folder_moves_with_timestamp_and_name(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(project="nowhere"))
        before = made.record(session_id)
        row = move.move_session(made.site, session_id, project="Two", who="anna")
        assert (row.project, row.status, row.session) == ("P2", "READY", before.label)
        after = made.record(session_id)
        assert after.path == f"prearchive/P2/{before.timestamp}/{before.folder}"
        assert after.pinned and after.work is None and after.lease_owner is None
        assert made.files() == made.row_paths() | {f"{after.path}/manifest.json"}
        assert not (made.site.root / "prearchive" / "Unassigned").exists()
        assert made.history(session_id)[-2:] == ["move", "moved"]
        history = read_manifest(made.site.files, after.path).rows.history
        assert history[-1].text == "Moved from Unassigned to P2"


def test_late_instances_follow_a_moved_session(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        datasets = study(2, StudyInstanceUID=generate_uid())
        session_id = made.ready(datasets[:1])
        move.move_session(made.site, session_id, project="P2", who="anna")
        assert made.send(datasets[1]).session_id == session_id


def test_what_cannot_be_moved_stays(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        with pytest.raises(NotFoundError, match="NOPE"):
            move.move_session(made.site, session_id, project="NOPE", who="anna")
        with pytest.raises(NotFoundError):
            move.move_session(made.site, 99, project="P2", who="anna")
        with pytest.raises(StateRefusedError, match="already"):
            move.move_session(made.site, session_id, project="P1", who="anna")
        made.set_session(session_id, state=SessionState.CONFLICT)
        with pytest.raises(StateRefusedError, match="CONFLICT"):
            move.move_session(made.site, session_id, project="P2", who="anna")
        receiving = made.arrive(study(PatientID="R"))
        with pytest.raises(StateRefusedError, match="RECEIVING"):
            move.move_session(made.site, receiving, project="P2", who="anna")


def test_a_taken_folder_gives_the_next_name(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        record = made.record(session_id)
        taken = made.site.root / "prearchive" / "P2" / record.timestamp / record.folder
        taken.mkdir(parents=True)
        move.move_session(made.site, session_id, project="P2", who="anna")
        moved = made.record(session_id)
        assert moved.folder == f"{record.folder}_1"
        assert moved.path.endswith(f"/{record.folder}_1")
        assert all(path.is_file() for path in made.paths_of(session_id))


def test_trouble_with_the_disk_leaves_the_session_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        before = made.record(session_id)

        def refuse(source: str, target: str) -> None:
            raise StorageTroubleError("no")

        monkeypatch.setattr(made.site.files, "move_folder", refuse)
        with pytest.raises(StorageTroubleError):
            move.move_session(made.site, session_id, project="P2", who="anna")
        after = made.record(session_id)
        assert (after.state, after.path, after.project) == (before.state, before.path, before.project)
        assert (after.open_key, after.work) == (before.open_key, None)


def test_a_study_with_another_session_in_the_project_keeps_both(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        common = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
        first = made.ready(study(1, project="P1", **common))
        second = made.ready(study(1, project="P2", **common))
        assert first != second
        move.move_session(made.site, first, project="P2", who="anna")
        assert made.record(first).project == "P2"
        assert made.record(first).open_key is None
        assert "study-has-another-session" in made.warnings(first)


def test_a_session_whose_folder_is_gone_is_still_moved(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        made.site.files.remove_folder(made.record(session_id).path)
        assert move.move_session(made.site, session_id, project="P2", who="anna").project == "P2"
