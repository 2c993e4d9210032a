"""Encoded data sets: a scanner for PS3.5 section 7, and element-wise editing that keeps untouched bytes.

A `DataSet` is a view of a buffer. Scanning notes where each element begins and ends and checks that every
length, at any depth, stays inside the buffer; no value is decoded. Edits are kept beside the buffer, and
`DataSet.chunks` gives the encoded form back as slices of the buffer with the edited elements between them, so
that large values are never copied and what nobody touched stays byte for byte as it came.

A data set holds its elements, and these the data sets of their items; the way back is a weak reference. So
the buffer, which may be large, is given back at once when the last one lets go of the data set.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from struct import Struct
from typing import NamedTuple
from weakref import ref

from pydicom.datadict import dictionary_VR

Buffer = bytes | bytearray | memoryview

UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_DELIMITER = 0xFFFEE00D
SEQUENCE_DELIMITER = 0xFFFEE0DD
PIXEL_DATA_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
DEFAULT_MAX_NESTING = 64

# PS3.5 section 7.1.2: these have a two-byte length directly after the VR ...
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
# ... and these two reserved bytes and a four-byte length.
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
LONG_VR_NAMES = frozenset(vr.decode() for vr in LONG_VRS)
VR_NAMES = {vr: vr.decode() for vr in SHORT_VRS | LONG_VRS}
BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
NUL_PADDED_VRS = BINARY_VRS | {"UI"}


class Encoding(NamedTuple):
    """How elements are encoded: with or without VR, and the byte order."""

    implicit: bool
    little: bool


IMPLICIT_LITTLE = Encoding(implicit=True, little=True)
EXPLICIT_LITTLE = Encoding(implicit=False, little=True)
EXPLICIT_BIG = Encoding(implicit=False, little=False)


class DataSetError(Exception):
    """The bytes are not a data set that can be read safely.

    Attributes:
        code: what is wrong, a constant such as "truncated"; never a value.
        offset: where, in bytes from the start of the data set (after inflating).
    """

    def __init__(self, code: str, offset: int) -> None:
        super().__init__(f"{code} at byte {offset}")
        self.code = code
        self.offset = offset


class _Layout(NamedTuple):
    """The structs of one byte order."""

    explicit: Struct
    implicit: Struct
    length: Struct


_LITTLE = _Layout(Struct("<HH2sH"), Struct("<HHI"), Struct("<I"))
_BIG = _Layout(Struct(">HH2sH"), Struct(">HHI"), Struct(">I"))


class _Span(NamedTuple):
    """Where an element of the buffer is. `end` includes a sequence delimiter, `value_end` does not."""

    vr: str
    start: int
    value_start: int
    value_end: int
    end: int
    undefined: bool
    holds_items: bool  # a sequence, also one that came as UN


@lru_cache(maxsize=16384)
def implicit_vr(tag: int) -> str:
    """The VR of an element that carries none: the dictionary's, LO for creators, else UN (PS3.5 6.2.2).

    Where the dictionary allows several, the one that keeps the bytes as they are is taken.
    """
    group, element = tag >> 16, tag & 0xFFFF
    if element == 0:
        return "UL"
    if group & 1:
        return "LO" if 0x10 <= element <= 0xFF else "UN"
    try:
        known = dictionary_VR(tag)
    except KeyError:
        return "UN"
    if " or " in known:
        return "OW" if "OW" in known else known.split(" or ")[0]
    return known if known != "NONE" else "UN"


def _scan(
    buffer: Buffer, position: int, end: int, encoding: Encoding, room: int, *, delimited: bool
) -> tuple[dict[int, _Span], int]:
    """Note where the elements from `position` are; returns them and the position behind the last.

    With `delimited` the elements end at an item delimiter (which is consumed), otherwise at `end`.
    """
    layout = _LITTLE if encoding.little else _BIG
    unpack_explicit = layout.explicit.unpack_from
    unpack_implicit = layout.implicit.unpack_from
    unpack_length = layout.length.unpack_from
    implicit = encoding.implicit
    span = _Span._make
    spans: dict[int, _Span] = {}
    while position < end:
        if end - position < 8:
            raise DataSetError("truncated", position)
        if implicit:
            group, element, length = unpack_implicit(buffer, position)
            tag = group << 16 | element
            value_start = position + 8
            vr = "" if group == 0xFFFE else implicit_vr(tag)
        else:
            group, element, vr_bytes, short = unpack_explicit(buffer, position)
            tag = group << 16 | element
            if vr_bytes in SHORT_VRS:
                vr, length, value_start = VR_NAMES[vr_bytes], short, position + 8
            elif vr_bytes in LONG_VRS:
                if end - position < 12:
                    raise DataSetError("truncated", position)
                vr, value_start = VR_NAMES[vr_bytes], position + 12
                (length,) = unpack_length(buffer, position + 8)
            elif group == 0xFFFE:
                (length,) = unpack_length(buffer, position + 4)
                vr, value_start = "", position + 8
            else:
                raise DataSetError("bad-vr", position)
        if not vr:
            if delimited and tag == ITEM_DELIMITER and length == 0:
                return spans, value_start
            raise DataSetError("unexpected-delimiter", position)
        if tag in spans:
            raise DataSetError("duplicate-element", position)
        if length == UNDEFINED_LENGTH:
            vr, value_end = _skip_undefined(buffer, tag, vr, value_start, end, encoding, room)
            holds_items = vr in ("SQ", "UN")
            spans[tag] = span((vr, position, value_start, value_end, value_end + 8, True, holds_items))
            position = value_end + 8
            continue
        value_end = value_start + length
        if value_end > end:
            raise DataSetError("truncated", position)
        holds_items = vr == "SQ"
        if holds_items:
            _skip_items(buffer, value_start, value_end, encoding, room, delimited=False)
        elif vr == "UN" and not implicit:
            holds_items = is_unknown_sequence(tag, memoryview(buffer)[value_start:value_end], room)
        spans[tag] = span((vr, position, value_start, value_end, value_end, False, holds_items))
        position = value_end
    if delimited:
        raise DataSetError("truncated", position)
    return spans, position


def _skip_undefined(
    buffer: Buffer, tag: int, vr: str, position: int, end: int, encoding: Encoding, room: int
) -> tuple[str, int]:
    """The VR and the end of the value of an element of undefined length."""
    if vr in ("OB", "OW") and (tag in PIXEL_DATA_TAGS or not encoding.implicit):
        return vr, _skip_fragments(buffer, position, end, encoding)
    if vr == "UN" and not encoding.implicit:
        # PS3.5 section 6.2.2, note 2: a sequence, in Implicit VR Little Endian whatever surrounds it.
        return "UN", _skip_items(buffer, position, end, IMPLICIT_LITTLE, room, delimited=True)
    if vr == "SQ" or encoding.implicit:
        return "SQ", _skip_items(buffer, position, end, encoding, room, delimited=True)
    raise DataSetError("undefined-length", position)


def _skip_items(
    buffer: Buffer, position: int, end: int, encoding: Encoding, room: int, *, delimited: bool
) -> int:
    """Check the items of a sequence; returns where its value ends (before a sequence delimiter)."""
    after = position
    for item in _items(buffer, position, end, encoding, room, delimited=delimited):
        after = item.end
    return after


def is_unknown_sequence(tag: int, value: Buffer, room: int = DEFAULT_MAX_NESTING) -> bool:
    """Whether a value of VR UN and known length holds the items of a sequence (PS3.5 section 6.2.2, note 2).

    It does where the dictionary says so and the value can be read like that: who wrote it did not know the
    sequence, and every other reader sees what is in it.

    Raises:
        DataSetError: the items are nested too deep.
    """
    if not value or implicit_vr(tag) != "SQ":
        return False
    try:
        _skip_items(value, 0, len(value), IMPLICIT_LITTLE, room, delimited=False)
    except DataSetError as error:
        if error.code == "too-deep":
            raise
        return False
    return True


class _ItemSpan(NamedTuple):
    start: int
    end: int
    undefined: bool
    spans: dict[int, _Span]


def _items(
    buffer: Buffer, position: int, end: int, encoding: Encoding, room: int, *, delimited: bool
) -> Iterator[_ItemSpan]:
    """The items of a sequence value, each checked to its depth."""
    if room <= 0:
        raise DataSetError("too-deep", position)
    unpack = (_LITTLE if encoding.little else _BIG).implicit.unpack_from
    while position < end:
        if end - position < 8:
            raise DataSetError("truncated", position)
        group, element, length = unpack(buffer, position)
        tag = group << 16 | element
        if tag == SEQUENCE_DELIMITER and delimited:
            if length != 0:
                raise DataSetError("unexpected-delimiter", position)
            return
        if tag != ITEM:
            raise DataSetError("unexpected-delimiter", position)
        if length == UNDEFINED_LENGTH:
            spans, after = _scan(buffer, position + 8, end, encoding, room - 1, delimited=True)
        else:
            after = position + 8 + length
            if after > end:
                raise DataSetError("truncated", position)
            spans, _ = _scan(buffer, position + 8, after, encoding, room - 1, delimited=False)
        yield _ItemSpan(position, after, length == UNDEFINED_LENGTH, spans)
        position = after
    if delimited:
        raise DataSetError("truncated", position)


def _skip_fragments(buffer: Buffer, position: int, end: int, encoding: Encoding) -> int:
    """Check the fragments of encapsulated data (PS3.5 section A.4); returns where the value ends."""
    unpack = (_LITTLE if encoding.little else _BIG).implicit.unpack_from
    while True:
        if end - position < 8:
            raise DataSetError("truncated", position)
        group, element, length = unpack(buffer, position)
        tag = group << 16 | element
        if tag == SEQUENCE_DELIMITER and length == 0:
            return position
        if tag != ITEM or length == UNDEFINED_LENGTH:
            raise DataSetError("unexpected-delimiter", position)
        position += 8 + length
        if position > end:
            raise DataSetError("truncated", position)


class Element:
    """One data element: its tag, VR and encoded value, or the items of a sequence.

    Attributes:
        tag: group << 16 | element.
        vr: two letters. Sequences that came as UN are "SQ".
        is_encapsulated: the value is fragments, the bytes between the element's header and its delimiter.
        padding: how many bytes at the end of the value `DataSet.put` added, 0 or 1.
    """

    __slots__ = (
        "__weakref__",
        "_encoding",
        "_items",
        "_parent",
        "_room",
        "_value",
        "is_encapsulated",
        "padding",
        "tag",
        "undefined",
        "vr",
        "written_vr",
    )

    def __init__(
        self,
        parent: DataSet,
        tag: int,
        vr: str,
        value: Buffer | None,
        *,
        items: list[DataSet] | None = None,
        undefined: bool = False,
        written_vr: str | None = None,
        padding: int = 0,
    ) -> None:
        self.tag = tag
        self.vr = vr
        self.padding = padding
        self.written_vr = written_vr or vr
        self.undefined = undefined
        self.is_encapsulated = undefined and vr != "SQ"
        self._parent = ref(parent)
        self._encoding = parent.encoding
        self._room = parent.room
        self._value = value
        self._items = items

    @property
    def is_sequence(self) -> bool:
        """Whether the element holds items."""
        return self.vr == "SQ"

    @property
    def value(self) -> bytes:
        """The value as encoded, padding included; b"" for a sequence."""
        if self.vr == "SQ" or self._value is None:
            return b""
        return bytes(self._value)

    @property
    def own_buffer(self) -> bytearray | None:
        """The value itself, to be edited in place, when it was put as a `bytearray`."""
        return self._value if isinstance(self._value, bytearray) else None

    @property
    def view(self) -> memoryview:
        """The value without a copy; empty for a sequence."""
        if self.vr == "SQ" or self._value is None:
            return memoryview(b"")
        return memoryview(self._value)

    @property
    def length(self) -> int:
        """Bytes of the encoded value; of a sequence that was read: all its items."""
        return 0 if self._value is None else len(self._value)

    @property
    def items(self) -> list[DataSet]:
        """The items of a sequence, empty for anything else. Editing an item edits what is written."""
        if self.vr != "SQ":
            return []
        if self._items is None:
            self._items = self._read_items()
        return self._items

    def _read_items(self) -> list[DataSet]:
        value = self._value if self._value is not None else b""
        encoding = IMPLICIT_LITTLE if self.written_vr == "UN" else self._encoding
        found = _items(value, 0, len(value), encoding, self._room, delimited=False)
        return [
            DataSet(
                value, encoding, item.spans, room=self._room - 1, owner=self,
                item_span=(item.start, item.end), undefined=item.undefined,
            )
            for item in found
        ]  # fmt: skip


class DataSet:
    """The elements of one level: a whole data set, or an item of a sequence.

    Read with `get`, `tags`, `elements`; change with `put`, `put_sequence`, `new_item`, `remove`. Nothing
    changes in the buffer: `chunks` gives the encoded form with the changes in it.
    """

    __slots__ = (
        "__weakref__",
        "_buffer",
        "_changed",
        "_edited",
        "_holders",
        "_item_span",
        "_owner",
        "_seen",
        "_spans",
        "encoding",
        "room",
        "undefined",
    )

    def __init__(
        self,
        buffer: Buffer = b"",
        encoding: Encoding = EXPLICIT_LITTLE,
        spans: dict[int, _Span] | None = None,
        *,
        room: int = DEFAULT_MAX_NESTING,
        owner: Element | None = None,
        item_span: tuple[int, int] | None = None,
        undefined: bool = False,
    ) -> None:
        self.encoding = encoding
        self.room = room  # levels of sequences that may still follow
        self.undefined = undefined  # an item of undefined length
        self._buffer = buffer
        self._spans = spans if spans is not None else {}
        self._seen: dict[int, Element] = {}
        self._edited: dict[int, Element | None] = {}
        self._changed: dict[int, int] = {}
        self._owner = None if owner is None else ref(owner)
        self._item_span = item_span
        self._holders: dict[int, list[DataSet]] | None = None

    @classmethod
    def scan(cls, buffer: Buffer, encoding: Encoding, *, max_nesting: int = DEFAULT_MAX_NESTING) -> DataSet:
        """Read a whole data set (PS3.5 section 7).

        Elements of groups 0000 and 0002 have no place in a data set (PS3.5 section 7.1) and are left out.

        Raises:
            DataSetError: a length reaches beyond the end, sequences nest deeper than `max_nesting`, a tag
                occurs twice, a VR is unknown, or a delimiter is out of place.
        """
        spans, _ = _scan(buffer, 0, len(buffer), encoding, max_nesting, delimited=False)
        misplaced = [tag for tag in spans if tag >> 16 in (0x0000, 0x0002)]
        for tag in misplaced:
            del spans[tag]
        return cls(buffer, encoding, spans, room=max_nesting)

    @classmethod
    def scan_meta(cls, buffer: Buffer) -> DataSet:
        """Read file meta information: group 2, Explicit VR Little Endian (PS3.10 section 7.1).

        Raises:
            DataSetError: as `scan`.
        """
        spans, _ = _scan(buffer, 0, len(buffer), EXPLICIT_LITTLE, 1, delimited=False)
        return cls(buffer, EXPLICIT_LITTLE, spans, room=1)

    # -- reading

    def get(self, tag: int) -> Element | None:
        """The element, or None when it is absent."""
        if tag in self._edited:
            return self._edited[tag]
        element = self._seen.get(tag)
        if element is None:
            element = self._load(tag)
            if element is not None:
                self._seen[tag] = element
        return element

    def __contains__(self, tag: object) -> bool:
        if tag in self._edited:
            return self._edited[tag] is not None
        return tag in self._source_tags()

    def tags(self) -> list[int]:
        """The tags present, ascending; group lengths (gggg,0000) are never among them."""
        present = {tag for tag in self._source_tags() if tag & 0xFFFF}
        for tag, element in self._edited.items():
            if element is None:
                present.discard(tag)
            else:
                present.add(tag)
        return sorted(present)

    def sequence_tags(self) -> list[int]:
        """The tags of the sequences present, ascending."""
        present = {tag for tag in self._source_sequences() if tag not in self._edited}
        present.update(
            tag for tag, element in self._edited.items() if element is not None and element.is_sequence
        )
        return sorted(present)

    def elements(self) -> Iterator[Element]:
        """The elements, in the order of their tags."""
        for tag in self.tags():
            element = self.get(tag)
            if element is not None:
                yield element

    def changed_tags(self) -> set[int]:
        """The tags at this level that were put, removed, or changed below."""
        return set(self._changed)

    def change_counts(self) -> dict[int, int]:
        """The same tags, with how often that was."""
        return dict(self._changed)

    def chain(self) -> tuple[DataSet, ...] | None:
        """The data sets from the top down to this one; None when it, or one around it, was removed."""
        chain = [self]
        while chain[-1]._owner is not None:
            around = chain[-1]._around()
            if around is None or around[0].get(around[1].tag) is not around[1]:
                return None
            chain.append(around[0])
        return tuple(reversed(chain))

    def _around(self) -> tuple[DataSet, Element] | None:
        """Of an item: the data set and sequence that it is in, as long as there are any."""
        owner = None if self._owner is None else self._owner()
        parent = None if owner is None else owner._parent()
        return None if owner is None or parent is None else (parent, owner)

    def holders(self, tag: int) -> list[DataSet]:
        """The data sets that hold an element: this one and items at any depth, in their order.

        All are found at once and remembered, so that asking for hundreds of tags costs little. One that lost
        the element since, or was removed itself, may still be among them.
        """
        if self._holders is None:
            self._holders = {}
            self._note_holders(self._holders)
        below = self._holders.get(tag, [])
        return [self, *below] if tag in self else below

    def _note_holders(self, found: dict[int, list[DataSet]]) -> None:
        """Note which items hold which elements, at any depth."""
        for sequence in self.sequence_tags():
            element = self.get(sequence)
            for item in () if element is None else element.items:
                for tag in item.tags():
                    found.setdefault(tag, []).append(item)
                item._note_holders(found)

    def _forget_holders(self) -> None:
        self._holders = None
        around = self._around()
        if around is not None:
            around[0]._forget_holders()

    @property
    def has_guessed_vrs(self) -> bool:
        """Whether the VRs come from the dictionary, because the elements carry none."""
        return self.encoding.implicit

    @property
    def source_size(self) -> int:
        """Bytes of the buffer that the data set was read from."""
        return len(self._buffer)

    # -- changing

    def put(self, tag: int, vr: str, value: Buffer) -> Element:
        """Write an element, whatever was there; an odd value is padded (PS3.5 section 6.2).

        An even value is not copied.
        """
        padding = len(value) & 1
        if padding:
            value = bytes(value) + (b"\0" if vr in NUL_PADDED_VRS else b" ")
        return self._set(Element(self, tag, vr, value, padding=padding))

    def put_sequence(self, tag: int) -> Element:
        """Write a sequence without items, whatever was there."""
        return self._set(Element(self, tag, "SQ", None, items=[]))

    def new_item(self, tag: int) -> DataSet:
        """Append an empty item to the sequence `tag`, which is made when it is absent or no sequence."""
        element = self.get(tag)
        if element is None or not element.is_sequence:
            element = self.put_sequence(tag)
        encoding = IMPLICIT_LITTLE if element.written_vr == "UN" else self.encoding
        item = DataSet(encoding=encoding, room=self.room - 1, owner=element)
        element.items.append(item)
        self._touch(tag)
        return item

    def remove(self, tag: int) -> bool:
        """Remove an element; False when it was not there."""
        if tag not in self:
            return False
        self._edited[tag] = None
        self._touch(tag)
        return True

    def delete_item(self, tag: int, index: int) -> None:
        """Remove one item of a sequence.

        Raises:
            IndexError: there is no such item.
        """
        element = self.get(tag)
        if element is None or not 0 <= index < len(element.items):
            raise IndexError(index)
        del element.items[index]
        self._touch(tag)
        self._forget_holders()

    def _set(self, element: Element) -> Element:
        if element.tag & 0xFFFF:  # group lengths are never kept (they would have to be recomputed)
            if element.tag not in self:
                self._forget_holders()
            self._edited[element.tag] = element
            self._touch(element.tag)
        return element

    def _touch(self, tag: int) -> None:
        self._changed[tag] = self._changed.get(tag, 0) + 1
        around = self._around()
        if around is not None:
            around[0]._touch(around[1].tag)

    # -- where the elements come from (a view of something else overrides these)

    def _load(self, tag: int) -> Element | None:
        span = self._spans.get(tag)
        if span is None:
            return None
        value = memoryview(self._buffer)[span.value_start : span.value_end]
        vr = "SQ" if span.holds_items else span.vr
        return Element(self, tag, vr, value, undefined=span.undefined, written_vr=span.vr)

    def _source_tags(self) -> dict[int, _Span] | set[int]:
        return self._spans

    def _source_sequences(self) -> list[int]:
        return [tag for tag, span in self._spans.items() if span.holds_items]

    # -- writing

    def chunks(self) -> list[Buffer]:
        """The encoded form: slices of the buffer, and the changed elements, without group lengths."""
        out: list[Buffer] = []
        self._write(out)
        return out

    def element_chunks(self, tag: int) -> list[Buffer]:
        """The encoded form of one element, header included; empty when it is absent."""
        element = self.get(tag)
        if element is None:
            return []
        out: list[Buffer] = []
        self._write_element(element, out)
        return out

    def _write(self, out: list[Buffer]) -> None:
        changed = self._changed
        view = memoryview(self._buffer)
        added = sorted(tag for tag in changed if tag not in self._spans and self._edited.get(tag) is not None)
        next_added = 0
        run_start = run_end = 0
        for tag, span in self._spans.items():
            while next_added < len(added) and added[next_added] < tag:
                if run_end > run_start:
                    out.append(view[run_start:run_end])
                run_start = run_end = span.start
                self._write_tag(added[next_added], out)
                next_added += 1
            keep = tag not in changed and tag & 0xFFFF != 0
            if keep and span.start == run_end:
                run_end = span.end
                continue
            if run_end > run_start:
                out.append(view[run_start:run_end])
            if keep:
                run_start, run_end = span.start, span.end
                continue
            run_start = run_end = span.end
            if tag in changed:
                self._write_tag(tag, out)
        if run_end > run_start:
            out.append(view[run_start:run_end])
        for tag in added[next_added:]:
            self._write_tag(tag, out)

    def _write_tag(self, tag: int, out: list[Buffer]) -> None:
        element = self.get(tag)
        if element is not None:
            self._write_element(element, out)

    def _write_element(self, element: Element, out: list[Buffer]) -> None:
        if element.is_sequence:
            content: list[Buffer] = []
            for item in element.items:
                item._write_as_item(content)
            undefined = element.undefined
        else:
            content = [element.view] if element.length else []
            undefined = element.undefined
        length = sum(len(chunk) for chunk in content)
        out.append(self._header(element, UNDEFINED_LENGTH if undefined else length))
        out.extend(content)
        if undefined:
            out.append(_delimiter(SEQUENCE_DELIMITER, self.encoding))

    def _write_as_item(self, out: list[Buffer]) -> None:
        """This data set as an item of its sequence, in the form it came in where nothing changed."""
        if self._item_span is not None and not self._changed:
            out.append(memoryview(self._buffer)[self._item_span[0] : self._item_span[1]])
            return
        content: list[Buffer] = []
        self._write(content)
        length = UNDEFINED_LENGTH if self.undefined else sum(len(chunk) for chunk in content)
        layout = _LITTLE if self.encoding.little else _BIG
        out.append(layout.implicit.pack(ITEM >> 16, ITEM & 0xFFFF, length))
        out.extend(content)
        if self.undefined:
            out.append(_delimiter(ITEM_DELIMITER, self.encoding))

    def _header(self, element: Element, length: int) -> bytes:
        group, number = element.tag >> 16, element.tag & 0xFFFF
        layout = _LITTLE if self.encoding.little else _BIG
        if self.encoding.implicit:
            return layout.implicit.pack(group, number, length)
        vr = element.written_vr
        if vr not in LONG_VR_NAMES:
            if length <= 0xFFFF:
                return layout.explicit.pack(group, number, vr.encode("ascii"), length)
            vr = "UN"  # PS3.5 section 6.2.2, note: the only way to write a value that is too long for its VR
        return layout.explicit.pack(group, number, vr.encode("ascii"), 0) + layout.length.pack(length)


def _delimiter(tag: int, encoding: Encoding) -> bytes:
    return (_LITTLE if encoding.little else _BIG).implicit.pack(tag >> 16, tag & 0xFFFF, 0)
