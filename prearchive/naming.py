"""Names made from data: labels, scan ids, file names. Whatever a data set holds, a result is one safe name.

Labels follow XNAT (characters outside `[A-Za-z0-9_-]` become `_`), scan ids are Series Numbers where these
can be names, and file names follow XNAT's template, filled with the values after the site script.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from operator import mul
from struct import iter_unpack
from typing import Final, NamedTuple

from pydicom.datadict import dictionary_VR, keyword_dict

from anon.encoding.elements import DataSet
from anon.encoding.text import STRING_VRS, character_sets
from prearchive.values import find_value

LABEL_CHARACTERS: Final = 64
NO_SESSION_LABEL: Final = "dicom_upload"  # XNAT's label for a session that nothing names
NO_SCAN_LABEL: Final = "NA"
# Shorter than the 255 bytes that file systems take: `_1` and the like may follow.
FILE_NAME_CHARACTERS: Final = 240
_SERIES_NUMBER_CHARACTERS = 32  # leaves room for a suffix such as -MR1 in the 64 characters of a scan id

_NOT_LABEL = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)
_NOT_FILE_NAME = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_SCAN_NUMBER = re.compile(r"\+?[A-Za-z0-9_.-]+", re.ASCII)
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]+\Z", re.ASCII)
_NUMBER_VRS = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_POWERS_OF_31 = [pow(31, exponent, 1 << 32) for exponent in range(64)]
_BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz"


# -- labels


class LabelSource(StrEnum):
    """Where a subject or session label comes from."""

    GIVEN = "given"  # on purpose: comments, routing rules, options of an import
    DEFAULT = "default"  # from Patient's Name or Patient ID, which the stored file still holds
    KEYED = "keyed"  # stands for a value that the site script removes
    NONE = "none"  # nothing named it
    PERSON = "person"


def clean_label(text: str) -> str | None:
    """Return the label XNAT makes of a text, cut at 64 characters; None when nothing is left.

    One `_` for each character outside ASCII `[A-Za-z0-9_-]`: `Doe^John` gives `Doe_John`.
    """
    return _NOT_LABEL.sub("_", text[:LABEL_CHARACTERS]) or None


def label_problem(text: str) -> str | None:
    """Say what is wrong with a label that a person gives, or return None."""
    if _LABEL.fullmatch(text):
        return None
    if not text:
        return "a label must not be empty"
    if len(text) > LABEL_CHARACTERS:
        return f"a label has at most {LABEL_CHARACTERS} characters, this one has {len(text)}"
    wrong = sorted(set(_NOT_LABEL.findall(text)))
    shown = " ".join(repr(character) for character in wrong)
    return f"a label has only the characters A-Z a-z 0-9 _ -, not {shown}"


def is_placeholder(label: str | None, source: LabelSource | str) -> bool:
    """Whether a label stands for a missing one, so that it must not reach the archive without a person."""
    if source == LabelSource.PERSON:
        return False
    return not label or label == NO_SESSION_LABEL or not label.strip("_") or source == LabelSource.KEYED


# -- scans


def scan_label(series_number: str | None, series_instance_uid: str | None) -> str:
    """Return the scan id of a series whose number is not taken: safe as a folder name, at most 64 characters.

    As XNAT at receipt: the Series Number if it can be a name, else the Series Instance UID with `_` for its
    dots, else `NA`. A leading `+` becomes `_`; `.`, `..` and hidden names are no names.
    """
    number = (series_number or "").strip()
    if len(number) <= _SERIES_NUMBER_CHARACTERS and _SCAN_NUMBER.fullmatch(number) and number[0] != ".":
        return f"_{number[1:]}" if number[0] == "+" else number
    return clean_label((series_instance_uid or "").strip()) or NO_SCAN_LABEL


# -- files


class _Variable(NamedTuple):
    """A variable of a file name template: one keyword, or the hash over several."""

    keywords: tuple[str, ...]
    tags: tuple[int, ...]
    hashed: bool


class _Template(NamedTuple):
    """A template taken apart: literal texts and variables, and what is appended."""

    parts: tuple[str | _Variable, ...]
    extension: str


def template_problem(template: str) -> str | None:
    """Say why a template cannot be used as `sessions.file_name`, or return None.

    A template has to name each instance apart: without SOPInstanceUID, plain or in a hash, XNAT keeps one
    file of a series and loses the others.
    """
    try:
        parsed = _parse(template)
    except ValueError as error:
        return f"{error} in {template!r}"
    variables = [part for part in parsed.parts if isinstance(part, _Variable)]
    if not any("SOPInstanceUID" in variable.keywords for variable in variables):
        return (
            f"{template!r} could give two instances one name; "
            "use ${SOPInstanceUID} or ${HashSOPClassUIDWithSOPInstanceUID} in it"
        )
    return None


def file_name(template: str, dataset: DataSet) -> str:
    """Fill a file name template with the values of a data set (XNAT's TemplatizedDicomFileNamer).

    Args:
        template: literal text and `${Keyword}` or `${Hash<Keyword>With<Keyword>...}`; `template_problem` has
            found nothing in it.
        dataset: the data set as it will be stored.

    Returns:
        A name of the characters `[A-Za-z0-9_.-]` that does not begin with a dot, shorter than 255 bytes. It
        ends in `.dcm` unless the template ends in an extension of its own.
    """
    parsed = _parse(template)
    charsets = character_sets(dataset)
    texts: list[str] = []
    for part in parsed.parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        values = [
            find_value(dataset, tag, charsets) or f"no-value-for-{keyword}"
            for keyword, tag in zip(part.keywords, part.tags, strict=True)
        ]
        texts.append(java_list_hash(values) if part.hashed else values[0])
    name = _NOT_FILE_NAME.sub("_", "".join(texts)).lstrip(".") or "_"
    room = FILE_NAME_CHARACTERS - len(parsed.extension)
    if len(name) > room:
        # What is cut off may be what told two instances apart.
        mark = sha256(name.encode()).hexdigest()[:16]
        name = f"{name[: room - len(mark) - 1]}-{mark}"
    return name + parsed.extension


def java_list_hash(values: list[str]) -> str:
    """Return Java's `List.hashCode` of texts as an unsigned 32-bit number in base 36."""
    total = 1
    for value in values:
        total = (31 * total + _java_string_hash(value)) & 0xFFFFFFFF
    digits = ""
    while total or not digits:
        total, digit = divmod(total, 36)
        digits = _BASE_36[digit] + digits
    return digits


def _java_string_hash(text: str) -> int:
    """Java's `String.hashCode`, over UTF-16 units."""
    if text.isascii() and len(text) <= len(_POWERS_OF_31):  # UIDs, once for each instance
        return sum(map(mul, reversed(text.encode()), _POWERS_OF_31))
    code = 0
    for (unit,) in iter_unpack(">H", text.encode("utf-16-be", "surrogatepass")):
        code = (31 * code + unit) & 0xFFFFFFFF
    return code


@lru_cache(maxsize=64)
def _parse(template: str) -> _Template:
    pieces = _VARIABLE.split(template)
    parts: list[str | _Variable] = []
    for index, piece in enumerate(pieces):
        if index % 2:
            parts.append(_parse_variable(piece))
        elif "${" in piece:
            raise ValueError("a variable is not closed with }")
        elif piece:
            parts.append(piece)
    # By the template, not by the result: the last part of a UID is no extension.
    last = parts[-1] if parts else ""
    extension = _EXTENSION.search(last) if isinstance(last, str) else None
    if extension is None:
        return _Template(tuple(parts), ".dcm")
    return _Template((*parts[:-1], extension.string[: extension.start()]), extension[0])


def _parse_variable(name: str) -> _Variable:
    hashed = name.startswith("Hash") and name not in keyword_dict
    keywords = tuple(name.removeprefix("Hash").split("With")) if hashed else (name,)
    if hashed and len(keywords) < 2:
        raise ValueError(f"${{{name}}} needs two keywords or more, as ${{HashSOPClassUIDWithSOPInstanceUID}}")
    tags = []
    for keyword in keywords:
        tag = keyword_dict.get(keyword)
        if tag is None:
            raise ValueError(f"{keyword!r} is no DICOM keyword")
        if not set(dictionary_VR(tag).split(" or ")) & (STRING_VRS | _NUMBER_VRS):
            raise ValueError(f"{keyword} has no value that could be part of a name")
        if tag >> 16 == 0x0002:
            raise ValueError(f"{keyword} is no element of the data set")
        tags.append(tag)
    return _Variable(keywords, tuple(tags), hashed)
