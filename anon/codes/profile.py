"""What `prearc anon check --profile` says of a script."""

from __future__ import annotations

from typing import Final

from anon.codes.entry import Code, entry

PROFILE: Final[tuple[Code, ...]] = (
    entry(
        "profile-gap",
        "an attribute that the profile protects stays as it was",
        "The script was tried on made-up objects of several modalities, which have every attribute of Table"
        " E.1-1 of DICOM PS3.15 at the top level and in items of sequences. This one came out of one of them"
        " as it was. Remove, empty or replace it as the profile says, with `*/` before the tag to reach"
        " items, too: `prearc anon library show basic-profile` has a line for each.",
        when="profile",
    ),
    entry(
        "profile-untested",
        "the script fails on every object that it was tried on",
        "So nothing can be said of what it leaves. The objects are made up and have no pixel data; put what"
        " needs other objects under a condition.",
        when="profile",
    ),
)
