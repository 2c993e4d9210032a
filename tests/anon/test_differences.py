"""The page of deliberate differences is true: its examples, and the Java engine's questionable results."""

from __future__ import annotations

import json
from typing import Any

import pytest
import vectors
from builders import loaded, make_dataset, saved
from differences_page import Example, examples, rows
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

import anon
from anon.encoding.instance import EncodedInstance

HEADING = "DicomEdit 4: what scripts do otherwise here"
QUESTIONABLE = vectors.FOLDER / "questionable4.jsonl"
# Scripts that a safe engine refuses as a whole: vectors by the end of their names, and the code.
REFUSED = {
    "001": "unexpected", "002": "one-at-a-time", "003": "remark", "004": "no-version",
    "005": "comment-sign", "006": "comment-sign", "007": "assign-sign", "008": "unbalanced-bracket",
    "009": "comma", "010": "bad-number", "011": "bad-number", "012": "unclosed-string",
    "013": "no-version", "014": "no-version", "015": "reserved-word", "016": "bad-name",
    "017": "dicomedit6-only", "018": "dicomedit6-only", "019": "declaration", "020": "compare-sign",
    "021": "compare-sign", "022": "combined-conditions", "023": "no-version", "024": "semicolon",
    "025": "wrong-quotes", "026": "wrong-quotes", "030": "bad-version", "033": "bad-version",
    "041": "transfer-syntax", "049": "unknown-function", "054": "no-text-possible",
}  # fmt: skip
# Objects that it refuses.
FAILS = {
    "034": "out-of-range", "035": "out-of-range", "036": "out-of-range", "038": "identity-removed",
    "039": "identity-removed", "040": "identity-removed", "044": "not-representable", "046": "not-allowed",
    "047": "not-allowed",
}  # fmt: skip
# What is done as in Java, with a word about it.
WARNS = {
    "037": "not a valid DA", "045": "guessable-hash", "048": "becomes the text `null`", "052": "first-wins",
    "053": "orphans", "055": "reads-original",
}  # fmt: skip
AS_JAVA = {"027", "043", "051", *WARNS}
# What is applied where Java drops everything, by the elements that are gone or changed.
APPLIED = {"028": "00100010", "029": "00100010", "031": "00100010", "032": "00100010"}


def an_object() -> Dataset:
    """An object that has what the examples are about."""
    item = Dataset()
    item.PatientName = "Doe^Jane"
    dataset = make_dataset(
        ReferencedImageSequence=[item], LongCodeValue="code", URNCodeValue="urn:x", PatientComments="plain"
    )
    dataset.add_new(0x00290010, "LO", "ACME")
    dataset.add_new(0x00291008, "CS", "PRIVATE")
    return dataset


@pytest.mark.parametrize("example", examples(HEADING), ids=lambda example: example.script[:40])
def test_the_examples_of_the_page_come_out_as_it_says(example: Example) -> None:
    if example.kind == "mistake":
        with pytest.raises(anon.ScriptError) as caught:
            anon.compile_script(example.script)
        assert {found.code for found in caught.value.diagnostics} == {example.word}
        return
    script = anon.compile_script(example.script)
    dataset = an_object()
    before = vectors.json_from_dataset(loaded(encoded(dataset)))
    if example.kind == "failure":
        with pytest.raises(anon.ScriptError) as caught:
            script.apply(dataset, {"subject": "S1", "session": "S1_1"})
        assert [found.code for found in caught.value.diagnostics] == [example.word]
        assert vectors.json_from_dataset(loaded(encoded(dataset))) == before
        return
    report = script.apply(dataset, {"subject": "S1", "session": "S1_1"})
    codes = [found.code for found in script.warnings]
    if example.kind == "warning":
        assert example.word in codes
    elif example.kind == "message":
        assert any(example.word in message for message in report.messages)
    else:
        assert codes == []


def encoded(dataset: Dataset) -> bytes:
    copy = Dataset()
    copy.update(dataset)
    copy.file_meta = FileMetaDataset()
    copy.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    copy.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    copy.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return saved(copy)


def test_the_page_has_every_questionable_behaviour_and_examples_for_most() -> None:
    assert [row[0] for row in rows(HEADING) if row[0].isdigit()] == [str(number) for number in range(1, 29)]
    assert len(examples(HEADING)) >= 50


def questionable() -> list[dict[str, Any]]:
    return [json.loads(line) for line in QUESTIONABLE.read_text("utf-8").splitlines()]


def run_questionable(vector: dict[str, Any]) -> tuple[anon.Script, anon.ApplyReport, Dataset]:
    script = anon.compile_script(vector["script"], vector["id"])
    instance = EncodedInstance.from_part10(vectors.object_bytes(vector))
    report = script.apply_encoded(instance, vector["variables"])
    return script, report, loaded(b"".join(map(bytes, instance.part10_chunks())))


@pytest.mark.parametrize("vector", questionable(), ids=lambda vector: str(vector["id"]))
def test_where_the_java_engine_is_unsafe_the_page_is_followed(vector: dict[str, Any]) -> None:
    number = vector["id"][-3:]
    if number in REFUSED:
        with pytest.raises(anon.ScriptError) as caught:
            anon.compile_script(vector["script"])
        assert [found.code for found in caught.value.diagnostics] == [REFUSED[number]]
        assert caught.value.diagnostics[0].line >= 1
        return
    if number in FAILS:
        with pytest.raises(anon.ScriptError) as caught:
            run_questionable(vector)
        assert [found.code for found in caught.value.diagnostics] == [FAILS[number]]
        return
    script, report, result = run_questionable(vector)
    if number in WARNS:
        said = [found.code for found in script.warnings] + report.messages
        assert any(WARNS[number] in each for each in said), said
    if number in AS_JAVA:
        assert vectors.differences(vector, result) == []
        return
    if number in APPLIED:
        assert APPLIED[number] not in vectors.json_from_dataset(result)
        return
    if number == "042":
        assert str(result.PatientName) == "MÜLLER"
        assert result.SpecificCharacterSet == "ISO_IR 100"
        return
    assert number == "050", "every vector has a rule"
    kept = {key: result[key].VR for key in (0x00080119, 0x00080120, 0x00660040, 0x7FE00009)}
    assert list(kept.values()) == ["UC", "UR", "OL", "OD"]
