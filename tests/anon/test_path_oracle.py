"""Which elements a path means, against a second way to find out: every element has a path, and has to match.

The engine walks down and looks only where it must. Here each element's whole path is compared with the
script's, step by step, as the specification words it.
"""

from __future__ import annotations

import io
from random import Random
from typing import NamedTuple

import pydicom
import pytest
from builders import make_dataset, part10_bytes
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import anon
from anon.encoding.instance import EncodedInstance

pytestmark = pytest.mark.repeats

LEAVES = (0x00100020, 0x00100021, 0x00080080, 0x00400007)
SEQUENCES = (0x00081140, 0x00400275)
CREATORS = ("ACME", "OTHER")
TAGS = (
    "(0010,0020)", "(0010,0021)", "(0010,00XX)", "(001@,002#)", "(0008,0080)", "(0008,00@0)", "(0040,0007)",
    "(0040,XXXX)", "(00X0,002X)", "(0009,{ACME}01)", "(0009,{OTHER}01)", "(000#,{ACME}XX)", "(0009,{NULL}01)",
    "(XXX#,{OTHER}0#)",
)  # fmt: skip
HOLDERS = ("(0008,1140)", "(0040,0275)", "(0040,02XX)", "(0008,1XXX)", "(0009,{ACME}02)", "(0009,{OTHER}0@)")


Named = tuple[int, str | None]  # a tag, or the number of a private element in its block, and the creator


class Step(NamedTuple):
    """A step of an element's path: its tag, its creator if private, the item that the path goes on in."""

    tag: int
    creator: str | None
    item: int | None


def fill(dataset: Dataset, random: Random, depth: int) -> None:
    """Put leaves, sequences and private blocks into a data set."""
    for tag in LEAVES:
        if random.random() < 0.5:
            dataset.add_new(tag, "LO", "v")
    creators = [name for name in CREATORS if random.random() < 0.5]
    random.shuffle(creators)
    for block, creator in enumerate(creators, start=0x10):
        dataset.add_new(0x00090000 | block, "LO", creator)
        dataset.add_new(0x00090000 | block << 8 | 1, "LO", "v")
        if depth and random.random() < 0.6:
            dataset.add_new(0x00090000 | block << 8 | 2, "SQ", items(random, depth))
    if random.random() < 0.3:
        dataset.add_new(0x00093001, "LO", "v")  # belongs to nobody
    for tag in SEQUENCES:
        if depth and random.random() < 0.6:
            dataset.add_new(tag, "SQ", items(random, depth))


def items(random: Random, depth: int) -> Sequence:
    """Up to three items."""
    made = []
    for _ in range(random.randrange(4)):
        item = Dataset()
        fill(item, random, depth - 1)
        made.append(item)
    return Sequence(made)


def some_path(random: Random) -> list[str]:
    """The steps of a path whose last one is no level."""
    steps = []
    for _ in range(random.randrange(4)):
        if random.random() < 0.4:
            steps.append(random.choice("*+."))
        else:
            steps.append(random.choice(HOLDERS) + random.choice(["", "", "[%]", "[0]", "[1]", "[2]"]))
    last = random.random()
    if last < 0.6:
        return [*steps, random.choice(TAGS)]
    return [*steps, random.choice(HOLDERS) + random.choice(["", "[%]", "[0]", "[1]"])]


SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))]


# -- the second way


def is_digit(pattern: str, digit: str) -> bool:
    return {"X": True, "@": int(digit, 16) % 2 == 0, "#": int(digit, 16) % 2 == 1}.get(
        pattern, pattern == digit
    )


def is_tag(pattern: str, step: Step) -> bool:
    """Whether a tag of the script means an element."""
    digits = f"{step.tag:08X}"
    group, element = pattern[1:5], pattern[6:-1]
    if not all(map(is_digit, group, digits[:4])):
        return False
    if not element.startswith("{"):
        return step.creator is None and all(map(is_digit, element, digits[4:]))
    creator, last = element[1:].split("}")
    return step.creator == creator and all(map(is_digit, last, digits[6:]))


def matches(script: list[str], path: list[Step]) -> bool:
    """Whether the steps of a script mean exactly the path. The last step of it may name an item, too."""
    if not script:
        return not path
    first, rest = script[0], script[1:]
    if first == "*":
        return any(matches(rest, path[taken:]) for taken in range(len(path) + 1))
    if first == "+":
        return any(matches(rest, path[taken:]) for taken in range(1, len(path) + 1))
    if not path:
        return False
    if first == ".":
        return matches(rest, path[1:])
    tag, _, item = first.rstrip("]").partition("[")
    fits = item in ("", "%") or (path[0].item is not None and path[0].item == int(item))
    return is_tag(tag, path[0]) and fits and matches(rest, path[1:])


def is_meant(script: list[str], path: list[Step]) -> bool:
    return matches(script, [*path[:-1], path[-1]._replace(item=None)])


def is_below(script: list[str], path: list[Step]) -> bool:
    """Whether the element, one around it, or an item around it, is meant."""
    return any(
        is_meant(script, path[:length]) or (length < len(path) and matches(script, path[:length]))
        for length in range(1, len(path) + 1)
    )


