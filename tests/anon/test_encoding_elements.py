"""Reading and editing encoded data sets: what nobody touches stays, what is broken is refused."""

from __future__ import annotations

import gc
import struct
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from builders import encode_dataset, make_dataset, part10_bytes, sendable_wheel_files, wheel_file
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    AllTransferSyntaxes,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from anon.encoding.elements import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    DataSet,
    DataSetError,
    Encoding,
)
from anon.encoding.instance import EncodedInstance, Limits, can_parse
from anon.encoding.text import character_sets, decode_text, encode_text, first_text

ENCODINGS = {
    ExplicitVRLittleEndian: EXPLICIT_LITTLE,
    ImplicitVRLittleEndian: IMPLICIT_LITTLE,
    ExplicitVRBigEndian: EXPLICIT_BIG,
}
TRUNCATED = {"MR_truncated.dcm", "rtplan_truncated.dcm"}


def joined(dataset: DataSet) -> bytes:
    return b"".join(dataset.chunks())


def reread(dataset: DataSet) -> Dataset:
    return read_dataset(BytesIO(joined(dataset)), dataset.encoding.implicit, dataset.encoding.little)


@pytest.mark.parametrize("path", [*sendable_wheel_files()], ids=lambda path: path.name)
def test_every_wheel_file_comes_back_byte_for_byte(path: Path) -> None:
    content = path.read_bytes()
    if path.name in TRUNCATED:
        with pytest.raises(DataSetError) as caught:
            EncodedInstance.from_part10(content)
        assert caught.value.code == "truncated"
        return
    instance = EncodedInstance.from_part10(content)
    dataset = pydicom.dcmread(path)
    assert instance.dataset.tags() == sorted(int(tag) for tag in dataset.keys() if int(tag) & 0xFFFF)
    wire = b"".join(instance.dataset_chunks())
    if not any(int(tag) & 0xFFFF == 0 for tag in dataset.keys()):
        assert content.endswith(wire)
    again = EncodedInstance.from_part10(b"".join(instance.part10_chunks()))
    assert b"".join(again.dataset_chunks()) == wire
    assert again.transfer_syntax_uid == instance.transfer_syntax_uid


def nested_dataset() -> Dataset:
    item = Dataset()
    item.CodeValue = "A1"
    item.CodeMeaning = "first"
    deeper = Dataset()
    deeper.CodeValue = "B2"
    item.EquivalentCodeSequence = [deeper]
    other = Dataset()
    other.CodeValue = "C3"
    return make_dataset(AnatomicRegionSequence=[item, other])


@pytest.mark.parametrize("syntax", ENCODINGS, ids=str)
@pytest.mark.parametrize("undefined", [False, True])
def test_an_edit_deep_inside_leaves_its_neighbours_alone(syntax: UID, undefined: bool) -> None:
    source = nested_dataset()
    source["AnatomicRegionSequence"].is_undefined_length = undefined
    source.AnatomicRegionSequence[0].is_undefined_length_sequence_item = undefined
    dataset = DataSet.scan(encode_dataset(source, syntax), ENCODINGS[syntax])
    region = dataset.get(0x00082218)
    region.items[0].get(0x00080121).items[0].put(0x00080100, "SH", b"XYZ")
    assert dataset.changed_tags() == {0x00082218}
    result = reread(dataset)
    assert result.AnatomicRegionSequence[0].EquivalentCodeSequence[0].CodeValue == "XYZ"
    assert result.AnatomicRegionSequence[0].CodeMeaning == "first"
    assert result.AnatomicRegionSequence[1].CodeValue == "C3"
    source.AnatomicRegionSequence[0].EquivalentCodeSequence[0].CodeValue = "XYZ"
    assert result == read_dataset(
        BytesIO(encode_dataset(source, syntax)), dataset.encoding.implicit, dataset.encoding.little
    )


@pytest.mark.parametrize("syntax", ENCODINGS, ids=str)
def test_new_elements_stand_in_order_and_removed_ones_are_gone(syntax: UID) -> None:
    dataset = DataSet.scan(encode_dataset(make_dataset(), syntax), ENCODINGS[syntax])
    dataset.put(0x00120063, "LO", b"My script")
    dataset.put(0x00080005, "CS", b"ISO_IR 100")
    dataset.put(0x7FE10010, "LO", b"last")
    assert dataset.remove(0x00100030)
    assert not dataset.remove(0x00100030)
    assert 0x00100030 not in dataset
    assert dataset.get(0x00100030) is None
    again = DataSet.scan(joined(dataset), ENCODINGS[syntax])
    order = list(again._spans)
    assert order == sorted(order)
    assert again.get(0x00120063).value == b"My script "
    assert 0x00100030 not in again
    assert again.tags() == dataset.tags()


