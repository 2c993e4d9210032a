"""Tests of scripts beside a running server: a script that fails them never touches an object."""

from __future__ import annotations

from pathlib import Path

import pydicom
from builders import encode_dataset, make_dataset
from pydicom.uid import ExplicitVRLittleEndian
from running_site import RunningSite

TESTS = """\
[[test]]
name = "the birth date goes"
input.tags = { PatientBirthDate = "19700101" }
expect = { absent = ["PatientBirthDate"] }
"""
FAILS = '(0012,0063) := "a script that lets birth dates pass"\n'
PASSES = '- (0010,0030)\n(0012,0063) := "the new script"\n'


def test_a_script_that_fails_its_tests_never_touches_an_object(tmp_path: Path) -> None:
    with RunningSite(tmp_path / "site") as site:
        (site.folder / "anon" / "site.tests.toml").write_text(TESTS)
        script = tmp_path / "new.das"
        script.write_text(FAILS)
        refused = site.run("anon", "site", "set", script, code=1)
        assert "FAILED the birth date goes" in refused.stderr
        assert "Traceback" not in refused.stderr
        send(site)
        script.write_text(PASSES)
        site.run("anon", "site", "set", script)
        send(site)
        stored = [pydicom.dcmread(path) for path in (site.data / "prearchive").rglob("*.dcm")]
    assert sorted(dataset.DeidentificationMethod for dataset in stored) == [
        "My XNAT sitewide anon script v01",
        "the new script",
    ]
    assert not any("PatientBirthDate" in dataset for dataset in stored)


def send(site: RunningSite) -> None:
    dataset = make_dataset()
    response = site.store_bytes(
        encode_dataset(dataset),
        sop_class_uid=dataset.SOPClassUID,
        sop_instance_uid=dataset.SOPInstanceUID,
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )
    assert response.Status == 0x0000
