"""The DICOM dump: paths, nesting, values of every VR, character sets, summaries."""

from __future__ import annotations

import struct
from pathlib import Path

import pydicom
import pytest
from builders import encode_dataset, make_dataset, sendable_wheel_files, wheel_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from review_site import review_site, study

from anon import listing
from anon.encoding.elements import EXPLICIT_LITTLE, DataSet
from anon.encoding.instance import EncodedInstance
from prearchive import dump
from prearchive.errors import DamagedFileError, NotFoundError

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def rows_of(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> dict[str, listing.TagRow]:
    instance = EncodedInstance.from_wire(encode_dataset(dataset, syntax), syntax)
    return {row.path: row for row in listing.instance_rows(instance)}


def test_a_row_has_path_tag_vr_keyword_and_value(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        rows = dump.dump_tags(made.site, made.ready())
        assert list(rows[0].as_json()) == ["path", "tag", "vr", "keyword", "value"]
        by_path = {row.path: row for row in rows}
        assert by_path["(0010,0010)"] == listing.TagRow(
            "(0010,0010)", "(0010,0010)", "PN", "PatientName", "Doe^Jane"
        )
        assert by_path["(0012,0063)"].value == "site script v01"
        assert "(0010,0030)" not in by_path
        assert by_path["(0002,0010)"].value == ExplicitVRLittleEndian
        assert [row.tag for row in rows] == sorted(row.tag for row in rows)
        assert rows[0].tag.startswith("(0002,")


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_nested_elements_have_rows_at_any_depth(syntax: str) -> None:
    level: Dataset | None = None
    for depth in range(30):
        item = Dataset()
        item.CodeValue = f"D{depth}"
        if level is not None:
            item.PurposeOfReferenceCodeSequence = Sequence([level])
        level = item
    assert level is not None
    second = Dataset()
    second.CodeValue = "second"
    rows = rows_of(make_dataset(RequestAttributesSequence=[level, second]), syntax)
    assert rows["(0040,0275)"].value is None
    assert rows["(0040,0275)"].vr == "SQ"
    assert rows["(0040,0275)[0]/(0008,0100)"].value == "D29"
    assert rows["(0040,0275)[1]/(0008,0100)"].value == "second"
    deepest = "(0040,0275)[0]/" + "(0040,A170)[0]/" * 29 + "(0008,0100)"
    assert rows[deepest].value == "D0"
    assert rows[deepest].tag == "(0008,0100)"
    paths = list(rows)
    assert paths.index("(0040,0275)") < paths.index("(0040,0275)[0]/(0008,0100)") < paths.index(deepest)
    assert paths.index(deepest) < paths.index("(0040,0275)[1]/(0008,0100)")


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_numbers_are_plain_text_and_several_values_are_joined_by_a_backslash(syntax: str) -> None:
    dataset = make_dataset(
        Rows=512,
        PixelSpacing=[0.5, 1.25],
        ImageType=["ORIGINAL", "PRIMARY"],
        FrameIncrementPointer=[0x00181063, 0x0020000D],
    )
    dataset.add_new(0x00181050, "DS", "1.0 ")
    dataset.add_new(0x00189073, "FD", [0.1, 1e300, -2.0])
    dataset.add_new(0x00189318, "FD", 3.0)
    dataset.add_new(0x00281055, "LO", ["a b", "", "c"])
    dataset.add_new(0x00186020, "SL", [-5, 7])
    dataset.add_new(0x00080302, "DS", "")
    rows = rows_of(dataset, syntax)
    assert rows["(0028,0010)"].value == "512"
    assert rows["(0028,0030)"].value == "0.5\\1.25"
    assert rows["(0008,0008)"].value == "ORIGINAL\\PRIMARY"
    assert rows["(0028,0009)"].value == "(0018,1063)\\(0020,000D)"
    assert rows["(0018,1050)"].value == "1.0"
    assert rows["(0018,9073)"].value == "0.1\\1e+300\\-2.0"
    assert rows["(0028,1055)"].value == "a b\\\\c"
    assert rows["(0018,6020)"].value == "-5\\7"


def test_single_floats_are_written_as_short_as_they_are_exact() -> None:
    for text in ("0.1", "3.4028235e+38", "1e-45", "16777216.0", "nan", "inf", "0.333333343"):
        value = struct.pack("<f", float(text))
        level = DataSet()
        level.put(0x00720076, "FL", value)
        element = level.get(0x00720076)
        assert element is not None
        shown = listing.value_text(element, level, [])
        assert shown is not None
        assert struct.pack("<f", float(shown)) == value
        assert len(shown) <= max(len(text), 6)


def test_binary_values_sequences_and_odd_numbers_have_no_value() -> None:
    dataset = make_dataset()
    dataset.add_new(0x00091001, "OB", b"\1\2")
    dataset.add_new(0x00091002, "UN", b"\1\2")
    dataset.PixelData = b"\0\0"
    dataset["PixelData"].VR = "OW"
    rows = rows_of(dataset)
    assert rows["(0009,1001)"].value is rows["(0009,1002)"].value is rows["(7FE0,0010)"].value is None
    level = DataSet(encoding=EXPLICIT_LITTLE)
    level.put(0x00280010, "UL", b"\1\2")
    element = level.get(0x00280010)
    assert element is not None
    assert listing.value_text(element, level, []) is None


def test_private_elements_are_named_by_their_creator() -> None:
    dataset = make_dataset()
    block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x08, "CS", "IMAGE NUM 4")
    dataset.add_new(0x00311011, "LO", "nobody's")
    rows = rows_of(dataset)
    named = rows["(0029,{SIEMENS CSA HEADER}08)"]
    assert (named.tag, named.value, named.keyword) == ("(0029,1008)", "IMAGE NUM 4", "")
    assert rows["(0029,0010)"].value == "SIEMENS CSA HEADER"
    assert rows["(0031,1011)"].value == "nobody's"


def test_values_are_decoded_by_the_character_set_of_their_level() -> None:
    inner = Dataset()
    inner.PatientComments = "Ж"
    outer = make_dataset(
        SpecificCharacterSet="ISO_IR 100", PatientName="Müller", RequestAttributesSequence=[inner]
    )
    inner.SpecificCharacterSet = "ISO_IR 144"
    rows = rows_of(outer)
    assert rows["(0010,0010)"].value == "Müller"
    assert rows["(0040,0275)[0]/(0010,4000)"].value == "Ж"


def test_scan_and_instance_choose_the_file(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        first, second = study(2)
        third = study(1, SeriesNumber=5, StudyInstanceUID=first.StudyInstanceUID)[0]
        session_id = made.ready([first, second, third])

        def instance_uid(**choice: str) -> str | None:
            rows = dump.dump_tags(made.site, session_id, **choice)
            return next(row.value for row in rows if row.tag == "(0008,0018)")

        assert instance_uid() == first.SOPInstanceUID
        assert instance_uid(scan="5") == third.SOPInstanceUID
        assert instance_uid(instance=second.SOPInstanceUID) == second.SOPInstanceUID
        for choice in ({"scan": "6"}, {"instance": "1.2.3"}, {"scan": "5", "instance": first.SOPInstanceUID}):
            with pytest.raises(NotFoundError):
                instance_uid(**choice)
        with pytest.raises(NotFoundError):
            dump.dump_tags(made.site, 99)


def test_an_empty_session_has_nothing_to_dump(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(1))
        from prearchive.db import session_contents

        with made.site.engine.begin() as connection:
            session_contents.remove_contents(connection, session_id)
        with pytest.raises(NotFoundError, match="no files"):
            dump.dump_tags(made.site, session_id)


def test_a_file_that_is_gone_or_broken_is_told(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(1))
        (path,) = made.paths_of(session_id)
        path.write_bytes(b"nothing")
        with pytest.raises(DamagedFileError, match="cannot be read"):
            dump.dump_tags(made.site, session_id)
        path.unlink()
        with pytest.raises(DamagedFileError):
            dump.dump_tags(made.site, session_id)


def test_the_summary_has_one_row_a_path_with_all_values_and_a_count(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        datasets = study(3)
        datasets[2].ImageComments = "only here"
        item = Dataset()
        item.CodeValue = "C"
        for dataset in datasets[:2]:
            dataset.RequestAttributesSequence = [item]
        session_id = made.ready(datasets)
        rows = dump.summarize_tags(made.site, session_id)
        assert list(rows[0].as_json()) == ["path", "tag", "vr", "keyword", "values", "count"]
        by_path = {row.path: row for row in rows}
        assert len(by_path) == len(rows)
        assert (by_path["(0020,0013)"].values, by_path["(0020,0013)"].count) == (["1", "2", "3"], 3)
        assert (by_path["(0010,0010)"].values, by_path["(0010,0010)"].count) == (["Doe^Jane"], 3)
        assert (by_path["(0020,4000)"].values, by_path["(0020,4000)"].count) == (["only here"], 1)
        assert (by_path["(0040,0275)"].values, by_path["(0040,0275)"].count) == ([], 2)
        assert by_path["(0040,0275)[0]/(0008,0100)"].values == ["C"]
        assert [row.path for row in rows].index("(0002,0010)") < [row.path for row in rows].index(
            "(0008,0016)"
        )
        assert dump.summarize_tags(made.site, session_id, scan="1")[0].count == 3
        with pytest.raises(NotFoundError):
            dump.summarize_tags(made.site, session_id, scan="2")


def test_every_real_file_has_the_elements_that_pydicom_finds() -> None:
    seen = 0
    for path in sendable_wheel_files():
        try:
            instance = EncodedInstance.from_part10(path.read_bytes())
        except Exception:
            continue
        rows = list(listing.instance_rows(instance))
        with path.open("rb") as stream:
            known = pydicom.dcmread(stream)
        wanted = [int(tag) for tag in known.keys() if tag.element != 0 and tag.group > 2]
        top = [row.tag for row in rows if "/" not in row.path and not row.tag.startswith("(0002,")]
        assert [tag for tag in top if not tag.endswith(",0000)")] == [
            f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in sorted(wanted)
        ], path
        seen += 1
    assert seen > 50


def test_a_real_file_reads_as_pydicom_shows_it() -> None:
    content = wheel_file("MR_small.dcm").read_bytes()
    rows = {row.path: row.value for row in listing.instance_rows(EncodedInstance.from_part10(content))}
    known = pydicom.dcmread(wheel_file("MR_small.dcm"))
    assert rows["(0028,0030)"] == "\\".join(str(number) for number in known.PixelSpacing)
    assert rows["(0028,0010)"] == str(known.Rows)
