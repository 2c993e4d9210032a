"""alterPixels: the rectangle is black, all else is what it was."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from builders import WHEEL_FILES, loaded, part10_bytes, saved, wheel_file
from pixel_objects import (
    BLACK,
    BOTH,
    by_file,
    code_of,
    compiled,
    compressed,
    make_image,
    make_samples,
)
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

import anon
from anon.encoding.instance import EncodedInstance

NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
INSIDE = np.s_[:, 1:3, 1:4]
CHANGED = {0x00120063, 0x00120064, 0x00280301, 0x7FE00010}


def pixels_of(dataset: Dataset) -> np.ndarray[Any, Any]:
    """What pydicom decodes, with an axis for the frames."""
    array = dataset.pixel_array
    return array if (dataset.get("NumberOfFrames") or 1) > 1 else array[None]


def without_rectangle(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    kept = np.ones(pixels.shape, bool)
    kept[INSIDE] = False
    return pixels[kept]


# -- real files


def wheel_images() -> list[Path]:
    """Every wheel file with pixel data that pydicom decodes with what is installed."""
    found = []
    for path in sorted(path for path in WHEEL_FILES.rglob("*") if path.is_file()):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                dataset = pydicom.dcmread(path)
                if dataset.get("SOPClassUID") and dataset.pixel_array.size:
                    found.append(path)
        except Exception:
            continue
    return found


REFUSED = {
    "SC_rgb_rle_32bit.dcm": "unsupported-image",
    "SC_rgb_rle_32bit_2frame.dcm": "unsupported-image",
    "SC_ybr_full_422_uncompressed.dcm": "unsupported-image",
    "examples_overlay.dcm": "has-overlay",
    "liver_1frame.dcm": "unsupported-image",
    "liver_expb_1frame.dcm": "unsupported-image",
    "rtdose.dcm": "not-an-image",
    "rtdose_1frame.dcm": "not-an-image",
    "rtdose_expb.dcm": "not-an-image",
    "rtdose_expb_1frame.dcm": "not-an-image",
    "rtdose_rle.dcm": "not-an-image",
    "rtdose_rle_1frame.dcm": "not-an-image",
}


@pytest.mark.parametrize("path", wheel_images(), ids=lambda path: path.name)
def test_every_readable_wheel_image_is_blacked_out_or_refused(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.dcm"
    if path.name in REFUSED:
        assert code_of(lambda: anon.apply_to_file(BLACK, path, target)) == REFUSED[path.name]
        assert not target.exists()
        return
    anon.apply_to_file(BLACK, path, target)
    before, after = pydicom.dcmread(path), pydicom.dcmread(target)
    assert after.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (pixels_of(after)[INSIDE] == 0).all()
    assert np.array_equal(without_rectangle(pixels_of(after)), without_rectangle(pixels_of(before)))
    edited = pydicom.dcmread(path)
    BLACK.apply(edited, {})
    assert np.array_equal(edited.pixel_array, after.pixel_array)
    assert loaded(saved(edited)) == after


def test_many_kinds_of_wheel_images_are_among_them() -> None:
    edited = [path for path in wheel_images() if path.name not in REFUSED]
    syntaxes = {pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID for path in edited}
    assert {*NATIVE, RLELossless, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless} <= syntaxes


# -- every form of pixel data


@BOTH
@pytest.mark.parametrize("transfer_syntax_uid", NATIVE)
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize(
    ("shape", "planar"),
    [
        ((1, 5, 7, 1), 0),
        ((3, 5, 7, 1), 0),
        ((1, 5, 7, 3), 0),
        ((1, 5, 7, 3), 1),
        ((4, 5, 6, 3), 0),
        ((3, 5, 7, 3), 1),
    ],
)
def test_native_samples_are_black_inside_and_kept_outside(
    edit: Any, transfer_syntax_uid: str, bits: int, shape: tuple[int, int, int, int], planar: int
) -> None:
    samples = make_samples(*shape, bits)
    big = transfer_syntax_uid == ExplicitVRBigEndian
    dataset = make_image(samples, stored=bits, planar=planar, big=big)
    after = edit(part10_bytes(dataset, transfer_syntax_uid))
    assert after.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    expected = samples.copy()
    expected[INSIDE] = 0
    assert np.array_equal(pixels_of(after).reshape(shape), expected)
    assert ("OB" if bits == 8 else "OW") == after["PixelData"].VR
    assert not after["PixelData"].is_undefined_length
    assert len(after.PixelData) == samples.nbytes + samples.nbytes % 2
    assert after.get("PlanarConfiguration", 0) == planar


@BOTH
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("transfer_syntax_uid", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_compressed_samples_are_black_inside_and_kept_outside(
    edit: Any, transfer_syntax_uid: str, bits: int, frames: int, samples: int
) -> None:
    before = make_samples(frames, 33, 41, samples, bits)
    content = compressed(make_image(before), transfer_syntax_uid)
    expected = before.copy()
    expected[INSIDE] = 0
    after = edit(content)
    assert np.array_equal(pixels_of(after).reshape(before.shape), expected)
    assert after.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert ("OB" if bits == 8 else "OW") == after["PixelData"].VR
    assert not after["PixelData"].is_undefined_length
    assert "LossyImageCompression" not in after


@BOTH
@pytest.mark.parametrize("transfer_syntax_uid", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_signed_samples_keep_their_sign(edit: Any, transfer_syntax_uid: str) -> None:
    before = make_samples(2, 40, 40, 1, 16)
    after = edit(compressed(make_image(before, PixelRepresentation=1), transfer_syntax_uid))
    expected = before.view("i2").copy()
    expected[INSIDE] = 0
    assert expected.min() < 0
    assert np.array_equal(pixels_of(after), expected[..., 0])


@BOTH
def test_rle_keeps_its_planes(edit: Any) -> None:
    before = make_samples(2, 9, 9, 3, 8)
    content = compressed(make_image(before), RLELossless)
    planar = loaded(content)
    planar.PlanarConfiguration = 1
    after = edit(saved(planar))
    expected = before.copy()
    expected[INSIDE] = 0
    assert after.PlanarConfiguration == 1
    assert after.PixelData == expected.transpose(0, 3, 1, 2).tobytes()


@BOTH
def test_frames_are_found_by_an_extended_offset_table_which_goes_with_them(edit: Any) -> None:
    before = make_samples(3, 9, 9, 1, 16)
    content = compressed(make_image(before), RLELossless, encapsulate_ext=True)
    assert "ExtendedOffsetTable" in loaded(content)
    after = edit(content)
    assert np.array_equal(without_rectangle(pixels_of(after)), without_rectangle(before[..., 0]))
    assert "ExtendedOffsetTable" not in after
    assert "ExtendedOffsetTableLengths" not in after


@BOTH
@pytest.mark.parametrize("has_table", [False, True])
def test_a_frame_may_come_in_several_fragments(edit: Any, has_table: bool) -> None:
    before = make_samples(3, 40, 40, 1, 16)
    dataset = loaded(compressed(make_image(before), JPEG2000Lossless))
    frames = list(generate_frames(dataset.PixelData, number_of_frames=3))
    dataset.PixelData = encapsulate(frames, fragments_per_frame=2, has_bot=has_table)
    after = edit(saved(dataset))
    assert np.array_equal(without_rectangle(pixels_of(after)), without_rectangle(before[..., 0]))


def test_eight_bits_of_a_big_endian_word_are_in_the_right_order() -> None:
    samples = make_samples(1, 3, 5, 1, 8)
    dataset = make_image(samples)
    words = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
    dataset.add_new(0x7FE00010, "OW", words)
    after = by_file(part10_bytes(dataset, ExplicitVRBigEndian))
    expected = samples.copy()
    expected[INSIDE] = 0
    assert after.PixelData == expected.tobytes() + b"\0"


def test_bits_beside_the_stored_ones_stay_outside_the_rectangle() -> None:
    samples = make_samples(1, 6, 6, 1, 16)
    content = part10_bytes(make_image(samples, BitsStored=12, HighBit=11))
    expected = samples.copy()
    expected[INSIDE] = 0
    assert by_file(content).PixelData == expected.tobytes()
    rle = compressed(make_image(samples, BitsStored=12, HighBit=11), RLELossless)
    assert by_file(rle).PixelData == expected.tobytes()


# -- colours and values


@pytest.mark.parametrize(
    ("photometric", "value", "stored"),
    [
        ("RGB", "v=0", (0, 0, 0)),
        ("RGB", "", (0, 0, 0)),
        ("RGB", "value=9", (9, 9, 9)),
        ("RGB", "r=1, g=2, b=255", (1, 2, 255)),
        ("YBR_FULL", "v=0", (0, 128, 128)),
        ("YBR_FULL", "v=200", (200, 128, 128)),
        ("YBR_FULL", "r=255,g=0,b=0", (76, 85, 255)),
        ("MONOCHROME1", "v=0", (0,)),
        ("MONOCHROME2", "v=100", (100,)),
        ("MONOCHROME2", "r=7,g=7,b=7", (7,)),
        ("PALETTE COLOR", "v=3, unknown=9", (3,)),
    ],
)
def test_the_value_is_what_is_stored(photometric: str, value: str, stored: tuple[int, ...]) -> None:
    samples = make_samples(2, 6, 6, len(stored), 8)
    after = by_file(part10_bytes(make_image(samples, photometric=photometric)), compiled(value=value))
    written = np.frombuffer(after.PixelData, "u1").reshape(samples.shape)
    assert (written[INSIDE] == stored).all()
    assert np.array_equal(without_rectangle(written), without_rectangle(samples))
    assert after.PhotometricInterpretation == photometric


def test_a_value_goes_to_the_stored_bits() -> None:
    samples = make_samples(1, 6, 6, 1, 16)
    after = by_file(part10_bytes(make_image(samples, BitsStored=12, HighBit=15)), compiled(value="v=100"))
    assert np.frombuffer(after.PixelData, "<u2").reshape(6, 6)[1, 1] == 100 << 4


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("r=1,g=2,b=3", {}),
        ("v=16", {"BitsStored": 4, "HighBit": 3}),
        ("v=128", {"PixelRepresentation": 1}),
    ],
)
def test_a_value_that_the_image_cannot_hold_is_refused(value: str, elements: dict[str, Any]) -> None:
    content = part10_bytes(make_image(make_samples(1, 6, 6, 1, 8), **elements))
    assert code_of(lambda: by_file(content, compiled(value=value))) == "bad-fill"


@BOTH
@pytest.mark.parametrize("name", ["SC_rgb_dcmtk_+eb+cy+np.dcm", "SC_rgb_small_odd_jpeg.dcm"])
def test_jpeg_becomes_rgb_and_its_loss_is_noted(edit: Any, name: str) -> None:
    before = pydicom.dcmread(wheel_file(name))
    for keyword in ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        before.pop(keyword, None)
    encoded = len(before.PixelData)
    after = edit(saved(before))
    assert after.PhotometricInterpretation == "RGB"
    assert after.PlanarConfiguration == 0
    assert after.LossyImageCompression == "01"
    assert after.LossyImageCompressionMethod == "ISO_10918_1"
    ratio = before.Rows * before.Columns * 3 / encoded
    assert float(after.LossyImageCompressionRatio) == pytest.approx(ratio, rel=0.2)


def test_an_earlier_loss_stays_noted_before_this_one() -> None:
    before = pydicom.dcmread(wheel_file("SC_rgb_dcmtk_+eb+cy+np.dcm"))
    before.LossyImageCompressionMethod = "ISO_15444_1"
    before.LossyImageCompressionRatio = "7.5"
    after = by_file(saved(before))
    assert after.LossyImageCompressionMethod == ["ISO_15444_1", "ISO_10918_1"]
    assert after.LossyImageCompressionRatio[0] == 7.5
    assert after.LossyImageCompressionRatio[1] > 10


def test_components_that_nothing_marks_are_what_the_object_says() -> None:
    before = pydicom.dcmread(wheel_file("SC_rgb_dcmtk_+eb+cy+n1.dcm"))
    (frame,) = generate_frames(before.PixelData, number_of_frames=1)
    app0 = frame.index(b"\xff\xe0") if b"\xff\xe0" in frame[:4] else None
    if app0 is not None:
        length = int.from_bytes(frame[app0 + 2 : app0 + 4], "big")
        frame = frame[:app0] + frame[app0 + 2 + length :]
    before.PixelData = encapsulate([frame])
    converted = by_file(saved(before)).pixel_array
    before.PhotometricInterpretation = "RGB"
    taken = by_file(saved(before)).pixel_array
    assert not np.array_equal(converted, taken)


# -- the rest of the object


def rich_image(big: bool) -> Dataset:
    """An image with elements of every kind of VR, at several depths."""
    dataset = make_image(make_samples(2, 6, 6, 1, 16), big=big, PixelRepresentation=1)
    dataset.PatientName = "Müller^Jürgen"
    dataset.PixelPaddingValue = -2000
    dataset["PixelPaddingValue"].VR = "SS"
    dataset.FrameIncrementPointer = [0x00181063]
    dataset.RedPaletteColorLookupTableData = bytes(range(16))
    inner = Dataset()
    inner.SpecificCharacterSet = "ISO_IR 100"
    inner.CodeMeaning = "Größe"
    inner.ReferencedFrameNumber = [1, 2]
    deepest = Dataset()
    deepest.CodeMeaning = "Höhe"
    deepest.SelectorUSValue = 515
    deepest.SelectorULValue = 67305985
    deepest.SelectorFDValue = 1.5
    deepest.SelectorFLValue = -2.25
    deepest.SelectorSLValue = -5
    deepest.SelectorSSValue = -7
    deepest.SelectorATValue = 0x00100020
    deepest.SelectorOLValue = b"\1\2\3\4\5\6\7\x08"
    inner.ConceptCodeSequence = Sequence([deepest])
    dataset.ReferencedImageSequence = Sequence([inner, Dataset()])
    block = dataset.private_block(0x0011, "ACME", create=True)
    block.add_new(1, "UN", b"\1\2\3\4")
    return dataset


@BOTH
@pytest.mark.parametrize("transfer_syntax_uid", NATIVE)
def test_all_elements_survive_the_new_encoding(edit: Any, transfer_syntax_uid: str) -> None:
    expected = loaded(part10_bytes(rich_image(big=False)))
    after = edit(part10_bytes(rich_image(transfer_syntax_uid == ExplicitVRBigEndian), transfer_syntax_uid))
    for tag in (0x00080018, 0x0020000D, 0x0020000E):  # made anew for every image
        expected[tag].value = after[tag].value
    # pydicom leaves the order of bytes of OL and OW to who writes them.
    numbers = [0x00720075, 0x00281201] if transfer_syntax_uid == ExplicitVRBigEndian else []
    for dataset in (expected, after):
        deepest = dataset.ReferencedImageSequence[0].ConceptCodeSequence[0]
        for tag in numbers:
            for holder in (dataset, deepest):
                holder.pop(tag, None)
    assert after["PixelPaddingValue"].VR == "SS"
    assert [each for each in after if each.tag not in CHANGED] == [
        each for each in expected if each.tag not in CHANGED
    ]


def test_words_of_a_big_endian_object_change_their_order() -> None:
    after = by_file(part10_bytes(rich_image(big=True), ExplicitVRBigEndian))
    assert after.RedPaletteColorLookupTableData == np.arange(16, dtype="u1").view("u2").byteswap().tobytes()
    deepest = after.ReferencedImageSequence[0].ConceptCodeSequence[0]
    assert deepest.SelectorOLValue == b"\4\3\2\1\x08\7\6\5"


def test_a_sequence_of_unknown_vr_is_encoded_as_the_rest() -> None:
    dataset = make_image(make_samples(1, 6, 6, 1, 8))
    content = part10_bytes(dataset, ExplicitVRBigEndian)
    item = (
        b"\x20\0\x0d\0" + (4).to_bytes(4, "little") + b"1.2\0"
    )  # implicit, little endian: PS3.5 section 6.2.2
    item = b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
    creator = b"\0\x11\0\x10LO\0\x04ACME"
    unknown = b"\0\x11\x10\x01UN\0\0\xff\xff\xff\xff" + item
    place = content.index(b"\0\x20\0\x0dUI")
    instance = EncodedInstance.from_part10(content[:place] + creator + unknown + content[place:])
    BLACK.apply_encoded(instance, {})
    after = loaded(b"".join(map(bytes, instance.part10_chunks())))
    assert after[0x00111001].VR == "SQ"
    assert after[0x00111001].value[0].StudyInstanceUID == "1.2"


@BOTH
def test_what_was_done_is_noted_once_a_call(edit: Any) -> None:
    dataset = make_image(make_samples(1, 6, 6, 1, 8), BurnedInAnnotation="YES")
    dataset.DeidentificationMethod = "by hand"
    call = 'alterPixels["RECTANGLE", "left=0, top=0, right=1, bottom=1", "Solid", ""]'
    after = edit(part10_bytes(dataset), compiled(after=call))
    assert after.BurnedInAnnotation == "NO"
    assert after.DeidentificationMethod == ["by hand", *["Burned in text blacked out"] * 2]
    codes = after.DeidentificationMethodCodeSequence
    assert [(code.CodeValue, code.CodingSchemeDesignator) for code in codes] == [("113101", "DCM")] * 2
    samples = np.frombuffer(after.PixelData, "u1").reshape(6, 6)
    assert samples[0, 0] == 0
    assert samples[0, 1] != 0
    assert (samples[1:3, 1:4] == 0).all()


def test_a_rectangle_is_cut_at_the_edges() -> None:
    samples = make_samples(1, 6, 6, 1, 8)
    after = by_file(part10_bytes(make_image(samples)), compiled("l=-9, t=4, r=2, b=2000000000"))
    expected = samples.copy()
    expected[:, 4:, :2] = 0
    assert after.PixelData == expected.tobytes()


@pytest.mark.parametrize("area", ["l=6,t=0,r=9,b=2", "l=0,t=-5,r=2,b=0", "l=0,t=6,r=6,b=7"])
def test_a_rectangle_beside_the_image_is_refused(area: str) -> None:
    content = part10_bytes(make_image(make_samples(1, 6, 6, 1, 8)))
    assert code_of(lambda: by_file(content, compiled(area))) == "outside-image"


@BOTH
def test_later_statements_see_the_result(edit: Any) -> None:
    content = compressed(make_image(make_samples(1, 6, 6, 1, 8)), RLELossless)
    after = edit(content, compiled(after='(0010,4000) := (0002,0010)\n(0028,0301) := "YES"\n-(0012,0064)'))
    assert after.PatientComments == ExplicitVRLittleEndian
    assert after.BurnedInAnnotation == "YES"
    assert "DeidentificationMethodCodeSequence" not in after


def test_the_bytes_that_came_are_never_changed() -> None:
    content = bytearray(part10_bytes(make_image(make_samples(3, 6, 6, 1, 16))))
    before = bytes(content)
    instance = EncodedInstance.from_part10(content)
    compiled(after='alterPixels["rectangle", "l=0, t=0, r=6, b=6", "solid", "v=0"]').apply_encoded(
        instance, {}
    )
    assert bytes(content) == before
    assert not any(loaded(b"".join(map(bytes, instance.part10_chunks()))).PixelData)


@pytest.mark.parametrize("after", ["reject[]", '(0028,0010) := "no"'])
@pytest.mark.parametrize("transfer_syntax_uid", [ImplicitVRLittleEndian, RLELossless])
def test_a_script_that_ends_badly_leaves_the_data_set_as_it_was(after: str, transfer_syntax_uid: str) -> None:
    image = make_image(make_samples(2, 6, 6, 1, 8))
    is_native = transfer_syntax_uid == ImplicitVRLittleEndian
    content = (
        part10_bytes(image, transfer_syntax_uid) if is_native else compressed(image, transfer_syntax_uid)
    )
    dataset = loaded(content)
    script = compiled(after=after)
    if "reject" in after:
        assert script.apply(dataset, {}).status == "rejected"
    else:
        assert code_of(lambda: script.apply(dataset, {})) == "not-a-number"
    assert dataset == loaded(content)
    assert dataset.file_meta.TransferSyntaxUID == transfer_syntax_uid
    assert saved(dataset) == saved(loaded(content))


# -- where it is edited

EDITED_IN_PLACE = [
    (ImplicitVRLittleEndian, (3, 6, 6, 1), 16),
    (ExplicitVRLittleEndian, (2, 5, 7, 3), 8),
    (ExplicitVRLittleEndian, (1, 5, 7, 1), 8),
]


@pytest.mark.parametrize("transfer_syntax_uid, shape, bits", EDITED_IN_PLACE)
def test_a_file_is_edited_in_the_bytes_that_were_read(
    transfer_syntax_uid: str, shape: tuple[int, int, int, int], bits: int, tmp_path: Path
) -> None:
    source, target = tmp_path / "source.dcm", tmp_path / "target.dcm"
    content = part10_bytes(make_image(make_samples(*shape, bits)), transfer_syntax_uid)
    source.write_bytes(content)
    call = 'alterPixels["rectangle", "l=0, t=0, r=1, b=1", "solid", "v=0"]'
    anon.apply_to_file(compiled(after=call), source, target)
    assert source.read_bytes() == content
    assert loaded(target.read_bytes()) == by_file(content, compiled(after=call))
    instance = EncodedInstance.from_part10(bytearray(content))
    instance.owns_bytes = True
    BLACK.apply_encoded(instance, {})
    element = instance.dataset.get(0x7FE00010)
    assert element is not None
    assert isinstance(element.view.obj, bytearray)
    assert len(element.view.obj) == len(content)
