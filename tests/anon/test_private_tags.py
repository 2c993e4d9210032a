"""removeAllPrivateTags and retainPrivateTags."""

from __future__ import annotations

import copy

import pytest
import vectors
from both_ways import V6, applied, failure, mistakes
from builders import loaded, make_dataset, part10_bytes
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

import anon
from anon.encoding.elements import DataSet
from anon.encoding.instance import EncodedInstance
from anon.places import find_places
from anon.tagpath import parse_path6

BYTES = bytes(range(256))


def private_object() -> Dataset:
    """Private data of all kinds: two creators, an orphan, sequences in and around."""
    dataset = make_dataset()
    block = dataset.private_block(0x0009, "ACME", create=True)
    block.add_new(0x01, "OB", BYTES)
    block.add_new(0x02, "UN", BYTES)
    block.add_new(0x03, "LO", "odd")
    block.add_new(0x10, "SQ", [private_item("a"), private_item("b"), Dataset()])
    block.add_new(0x11, "SQ", [])
    dataset.private_block(0x0009, "OTHER", create=True).add_new(0x01, "LO", "other")
    dataset.add_new(0x00290110, "LO", "in no block")
    dataset.add_new(0x00291001, "LO", "orphan")
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    item.private_block(0x0009, "OTHER", create=True).add_new(0x01, "LO", "other")
    item.private_block(0x0009, "ACME", create=True).add_new(0x01, "OB", b"nested")
    dataset.ReferencedImageSequence = [item, Dataset()]
    return dataset


def private_item(text: str) -> Dataset:
    item = Dataset()
    item.SpecificCharacterSet = "ISO_IR 100"
    item.CodeMeaning = f"Bütt {text}"
    item.CodeValue = text
    item.private_block(0x0009, "INNER", create=True).add_new(0x01, "LO", text)
    return item


def private_tags(dataset: Dataset) -> set[int]:
    """The private tags of one level."""
    return {int(element.tag) for element in dataset if element.tag.is_private}


def retained(paths: str, dataset: Dataset | None = None, syntax: str = ExplicitVRLittleEndian) -> Dataset:
    made = dataset or private_object()
    return applied(f"retainPrivateTags[{paths}]", made, transfer_syntax=syntax).dataset


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_bytes_are_kept_whatever_the_representation(syntax: str) -> None:
    result = retained("(0009,{ACME}01), (0009,{ACME}02), (0009,{ACME}03)", syntax=syntax)
    assert private_tags(result) == {0x00090010, 0x00091001, 0x00091002, 0x00091003}
    assert result.get_item(0x00091001).value == BYTES == result.get_item(0x00091002).value
    assert result[0x00091003].value in ("odd", b"odd ")
    assert private_tags(result.ReferencedImageSequence[0]) == set()


def test_blocks_are_not_moved_and_those_left_empty_lose_their_creator() -> None:
    result = retained("*/(0009,{ACME}01)")
    assert private_tags(result) == {0x00090010, 0x00091001}
    item = result.ReferencedImageSequence[0]
    assert private_tags(item) == {0x00090011, 0x00091101}
    assert item.ReferencedSOPInstanceUID == "1.2.3" and len(result.ReferencedImageSequence) == 2


@pytest.mark.parametrize("paths", ["", "{}", "(0009,{NOBODY}01)", "(0011,{ACME}01)", "(0009,{ACME}77)"])
def test_without_a_match_it_is_remove_all_private_tags(paths: str) -> None:
    dataset = private_object()
    removed = applied("removeAllPrivateTags", dataset)
    assert applied(f"retainPrivateTags[{paths}]", dataset).encoded == removed.encoded
    assert private_tags(removed.dataset) == set()


def test_a_second_call_keeps_only_what_the_first_one_kept() -> None:
    calls = ("(0009,{ACME}01), (0009,{OTHER}01)", "(0009,{ACME}01), (0009,{ACME}02)")
    text = "\n".join(f"retainPrivateTags[{paths}]" for paths in calls)
    assert private_tags(applied(text, private_object()).dataset) == {0x00090010, 0x00091001}


