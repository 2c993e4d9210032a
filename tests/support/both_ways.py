"""Applying a script to an encoded object and to a pydicom data set: both ways must come out alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from builders import loaded, part10_bytes, saved
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

import anon
from anon.encoding.instance import EncodedInstance

V6 = 'version "6.6"\n'


class Result(NamedTuple):
    """What came out, as stored, and what was said."""

    dataset: Dataset
    encoded: bytes
    messages: list[str]


def applied(
    text: str,
    dataset: Dataset,
    variables: Mapping[str, str] | None = None,
    *,
    transfer_syntax: str = ExplicitVRLittleEndian,
    **options: Any,
) -> Result:
    """Run a script of DicomEdit 6, given without its version line."""
    script = anon.compile_script(V6 + text, **options)
    encoded = part10_bytes(dataset, transfer_syntax)
    instance = EncodedInstance.from_part10(encoded)
    report = script.apply_encoded(instance, variables or {})
    result = b"".join(map(bytes, instance.part10_chunks()))
    view = loaded(encoded)
    again = script.apply(view, variables or {})
    assert again == report
    assert loaded(saved(view)) == loaded(result)
    return Result(loaded(result), result, report.messages)


def failure(text: str, dataset: Dataset, **options: Any) -> anon.Diagnostic:
    """Why a script of DicomEdit 6 refuses an object, which must stay as it was."""
    script = anon.compile_script(V6 + text, **options)
    encoded = part10_bytes(dataset)
    view = loaded(encoded)
    with pytest.raises(anon.ScriptError) as caught:
        script.apply(view)
    assert saved(view) == encoded
    with pytest.raises(anon.ScriptError) as caught_encoded:
        script.apply_encoded(EncodedInstance.from_part10(encoded), {})
    (found,) = caught.value.diagnostics
    assert caught_encoded.value.diagnostics == [found]
    return found


def mistakes(text: str, **options: Any) -> list[anon.Diagnostic]:
    """The mistakes of a script of DicomEdit 6."""
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script(V6 + text, **options)
    return caught.value.diagnostics


def warnings_of(text: str, **options: Any) -> list[anon.Diagnostic]:
    """What is allowed in a script of DicomEdit 6 and probably not meant."""
    return anon.compile_script(V6 + text, **options).warnings
