"""What holds for every script and object: whole or not at all, the same again, `-` leaves nothing."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import odd_objects
import pydicom
import pytest
import vectors
from builders import saved
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from script_texts import VARIABLES, ScriptWriter

import anon
from anon.encoding.instance import EncodedInstance
from anon.syntax.nodes import Node
from anon.syntax.parse import parse4, parse6
from anon.syntax.printer import print4, print6
from anon.syntax.span import Source

pytestmark = pytest.mark.repeats

TABLE = "pid/PID-1 = S1\n"
OPTIONS: dict[str, Any] = {"lookup": TABLE, "key": b"k" * 32}
RANDOMS = st.randoms(use_true_random=False)
CHECKS_OFF = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]
SOME = settings(max_examples=50, deadline=None, suppress_health_check=CHECKS_OFF)
MANY = settings(max_examples=1500, deadline=None, database=None, suppress_health_check=CHECKS_OFF)


def read(encoded: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(encoded))


def some_script(random: Random) -> anon.Script:
    text = ScriptWriter(random).script(random.choice([4, 6, 6]), most=4)
    try:
        return anon.compile_script(text, **OPTIONS)
    except anon.ScriptError:
        assume(False)
        raise


@cache
def sound_objects() -> tuple[bytes, ...]:
    """The real objects that this engine reads and that pydicom writes as they are."""
    sound = []
    for encoded in odd_objects.real_objects():
        try:
            EncodedInstance.from_part10(encoded)
            is_kept = meaning(read(saved(read(encoded)))) == meaning(read(encoded))
        except Exception:
            continue
        if is_kept:
            sound.append(encoded)
    return tuple(sound)


def some_object(random: Random) -> bytes:
    return odd_objects.nested_object(random) if random.random() < 0.7 else random.choice(sound_objects())


# -- whole or not at all


@SOME
@given(RANDOMS)
def test_a_failure_or_rejection_leaves_everything_as_it_was(random: Random) -> None:
    encoded = some_object(random)
    script = some_script(random)
    dataset = read(encoded)
    before = saved(read(encoded))
    try:
        if script.apply(dataset, VARIABLES).status == "ok":
            return
    except anon.ScriptError:
        pass
    assert saved(dataset) == before


@pytest.mark.parametrize("failure", ['(0028,0010) := "no"', "reject[]", '(0010,0020) := lookup["pid", "?"]'])
@settings(max_examples=15, deadline=None)
@given(random=RANDOMS)
def test_a_file_keeps_every_byte_when_the_last_statement_fails(
    tmp_path_factory: pytest.TempPathFactory, failure: str, random: Random
) -> None:
    writer = ScriptWriter(random)
    folder = tmp_path_factory.mktemp("whole")
    path = folder / "object.dcm"
    encoded = odd_objects.nested_object(random)
    path.write_bytes(encoded)
    edits = "".join(f"-{writer.path()}\n" for _ in range(3)) + 'removeAllPrivateTags\n(0010,0010) := "A"\n'
    try:
        script = anon.compile_script(f'version "6.6"\n{edits}{failure}', **OPTIONS)
    except anon.ScriptError:  # a path that means nothing
        return
    try:
        assert anon.apply_to_file(script, path, path, VARIABLES).status == "rejected"
    except anon.ScriptError:
        pass
    assert path.read_bytes() == encoded
    assert [each.name for each in folder.iterdir()] == [path.name]


# -- the same again


@SOME
@given(RANDOMS)
def test_the_same_script_and_object_give_the_same_bytes_whichever_way(random: Random) -> None:
    encoded = some_object(random)
    script = some_script(random)
    assume("newUID" not in script.text)
    again = anon.compile_script(script.text, **OPTIONS)
    ends: list[Any] = []
    for each in (script, again):
        instance = EncodedInstance.from_part10(encoded)
        try:
            report = each.apply_encoded(instance, VARIABLES)
        except anon.ScriptError as error:
            ends.append(error.diagnostics)
        else:
            ends.append((report, b"".join(map(bytes, instance.part10_chunks()))))
    assert ends[0] == ends[1]
    dataset = read(encoded)
    try:
        report = script.apply(dataset, VARIABLES)
    except anon.ScriptError as error:
        assert error.diagnostics == ends[0]
        return
    assert (report, ends[0][0]) == (report, report)
    if report.status == "ok":
        assert meaning(read(saved(dataset))) == meaning(read(ends[0][1]))


def meaning(dataset: Dataset) -> Any:
    """All elements in the canonical form of golden results, and the file meta information."""
    meta = vectors.json_from_dataset(dataset.file_meta)
    for key in vectors.OF_THE_WRITER:
        meta.pop(key, None)
    return meta, without_padding(vectors.json_from_dataset(dataset))


def without_padding(elements: dict[str, Any]) -> dict[str, Any]:
    """Leave out what fills up unknown values: of some private elements pydicom knows the VR, and fills so."""
    for element in elements.values():
        if element["vr"] == "UN" and "InlineBinary" in element:
            element["InlineBinary"] = base64.b64decode(element["InlineBinary"]).rstrip(b"\0 ")
        elif element["vr"] == "SQ":
            for item in element.get("Value", ()):
                without_padding(item)
    return elements


# -- `-` leaves nothing


def elements(dataset: Dataset, above: tuple[tuple[int, str, int], ...] = ()) -> Iterator[Any]:
    """Every element as the (tag, creator, item) of all levels down to it; its own item is -1."""
    for element in dataset:
        tag = int(element.tag)
        creator = ""
        if tag >> 16 & 1 and tag & 0xFFFF >= 0x1000:
            block = dataset.get(tag & 0xFFFF0000 | tag >> 8 & 0xFF)
            creator = str(block.value) if block is not None and block.value else "NULL"
        yield (*above, (tag, creator, -1))
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from elements(item, (*above, (tag, creator, number)))


def written(levels: tuple[tuple[int, str, int], ...]) -> str:
    """Levels as a text that a pattern can be looked for in."""
    return "".join(
        f"{tag:08X}{{{creator}}}{'' if item < 0 else f'[{item}]'}/" for tag, creator, item in levels
    )


def pattern_of(path: str) -> re.Pattern[str]:
    """A tag path as a pattern of written levels, by the rules of the language and nothing of the engine's."""
    made = ""
    for step in re.findall(r"[*+.](?=/|$)|\([^()]*\)(?:\[[0-9%]+\])?", path):
        if step in "*+.":
            made += r"(?:[^/]*/)" + {"*": "*", "+": "+", ".": ""}[step]
            continue
        found = re.fullmatch(r"\((....),(?:\{(.*)\}(..)|(....))\)(?:\[(.*)\])?", step)
        assert found is not None, step
        digits = found[1] + ("XX" + found[3] if found[2] else found[4])
        # The block of a private element is a digit from 1 on; what has a block below is its creator.
        for digit in digits:
            wild = {"X": "[0-9A-F]", "@": "[02468ACE]", "#": "[13579BDF]"}
            made += wild.get(digit.upper(), digit.upper())
        made += r"\{" + (re.escape(found[2]) if found[2] else "[^}]*") + r"\}"
        item = found[5]
        made += r"(?:\[[0-9]+\])?/" if item in (None, "%") else rf"\[{item}\]/"
    return re.compile(made)