def test_a_private_sequence_is_kept_with_all_that_is_in_it() -> None:
    before = EncodedInstance.from_part10(part10_bytes(private_object())).dataset
    for path in ("(0009,{ACME}10)", "(0009,{ACME}10)[%]", "(0009,{ACME}10)/*"):
        result = retained(path)
        assert private_tags(result) == {0x00090010, 0x00091010}
        after = EncodedInstance.from_part10(part10_bytes(result)).dataset
        assert b"".join(after.element_chunks(0x00091010)) == b"".join(before.element_chunks(0x00091010))


def test_an_empty_private_sequence_that_is_asked_for_is_kept() -> None:
    result = retained("(0009,{ACME}11)")
    assert private_tags(result) == {0x00090010, 0x00091011} and len(result[0x00091011].value) == 0


def test_of_a_private_sequence_only_what_is_asked_for_is_kept() -> None:
    result = retained("(0009,{ACME}10)[1]/(0009,{INNER}01)")
    assert private_tags(result) == {0x00090010, 0x00091010}
    (item,) = result[0x00091010].value
    assert private_tags(item) == {0x00090010, 0x00091001} and "CodeMeaning" not in item
    assert item[0x00091001].value == "b"


def test_texts_that_are_kept_keep_their_character_set() -> None:
    result = retained("(0009,{ACME}10)/(0008,0104)")
    items = result[0x00091010].value
    assert [list(map(str, (item.SpecificCharacterSet, item.CodeMeaning))) for item in items] == [
        ["ISO_IR 100", "Bütt a"], ["ISO_IR 100", "Bütt b"],
    ]  # fmt: skip
    assert all("CodeValue" not in item and private_tags(item) == set() for item in items)
    assert private_tags(retained("(0009,{ACME}10)/(0008,4000)")) == set()


def test_an_item_is_kept_as_a_whole_or_not() -> None:
    result = retained("(0009,{ACME}10)[1]")
    (item,) = result[0x00091010].value
    assert item == private_item("b")
    assert len(retained("(0009,{ACME}10)[2]")[0x00091010].value[0]) == 0


def test_orphans_are_named_by_the_creator_null() -> None:
    assert private_tags(retained("(0029,{NULL}01)")) == {0x00291001}
    assert private_tags(retained("(0029,{NULL}XX)")) == {0x00291001}


def test_what_stands_in_the_place_of_a_creator_is_not_kept_with_an_orphan() -> None:
    dataset = private_object()
    dataset.add_new(0x00290010, "SQ", [private_item("secret")])
    assert private_tags(retained("(0029,{NULL}01)", dataset)) == {0x00291001}


def test_two_blocks_of_one_creator_are_told_apart() -> None:
    dataset = make_dataset()
    for block in (0x10, 0x20):
        dataset.add_new(0x00090000 | block, "LO", "ACME")
    dataset.add_new(0x00092001, "LO", "x")
    dataset.add_new(0x00091002, "LO", "y")
    assert private_tags(retained("(0009,{ACME}01)", dataset)) == {0x00090020, 0x00092001}


def test_a_path_without_a_private_step_is_a_mistake() -> None:
    for path in ("(0018,0015)", '"*/(0018,0015)"', "{(0009,{ACME}01), (0018,0015)}", "*"):
        assert mistakes(f"retainPrivateTags[{path}]")[0].code == "argument-kind"
    assert failure("l := {(0018,0015)}\nretainPrivateTags[l]", private_object()).code == "argument-kind"
    assert mistakes('retainPrivateTags["(0009,{ACME}01) x"]')[0].code == "bad-tag"
    text = 'l := {(0009,{ACME}01), "(0009,{ACME}02)"}\nretainPrivateTags[l]'
    assert private_tags(applied(text, private_object()).dataset) == {0x00090010, 0x00091001, 0x00091002}


# -- every object


