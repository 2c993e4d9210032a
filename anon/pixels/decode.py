"""Decoding compressed pixel data, with the codecs that are installed.

Nothing is decoded before it is known how large it becomes: the header of each frame has to agree with the
attributes of the object, which are within the limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import UID

from anon.errors import StatementError
from anon.pixels.codestream import frame_size
from anon.pixels.image import Image

Samples = NDArray[Any]
Offsets = tuple[bytes, bytes]
Pixels = bytearray | memoryview

RLE: Final = "1.2.840.10008.1.2.5"
_JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
_JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
_JPEG_LS: Final = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
_END_OF_IMAGE: Final = b"\xff\xd9"
# For these, JPEG Extended with 12 bits, the only codec beside GDCM is under the GPL.
_OF_GPL_CODECS: Final = frozenset({_JPEG_EXTENDED, "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"})
# By the names that pydicom has for its plugins. The last one is its own, for RLE.
_PLUGINS: Final = ("pyjpegls", "pylibjpeg", "pydicom")
_RGB_IDS: Final = ((82, 71, 66), (114, 103, 98))  # "RGB" and "rgb"
_RESULTS: Final = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL"})


def samples_of(pixels: Pixels, image: Image) -> Samples:
    """The samples as an array of frames x rows x columns x samples, which edits the buffer."""
    count = image.total_bytes // image.sample_bytes
    flat = np.frombuffer(pixels, dtype=f"<u{image.sample_bytes}", count=count)
    if image.is_planar:
        planes = flat.reshape(image.frames, image.samples, image.rows, image.columns)
        return planes.transpose(0, 2, 3, 1)
    return flat.reshape(image.frames, image.rows, image.columns, image.samples)


def decode(
    encapsulated: bytes, image: Image, transfer_syntax_uid: str, offsets: Offsets | None = None
) -> tuple[bytearray, Image]:
    """Decode all frames.

    Args:
        encapsulated: the value of the pixel data: fragments (PS3.5 section A.4).
        image: what the object says of them.
        transfer_syntax_uid: how they are compressed.
        offsets: the Extended Offset Table and its lengths.

    Returns:
        The samples, little endian, and what they are now. JPEG becomes RGB, and JPEG 2000 where it was made
        from RGB; JPEG-LS and RLE keep the colour space, RLE the planes too.

    Raises:
        StatementError: there is no codec, the data are damaged, or they are not what the object says.
    """
    try:
        decoder = get_decoder(UID(transfer_syntax_uid))
    except NotImplementedError:
        raise StatementError(
            "unsupported-transfer-syntax", "pixel data in this transfer syntax cannot be edited"
        ) from None
    try:
        precisions = _check_frames(encapsulated, image, transfer_syntax_uid, offsets)
        if transfer_syntax_uid in (_JPEG_BASELINE, _JPEG_EXTENDED) and precisions == {8}:
            decoded = _jpeg_frames(encapsulated, image, offsets)
        else:
            decoded = _frames(encapsulated, image, decoder, _find_plugin(decoder), offsets)
        return _collected(decoded, image, keeps_planes=transfer_syntax_uid == RLE)
    except StatementError:
        raise
    except BaseException as error:
        # Codecs raise whatever they like; those in Rust panic, which is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise StatementError("not-decodable", "the pixel data cannot be decoded") from None


def _find_plugin(decoder: Decoder) -> str:
    for name in _PLUGINS:
        if name in decoder.available_plugins:
            return name
    hint = "the codecs under the GPL are an extra: pip install 'dicom-prearchive[gpl-codecs]'"
    raise StatementError(
        "missing-codec", "no codec for this transfer syntax is installed",
        hint if decoder.UID in _OF_GPL_CODECS else "install the project as a whole",
    )  # fmt: skip


def _encoded_frames(encapsulated: bytes, image: Image, offsets: Offsets | None) -> Iterator[bytes]:
    return generate_frames(encapsulated, number_of_frames=image.frames, extended_offsets=offsets)


def _check_frames(
    encapsulated: bytes, image: Image, transfer_syntax_uid: str, offsets: Offsets | None
) -> set[int]:
    """Compare the headers of the frames with the image; returns how many bits their samples have."""
    precisions: set[int] = set()
    count = 0
    for frame in _encoded_frames(encapsulated, image, offsets):
        count += 1
        if transfer_syntax_uid == RLE:
            continue  # its header says nothing about sizes; the codec wants the object's
        size = frame_size(frame)
        if size is None:
            raise StatementError("not-decodable", "a frame has no header that fits the transfer syntax")
        if (size.rows, size.columns, len(size.component_ids)) != (image.rows, image.columns, image.samples):
            raise StatementError("bad-image", "a compressed frame is not of the size that the object says")
        if transfer_syntax_uid in _JPEG_LS and _END_OF_IMAGE not in frame[-16:]:
            # CharLS would look for it for seconds, frame by frame.
            raise StatementError("not-decodable", "a compressed frame has no end")
        precisions.add(size.precision)
    if count != image.frames:
        raise StatementError("bad-image", "the pixel data do not have as many frames as the object says")
    return precisions


def _jpeg_frames(encapsulated: bytes, image: Image, offsets: Offsets | None) -> Iterator[tuple[Samples, str]]:
    """JPEG with 8 bits by libjpeg, which undoes the colour transformation of the encoder."""
    for frame in _encoded_frames(encapsulated, image, offsets):
        size = frame_size(frame)
        with Picture.open(BytesIO(frame), formats=("JPEG",)) as picture:
            is_marked = bool({"jfif", "adobe_transform"} & picture.info.keys())
            is_rgb = size is not None and size.component_ids in _RGB_IDS
            if image.photometric == "RGB" and not is_marked and not is_rgb:
                picture.draft("YCbCr", picture.size)  # nothing in the frame speaks against the object
            yield np.asarray(picture), "RGB" if image.samples == 3 else image.photometric


def _frames(
    encapsulated: bytes, image: Image, decoder: Decoder, plugin: str, offsets: Offsets | None
) -> Iterator[tuple[Samples, str]]:
    options: dict[str, Any] = {
        "rows": image.rows,
        "columns": image.columns,
        "number_of_frames": image.frames,
        "samples_per_pixel": image.samples,
        "bits_allocated": image.bits_allocated,
        "bits_stored": image.bits_stored,
        "pixel_representation": int(image.is_signed),
        "photometric_interpretation": image.photometric,
        "planar_configuration": int(image.is_planar),
        "extended_offsets": offsets,
        "correct_unused_bits": False,
    }
    for frame, properties in decoder.iter_array(
        encapsulated, raw=True, validate=False, decoding_plugin=plugin, **options
    ):
        yield frame, str(properties["photometric_interpretation"])


def _collected(
    decoded: Iterator[tuple[Samples, str]], image: Image, *, keeps_planes: bool
) -> tuple[bytearray, Image]:
    """The frames one behind the other, in the object's bits."""
    result = image._replace(is_planar=image.is_planar and keeps_planes)
    pixels = bytearray(image.total_bytes + image.total_bytes % 2)
    samples = samples_of(pixels, result)
    meanings: set[str] = set()
    for number, (frame, photometric) in enumerate(decoded):
        if frame.dtype.itemsize > image.sample_bytes:
            raise StatementError("bad-image", "the compressed samples have more bits than the object says")
        samples[number] = frame.reshape(image.rows, image.columns, image.samples)
        meanings.add(photometric)
    if len(meanings) != 1 or not meanings <= _RESULTS:
        raise StatementError("unsupported-image", "the colours of the compressed frames are not supported")
    return pixels, result._replace(photometric=meanings.pop())
