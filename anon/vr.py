"""Value representations: which one a new element gets, and which texts fit which (PS3.5 section 6.2)."""

from __future__ import annotations

import re
from functools import lru_cache
from struct import Struct
from typing import Final

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom.datadict import dictionary_VR

from anon.encoding.text import STRING_VRS, WHOLE_TEXT_VRS

BINARY_VRS: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})
# VRs of binary numbers: the letter of `struct`.
NUMBER_FORMATS: Final = {
    "US": "H",
    "SS": "h",
    "UL": "I",
    "SL": "i",
    "UV": "Q",
    "SV": "q",
    "FL": "f",
    "FD": "d",
}
_YOUNG_VRS: Final = frozenset({"OD", "OL", "OV", "SV", "UC", "UR", "UV"})  # younger than dcm4che 2

# SPEC-4 section 7.1: attributes that the dictionary of 2012 had with another VR.
_VRS_OF_2012: Final = {
    0x00280400: "US",
    0x00280401: "US",
    0x00280402: "LO",
    0x00280403: "AT",
    0x00143022: "DS",
    0x00287FE0: "UT",
    0x0040E010: "UT",
    0x0074100A: "ST",
    0x006862F0: "FD",
    0x00760034: "CS",
}
# Elements added to the standard since, by group: the list of that section, and all that PS3.6 did not have
# yet in 2013. A range may span numbers that nobody uses.
_SINCE_2012: Final = {
    0x0002: "0017-0038",
    0x0008: "0015 0017 0019 001C 0053 0055 0063 009C-009D 0101 0108-010A 010E 0118-0124 0202-0429 "
    "1041 1088 1112 1156 1190 1196 119A-119B 3002 3011-3012",
    0x0010: "0026-0028 0033-0035 0200 0212-0229 1022-1024 1100 2155 2161",
    0x0012: "0022-0023 0032 0041 0043 0052-0055 0073 0086-0087",
    0x0014: "0100-0207 3100-3101 5100-511F",
    0x0018: "0013 0061 1009-100B 11A3-11C1 1202-1205 1271-1272 1320 1630-1638 2042-2046 5011 6070 "
    "9297-9298 9361-9384 9445 9518-9519 9541-9559 9621-9624 9810-9947",
    0x0020: "0027 103F 930B",
    0x0022: "000F 0028 1036 1045-104B 112A-112C 1512-1658",
    0x0028: "0020 0122-0125 0304 1224-1232 2002 3001 7000-702E",
    0x0032: "1065-1067",
    0x0038: "0101-0102",
    0x003A: "0310-032E",
    0x0040: "0710 1104 2011 4008 4070-4074 8303-9092 9213-9214 9220 A033 A161-A163 A801-A808 E025",
    0x0042: "0015",
    0x0044: "0100-010A",
    0x0046: "0047 0110-0118",
    0x0048: "0114-0117 0302-0303",
    0x0050: "0021",
    0x0054: "0501",
    0x0062: "0007 0013-0021",
    0x0066: "0022 0040-0134",
    0x0068: "7001-7005",
    0x0070: "030B 0315 031B 031F 1101-1B14",
    0x0072: "005E-005F 0061 0063 0065 0067 0069 006B 006D 006F 0071 0073 0075 007F 0081-0083",
    0x0074: "1007 1401-140E",
    0x0400: "0315 0551-0552 0600",
    0x3002: "0100-0135",
    0x3006: "002D-002E 0037 004A-004F 00B9 00C9-00CB",
    0x3008: "0067 00A1-00A4 00D1 0171-0173",
    0x300A: "0054 0083 0090-0094 00C5 00DE 0131-0133 0150-0155 0271-0274 02A1 0309 0355 038F 0391 "
    "0393 0395 0399 0426 0440-07A1",
    0x300C: "0111-0129",
    0x7FE0: "0001-0009",
}
_WHOLE_GROUPS_SINCE_2012: Final = frozenset({0x0016, 0x0034, 0x006A, 0x0082, 0x3010})


def _ranges(text: str) -> tuple[tuple[int, int], ...]:
    pairs = (part.partition("-") for part in text.split())
    return tuple((int(first, 16), int(last or first, 16)) for first, _, last in pairs)


_RANGES: Final = {group: _ranges(text) for group, text in _SINCE_2012.items()}


def _is_younger_than_2012(tag: int) -> bool:
    group, element = tag >> 16, tag & 0xFFFF
    if group in _WHOLE_GROUPS_SINCE_2012:
        return True
    return any(first <= element <= last for first, last in _RANGES.get(group, ()))