VALUES = st.binary(max_size=6)
PATHS = [
    "(0009,{ACME}01)",
    "(0009,{ACME}XX)",
    "*/(0009,{OTHER}01)",
    "*/(00X#,{ACME}0X)",
    "(0009,{ACME}10)/(0008,0104)",
    "(0009,{ACME}10)[0]/(0009,{ACME}01)",
    "(0008,1140)[0]/(0009,{OTHER}XX)",
    "*/(0009,{ACME}10)/*/(0011,{OTHER}02)",
    "*/(0011,{NULL}02)",
    "(0008,1140)/(0009,{ACME}10)/.",
    "+/(0011,{OTHER}10)",
]


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 2) -> Dataset:
    dataset = Dataset()
    if draw(st.booleans()):
        dataset.CodeMeaning = draw(st.sampled_from(["", "text"]))
    for group in (0x0009, 0x0011):
        for block, creator in ((0x10, "ACME"), (0x11, "OTHER"), (0x12, None)):
            if not draw(st.booleans()):
                continue
            if creator is not None:
                dataset.add_new(group << 16 | block, "LO", creator)
            for number in draw(st.sets(st.sampled_from([0x01, 0x02]))):
                dataset.add_new(
                    group << 16 | block << 8 | number, draw(st.sampled_from(["OB", "UN"])), draw(VALUES)
                )
            if depth and draw(st.booleans()):
                items = draw(st.lists(data_sets(depth - 1), max_size=2))
                dataset.add_new(group << 16 | block << 8 | 0x10, "SQ", items)
    if depth and draw(st.booleans()):
        dataset.ReferencedImageSequence = draw(st.lists(data_sets(depth - 1), max_size=2))
    return dataset


def wanted(
    dataset: Dataset, whole: DataSet, matched: set[tuple[int, int]], in_private: bool = False
) -> Dataset:
    """What should be left, found the long way: `matched` has the id of a level and the tag of an element."""
    left = Dataset()
    for element in dataset:
        tag = int(element.tag)
        is_creator = element.tag.is_private and 0x10 <= element.tag.element <= 0xFF
        if is_creator:
            continue
        if (id(whole), tag) in matched:
            left[tag] = copy.deepcopy(element)
            continue
        is_in_private = in_private or element.tag.is_private
        if element.VR != "SQ":
            if not is_in_private:
                left[tag] = copy.deepcopy(element)
            continue
        inner = whole.get(tag)
        assert inner is not None
        items = [
            wanted(item, level, matched, is_in_private)
            for item, level in zip(element.value, inner.items, strict=True)
        ]
        items = [item for item in items if len(item) or not is_in_private]
        if items or not is_in_private:
            left.add_new(tag, "SQ", items)
    for tag in [int(tag) for tag in left.keys() if tag.is_private]:
        creator = tag & 0xFFFF0000 | tag >> 8 & 0xFF
        if creator in dataset:
            left[creator] = copy.deepcopy(dataset[creator])
    return left


@settings(max_examples=40, deadline=None)
@given(data_sets(), st.lists(st.sampled_from(PATHS), max_size=3))
def test_nothing_else_private_is_left_and_nothing_public_is_touched(
    private: Dataset, paths: list[str]
) -> None:
    dataset = make_dataset(CodeMeaning="public")
    dataset.update(private)
    encoded = part10_bytes(dataset)
    whole = EncodedInstance.from_part10(encoded).dataset
    matched = {
        (id(place.dataset), place.tag) for path in paths for place in find_places([whole], parse_path6(path))
    }
    result = applied(f"retainPrivateTags[{', '.join(paths)}]", dataset).dataset
    expected = loaded(part10_bytes(wanted(dataset, whole, matched)))
    assert vectors.json_from_dataset(result) == vectors.json_from_dataset(expected)


@settings(max_examples=30, deadline=None)
@given(data_sets(), st.sampled_from(["(0009,{ACME}XX)", "(0009,{OTHER}10)", "(0011,{NULL}XX)"]))
def test_what_is_kept_of_the_top_level_keeps_every_byte(private: Dataset, path: str) -> None:
    dataset = make_dataset()
    dataset.update(private)
    instance = EncodedInstance.from_part10(part10_bytes(dataset))
    before = {
        place.tag: b"".join(instance.dataset.element_chunks(place.tag))
        for place in find_places([instance.dataset], parse_path6(path))
    }
    anon.compile_script(f"{V6}retainPrivateTags[{path}]").apply_encoded(instance, {})
    left = [tag for tag in instance.dataset.tags() if tag >> 16 & 1 and tag & 0xFFFF > 0xFF]
    assert left == sorted(before)
    assert {tag: b"".join(instance.dataset.element_chunks(tag)) for tag in left} == before
