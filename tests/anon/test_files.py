"""Applying scripts to files: whole targets or none, and untouched bytes."""

from __future__ import annotations

import gc
from contextlib import suppress
from pathlib import Path

import pydicom
import pytest
from builders import make_dataset, part10_bytes, wheel_file

import anon
from anon.encoding.elements import DataSetError
from anon.encoding.instance import EncodedInstance

SCRIPT = anon.compile_script("(0010,0010) := subject\n- (0010,0030)")
VARIABLES = {"subject": "S1"}


def test_a_file_is_edited_and_everything_else_kept(tmp_path: Path) -> None:
    source = wheel_file("CT_small.dcm")
    target = tmp_path / "target.dcm"
    report = anon.apply_to_file(SCRIPT, source, target, VARIABLES)
    before, after = pydicom.dcmread(source), pydicom.dcmread(target)
    assert report.status == "ok"
    assert after.PatientName == "S1"
    assert "PatientBirthDate" not in after
    assert after.PixelData == before.PixelData
    assert target.read_bytes()[:128] == bytes(128)
    changed = {0x00100010, 0x00100030}
    assert [element for element in after if element.tag not in changed] == [
        element for element in before if element.tag not in changed and element.tag.element
    ]
    assert target.stat().st_mode & 0o777 == 0o600


def test_bytes_are_a_source_and_the_target_may_be_the_source(tmp_path: Path) -> None:
    target = tmp_path / "a.dcm"
    anon.apply_to_file(SCRIPT, part10_bytes(make_dataset()), target, VARIABLES)
    anon.apply_to_file(anon.compile_script('(0010,0020) := "again"'), target, target)
    stored = pydicom.dcmread(target)
    assert (stored.PatientName, stored.PatientID) == ("S1", "again")
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("text", ['(0028,0010) := "no"', "(0010,0010) := missing"])
def test_a_failure_leaves_an_existing_target_and_no_other_file(tmp_path: Path, text: str) -> None:
    target = tmp_path / "a.dcm"
    target.write_bytes(b"before")
    with pytest.raises(anon.ScriptError):
        anon.apply_to_file(anon.compile_script(text), part10_bytes(make_dataset()), target)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_what_is_no_dicom_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetError):
        anon.apply_to_file(SCRIPT, b"no dicom", tmp_path / "a.dcm", VARIABLES)
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "full").write_bytes(b"")
    with pytest.raises(OSError):
        anon.apply_to_file(SCRIPT, part10_bytes(make_dataset()), target, VARIABLES)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    "statement",
    [
        '(0010,0010) := "x"',
        '*/(300A,01XX) ?= "1"',
        "-*/(0008,1155)",
        "retainPrivateTags[]",
        '(300A,00B0)[0]/(300A,0111)[0]/(300A,0112) := "3"',
        "reject[]",
        '(0008,0018) := ""',
    ],
)
def test_the_bytes_of_an_object_are_given_back_when_it_is_done(statement: str) -> None:
    script = anon.compile_script(f'version "6.6"\n{statement}')
    content = bytearray(wheel_file("rtplan.dcm").read_bytes())

    def run() -> None:
        instance = EncodedInstance.from_part10(content)
        with suppress(anon.ScriptError):
            script.apply_encoded(instance, {})
        assert instance.part10_chunks()

    gc.disable()
    try:
        run()
        content.clear()  # impossible while anybody looks at the bytes
    finally:
        gc.enable()