def _dictionary_vr(tag: int) -> str | None:
    """The VR of the current dictionary, one of several where it allows several; None when unknown."""
    if tag & 0xFFFF == 0:
        return "UL"
    try:
        known = dictionary_VR(tag)
    except KeyError:
        return None
    if known == "NONE":
        return None
    if " or " not in known:
        return known
    if tag == 0x7FE00010:
        return "OW"
    if known == "OB or OW":
        return "OB"
    return "OW" if "OW" in known else known.split(" or ")[0]


# Of the other repeating elements, such as (0020,31xx), that dictionary has the first of each.
_REPEATING_2012: Final = frozenset(int(mask.replace("x", "0"), 16) for mask in RepeatersDictionary)


def _repeating_group_2012(tag: int) -> int:
    """Curves and overlays, 16 groups of each, have the VRs of their first group."""
    return tag & 0xFF00FFFF if tag & 0xFFE00000 in (0x50000000, 0x60000000) else tag


@lru_cache(maxsize=4096)
def vr_in_2012(tag: int) -> str:
    """The VR that DicomEdit 4 writes: dcm4che 2.0.29's dictionary, LO for all it does not know."""
    if not tag & 0xFFFF:
        return "UL"
    if tag >> 16 & 1:
        return "LO"
    tag = _repeating_group_2012(tag)
    if tag in _VRS_OF_2012:
        return _VRS_OF_2012[tag]
    known = _dictionary_vr(tag) if tag in DicomDictionary or tag in _REPEATING_2012 else None
    if known is None or known in _YOUNG_VRS or _is_younger_than_2012(tag):
        return "LO"
    return known


@lru_cache(maxsize=4096)
def vr_today(tag: int) -> str:
    """The VR of a new element in DicomEdit 6: the current dictionary; UN for private data and the unknown."""
    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    return _dictionary_vr(tag) or "UN"


# In these a backslash separates no values; read from UN and binary data it stands between bytes.
_SINGLE_VALUED: Final = WHOLE_TEXT_VRS | BINARY_VRS | {"UN"}


def values_in(text: str, vr: str) -> tuple[str, ...]:
    """The values in the text that was read from an element."""
    return (text,) if vr in _SINGLE_VALUED else tuple(text.split("\\"))


_NUMBER_STRUCTS: Final = {
    (vr, little): Struct(("<" if little else ">") + letter)
    for vr, letter in NUMBER_FORMATS.items()
    for little in (True, False)
}


def number_struct(vr: str, little: bool) -> Struct:
    """The struct of one number of a binary VR."""
    return _NUMBER_STRUCTS[vr, little]


_MAX_CHARACTERS: Final = {
    "AE": 16,
    "AS": 4,
    "CS": 16,
    "DS": 16,
    "IS": 12,
    "DT": 26,
    "LO": 64,
    "LT": 10240,
    "PN": 64,
    "SH": 16,
    "ST": 1024,
    "TM": 16,
    "UI": 64,
}
_FORMS: Final = {
    "AS": re.compile(r"[0-9]{3}[DWMY]"),
    "CS": re.compile(r"[A-Z0-9 _]*"),
    "DA": re.compile(r"[0-9]{8}"),
    "DS": re.compile(r" *[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)? *"),
    "DT": re.compile(r"[0-9]{4,14}(\.[0-9]{1,6})?([+-][0-9]{4})?"),
    "IS": re.compile(r" *[+-]?[0-9]+ *"),
    "TM": re.compile(r"[0-9]{2}([0-9]{2}([0-9]{2}(\.[0-9]{1,6})?)?)?"),
    "UI": re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*"),
}


_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")
_CONTROLS_IN_TEXTS: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")  # not of tabs and ends of lines


def has_control_characters(vr: str, text: str) -> bool:
    """Whether a text has control characters that values of this VR cannot hold (PS3.5 section 6.2)."""
    return (_CONTROLS_IN_TEXTS if vr in ("LT", "ST", "UT") else _CONTROLS).search(text) is not None


def misfit(vr: str, text: str) -> str:
    """How a text breaks the rules of its VR, in words without the text; "" when it fits."""
    longest = _MAX_CHARACTERS.get(vr)
    form = _FORMS.get(vr)
    for value in (text,) if vr in WHOLE_TEXT_VRS else text.split("\\"):
        parts = value.split("=") if vr == "PN" else (value,)
        if longest is not None and max(map(len, parts)) > longest:
            return f"the value is longer than {vr} allows ({longest} characters)"
        if form is not None and value and form.fullmatch(value) is None:
            return f"the value is not a valid {vr}"
    if vr in STRING_VRS and has_control_characters(vr, text):
        return f"the value has control characters, which {vr} does not allow"
    return ""
