"""With `record = true` each application of a script leaves one item in (0012,0064), and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
from builders import wheel_file
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from running_site import RunningSite

SITE_4 = '(0012,0062) := "YES"\n(0020,000D) := hashUID[(0020,000D)]\n'
PROJECT_6 = 'version "6.6"\n(0010,0010) := subject\n(0010,0020) := session\n'
RECORD = "[anonymization]\nrecord = true\n"


def site_with(folder: Path, project_script: str | None, extra: str = "") -> RunningSite:
    site = RunningSite(folder, site_script=SITE_4, projects={"P4": project_script})
    config = folder / "prearc.toml"
    config.write_text(config.read_text().replace("[anonymization]\n", RECORD) + extra)
    return site


def object_of(folder: Path, name: str, **elements: Any) -> Path:
    dataset = pydicom.dcmread(wheel_file("MR_small.dcm"))
    dataset.StudyInstanceUID, dataset.StudyDescription = "1.2.3.4", "P4"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.save_as(folder / name)
    return folder / name


def stored(site: RunningSite, *words: str) -> list[Dataset]:
    return [pydicom.dcmread(site.data / row["path"]) for row in site.json(*words)]


def item_rows(dataset: Dataset) -> list[list[tuple[str, str, str]]]:
    """The items as they are: tag, VR and value of each of their elements."""
    return [
        [(str(element.tag), element.VR, str(element.value)) for element in item]
        for item in dataset.get("DeidentificationMethodCodeSequence", [])
    ]


def item_of(record_id: int, language: str) -> list[tuple[str, str, str]]:
    """What SPEC-6 13.4 and XNAT put in for one application of a script."""
    return [
        ("(0008,0100)", "SH", str(record_id)),
        ("(0008,0102)", "SH", "XNAT"),
        ("(0008,0103)", "SH", "1.0"),
        ("(0008,0104)", "LO", f"XNAT DicomEdit {language} Script"),
    ]


def send(site: RunningSite, *paths: Path) -> str:
    for path in paths:
        site.json("send", path, f"XNAT@127.0.0.1:{site.port}")
    (row,) = site.json("list")
    site.run("rebuild", str(row["id"]))
    return str(row["id"])


def archive(site: RunningSite, number: str) -> None:
    site.run("archive", number, "--subject", "S1", "--session", "S1_MR1", "--yes")


def test_site_and_project_script_leave_an_item_each_that_names_their_versions(tmp_path: Path) -> None:
    with site_with(tmp_path / "site", PROJECT_6) as site:
        number = send(site, object_of(tmp_path, "a.dcm"))
        (received,) = stored(site, "files", number)
        (used,) = site.json("show", number)["scripts"]
        assert item_rows(received) == [item_of(used["record_id"], "4")]
        assert "DeidentificationMethod" not in received
        plan = site.json("archive", number, "--dry-run")
        assert "(0012,0064)[1]/(0008,0104)" in {change["path"] for change in plan["changes"]}
        archive(site, number)
        (archived,) = stored(site, "archived", "files", "S1_MR1")
        of_site, of_project = site.json("archived", "show", "S1_MR1")["scripts"]
        assert (of_site["role"], of_project["role"]) == ("site", "project")
        assert item_rows(archived) == [
            item_of(of_site["record_id"], "4"),
            item_of(of_project["record_id"], "6"),
        ]
        assert "DeidentificationMethod" not in archived
        assert archived.PatientIdentityRemoved == "YES"
        for scope, use in ((("site",), of_site), (("project", "P4"), of_project)):
            (version,) = site.json("anon", *scope, "history")
            assert (version["version"], version["record_id"]) == (use["version"], use["record_id"])
            assert version["sha256"] == use["sha256"]
        assert site.run("check").stdout == "nothing is wrong\n"


def test_items_that_came_with_the_object_stay_and_a_new_version_has_another_number(tmp_path: Path) -> None:
    former = Dataset()
    former.CodeValue, former.CodingSchemeDesignator, former.CodeMeaning = "113100", "DCM", "Basic Profile"
    first = object_of(tmp_path, "a.dcm", DeidentificationMethodCodeSequence=[former])
    second = object_of(tmp_path, "b.dcm", DeidentificationMethodCodeSequence=[former])
    with site_with(tmp_path / "site", None) as site:
        send(site, first)
        (tmp_path / "new.das").write_text(SITE_4 + "- (0010,0030)\n")
        site.run("anon", "site", "set", tmp_path / "new.das", "--why", "dates of birth go")
        number = send(site, second)
        datasets = stored(site, "files", number)
        versions = site.json("anon", "site", "history")
        assert [version["action"] for version in versions] == ["first", "set"]
        rows = sorted((item_rows(dataset) for dataset in datasets), key=str)
        assert [row[1:] for row in rows] == [[item_of(version["record_id"], "4")] for version in versions]
        assert all(row[0][0] == ("(0008,0100)", "SH", "113100") for row in rows)
        ran = site.json("files", number, "--scripts")
        assert sorted(row["site_script"]["version"] for row in ran) == [1, 2]