@pytest.mark.parametrize("syntax", ENCODINGS, ids=str)
def test_sequences_can_be_made_and_grow(syntax: UID) -> None:
    dataset = DataSet.scan(encode_dataset(make_dataset(), syntax), ENCODINGS[syntax])
    item = dataset.new_item(0x00120064)
    item.put(0x00080100, "SH", b"1")
    dataset.new_item(0x00120064).put(0x00080100, "SH", b"22")
    result = reread(dataset)
    assert [step.CodeValue for step in result[0x00120064].value] == ["1", "22"]
    dataset.delete_item(0x00120064, 0)
    assert [step.CodeValue for step in reread(dataset)[0x00120064].value] == ["22"]
    with pytest.raises(IndexError):
        dataset.delete_item(0x00120064, 5)


def test_group_lengths_are_never_kept_nor_written() -> None:
    content = b"\x08\0\0\0UL\4\0\x0c\0\0\0" + b"\x08\0\x60\0CS\2\0MR"
    dataset = DataSet.scan(content, EXPLICIT_LITTLE)
    assert dataset.tags() == [0x00080060]
    assert joined(dataset) == content[12:]
    dataset.put(0x00100000, "UL", b"\0\0\0\0")
    assert joined(dataset) == content[12:]


def test_a_value_too_long_for_a_short_vr_is_written_as_un() -> None:
    dataset = DataSet.scan(b"", EXPLICIT_LITTLE)
    dataset.put(0x00104000, "LT", b"x" * 70000)
    assert DataSet.scan(joined(dataset), EXPLICIT_LITTLE).get(0x00104000).vr == "UN"


def test_un_of_undefined_length_is_read_as_an_implicit_sequence() -> None:
    inner = struct.pack("<HHI", 0x0008, 0x0100, 2) + b"A1"
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    content = struct.pack("<HH2sHI", 0x0009, 0x1001, b"UN", 0, 0xFFFFFFFF) + item
    content += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    dataset = DataSet.scan(content, EXPLICIT_LITTLE)
    element = dataset.get(0x00091001)
    assert element.is_sequence
    assert element.items[0].get(0x00080100).value == b"A1"
    assert joined(dataset) == content
    element.items[0].put(0x00080100, "SH", b"ZZ")
    dataset.new_item(0x00091001).put(0x00080100, "SH", b"QQ")
    again = DataSet.scan(joined(dataset), EXPLICIT_LITTLE).get(0x00091001)
    assert [step.get(0x00080100).value for step in again.items] == [b"ZZ", b"QQ"]


def item_bytes(content: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content) if length is None else length) + content


def sequence_bytes(content: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, len(content) if length is None else length) + content


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x08\0\x60\0CS\x09\0MR", "truncated"),
        (b"\x08\0\x60\0C", "truncated"),
        (b"\x08\0\x60\0OB\0\0", "truncated"),
        (b"\x08\0\x60\0??\2\0MR", "bad-vr"),
        (b"\x08\0\x60\0CS\2\0MR" * 2, "duplicate-element"),
        (struct.pack("<HHI", 0xFFFE, 0xE000, 0), "unexpected-delimiter"),
        (struct.pack("<HH2sHI", 8, 0x60, b"UT", 0, 0xFFFFFFFF), "undefined-length"),
        (sequence_bytes(item_bytes(b"", 40)), "truncated"),
        (sequence_bytes(b"\x08\0\x60\0CS\2\0"), "unexpected-delimiter"),
        (sequence_bytes(item_bytes(b"", 0xFFFFFFFF), 0xFFFFFFFF), "truncated"),
        (sequence_bytes(b"", 0xFFFFFFFF), "truncated"),
        (sequence_bytes(b"\1\2\3"), "truncated"),
        (struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + item_bytes(b"", 90), "truncated"),
        (struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF), "truncated"),
        (
            struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + item_bytes(b"", 0xFFFFFFFF),
            "unexpected-delimiter",
        ),
        (
            sequence_bytes(struct.pack("<HHI", 0xFFFE, 0xE0DD, 4) + b"1234", 0xFFFFFFFF),
            "unexpected-delimiter",
        ),
    ],
)
def test_broken_data_sets_are_refused_with_a_code(content: bytes, code: str) -> None:
    with pytest.raises(DataSetError) as caught:
        DataSet.scan(content, EXPLICIT_LITTLE)
    assert caught.value.code == code


@pytest.mark.parametrize("defined", [True, False])
def test_nesting_is_limited(defined: bool) -> None:
    content = b""
    for _ in range(40):
        if defined:
            content = sequence_bytes(item_bytes(content))
        else:
            end_item = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
            end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
            content = sequence_bytes(item_bytes(content + end_item, 0xFFFFFFFF) + end, 0xFFFFFFFF)
    DataSet.scan(content, EXPLICIT_LITTLE, max_nesting=41)
    with pytest.raises(DataSetError) as caught:
        DataSet.scan(content, EXPLICIT_LITTLE, max_nesting=39)
    assert caught.value.code == "too-deep"


