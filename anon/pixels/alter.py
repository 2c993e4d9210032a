"""Blacking out a rectangle of all frames, and what the object then says about itself.

Native pixel data are edited where they are when the object's bytes are its own, as when `apply_to_file` read
them. Bytes that are the caller's are never changed: the pixel data are copied once, and a further rectangle
works on the same copy. Compressed data are decoded frame by frame into such a buffer.
"""

from __future__ import annotations

from typing import Final

from anon.encoding.elements import DataSet, Element
from anon.encoding.instance import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from anon.errors import StatementError
from anon.operations.run import Run
from anon.pixels.decode import Pixels, decode, samples_of
from anon.pixels.image import (
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    Image,
    read_image,
    require_image,
)
from anon.pixels.rectangle import Fill, Rectangle
from anon.recording import DEIDENTIFICATION_METHOD_CODE_SEQUENCE

PIXEL_DATA: Final = 0x7FE00010
BURNED_IN_ANNOTATION: Final = 0x00280301
DEIDENTIFICATION_METHOD: Final = 0x00120063
LOSSY_IMAGE_COMPRESSION: Final = 0x00282110
LOSSY_IMAGE_COMPRESSION_RATIO: Final = 0x00282112
LOSSY_IMAGE_COMPRESSION_METHOD: Final = 0x00282114
ICON_IMAGE_SEQUENCE: Final = 0x00880200

_NATIVE: Final = frozenset(
    {
        IMPLICIT_VR_LITTLE_ENDIAN,
        EXPLICIT_VR_LITTLE_ENDIAN,
        "1.2.840.10008.1.2.1.99",  # Deflated Explicit VR Little Endian
        EXPLICIT_VR_BIG_ENDIAN,
    }
)
# Float Pixel Data, Double Float Pixel Data, Pixel Data Provider URL.
_OTHER_PIXELS: Final = (0x7FE00008, 0x7FE00009, 0x00287FE0)
# Extended Offset Table, its lengths, Encapsulated Pixel Data Value Total Length.
_OF_FRAGMENTS: Final = (0x7FE00001, 0x7FE00002, 0x7FE00003)
# PS3.3 section C.7.6.1.1.5.1.
_LOSSY_METHODS: Final = {
    "1.2.840.10008.1.2.4.50": b"ISO_10918_1",
    "1.2.840.10008.1.2.4.51": b"ISO_10918_1",
    "1.2.840.10008.1.2.4.81": b"ISO_14495_1",
    "1.2.840.10008.1.2.4.91": b"ISO_15444_1",
    "1.2.840.10008.1.2.4.203": b"ISO_15444_15",
}


def black_out(run: Run, rectangle: Rectangle, fill: Fill) -> None:
    """Fill a rectangle of all frames; the object becomes Explicit VR Little Endian (SPEC-6 section 12).

    Raises:
        StatementError: the object is no image, or one that cannot be edited as a whole; nothing was done.
    """
    require_image(run)
    instance = run.instance
    if any(tag in instance.dataset for tag in _OTHER_PIXELS):
        raise StatementError("unsupported-image", "only pixel data of whole numbers in the object are edited")
    element = instance.dataset.get(PIXEL_DATA)
    if element is None or not element.length:
        run.warn("the object has no pixel data, nothing is blacked out")
        return
    image = read_image(run)
    area = rectangle.clipped(image)
    _refuse_other_pictures(instance.dataset)
    if instance.transfer_syntax_uid in _NATIVE:
        pixels, result = _native(run, element, image), image
    else:
        pixels, result = _decoded(run, element, image)
    samples = samples_of(pixels, result)
    samples[:, area.top : area.bottom, area.left : area.right] = fill.sample_values(result)
    _note(instance.dataset)


def _refuse_other_pictures(dataset: DataSet) -> None:
    """Overlays and icons show the image again, with what is burned in."""
    if any(tag & 0xFF01FFFF == 0x60003000 for tag in dataset.tags()):
        raise StatementError(
            "has-overlay", "the object has overlays, which are not blacked out",
            "remove them first: -(60X@,XXXX)",
        )  # fmt: skip
    if ICON_IMAGE_SEQUENCE in dataset:
        raise StatementError(
            "has-icon", "the object has an icon of the image, which is not blacked out",
            "remove it first: -(0088,0200)",
        )  # fmt: skip
    if _has_compressed_items(dataset):
        raise StatementError(
            "nested-pixels", "a sequence of the object has compressed pixel data, which are not decoded",
            "remove the sequence first",
        )  # fmt: skip


def _has_compressed_items(dataset: DataSet) -> bool:
    for tag in dataset.sequence_tags():
        element = dataset.get(tag)
        for item in element.items if element is not None else ():
            inner = item.get(PIXEL_DATA)
            if (inner is not None and inner.is_encapsulated) or _has_compressed_items(item):
                return True
    return False


