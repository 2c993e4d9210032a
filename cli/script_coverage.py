"""`prearc anon check --profile ...`: what a script leaves of what PS3.15 protects, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cli.exits import UsageError
from cli.output import print_table, say

if TYPE_CHECKING:
    from anon.lookup import LookupTable
    from anon.profile.coverage import Coverage, CoverageRow

_WIDEST_KEYWORD = 33
_WANTED = {
    "X": "remove",
    "Z": "empty",
    "D": "replace",
    "U": "new UIDs",
    "U*": "new UIDs",
    "shift": "shift",
    "K": "keep",
}


def measure_coverage(
    text: str, name: str, profiles: Sequence[str], lookup: LookupTable | None = None
) -> Coverage:
    """Try a script without mistakes on made-up objects.

    Args:
        text: of the script.
        name: for messages.
        profiles: what `--profile` was given: `basic`, and names of options.
        lookup: the lookup table.

    Raises:
        UsageError: there is no such profile.
    """
    from anon.profile.coverage import coverage
    from anon.profile.generate import UnknownOptionError

    try:
        return coverage(text, name, profiles, lookup=lookup)
    except UnknownOptionError as error:
        raise UsageError(f"--profile: {error}") from None


def coverage_rows(found: Coverage) -> list[dict[str, Any]]:
    """Return what `--json` prints: one row for each attribute of the table."""
    return [
        {
            "tag": row.tag,
            "keyword": row.keyword,
            "name": row.name,
            "wanted": row.wanted,
            "top": row.top,
            "nested": row.nested,
            "gap": row.is_gap,
        }
        for row in found.rows
    ]


def tell_coverage(found: Coverage, name: str) -> None:
    """Print the attributes that stay as they were, and how many there are of each kind.

    Args:
        found: what was found out.
        name: of the script.
    """
    from anon.profile.coverage import Outcome

    options = "".join(f" with {option}" for option in found.options)
    say(f"{name}: Basic Profile of DICOM PS3.15 {found.edition}{options}")
    if not found.rows:
        _tell_nothing(found)
        return
    gaps = found.gaps
    if gaps:
        say("These stay as they were, in an object that has all that the profile protects:\n")
        print_table(
            ["tag", "keyword", "profile", "top level", "in items"],
            [
                (row.tag, _keyword(row), _WANTED[row.wanted.value], row.top.value, row.nested.value)
                for row in gaps
            ],
        )
        say()
    counts = found.counts
    protected = counts["gap"] + counts["covered"]
    say(f"{counts['covered']} of {protected} protected attributes are removed, emptied or replaced")
    if gaps:
        only_nested = sum(row.top is not Outcome.UNCHANGED for row in gaps)
        but = f", {only_nested} of them only in items of sequences" if only_nested else ""
        say(f"{counts['gap']} stay as they were{but}")
    if found.options:
        kept = counts["kept"] + counts["lost"]
        say(f"{counts['kept']} of {kept} attributes that the options keep are kept")
    if found.failure is not None:
        say(f"on some objects the script failed: {found.failure.diagnostics[0].message}")


def _keyword(row: CoverageRow) -> str:
    keyword = row.keyword or row.name
    return keyword if len(keyword) <= _WIDEST_KEYWORD else f"{keyword[: _WIDEST_KEYWORD - 3]}..."


def _tell_nothing(found: Coverage) -> None:
    if found.failure is None:
        say("The script rejects every object that it was tried on, so nothing is stored.")
        return
    first = found.failure.diagnostics[0]
    say(f"Nothing can be said: the script fails on the objects that it was tried on, in line {first.line}:")
    say(f"  {first.message}")