def is_creator(tag: int) -> bool:
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


def is_removed(levels: tuple[tuple[int, str, int], ...], pattern: re.Pattern[str]) -> bool:
    """Whether the element, or one that it lies in, is meant. Creators only go with what they lie in."""
    for depth, (tag, creator, _) in enumerate(levels, start=1):
        itself = (*levels[: depth - 1], (tag, creator, -1))
        around = written(levels[: depth - 1])
        if not is_creator(tag) and (
            pattern.fullmatch(written(itself)) or (around and pattern.fullmatch(around))
        ):
            return True
    return False


@SOME
@given(RANDOMS)
def test_deleting_a_path_removes_what_it_means_and_nothing_else(random: Random) -> None:
    path = ScriptWriter(random).path()
    encoded = odd_objects.nested_object(random)
    try:
        script = anon.compile_script(f'version "6.6"\n-{path}')
    except anon.ScriptError:
        assume(False)
        raise
    pattern = pattern_of(path)
    dataset = read(encoded)
    before = list(elements(dataset))
    wanted = [levels for levels in before if not is_removed(levels, pattern)]
    instance = EncodedInstance.from_part10(encoded)
    try:
        script.apply_encoded(instance, {})
    except anon.ScriptError as error:
        assert error.diagnostics[0].code in ("identity-removed", "not-representable")
        return
    after = list(elements(read(b"".join(map(bytes, instance.part10_chunks())))))
    assert after == wanted
    script.apply(dataset, {})
    assert list(elements(dataset)) == wanted


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "holds",
    [
        test_a_failure_or_rejection_leaves_everything_as_it_was,
        test_the_same_script_and_object_give_the_same_bytes_whichever_way,
        test_deleting_a_path_removes_what_it_means_and_nothing_else,
    ],
)
def test_it_holds_for_many_more(holds: Any) -> None:
    MANY(given(st.randoms(use_true_random=True))(holds.hypothesis.inner_test))()