def _native(run: Run, element: Element, image: Image) -> Pixels:
    """The pixel data to be edited, after the object's bytes and numbers got their new order."""
    instance = run.instance
    _check_native(run, element, image)
    vr = element.vr
    if vr not in ("OB", "OW") or instance.dataset.has_guessed_vrs:
        vr = _vr(image)
    instance.become_explicit_little()
    recoded = instance.dataset.get(PIXEL_DATA)
    assert recoded is not None
    pixels: Pixels | None = recoded.own_buffer
    if pixels is not None:
        return pixels
    even = image.total_bytes + image.total_bytes % 2
    pixels = recoded.view[:even]
    if not instance.owns_bytes or pixels.readonly or len(pixels) < even:
        pixels = bytearray(pixels)
        pixels += bytes(even - len(pixels))
    instance.dataset.put(PIXEL_DATA, vr, pixels)
    return pixels


def _check_native(run: Run, element: Element, image: Image) -> None:
    if element.is_encapsulated:
        raise StatementError("bad-image", "the pixel data are compressed, but not by the transfer syntax")
    if image.photometric.startswith("YBR_") and image.photometric != "YBR_FULL":
        raise StatementError(
            "unsupported-image", f"uncompressed pixel data of {image.photometric} cannot be edited"
        )
    if element.length < image.total_bytes:
        raise StatementError("short-pixel-data", "the pixel data are shorter than the object says")
    surplus = element.length - image.total_bytes
    if surplus >= image.total_bytes // image.frames:
        raise StatementError("bad-image", "the pixel data have more frames than the object says")
    if surplus > 1:
        run.warn("the pixel data are longer than the frames, what is behind them is removed")
    is_swapped = run.instance.transfer_syntax_uid == EXPLICIT_VR_BIG_ENDIAN
    if is_swapped and element.vr != "OW" and (image.sample_bytes > 1 or element.vr != "OB"):
        raise StatementError("bad-image", "the pixel data have a VR that hides the order of their bytes")


def _decoded(run: Run, element: Element, image: Image) -> tuple[Pixels, Image]:
    """The decoded pixel data to be edited, put into the object with all that tells of them."""
    instance = run.instance
    dataset = instance.dataset
    if not element.is_encapsulated:
        raise StatementError("bad-image", "the pixel data are not compressed as the transfer syntax says")
    table, lengths = (dataset.get(tag) for tag in _OF_FRAGMENTS[:2])
    offsets = (table.value, lengths.value) if table is not None and lengths is not None else None
    encapsulated = bytes(element.view)
    pixels, result = decode(encapsulated, image, instance.transfer_syntax_uid, offsets)
    for tag in _OF_FRAGMENTS:
        dataset.remove(tag)
    dataset.put(PIXEL_DATA, _vr(result), pixels)
    if result.photometric != image.photometric:
        dataset.put(PHOTOMETRIC_INTERPRETATION, "CS", result.photometric.encode("ascii"))
    if result.samples > 1:
        little = dataset.encoding.little
        dataset.put(PLANAR_CONFIGURATION, "US", result.is_planar.to_bytes(2, "little" if little else "big"))
    method = _LOSSY_METHODS.get(instance.transfer_syntax_uid)
    if method is not None:
        _note_loss(dataset, method, image.total_bytes / len(encapsulated))
    instance.become_explicit_little()
    return pixels, result


def _vr(image: Image) -> str:
    """PS3.5 section 8.1.2."""
    return "OB" if image.sample_bytes == 1 else "OW"


def _note_loss(dataset: DataSet, method: bytes, ratio: float) -> None:
    """Keep that the pixel data were compressed with loss (PS3.3 section C.7.6.1.1.5)."""
    dataset.put(LOSSY_IMAGE_COMPRESSION, "CS", b"01")
    methods = _values(dataset, LOSSY_IMAGE_COMPRESSION_METHOD)
    if methods[-1:] != [method]:
        methods.append(method)
        dataset.put(LOSSY_IMAGE_COMPRESSION_METHOD, "CS", b"\\".join(methods))
    ratios = _values(dataset, LOSSY_IMAGE_COMPRESSION_RATIO)
    ratios += [b""] * (len(methods) - len(ratios))
    if ratios[len(methods) - 1] in (b"", b"0"):
        ratios[len(methods) - 1] = f"{ratio:.3f}".rstrip("0").rstrip(".").encode("ascii")
        dataset.put(LOSSY_IMAGE_COMPRESSION_RATIO, "DS", b"\\".join(ratios))


def _values(dataset: DataSet, tag: int) -> list[bytes]:
    """The values of an element of text; none when it is absent or empty."""
    element = dataset.get(tag)
    text = b"" if element is None else element.value.strip(b" \0")
    return [part.strip(b" ") for part in text.split(b"\\")] if text else []


def _note(dataset: DataSet) -> None:
    """Say that the pixel data were cleaned (PS3.15 section E.3.1)."""
    dataset.put(BURNED_IN_ANNOTATION, "CS", b"NO")
    methods = [*_values(dataset, DEIDENTIFICATION_METHOD), b"Burned in text blacked out"]
    dataset.put(DEIDENTIFICATION_METHOD, "LO", b"\\".join(methods))
    item = dataset.new_item(DEIDENTIFICATION_METHOD_CODE_SEQUENCE)
    item.put(0x00080100, "SH", b"113101")
    item.put(0x00080102, "SH", b"DCM")
    item.put(0x00080104, "LO", b"Clean Pixel Data Option")
