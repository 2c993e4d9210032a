"""Values that must go wherever they stand (DicomEdit 6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from anon.encoding.elements import Element
from anon.encoding.text import SPECIFIC_CHARACTER_SET, STRING_VRS, decode_bytes_as
from anon.functions.registry import builtin, entries
from anon.operations.assign import write
from anon.operations.run import Run
from anon.places import Place, find_places
from anon.tagpath import ANY_LEVELS, TRANSFER_SYNTAX_UID, TagPath, is_private_creator
from anon.values import ListValue, Value, charsets_of, escaped, text_of
from anon.vr import BINARY_VRS

_BLANKABLE_VRS: Final = STRING_VRS | {"UN"}
_EVERYTHING: Final = TagPath((ANY_LEVELS,), "*")
# Without these the rest of the object cannot be read: Photometric Interpretation and Number of Frames, too.
_STRUCTURE: Final = frozenset({TRANSFER_SYNTAX_UID, SPECIFIC_CHARACTER_SET, 0x00280004, 0x00280008})


def _literals(wanted: Iterable[Value]) -> list[str]:
    texts = (text_of(each) for each in wanted if not isinstance(each, TagPath))
    return [text for text in texts if text is not None]


def _matches(run: Run, wanted: Iterable[Value]) -> Iterator[tuple[Place, Element]]:
    """The elements that the paths among the arguments match."""
    for path in wanted:
        for place in find_places(run.tops(path), path) if isinstance(path, TagPath) else ():
            element = place.dataset.get(place.tag)
            if element is not None and not is_private_creator(place.tag):
                yield place, element


def _unpadded(element: Element) -> bytes:
    """The value of a UN that may well be a text."""
    return element.value.rstrip(b" \0")


def _forms(run: Run, place: Place, element: Element) -> list[str]:
    """The value as text. Unknown bytes may be a text in the object's character set, too."""
    if element.vr == "UN":
        value = _unpadded(element)
        return [escaped(value), decode_bytes_as(value, "LO", charsets_of(place.chain))]
    return [run.read_place(place) or ""]


@builtin("collectValues", versions="6.0+", arguments=[entries("values")], returns="list")
def collect_values(run: Run, *wanted: Value) -> ListValue:
    """Return a list: the texts given, then the values of all elements that the paths given match.

    A text is never taken for a path here. Paths may have wildcards; sequences and binary data have no value
    to collect. The list is meant for `blankValues`, an element cannot be given it.

    >>> run('format["{0} {1}", collectValues["x", (0008,0060)]]')
    'x MR'
    """
    found = _literals(wanted)
    for place, element in _matches(run, wanted):
        if element.is_sequence or element.is_encapsulated or element.vr in BINARY_VRS:
            run.warn("sequences and binary data have no value to collect")
        else:
            found.append(_forms(run, place, element)[0])
    return ListValue(tuple(found))


def _can_be_blanked(tag: int, element: Element) -> bool:
    return element.vr in _BLANKABLE_VRS and tag not in _STRUCTURE and not is_private_creator(tag)


@builtin("blankValues", versions="6.0+", arguments=[entries("values")], returns="nothing")
def blank_values(run: Run, *wanted: Value) -> None:
    """Empty every element, at any depth, whose whole value is one of those given or collected.

    Values are collected as `collectValues` does it, so the elements that the paths match become empty, too.
    Case counts, and of several values all together are compared. A value that is part of a longer text
    stays. Only texts are blanked: sequences, numbers of binary VRs, private creators and what says how the
    object is to be read stay. An object that would lose its SOP Instance UID is refused.
    """
    texts = set(_literals(wanted))
    for place, element in _matches(run, wanted):
        if _can_be_blanked(place.tag, element):
            texts.update(_forms(run, place, element))
        else:
            run.warn("only texts are blanked: sequences, binary values and what tells how to read them stay")
    texts.discard("")
    longest = 8 * max(map(len, texts), default=0) + 8  # in bytes, escape sequences of character sets counted
    for place in find_places((run.instance.meta, run.instance.dataset), _EVERYTHING) if texts else ():
        found = place.dataset.get(place.tag)
        if found is None or not found.length or not _can_be_blanked(place.tag, found):
            continue
        if found.vr == "UN" and len(_unpadded(found)) > longest:
            continue  # data, possibly many: not worth decoding
        if not texts.isdisjoint(_forms(run, place, found)):
            write(run, place, None)