# -- trees and texts


def without_places(node: Any) -> Any:
    """A tree as nested tuples, without the places of its words."""
    if isinstance(node, Node):
        fields = [field.name for field in dataclasses.fields(node) if field.name != "span"]
        return (type(node).__name__, *(without_places(getattr(node, name)) for name in fields))
    return tuple(map(without_places, node)) if isinstance(node, tuple) else node


def printed(text: str, dialect: int) -> str | None:
    """A script printed from its tree, which is the same when it is read again; None if it has mistakes."""
    if dialect == 4:
        tree4, found = parse4(Source(text, joined=False))
        made = print4(tree4)
        again: Any = parse4(Source(made, joined=False))
        tree: Any = tree4
    else:
        tree6, found = parse6(Source(text, joined=True))
        made = print6(tree6)
        again = parse6(Source(made, joined=True))
        tree = tree6
    if found:
        return None
    assert again[1] == []
    assert without_places(again[0]) == without_places(tree)
    return made


@settings(max_examples=150, deadline=None)
@given(RANDOMS, st.sampled_from([4, 6]))
def test_a_tree_that_is_printed_and_read_again_is_the_same(random: Random, dialect: int) -> None:
    text = ScriptWriter(random).script(dialect)
    made = printed(text, dialect)
    if made is not None:
        assert printed(made, dialect) == made


@pytest.mark.parametrize("dialect", [4, 6])
def test_the_golden_scripts_are_printed_and_read_again(dialect: int) -> None:
    folder = f"vectors{dialect}"
    texts = {vector["script"] for vector in vectors.read_vectors() if vector["file"].startswith(folder)}
    good = [text for text in texts if printed(text, dialect) is not None]
    assert len(good) > len(texts) * 0.6


def test_there_are_real_objects_of_many_kinds() -> None:
    syntaxes = {read(encoded).file_meta.TransferSyntaxUID for encoded in sound_objects()}
    assert len(sound_objects()) > 100 and len(syntaxes) > 8


def test_a_printed_script_is_laid_out_line_by_line() -> None:
    text = (
        'version "6.6" if(isPresent[(0010 , 0010)]){-(0010,0010) x:={"a\\\\b",5}}elseif("a"!~"b")\n{}\n'
        'else {version "6.6"\n}  (0008,1140)[0]/(0008,1155)?=hashUID["1"]  // why'
    )
    assert print6(parse6(Source(text, joined=True))[0]).splitlines() == [
        'version "6.6"',
        "if (isPresent[(0010 , 0010)]) {",
        "    -(0010,0010)",
        '    x := {"a\\\\b", 5}',
        '} elseif ("a" !~ "b") {',
        "} else {",
        'version "6.6"',
        "}",
        '(0008,1140)[0]/(0008,1155) ?= hashUID["1"]',
    ]