@given(st.binary(max_size=200), st.sampled_from([EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG]))
def test_any_bytes_give_a_data_set_or_an_error_and_nothing_else(content: bytes, encoding: Encoding) -> None:
    try:
        dataset = DataSet.scan(content, encoding)
    except DataSetError:
        return
    for element in dataset.elements():
        assert element.length == len(element.value) or element.is_sequence
    DataSet.scan(joined(dataset), encoding)


CUTTABLE = part10_bytes(nested_dataset())


@given(st.integers(0, len(CUTTABLE) - 1))
def test_cut_anywhere_a_real_file_is_refused_or_shorter(cut: int) -> None:
    try:
        instance = EncodedInstance.from_part10(CUTTABLE[:cut])
    except DataSetError:
        return
    whole = EncodedInstance.from_part10(CUTTABLE)
    assert set(instance.dataset.tags()) < set(whole.dataset.tags())


def test_deflated_data_sets_keep_their_bytes_until_they_are_edited() -> None:
    content = wheel_file("image_dfl.dcm").read_bytes()
    instance = EncodedInstance.from_part10(content)
    assert instance.transfer_syntax_uid == DeflatedExplicitVRLittleEndian
    assert content.endswith(b"".join(instance.dataset_chunks()))
    instance.dataset.put(0x00100010, "PN", b"Nobody")
    again = EncodedInstance.from_part10(b"".join(instance.part10_chunks()))
    assert again.dataset.get(0x00100010).value == b"Nobody"
    assert again.dataset.tags() == instance.dataset.tags()


def test_a_deflate_bomb_is_stopped() -> None:
    dataset = make_dataset(ImageComments="x" * 3_000_000)
    content = part10_bytes(dataset, DeflatedExplicitVRLittleEndian)
    assert len(content) < 100_000
    with pytest.raises(DataSetError) as caught:
        EncodedInstance.from_part10(content, Limits(max_inflate_bytes=1_000_000))
    assert caught.value.code == "inflates-too-far"
    with pytest.raises(DataSetError):
        EncodedInstance.from_wire(b"no stream", DeflatedExplicitVRLittleEndian)


def test_a_huge_header_is_refused_but_huge_pixel_data_are_not() -> None:
    limits = Limits(max_header_bytes=100_000)
    pixels = make_dataset(Rows=1, Columns=1)
    pixels.add_new(0x7FE00010, "OW", bytes(200_000))
    EncodedInstance.from_wire(encode_dataset(pixels), ExplicitVRLittleEndian, limits)
    texts = make_dataset()
    texts.add_new(0x00404000 | 0xA160, "UT", "x" * 200_000)
    with pytest.raises(DataSetError) as caught:
        EncodedInstance.from_wire(encode_dataset(texts), ExplicitVRLittleEndian, limits)
    assert caught.value.code == "header-too-large"


