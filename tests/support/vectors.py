"""Golden results of the Java engine: loading them, running them, comparing what comes out."""

from __future__ import annotations

import base64
import json
import math
import re
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
from builders import saved
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian

FOLDER = Path(__file__).parents[1] / "anon" / "vectors"

NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
DECODED = frozenset({"LO", "SH", "PN", "UC", "ST", "LT", "UT"})
PLAIN = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"})
ONE_TEXT = frozenset({"ST", "LT", "UT", "UR"})
RIGHT_STRIPPED = DECODED | {"UR"}
BINARY = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})
# Every writer puts its own name and lengths here.
OF_THE_WRITER = frozenset({"00020000", "00020001", "00020012", "00020013"})
NAME_PARTS = ("Alphabetic", "Ideographic", "Phonetic")

Json = dict[str, Any]


def read_vectors(folder: Path = FOLDER) -> Iterator[Json]:
    """All vectors below a folder, except the label rows and what is not for conformance."""
    for path in sorted(folder.rglob("*.jsonl")):
        if path.name == "labels.jsonl" or path.name.startswith("questionable"):
            continue
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                yield {**json.loads(line), "file": f"{path.parent.name}/{path.stem}"}


# -- from JSON to an object


def _value_from_json(vr: str, entry: Json) -> Any:
    if "InlineBinary" in entry:
        return base64.b64decode(entry["InlineBinary"])
    found = entry.get("Value", [])
    if vr == "SQ":
        return Sequence([dataset_from_json(item) for item in found])
    if vr == "AT":
        made: list[Any] = [int(text, 16) for text in found]
    elif vr in NUMBERS:
        made = list(found)
    elif vr == "PN":
        made = ["=".join((name or {}).get(part, "") for part in NAME_PARTS).rstrip("=") for name in found]
    else:
        made = ["" if text is None else str(text) for text in found]
    if not made:
        return b"" if vr in BINARY else None
    return made[0] if len(made) == 1 else made


def dataset_from_json(described: Json) -> Dataset:
    dataset = Dataset()
    for key in sorted(described):
        tag, vr = Tag(int(key, 16)), described[key]["vr"]
        value = _value_from_json(vr, described[key])
        dataset[tag] = DataElement(tag, vr, value, validation_mode=pydicom.config.IGNORE)
    return dataset


def object_bytes(vector: Json) -> bytes:
    """The vector's object as a file."""
    dataset = dataset_from_json(vector["input"]["dataset"])
    meta = FileMetaDataset()
    for element in dataset_from_json(vector["input"].get("meta", {})):
        meta[element.tag] = element
    meta.setdefault("TransferSyntaxUID", ExplicitVRLittleEndian)
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        if keyword in dataset and f"MediaStorage{keyword}" not in meta:
            setattr(meta, f"MediaStorage{keyword}", dataset[keyword].value)
    if UID(meta.TransferSyntaxUID).is_compressed and "PixelData" in dataset:
        dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = meta
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return saved(dataset)


# -- from an object to JSON


def json_from_dataset(dataset: Dataset, inherited: list[str] | None = None) -> Json:
    """The canonical form of a data set that nobody has decoded yet."""
    charsets = inherited or ["iso8859"]
    if Tag(0x00080005) in dataset:
        try:
            charsets = list(convert_encodings(dataset[Tag(0x00080005)].value or "ISO_IR 6"))
        except LookupError:
            charsets = ["iso8859"]
    made: Json = {}
    for tag in sorted(dataset.keys()):
        if tag.element == 0:
            continue
        found = dataset.get_item(tag)
        vr = found.VR or _implicit_vr(tag)
        if vr == "SQ":
            items = [json_from_dataset(item, charsets) for item in dataset[tag].value or []]
            made[f"{tag:08X}"] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
        else:
            made[f"{tag:08X}"] = _entry(vr, _encoded(found, vr), charsets)
    return made


def _implicit_vr(tag: Any) -> str:
    if tag.is_private:
        return "LO" if tag.is_private_creator else "UN"
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "UN"
    return "US" if " or " in vr else vr


