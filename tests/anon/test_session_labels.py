"""Labels that a script makes: proposed without an object, from what the caller knows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from builders import make_dataset

import anon

TRAINING = """\
(0008,1030) := project
(0010,0010) := subject
(0010,0020) := session
session := makeSessionLabel[format["{0}_v##_{1}", subject, lowercase[modalityLabel]]]
"""
ANSWERS = {"subject": "S1", "modalityLabel": "MR"}


def proposed(text: str, taken: Sequence[str] = (), **variables: str) -> str | None:
    return anon.compile_script(text).propose_session_label(variables, taken)


def failure(text: str, **variables: str) -> anon.Diagnostic:
    with pytest.raises(anon.ScriptError) as caught:
        proposed(text, **variables)
    assert len(caught.value.diagnostics) == 1
    return caught.value.diagnostics[0]


@pytest.mark.parametrize("version", ["", 'version "6.6"\n'])
def test_the_training_script_numbers_the_sessions_of_a_subject(version: str) -> None:
    text = TRAINING
    if version:
        first, second = TRAINING.rsplit("session :=", 1)
        text = f"{version}session :={second}{first}"
    assert proposed(text, [], **ANSWERS) == "S1_v00_mr"
    assert proposed(text, ["S1_v00_mr", "S1_v01_mr", "S1_v03_mr"], **ANSWERS) == "S1_v02_mr"


def test_only_what_the_label_needs_has_to_be_known() -> None:
    found = failure(TRAINING, subject="S1")
    assert (found.code, found.line) == ("missing-variable", 4)
    assert "modalityLabel" in found.message
    assert "project" in anon.compile_script(TRAINING).variables


def test_a_label_is_free_only_if_no_other_differs_by_case_alone() -> None:
    assert proposed(TRAINING, ["s1_V00_MR"], **ANSWERS) == "S1_v01_mr"


def test_a_proposal_does_not_change_what_the_script_does() -> None:
    script = anon.compile_script(TRAINING)
    assert script.propose_session_label(ANSWERS, []) == "S1_v00_mr"
    dataset = make_dataset()
    script.apply(dataset, {**ANSWERS, "project": "P", "session": "chosen"})
    assert dataset.PatientID == "chosen"
    assert list(script.warnings) == []  # every caller supplies `session`


def test_a_variable_that_no_caller_is_known_to_supply_is_worth_a_warning() -> None:
    script = anon.compile_script('visit := makeSessionLabel["a#"]\n(0010,0020) := visit')
    assert [found.code for found in script.warnings] == ["no-label-function"]


def test_labels_may_go_through_other_variables() -> None:
    text = (
        'stem := "{0}_#" subject\nlabel := makeSessionLabel[stem]\nSESSION := label\n(0010,0020) := session'
    )
    script = anon.compile_script(text)
    assert sorted(script.variables) == ["label", "subject"]
    assert script.propose_session_label({"subject": "A"}, ["A_0"]) == "A_1"


@pytest.mark.parametrize(
    "text",
    [
        "- (0010,0010)",
        "(0010,0020) := session",
        'session := "fixed"\n(0010,0020) := session',
        'visit := makeSessionLabel["v#"]\n(0010,0020) := visit',
        'session := makeSessionLabel["nohash"]\n(0010,0020) := session',
        'version "6.6"\nsession := "fixed"',
        'version "6.6"\nproject = "P" ? session := "fixed"',
    ],
)
def test_other_scripts_propose_nothing(text: str) -> None:
    assert proposed(text, visit="1") is None


def test_a_label_that_needs_the_object_is_refused_in_words() -> None:
    found = failure('session := makeSessionLabel[format["{0}_#", (0008,0060)]]')
    assert found.code == "needs-object"
    assert found.line == 1
    found = failure('version "6.6"\nsession := makeSessionLabel[format["{0}_#", (0008,0060)]]')
    assert (found.code, found.line) == ("needs-object", 2)


def test_a_label_never_holds_the_word_for_an_absent_value() -> None:
    text = 'session := makeSessionLabel[format["{0}_#", match[subject, "x(.*)", 1]]]'
    assert proposed(text, subject="xA") == "A_0"
    assert failure(text, subject="A").code == "absent-in-label"


def test_a_rule_that_fails_is_a_failure_with_its_place() -> None:
    found = failure("// a comment\nsession := makeSessionLabel[substring[subject, 0, 9]]", subject="A#")
    assert (found.code, found.line) == ("out-of-range", 2)


def test_variables_of_dialect_6_are_those_above_the_label() -> None:
    text = (
        'version "6.6"\nstem := "a"\nbroken := (0010,0010)\nstem := "b"\n'
        'session := makeSessionLabel[format["{0}{1}_#", stem, subject]]\nstem := "c"\n(0010,0020) := session'
    )
    assert proposed(text, subject="S") == "bS_0"
    assert failure(text).code == "missing-variable"


def test_next_label_can_ignore_case() -> None:
    assert anon.next_label("A#", ["a0"]) == "A0"
    assert anon.next_label("A#", ["a0", "a1"], ignore_case=True) == "A2"
    assert anon.next_label("A", ["a0"]) == ""


@pytest.mark.parametrize(
    ("present", "taken", "label"),
    [
        ("S1_v07_mr", [], "S1_v07_mr"),
        ("S1_v07_mr", ["s1_V07_MR"], "S1_v00_mr"),  # somebody else has it, too
        ("s1_V07_mr", [], "S1_v07_mr"),  # the number stays, spelled by the rule
        ("S1_v123_mr", [], "S1_v123_mr"),
        ("S1_v7_mr", [], "S1_v00_mr"),
        ("S1_v007_mr", [], "S1_v00_mr"),
        ("S1_v_mr", [], "S1_v00_mr"),
        ("S1_v\u0661\u0661_mr", [], "S1_v00_mr"),
        ("S1_v" + "1" * 5000 + "_mr", [], "S1_v00_mr"),
        ("S2_v07_mr", [], "S1_v00_mr"),
        ("PID-1", ["S1_v00_mr"], "S1_v01_mr"),
    ],
)
def test_a_session_that_has_such_a_label_keeps_its_number(
    present: str, taken: Sequence[str], label: str
) -> None:
    script = anon.compile_script(TRAINING)
    assert script.propose_session_label(ANSWERS, taken, present) == label
