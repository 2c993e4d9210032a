"""Values that do not fit the elements they are written to, or that can never be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from anon.encoding.text import TEXT_VRS
from anon.errors import StatementError
from anon.java_regex import JavaRegexError, compile_java
from anon.lint.checked import Checked
from anon.lint.effects import NEW_UID_4, Effect
from anon.lint.paths import described_tag, top_level
from anon.lint.rule import Finding, lint
from anon.syntax import nodes
from anon.tagpath import TagStep
from anon.vr import has_control_characters, misfit

_SPECIFIC_CHARACTER_SET: Final = 0x00080005
_UIDS: Final = frozenset({"hashUID", "mapUID", "newUID", NEW_UID_4})
_WHOLE: Final = re.compile("-?[0-9]{1,9}")
_LONG_UID: Final = "2.25." + "1" * 39


@lint(
    "bad-value",
    title="a value is too long or malformed for its element",
    fires='(0008,0060) := "magnetic resonance"\n',
    silent='(0008,0060) := "MR"\n',
)
def bad_value(checked: Checked) -> Iterator[Finding]:
    """Each element has a value representation, VR, that says which values it takes (PS3.5 section 6.2).

    A date (DA) is written 20200131, a code (CS) in capitals with at most 16 characters, a short text (SH)
    has at most 16, a long one (LO) at most 64. A hashed UID has up to 44, so it fits UI and LO only.
    Programs that read the object may cut, refuse or misread other values.
    """
    for tag, value, _ in _writes(checked):
        vr = checked.values.vr_for(tag, None)
        what = described_tag(tag)
        text = checked.constants.text(value)
        if text is not None:
            if not text.strip(" "):
                continue  # blanks alone are an empty value
            remark = misfit(vr, text) or _odd_characters(vr, text) or _no_date(vr, text)
            if remark:
                yield Finding(value.span, f"{what}: {remark}", _form(vr, text))
            continue
        made = checked.stands_for(value)
        if isinstance(made, nodes.Call) and made.name.name in _UIDS and vr != "UI" and misfit(vr, _LONG_UID):
            message = f"{what} has VR {vr}, a UID of 44 characters does not fit in"
            yield Finding(value.span, message, "assign a shorter text, such as a label")


_FORMS: Final = {
    "AS": "three digits and one of D W M Y, such as 045Y",
    "CS": "capitals, digits, blanks and _, at most 16",
    "DA": "a date is written YYYYMMDD",
    "DS": "a number of at most 16 characters",
    "DT": "YYYYMMDDHHMMSS",
    "IS": "a whole number of at most 12 characters",
    "TM": "a time is written HHMMSS",
    "UI": "numbers with points between them, none begins with 0, at most 64 characters",
}


def _form(vr: str, text: str) -> str:
    if vr not in _FORMS and has_control_characters(vr, text):
        return "write blanks for tabs and ends of lines, and leave other control characters out"
    return _FORMS.get(vr, "write a shorter value")


def _odd_characters(vr: str, text: str) -> str:
    if text.isascii() or vr in TEXT_VRS:
        return ""
    return f"the value has characters that {vr} does not allow"


def _no_date(vr: str, text: str) -> str:
    if vr == "DA":
        for value in filter(None, text.split("\\")):
            try:
                date(int(value[:4]), int(value[4:6]), int(value[6:]))
            except ValueError:
                return "there is no such date"
    return ""


@lint(
    "always-fails",
    title="a value can never be found or written, so the object is refused",
    fires='(0010,0020) := substring["abc", 2, 9]\n',
    silent='(0010,0020) := substring["abcdefghij", 2, 9]\n',
)
def always_fails(checked: Checked) -> Iterator[Finding]:
    """Whatever the object, this fails, and an object that a script fails on is refused as a whole.

    Nobody notices as long as no object gets here, for example because of a condition.
    """
    told = set()
    for call in checked.values_used:
        if isinstance(call, nodes.Call | nodes.Format):
            found = checked.constants.find(call)
            if found is not None and found.failure is not None:
                span = found.failure.span or call.span
                if span not in told:
                    told.add(span)
                    yield Finding(span, f"this always fails: {found.failure.message}", found.failure.hint)
    for call in checked.calls:
        if (reason := _misfit_numbers(checked, call)) and call.span not in told:
            yield Finding(call.span, *reason)
    for tag, value, effect in _writes(checked):
        text = checked.constants.text(value)
        if text is None:
            continue
        vr = checked.values.vr_for(tag, None)
        if vr == "SQ" and effect.kind == "replace":
            continue  # ?= passes sequences over
        try:
            checked.values.encode(text, vr, True, lambda: ["utf-8"], lambda remark: None)
        except StatementError as failure:
            if failure.code == "no-text-possible" and checked.dialect == 4:
                continue  # compiling tells it
            yield Finding(value.span, f"{described_tag(tag)}: this fails, {failure.message}", failure.hint)


def _misfit_numbers(checked: Checked, call: nodes.Call) -> tuple[str, str] | None:
    """What is wrong with the numbers of a call, whatever value it works on, and the likely repair."""
    texts = [checked.constants.text(argument) for argument in call.arguments[1:3]]
    second = texts[1] if len(texts) == 2 else None
    if second is None or texts[0] is None or not _WHOLE.fullmatch(second):
        return None
    if call.name.name == "substring" and _WHOLE.fullmatch(texts[0]):
        if not 0 <= int(texts[0]) <= int(second):
            message = f"this fails for every value: there are no characters from {texts[0]} to {second}"
            return message, "places are counted from 0, and the end is not smaller than the beginning"
    elif call.name.name == "match":
        try:
            groups = compile_java(texts[0]).groups
        except JavaRegexError:
            return None
        if not 0 <= int(second) <= groups:
            message = f"this fails for every value that fits: the regular expression has no group {second}"
            return message, "groups are counted from 1, by their ("
    return None


@lint(
    "not-ascii",
    title="a text has letters that many objects cannot hold",
    fires='(0008,1030) := "Schädel"\n',
    silent='(0008,0005) := "ISO_IR 192"\n(0008,1030) := "Schädel"\n',
    is_global=True,
)
def not_ascii(checked: Checked) -> Iterator[Finding]:
    """Which letters a text may have depends on the object's Specific Character Set (0008,0005).

    Objects whose character set lacks these letters are refused; where none is declared, programs show other
    letters. Write it without accents and umlauts, or let the script set the character set to ISO_IR 192
    (UTF-8) too: the texts of the object are rewritten in it.
    """
    if next(checked.index.above(top_level(_SPECIFIC_CHARACTER_SET)), None) is not None:
        return
    for tag, value, _ in _writes(checked):
        text = checked.constants.text(value)
        if text and not text.isascii() and checked.values.vr_for(tag, None) in TEXT_VRS:
            message = f"{described_tag(tag)}: not every object can hold these letters"
            yield Finding(value.span, message, '(0008,0005) := "ISO_IR 192" lets it')


def _writes(checked: Checked) -> Iterator[tuple[int, nodes.Value, Effect]]:
    """Assignments to elements of the standard, with tag and value."""
    for _, effect in checked.effects:
        if effect.kind not in ("assign", "replace") or effect.path is None or effect.value is None:
            continue
        last = effect.path.steps[-1]
        if isinstance(last, TagStep) and last.mask == 0xFFFFFFFF and not last.bits >> 16 & 1:
            yield last.bits, effect.value, effect
