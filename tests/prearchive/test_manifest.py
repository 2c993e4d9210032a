"""The manifest is enough to rebuild the rows of a session, and holds nothing that it should not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from builders import make_dataset
from review_site import ReviewSite, review_site, study

from prearchive import labels, manifest, move, trash
from prearchive.archive import archive_session
from prearchive.db import queries, session_rows
from prearchive.db.models import ScriptChange
from prearchive.db.session_rows import SessionRows
from prearchive.errors import DamagedFileError, NotFoundError, StateRefusedError
from prearchive.states import SessionState


def rows_of(made: ReviewSite, session_id: int) -> SessionRows:
    with made.site.read_engine.begin() as connection:
        found = session_rows.read_rows(connection, session_id)
    assert found is not None
    return found


def forget_everything(made: ReviewSite) -> None:
    """Lose the database's content, as after a damage without a backup."""
    with made.site.engine.begin() as connection:
        connection.execute(sa.delete(ScriptChange))
        for table in (
            queries.EVENT, queries.WARNING, queries.DISCARDED, queries.INSTANCE, queries.SCAN,
            queries.SESSION, queries.ASSOCIATION, queries.SCRIPT_VERSION,
        ):  # fmt: skip
            connection.execute(table.delete())


def read(made: ReviewSite, session_id: int) -> Any:
    path = made.site.root / made.record(session_id).path / "manifest.json"
    assert path.stat().st_mode & 0o777 == 0o600
    return json.loads(path.read_text())


