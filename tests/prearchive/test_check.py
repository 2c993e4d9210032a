"""`check` finds what does not fit together, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import make_dataset
from intake_site import IntakeSite, make_settings, opened
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from prearchive import check, paths, strays
from prearchive.check import check_site
from prearchive.db import queries, upkeep
from prearchive.finding import Finding
from prearchive.settle import rebuild_session
from prearchive.site import Site
from prearchive.states import SessionState


@pytest.fixture
def intake_site(tmp_path: Path) -> Iterator[IntakeSite]:
    with opened(tmp_path) as found:
        yield found


def receive(intake_site: IntakeSite, dataset: Dataset | None = None) -> int:
    session_id = intake_site.send(dataset).session_id
    assert session_id is not None
    return session_id


def found_codes(intake_site: IntakeSite) -> list[str]:
    return [finding.code for finding in check_site(intake_site.site)]


def only_path(intake_site: IntakeSite) -> Path:
    (path,) = intake_site.row_paths()
    return intake_site.site.root / path


def test_a_healthy_site_has_no_findings_in_any_state(intake_site: IntakeSite) -> None:
    assert check_site(intake_site.site) == []
    receive(intake_site)
    rebuild_session(intake_site.site, receive(intake_site), "ann")
    seen: list[tuple[int, int]] = []
    assert check_site(intake_site.site, progress=lambda done, total: seen.append((done, total))) == []
    assert seen == [(1, 2), (2, 2)]


def test_a_missing_file_is_an_error(intake_site: IntakeSite) -> None:
    receive(intake_site)
    path = only_path(intake_site)
    path.unlink()
    (finding,) = check_site(intake_site.site)
    assert (finding.severity, finding.code) == ("error", "file-missing")
    assert finding.where == str(path.relative_to(intake_site.site.root))


@pytest.mark.parametrize("addition", [b"", b"\0"])
def test_a_changed_file_is_an_error(intake_site: IntakeSite, addition: bytes) -> None:
    receive(intake_site)
    path = only_path(intake_site)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content) + addition)
    assert found_codes(intake_site) == ["file-damaged"]


def test_files_that_no_row_names_are_errors_inside_sessions_and_outside(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    root = intake_site.site.root
    inside = root / intake_site.session(session_id).path / "SCANS" / "1" / "DICOM" / "odd.dcm"
    places = [inside, root / "prearchive" / "note.txt", root / "archive" / "P1" / "S" / "E" / "x.dcm"]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"x")
    link = inside.with_name("link.dcm")
    link.symlink_to("/etc/passwd")
    findings = check_site(intake_site.site)
    assert {finding.code for finding in findings} == {"stray-file"}
    assert {root / finding.where for finding in findings} == {*places, link}


def test_a_heap_of_stray_files_is_counted(intake_site: IntakeSite) -> None:
    folder = intake_site.site.root / "prearchive" / "heap"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number}.dcm").write_bytes(b"x")
    findings = check_site(intake_site.site)
    assert len(findings) == 21
    assert findings[-1].text.startswith("10 more")


def test_what_is_in_tmp_trash_and_logs_is_nobodys_business(intake_site: IntakeSite) -> None:
    for name in ("tmp", "trash", "logs"):
        (intake_site.site.root / name / "x").write_bytes(b"x")
    assert check_site(intake_site.site) == []


def test_a_file_in_flight_is_no_finding_and_neither_is_one_that_a_dead_process_left(
    intake_site: IntakeSite,
) -> None:
    session_id = receive(intake_site)
    session_path = intake_site.session(session_id).path
    with Site.open(intake_site.settings, clock=intake_site.clock) as other:
        stored = other.files.store(f"{session_path}/SCANS/1/DICOM", "arriving.dcm", [b"x"])
        elsewhere = other.files.store("prearchive/P1/new/session/SCANS/1/DICOM", "arriving.dcm", [b"x"])
        assert check_site(intake_site.site) == []
        stored.keep()
        elsewhere.keep()
        log = intake_site.site.root / "tmp" / f"intake-{other.owner}.log"
        content = log.read_bytes()
    log.write_bytes(content)
    assert check_site(intake_site.site) == []
    log.unlink()
    assert found_codes(intake_site) == ["stray-file", "stray-file"]


def test_a_row_that_comes_while_the_files_are_listed_is_seen(
    intake_site: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_dataset()
    receive(intake_site, first)
    late = [make_dataset(StudyInstanceUID=first.StudyInstanceUID)]
    entries = strays._entries

    def list_while_something_arrives(folder: Path) -> list[tuple[str, bool]]:
        if late and folder.name == "DICOM":
            receive(intake_site, late.pop())
        return entries(folder)

    monkeypatch.setattr(strays, "_entries", list_while_something_arrives)
    assert check_site(intake_site.site) == []
    assert late == []


def test_counts_that_do_not_fit_are_found_and_a_rebuild_repairs_them(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    intake_site.set_session(session_id, instance_count=7)
    (finding,) = check_site(intake_site.site)
    assert (finding.severity, finding.code, finding.where) == (
        "warning", "count-differs", f"session {session_id}",
    )  # fmt: skip
    rebuild_session(intake_site.site, session_id, "ann")
    assert check_site(intake_site.site) == []


def test_a_ready_session_needs_a_manifest_that_agrees(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    rebuild_session(intake_site.site, session_id, "ann")
    intake_site.set_session(session_id, label="Other", subject="S")
    (finding,) = check_site(intake_site.site)
    assert finding.code == "manifest-differs"
    assert finding.text.endswith("subject, label")
    manifest = intake_site.site.root / intake_site.session(session_id).path / paths.MANIFEST_NAME
    manifest.write_text("{}")
    assert found_codes(intake_site) == ["manifest-missing"]
    manifest.unlink()
    assert found_codes(intake_site) == ["manifest-missing"]
    rebuild_session(intake_site.site, session_id, "ann")
    assert check_site(intake_site.site) == []


def test_a_manifest_that_names_other_files_differs(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    rebuild_session(intake_site.site, session_id, "ann")
    manifest = intake_site.site.root / intake_site.session(session_id).path / paths.MANIFEST_NAME
    text = manifest.read_text()
    digest = intake_site.instances()[0].digest
    manifest.write_text(text.replace(digest, "blake3:" + "0" * 64))
    (finding,) = check_site(intake_site.site)
    assert finding.text.endswith("instances")


def test_a_busy_session_is_stuck_only_when_nobody_works_on_it(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    lease = intake_site.site.new_lease()
    intake_site.set_session(session_id, state=SessionState.MOVING, work={"action": "move"}, **lease)
    assert check_site(intake_site.site) == []
    intake_site.clock.go_on(3600)
    assert found_codes(intake_site) == ["stuck-session"]
    intake_site.set_session(
        session_id, lease_owner="0" * 16, lease_expires_at=intake_site.clock() + timedelta(hours=1)
    )
    assert found_codes(intake_site) == ["stuck-session"]


def test_an_archiving_that_was_not_cleaned_up_is_found_and_its_source_is_not_stray(
    intake_site: IntakeSite,
) -> None:
    session_id = receive(intake_site)
    rebuild_session(intake_site.site, session_id, "ann")
    source = "prearchive/P1/20240101_000000000/Old"
    leftover = intake_site.site.root / source / "SCANS" / "1" / "x.dcm"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"x")
    work = {"action": "archive", "source_path": source}
    intake_site.set_session(
        session_id, state=SessionState.ARCHIVED, work=work, lease_owner=intake_site.site.owner
    )
    assert check_site(intake_site.site) == []
    intake_site.set_session(session_id, lease_owner="0" * 16)
    assert found_codes(intake_site) == ["stuck-session"]


def test_the_trash_may_be_emptied(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    only_path(intake_site).unlink()
    intake_site.set_session(session_id, state=SessionState.DELETED)
    assert found_codes(intake_site) == ["file-missing"]
    intake_site.set_session(session_id, path="trash/gone")
    only = [finding for finding in check_site(intake_site.site) if finding.code != "stray-file"]
    assert only == []


def test_a_broken_manifest_is_found_in_any_state(intake_site: IntakeSite) -> None:
    session_id = receive(intake_site)
    rebuild_session(intake_site.site, session_id, "ann")
    manifest = only_path(intake_site).parents[3] / paths.MANIFEST_NAME
    manifest.write_text("{")
    for state in (SessionState.READY, SessionState.CONFLICT, SessionState.ERROR, SessionState.RECEIVING):
        intake_site.set_session(session_id, state=state)
        assert found_codes(intake_site) == ["manifest-missing"], state
    manifest.unlink()
    assert found_codes(intake_site) == []


def test_open_modes_are_found(intake_site: IntakeSite) -> None:
    root = intake_site.site.root
    (root / "prearchive").chmod(0o755)
    (root / "site.key").chmod(0o640)
    (root / "prearc.db").chmod(0o644)
    findings = {finding.code: finding for finding in check_site(intake_site.site)}
    assert set(findings) == {"folder-open-to-others", "key-open-to-others", "database-open-to-others"}
    assert findings["key-open-to-others"].severity == "error"
    assert "0700" in findings["folder-open-to-others"].text


def test_stored_files_and_folders_that_others_can_read_are_found(intake_site: IntakeSite) -> None:
    receive(intake_site)
    path = only_path(intake_site)
    path.chmod(0o644)
    path.parent.chmod(0o755)
    findings = check_site(intake_site.site)
    assert {(finding.code, finding.where) for finding in findings} == {
        ("file-open-to-others", str(path.relative_to(intake_site.site.root))),
        ("folder-open-to-others", str(path.parent.relative_to(intake_site.site.root))),
    }


def test_of_very_many_open_files_some_are_named_and_the_rest_counted(intake_site: IntakeSite) -> None:
    study_uid = generate_uid()
    for _ in range(23):
        receive(intake_site, make_dataset(StudyInstanceUID=study_uid))
    for path in intake_site.row_paths():
        (intake_site.site.root / path).chmod(0o604)
    findings = check_site(intake_site.site)
    assert {finding.code for finding in findings} == {"file-open-to-others"}
    assert len(findings) == 21
    assert findings[-1].text.startswith("3 more")


def test_configuration_mistakes_and_script_mistakes_are_found(tmp_path: Path) -> None:
    with opened(tmp_path) as found:
        pass
    bad = make_settings(
        tmp_path,
        "- (0010,0030\n",
        routing={"project": ["nonsense"]},
        sessions={"file_name": "${SeriesNumber}"},
        projects={"P1": {"anonymize": True}},
    )
    with Site.open(bad, clock=found.clock) as site:
        findings = check_site(site)
    assert [finding.code for finding in findings] == [
        "bad-routing-rule", "bad-file-name-template", "script-error", "script-unusable",
    ]  # fmt: skip
    assert "'nonsense'" in findings[0].text
    assert "sessions.file_name" in findings[1].text
    assert "site.das:1:" in findings[2].text


def test_a_lookup_table_with_mistakes_is_found(intake_site: IntakeSite) -> None:
    table = intake_site.settings.lookup_path
    table.write_text("pid/PID-1 = S007\n")
    assert check_site(intake_site.site) == []
    table.write_text("pid/JONES S007\n")
    (finding,) = check_site(intake_site.site)
    assert (finding.severity, finding.code, finding.where) == ("error", "bad-lookup-table", "lookup.txt")
    assert f"{table}:1:1: the line has no =" in finding.text and "JONES" not in finding.text


def test_a_newer_script_that_a_server_did_not_take_is_found(intake_site: IntakeSite) -> None:
    site = intake_site.site
    values: dict[str, Any] = {"receivers": {}, "scripts": {"in_force": {}, "problems": ["bad line"]}}
    with site.engine.begin() as connection:
        upkeep.record_heartbeat(connection, "one", now=intake_site.clock(), **values)
    assert found_codes(intake_site) == ["newest-version-not-in-force"]
    intake_site.clock.go_on(120)
    assert check_site(site) == []


def test_damage_of_the_database_is_found(intake_site: IntakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "integrity_problems", lambda _: ["row 1 of scan refers to nothing"])
    (finding,) = check_site(intake_site.site)
    assert finding == Finding("error", "database-damaged", "database", "row 1 of scan refers to nothing")


def test_a_session_that_vanishes_while_it_is_looked_at_is_no_finding(
    intake_site: IntakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(intake_site)
    only_path(intake_site).unlink()
    looks: list[int] = []
    look_at = check._look_at

    def look(site: Site, session_id: int, count: Any) -> list[Finding]:
        if looks:
            with site.engine.begin() as connection:
                connection.execute(queries.SESSION.delete())
        looks.append(session_id)
        return look_at(site, session_id, count)

    monkeypatch.setattr(check, "_look_at", look)
    assert check_site(intake_site.site) == []
    assert len(looks) == 2
