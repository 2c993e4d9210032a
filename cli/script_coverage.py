"""`prearc anon check --profile ...`: what a script leaves of what PS3.15 protects, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import UsageError
from cli.output import print_table, say

if TYPE_CHECKING:
    from anon.errors import Diagnostic
    from anon.lookup import LookupTable
    from anon.profile.coverage import Coverage, CoverageRow

GAP = "profile-gap"
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


Profiles = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Also tell what the Basic Profile of PS3.15 protects and the script leaves: basic, or an option "
        "of the profile such as retain-uids; may be given several times.",
    ),
]


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


def gap_diagnostics(found: Coverage) -> list[Diagnostic]:
    """Return what stays as it was as warnings, for programs; they are about the script as a whole."""
    from anon.errors import Diagnostic

    if not found.rows and found.failure is not None:
        failure = found.failure.diagnostics[0]
        message = f"nothing can be said of the profile, the script fails when it is tried: {failure.message}"
        return [replace(failure, code="profile-untested", severity="warning", message=message)]
    hint = "`prearc anon library show basic-profile` has a line for it"
    return [Diagnostic(GAP, _sentence(row), 1, 1, 1, 1, hint, severity="warning") for row in found.gaps]


def _sentence(row: CoverageRow) -> str:
    from anon.profile.coverage import Outcome, stays

    is_copied = Outcome.UNCHANGED not in (row.top, row.nested)
    what = "is copied to another attribute" if is_copied else "stays as it was"
    where = "" if stays(row.top) else " in items of sequences"
    return f"{row.tag} {row.keyword or row.name} {what}{where} (profile: {_WANTED[row.wanted.value]})"


def tell_coverage(found: Coverage, name: str) -> None:
    """Print the attributes that stay as they were, and how many there are of each kind.

    Args:
        found: what was found out.
        name: of the script.
    """
    from anon.profile.coverage import stays

    say(f"{name}: Basic Profile of DICOM PS3.15 {found.edition}")
    if found.options:
        say(f"  with {', '.join(found.options)}")
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
        only_nested = sum(not stays(row.top) for row in gaps)
        but = f", {only_nested} of them only in items of sequences" if only_nested else ""
        stay = "stays as it was" if len(gaps) == 1 else "stay as they were"
        say(f"{len(gaps)} {stay}{but}")
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
