"""alterPixels: what cannot be edited as a whole is refused; codecs are loaded when pixels are edited."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from builders import loaded, part10_bytes, saved, wheel_file
from pixel_objects import (
    AREA,
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
    BasicTextSRStorage,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

import anon
from anon.encoding.instance import EncodedInstance, Limits


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ('alterPixels["circle", "l=0,t=0,r=1,b=1", "solid", "v=0"]', "bad-shape"),
        ('alterPixels["rectangle", "l=0,t=0,r=1,b=1", "blur", "v=0"]', "bad-fill"),
        ('alterPixels["rectangle", "l=0,t=0,r=1", "solid", "v=0"]', "bad-rectangle"),
        ('alterPixels["rectangle", "", "solid", "v=0"]', "bad-rectangle"),
        ('alterPixels["rectangle", "L=0,t=0,r=1,b=1", "solid", "v=0"]', "bad-rectangle"),
        ('alterPixels["rectangle", "l=0,left=0,t=0,r=1,b=1", "solid", "v=0"]', "bad-rectangle"),
        ('alterPixels["rectangle", "l=1.5,t=0,r=3,b=1", "solid", "v=0"]', "bad-rectangle"),
        ('alterPixels["rectangle", "l=0,t=0,r=99999999999,b=1", "solid", "v=0"]', "bad-rectangle"),
        ('alterPixels["rectangle", "l=0 t=0 r=1 b=1", "solid", "v=0"]', "bad-rectangle"),
        ('alterPixels["rectangle", "0,0,1,1", "solid", "v=0"]', "bad-rectangle"),
        ('alterPixels["rectangle", "l=5,t=0,r=2,b=1", "solid", "v=0"]', "bad-rectangle"),
        ('alterPixels["rectangle", "l=2,t=0,r=2,b=1", "solid", "v=0"]', "bad-rectangle"),
        ('alterPixels["rectangle", "l=0,t=0,r=1,b=1", "solid", "v=256"]', "bad-fill"),
        ('alterPixels["rectangle", "l=0,t=0,r=1,b=1", "solid", "v=-1"]', "bad-fill"),
        ('alterPixels["rectangle", "l=0,t=0,r=1,b=1", "solid", "r=1,g=1"]', "bad-fill"),
        ('alterPixels["rectangle", "l=0,t=0,r=1,b=1", "solid", "v=1,r=1,g=1,b=1"]', "bad-fill"),
        ('alterPixels["rectangle", "l=0,t=0,r=1,b=1", "solid"]', "argument-count"),
        ('alterPixels["rectangle", "l=0,t=0,r=1,b=1", "solid", "v=0", "x"]', "argument-count"),
        ('alterPixels["rectangle", (0010,0010), "solid", "v=0"]', "argument-kind"),
        ('x1 := alterPixels["rectangle", "l=0,t=0,r=1,b=1", "solid", "v=0"]', "no-value"),
    ],
)
def test_a_mistake_in_the_call_is_found_before_any_object(call: str, code: str) -> None:
    assert code_of(lambda: anon.compile_script(f'version "6.6"\n{call}')) == code


def test_an_area_in_a_variable_is_checked_when_it_is_used() -> None:
    script = anon.compile_script(
        'version "6.6"\narea := here\nalterPixels["rectangle", area, "solid", "v=0"]'
    )
    dataset = make_image(make_samples(1, 6, 6, 1, 8))
    assert code_of(lambda: script.apply(dataset, {"here": "l=3"})) == "bad-rectangle"
    script.apply(dataset, {"here": AREA})
    assert dataset.PixelData[7:10] == bytes(3)


@BOTH
@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"SOPClassUID": BasicTextSRStorage}, "not-an-image"),
        ({"SOPClassUID": "1.2.3.4"}, "not-an-image"),
        ({"Rows": None}, "bad-image"),
        ({"Rows": 0}, "bad-image"),
        ({"Columns": 0}, "bad-image"),
        ({"Rows": 65535, "Columns": 65535}, "short-pixel-data"),
        ({"Rows": 7}, "short-pixel-data"),
        ({"Rows": 3}, "bad-image"),
        ({"NumberOfFrames": 0}, "bad-image"),
        ({"NumberOfFrames": -1}, "bad-image"),
        ({"NumberOfFrames": 2}, "short-pixel-data"),
        ({"NumberOfFrames": 2147483647}, "too-many-pixels"),
        ({"SamplesPerPixel": 3}, "bad-image"),
        ({"SamplesPerPixel": 3, "PlanarConfiguration": 0}, "unsupported-image"),
        ({"SamplesPerPixel": 4, "PlanarConfiguration": 0}, "unsupported-image"),
        ({"BitsAllocated": None}, "bad-image"),
        ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}, "unsupported-image"),
        ({"BitsAllocated": 32}, "unsupported-image"),
        ({"BitsStored": 9}, "bad-image"),
        ({"BitsStored": 0}, "bad-image"),
        ({"HighBit": 8}, "bad-image"),
        ({"HighBit": 3}, "bad-image"),
        ({"PhotometricInterpretation": "YBR_FULL_422"}, "unsupported-image"),
        ({"PhotometricInterpretation": "CIELAB"}, "unsupported-image"),
        ({"FloatPixelData": b"\0\0\0\0"}, "unsupported-image"),
        ({"PixelDataProviderURL": "http://127.0.0.1/"}, "unsupported-image"),
        ({"OverlayData": b"\0\0"}, "has-overlay"),
        ({"IconImageSequence": Sequence([Dataset()])}, "has-icon"),
    ],
)
def test_an_object_that_cannot_be_edited_as_a_whole_is_refused(
    edit: Any, elements: dict[str, Any], code: str
) -> None:
    dataset = make_image(make_samples(1, 6, 6, 1, 8))
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        elif keyword == "OverlayData":
            dataset.add_new(0x60023000, "OW", value)
        else:
            setattr(dataset, keyword, value)
    content = part10_bytes(dataset)
    assert code_of(lambda: edit(content)) == code


@BOTH
@pytest.mark.parametrize("transfer_syntax_uid", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize(
    "elements",
    [
        {"NumberOfFrames": 1},
        {"NumberOfFrames": 3},
        {"NumberOfFrames": 100000},
        {"Rows": 42},
        {"Rows": 600, "Columns": 600},
        {"Rows": 20, "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15},
    ],
)
def test_compressed_frames_have_to_be_what_the_object_says(
    edit: Any, transfer_syntax_uid: str, elements: dict[str, int]
) -> None:
    dataset = loaded(compressed(make_image(make_samples(2, 40, 40, 1, 8)), transfer_syntax_uid))
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    content = saved(dataset)
    assert code_of(lambda: edit(content)) in ("bad-image", "not-decodable")


def test_more_bits_than_allocated_are_refused() -> None:
    dataset = loaded(compressed(make_image(make_samples(1, 40, 40, 1, 16)), JPEG2000Lossless))
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    assert code_of(lambda: by_file(saved(dataset))) == "bad-image"


def test_a_size_above_the_limit_is_refused_before_anything_is_decoded() -> None:
    content = compressed(make_image(make_samples(2, 64, 64, 1, 8)), JPEG2000Lossless)
    instance = EncodedInstance.from_part10(content, Limits(max_pixel_bytes=2 * 64 * 64 - 1))
    assert code_of(lambda: BLACK.apply_encoded(instance, {})) == "too-many-pixels"
    BLACK.apply_encoded(EncodedInstance.from_part10(content, Limits(max_pixel_bytes=2 * 64 * 64)), {})


def test_a_codestream_that_is_larger_than_the_object_is_not_decoded() -> None:
    dataset = loaded(compressed(make_image(make_samples(1, 64, 64, 1, 8)), JPEG2000Lossless))
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    huge = frame[:8] + (60000).to_bytes(4, "big") * 2 + frame[16:]
    dataset.PixelData = encapsulate([huge])
    assert code_of(lambda: by_file(saved(dataset))) == "bad-image"


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",
    ],
)
def test_damaged_pixel_data_are_edited_or_refused_and_nothing_else(name: str) -> None:
    dataset = pydicom.dcmread(wheel_file(name))
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    numbers = np.random.default_rng(3)
    refused = 0
    for _ in range(40):
        damaged = bytearray(frame[: int(numbers.integers(1, len(frame)))])
        for place in numbers.integers(0, len(damaged), 3):
            damaged[place] = int(numbers.integers(0, 256))
        dataset.PixelData = encapsulate([bytes(damaged)])
        content = saved(dataset)
        try:
            by_file(content)
        except anon.ScriptError as error:
            refused += 1
            assert error.diagnostics[0].code in ("not-decodable", "bad-image")
    assert refused > 10


@BOTH
def test_an_object_and_its_transfer_syntax_have_to_agree(edit: Any) -> None:
    dataset = make_image(make_samples(1, 6, 6, 1, 8))
    content = part10_bytes(dataset).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    if edit is by_file:  # pydicom cannot tell them apart in a data set that it has read
        assert code_of(lambda: edit(content)) == "bad-image"
    content = compressed(dataset, RLELossless).replace(b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.1\0")
    assert code_of(lambda: edit(content)) == "bad-image"


def test_video_is_refused() -> None:
    dataset = loaded(compressed(make_image(make_samples(1, 6, 6, 1, 8)), RLELossless))
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.MPEG2MPML
    assert code_of(lambda: by_file(saved(dataset))) == "unsupported-transfer-syntax"


def test_compressed_pixel_data_in_a_sequence_have_no_place_in_the_result() -> None:
    dataset = loaded(compressed(make_image(make_samples(1, 6, 6, 1, 8)), RLELossless))
    item = Dataset()
    item.PixelData = dataset.PixelData
    item["PixelData"].VR = "OB"
    item["PixelData"].is_undefined_length = True
    dataset.ReferencedImageSequence = Sequence([item])
    content = saved(dataset)
    assert code_of(lambda: by_file(content)) == "nested-pixels"
    assert by_file(content, compiled(before="-(0008,1140)")).PixelData[7:10] == bytes(3)


@pytest.mark.skipif(find_spec("libjpeg") is not None, reason="the codecs under the GPL are installed")
@pytest.mark.parametrize("name", ["SC_rgb_jpeg_gdcm.dcm", "JPGExtended.dcm"])
def test_a_codec_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(anon.ScriptError) as caught:
        by_file(wheel_file(name).read_bytes())
    assert caught.value.diagnostics[0].code == "missing-codec"
    assert "gpl-codecs" in caught.value.diagnostics[0].hint


@BOTH
def test_without_pixel_data_nothing_happens_but_a_warning(edit: Any) -> None:
    dataset = make_image(make_samples(1, 6, 6, 1, 8), BurnedInAnnotation="YES")
    del dataset.PixelData
    content = part10_bytes(dataset, ImplicitVRLittleEndian)
    after = edit(content)
    assert after == loaded(content)
    assert after.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    assert "no pixel data" in BLACK.apply(loaded(content), {}).messages[0]


def test_bytes_behind_the_last_frame_go_with_a_warning() -> None:
    samples = make_samples(1, 6, 6, 1, 8)
    dataset = make_image(samples)
    dataset.PixelData += b"hidden"
    report = BLACK.apply(dataset, {})
    assert len(dataset.PixelData) == samples.nbytes
    assert "behind" in report.messages[0]


# -- what is loaded, and when

ALTER = 'alterPixels["rectangle", "l=0, t=0, r=1, b=1", "solid", ""]'
WITHOUT_NUMPY = f"""
import sys
for name in ("numpy", "PIL", "openjpeg", "rle", "jpeg_ls", "libjpeg", "pylibjpeg"):
    sys.modules[name] = None
