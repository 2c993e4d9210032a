"""Paths like `*/(0008,0100)` are looked up, not walked: what they find must be the same."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pydicom
import pytest
from builders import make_dataset, part10_bytes
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

import anon
from anon.encoding.instance import EncodedInstance

SEQUENCES = ("ReferencedImageSequence", "ContentSequence", "ConceptNameCodeSequence")
TEXTS = ("CodeValue", "CodeMeaning", "PatientComments", "TextValue")
TAGS = (
    "(0008,0100)",
    "(0008,0104)",
    "(0010,4000)",
    "(0040,A160)",
    "(0008,1140)",
    "(0040,A730)",
    "(0040,A043)",
)


def walked(script: str) -> str:
    """The same script with paths that mean the same and are walked."""
    return script.replace("*/(", "*/*/(")


def run(script: str, content: bytes) -> bytes:
    instance = EncodedInstance.from_part10(content)
    anon.compile_script(f'version "6.6"\n{script}').apply_encoded(instance, {})
    return b"".join(instance.part10_chunks())


def items(depth: int) -> st.SearchStrategy[Dataset]:
    texts = st.dictionaries(st.sampled_from(TEXTS), st.sampled_from(["", "a", "bb"]), max_size=3)
    below: st.SearchStrategy[dict[str, list[Dataset]]] = st.just({})
    if depth:
        below = st.dictionaries(
            st.sampled_from(SEQUENCES), st.lists(items(depth - 1), max_size=2), max_size=2
        )
    return st.builds(_filled, texts, below)


def _filled(texts: dict[str, str], below: dict[str, list[Dataset]]) -> Dataset:
    found = Dataset()
    for keyword, value in {**texts, **below}.items():
        setattr(found, keyword, value)
    return found


STATEMENTS: tuple[Callable[[str], str], ...] = (
    lambda tag: f"-*/{tag}",
    lambda tag: f'*/{tag} ?= "new"',
    lambda tag: f"hashUIDList[*/{tag}]",
    lambda tag: f"removeTags[{{*/{tag}}}]",
    lambda tag: f"-{tag}",
    lambda tag: f"-(0040,A730)[0]/{tag}",
    lambda tag: f'(0040,A730)[1]/{tag} := "made"' if tag in TAGS[:4] else f"-(0008,1140)/{tag}",
    lambda tag: f'{tag}[1]/(0008,0100) := "made"' if tag in TAGS[4:] else f'{tag} := "made"',
)


@given(
    items(3), st.lists(st.tuples(st.sampled_from(STATEMENTS), st.sampled_from(TAGS)), min_size=1, max_size=8)
)
def test_looking_an_element_up_gives_what_walking_gives(
    dataset: Dataset, statements: list[tuple[Callable[[str], str], str]]
) -> None:
    content = part10_bytes(make_dataset(**{element.keyword: element.value for element in dataset}))
    script = "\n".join(statement(tag) for statement, tag in statements)
    assert run(script, content) == run(walked(script), content)


@pytest.mark.parametrize(
    "script",
    [
        '*/(0008,0104) ?= "a"\n(0040,A730)[0]/(0040,A043)[0]/(0008,0104) := "made later"\n-*/(0008,0104)',
        '-*/(0008,0104)\n-(0040,A730)\n(0040,A730)[0]/(0008,0104) := "made again"\n*/(0008,0104) ?= ""',
        '-*/(0008,0104)\n(0008,0104) := "made again"\n-*/(0008,0104)',
    ],
)
def test_what_a_script_made_itself_is_found(script: str) -> None:
    item = Dataset()
    item.CodeMeaning = "Knee"
    content = part10_bytes(make_dataset(ContentSequence=[item]))
    dataset = pydicom.dcmread(BytesIO(run(script, content)))
    assert run(script, content) == run(walked(script), content)
    assert not [
        element for element in dataset.iterall() if element.keyword == "CodeMeaning" and element.value
    ]
