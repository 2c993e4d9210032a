"""A whole object: file meta information and data set, as encoded bytes (PS3.10 section 7)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from anon.encoding.elements import (
    BINARY_VRS,
    DEFAULT_MAX_NESTING,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    VR_NAMES,
    Buffer,
    DataSet,
    DataSetError,
    Encoding,
)
from anon.encoding.transcode import explicit_little

# Ours, derived once from a random UUID (PS3.5 section B.2); the version changes when the way of writing does.
IMPLEMENTATION_CLASS_UID = "2.25.302419276185113949371563228894128370561"
IMPLEMENTATION_VERSION_NAME = "DICOM_PREARC_1"

MEDIA_STORAGE_SOP_CLASS_UID = 0x00020002
MEDIA_STORAGE_SOP_INSTANCE_UID = 0x00020003
TRANSFER_SYNTAX_UID = 0x00020010
SOP_CLASS_UID = 0x00080016
SOP_INSTANCE_UID = 0x00080018

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
IMPLICIT = frozenset(
    {
        IMPLICIT_VR_LITTLE_ENDIAN,
        "1.2.840.10008.1.20",  # Papyrus 3 (retired)
        "1.2.840.113619.5.2",  # GE's own: only the pixels are big endian
    }
)
DEFLATED = frozenset(
    {
        "1.2.840.10008.1.2.1.99",  # Deflated Explicit VR Little Endian
        "1.2.840.10008.1.2.4.95",  # JPIP Referenced Deflate
        "1.2.840.10008.1.2.4.205",  # JPIP HTJ2K Referenced Deflate
    }
)
# Encapsulated syntaxes, those to come too, have an Explicit VR Little Endian data set (PS3.5 section A.4).
_ENCAPSULATED = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.[0-9]{1,4}(?:\.[0-9]{1,2})?", re.ASCII)
# MIME and XML encodings (retired) and real-time video hold no data set in the sense of PS3.5.
_PARSABLE = frozenset(
    {
        *IMPLICIT,
        EXPLICIT_VR_LITTLE_ENDIAN,
        "1.2.840.10008.1.2.1.98",  # Encapsulated Uncompressed Explicit VR Little Endian
        "1.2.840.10008.1.2.1.99",
        EXPLICIT_VR_BIG_ENDIAN,
        "1.2.840.10008.1.2.5",  # RLE Lossless
    }
)
_BULK_BYTES = 64 * 1024
_INFLATE_STEP = 1 << 20


class Limits(NamedTuple):
    """How much a single object may ask for.

    Attributes:
        max_nesting: levels of sequences.
        max_inflate_bytes: size of a deflated data set when inflated.
        max_header_bytes: size of all elements but the large binary ones.
        max_pixel_bytes: size of the pixel data when decoded.
    """

    max_nesting: int = DEFAULT_MAX_NESTING
    max_inflate_bytes: int = 2 << 30
    max_header_bytes: int = 64 << 20
    max_pixel_bytes: int = 4 << 30


NO_SURPRISES = Limits()


def can_parse(transfer_syntax_uid: str) -> bool:
    """Whether data sets in this transfer syntax can be read: every standard one that holds a data set."""
    return transfer_syntax_uid in _PARSABLE or _ENCAPSULATED.fullmatch(transfer_syntax_uid) is not None


def encoding_of(transfer_syntax_uid: str) -> Encoding:
    """How a data set is encoded in a transfer syntax (PS3.5 annex A); encapsulated ones are Explicit Little.

    Raises:
        DataSetError: `unsupported-transfer-syntax`.
    """
    if not can_parse(transfer_syntax_uid):
        raise DataSetError("unsupported-transfer-syntax", 0)
    if transfer_syntax_uid in IMPLICIT:
        return IMPLICIT_LITTLE
    return EXPLICIT_BIG if transfer_syntax_uid == EXPLICIT_VR_BIG_ENDIAN else EXPLICIT_LITTLE


class EncodedInstance:
    """A DICOM object as encoded bytes. Group 2 is `meta`, everything else `dataset`.

    Attributes:
        meta: file meta information, always Explicit VR Little Endian.
        dataset: the data set.
        transfer_syntax_uid: of the data set; `become_explicit_little` alone changes it.
        limits: how much the object may ask for.
        owns_bytes: nobody else looks at the bytes that were read, so large values may be edited in them.
    """

    owns_bytes = False

    def __init__(
        self,
        meta: DataSet,
        dataset: DataSet,
        transfer_syntax_uid: str,
        deflated: Buffer | None = None,
        limits: Limits = NO_SURPRISES,
    ) -> None:
        self.meta = meta
        self.dataset = dataset
        self.transfer_syntax_uid = transfer_syntax_uid
        self.limits = limits
        self._deflated = deflated

    @classmethod
    def from_wire(
        cls, encoded: Buffer, transfer_syntax_uid: str, limits: Limits = NO_SURPRISES
    ) -> EncodedInstance:
        """Read a data set as a C-STORE request carries it: without file meta information.

        Raises:
            DataSetError: the bytes are not such a data set, or go beyond `limits`.
        """
        encoding = encoding_of(transfer_syntax_uid)
        plain = encoded
        deflated: Buffer | None = None
        if transfer_syntax_uid in DEFLATED:
            plain, deflated = _inflate(encoded, limits.max_inflate_bytes), encoded
        actual = _actual_encoding(plain, encoding)
        dataset = DataSet.scan(plain, actual, max_nesting=limits.max_nesting)
        if len(plain) > limits.max_header_bytes:
            _check_header(dataset, limits.max_header_bytes)
        meta = DataSet()
        meta.put(TRANSFER_SYNTAX_UID, "UI", transfer_syntax_uid.encode("ascii"))
        return cls(_as_read(meta), dataset, transfer_syntax_uid, deflated, limits)

    @classmethod
    def from_part10(cls, buffer: Buffer, limits: Limits = NO_SURPRISES) -> EncodedInstance:
        """Read a file of PS3.10: preamble, prefix, file meta information, data set.

        Raises:
            DataSetError: `not-dicom` without the prefix, `no-transfer-syntax`, or as `from_wire`.
        """
        view = memoryview(buffer)
        if bytes(view[128:132]) != b"DICM":
            raise DataSetError("not-dicom", 0)
        end = _end_of_meta(view)
        meta = _scan_meta(view[132:end])
        named = meta.get(TRANSFER_SYNTAX_UID)
        if named is None:
            raise DataSetError("no-transfer-syntax", 132)
        transfer_syntax_uid = named.value.rstrip(b" \0").decode("ascii", "replace")
        instance = cls.from_wire(view[end:], transfer_syntax_uid, limits)
        instance.meta = meta
        return instance

    @property
    def is_mislabelled(self) -> bool:
        """Whether the data set is not encoded as its transfer syntax says, implicit for explicit or back."""
        return self.dataset.encoding != encoding_of(self.transfer_syntax_uid)

    def element_set(self, tag: int) -> DataSet:
        """Where an element of this tag lives: `meta` for group 2, else `dataset`."""
        return self.meta if tag >> 16 == 2 else self.dataset

    def become_explicit_little(self) -> None:
        """Change the transfer syntax to Explicit VR Little Endian.

        `dataset` is another object afterwards when its elements have to be encoded anew. Encapsulated pixel
        data has to be gone: it has no place in the new transfer syntax.
        """
        self.dataset = explicit_little(self.dataset)
        self.transfer_syntax_uid = EXPLICIT_VR_LITTLE_ENDIAN
        self._deflated = None
        self.meta.put(TRANSFER_SYNTAX_UID, "UI", EXPLICIT_VR_LITTLE_ENDIAN.encode("ascii"))

    def dataset_chunks(self) -> list[Buffer]:
        """The encoded data set in its transfer syntax: what was not changed byte for byte as it came."""
        if self._deflated is not None:
            if not self.dataset.changed_tags() and all(tag & 0xFFFF for tag in self.dataset._source_tags()):
                return [self._deflated]
            return _deflate(self.dataset.chunks())
        return self.dataset.chunks()

    def part10_chunks(self) -> list[Buffer]:
        """The whole file: zero preamble, prefix, file meta information written anew, data set.

        Media Storage SOP Class and Instance UID follow the data set; the implementation is ours unless a
        script set another (PS3.10 section 7.1).
        """
        return [*self._meta_chunks(), *self.dataset_chunks()]

    def _meta_chunks(self) -> list[Buffer]:
        touched = self.meta.changed_tags()
        meta = DataSet()
        for element in self.meta.elements():
            meta.put(element.tag, element.vr, element.value)
        for tag, source in (
            (MEDIA_STORAGE_SOP_CLASS_UID, SOP_CLASS_UID),
            (MEDIA_STORAGE_SOP_INSTANCE_UID, SOP_INSTANCE_UID),
        ):
            identity = self.dataset.get(source)
            meta.put(tag, "UI", b"" if identity is None else identity.value)
        meta.put(0x00020001, "OB", b"\0\1")
        meta.put(TRANSFER_SYNTAX_UID, "UI", self.transfer_syntax_uid.encode("ascii"))
        if 0x00020012 not in touched:
            meta.put(0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode("ascii"))
        if 0x00020013 not in touched:
            meta.put(0x00020013, "SH", IMPLEMENTATION_VERSION_NAME.encode("ascii"))
        content = b"".join(meta.chunks())
        group_length = b"\x02\0\0\0UL\4\0" + len(content).to_bytes(4, "little")
        return [bytes(128) + b"DICM" + group_length + content]


def _actual_encoding(plain: Buffer, declared: Encoding) -> Encoding:
    """The encoding that the first element shows: some writers mix explicit and implicit VR up."""
    vr = bytes(plain[4:6])
    has_vr = vr in VR_NAMES
    if declared == IMPLICIT_LITTLE and has_vr and bytes(plain[1:2]) == b"\0":
        return EXPLICIT_LITTLE
    if declared == EXPLICIT_LITTLE and len(plain) >= 8 and not has_vr:
        return IMPLICIT_LITTLE
    return declared


def _as_read(meta: DataSet) -> DataSet:
    """The same elements, none of them counted as changed."""
    return DataSet.scan_meta(b"".join(meta.chunks()))


def _end_of_meta(view: memoryview) -> int:
    """Where group 2 ends. Its group length is not trusted: the elements are walked."""
    position = 132
    while len(view) - position >= 8 and bytes(view[position : position + 2]) == b"\2\0":
        vr = bytes(view[position + 4 : position + 6])
        if vr in (b"OB", b"OW", b"UN", b"UT", b"SQ", b"UC", b"UR"):
            length = int.from_bytes(view[position + 8 : position + 12], "little")
            position += 12 + length
        else:
            position += 8 + int.from_bytes(view[position + 6 : position + 8], "little")
    if position > len(view):
        raise DataSetError("truncated", 132)
    return position


def _scan_meta(view: memoryview) -> DataSet:
    try:
        return DataSet.scan_meta(view)
    except DataSetError as error:
        raise DataSetError("bad-file-meta", 132 + error.offset) from error


def _check_header(dataset: DataSet, max_header_bytes: int) -> None:
    bulk = sum(
        element.length
        for element in dataset.elements()
        if element.vr in BINARY_VRS and element.length >= _BULK_BYTES
    )
    if dataset.source_size - bulk > max_header_bytes:
        raise DataSetError("header-too-large", 0)


def _inflate(encoded: Buffer, max_bytes: int) -> bytes:
    """Inflate a raw deflate stream (PS3.5 section A.5), never beyond `max_bytes`."""
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    out = bytearray()
    rest: Buffer = encoded
    try:
        while rest and not machine.eof:
            out += machine.decompress(rest, min(_INFLATE_STEP, max_bytes - len(out) + 1))
            if len(out) > max_bytes:
                raise DataSetError("inflates-too-far", 0)
            rest = machine.unconsumed_tail
    except zlib.error as error:
        raise DataSetError("bad-deflate-stream", 0) from error
    if not machine.eof:
        raise DataSetError("truncated", len(out))
    return bytes(out)


def _deflate(chunks: Sequence[Buffer]) -> list[Buffer]:
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    out: list[Buffer] = [machine.compress(chunk) for chunk in chunks]
    out.append(machine.flush())
    if sum(len(chunk) for chunk in out) & 1:
        out.append(b"\0")  # PS3.5 section A.5: padded to even length
    return out