def _encoded(found: Any, vr: str) -> bytes:
    value = found.value
    if isinstance(found, RawDataElement):
        return value or b""
    if value is None:
        return b""
    if vr in NUMBERS:
        several = [] if value == "" else [value] if isinstance(value, int | float) else list(value)
        return struct.pack(f"<{len(several)}{NUMBERS[vr]}", *several)
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else "\\".join(map(str, value))
    return text.encode("latin-1", "replace")


def _entry(vr: str, encoded: bytes, charsets: list[str]) -> Json:
    made: Json = {"vr": vr}
    if vr in NUMBERS:
        size = struct.calcsize(NUMBERS[vr])
        count = len(encoded) // size
        found: list[Any] = list(struct.unpack(f"<{count}{NUMBERS[vr]}", encoded[: count * size]))
    elif vr == "AT":
        found = [
            encoded[start : start + 4][1::-1].hex().upper()
            + encoded[start + 2 : start + 4][::-1].hex().upper()
            for start in range(0, len(encoded) - 3, 4)
        ]
    elif vr in DECODED or vr in PLAIN:
        found = _texts(vr, encoded, charsets)
    else:
        if encoded:
            made["InlineBinary"] = base64.b64encode(encoded).decode("ascii")
        return made
    if found:
        made["Value"] = found
    return made


def _texts(vr: str, encoded: bytes, charsets: list[str]) -> list[Any]:
    if vr in DECODED:
        stops = {0x09, 0x0A, 0x0C, 0x0D} if vr in ONE_TEXT else {0x09, 0x0A, 0x0C, 0x0D, 0x5C}
        text = decode_bytes(encoded, charsets, {0x5C, 0x5E, 0x3D} if vr == "PN" else stops)
    else:
        text = encoded.decode("latin-1")
    parts = [text] if vr in ONE_TEXT else text.split("\\")
    parts = [part.rstrip(" \0") if vr in RIGHT_STRIPPED else part.strip(" \0") for part in parts]
    if parts == [""]:
        return []
    if vr != "PN":
        return [part or None for part in parts]
    names = (
        {kind: text for kind, text in zip(NAME_PARTS, part.split("="), strict=False) if text}
        for part in parts
    )
    return [name or None for name in names]


# -- comparing


def differences(vector: Json, result: Dataset) -> list[str]:
    """Where a result, fresh from its file, is not what the Java engine made."""
    expect = vector["expect"]
    found: list[str] = []
    _compare("", expect["dataset"], json_from_dataset(result), found)
    if "meta" in expect:
        got = json_from_dataset(result.file_meta)
        for key in OF_THE_WRITER - set(expect["meta"]):
            got.pop(key, None)
        if got.get("00020016", {}).get("Value") == ["DicomImageBlackout"]:
            del got["00020016"]
        _compare("meta ", expect["meta"], got, found)
    return found


def _compare(prefix: str, want: Json, got: Json, found: list[str]) -> None:
    for key in sorted(set(want) | set(got)):
        wanted, have = want.get(key), got.get(key)
        path = prefix + key
        if wanted is None or have is None or wanted["vr"] != have["vr"]:
            found.append(f"{path}: {have}, want {wanted}")
        elif "regex" in wanted:
            values = have.get("Value", [])
            if not values or not all(re.fullmatch(wanted["regex"], str(value)) for value in values):
                found.append(f"{path}: {values} does not match {wanted['regex']}")
        elif wanted["vr"] == "SQ":
            _compare_items(path, wanted.get("Value", []), have.get("Value", []), found)
        elif not _is_same(wanted, have):
            found.append(f"{path}: {have}, want {wanted}")


def _compare_items(path: str, want: list[Json], got: list[Json], found: list[str]) -> None:
    if len(want) != len(got):
        found.append(f"{path}: {len(got)} items, want {len(want)}")
        return
    for number, (wanted, have) in enumerate(zip(want, got, strict=True)):
        _compare(f"{path}[{number}]/", wanted, have, found)


def _is_same(wanted: Json, have: Json) -> bool:
    want, got = wanted.get("Value", []), have.get("Value", [])
    if wanted.get("InlineBinary") != have.get("InlineBinary") or len(want) != len(got):
        return False
    return all(
        math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-12)
        if isinstance(one, float) or isinstance(other, float)
        else one == other
        for one, other in zip(want, got, strict=True)
    )
