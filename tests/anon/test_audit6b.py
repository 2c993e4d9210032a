"""More corners of DicomEdit 6, of which neither golden results nor other tests speak."""

from __future__ import annotations

import hashlib
import io
import uuid

import pydicom
import pytest
from builders import make_dataset, part10_bytes
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import anon
from anon.encoding.instance import EncodedInstance


def an_object() -> Dataset:
    """An object with a sequence of one item, a text with a backslash, and elements of several values."""
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.9.1"
    dataset = make_dataset(
        Modality="MR",
        PatientID="MRN1",
        PatientComments="a\\b",
        OtherPatientNames=["x", "y"],
        ImagePositionPatient=["1", "2.0"],
        EncapsulatedDocument=b"\1\2",
        ReferencedImageSequence=Sequence([item]),
    )
    dataset.private_block(0x0009, "ACME", create=True).add_new(1, "UN", b"a\\bc")
    return dataset


def hash_of(text: str) -> str:
    """What the Java engine makes: a version 5 UUID without name space, below 2.25."""
    return f"2.25.{uuid.UUID(bytes=hashlib.sha1(text.encode()).digest()[:16], version=5).int}"


def edited(script: str, dataset: Dataset | None = None) -> Dataset:
    """The object after a script, written and read again."""
    instance = EncodedInstance.from_part10(part10_bytes(dataset or an_object()))
    anon.compile_script(f'version "6.6"\n{script}').apply_encoded(instance, {})
    return pydicom.dcmread(io.BytesIO(b"".join(map(bytes, instance.part10_chunks()))))


def codes_of(script: str) -> set[str]:
    """What is wrong, both ways of applying a script."""
    compiled = anon.compile_script(f'version "6.6"\n{script}')
    content = part10_bytes(an_object())
    with pytest.raises(anon.ScriptError) as encoded:
        compiled.apply_encoded(EncodedInstance.from_part10(content), {})
    with pytest.raises(anon.ScriptError) as decoded:
        compiled.apply(pydicom.dcmread(io.BytesIO(content)), {})
    return {encoded.value.diagnostics[0].code, decoded.value.diagnostics[0].code}


@pytest.mark.parametrize("tag", ["0002,0016", "0002,0002", "0002,0F01"])
def test_group_2_has_no_sequences(tag: str) -> None:
    assert codes_of(f'({tag})[0]/(0010,0010) := "x"') == {"not-a-sequence"}


def test_items_have_no_group_2() -> None:
    assert codes_of('(0008,1140)[0]/(0002,0016) := "x"') == {"no-data-element"}


@pytest.mark.parametrize(
    ("value", "hashed"),
    [
        ('"a\\\\b"', ["a\\b"]),
        ('"a\\nb"', ["a\\nb"]),
        ('concatenate["a\\\\", "b"]', ["a\\b"]),
        ("(0010,4000)", ["a\\b"]),
        ("(0009,{ACME}01)", ["a\\\\bc"]),
        ("(0042,0011)", ["01\\02"]),
        ("(0010,1001)", ["x", "y"]),
        ("(0020,0032)", ["1", "2.0"]),
    ],
)
def test_a_text_has_one_hash_and_an_element_one_for_each_value(value: str, hashed: list[str]) -> None:
    result = edited(f"(0010,4000) := hashUID[{value}]")
    assert result.PatientComments.split("\\") == [hash_of(text) for text in hashed]


def test_the_hash_of_hashes_has_as_many_values() -> None:
    result = edited("(0010,4000) := hashUID[hashUID[(0010,1001)]]")
    assert result.PatientComments.split("\\") == [hash_of(hash_of(text)) for text in "xy"]


# -- one creator with two blocks in a group


def with_two_blocks() -> Dataset:
    dataset = an_object()
    dataset.add_new(0x00090012, "LO", "ACME")
    dataset.add_new(0x00091201, "LO", "second")
    dataset.add_new(0x00091205, "LO", "fifth")
    return dataset


def private_values(script: str) -> dict[int, object]:
    """What the private block data are after a script."""
    result = edited(script, with_two_blocks())
    return {int(each.tag): each.value for each in result if each.tag.is_private and each.tag.element > 0xFF}


def test_a_wild_statement_reaches_both_blocks() -> None:
    assert private_values("-(0009,{ACME}01)") == {0x00091205: "fifth"}
    assert private_values("removeTags[(0009,{ACME}XX)]") == {}
    assert private_values('(0009,{ACME}01) ?= "x"')[0x00091201] == "x"
    assert private_values("hashUIDList[(0009,{ACME}05)]")[0x00091205] == hash_of("fifth")
    assert private_values("blankValues[(0009,{ACME}05)]")[0x00091205] in (None, "")


def test_what_is_kept_stays_in_its_block() -> None:
    result = edited("retainPrivateTags[(0009,{ACME}05)]", with_two_blocks())
    assert [int(each.tag) for each in result if each.tag.is_private] == [0x00090012, 0x00091205]


def test_an_assignment_means_the_first_block() -> None:
    values = private_values('(0009,{ACME}05) := "x"')
    assert values[0x00091005] == b"x\0"
    assert values[0x00091205] == "fifth"
