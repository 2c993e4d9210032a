"""Table E.1-1 of DICOM PS3.15: what the Basic Profile does with each attribute, and what options change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from pydicom.datadict import dictionary_VM

EDITION: Final = "2026c"
PRIVATE: Final = "private"  # the row of all private attributes
_FILE: Final = "table.tsv"


class Option(StrEnum):
    """The options of the Basic Profile that have a column in the table (PS3.15 section E.3)."""

    RETAIN_UIDS = "retain-uids"
    RETAIN_DATES = "retain-dates"
    RETAIN_DATES_SHIFTED = "retain-dates-shifted"
    RETAIN_DEVICE = "retain-device"
    RETAIN_INSTITUTION = "retain-institution"
    RETAIN_PATIENT = "retain-patient-characteristics"
    RETAIN_SAFE_PRIVATE = "retain-safe-private"
    CLEAN_DESCRIPTORS = "clean-descriptors"
    CLEAN_CONTENT = "clean-structured-content"
    CLEAN_GRAPHICS = "clean-graphics"


class Action(StrEnum):
    """What is done with an attribute, after the table's choices are made.

    A choice such as X/Z depends on whether the object's definition requires the attribute. A script does not
    know that, so the action is taken that no definition forbids: a dummy value before an empty one, an empty
    one before none.
    """

    REMOVE = "X"
    EMPTY = "Z"
    REPLACE = "D"
    REPLACE_UIDS = "U"
    REPLACE_UIDS_INSIDE = "U*"  # of a sequence: it stays, its UIDs do not
    SHIFT = "shift"
    KEEP = "K"


_CHOICES: Final = {
    "X": Action.REMOVE,
    "Z": Action.EMPTY,
    "D": Action.REPLACE,
    "U": Action.REPLACE_UIDS,
    "X/Z": Action.EMPTY,
    "X/D": Action.REPLACE,
    "Z/D": Action.REPLACE,
    "X/Z/D": Action.REPLACE,
    "X/Z/U*": Action.REPLACE_UIDS_INSIDE,
}


class TagPattern(NamedTuple):
    """A tag, or several that differ in some digits.

    Attributes:
        mask: the bits that are given.
        bits: their values.
    """

    mask: int
    bits: int

    def matches(self, tag: int) -> bool:
        """Whether the pattern means this tag."""
        return tag & self.mask == self.bits


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute of the table.

    Attributes:
        tag: `(gggg,eeee)`, with X for digits that are left open, or `private`.
        vr: of the data dictionary; "" for attributes younger than the dictionary and for several at once.
        action: as the table has it: X, Z, D, U, or a choice of these.
        options: what the options make of it: K keep, C clean, X remove.
        name: of the data dictionary.
    """

    tag: str
    vr: str
    action: str
    options: Mapping[Option, str] = field(hash=False)
    name: str

    @property
    def pattern(self) -> TagPattern:
        """The tags that the row is about; all odd groups for private attributes."""
        if self.tag == PRIVATE:
            return TagPattern(0x00010000, 0x00010000)
        digits = self.tag[1:5] + self.tag[6:10]
        mask = int("".join("0" if digit == "X" else "F" for digit in digits), 16)
        bits = int(digits.replace("X", "0"), 16)
        # Repeating groups are even (PS3.5 section 7.6).
        return TagPattern(mask | 0x00010000, bits)

    def action_with(self, options: Collection[Option]) -> Action:
        """What the Basic Profile with these options does.

        Cleaning is a person's work, so what an option wants cleaned gets the basic action; only dates can be
        shifted.
        """
        chosen = [self.options[option] for option in options if option in self.options]
        if "X" in chosen:
            return Action.REMOVE
        if "K" in chosen:
            return Action.KEEP
        if Option.RETAIN_DATES_SHIFTED in options and self.options.get(Option.RETAIN_DATES_SHIFTED) == "C":
            # The language shifts one date, and fails on several: those get the basic action.
            if self.vr in ("DA", "DT") and dictionary_VM(self.pattern.bits) == "1":
                return Action.SHIFT
            if self.vr == "TM":
                return Action.KEEP  # dates are shifted by whole days
        action = _CHOICES[self.action]
        # The language can neither empty a sequence nor make up items in it.
        if self.vr == "SQ" and action in (Action.EMPTY, Action.REPLACE):
            return Action.REMOVE
        return action


@cache
def load_table() -> tuple[Row, ...]:
    """The rows of the table, in the order of their tags."""
    text = files("anon.profile").joinpath(_FILE).read_text("utf-8")
    return tuple(_row(line) for line in text.splitlines() if line and not line.startswith("#"))


def _row(line: str) -> Row:
    tag, vr, action, options, name = line.split("\t")[:5]
    pairs = (pair.split("=") for pair in options.split())
    return Row(tag, vr, action, {Option(option): code for option, code in pairs}, name)
