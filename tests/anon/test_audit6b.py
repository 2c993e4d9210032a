"""More corners of DicomEdit 6, of which neither golden results nor other tests speak."""

from __future__ import annotations

import io

import pydicom
import pytest
from builders import make_dataset, part10_bytes
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import anon
from anon.encoding.instance import EncodedInstance


def an_object() -> Dataset:
    """An object with a sequence of one item."""
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.9.1"
    return make_dataset(Modality="MR", PatientID="MRN1", ReferencedImageSequence=Sequence([item]))


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