def test_rows_of_a_ready_session_are_rebuilt_from_its_manifest(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        datasets = study(3)
        session_id = made.ready([*datasets, datasets[0]])
        labels.confirm(made.site, session_id, subject="S1", session="L1", who="anna")
        before, record = rows_of(made, session_id), made.record(session_id)
        forget_everything(made)
        assert manifest.rebuild_rows(made.site, record.path) == session_id
        assert rows_of(made, session_id) == before
        assert made.record(session_id) == record
        assert {str(path) for path in made.paths_of(session_id)}
        late = study(1, StudyInstanceUID=datasets[0].StudyInstanceUID)[0]
        assert made.send(late).session_id == session_id


def test_rows_of_an_archived_session_are_rebuilt_from_its_manifest(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(2))
        archive_session(made.site, session_id, subject="S1", who="anna", confirm=True)
        before, record = rows_of(made, session_id), made.record(session_id)
        forget_everything(made)
        assert manifest.rebuild_rows(made.site, record.path) == session_id
        assert rows_of(made, session_id) == before
        assert made.record(session_id).archived_key == record.archived_key


def test_a_rebuilt_session_takes_another_number_when_its_own_is_taken(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        first = made.ready(study(1))
        path = made.record(first).path
        with pytest.raises(StateRefusedError):
            manifest.rebuild_rows(made.site, path)
        copy = "prearchive/P1/20240101_000000000/COPY"
        shutil.copytree(made.site.root / path, made.site.root / copy)
        second = manifest.rebuild_rows(made.site, copy)
        assert second != first
        assert made.record(second).open_key is None
        assert made.record(second).path == copy


def test_what_was_in_the_trash_is_rebuilt_into_the_trash(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(1))
        former = made.record(session_id).path
        trash.delete_session(made.site, session_id, who="anna")
        path = made.record(session_id).path
        forget_everything(made)
        assert manifest.rebuild_rows(made.site, path) == session_id
        record = made.record(session_id)
        assert (record.state, record.deleted_from) == (
            SessionState.DELETED,
            {"state": "READY", "path": former},
        )
        assert trash.restore_session(made.site, session_id, who="anna").status == "READY"


def test_the_manifest_follows_labels_and_moves(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(1))
        labels.confirm(made.site, session_id, session="L1", who="anna")
        assert read(made, session_id)["session"]["label"] == "L1"
        move.move_session(made.site, session_id, project="P2", who="anna")
        moved = read(made, session_id)
        assert (moved["session"]["project"], moved["session"]["path"]) == ("P2", made.record(session_id).path)
        assert moved["archive_id"] is None
        archive_session(made.site, session_id, who="anna", confirm=True)
        archived = read(made, session_id)
        assert len(archived["archive_id"]) == 32
        manifest.write_manifest(made.site, session_id)
        assert read(made, session_id) == archived


def test_nothing_that_the_script_removes_is_in_the_manifest(tmp_path: Path) -> None:
    script = '(0010,0010) := "ANON"\n(0010,0020) := "ANON"\n(0020,000D) := hashUID[(0020,000D)]\n'
    with review_site(tmp_path, script=script) as made:
        (dataset,) = study(1, PatientName="Marker^One", PatientID="MARKER2")
        session_id = made.ready([dataset])
        text = (made.site.root / made.record(session_id).path / "manifest.json").read_text()
        for marker in ("Marker", "MARKER2", "Marker_One", dataset.StudyInstanceUID):
            assert marker not in text


TAMPERED: list[Callable[[Any], object]] = [
    lambda found: found.update(format=2),
    lambda found: found.update(archive_id=7),
    lambda found: found.pop("scans"),
    lambda found: found["session"].pop("label"),
    lambda found: found["session"].update(label=None),
    lambda found: found["session"].update(id="1"),
    lambda found: found["session"].update(pinned=1),
    lambda found: found["session"].update(path="../../etc"),
    lambda found: found["session"].update(state="LOST"),
    lambda found: found["session"].update(uploaded_at="2024-01-01T00:00:00"),
    lambda found: found["scans"][0].update(label=".."),
    lambda found: found["scans"][0].update(more=1),
    lambda found: found["scans"][0]["instances"][0].update(file_name="a/b"),
    lambda found: found["scans"][0]["instances"][0].update(size_bytes="1"),
    lambda found: found["scans"][0]["instances"][0].update(size_bytes=True),
    lambda found: found["history"][0].update(at=None),
    lambda found: found.update(session=[]),
]


def test_manifests_that_were_tampered_with_or_are_none_are_refused(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        record = made.record(made.ready(study(1)))
        path = made.site.root / record.path / "manifest.json"
        original = path.read_text()
        assert manifest.parse_manifest(original.encode()).rows.session["label"] == record.label
        texts = ["", "{", "[]", "null", "[" * 100_000]
        for change in TAMPERED:
            found = json.loads(original)
            change(found)
            texts.append(json.dumps(found))
        for text in texts:
            path.write_text(text)
            with pytest.raises(DamagedFileError):
                manifest.read_manifest(made.site.files, record.path)
            assert manifest.find_manifest(made.site.files, record.path) is None


def test_a_session_that_is_gone_or_has_no_folder_gets_no_manifest(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        with pytest.raises(NotFoundError):
            manifest.write_manifest(made.site, 9)
        session_id = made.ready([make_dataset(StudyDescription="P1")])
        shutil.rmtree(made.site.root / made.record(session_id).path)
        manifest.write_manifest(made.site, session_id)
        assert not (made.site.root / made.record(session_id).path).exists()


def test_every_column_is_in_the_manifest_or_known_to_belong_to_the_moment() -> None:
    passing = {
        "session": {
            "open_key", "archived_key", "waits_for_id", "merged_into_id", "lease_owner", "lease_expires_at",
            "work",
        },
        "scan": {"id", "session_id"},
        "instance": {
            "id", "session_id", "scan_id", "association_id", "site_script_id", "project_script_id",
        },
        "discarded_instance": {"id", "session_id", "association_id", "script_id"},
        "session_event": {"id", "session_id"},
        "session_warning": {"id", "session_id"},
        "association": {"id"},
        "script_version": {"id"},
    }  # fmt: skip
    shapes: dict[str, set[str]] = {
        "session": set(session_rows.LASTING_COLUMNS),
        "scan": {column.name for column in fields(session_rows.ScanRows)},
        "instance": {column.name for column in fields(session_rows.InstanceRow)},
        "discarded_instance": {column.name for column in fields(session_rows.DiscardedRow)},
        "session_event": {column.name for column in fields(session_rows.EventRow)},
        "session_warning": {column.name for column in fields(session_rows.WarningRow)},
        "association": {column.name for column in fields(session_rows.SenderRow)},
        "script_version": {column.name for column in fields(session_rows.ScriptRow)},
    }
    replaced = {"association", "script", "site_script", "project_script", "instances"}
    for table in (
        queries.SESSION, queries.SCAN, queries.INSTANCE, queries.DISCARDED, queries.EVENT, queries.WARNING,
        queries.ASSOCIATION, queries.SCRIPT_VERSION,
    ):  # fmt: skip
        columns = {column.name for column in table.columns}
        assert columns - passing[table.name] == shapes[table.name] - replaced, table.name
