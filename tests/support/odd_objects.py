"""Random objects: nested data sets with private data, and encoded ones with damaged bytes."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import vectors
from builders import make_dataset, part10_bytes, sendable_wheel_files
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
LARGEST_BYTES = 40_000
LARGEST_IMAGE_BYTES = 300_000
# Tags in little endian: (0028,0010), (7FE0,0010).
ROWS = b"\x28\0\x10\0"
PIXEL_DATA = b"\xe0\x7f\x10\0"
KEYWORDS: dict[str, list[Any]] = {
    "PatientName": ["Doe^Jane", "", "Müller^J"],
    "PatientID": ["PID-1", ""],
    "PatientComments": ["Doe^Jane was here", "a\\b"],
    "PatientBirthDate": ["19500102", "", "1950"],
    "PatientAge": ["099Y", "012M", ""],
    "StudyDate": ["20200304", ""],
    "ReferencedSOPInstanceUID": ["1.9.1", "1.9.2"],
    "ImageType": [["ORIGINAL", "PRIMARY"], ""],
    "SliceThickness": ["5.50", ""],
    "Rows": [4, 0],
    "SelectorFDValue": [1e7, [0.1, 2.0]],
    "SelectorATValue": [0x00100010],
    "EncapsulatedDocument": [b"\0\1\2\3"],
    "LongCodeValue": ["long"],
}
NESTED = (
    "ReferencedImageSequence",
    "ReferencedStudySequence",
    "ContentSequence",
    "RequestAttributesSequence",
)
# Bytes that mean something where a length, a VR or an item is expected.
LENGTHS = (b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\xfe\xff\0\xe0")
VRS = (b"SQ", b"UN", b"OB", b"US", b"FD", b"AT", b"LO", b"zz")
ITEMS = (b"\xfe\xff\0\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0")
CREATORS = ("ACME", "ACME 1.1", "NEW", "B")


def fill(dataset: Dataset, random: Random, depth: int = 0) -> None:
    """Put random elements, private ones and sequences into a data set."""
    for keyword in random.sample(sorted(KEYWORDS), random.randint(0, 6)):
        setattr(dataset, keyword, random.choice(KEYWORDS[keyword]))
    for _ in range(random.choice([0, 0, 1, 2])):
        group = random.choice([0x0009, 0x0019, 0x0029])
        block = dataset.private_block(group, random.choice(CREATORS), create=True)
        for number in random.sample([0x01, 0x08, 0x10, 0xFF], random.randint(0, 3)):
            if random.random() < 0.25 and depth < 3:
                block.add_new(number, "SQ", items(random, depth))
            else:
                vr, value = random.choice([("LO", "secret"), ("UN", b"\0\1"), ("US", 7), ("OB", b"ab")])
                block.add_new(number, vr, value)
    if random.random() < 0.15:
        dataset.add_new(0x00290000 | random.choice([0x4010, 0x1001]), "UN", b"orphan")
    if depth < 3:
        for keyword in random.sample(NESTED, random.choice([0, 0, 1, 2])):
            setattr(dataset, keyword, items(random, depth))


def items(random: Random, depth: int) -> Sequence:
    """A sequence of random items."""
    made = []
    for _ in range(random.randint(0, 3)):
        item = Dataset()
        fill(item, random, depth + 1)
        made.append(item)
    return Sequence(made)


def nested_dataset(random: Random) -> Dataset:
    """An object with sequences in sequences and private data in any of them."""
    dataset = make_dataset(SOPInstanceUID="1.2.826.5.2", StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.4")
    fill(dataset, random)
    return dataset


def nested_object(random: Random) -> bytes:
    """Such an object as a file."""
    return part10_bytes(nested_dataset(random), random.choice(NATIVE))


@cache
def real_objects() -> tuple[bytes, ...]:
    """Files that come with pydicom and objects of the golden results, none of them large."""
    small = [path.read_bytes() for path in sendable_wheel_files() if path.stat().st_size <= LARGEST_BYTES]
    described = {str(vector["input"]): vector for vector in vectors.read_vectors()}
    made = []
    for vector in list(described.values())[::5]:  # many are nearly the same
        try:
            made.append(vectors.object_bytes(vector))
        except (TypeError, ValueError, LookupError):
            continue
    return (*small, *(each for each in made if len(each) <= LARGEST_BYTES))


def damaged(encoded: bytes, random: Random) -> bytes:
    """The bytes with some of them changed, left out, doubled, or with other lengths and VRs."""
    made = bytearray(encoded)
    for _ in range(random.choice([1, 1, 2, 3, 8])):
        if len(made) < 140:
            break
        place = random.randrange(132, len(made))
        kind = random.random()
        if kind < 0.3:
            made[place] = random.choice([0, 1, 0x20, 0x5C, 0xFF, random.randrange(256)])
        elif kind < 0.4:
            del made[place : place + random.choice([1, 2, 8, 100])]
        elif kind < 0.5:
            made[place:place] = made[place : place + random.choice([1, 2, 8, 100])]
        elif kind < 0.6:
            made[place : place + 4] = random.choice(LENGTHS)
        elif kind < 0.75:
            made[place : place + 2] = random.choice(VRS)
        elif kind < 0.85:
            made[place : place + 8] = random.choice(ITEMS)
        elif kind < 0.92:
            del made[place:]
        else:
            start = random.randrange(132, len(made))
            made[place:place] = made[start : start + 60]
    return bytes(made)


@cache
def images() -> tuple[bytes, ...]:
    """Objects with pixel data of many kinds: files that come with pydicom and those of the golden results."""
    found = [
        path.read_bytes() for path in sendable_wheel_files() if path.stat().st_size <= LARGEST_IMAGE_BYTES
    ]
    for vector in vectors.read_vectors():
        if vector["file"].endswith(("/pixels", "/transfer-syntax")):
            found.append(vectors.object_bytes(vector))
    return tuple(each for each in dict.fromkeys(found) if PIXEL_DATA in each)


def damaged_image(encoded: bytes, random: Random) -> bytes:
    """Mostly with other numbers where the image is described, or other bytes in its pixel data."""
    if random.random() < 0.3:
        return damaged(encoded, random)
    made = bytearray(encoded)
    rows, pixels = encoded.find(ROWS), encoded.rfind(PIXEL_DATA)
    for _ in range(random.choice([0, 1, 2, 3]) if rows > 0 else 0):
        place = max(rows + random.randrange(-80, 160), 132)
        made[min(place, len(made) - 1)] = random.choice([0, 1, 2, 3, 8, 16, 255, random.randrange(256)])
    for _ in range(random.choice([0, 1, 4, 30])):
        made[random.randrange(pixels, len(made))] = random.randrange(256)
    return bytes(made)
