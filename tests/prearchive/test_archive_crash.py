"""Killed at any moment of archiving, merging, moving, deleting, restoring: all of it happened, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from intake_site import Clock
from pydicom.uid import generate_uid
from review_site import ReviewSite, review_site, study
from sudden_death import dies_at

from config.settings import Settings
from prearchive import move, trash, views
from prearchive.archive import archive_session
from prearchive.manifest import find_manifest
from prearchive.recovery import recover
from prearchive.site import Site
from prearchive.states import SessionState

COMMON = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}


def contents(site: Site, session_id: int) -> set[str]:
    """What the rows name; each file must be there, whole."""
    rows = views.list_files(site, session_id)
    for row in rows:
        assert site.files.digest_of(row.path) == (row.size, row.digest)
    assert views.get_row(site, session_id).instances == len(rows)
    return {row.path for row in rows}


def leftovers(site: Site, named: set[str]) -> set[str]:
    tops = ("prearchive", "archive", "trash", "tmp")
    found = {
        str(path.relative_to(site.root))
        for top in tops
        for path in (site.root / top).rglob("*")
        if path.is_file()
    }
    return {name for name in found - named if not name.endswith((".log", ".lock", "manifest.json"))}


def each_death(
    tmp_path: Path,
    prepare: Callable[[ReviewSite], list[int]],
    act: Callable[[Site, list[int]], object],
    check: Callable[[Site, list[int]], set[str]],
    steps: range,
) -> None:
    """Prepare once; for each step die there in a copy, recover, and check; the last step comes to the end."""
    original = tmp_path / "original"
    with review_site(original) as made:
        numbers = prepare(made)
    died = True
    for step in steps:
        folder = tmp_path / f"died{step}"
        shutil.copytree(original, folder)
        settings = Settings.model_validate(
            {"folder": folder, "projects": {"P1": {}, "P2": {}}, "limits": {"min_free_bytes": 0}}
        )

        def run(settings: Settings = settings) -> None:
            with Site.open(settings, clock=Clock()) as site:
                act(site, numbers)

        died = dies_at(step, run)
        with Site.open(settings, clock=Clock()) as site:
            report = recover(site)
            assert report.sessions_failed == 0
            named = check(site, numbers)
            assert leftovers(site, named) == set()
            for row in views.list_sessions(site):
                assert row.status in ("READY", "CONFLICT", "ERROR")
        shutil.rmtree(folder)
        if not died:
            break
    assert not died, "more steps than were tried"


def test_archiving(tmp_path: Path) -> None:
    outcomes = set()

    def check(site: Site, numbers: list[int]) -> set[str]:
        row = views.get_row(site, numbers[0])
        outcomes.add(row.status)
        assert row.status in ("READY", "ARCHIVED")
        named = contents(site, numbers[0])
        assert len(named) == 2
        assert all(
            name.startswith("archive/" if row.status == "ARCHIVED" else "prearchive/") for name in named
        )
        return named

    each_death(
        tmp_path,
        lambda made: [made.ready(study(2))],
        lambda site, numbers: archive_session(site, numbers[0], who="anna", confirm=True),
        check,
        range(0, 200, 5),
    )
    assert outcomes == {"READY", "ARCHIVED"}


def test_merging(tmp_path: Path) -> None:
    outcomes = set()

    def prepare(made: ReviewSite) -> list[int]:
        datasets = study(3, **COMMON)
        first = made.ready(datasets[:2])
        archive_session(made.site, first, who="anna", confirm=True)
        datasets[1].ImageComments = "newer"
        return [first, made.ready(datasets[1:])]

    def check(site: Site, numbers: list[int]) -> set[str]:
        first, second = (views.get_row(site, number) for number in numbers)
        outcomes.add(second.status)
        named = contents(site, numbers[0])
        assert first.status == "ARCHIVED"
        if second.status == "DELETED":
            assert first.instances == 3
            trashed = list((site.root / "trash").rglob("*.dcm"))
            assert len(trashed) == 1
            return named | {str(path.relative_to(site.root)) for path in trashed}
        assert (first.instances, second.status) == (2, "READY")
        return named | contents(site, numbers[1])

    each_death(
        tmp_path,
        prepare,
        lambda site, numbers: archive_session(site, numbers[1], who="anna", confirm=True, overwrite="delete"),
        check,
        range(1, 300, 7),
    )
    assert outcomes == {"READY", "DELETED"}


@pytest.mark.parametrize("action", ["move", "delete", "restore"])
def test_moving_deleting_and_restoring(tmp_path: Path, action: str) -> None:
    outcomes = set()

    def prepare(made: ReviewSite) -> list[int]:
        session_id = made.ready(study(1))
        if action == "restore":
            trash.delete_session(made.site, session_id, who="anna")
        return [session_id]

    def act(site: Site, numbers: list[int]) -> None:
        if action == "move":
            move.move_session(site, numbers[0], project="P2", who="anna")
        elif action == "delete":
            trash.delete_session(site, numbers[0], who="anna")
        else:
            trash.restore_session(site, numbers[0], who="anna")

    def check(site: Site, numbers: list[int]) -> set[str]:
        row = views.get_row(site, numbers[0])
        outcomes.add((row.project, row.status))
        return contents(site, numbers[0])

    each_death(tmp_path, prepare, act, check, range(0, 60, 2))
    assert (
        outcomes
        == {
            "move": {("P1", "READY"), ("P2", "READY")},
            "delete": {("P1", "READY"), ("P1", "DELETED")},
            "restore": {("P1", "READY"), ("P1", "DELETED")},
        }[action]
    )


def test_a_power_cut_after_the_commit_leaves_an_archived_session_and_its_manifest(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(1))
        record = made.record(session_id)
        archive_session(made.site, session_id, who="anna", confirm=True)
        work: dict[str, Any] = {
            "action": "archive", "archive_id": "x", "source_path": record.path, "target_path": "archive/x",
            "existing_id": None, "staging_paths": [], "displaced_path": None, "replaced": [], "who": "anna",
        }  # fmt: skip
        made.set_session(session_id, work=work, lease_owner="dead")
        (made.site.root / record.path / "SCANS").mkdir(parents=True)
        assert recover(made.site).sessions_repaired == 1
        assert not (made.site.root / record.path).exists()
        archived = made.record(session_id)
        assert (archived.state, archived.work) == (SessionState.ARCHIVED, None)
        assert find_manifest(made.site.files, archived.path) is not None
