"""Lists, details and files: shapes, order, filters, speed."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from intake_site import START
from review_site import review_site, study
from sqlalchemy import event

from prearchive import labels, trash, views
from prearchive.archive import archive_session
from prearchive.db import queries
from prearchive.errors import NotFoundError

ROW_KEYS = [
    *("id", "ref", "project", "subject", "session", "status", "scan_date", "scan_time", "uploaded"),
    *("last_modified", "study_uid", "instances", "warnings"),
]


def test_a_row_has_the_keys_of_the_contract_in_order(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(2, project="nowhere", PatientName=""))
        (row,) = views.list_sessions(made.site)
        assert list(row.as_json()) == ROW_KEYS
        assert json.dumps(row.as_json())
        assert row.id == session_id
        assert (row.project, row.subject, row.session, row.status) == ("Unassigned", None, "PID-1", "READY")
        assert (row.scan_date, row.scan_time, row.instances) == ("2024-02-29", "10:11:12", 2)
        assert row.ref.startswith("Unassigned/2024") and row.ref.count("/") == 2
        assert datetime.fromisoformat(row.uploaded).astimezone(UTC) == START
        assert row.study_uid == made.datasets_of(session_id)[0].StudyInstanceUID


def test_details_have_the_row_scans_history_and_what_was_discarded(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        datasets = [*study(2), *study(1, SeriesNumber=10), *study(1, SeriesNumber=9)]
        for dataset in datasets:
            dataset.StudyInstanceUID = datasets[0].StudyInstanceUID
        session_id = made.arrive(datasets)
        made.send(datasets[0])
        made.ready([datasets[1]])
        details = views.show_session(made.site, session_id)
        document = details.as_json()
        assert list(document)[: len(ROW_KEYS) + 4] == [
            *ROW_KEYS, "session_type", "scans", "history", "discarded"
        ]  # fmt: skip
        assert [(scan["id"], scan["files"]) for scan in document["scans"]] == [("1", 2), ("9", 1), ("10", 1)]
        assert set(document["scans"][0]) == {"id", "series_uid", "modality", "type", "files"}
        assert document["session_type"] == "xnat:mrSessionData"
        assert set(document["history"][0]) == {"at", "who", "action", "text"}
        (discarded,) = document["discarded"]
        assert (discarded["outcome"], discarded["count"]) == ("duplicate", 2)
        assert details.row is details


def test_what_was_refused_before_a_session_existed_counts_for_its_study(tmp_path: Path) -> None:
    script = 'version "6.3"\nif ((0020,0013) = "1") { (0008,0018) := "no uid" }\n'
    with review_site(tmp_path, script=script) as made:
        first, second = study(2)
        assert made.send(first).session_id is None
        session_id = made.ready([second])
        (discarded,) = views.show_session(made.site, session_id).discarded
        assert (discarded.outcome, discarded.count) == ("failed", 1)


def test_lists_are_narrowed_and_newest_first(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        first = made.ready(study(PatientName="A", PatientID="1"))
        made.clock.go_on(3600)
        second = made.ready(study(PatientName="B", PatientID="2", StudyDescription="Two"))
        made.clock.go_on(3600)
        third = made.arrive(study(project="nowhere", PatientID="3"))

        def numbers(**narrowed: object) -> list[int]:
            return [row.id for row in views.list_sessions(made.site, **narrowed)]  # type: ignore[arg-type]

        assert numbers() == [third, second, first]
        assert numbers(project="P1") == [first]
        assert numbers(project="Two") == numbers(project="P2") == [second]
        assert numbers(project="Unassigned") == [third]
        assert numbers(project="P9") == []
        assert numbers(status="receiving") == [third]
        assert numbers(status="ARCHIVED") == []
        assert numbers(subject="b") == [second]
        assert numbers(since=START + timedelta(minutes=30)) == [third, second]
        assert numbers(limit=1, offset=1) == [second]
        with pytest.raises(NotFoundError):
            numbers(status="bogus")


def test_each_session_is_in_one_scope(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        held, archived, deleted = (made.ready(study(PatientID=f"{number}")) for number in range(3))
        archive_session(made.site, archived, who="anna", confirm=True)
        trash.delete_session(made.site, deleted, who="anna")
        assert [row.id for row in views.list_sessions(made.site)] == [held]
        (row,) = views.list_sessions(made.site, "archive")
        assert (row.id, row.ref.split("/")[0], list(row.as_json())) == (archived, "P1", ROW_KEYS)
        assert [row.id for row in views.list_sessions(made.site, "trash")] == [deleted]


def test_files_name_path_size_digest_instance_and_scan(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        rows = views.list_files(made.site, session_id)
        assert list(rows[0].as_json()) == ["path", "size", "digest", "sop_instance_uid", "scan"]
        for row in rows:
            assert (made.site.root / row.path).stat().st_size == row.size
            assert row.digest.startswith("blake3:")
        with pytest.raises(NotFoundError):
            views.list_files(made.site, 999)


def test_unknown_sessions_are_not_found(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        for look in (views.get_row, views.show_session):
            with pytest.raises(NotFoundError):
                look(made.site, 7)


def test_a_page_costs_two_statements_and_warnings_come_with_it(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        for number in range(4):
            session_id = made.ready(study(1, PatientID=f"{number}"))
            with made.site.engine.begin() as connection:
                queries.add_warning(connection, session_id, "code", f"text {number}", START)
        statements: list[str] = []
        event.listen(
            made.site.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
        )
        rows = views.list_sessions(made.site)
        assert [row.warnings[0].text for row in rows] == ["text 3", "text 2", "text 1", "text 0"]
        assert len([text for text in statements if text.startswith("SELECT")]) == 2


def test_the_first_page_of_many_sessions_comes_at_once(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(1))
        with made.site.engine.begin() as connection:
            (found,) = connection.execute(
                queries.SESSION.select().where(queries.SESSION.c.id == session_id)
            ).mappings()
            template = {**found, "open_key": None}
            connection.execute(
                queries.SESSION.insert(),
                [{**template, "id": number, "study_key": f"{number}"} for number in range(1000, 11000)],
            )
        started = time.thread_time()
        assert len(views.list_sessions(made.site, limit=50)) == 50
        assert time.thread_time() - started < 1.0


def test_a_confirmed_session_says_who_and_when(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        labels.confirm(made.site, session_id, session="L1", who="anna")
        details = views.show_session(made.site, session_id)
        assert (details.confirmed_by, details.session) == ("anna", "L1")
        assert details.confirmed_at is not None
        entry = details.history[-1]
        assert (entry.who, entry.action) == ("anna", "labels_confirmed")


def test_scan_ids_sort_as_people_count() -> None:
    ids = ["10", "NA", "2", "3-MR1", "3", "3-MR10", "3-MR2"]
    assert sorted(ids, key=views.natural_key) == ["NA", "2", "3", "3-MR1", "3-MR2", "3-MR10", "10"]
