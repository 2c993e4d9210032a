"""Into the trash and back: nothing is erased, everything returns as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import generate_uid
from review_site import review_site, study

from prearchive import trash, views
from prearchive.archive import archive_session
from prearchive.errors import StateRefusedError, StorageTroubleError
from prearchive.states import SessionState


def test_a_deleted_session_is_in_the_trash_and_comes_back_as_it_was(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        before, files = made.record(session_id), made.files()
        row = trash.delete_session(made.site, session_id, who="anna")
        assert row.status == "DELETED"
        deleted = made.record(session_id)
        assert deleted.path.startswith(f"trash/{session_id}_")
        assert deleted.open_key is None
        assert all(path.is_file() for path in made.paths_of(session_id))
        assert not list((made.site.root / "prearchive").iterdir())
        made.clock.go_on(60)
        assert trash.restore_session(made.site, session_id, who="berta").status == "READY"
        after = made.record(session_id)
        assert (after.path, after.folder, after.open_key) == (before.path, before.folder, before.open_key)
        assert (after.deleted_from, after.work, after.lease_owner) == (None, None, None)
        assert made.files() == files
        assert made.history(session_id)[-3:] == ["delete", "deleted", "restored"]


@pytest.mark.parametrize("state", [SessionState.RECEIVING, SessionState.CONFLICT, SessionState.ERROR])
def test_the_state_before_comes_back_too(tmp_path: Path, state: SessionState) -> None:
    with review_site(tmp_path) as made:
        session_id = made.arrive(study())
        made.set_session(session_id, state=state)
        trash.delete_session(made.site, session_id, who="anna")
        assert trash.restore_session(made.site, session_id, who="anna").status == state.value


def test_a_deleted_study_that_comes_again_opens_a_session_and_both_are_kept(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        datasets = study(2, StudyInstanceUID=generate_uid())
        first = made.ready(datasets)
        trash.delete_session(made.site, first, who="anna")
        second = made.arrive(datasets[:1])
        assert second != first
        trash.restore_session(made.site, first, who="anna")
        assert made.record(first).open_key is None
        assert made.record(second).open_key is not None
        assert "study-has-another-session" in made.warnings(first)
        assert {row.id for row in views.list_sessions(made.site)} == {first, second}
        late = study(1, StudyInstanceUID=datasets[0].StudyInstanceUID)
        assert made.arrive(late) == second, "as the warning says"


def test_a_place_that_was_taken_meanwhile_gives_the_next_name(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        path = made.record(session_id).path
        trash.delete_session(made.site, session_id, who="anna")
        (made.site.root / path).mkdir(parents=True)
        trash.restore_session(made.site, session_id, who="anna")
        assert made.record(session_id).path == f"{path}_1"
        assert all(found.is_file() for found in made.paths_of(session_id))


def test_only_what_is_in_the_trash_is_restored_and_only_the_prearchive_deleted(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        with pytest.raises(StateRefusedError, match="READY"):
            trash.restore_session(made.site, session_id, who="anna")
        archive_session(made.site, session_id, who="anna", confirm=True)
        with pytest.raises(StateRefusedError, match="ARCHIVED"):
            trash.delete_session(made.site, session_id, who="anna")
        other = made.ready(study(PatientID="X"))
        made.set_session(other, state=SessionState.DELETED, merged_into_id=session_id)
        with pytest.raises(StateRefusedError, match="merged"):
            trash.restore_session(made.site, other, who="anna")


def test_a_session_that_is_just_being_restored_is_left_alone(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        trash.delete_session(made.site, session_id, who="anna")
        made.set_session(session_id, work={"action": "restore"})
        with pytest.raises(StateRefusedError, match="just being restored"):
            trash.restore_session(made.site, session_id, who="anna")


@pytest.mark.parametrize("action", ["delete", "restore"])
def test_trouble_with_the_disk_leaves_it_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        if action == "restore":
            trash.delete_session(made.site, session_id, who="anna")
        before = made.record(session_id)

        def refuse(source: str, target: str) -> None:
            raise StorageTroubleError("no")

        monkeypatch.setattr(made.site.files, "move_folder", refuse)
        act = trash.delete_session if action == "delete" else trash.restore_session
        with pytest.raises(StorageTroubleError):
            act(made.site, session_id, who="anna")
        after = made.record(session_id)
        assert (after.state, after.path, after.open_key) == (before.state, before.path, before.open_key)
        assert after.work is None


def test_a_session_without_a_folder_can_be_deleted_and_restored(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        made.site.files.remove_folder(made.record(session_id).path)
        trash.delete_session(made.site, session_id, who="anna")
        assert trash.restore_session(made.site, session_id, who="anna").status == "READY"


def test_restoring_onto_a_folder_that_appeared_leaves_the_session_in_the_trash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        trash.delete_session(made.site, session_id, who="anna")
        original = made.site.files.move_folder

        def taken_meanwhile(source: str, target: str) -> None:
            (made.site.root / target / "SCANS").mkdir(parents=True)
            original(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(made.site.files, "move_folder", taken_meanwhile)
            with pytest.raises(StateRefusedError, match="just been taken"):
                trash.restore_session(made.site, session_id, who="anna")
        assert made.record(session_id).state is SessionState.DELETED
        assert all(path.is_file() for path in made.paths_of(session_id))
        trash.restore_session(made.site, session_id, who="anna")
        assert all(path.is_file() for path in made.paths_of(session_id))
