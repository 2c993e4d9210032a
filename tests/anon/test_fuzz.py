"""Whatever a script says and whatever an object holds: it ends in a result or in an error that is meant.

`make test-slow` goes on for two minutes, `PREARC_FUZZ_SECONDS=600 make test-slow` for ten.
"""

from __future__ import annotations

import io
import os
import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import odd_objects
import pydicom
import pytest
import vectors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from script_texts import VARIABLES, ScriptWriter

import anon
from anon.encoding.elements import DataSetError
from anon.encoding.instance import EncodedInstance, Limits
from anon.render import render

SECONDS = float(os.environ.get("PREARC_FUZZ_SECONDS", "120"))
# A regular expression that runs away is stopped after two seconds, and a script has several statements.
MOST_SECONDS = 15
LIMITS = Limits(max_inflate_bytes=32 << 20, max_header_bytes=16 << 20, max_pixel_bytes=32 << 20)
TABLE = "pid/PID-1 = S1\npid/a = b\\c\n"
CORPUS = Path(__file__).parent / "corpus"
# Values of the objects, which no message may repeat.
VALUES = ("Doe^Jane", "Müller^J", "19500102")


@cache
def known_scripts() -> tuple[str, ...]:
    """Scripts of the golden results and of the corpus."""
    texts = {vector["script"] for vector in vectors.read_vectors()}
    texts |= {path.read_text("utf-8") for path in CORPUS.rglob("*.das")}
    return tuple(sorted(text for text in texts if len(text) < 5000))


def some_script(random: Random) -> str:
    writer = ScriptWriter(random)
    kind = random.random()
    if kind < 0.6:
        return writer.script(6)
    if kind < 0.75:
        return writer.script(4)
    text = writer.script(random.choice([4, 6])) if kind < 0.85 else random.choice(known_scripts())
    return writer.mutated(text, known_scripts())


def some_object(random: Random) -> bytes:
    encoded = (
        odd_objects.nested_object(random)
        if random.random() < 0.4
        else random.choice(odd_objects.real_objects())
    )
    return odd_objects.damaged(encoded, random) if random.random() < 0.4 else encoded


@contextmanager
def limited_time(seconds: float = MOST_SECONDS) -> Iterator[None]:
    """Stop a case that takes too much of the processor; other processes do not count."""

    def stop(*_: Any) -> None:
        raise AssertionError(f"more than {seconds} seconds")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def test_a_case_without_end_is_stopped() -> None:
    with pytest.raises(AssertionError, match="more than"), limited_time(0.05):
        while True:
            pass


def compiled(text: str, random: Random) -> anon.Script | None:
    options: dict[str, Any] = {"lookup": TABLE} if random.random() < 0.8 else {}
    if random.random() < 0.9:
        options["taken_labels"] = ["a1", "label"]
    try:
        script = anon.compile_script(text, **options)
    except anon.ScriptError as error:
        assert error.diagnostics
        assert render(error.diagnostics, text, "script")
        return None
    assert all(found.severity == "warning" for found in script.warnings)
    return script


def check(text: str, random: Random) -> None:
    """Looking for mistakes finds some, or a script; what it says can be drawn."""
    purpose: Any = random.choice([None, "site", "project"])
    report = anon.check_script(text, purpose=purpose, lookup=TABLE)
    assert render(report.diagnostics, text, "script") or not report.diagnostics


def shows_a_value(said: str, text: str) -> bool:
    return any(value in said and value not in text for value in VALUES)


def end_of_encoded(script: anon.Script, encoded: bytes) -> str:
    """How it ends for an encoded object. A result can be read again."""
    try:
        instance = EncodedInstance.from_part10(encoded, LIMITS)
    except DataSetError:
        return "unreadable object"
    try:
        report = script.apply_encoded(instance, VARIABLES, record_id=7)
    except anon.ScriptError as error:
        assert not shows_a_value(str(error), script.text)
        return error.diagnostics[0].code
    assert not shows_a_value(" ".join(report.messages), script.text)
    if report.status == "ok":
        EncodedInstance.from_part10(b"".join(map(bytes, instance.part10_chunks())))
    return report.status


def read_by_pydicom(encoded: bytes) -> Dataset | None:
    try:
        return pydicom.dcmread(io.BytesIO(encoded))
    except Exception:  # damaged beyond what pydicom reads: no data set that a script could get
        return None


def end_of_pydicom(script: anon.Script, encoded: bytes) -> str:
    """How it ends for pydicom's data set."""
    dataset = read_by_pydicom(encoded)
    if dataset is None:
        return "unreadable object"
    try:
        return script.apply(dataset, VARIABLES).status
    except anon.ScriptError as error:
        return error.diagnostics[0].code


def run_case(random: Random, ends: Counter[str]) -> None:
    text = some_script(random)
    with limited_time(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = compiled(text, random)
        if random.random() < 0.2:
            check(text, random)
        if script is None:
            ends["no script"] += 1
            return
        encoded = some_object(random)
        ends[end_of_encoded(script, encoded)] += 1
        end_of_pydicom(script, encoded)


BLACKOUTS = (
    'alterPixels["rectangle", "l=0,t=0,r=5,b=5", "solid", "v=7"]',
    'alterPixels["rectangle", "l=1,t=1,r=9999,b=9999", "solid", "r=1,g=2,b=3"]',
    'alterPixels["rectangle", "l=0,t=0,r=2,b=2", "solid", ""]\n'
    'alterPixels["rectangle", "l=1,t=1,r=3,b=3", "solid", "v=1"]',
)


def run_image_case(random: Random, ends: Counter[str]) -> None:
    text = f'version "6.6"\n-(60X@,XXXX)\n-(0088,0200)\n{random.choice(BLACKOUTS)}'
    encoded = odd_objects.damaged_image(random.choice(odd_objects.images()), random)
    with limited_time(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = anon.compile_script(text)
        ends[end_of_encoded(script, encoded)] += 1
        end_of_pydicom(script, encoded)


def campaign(
    seconds: float, most_examples: int, case: Callable[[Random, Counter[str]], None] = run_case
) -> Counter[str]:
    """Run cases until the time is over."""
    ends: Counter[str] = Counter()

    @settings(
        max_examples=most_examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.randoms(use_true_random=True))
    def cases(random: Random) -> None:
        case(random, ends)

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        cases()
    return ends


def test_scripts_and_objects_end_in_a_result_or_an_error_that_is_meant() -> None:
    ends = campaign(2, 100)
    assert ends["ok"] > 5


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 300)
def test_many_scripts_and_objects_end_in_a_result_or_an_error_that_is_meant() -> None:
    ends = campaign(SECONDS, 1000)
    print(f"{ends.total()} cases in {SECONDS:.0f} s: {dict(ends.most_common())}")
    assert len(ends) > 15 or SECONDS < 60
    assert ends["ok"] > ends.total() // 20


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 300)
def test_damaged_images_are_blacked_out_or_refused() -> None:
    """Codecs meet what is no codestream: they may complain on standard error, no more."""
    ends = campaign(SECONDS / 4, 500, run_image_case)
    print(f"{ends.total()} images in {SECONDS / 4:.0f} s: {dict(ends.most_common())}")
    assert {"ok", "bad-image", "not-decodable", "unreadable object"} <= set(ends)
