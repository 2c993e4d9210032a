"""The life of a study as XNAT's training page tells it, with a real sender and that page's scripts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pydicom
from builders import wheel_file
from pydicom.uid import generate_uid
from running_site import PROJECT_SCRIPT, RunningSite, needs_storescu


def java_hash_uid(text: str) -> str:
    """HashUID as published: SHA-1 of the text, shaped into a version-5 UUID, as a 2.25 UID."""
    digest = bytearray(hashlib.sha1(text.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(digest, 'big')}"


def study(folder: Path, source: str, count: int, **elements: str) -> tuple[str, list[Path]]:
    """A study of `count` instances made from one real file."""
    folder.mkdir()
    study_uid, series_uid = generate_uid(), generate_uid()
    paths = []
    for number in range(1, count + 1):
        dataset = pydicom.dcmread(wheel_file(source))
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study_uid, series_uid
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.InstanceNumber = number
        dataset.PatientBirthDate = "19630102"
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        paths.append(folder / f"{number}.dcm")
        dataset.save_as(paths[-1])
    return study_uid, paths


def tag_values(site: RunningSite, *words: str) -> dict[str, Any]:
    return {row["path"]: row["value"] for row in site.json(*words)}


@needs_storescu
def test_the_training_pages_walk_through(tmp_path: Path) -> None:
    study_uid, paths = study(
        tmp_path / "mr", "MR_small.dcm", 3, StudyDescription="Knee study", PatientName="Doe^Jane"
    )
    with RunningSite(tmp_path / "site", projects={"P4": PROJECT_SCRIPT}, quiet_seconds=1) as site:
        site.storescu(*paths)
        (row,) = site.wait_for("READY")
        assert row["project"] == "Unassigned"
        assert row["instances"] == 3
        reference = str(row["id"])

        received = tag_values(site, "tags", reference)
        assert received["(0012,0063)"] == "My XNAT sitewide anon script v01"
        assert "(0010,0030)" not in received
        assert received["(0020,000D)"] == java_hash_uid(study_uid) == row["study_uid"]
        assert received["(0008,1030)"] == "Knee study"  # the project script has not run yet

        site.run("archive", reference, "--yes", code=5)  # Unassigned
        site.json("move", reference, "--project", "P4")
        assert site.json("show", reference)["project"] == "P4"
        # by its label, by its Study Instance UID as stored and as received
        for other in (row["session"], row["study_uid"], study_uid):
            assert site.json("show", other)["id"] == row["id"]
        site.json("archive", reference, "--subject", "S01", "--session", "S01_v01_mr", "--yes")

        assert site.json("list") == []
        (archived,) = site.json("archived", "list")
        assert (archived["project"], archived["subject"], archived["session"]) == ("P4", "S01", "S01_v01_mr")
        assert archived["status"] == "ARCHIVED"
        result = tag_values(site, "archived", "tags", "S01_v01_mr")
        assert result["(0008,1030)"] == "P4"
        assert result["(0010,0010)"] == "S01"
        assert result["(0010,0020)"] == "S01_v01_mr"
        assert result["(0012,0063)"] == "My XNAT sitewide anon script v01"
        files = site.json("archived", "files", "S01_v01_mr")
        assert len(files) == 3
        for entry in files:
            stored = pydicom.dcmread(site.data / entry["path"])
            assert stored.PatientID == "S01_v01_mr"
            assert stored.StudyDescription == "P4"
            assert entry["path"].startswith("archive/P4/S01/S01_v01_mr/SCANS/")
        site.run("check")


@needs_storescu
def test_study_description_routes_to_its_project_and_late_instances_join(tmp_path: Path) -> None:
    _, paths = study(tmp_path / "ct", "CT_small.dcm", 4, StudyDescription="P4")
    with RunningSite(tmp_path / "site", projects={"P4": PROJECT_SCRIPT}, quiet_seconds=1) as site:
        site.storescu(*paths[:2])
        (row,) = site.wait_for("READY")
        assert row["project"] == "P4"
        site.storescu(*paths[2:])
        (later,) = site.wait_for("READY")
        assert later["id"] == row["id"]
        assert later["instances"] == 4


def test_an_archive_that_must_not_happen_changes_nothing(tmp_path: Path) -> None:
    _, (named,) = study(tmp_path / "mr", "MR_small.dcm", 1, StudyDescription="P4", PatientID="PID7")
    _, (nameless,) = study(
        tmp_path / "nn", "MR_small.dcm", 1, StudyDescription="P4", PatientName="", PatientID=""
    )
    labels = ["--subject", "S", "--session", "L"]
    with RunningSite(tmp_path / "site", projects={"P4": PROJECT_SCRIPT}) as site:
        site.json("send", named, nameless, f"XNAT@127.0.0.1:{site.port}")
        rows = site.json("list")
        reference = str(next(row["id"] for row in rows if row["session"] == "PID7"))
        unlabelled = str(next(row["id"] for row in rows if row["session"] != "PID7"))
        site.run("archive", reference, "--yes", *labels, code=5)  # RECEIVING
        site.json("rebuild", reference, unlabelled)
        before = [site.json("show", each) for each in (reference, unlabelled)]

        site.run("archive", unlabelled, "--yes", code=5)
        site.run("archive", reference, "--yes", "--subject", "S", "--session", "a/b", code=2)
        site.run("archive", reference, "--yes", *labels, "--project", "NOPE", code=4)
        assert "NOPE" in site.run("move", reference, "--project", "NOPE", code=4).stderr
        site.run("archive", "987654", "--yes", *labels, code=4)
        site.run("archive", reference, *labels, code=2)  # nobody confirms

        after = [site.json("show", each) for each in (reference, unlabelled)]
        unchanged = ("status", "subject", "session", "project", "scans", "confirmed_by")
        assert [[each[key] for key in unchanged] for each in after] == [
            [each[key] for key in unchanged] for each in before
        ]
        assert site.json("archived", "list") == []
