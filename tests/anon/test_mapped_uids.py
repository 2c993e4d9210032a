"""mapUID and mapReferencedUIDs: the same old UID gives the same new one, wherever the key is the same."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from both_ways import V6, applied, failure, mistakes
from builders import make_dataset
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

import anon

KEY = bytes(range(32))
PREFIX = "1.2.840.99999"
UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")


def mapped(call: str, dataset: Dataset | None = None, **options: Any) -> str:
    """The value of a call that gives a UID."""
    made = dataset or make_dataset()
    return str(applied(f"(0020,0052) := {call}", made, **{"key": KEY, **options}).dataset.FrameOfReferenceUID)


def test_a_value_is_mapped_to_the_same_uid_again_in_other_objects_and_scripts() -> None:
    first = mapped(f'mapUID["1.2.3", "{PREFIX}"]')
    assert re.fullmatch(r"1\.2\.840\.99999\.[1-9][0-9]{30,}", first)
    dataset = make_dataset(StudyInstanceUID="1.2.3")
    assert mapped(f'mapUID[(0020,000D), "{PREFIX}"]', dataset) == first
    assert mapped(f'mapUID["1.2.4", "{PREFIX}"]') != first


def test_without_a_key_the_uids_agree_as_long_as_the_script_lives() -> None:
    text = V6 + f'(0020,000D) := mapUID[(0020,000D), "{PREFIX}"]'
    script, other = anon.compile_script(text), anon.compile_script(text)
    made = []
    for each in (script, script, other):
        dataset = make_dataset(StudyInstanceUID="1.2.3")
        each.apply(dataset)
        made.append(str(dataset.StudyInstanceUID))
    assert made[0] == made[1] != made[2]


def test_another_key_another_prefix_and_the_other_function_give_other_uids() -> None:
    dataset = make_dataset(FrameOfReferenceUID="1.2.3")
    text = f'mapReferencedUIDs["{PREFIX}", "(0020,0052)"]'
    referenced = str(applied(text, dataset, key=KEY).dataset.FrameOfReferenceUID)
    made = [
        mapped(f'mapUID["1.2.3", "{PREFIX}"]'),
        mapped(f'mapUID["1.2.3", "{PREFIX}"]', key=b"another key"),
        mapped('mapUID["1.2.3", "1.2.99"]'),
        referenced,
    ]
    assert len({uid.rpartition(".")[2] for uid in made}) == 4


def test_two_processes_with_one_key_map_alike() -> None:
    program = (
        "import json, sys, anon\n"
        "from pydicom.dataset import Dataset\n"
        "dataset = Dataset()\n"
        "dataset.StudyInstanceUID = '1.2.3'\n"
        "anon.compile_script(sys.argv[1], key=bytes(range(32))).apply(dataset)\n"
        "print(json.dumps(str(dataset.StudyInstanceUID)))\n"
    )
    text = V6 + f'(0020,000D) := mapUID[(0020,000D), "{PREFIX}"]'
    made = [
        json.loads(
            subprocess.run([sys.executable, "-c", program, text], capture_output=True, check=True).stdout
        )
        for _ in range(2)
    ]
    assert made[0] == made[1] == mapped(f'mapUID["1.2.3", "{PREFIX}"]')


def test_of_several_values_each_is_mapped() -> None:
    dataset = make_dataset(RelatedFrameOfReferenceUID="1.2.3", FrameOfReferenceUID="1.2.3")
    dataset.add_new(0x00083010, "UI", ["1.2.3", "1.2.4"])
    result = applied(f'(0008,3010) := mapUID[(0008,3010), "{PREFIX}"]', dataset, key=KEY).dataset
    assert list(result[0x00083010].value) == [
        mapped('mapUID["1.2.3", "1.2.840.99999"]'), mapped('mapUID["1.2.4", "1.2.840.99999"]'),
    ]  # fmt: skip
    result = applied(f'mapReferencedUIDs["{PREFIX}", {{(0008,3010), (0020,0052)}}]', dataset, key=KEY).dataset
    assert result[0x00083010].value[0] == result.FrameOfReferenceUID != result[0x00083010].value[1]


def test_an_absent_element_gives_no_uid() -> None:
    result = applied(f'(0020,0052) := mapUID[(0020,0200), "{PREFIX}"]', make_dataset(), key=KEY)
    assert "FrameOfReferenceUID" not in result.dataset
    assert "no value" in result.messages[0]


def test_references_follow_the_instances_that_are_mapped_with_the_same_call() -> None:
    referring = make_dataset(ReferencedImageSequence=[Dataset(), Dataset()])
    for number, item in enumerate(referring.ReferencedImageSequence):
        item.ReferencedSOPInstanceUID = f"1.2.3.{number}"
    text = f'mapReferencedUIDs["{PREFIX}", "(0008,0018)", "*/(0008,1155)"]'
    instance = applied(text, make_dataset(SOPInstanceUID="1.2.3.1"), key=KEY).dataset
    result = applied(text, referring, key=KEY).dataset
    assert result.ReferencedImageSequence[1].ReferencedSOPInstanceUID == instance.SOPInstanceUID
    assert result.ReferencedImageSequence[0].ReferencedSOPInstanceUID != instance.SOPInstanceUID
    assert result.file_meta.MediaStorageSOPInstanceUID == result.SOPInstanceUID


def test_an_element_is_mapped_once_however_many_paths_match() -> None:
    dataset = make_dataset(FrameOfReferenceUID="1.2.3")
    once = applied(f'mapReferencedUIDs["{PREFIX}", "(0020,0052)"]', dataset, key=KEY).dataset
    text = f'mapReferencedUIDs["{PREFIX}", "(0020,0052)", (0020,0052), {{"*/(0020,0052)"}}]'
    assert applied(text, dataset, key=KEY).dataset.FrameOfReferenceUID == once.FrameOfReferenceUID


def test_an_empty_element_gets_a_uid_and_an_absent_one_does_not() -> None:
    dataset = make_dataset(FrameOfReferenceUID="")
    text = f'mapReferencedUIDs["{PREFIX}", "(0020,0052)", "(0020,0200)"]'
    result = applied(text, dataset, key=KEY).dataset
    assert str(result.FrameOfReferenceUID).startswith(f"{PREFIX}.")
    assert "SynchronizationFrameOfReferenceUID" not in result


@pytest.mark.parametrize("prefix", ["", "1.2.", ".1", "1..2", "1.02", "1.2a", " 1.2", "1,2", "1." + "9" * 32])
@pytest.mark.parametrize(
    "call", ['(0020,0052) := mapUID["1.2.3", {}]', 'mapReferencedUIDs[{}, "(0020,000D)"]']
)
def test_a_prefix_that_is_none_is_a_mistake_or_fails_when_it_comes_from_the_caller(
    call: str, prefix: str
) -> None:
    (found,) = mistakes(call.format(f'"{prefix}"'))
    assert found.code == "bad-uid-prefix"
    failed = failure(f'p := "{prefix}"\n' + call.format("p"), make_dataset())
    assert failed.code == "bad-uid-prefix"
    assert not prefix or prefix not in failed.message


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=6))
def test_a_prefix_gives_a_valid_uid_or_is_refused(components: list[int]) -> None:
    prefix = ".".join(map(str, components))
    text = V6 + f'(0020,0052) := mapUID["1.2.3", "{prefix}"]'
    if len(prefix) > 33:
        with pytest.raises(anon.ScriptError):
            anon.compile_script(text)
        return
    dataset = Dataset()
    anon.compile_script(text, key=KEY).apply(dataset)
    uid = str(dataset.FrameOfReferenceUID)
    assert UID.fullmatch(uid) and len(uid) <= 64 and uid.startswith(f"{prefix}.")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ('(0020,0052) := mapUID["1.2.3"]', "argument-count"),
        ('(0020,0052) := mapUID["1.2.3", "1.2.99", "x"]', "argument-count"),
        ('(0020,0052) := mapUID["1.2.3", (0020,000D)]', "argument-kind"),
        ('mapReferencedUIDs["1.2.99"]', "argument-count"),
        ('mapReferencedUIDs["1.2.99", "bogus"]', "bad-tag"),
        ('mapReferencedUIDs["1.2.99", "(0020,000D) x"]', "bad-tag"),
        ('(0020,0052) := mapReferencedUIDs["1.2.99", "(0020,000D)"]', "no-value"),
    ],
)
def test_calls_that_java_passes_over_are_mistakes(call: str, code: str) -> None:
    assert mistakes(call)[0].code == code
