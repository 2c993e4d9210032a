"""What the rules know of DICOM: elements that identify, dates, and UIDs with what refers to them."""

from __future__ import annotations

from typing import Final, NamedTuple

from anon.tagpath import TagPath, parse_path6


def _tags(text: str) -> frozenset[int]:
    """Tags from lines `group: element element ...`."""
    found: set[int] = set()
    for line in text.strip().splitlines():
        group, _, elements = line.partition(":")
        found.update(int(group.strip() + element, 16) for element in elements.split())
    return frozenset(found)


#: Names, numbers, addresses and dates of birth: they tell who the patient is, or who treated them.
IDENTIFYING: Final = _tags(
    """
    0008: 0050 0080 0081 0090 0092 0094 1010 1040 1048 1049 1050 1060 1070
    0010: 0010 0020 0021 0030 0032 0050 1000 1001 1002 1005 1010 1040 1050 1060 1080 1090 2150 2152 2154
    0010: 2155 2160 2180 21B0 21F0 2297 2299 4000
    0032: 1032 1033 4000
    0038: 0010 0060 0300 0400 0500 4000
    0040: 0006 0244 0253 1001 2016 2017 2400 A075 A123
    """
)
#: Those that name the patient: an object with one of them is not anonymous.
WHO: Final = _tags("0010: 0010 0020 0030 0032 1000 1001 1005 1040 1060 2154 2297")
#: What has few possible values, or lists of them can be had: their hashes can be found by trying all.
GUESSABLE: Final = IDENTIFYING

#: Dates of what was done and when. One that stays tells how far the others were moved.
DATES: Final = tuple(
    sorted(
        _tags(
            """
            0008: 0020 0021 0022 0023 0024 0025 002A 0012
            0018: 1012 1078 1079 1200 1201
            0032: 1000 1010 1040 1050
            0038: 0020 0030
            0040: 0002 0004 0244 0250 2004 A030 A032
            """
        )
    )
)
#: Those of them that nearly every object has.
USUAL_DATES: Final = _tags("0008: 0020 0021 0022 0023")

#: Elements that also, or mostly, stand in items of sequences.
OFTEN_NESTED: Final = _tags(
    """
    0008: 0050 0080 0081 1150 1155
    0020: 000E
    0032: 1060
    0040: 0007 0009 1001 1101 A075 A123 A124 A160
    """
)
#: Those of them that stand nowhere else.
ONLY_NESTED: Final = _tags("0008: 1150 1155\n0040: 0007 0009 1001 1101 A123 A124 A160")


class References(NamedTuple):
    """A UID and the elements in sequences that refer to what it names.

    Attributes:
        tag: of the UID.
        paths: of the elements that refer to it, in the sequences that objects commonly have.
    """

    tag: int
    paths: tuple[TagPath, ...]


def _references(tag: int, *paths: str) -> References:
    return References(tag, tuple(parse_path6(path) for path in paths))


_SERIES = "(0008,1115)[%]"
_EVIDENCE = "(0040,A375)[%]"
_RT_STUDY = "(3006,0010)[%]/(3006,0012)[%]"
REFERENCES: Final = (
    _references(
        0x00080018,
        "(0008,1140)[%]/(0008,1155)",
        "(0008,2112)[%]/(0008,1155)",
        f"{_SERIES}/(0008,1199)[%]/(0008,1155)",
        f"{_EVIDENCE}/{_SERIES}/(0008,1199)[%]/(0008,1155)",
        "(0040,A730)[%]/(0008,1199)[%]/(0008,1155)",
        f"{_RT_STUDY}/(3006,0014)[%]/(3006,0016)[%]/(0008,1155)",
        "(300C,0060)[%]/(0008,1155)",
        "(300C,0002)[%]/(0008,1155)",
        "(5200,9230)[%]/(0008,9124)[%]/(0008,2112)[%]/(0008,1155)",
    ),
    _references(
        0x0020000D,
        "(0008,1110)[%]/(0008,1155)",
        f"{_EVIDENCE}/(0020,000D)",
        "(0008,1200)[%]/(0020,000D)",
        "(0040,0275)[%]/(0020,000D)",
        f"{_RT_STUDY}/(0008,1155)",
    ),
    _references(
        0x0020000E,
        f"{_SERIES}/(0020,000E)",
        f"{_EVIDENCE}/{_SERIES}/(0020,000E)",
        f"{_RT_STUDY}/(3006,0014)[%]/(0020,000E)",
    ),
    _references(
        0x00200052,
        "(3006,0010)[%]/(0020,0052)",
        "(3006,0020)[%]/(3006,0024)",
        "(0070,0308)[%]/(0020,0052)",
    ),
)
SOP_CLASS_UID: Final = 0x00080016
SOP_INSTANCE_UID: Final = 0x00080018
STUDY_INSTANCE_UID: Final = 0x0020000D
SERIES_INSTANCE_UID: Final = 0x0020000E
FRAME_OF_REFERENCE_UID: Final = 0x00200052
#: What every object has, with a value (PS3.3: type 1 in all of them).
NEVER_MISSING: Final = _tags("0008: 0016 0018 0060\n0020: 000D 000E")
#: What every object has, some perhaps empty (type 2).
ALWAYS_THERE: Final = NEVER_MISSING | _tags("0010: 0010 0020")
#: UIDs that several files share: what holds a study, a series or a space together.
SHARED_UIDS: Final = frozenset({STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, FRAME_OF_REFERENCE_UID})
