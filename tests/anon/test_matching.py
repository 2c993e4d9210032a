"""Regular expressions of scripts: what is a mistake of the script, and what stops a runaway."""

from __future__ import annotations

import time

import pytest
from builders import make_dataset

import anon
from anon.errors import StatementError
from anon.matching import compile_pattern

RUNAWAY = "(a|aa)+b"
SLOW = "a" * 60


@pytest.mark.parametrize(
    "pattern", ["(", "[a", "a**", "(?x)a", "[a&&]", "a{2,1}", "\\\\p{Nothing}", "(?<n>a)(?<n>b)"]
)
def test_a_literal_pattern_that_cannot_be_used_is_a_mistake_of_the_script(pattern: str) -> None:
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script(f'(0008,0060) ~ "{pattern}" : - (0010,0010)')
    assert [found.code for found in caught.value.diagnostics] == ["bad-regex"]
    with pytest.raises(anon.ScriptError):
        anon.compile_script(f'version "6.6"\n(0010,0020) := match[(0008,0060), "{pattern}", 0]')


def test_a_computed_pattern_that_cannot_be_used_refuses_the_object_and_is_not_quoted() -> None:
    script = anon.compile_script("(0008,0060) ~ (0010,0020) : - (0010,0010)")
    dataset = make_dataset(PatientID="SECRET(")
    with pytest.raises(anon.ScriptError) as caught:
        script.apply(dataset, {})
    assert caught.value.diagnostics[0].code == "bad-regex"
    assert "SECRET" not in str(caught.value)
    assert "PatientName" in dataset


@pytest.mark.parametrize(
    "text",
    [
        f'(0010,0020) ~ "{RUNAWAY}" : - (0010,0010)',
        f'(0010,4000) := match[(0010,0020), "{RUNAWAY}", 0]',
        f'version "6.6"\n(0010,4000) := match[(0010,0020), "{RUNAWAY}", 0]',
        f'version "6.6"\n(0010,0020) ~ "{RUNAWAY}" ? - (0010,0010)',
    ],
)
def test_a_pattern_that_runs_away_refuses_the_object(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anon.matching.MATCH_SECONDS", 0.1)
    script = anon.compile_script(text)
    started = time.monotonic()
    with pytest.raises(anon.ScriptError) as caught:
        script.apply(make_dataset(PatientID=SLOW), {})
    assert time.monotonic() - started < 20
    found = caught.value.diagnostics[0]
    assert found.code == "regex-timeout"
    assert found.line in (1, 2)
    assert SLOW not in str(caught.value)


def test_searching_and_matching_are_different() -> None:
    pattern = compile_pattern("b+")
    assert pattern.fullmatch("abba") is None
    found = pattern.search("abba")
    assert found is not None and found[0] == "bb"
    assert pattern.groups == 0


def test_a_bad_pattern_is_a_failure_of_the_statement() -> None:
    with pytest.raises(StatementError):
        compile_pattern("*")
