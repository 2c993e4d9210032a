"""What the pixel data of an object are (PS3.3 section C.7.6.3)."""

from __future__ import annotations

from typing import Final, NamedTuple

from pydicom.uid import UID

from anon.encoding.instance import SOP_CLASS_UID
from anon.errors import StatementError
from anon.operations.run import Run
from anon.places import Place

SAMPLES_PER_PIXEL: Final = 0x00280002
PHOTOMETRIC_INTERPRETATION: Final = 0x00280004
PLANAR_CONFIGURATION: Final = 0x00280006
NUMBER_OF_FRAMES: Final = 0x00280008
ROWS: Final = 0x00280010
COLUMNS: Final = 0x00280011
BITS_ALLOCATED: Final = 0x00280100
BITS_STORED: Final = 0x00280101
HIGH_BIT: Final = 0x00280102
PIXEL_REPRESENTATION: Final = 0x00280103

# Names of SOP classes whose objects are images without "Image Storage" in it.
_OTHER_IMAGES: Final = frozenset(
    {
        "Enhanced US Volume Storage",
        "Segmentation Storage",
        "Label Map Segmentation Storage",
        "Height Map Segmentation Storage",
        "Parametric Map Storage",
        "Ophthalmic Thickness Map Storage",
        "Corneal Topography Map Storage",
        "Ophthalmic Optical Coherence Tomography B-scan Volume Analysis Storage",
    }
)
_OF_ONE_SAMPLE: Final = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
_OF_THREE_SAMPLES: Final = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
_GREATEST_LENGTH: Final = 0xFFFFFFFE  # of an element


class Image(NamedTuple):
    """The shape of pixel data.

    Attributes:
        rows: of a frame.
        columns: of a frame.
        frames: at least 1.
        samples: of a pixel, 1 or 3.
        bits_allocated: for a sample, 8 or 16.
        bits_stored: of a sample.
        high_bit: the highest of the stored bits.
        is_signed: samples are two's complement.
        is_planar: first all reds, then all greens, then all blues of a frame.
        photometric: what the samples mean.
    """

    rows: int
    columns: int
    frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    is_planar: bool
    photometric: str

    @property
    def sample_bytes(self) -> int:
        """Bytes of a sample."""
        return self.bits_allocated // 8

    @property
    def total_bytes(self) -> int:
        """Bytes of all frames, not compressed."""
        return self.rows * self.columns * self.frames * self.samples * self.sample_bytes

    @property
    def unused_low_bits(self) -> int:
        """How many bits lie below the stored ones."""
        return self.high_bit + 1 - self.bits_stored


def require_image(run: Run) -> None:
    """Make sure that this is an image by its SOP class and has rows, with or without pixel data.

    Raises:
        StatementError: it is none.
    """
    sop_class_uid = UID((_text(run, SOP_CLASS_UID) or "").strip(" \0"))
    name = sop_class_uid.name if sop_class_uid.type == "SOP Class" else ""
    if "Image Storage" not in name and name not in _OTHER_IMAGES:
        raise StatementError(
            "not-an-image", "the object is not of a SOP class for images", "call it under a condition"
        )
    _number(run, ROWS, "Rows")


def read_image(run: Run) -> Image:
    """The shape of the object's pixel data.

    Raises:
        StatementError: an attribute is missing or makes no sense, they contradict each other, or the pixel
            data are of a kind that cannot be edited.
    """
    bits_allocated = _number(run, BITS_ALLOCATED, "Bits Allocated")
    bits_stored = _number(run, BITS_STORED, "Bits Stored", bits_allocated)
    samples = _number(run, SAMPLES_PER_PIXEL, "Samples per Pixel")
    # Without it nobody knows where the pixels of a rectangle are.
    planar = _number(run, PLANAR_CONFIGURATION, "Planar Configuration") if samples > 1 else 0
    image = Image(
        rows=_number(run, ROWS, "Rows"),
        columns=_number(run, COLUMNS, "Columns"),
        frames=_number(run, NUMBER_OF_FRAMES, "Number of Frames", 1),
        samples=samples,
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=_number(run, HIGH_BIT, "High Bit", bits_stored - 1),
        is_signed=_number(run, PIXEL_REPRESENTATION, "Pixel Representation", 0) == 1,
        is_planar=planar == 1,
        photometric=(_text(run, PHOTOMETRIC_INTERPRETATION) or "").strip(),
    )
    _check(image, planar)
    greatest = min(run.instance.limits.max_pixel_bytes, _GREATEST_LENGTH)
    if image.total_bytes > greatest:
        raise StatementError("too-many-pixels", f"the pixel data would have more than {greatest} bytes")
    return image


def _check(image: Image, planar: int) -> None:
    if image.bits_allocated not in (8, 16):
        raise StatementError("unsupported-image", "only pixel data with 8 or 16 bits allocated can be edited")
    known = {1: _OF_ONE_SAMPLE, 3: _OF_THREE_SAMPLES}.get(image.samples, frozenset())
    if image.photometric not in known:
        raise StatementError(
            "unsupported-image", "the Photometric Interpretation is unknown or does not fit Samples per Pixel"
        )
    if (
        image.rows < 1
        or image.columns < 1
        or image.frames < 1
        or planar not in (0, 1)
        or not 1 <= image.bits_stored <= image.high_bit + 1 <= image.bits_allocated
    ):
        raise StatementError("bad-image", "the attributes of the pixel data make no sense")


def _text(run: Run, tag: int) -> str | None:
    return run.read_place(Place((run.instance.dataset,), tag))


def _number(run: Run, tag: int, name: str, default: int | None = None) -> int:
    text = (_text(run, tag) or "").strip()
    if not text and default is not None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 10:
        raise StatementError("bad-image", f"{name} is missing or not a whole number")
    return int(text)
