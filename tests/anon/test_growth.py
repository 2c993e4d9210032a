"""Scripts whose values double with each line: they are refused, and looked at, before anything grows."""

from __future__ import annotations

import pytest
from builders import make_dataset

import anon

LINES = 45  # doubled so many times nothing fits into any memory, and nothing ends


def doubled(first: str, line: str, last: str) -> str:
    """A script of DicomEdit 6 in which each variable is made of the one before."""
    made = [line.format(old=f"v{number}", new=f"v{number + 1}") for number in range(LINES)]
    return "\n".join(['version "6.6"', f"v0 := {first}", *made, last.format(f"v{LINES}")])


@pytest.mark.parametrize(
    ("first", "line", "last"),
    [
        ('"ab"', "{new} := concatenate[{old}, {old}]", "(0010,4000) := {}"),
        ('"\u00e9\u00e9"', "{new} := normalizeString[{old}, concatenate[{old}, {old}]]", "(0010,4000) := {}"),
        ("{(0010,0010)}", "{new} := {{{old}, {old}}}", "blankValues[{}]"),
        ('{"a"}', "{new} := {{{old}, {old}}}", "(0010,4000) := concatenate[{}]"),
    ],
)
def test_a_value_that_doubles_refuses_the_object(first: str, line: str, last: str) -> None:
    script = anon.compile_script(doubled(first, line, last))
    dataset = make_dataset(PatientComments="as it was")
    with pytest.raises(anon.ScriptError) as caught:
        script.apply(dataset, {})
    assert caught.value.diagnostics[0].code == "too-long"
    assert dataset.PatientComments == "as it was"


@pytest.mark.parametrize(("first", "may_be_missing"), [('"1.2"', False), ("(0020,0010)", True)])
def test_a_check_follows_each_variable_once(first: str, may_be_missing: bool) -> None:
    twice = "{new} := hashUID[{old}]\n{new} := hashUID[{old}]"
    report = anon.check_script(doubled(first, twice, "(0010,0020) := {}"))
    found = [each.code for each in report.diagnostics]
    assert ("keeps-old" in found) is may_be_missing


def test_a_check_ends_where_variables_need_each_other() -> None:
    text = 'version "6.6"\na := hashUID[b]\nb := hashUID[a]\na := hashUID[b]\n(0010,0020) := a\n'
    assert "keeps-old" not in [found.code for found in anon.check_script(text).diagnostics]
