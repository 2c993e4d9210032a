"""Tags: whether DICOM knows them, and which elements a statement does not reach."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom.datadict import dictionary_has_tag, dictionary_is_retired, repeater_has_tag

from anon.lint.checked import Checked
from anon.lint.effects import Effect
from anon.lint.knowledge import DATES, IDENTIFYING, OFTEN_NESTED, ONLY_NESTED, SHARED_UIDS
from anon.lint.paths import covers, described_tag, everywhere, format_tag
from anon.lint.rule import Finding, lint
from anon.profile.table import PRIVATE, TagPattern, load_table
from anon.tagpath import TagPath, TagStep
from anon.vr import vr_in_2012, vr_today

_USUAL: Final = frozenset(
    {*IDENTIFYING, *DATES, *SHARED_UIDS, 0x00080018, 0x00080060, 0x00120062, 0x00120063}
)
_CHANGES: Final = frozenset({"delete", "assign", "replace", "shift", "hash", "map"})


@lint(
    "unknown-tag",
    title="a tag is not in the dictionary of DICOM",
    fires="- (0100,0010)\n",
    silent="- (0010,0010)\n",
)
def unknown_tag(checked: Checked) -> Iterator[Finding]:
    """DICOM's data dictionary (PS3.6) has no element of this number, so it is probably mistyped.

    Then the element that is meant stays as it is. Private elements, of odd groups, are not looked at. If a
    device writes such an element against the rules, allow it.
    """
    told = set()
    for path, span in checked.named_paths:
        for step in path.steps:
            if not isinstance(step, TagStep) or step.creator is not None:
                continue
            tag = step.bits
            if step.is_wild:
                if not _is_known_pattern(step.mask, step.bits) and (tag, span) not in told:
                    told.add((tag, span))
                    yield Finding(span, f"DICOM has no element like {path}", "look it up in DICOM PS3.6")
                continue
            if is_known(tag) or (tag, span) in told:
                continue
            told.add((tag, span))
            meant = _find_meant(tag)
            hint = "look it up in DICOM PS3.6" if meant is None else f"did you mean {described_tag(meant)}?"
            yield Finding(span, f"DICOM has no element {format_tag(tag)}", hint)


@lint(
    "retired-tag",
    title="an element is named that DICOM has retired",
    fires='(0008,0042) := "1"\n',
    silent='(0008,103E) := "1"\n- (0010,1000)\n',
)
def retired_tag(checked: Checked) -> Iterator[Finding]:
    """The standard no longer defines this element: objects of today lack it, and programs do not look at it.

    Write, or ask for, the element that took its place. To remove, empty or hash what may tell who the patient
    is is fine, because old objects have it.
    """
    hidden = {
        effect.span
        for _, effect in checked.effects
        if effect.kind != "assign" or checked.is_empty(effect.value)
    }
    told = set()
    for path, span in checked.named_paths:
        last = path.steps[-1]
        if not isinstance(last, TagStep) or last.mask != 0xFFFFFFFF or (last.bits, span) in told:
            continue
        tag = last.bits
        if not dictionary_has_tag(tag) or not dictionary_is_retired(tag):
            continue
        if span in hidden and (tag in IDENTIFYING or _in_profile(tag)):
            continue
        told.add((tag, span))
        yield Finding(span, f"DICOM has retired {described_tag(tag)}", "is another element meant?")


@lint(
    "written-as-lo",
    title="DicomEdit 4 writes an element with another kind of value than DICOM wants",
    fires='(0040,A033) := "20200101"\n',
    silent='version "6.6"\n(0040,A033) := "20200101"\n',
    dialects=(4,),
)
def written_as_lo(checked: Checked) -> Iterator[Finding]:
    """DicomEdit 4 has the dictionary of 2012. What is younger it writes as LO, a text of 64 characters.

    DICOM wants another value representation there, so the object becomes invalid and some programs will not
    read the element. Use DicomEdit 6 for it.
    """
    for _, effect in checked.effects:
        tag = None if effect.path is None else effect.path.tag
        if effect.kind != "assign" or tag is None or tag >> 16 & 1 or not is_known(tag):
            continue
        written, wanted = vr_in_2012(tag), vr_today(tag)
        if written == "LO" and wanted not in ("LO", "UN", "SQ"):
            message = f"{described_tag(tag)} is written as LO here, DICOM wants {wanted}"
            yield Finding(effect.span, message, "DicomEdit 6 writes it right")


@lint(
    "nested-stays",
    title="an element also stands in sequences, where the statement does not reach",
    fires='version "6.6"\n-(0008,0050)\n',
    silent='version "6.6"\n-*/(0008,0050)\n',
    is_global=True,
)
def nested_stays(checked: Checked) -> Iterator[Finding]:
    """A tag alone means the element at the top level. Copies of it in sequences stay as they are.

    Accession numbers, institutions and descriptions of requests are often repeated there. In DicomEdit 6
    write `*/` in front, which means every level: `-*/(0008,0050)`. DicomEdit 4 only knows the top level: the
    sequence can be removed whole, or the script be written in DicomEdit 6.
    """
    told = set()
    for _, effect in sorted(checked.effects, key=lambda act: act[1].span.start):
        tag = None if effect.path is None else effect.path.tag
        if effect.kind not in _CHANGES or tag is None or tag in told or tag in SHARED_UIDS:
            continue
        if tag not in OFTEN_NESTED or checked.has_open_effects:
            continue
        path = everywhere(tag)
        if any(covers(act[1].path or path, path) for act in checked.index.above(path)):
            continue
        told.add(tag)
        what = described_tag(tag)
        if tag in ONLY_NESTED:
            message = f"{what} stands in sequences, this only looks for it at the top level"
        else:
            message = f"{what} also stands in sequences, where this does not reach"
        if checked.dialect == 4:
            yield Finding(effect.span, message, "DicomEdit 6 reaches it, with */ before the tag")
            return  # the same holds for all others
        yield Finding(effect.span, message, _reaching(effect, path))


def _reaching(effect: Effect, path: TagPath) -> str:
    """How the same is written for every level."""
    if effect.kind == "delete":
        return f"write -{path}"
    return f"write {path} ?= ..." if effect.kind in ("assign", "replace") else f"write {path}"


# -- the dictionary


@lru_cache(maxsize=4096)
def is_known(tag: int) -> bool:
    """Whether DICOM has, or had, an element of this number; private ones and group lengths count."""
    if tag >> 16 & 1 or not tag & 0xFFFF or dictionary_has_tag(tag) or repeater_has_tag(tag):
        return True
    return _in_profile(tag)


@lru_cache(maxsize=1024)
def _is_known_pattern(mask: int, bits: int) -> bool:
    """Whether wild digits mean any element of DICOM; of private groups that is not known."""
    is_public = bool(mask & 0x00010000) and not bits & 0x00010000
    names_group_length = bool(mask & 0xFFFF) and not bits & 0xFFFF
    if not is_public or names_group_length:
        return True
    if bits in _known_bits(mask):
        return True
    if any(
        (int(each.replace("x", "0"), 16) ^ bits) & mask & _given(each) == 0 for each in RepeatersDictionary
    ):
        return True
    return any((pattern.bits ^ bits) & mask & pattern.mask == 0 for pattern in _profile_patterns())


@lru_cache(maxsize=64)
def _known_bits(mask: int) -> frozenset[int]:
    """What these bits of a tag can be in the dictionary."""
    return frozenset(tag & mask for tag in DicomDictionary)


def _given(mask: str) -> int:
    """The bits that the dictionary gives of a repeating tag such as 60xx3000."""
    return int("".join("0" if letter == "x" else "F" for letter in mask), 16)


@lru_cache(maxsize=4096)
def _in_profile(tag: int) -> bool:
    """Whether the Basic Profile names this element; its table is younger than the dictionary."""
    return any(pattern.matches(tag) for pattern in _profile_patterns())


@lru_cache(maxsize=1)
def _profile_patterns() -> tuple[TagPattern, ...]:
    return tuple(row.pattern for row in load_table() if row.tag != PRIVATE)


def _find_meant(tag: int) -> int | None:
    """The tag of every day that was probably meant: two digits exchanged, or one digit wrong."""
    digits = f"{tag:08X}"
    swapped = [digits[:n] + digits[n + 1] + digits[n] + digits[n + 2 :] for n in range(7)]
    wrong = [digits[:n] + digit + digits[n + 1 :] for n in range(7, -1, -1) for digit in "0123456789ABCDEF"]
    near = [int(each, 16) for each in swapped + wrong]
    return next((each for each in near if each in _USUAL), None)
