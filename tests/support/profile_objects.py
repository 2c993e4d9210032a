"""Objects that hold what the Basic Profile protects, and how to tell what a script left of it."""

from __future__ import annotations

import string
from collections.abc import Collection, Iterator
from functools import cache
from random import Random

from builders import make_dataset
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from anon.comparison import Seen, state_of
from anon.encoding.instance import EncodedInstance
from anon.listing import Step
from anon.profile.generate import DUMMIES, DUMMY_TEXT
from anon.profile.table import PRIVATE, Action, Option, Row, load_table

NOTES = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303})  # what the script says of itself
WRAPPERS = (0x52009229, 0x52009230, 0x0040A170, 0x00081140)  # sequences that the profile leaves alone
FOREIGN = {  # attributes that the profile does not name
    0x00080008: ("CS", "ORIGINAL\\PRIMARY"),
    0x00080070: ("LO", "Maker of machines"),
    0x00080100: ("SH", "T-1234"),
    0x00180050: ("DS", "2.50"),
    0x00180088: ("DS", " 3"),
    0x00200037: ("DS", "1\\0\\0\\0\\1\\0"),
    0x00280010: ("US", 16),
    0x00280030: ("DS", "0.5\\0.5"),
    0x00281050: ("DS", "40"),
    0x7FE00010: ("OW", bytes(range(32))),
}


@cache
def _exact_rows() -> dict[int, Row]:
    return {row.pattern.bits: row for row in load_table() if row.pattern.mask == 0xFFFFFFFF}


@cache
def row_of(tag: int) -> Row | None:
    """The row of the table that an element falls under."""
    if tag in _exact_rows():
        return _exact_rows()[tag]
    rows = (row for row in load_table() if row.pattern.mask != 0xFFFFFFFF)
    return next((row for row in rows if row.pattern.matches(tag)), None)


def tags_of(row: Row) -> list[int]:
    """Tags that a row means; none where a data set cannot hold them."""
    if row.tag == PRIVATE or row.tag.startswith(("(0000,", "(0002,")):
        return []
    if row.tag == "(50XX,XXXX)":
        return [0x50000010, 0x501E3000]
    if "X" in row.tag:
        return [row.pattern.bits, row.pattern.bits | 0x001E0000]
    return [row.pattern.bits]


def random_value(row: Row, random: Random) -> str | bytes | int | list[Dataset]:
    """A value that is valid in the VR of a row and that no script puts there."""
    text = "".join(random.choices(string.ascii_uppercase, k=9))
    date = f"{random.randint(1910, 2030)}{random.randint(1, 12):02}{random.randint(1, 28):02}"
    time = f"{random.randint(0, 23):02}{random.randint(0, 59):02}{random.randint(2, 59):02}"
    values: dict[str, str | bytes | int] = {
        "DA": date,
        "TM": time,
        "DT": date + time,
        "AS": f"{random.randint(1, 90):03}Y",
        "DS": f"{random.uniform(-100, 100):.3f}",
        "IS": str(random.randint(-9999, 9999)),
        "UI": f"1.2.{random.randint(1, 10**20)}.{random.randint(0, 999)}",
        "UR": f"https://{text.lower()}.example/",
        "PN": f"{text}^{text[:4]}",
        "US": random.randint(1, 60000),
        "OB": random.randbytes(6),
        "OW": random.randbytes(6),
        "UN": random.randbytes(6),
    }
    if row.vr == "SQ":
        item = Dataset()
        item.add(DataElement(0x00080100, "SH", text))
        item.add(DataElement(0x00081155, "UI", values["UI"]))
        return [item]
    return values.get(row.vr, text)


def _vr(row: Row) -> str:
    return row.vr or ("OW" if "X" in row.tag else "LO")


def fill(dataset: Dataset, random: Random) -> None:
    """Give a data set every attribute that the profile protects, some private ones, and some others."""
    for row in load_table():
        protected = random_value(row, random)
        vr = _vr(row)
        for tag in tags_of(row):
            if tag >> 16 == 0x0004 or tag == 0x7FE00010:
                continue
            dataset.add(DataElement(tag, vr, random.randbytes(6) if vr == "OW" else protected))
    for tag, (vr, value) in FOREIGN.items():
        dataset.add(DataElement(tag, vr, value))
    block = dataset.private_block(0x0019, "MAKER 1.0", create=True)
    block.add_new(0x01, "LO", random_value(load_table()[0], random))


def make_protected(random: Random, wrappers: Collection[int] = WRAPPERS) -> Dataset:
    """An object with all of that at the top and in items of sequences, one inside the other."""
    inner = Dataset()
    fill(inner, random)
    for number, tag in enumerate(wrappers):
        outer = Dataset()
        if number % 2:
            fill(outer, random)
        outer.add(DataElement(tag, "SQ", [inner] * (1 + number % 2)))
        inner = outer
    dataset = make_dataset()
    fill(dataset, random)
    dataset.update(inner)
    return dataset


def states(before: bytes, after: bytes) -> Iterator[tuple[tuple[Step, ...], Seen, Seen | None]]:
    """Every element of an object, as it was and as it is."""
    now = state_of(EncodedInstance.from_part10(after))
    for steps, seen in state_of(EncodedInstance.from_part10(before)).items():
        yield steps, seen, now.get(steps)


def is_unchanged(row: Row, was: Seen, now: Seen | None) -> bool:
    """Whether a value is there as it was. One that was empty, or the dummy already, tells nobody anything."""
    if now is None or now != was:
        return False
    return bool(was.row.vr == "SQ" or was.row.value or was.encoded) and (
        was.row.value not in (DUMMY_TEXT, DUMMIES.get(row.vr))
    )


def leftovers(before: bytes, after: bytes, options: Collection[Option] = ()) -> list[str]:
    """What the profile protects, does not keep, and is there as it was."""
    found = []
    for steps, was, now in states(before, after):
        row = row_of(steps[-1][0])
        if row is None or row.action_with(options) in (Action.KEEP, Action.REPLACE_UIDS_INSIDE):
            continue
        if is_unchanged(row, was, now):
            found.append(f"{was.row.path} {row.name}")
    return found


def losses(before: bytes, after: bytes, options: Collection[Option] = ()) -> list[str]:
    """What the profile does not name, or keeps, and is not there as it was."""
    found = []
    for steps, was, now in states(before, after):
        tags = [tag for tag, _ in steps]
        rows = [row_of(tag) for tag in tags]
        kept = (Action.KEEP, Action.REPLACE_UIDS_INSIDE)
        if tags[0] >> 16 == 2 or tags[0] in NOTES:
            continue
        if all(row is None or row.action_with(options) in kept for row in rows) and now != was:
            found.append(was.row.path)
    return found


def _walk(dataset: Dataset, steps: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], DataElement]]:
    for element in dataset:
        place = (*steps, int(element.tag))
        yield place, element
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from _walk(item, (*place, number))


def leftovers_for_pydicom(before: Dataset, after: Dataset) -> list[str]:
    """What the profile protects and is there as it was, as another reader than ours sees it."""
    now = dict(_walk(after))
    found = []
    for place, was in _walk(before):
        row = row_of(place[-1])
        if row is None or row.action_with(()) is Action.REPLACE_UIDS_INSIDE or place not in now:
            continue
        if was.value and now[place].value == was.value and was.value not in (DUMMY_TEXT, DUMMIES.get(row.vr)):
            found.append(f"{was.tag} {row.name}")
    return found
