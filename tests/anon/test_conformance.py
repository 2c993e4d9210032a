"""Every golden result of the Java engines, both ways of applying a script."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
import vectors
from builders import loaded, saved
from pydicom.dataset import Dataset

import anon
from anon.encoding.instance import EncodedInstance

ALL = list(vectors.read_vectors())
FILES = sorted({vector["file"] for vector in ALL})
LABELS = [json.loads(line) for line in (vectors.FOLDER / "labels.jsonl").read_text("utf-8").splitlines()]
# How many there are at least, by language: a file that is lost must not make the test pass.
FLOORS = {"vectors4": 343, "host": 17, "vectors6": 845}


def options(vector: dict[str, Any]) -> dict[str, Any]:
    """What the caller has to give beside the script."""
    given: dict[str, Any] = {}
    if "sessions" in vector:
        given["taken_labels"] = vector["sessions"]
    if "lookup" in vector["input"]:
        given["lookup"] = vector["input"]["lookup"]
    return given


def compiled(vector: dict[str, Any]) -> anon.Script | None:
    """The script; None when it has mistakes."""
    try:
        return anon.compile_script(vector["script"], vector["id"], **options(vector))
    except anon.ScriptError:
        return None


def run_encoded(script: anon.Script, vector: dict[str, Any], encoded: bytes) -> tuple[str, Any]:
    instance = EncodedInstance.from_part10(encoded)
    report = script.apply_encoded(instance, vector["variables"], record_id=vector.get("script_id"))
    result = loaded(b"".join(map(bytes, instance.part10_chunks())))
    for tag in {0x00020012, 0x00020013} - instance.meta.changed_tags():
        # The file's writer names itself here; what counts is that the script left them alone.
        element = instance.meta.get(tag)
        if element is not None:
            result.file_meta[tag].value = element.value.rstrip(b" \0").decode("ascii")
    return report.status, result


def run_pydicom(script: anon.Script, vector: dict[str, Any], encoded: bytes) -> tuple[str, Any]:
    dataset = loaded(encoded)
    report = script.apply(dataset, vector["variables"], record_id=vector.get("script_id"))
    return report.status, loaded(saved(dataset))


@pytest.mark.parametrize("file", FILES)
def test_the_engine_agrees_with_every_golden_result(file: str) -> None:
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for vector in (vector for vector in ALL if vector["file"] == file):
        script = compiled(vector)
        counts[vector["expect"]["status"]] += 1
        encoded = vectors.object_bytes(vector)
        for run in (run_encoded, run_pydicom):
            status, result = "error", Dataset()
            if script is not None:
                try:
                    status, result = run(script, vector, encoded)
                except anon.ScriptError:
                    status = "error"
            if status != vector["expect"]["status"]:
                wrong.append(f"{vector['id']} ({run.__name__}): {status}")
            elif status == "ok":
                wrong += [
                    f"{vector['id']} ({run.__name__}): {each}" for each in vectors.differences(vector, result)
                ]
    print(f"{file:28} {counts.total():4} run: {dict(counts)}")
    assert wrong == []


def test_no_golden_result_is_left_out() -> None:
    counts = Counter(vector["file"].split("/")[0] for vector in ALL)
    assert set(counts) == set(FLOORS)
    assert all(counts[folder] >= floor for folder, floor in FLOORS.items()), counts


def test_no_row_of_the_labels_is_left_out() -> None:
    print(f"{'labels':28} {len(LABELS):4} run: {sum('questionable' in row for row in LABELS)} questionable")
    assert len(LABELS) >= 45


@pytest.mark.parametrize("row", LABELS, ids=lambda row: f"{row['pattern']}, {len(row['existing'])} taken")
def test_labels_are_numbered_as_the_java_engine_does_it(row: dict[str, Any]) -> None:
    label = anon.next_label(row["pattern"], row["existing"])
    if row.get("questionable"):
        assert label not in row["existing"]
    else:
        assert label == row["expect"]
