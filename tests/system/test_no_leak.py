"""No byte below the site's data folder holds a value that the site script removes or changes."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from builders import encode_dataset, make_dataset
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid
from running_site import RunningSite, every_byte_below

SCRIPT = """\
- (0010,0030)
- (0010,1000)
- (0010,1040)
- (0008,1140)
(0010,0010) := "anonymous"
(0010,0020) := "nobody"
(0008,0090) := ""
(0012,0063) := "My XNAT sitewide anon script v01"
(0020,000D) := hashUID[(0020,000D)]
(0020,000E) := hashUID[(0020,000E)]
(0008,0018) := hashUID[(0008,0018)]
(0008,0060) = "XX" : (0008,103E) := (0008,1140)
"""
# The numbers are long: a short one would turn up by chance among the digits of some hashed UID.
PLANTED = {
    "PatientName": "Zyxwv^Quill",
    "PatientID": "MRN.777-424271829/x",
    "PatientBirthDate": "19341117",
    "OtherPatientIDs": "OTHER-9988731415",
    "PatientAddress": "17 Hidden Lane",
    "ReferringPhysicianName": "Refer^Secretive",
}
FORMS = [
    "Zyxwv",
    "Quill",
    "MRN.777",
    "MRN_777",
    "424271829",
    "19341117",
    "1934-11-17",
    "9988731415",
    "Hidden Lane",
    "Hidden_Lane",
    "Secretive",
]


@pytest.fixture(autouse=True)
def _same_uids(monkeypatch: pytest.MonkeyPatch) -> None:
    """The date is short, so the UIDs are the same each time: its digits turn up in none by chance."""
    make_uid = generate_uid
    made = (make_uid(entropy_srcs=[f"{number}"]) for number in count())
    for module in ("builders", __name__):
        monkeypatch.setattr(f"{module}.generate_uid", lambda: next(made))


def planted(**elements: Any) -> Dataset:
    """An instance with the values that must not be found again, routed to project P4."""
    referenced = Dataset()
    referenced.ReferencedSOPInstanceUID = generate_uid()
    referenced.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    referenced.PatientID = PLANTED["PatientID"]
    return make_dataset(StudyDescription="P4", ReferencedImageSequence=[referenced], **PLANTED | elements)


def send(site: RunningSite, dataset: Dataset, syntax: str = ExplicitVRLittleEndian, **command: Any) -> int:
    encoded = encode_dataset(dataset, syntax)
    response = site.store_bytes(
        command.pop("encoded", encoded),
        sop_class_uid=command.pop("sop_class_uid", dataset.get("SOPClassUID")),
        sop_instance_uid=command.pop("sop_instance_uid", dataset.get("SOPInstanceUID") or generate_uid()),
        transfer_syntax_uid=syntax,
    )
    comment = response.get("ErrorComment", "")
    assert not any(form in comment for form in FORMS)
    return int(response.Status)


def test_nothing_that_the_script_removes_or_changes_is_below_the_data_folder(tmp_path: Path) -> None:
    with RunningSite(tmp_path / "site", site_script=SCRIPT, projects={"P4": '(0008,1030) := "x"'}) as site:
        stored = planted()
        secret_uids = [stored.StudyInstanceUID, stored.SeriesInstanceUID, stored.SOPInstanceUID]
        study = {"StudyInstanceUID": stored.StudyInstanceUID}
        assert send(site, stored) == 0
        assert send(site, stored) == 0  # a duplicate
        changed = planted(SOPInstanceUID=stored.SOPInstanceUID, ImageComments="other", **study)
        assert send(site, changed) == 0  # a second version
        assert send(site, planted(**study), ImplicitVRLittleEndian) == 0
        # the script fails: the object stays outside
        assert 0xC000 <= send(site, planted(Modality="XX", **study)) <= 0xC0FF
        # refused before the script: other SOP Instance UID in the command, none at all, garbage, unsafe UIDs
        assert send(site, planted(**study), sop_instance_uid=generate_uid()) == 0xA900
        nameless = planted(SOPInstanceUID=None)
        assert 0xC000 <= send(site, nameless, sop_class_uid=nameless.SOPClassUID) <= 0xC0FF
        cut = planted()
        assert 0xC000 <= send(site, cut, encoded=encode_dataset(cut)[:-7]) <= 0xC0FF
        garbage = b"Zyxwv^Quill MRN.777-424271829/x " * 20
        assert 0xC000 <= send(site, planted(), encoded=garbage) <= 0xC0FF
        unsafe = encode_dataset(planted()).replace(b"1.2.826", b"../../x")
        assert 0xC000 <= send(site, planted(), encoded=unsafe) <= 0xC0FF

        (row,) = site.json("list")
        reference = str(row["id"])
        assert row["instances"] == 3
        site.json("rebuild", reference)
        labels = ["--project", "P4", "--subject", "S1", "--session", "E1"]
        site.json("archive", reference, *labels, "--overwrite", "delete", "--yes")
        site.stop()
        found = every_byte_below(site.data)
        assert len(found) > 5
        everything = FORMS + secret_uids
        for path, content in found.items():
            for form in everything:
                assert form.encode() not in content, (path, form)
                assert form.encode("utf-16-le") not in content, (path, form)
                assert form not in str(path.relative_to(site.data)), (path, form)
        output = "".join(site.errors)
        assert not [form for form in everything if form in output]


def test_labels_are_not_made_from_values_that_the_script_changes(tmp_path: Path) -> None:
    with RunningSite(tmp_path / "site", site_script=SCRIPT) as site:
        first, second = planted(), planted()
        assert send(site, first) == send(site, second) == 0
        rows = site.json("list")
        assert len({row["subject"] for row in rows}) == 1  # one patient: one keyed label
        for row in rows:
            assert row["subject"].startswith("subject_") and len(row["subject"]) == 16
            assert row["session"].startswith("session_") and len(row["session"]) == 16


def test_labels_stay_where_the_script_leaves_name_and_id_alone(tmp_path: Path) -> None:
    with RunningSite(tmp_path / "site", site_script="- (0010,0030)") as site:
        assert send(site, planted()) == 0
        (row,) = site.json("list")
        assert (row["subject"], row["session"]) == ("Zyxwv_Quill", "MRN_777-424271829_x")