import anon
edits = anon.compile_script('version "6.6"\\n(0010,0010) := "Subject"')
anon.apply_to_file(edits, sys.argv[1], sys.argv[2])
blacks = anon.compile_script('version "6.6"\\n{ALTER}')
try:
    anon.apply_to_file(blacks, sys.argv[1], sys.argv[2])
except anon.ScriptError as error:
    print(error.diagnostics[0].code)
"""
# pydicom itself imports numpy and the codecs wherever it finds them, so what counts is that we do not.
WITHOUT_PIXELS = f"""
import sys
import anon
anon.compile_script('version "6.6"\\n{ALTER}')
print([name for name in ("anon.pixels.alter", "anon.pixels.decode") if name in sys.modules])
"""


def output_of(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_scripts_that_leave_pixels_alone_need_neither_numpy_nor_codecs(tmp_path: Path) -> None:
    target = tmp_path / "target.dcm"
    printed = output_of(WITHOUT_NUMPY, str(wheel_file("CT_small.dcm")), str(target))
    assert printed == "missing-codec\n"
    assert pydicom.dcmread(target).PatientName == "Subject"


def test_decoders_are_loaded_when_pixels_are_edited_and_not_before() -> None:
    assert output_of(WITHOUT_PIXELS) == "[]\n"
