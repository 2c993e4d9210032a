"""The Basic Profile of PS3.15 as a DicomEdit 6 script: a statement for each attribute, and the options."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from anon.profile.table import EDITION, PRIVATE, Action, Option, Row, load_table

# What stands in place of a value that may not be empty. It is valid in its VR and looks like nothing a device
# writes by itself, as midnight would.
DUMMY_TEXT: Final = "ANONYMIZED"
DUMMIES: Final = {
    "AS": "000Y",
    "DA": "19000101",
    "DT": "19000101000001",
    "TM": "000001",
    "UR": "http://anonymized.invalid",
}
_BINARY: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})
_FILE_INDEX_GROUP: Final = "(0004,"  # a script can write nothing there (PS3.3 annex F)
_COMMAND_GROUP: Final = "(0000,"  # no part of a data set (PS3.7 section 6.3.1)
_FOLLOWING: Final = "(0002,0003)"  # written anew from the SOP Instance UID


@dataclass(frozen=True, slots=True)
class ScriptOption:
    """Something that may be asked of the script.

    Attributes:
        name: on the command line.
        does: in a line.
        code: of CID 7050, for (0012,0064); "" for what is no option of the standard.
        meaning: of the code.
        excludes: names of options that make no sense beside it.
    """

    name: str
    does: str
    code: str = ""
    meaning: str = ""
    excludes: tuple[str, ...] = ()


KEYED_UIDS: Final = "keyed-uids"
XNAT_LABELS: Final = "xnat-labels"
_BASIC: Final = ScriptOption("basic-profile", "", "113100", "Basic Application Confidentiality Profile")
SCRIPT_OPTIONS: Final = {
    option.name: option
    for option in (
        ScriptOption(
            Option.RETAIN_UIDS,
            "keeps UIDs",
            "113110",
            "Retain UIDs Option",
            excludes=(KEYED_UIDS,),
        ),
        ScriptOption(
            Option.RETAIN_DATES,
            "keeps dates and times",
            "113106",
            "Retain Longitudinal Temporal Information Full Dates Option",
            excludes=(Option.RETAIN_DATES_SHIFTED,),
        ),
        ScriptOption(
            Option.RETAIN_DATES_SHIFTED,
            "shifts dates, per patient; keeps times of day",
            "113107",
            "Retain Longitudinal Temporal Information Modified Dates Option",
        ),
        ScriptOption(
            Option.RETAIN_DEVICE,
            "keeps what identifies the device",
            "113109",
            "Retain Device Identity Option",
        ),
        ScriptOption(
            Option.RETAIN_INSTITUTION,
            "keeps what identifies the institution",
            "113112",
            "Retain Institution Identity Option",
        ),
        ScriptOption(
            Option.RETAIN_PATIENT,
            "keeps age, sex, size, weight and the like",
            "113108",
            "Retain Patient Characteristics Option",
        ),
        ScriptOption(KEYED_UIDS, "derives UIDs with the site's key: hidden better"),
        ScriptOption(XNAT_LABELS, "sets name, ID and description to XNAT's labels"),
    )
}


class UnknownOptionError(Exception):
    """An option that there is not, or two that exclude each other. The text says which."""


def suggestion(name: str, known: Collection[str]) -> str:
    """How a sentence goes on after a name that there is not: with the nearest one, and all."""
    near = get_close_matches(name, [str(each) for each in known], n=1)
    return f"{f', did you mean {near[0]!r}?' if near else ';'} there are {', '.join(known)}"


def make_script(options: Collection[str] = ()) -> str:
    """The text of the script.

    Args:
        options: names of `SCRIPT_OPTIONS`, in any order.

    Raises:
        UnknownOptionError: there is no such option, or two exclude each other.
    """
    chosen = _choose(options)
    in_table = [Option(option.name) for option in chosen if option.code]
    actions = [(row, row.action_with(in_table)) for row in load_table()]
    names = {option.name for option in chosen}
    parts = [
        _head(chosen),
        _first(names),
        _section("Removed", actions, Action.REMOVE, _removal),
        _section("Emptied", actions, Action.EMPTY, lambda row: f'*/{_path(row)} ?= ""'),
        _section("Replaced by a dummy value", actions, Action.REPLACE, _replacement_of(names)),
        _section(
            "Replaced by other UIDs, the same for the same UID", actions, Action.REPLACE_UIDS, _uid_of(names)
        ),
        _section(
            "Sequences that stay: the UIDs in them were replaced above",
            actions,
            Action.REPLACE_UIDS_INSIDE,
            lambda row: "",
        ),
        _section("Dates that are shifted", actions, Action.SHIFT, _shift),
        _meta(),
        _labels() if XNAT_LABELS in names else [],
        _notes(chosen, in_table),
    ]
    return "\n".join("".join(f"{line}\n" for line in part) for part in parts if part)


def _choose(options: Collection[str]) -> list[ScriptOption]:
    for name in options:
        if name not in SCRIPT_OPTIONS:
            raise UnknownOptionError(f"there is no option {name!r}{suggestion(name, SCRIPT_OPTIONS)}")
    chosen = [option for name, option in SCRIPT_OPTIONS.items() if name in options]
    for option in chosen:
        for other in option.excludes:
            if other in options:
                raise UnknownOptionError(f"{option.name} and {other} exclude each other")
    return chosen


def _head(chosen: Sequence[ScriptOption]) -> list[str]:
    names = {option.name for option in chosen}
    copied = "".join(f" --option {option.name}" for option in chosen)
    use = "project script: as a site script it would put labels from the scanner in"
    return [
        'version "6.6"',
        f"// The Basic Profile of DICOM PS3.15 {EDITION}: what table E.1-1 protects is removed, emptied or",
        "// replaced, in sequences too; private attributes are removed.",
        *(f"// {option.name}: {option.does}." for option in chosen),
        *([f"// This is a {use}."] if XNAT_LABELS in names else []),
        "//",
        "// What it keeps: all that the table does not name"
        + (", and what the lines above say." if chosen else "."),
        "// What it does not do: look at pixels. Names that are burned into an image stay, and so does free",
        "// text in attributes that the table does not name. What it costs: structured reports lose their",
        "// content, and a sequence that an object must have may be gone.",
        "// To keep an attribute, remove its line.",
        f"// Made by `prearc anon library copy basic-profile{copied}`.",
    ]


def _first(names: Collection[str]) -> list[str]:
    lines = ["// -- Private attributes", "removeAllPrivateTags"]
    if Option.RETAIN_DATES_SHIFTED not in names:
        return lines
    return [
        "// -- By how many days dates are shifted. It has to be the same for all studies of a patient.",
        "// Derived from the Patient ID with the key of the site: 100 to 999 days back. Without the key (the",
        "// option --key of `prearc anon apply`) each run has other numbers. No script may replace the",
        "// Patient ID before this one. An object with a date that no calendar has is refused.",
        'patient := ""',
        "isPresent[(0010,0020)] ? patient := (0010,0020)",
        'number := mapUID[patient, "2.25"]',
        'dateShift := concatenate["-", match[number, "[.][0-9]{12}[0-9]*?([1-9][0-9]{2})", 1]]',
        "// Or a number of your own for all, in place of the four lines above:",
        '// dateShift := "-17"',
        "// Or a number for each patient, from a lookup table with lines such as dateShift/PATIENT-ID = -17:",
        '// dateShift := lookup["dateShift", (0010,0020)]',
        "",
        *lines,
    ]


def _section(
    title: str,
    actions: Sequence[tuple[Row, Action]],
    wanted: Action,
    statement: Callable[[Row], str],
) -> list[str]:
    rows = [row for row, action in actions if action == wanted and row.tag != PRIVATE]
    if not rows:
        return []
    return [f"// -- {title}", *(_line(row, statement(row)) for row in rows)]


def _line(row: Row, statement: str) -> str:
    return f"{statement} // {row.name}" if statement else f"// {_path(row)} {row.name}"


def _path(row: Row) -> str:
    """The tag as a script writes it: open digits of repeating groups are even."""
    return row.tag.replace("XX,", "X@,")


def _removal(row: Row) -> str:
    return f"-*/{_path(row)}"


def _replacement_of(names: Collection[str]) -> Callable[[Row], str]:
    def statement(row: Row) -> str:
        if row.vr == "UI":
            return _uid_of(names)(row)
        # No text can be put into binary data.
        dummy = "" if row.vr in _BINARY else DUMMIES.get(row.vr, DUMMY_TEXT)
        return f'*/{_path(row)} ?= "{dummy}"'

    return statement


def _uid_of(names: Collection[str]) -> Callable[[Row], str]:
    def statement(row: Row) -> str:
        path = _path(row)
        if path == _FOLLOWING:
            return ""
        if path.startswith((_FILE_INDEX_GROUP, _COMMAND_GROUP)):
            return _removal(row)
        return f'mapReferencedUIDs["2.25", "*/{path}"]' if KEYED_UIDS in names else f"hashUIDList[*/{path}]"

    return statement


def _shift(row: Row) -> str:
    return f'shiftDateTimeListByIncrement[{{*/{_path(row)}}}, dateShift, "days"]'


def _meta() -> list[str]:
    return [
        "// -- File meta information: who sent the object, and private information",
        "-(0002,0016) // Source Application Entity Title",
        "-(0002,0017) // Sending Application Entity Title",
        "-(0002,0018) // Receiving Application Entity Title",
        "-(0002,0026) // Source Presentation Address",
        "-(0002,0027) // Sending Presentation Address",
        "-(0002,0028) // Receiving Presentation Address",
        "-(0002,0100) // Private Information Creator UID",
        "-(0002,0102) // Private Information",
    ]


def _labels() -> list[str]:
    return [
        "// -- Labels of XNAT",
        "(0010,0010) := subject // Patient's Name",
        "(0010,0020) := session // Patient ID",
        'project != "Unassigned" ? (0008,1030) := project // Study Description',
    ]


def codes_of(options: Collection[str]) -> list[str]:
    """The codes of CID 7050 that the script notes, in their order."""
    return [option.code for option in (_BASIC, *_choose(options)) if option.code]


def _notes(chosen: Sequence[ScriptOption], in_table: Collection[Option]) -> list[str]:
    return [
        "// -- What was done. Notes of an earlier de-identification are replaced.",
        '(0012,0062) := "YES" // Patient Identity Removed',
        f'(0012,0063) := "Basic Profile of DICOM PS3.15 {EDITION}" // De-identification Method',
        "-(0012,0064) // De-identification Method Code Sequence",
        *_items([_BASIC, *(option for option in chosen if option.code)]),
        f'(0028,0303) := "{dates_note(in_table)}" // Longitudinal Temporal Information Modified',
    ]


def _items(options: Sequence[ScriptOption]) -> Iterator[str]:
    for number, option in enumerate(options):
        item = f"(0012,0064)[{number}]"
        yield f'{item}/(0008,0100) := "{option.code}"'
        yield f'{item}/(0008,0102) := "DCM"'
        yield f'{item}/(0008,0104) := "{option.meaning}"'


def dates_note(options: Collection[str]) -> str:
    """What the script says of dates in (0028,0303)."""
    if Option.RETAIN_DATES in options:
        return "UNMODIFIED"
    return "MODIFIED" if Option.RETAIN_DATES_SHIFTED in options else "REMOVED"
