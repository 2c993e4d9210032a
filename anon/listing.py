"""Every element of an object, nested ones too, under the path a DicomEdit script uses.

One row for each element at any depth. Values come from the bytes, decoded by the character set in force at
their level; binary values and sequences have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from struct import Struct
from typing import Any, Final, NamedTuple
from unicodedata import category

from pydicom.datadict import keyword_for_tag

from anon.encoding.elements import BINARY_VRS, DataSet, Element
from anon.encoding.instance import EncodedInstance
from anon.encoding.text import STRING_VRS, character_sets, decode_bytes_as, decode_text

_INTEGERS = {"SS": "h", "US": "H", "SL": "i", "UL": "I", "SV": "q", "UV": "Q"}
_FLOATS = {"FL": "f", "FD": "d"}
_TEXT_BYTES: Final = 1024  # of an element of unknown VR, from here on it is no text that somebody typed
_NEVER_TYPED: Final = frozenset({"Cc", "Cn", "Co", "Cs"})  # categories of Unicode

Step = tuple[int, int]  # a tag and the item below it; -1 for the element itself


@dataclass(frozen=True, slots=True)
class TagRow:
    """One element of one file."""

    path: str  # as DicomEdit writes it: (0040,0275)[0]/(0040,0007)
    tag: str  # (0040,0007)
    vr: str
    keyword: str  # empty for private and unknown elements
    value: str | None  # None for sequences and binary values

    def as_json(self) -> dict[str, Any]:
        """The row as `prearc tags --json` prints it."""
        return asdict(self)


class Visit(NamedTuple):
    """An element on the way through a data set, with what is needed to name and decode it."""

    steps: tuple[Step, ...]  # numeric path, sorts as the elements are ordered in the file
    path: str
    element: Element
    parent: DataSet
    charsets: Sequence[str]


def instance_rows(instance: EncodedInstance) -> Iterator[TagRow]:
    """The rows of an object in memory: group 2, then the data set."""
    for visit in visit_instance(instance):
        yield tag_row(visit)


def visit_instance(instance: EncodedInstance, tags: Iterable[int] | None = None) -> Iterator[Visit]:
    """Walk an object's elements in order, nested ones included; with `tags` only these and what is below."""
    wanted = None if tags is None else set(tags)
    for level in (instance.meta, instance.dataset):
        yield from _visit(level, wanted)


def tag_row(visit: Visit) -> TagRow:
    """Name and decode a visited element."""
    element = visit.element
    return TagRow(
        path=visit.path,
        tag=f"({element.tag >> 16:04X},{element.tag & 0xFFFF:04X})",
        vr=element.vr,
        keyword=keyword_for_tag(element.tag),
        value=value_text(element, visit.parent, visit.charsets),
    )


def value_text(element: Element, parent: DataSet, charsets: Sequence[str]) -> str | None:
    """The value as text, several joined by a backslash; None for sequences and binary values.

    A number whose bytes do not fit its VR counts as binary.
    """
    vr = element.vr
    if element.is_sequence or element.is_encapsulated or vr in BINARY_VRS:
        return None
    if vr in STRING_VRS:
        return decode_text(element, charsets)
    order = "<" if parent.encoding.little else ">"
    if vr in _INTEGERS:
        return _numbers(element.value, Struct(order + _INTEGERS[vr]), str)
    if vr in _FLOATS:
        return _numbers(element.value, Struct(order + _FLOATS[vr]), repr if vr == "FD" else _single)
    if vr == "AT":
        return _numbers(element.value, Struct(order + "HH"), "({:04X},{:04X})".format)
    return None


def typed_text(visit: Visit) -> str | None:
    """The value of an element of unknown VR where it is a text that somebody may have typed, else None."""
    element = visit.element
    if element.vr != "UN" or element.is_encapsulated or not 0 < element.length <= _TEXT_BYTES:
        return None
    text = decode_bytes_as(element.value.rstrip(b" \0"), "LO", visit.charsets)
    return text if _may_be_typed(text) else None


def _may_be_typed(text: str) -> bool:
    """Whether bytes of unknown VR, read as text, look like one; numbers often give Latin letters."""
    if any(
        letter == "\ufffd" or category(letter) in _NEVER_TYPED for letter in text if letter not in "\t\n\f\r"
    ):
        return False
    letters = sum(
        letter in " ^" or (letter.isalpha() and not "\x80" <= letter <= "\u024f") for letter in text
    )
    return text != "" and (text.isascii() or 3 * letters >= len(text))


def _numbers(value: bytes, packed: Struct, write: Callable[..., str]) -> str | None:
    if len(value) % packed.size:
        return None
    return "\\".join(write(*numbers) for numbers in packed.iter_unpack(value))


def _single(number: float) -> str:
    """The shortest decimal text that gives the same 32-bit float again."""
    packed = Struct("<f")
    if number != number or number in (float("inf"), float("-inf")):
        return repr(number)
    wanted = packed.pack(number)
    for digits in range(1, 10):
        shortest = float(f"{number:.{digits}g}")
        try:
            if packed.pack(shortest) == wanted:
                return repr(shortest)
        except OverflowError:  # rounding went just beyond the largest float
            continue
    return repr(number)


def _visit(level: DataSet, wanted: set[int] | None) -> Iterator[Visit]:
    """Depth first with a stack of our own: the depth of an object is the sender's choice, not Python's."""
    top = [tag for tag in level.tags() if wanted is None or tag in wanted]
    stack: list[tuple[Iterator[int], DataSet, Sequence[str], tuple[Step, ...], str]] = [
        (iter(top), level, character_sets(level), (), "")
    ]
    while stack:
        tags, dataset, charsets, steps, prefix = stack[-1]
        tag = next(tags, None)
        if tag is None:
            stack.pop()
            continue
        element = dataset.get(tag)
        if element is None:
            continue
        path = prefix + path_step(dataset, tag, charsets)
        yield Visit((*steps, (tag, -1)), path, element, dataset, charsets)
        for index in range(len(element.items) - 1, -1, -1):
            item = element.items[index]
            inner = character_sets(item, charsets)
            stack.append((iter(item.tags()), item, inner, (*steps, (tag, index)), f"{path}[{index}]/"))


def path_step(dataset: DataSet, tag: int, charsets: Sequence[str]) -> str:
    """One step of a DicomEdit path; private ones by their creator: (0029,{SIEMENS CSA HEADER}08)."""
    group, number = tag >> 16, tag & 0xFFFF
    if group & 1 and number > 0xFF:
        creator = dataset.get(group << 16 | number >> 8)
        if creator is not None and creator.value.strip(b" \0") and not creator.is_sequence:
            # A creator in implicit or unknown VR is text all the same (PS3.5 section 7.8.1).
            name = decode_text(creator, charsets).strip()
            return f"({group:04X},{{{name}}}{number & 0xFF:02X})"
    return f"({group:04X},{number:04X})"
