from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from builders import make_dataset
from command_line import CommandLineSite

from cli.exits import UsageError
from cli.views import parse_since

ROW_KEYS = (
    "id ref project subject session status scan_date scan_time uploaded last_modified study_uid instances"
    " warnings"
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLineSite]:
    """One session of P4 with two instances, one without project whose labels hold nothing odd."""
    site = CommandLineSite(tmp_path_factory.mktemp("views") / "site")
    first = make_dataset(
        PatientName="Doe^Jane", PatientID="E1", StudyDescription="P4", PatientBirthDate="19700101"
    )
    second = make_dataset(
        PatientName="Doe^Jane",
        PatientID="E1",
        StudyDescription="P4",
        StudyInstanceUID=first.StudyInstanceUID,
        SeriesInstanceUID=first.SeriesInstanceUID,
        InstanceNumber=2,
        ImageComments="two\x1b[31m",
    )
    site.receive(first, second)
    site.receive(make_dataset(PatientName="Roe^Rick", PatientID="E2", StudyDescription="nobody knows"))
    yield site


def test_the_list_has_exactly_the_promised_keys(filled: CommandLineSite) -> None:
    rows = filled.json("list")
    assert [list(row) for row in rows] == [ROW_KEYS.split()] * 2
    newest, oldest = rows
    assert (newest["project"], oldest["project"]) == ("Unassigned", "P4")
    assert (oldest["subject"], oldest["session"], oldest["instances"]) == ("Doe_Jane", "E1", 2)
    assert oldest["ref"].startswith("P4/")
    assert datetime.fromisoformat(oldest["uploaded"]).tzinfo is not None


@pytest.mark.parametrize(
    ("options", "sessions"),
    [
        (("--project", "P4"), {"E1"}),
        (("--project", "Four"), {"E1"}),
        (("--project", "Unassigned"), {"E2"}),
        (("--project", "P5"), set()),
        (("--status", "RECEIVING"), {"E1", "E2"}),
        (("--status", "ready"), set()),
        (("--subject", "Roe_Rick"), {"E2"}),
        (("--since", "1h"), {"E1", "E2"}),
        (("--since", "2999-01-01"), set()),
        (("--trash",), set()),
    ],
)
def test_the_list_can_be_narrowed(
    filled: CommandLineSite, options: tuple[str, ...], sessions: set[str]
) -> None:
    assert {row["session"] for row in filled.json("list", *options)} == sessions


def test_wrong_filters_are_told(filled: CommandLineSite) -> None:
    filled.run("list", "--since", "yesterday", code=2)
    assert "READY" in filled.run("list", "--status", "LOST", code=4).stderr


def test_the_table_is_plain_when_it_is_piped(filled: CommandLineSite) -> None:
    lines = filled.run("list").stdout.splitlines()
    assert lines[0].split() == ["ID", "PROJECT", "SUBJECT", "SESSION", "STATUS", "SCANNED", "FILES", "!"]
    assert lines[2].split() == ["1", "P4", "Doe_Jane", "E1", "RECEIVING", "2024-02-29", "2", "-"]
    assert "\x1b" not in "".join(lines)


def test_a_site_without_data_has_an_empty_list(tmp_path: Path) -> None:
    site = CommandLineSite(tmp_path / "site")
    assert site.json("list") == []
    assert site.json("archived", "list") == []
    assert "serve" in site.run("list").stdout
    assert not (tmp_path / "site" / "data").exists()
    assert "prearc serve" in site.run("show", "1", code=4).stderr


def test_show_tells_details_with_the_promised_keys(filled: CommandLineSite) -> None:
    details = filled.json("show", "E1")
    assert list(details)[: len(ROW_KEYS.split())] == ROW_KEYS.split()
    assert {"session_type", "scans", "history", "discarded"} <= set(details)
    (scan,) = details["scans"]
    assert {"id", "series_uid", "modality", "type", "files"} <= set(scan)
    assert scan["files"] == 2
    assert {"at", "who", "action", "text"} <= set(details["history"][0])
    text = filled.run("show", "label:E1").stdout
    assert "not confirmed yet" in text
    assert "Scans" in text and "History" in text


def test_tags_are_those_after_the_site_script(filled: CommandLineSite) -> None:
    rows = {row["path"]: row for row in filled.json("tags", "1")}
    assert list(rows["(0010,0010)"]) == ["path", "tag", "vr", "keyword", "value"]
    assert rows["(0012,0063)"]["value"] == "seen by the site script"
    assert "(0010,0030)" not in rows
    assert "(0002,0010)" in rows
    instances = filled.json("files", "1")
    second = filled.json("tags", "1", "--instance", instances[1]["sop_instance_uid"])
    assert {row["path"]: row["value"] for row in second}["(0020,0013)"] == "2"
    filled.run("tags", "1", "--instance", "1.2.3", code=4)
    filled.run("tags", "1", "--scan", "99", code=4)


def test_a_summary_has_one_row_a_path(filled: CommandLineSite) -> None:
    rows = {row["path"]: row for row in filled.json("tags", "1", "--summary")}
    assert rows["(0020,0013)"]["values"] == ["1", "2"]
    assert rows["(0020,0013)"]["count"] == 2
    assert "1 | 2" in filled.run("tags", "1", "--summary").stdout
    filled.run("tags", "1", "--summary", "--instance", "1.2", code=2)


def test_control_characters_of_values_are_made_visible(filled: CommandLineSite) -> None:
    second = filled.json("files", "1")[1]["sop_instance_uid"]
    text = filled.run("tags", "1", "--instance", second).stdout
    assert "two\\x1b[31m" in text
    assert "\x1b" not in text


def test_files_are_told_with_digest_and_path(filled: CommandLineSite) -> None:
    rows = filled.json("files", "1")
    assert [list(row) for row in rows] == [["path", "size", "digest", "sop_instance_uid", "scan"]] * 2
    for row in rows:
        stored = filled.folder / "data" / row["path"]
        assert stored.stat().st_size == row["size"]
        assert row["digest"].startswith("blake3:")
    assert rows[0]["path"] in filled.run("files", "1").stdout


def test_sessions_that_are_not_there_are_exit_code_4(filled: CommandLineSite) -> None:
    for words in (("show", "99"), ("files", "nothing"), ("tags", "uid:1.2.3"), ("archived", "show", "1")):
        result = filled.run(*words, code=4)
        assert result.stdout == ""
        assert result.stderr.startswith("prearc: ")


def test_since_reads_dates_times_and_how_long_ago() -> None:
    now = datetime.fromisoformat("2026-05-31T12:00:00+02:00")
    assert parse_since("7d", now) == now - timedelta(days=7)
    assert parse_since("12h", now) == now - timedelta(hours=12)
    assert parse_since("30m", now) == now - timedelta(minutes=30)
    assert parse_since("2026-05-31T08:00:00+00:00", now).utctimetuple().tm_hour == 8
    assert parse_since("2026-05-31", now).tzinfo is not None
    for wrong in ("", "7x", "soon", "999999d9"):
        with pytest.raises(UsageError):
            parse_since(wrong, now)
    with pytest.raises(UsageError):
        parse_since("999999d", now)