def test_wrongly_labelled_encodings_are_read_as_what_they_are() -> None:
    source = make_dataset()
    for actual, declared in (
        (ImplicitVRLittleEndian, ExplicitVRLittleEndian),
        (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
    ):
        content = encode_dataset(source, actual)
        instance = EncodedInstance.from_wire(content, declared)
        assert instance.is_mislabelled
        assert first_text(instance.dataset, 0x00100020) == "PID-1"
        assert b"".join(instance.dataset_chunks()) == content
    assert not EncodedInstance.from_wire(encode_dataset(source), ExplicitVRLittleEndian).is_mislabelled


def test_the_file_meta_is_ours_and_follows_the_data_set() -> None:
    instance = EncodedInstance.from_wire(encode_dataset(make_dataset()), ExplicitVRLittleEndian)
    instance.element_set(0x00080018).put(0x00080018, "UI", b"1.2.3")
    content = b"".join(instance.part10_chunks())
    assert content[:128] == bytes(128)
    meta = pydicom.dcmread(BytesIO(content)).file_meta
    assert meta.MediaStorageSOPInstanceUID == "1.2.3"
    assert meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert meta.ImplementationVersionName == "DICOM_PREARC_1"
    assert meta.FileMetaInformationGroupLength == len(content) - 144 - len(joined(instance.dataset))


def test_files_without_prefix_or_transfer_syntax_are_refused() -> None:
    for content, code in (
        (b"x" * 300, "not-dicom"),
        (bytes(128) + b"DICM" + b"\2\0\2\0UI\4\x001.2\0", "no-transfer-syntax"),
        (bytes(128) + b"DICM" + b"\2\0\2\0UI\x40\x001.2\0", "truncated"),
        (bytes(128) + b"DICM" + b"\2\0\x10\0UI\4\x009.9\0", "unsupported-transfer-syntax"),
    ):
        with pytest.raises(DataSetError) as caught:
            EncodedInstance.from_part10(content)
        assert caught.value.code == code


def test_transfer_syntaxes_without_data_set_are_not_accepted() -> None:
    assert can_parse(DeflatedExplicitVRLittleEndian)
    for encapsulated in AllTransferSyntaxes:
        assert can_parse(encapsulated) == (".1.2.7." not in encapsulated), encapsulated
    for newer_or_older in ("4.201", "4.110", "4.66", "1.98", "4.105.1"):
        assert can_parse(f"1.2.840.10008.1.2.{newer_or_older}")
    for other in ("1.2.840.10008.1.2.6.2", "1.2.840.10008.1.2.4", "1.2.840.10008.1.2.4.50.1.1", "", "x"):
        assert not can_parse(other)
    assert not can_parse("1.2.3")


def test_text_is_decoded_by_the_character_set_of_the_object() -> None:
    latin = make_dataset(SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Ö")
    dataset = DataSet.scan(encode_dataset(latin), EXPLICIT_LITTLE)
    assert first_text(dataset, 0x00100010) == "Müller^Ö"
    kanji = pydicom.dcmread(pydicom.data.get_charset_files("chrH31.dcm")[0])
    dataset = DataSet.scan(encode_dataset(kanji), EXPLICIT_LITTLE)
    assert first_text(dataset, 0x00100010) == str(kanji.PatientName)
    undeclared = DataSet.scan(b"", EXPLICIT_LITTLE)
    undeclared.put(0x00100010, "PN", "Zoë".encode())
    assert first_text(undeclared, 0x00100010) == "Zoë"
    undeclared.put(0x00100010, "PN", "Zoë".encode("latin-1"))
    assert first_text(undeclared, 0x00100010) == "Zoë"
    undeclared.put(0x00080005, "CS", b"NO SUCH SET")
    assert isinstance(character_sets(undeclared), list)
    undeclared.put(0x00080005, "CS", b"")
    assert character_sets(undeclared, ["latin-1"]) == []
    assert first_text(undeclared, 0x00100020) is None


def test_padding_and_several_values() -> None:
    dataset = DataSet.scan(b"", EXPLICIT_LITTLE)
    element = dataset.put(0x00080008, "CS", b" ORIGINAL \\PRIMARY\\ ")
    assert decode_text(element, []) == "ORIGINAL\\PRIMARY\\"
    assert first_text(dataset, 0x00080008) == "ORIGINAL"
    comment = dataset.put(0x00104000, "LT", b"  a\\b  ")
    assert decode_text(comment, []) == "  a\\b"
    assert first_text(dataset, 0x00104000) == "a\\b"


def test_encoding_text_replaces_what_the_character_set_lacks() -> None:
    assert encode_text("Müller", "PN", ["latin-1"]) == "Müller".encode("latin-1")
    assert encode_text("日本", "PN", ["latin-1"]) == b"??"
    assert encode_text("Müller", "PN", []) == "Müller".encode()
    assert encode_text("Müller", "CS", ["latin-1"]) == "Müller".encode()
    mixed = encode_text("Yamada^山田", "PN", ["iso8859", "iso2022_jp"])
    assert mixed.startswith(b"Yamada^\x1b$B")
    name = DataSet.scan(b"", EXPLICIT_LITTLE).put(0x00100010, "PN", mixed)
    assert decode_text(name, ["iso8859", "iso2022_jp"]) == "Yamada^山田"


def test_the_bytes_are_given_back_with_the_object() -> None:
    content = bytearray(wheel_file("rtplan.dcm").read_bytes())
    instance = EncodedInstance.from_part10(content)
    beams = instance.dataset.get(0x300A00B0)
    assert beams is not None
    control_points = beams.items[0].get(0x300A0111)
    assert control_points is not None
    assert control_points.items[1].chain() == (instance.dataset, beams.items[0], control_points.items[1])
    control_points.items[1].put(0x300A0112, "IS", b"7 ")
    assert instance.dataset.changed_tags() == {0x300A00B0}
    assert instance.dataset.holders(0x300A0112)
    with pytest.raises(BufferError):
        content.clear()  # impossible while anybody looks at the bytes
    gc.disable()
    try:
        del instance, beams, control_points
        content.clear()
    finally:
        gc.enable()


def test_an_item_outlives_its_data_set() -> None:
    instance = EncodedInstance.from_part10(wheel_file("rtplan.dcm").read_bytes())
    beams = instance.dataset.get(0x300A00B0)
    assert beams is not None
    item = beams.items[0]
    del instance, beams
    item.put(0x300A00C2, "LO", b"beam")
    assert b"".join(item.chunks()).count(b"beam") == 1
    assert item.chain() is None