def step_of(dataset: Dataset, tag: int, item: int | None) -> Step | None:
    """None for a private creator, which no path means."""
    if not tag >> 16 & 1:
        return Step(tag, None, item)
    if tag & 0xFFFF < 0x1000:
        return None
    creator = dataset.get(tag & 0xFFFF0000 | tag >> 8 & 0xFF)
    return Step(tag, "NULL" if creator is None else creator.value, item)


def assign(dataset: Dataset, script: list[str], above: list[Step]) -> None:
    for element in dataset:
        step = step_of(dataset, element.tag, None)
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                assert step is not None
                assign(item, script, [*above, step._replace(item=number)])
        elif step is not None and is_meant(script, [*above, step]):
            element.value = "Z"


def delete(dataset: Dataset, script: list[str], above: list[Step]) -> None:
    steps = {element.tag: step_of(dataset, element.tag, None) for element in dataset}
    for tag, step in steps.items():
        if step is None:
            continue
        if is_below(script, [*above, step]):
            del dataset[tag]
        elif dataset[tag].VR == "SQ":
            for number, item in enumerate(dataset[tag].value):
                delete(item, script, [*above, step._replace(item=number)])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("form", ['{} ?= "Z"', "-{}", 'removeTags["{}"]'])
def test_a_path_means_the_elements_whose_paths_match(form: str, seed: int) -> None:
    random = Random(f"{form} {seed}")
    changed = 0
    for _ in range(40):
        dataset = make_dataset(PatientID=None)
        fill(dataset, random, 3)
        content = part10_bytes(dataset)
        steps = some_path(random)
        script = form.format("/".join(steps))
        instance = EncodedInstance.from_part10(content)
        anon.compile_script(f'version "6.6"\n{script}').apply_encoded(instance, {})
        after = pydicom.dcmread(io.BytesIO(b"".join(map(bytes, instance.part10_chunks()))))
        wanted = pydicom.dcmread(io.BytesIO(content))
        (assign if "?=" in form else delete)(wanted, steps, [])
        assert after == wanted, script
        changed += wanted != pydicom.dcmread(io.BytesIO(content))
    assert changed


# -- a single element, which is made with all that is around it


def place_private(dataset: Dataset, group: int, creator: str, element: int) -> int:
    """The number that a private element has, its block reserved (PS3.5 section 7.8.1)."""
    numbers = [tag & 0xFFFF for tag in dataset.keys() if tag >> 16 == group]
    blocks = {number: dataset[group << 16 | number].value for number in numbers if number <= 0xFF}
    for block, name in sorted(blocks.items()):
        if name == creator:
            return group << 16 | block << 8 | element
    used = {*blocks, *(number >> 8 for number in numbers)}
    block = next(block for block in range(0x10, 0x100) if block not in used)
    dataset.add_new(group << 16 | block, "LO", creator)
    return group << 16 | block << 8 | element


def number_of(dataset: Dataset, tag: int, creator: str | None) -> int:
    return tag if creator is None else place_private(dataset, tag >> 16, creator, tag & 0xFF)


def put(dataset: Dataset, steps: list[tuple[int, str | None, int]], last: Named) -> None:
    """Store Z; what is missing on the way is made, with items up to the one that is meant."""
    for named, creator, item in steps:
        tag = number_of(dataset, named, creator)
        if tag not in dataset:
            dataset.add_new(tag, "SQ", [])
        while len(dataset[tag].value) <= item:
            dataset[tag].value.append(Dataset())
        dataset = dataset[tag].value[item]
    named, creator = last
    tag = number_of(dataset, named, creator)
    if tag in dataset:
        dataset[tag].value = "Z"
    else:
        dataset.add_new(tag, "LO" if creator is None else "UN", "Z" if creator is None else b"Z\0")


AROUND: list[Named] = [(0x00081140, None), (0x00400275, None), (0x00090002, "ACME"), (0x00090002, "THIRD")]
MEANT: list[Named] = [
    (0x00100020, None), (0x00080080, None), (0x00090001, "OTHER"), (0x00090001, "THIRD"), (0x00110007, "NEW"),
]  # fmt: skip


def written(tag: int, creator: str | None) -> str:
    """The tag as scripts write it."""
    element = f"{tag & 0xFFFF:04X}" if creator is None else f"{{{creator}}}{tag & 0xFF:02X}"
    return f"({tag >> 16:04X},{element})"


@pytest.mark.parametrize("seed", SEEDS)
def test_an_assignment_makes_what_is_missing_and_nothing_else(seed: int) -> None:
    random = Random(seed)
    for _ in range(40):
        dataset = make_dataset(PatientID=None)
        fill(dataset, random, 3)
        steps = [(*random.choice(AROUND), random.randrange(4)) for _ in range(random.randrange(4))]
        last = random.choice(MEANT)
        path = "".join(f"{written(tag, creator)}[{item}]/" for tag, creator, item in steps) + written(*last)
        content = part10_bytes(dataset)
        instance = EncodedInstance.from_part10(content)
        anon.compile_script(f'version "6.6"\n{path} := "Z"').apply_encoded(instance, {})
        after = pydicom.dcmread(io.BytesIO(b"".join(map(bytes, instance.part10_chunks()))))
        wanted = pydicom.dcmread(io.BytesIO(content))
        put(wanted, steps, last)
        assert after == wanted, path
