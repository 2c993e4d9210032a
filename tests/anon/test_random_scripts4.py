"""Random scripts of DicomEdit 4 do what a second reading of the rules says, without the engine."""

from __future__ import annotations

import warnings
from collections import Counter

import pytest
import vectors
from builders import loaded
from random_scripts4 import Writer

import anon
from anon.encoding.instance import EncodedInstance

pytestmark = pytest.mark.repeats


def check(seed: int) -> str:
    """Run one script both ways; returns what became of the object."""
    vector = Writer(seed).vector()
    script = anon.compile_script(vector["script"], f"seed {seed}")
    instance = EncodedInstance.from_part10(vectors.object_bytes(vector))
    try:
        script.apply_encoded(instance, vector["variables"])
    except anon.ScriptError as error:
        assert vector["expect"]["status"] == "error", f"{error}: {vector['script']!r}"
        return "error"
    assert vector["expect"]["status"] == "ok", vector["script"]
    result = loaded(b"".join(map(bytes, instance.part10_chunks())))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # private creators get odd values
        assert vectors.differences(vector, result) == [], vector["script"]
    return "ok"


def test_random_scripts_do_what_the_rules_say() -> None:
    outcomes = Counter(check(seed) for seed in range(300))
    assert outcomes["ok"] > 200 and outcomes["error"] > 10


@pytest.mark.slow
def test_many_random_scripts_do_what_the_rules_say() -> None:
    for seed in range(1_000, 6_000):
        check(seed)
