"""Site and project script may be in different dialects of DicomEdit; a project script may make the labels."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pydicom
import pytest
from builders import wheel_file
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from running_site import PROJECT_SCRIPT, SITE_SCRIPT, RunningSite

from anon import compile_script

# What the training scripts do, in the other language; and each does what only its own language can.
SITE_6 = """\
version "6.6"
// identifying elements go, in sequences too
- */(0010,0010)
- (0010,0030)
(0012,0063) := "site script in DicomEdit 6"
(0020,000D) := hashUID[(0020,000D)]
(0032,1032) := concatenate["seen as ", project, "/", session]
"""
PROJECT_6 = """\
version "6.6"
(0008,1030) := project
(0010,0010) := subject
(0010,0020) := session
(0040,0275)[0]/(0040,0007) := concatenate[uppercase[subject], " ", modalityLabel]
(0008,0060) = "MR" ? (0018,1030) := "protocol of an MR"
"""
PROJECT_4 = """\
(0008,1030) := project
(0010,0010) := subject
(0010,0020) := session
(0018,1030) := "{0} of {1}" lowercase[modalityLabel], project
project ~ "P[0-9]" : (0010,4000) := "seen"
- (0029,XXXX)
"""


def study(folder: Path, name: str, **elements: Any) -> Path:
    """An MR study of one file, with private elements, and a name and a date of birth in a sequence, too."""
    dataset = pydicom.dcmread(wheel_file("MR_small.dcm"))
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.PatientBirthDate, dataset.StudyDescription = "19630102", "P4"
    item = Dataset()
    item.PatientName = "Doe^Nested"
    item.PatientBirthDate = "19630102"
    item.ScheduledProcedureStepDescription = "nested step"
    dataset.RequestAttributesSequence = [item]
    dataset.add_new(0x00290010, "LO", "MAKER")
    dataset.add_new(0x00291001, "LO", "private")
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    path = folder / name
    dataset.save_as(path)
    return path


def send_and_close(site: RunningSite, *paths: Path) -> list[str]:
    """C-STORE files to the running server; returns the numbers of their sessions, complete, in order."""
    for path in paths:
        site.json("send", path, f"XNAT@127.0.0.1:{site.port}")
    numbers = sorted(row["id"] for row in site.json("list"))
    site.json("rebuild", *(str(number) for number in numbers))
    return [str(number) for number in numbers]


def archived(site: RunningSite, label: str) -> Dataset:
    (entry,) = site.json("archived", "files", label)
    return pydicom.dcmread(site.data / entry["path"])


def archive(site: RunningSite, number: str) -> Dataset:
    site.json("archive", number, "--subject", "Sub1", "--session", "Sub1_MR1", "--yes")
    return archived(site, "Sub1_MR1")


def test_a_site_script_in_4_and_a_project_script_in_6(tmp_path: Path) -> None:
    sent = pydicom.dcmread(study(tmp_path, "one.dcm", PatientID="PID7", PatientName="Doe^Jane"))
    with RunningSite(tmp_path / "site", projects={"P4": PROJECT_6}) as site:
        (number,) = send_and_close(site, tmp_path / "one.dcm")
        assert {script["name"]: script["language"] for script in site.json("status")["scripts"]} == {
            "site.das": "4.x",
            "projects/P4.das": "6.x",
        }
        found = archive(site, number)
    # of the site script
    assert "PatientBirthDate" not in found
    assert found.DeidentificationMethod == "My XNAT sitewide anon script v01"
    expected = Dataset()
    expected.StudyInstanceUID = sent.StudyInstanceUID
    compile_script("(0020,000D) := hashUID[(0020,000D)]").apply(expected)
    assert found.StudyInstanceUID == expected.StudyInstanceUID != sent.StudyInstanceUID
    # of the project script
    assert (found.StudyDescription, found.PatientName, found.PatientID) == ("P4", "Sub1", "Sub1_MR1")
    assert found.RequestAttributesSequence[0].ScheduledProcedureStepDescription == "SUB1 MR"
    assert found.ProtocolName == "protocol of an MR"
    # of neither
    assert found.RequestAttributesSequence[0].PatientName == "Doe^Nested"
    assert found[0x00291001].value == "private"
    assert found.PixelData == sent.PixelData


def test_a_site_script_in_6_and_a_project_script_in_4(tmp_path: Path) -> None:
    sent = pydicom.dcmread(study(tmp_path, "one.dcm", PatientID="PID7", PatientComments="Session:Visit1"))
    with RunningSite(tmp_path / "site", site_script=SITE_6, projects={"P4": PROJECT_4}) as site:
        (number,) = send_and_close(site, tmp_path / "one.dcm")
        found = archive(site, number)
    # of the site script: it saw the labels that came with the object
    assert "PatientBirthDate" not in found
    assert "PatientName" not in found.RequestAttributesSequence[0]
    assert found.DeidentificationMethod == "site script in DicomEdit 6"
    assert found[0x00321032].value == "seen as P4/Visit1"
    assert found.StudyInstanceUID != sent.StudyInstanceUID
    # of the project script: it saw what the site script had left, and the labels of the archive
    assert (found.StudyDescription, found.PatientName, found.PatientID) == ("P4", "Sub1", "Sub1_MR1")
    assert found.ProtocolName == "mr of P4"
    assert found.PatientComments == "seen"
    assert not [element.tag for element in found if element.tag.group == 0x0029]
    # of neither
    assert found.RequestAttributesSequence[0].ScheduledProcedureStepDescription == "nested step"
    assert found.PixelData == sent.PixelData


@pytest.mark.parametrize("dialect", ["4", "6"])
def test_two_studies_of_a_subject_get_the_labels_that_the_script_makes(tmp_path: Path, dialect: str) -> None:
    script = PROJECT_SCRIPT
    if dialect == "6":
        *assignments, rule = PROJECT_SCRIPT.splitlines()
        script = "\n".join(['version "6.6"', rule, *assignments, ""])
    paths = [study(tmp_path, f"{name}.dcm", PatientName="Doe^Jane", PatientID=name) for name in "ab"]
    with RunningSite(tmp_path / "site", site_script=SITE_SCRIPT, projects={"P4": script}) as site:
        first, second = send_and_close(site, *paths)
        options = ("--subject", "Sub1", "--session", "auto")
        assert site.json("show", second)["proposed_label"] == "Doe_Jane_v00_mr"
        assert site.json("label", second, *options)["session"] == "Sub1_v00_mr"
        assert site.json("archive", first, *options, "--yes")["session"] == "Sub1_v01_mr"
        assert site.json("archive", second, *options, "--yes")["session"] == "Sub1_v00_mr"
        for label in ("Sub1_v00_mr", "Sub1_v01_mr"):
            found = archived(site, label)
            assert (found.StudyDescription, found.PatientName, found.PatientID) == ("P4", "Sub1", label)
        # That the site script cannot reach the nested date of birth is told, and held nobody up.
        (warning,) = site.json("archived", "show", "Sub1_v00_mr")["warnings"]
        assert warning["code"] == "script-message"
        assert warning["text"].startswith("site.das:1: (0010,0030) stays in sequences")
        site.run("check")


def test_people_who_archive_and_label_at_once_get_labels_of_their_own(tmp_path: Path) -> None:
    """Each with a process of their own, beside the server: nothing but the database keeps them apart."""
    paths = [study(tmp_path, f"{name}.dcm", PatientName="Sub1", PatientID=name) for name in "abcd"]
    with RunningSite(tmp_path / "site", projects={"P4": PROJECT_SCRIPT}) as site:
        numbers = send_and_close(site, *paths)
        commands = [["archive", number, "--session", "auto", "--yes"] for number in numbers[:3]]
        commands.append(["label", numbers[3], "--session", "auto"])
        people = [
            subprocess.Popen(site.command("--json", *words), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
            for words in commands
        ]
        answers = [json.loads(person.communicate(timeout=120)[0]) for person in people]
        given = [answer["session"] for answer in answers]
        assert sorted(given) == [f"Sub1_v0{number}_mr" for number in range(4)]
        for label in given[:3]:
            assert archived(site, label).PatientID == label
        assert site.json("show", numbers[3])["session"] == given[3]
        site.run("check")
