"""The size that a compressed frame says it has, read before a decoder believes it."""

from __future__ import annotations

from typing import NamedTuple

_SIZ = b"\xff\x4f\xff\x51"  # start of a JPEG 2000 codestream and of its first segment
_SIGNATURE_BOX = b"\0\0\0\x0cjP  "  # start of a JP2 file, which some writers put around the codestream
# JPEG's start of frame: SOF0 to SOF15 without DHT, JPG and DAC; JPEG-LS's is SOF55 (ISO 14495-1).
_STARTS_OF_FRAME = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})


class FrameSize(NamedTuple):
    """What the header of a compressed frame says.

    Attributes:
        rows: height.
        columns: width.
        component_ids: one for each sample; of JPEG 2000, which has none, numbers from 0.
        precision: bits of a sample; 0 where it is not read.
    """

    rows: int
    columns: int
    component_ids: tuple[int, ...]
    precision: int = 0


def frame_size(frame: bytes) -> FrameSize | None:
    """Read the header of a JPEG, JPEG-LS or JPEG 2000 frame; None when it is none of them."""
    if frame[:8] == _SIGNATURE_BOX:
        frame = _codestream(frame)
    if frame[:4] == _SIZ:
        return _size_of_jpeg_2000(frame)
    return _size_of_jpeg(frame) if frame[:2] == b"\xff\xd8" else None


def _codestream(file: bytes) -> bytes:
    """What is in the first codestream box of a JP2 file (ISO 15444-1 section I.4)."""
    position = 0
    while position + 8 <= len(file):
        length, kind = int.from_bytes(file[position : position + 4], "big"), file[position + 4 : position + 8]
        if kind == b"jp2c":
            return file[position + (16 if length == 1 else 8) :]
        if length < 8:
            break
        position += length
    return b""


def _size_of_jpeg_2000(frame: bytes) -> FrameSize | None:
    """ISO 15444-1 section A.5.1."""
    if len(frame) < 42:
        return None
    right, bottom, left, top = (int.from_bytes(frame[start : start + 4], "big") for start in (8, 12, 16, 20))
    components = int.from_bytes(frame[40:42], "big")
    return FrameSize(bottom - top, right - left, tuple(range(components)))


def _size_of_jpeg(frame: bytes) -> FrameSize | None:
    """ISO 10918-1 section B.2.2."""
    position = 2
    while position + 4 <= len(frame):
        if frame[position] != 0xFF:
            return None
        marker = frame[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        length = int.from_bytes(frame[position + 2 : position + 4], "big")
        if marker in _STARTS_OF_FRAME:
            segment = frame[position + 4 : position + 2 + length]
            if len(segment) < 6 or len(segment) < 6 + 3 * segment[5]:
                return None
            rows, columns = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
            return FrameSize(rows, columns, tuple(segment[6 : 6 + 3 * segment[5] : 3]), segment[0])
        position += 2 + length
    return None
