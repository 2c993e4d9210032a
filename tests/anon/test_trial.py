"""Trying scripts out: what changes, and which statement does it."""

from __future__ import annotations

import pytest
from builders import make_dataset, part10_bytes, wheel_file
from pydicom.dataset import Dataset

import anon
from anon import comparison
from anon.comparison import State
from anon.encoding.elements import DataSetError
from anon.encoding.instance import EncodedInstance
from anon.trial import TraceStep, trace_script, try_script


def content() -> bytes:
    item = Dataset()
    item.CodeValue = "A1"
    return part10_bytes(make_dataset(PatientName="Doe^Jane", PatientID="1", RequestAttributesSequence=[item]))


def seen(step: TraceStep) -> tuple[int, bool | None, list[tuple[str, str | None, str | None]]]:
    changes = [
        (found.path, found.before.shown if found.before else None, found.after.shown if found.after else None)
        for found in step.differences
    ]
    return step.position.line, step.holds, changes


def test_a_trial_lists_what_is_added_changed_and_removed_at_any_depth() -> None:
    script = anon.compile_script(
        'version "6.6"\n(0010,0010) := "X"\n-(0010,0020)\n'
        '(0040,0275)[0]/(0008,0100) := "B2"\n(0012,0063) := "done"\n'
    )
    trial = try_script(script, content(), {})
    assert [(found.path, found.keyword) for found in trial.differences] == [
        ("(0010,0010)", "PatientName"),
        ("(0010,0020)", "PatientID"),
        ("(0012,0063)", "DeidentificationMethod"),
        ("(0040,0275)[0]/(0008,0100)", "CodeValue"),
    ]
    removed = trial.differences[1]
    assert removed.before is not None and removed.before.shown == "1"
    assert removed.after is None


def test_a_statement_that_writes_the_same_value_is_no_difference() -> None:
    trial = try_script(anon.compile_script('version "6.6"\n(0010,0020) := "1"\n'), content(), {})
    assert trial.differences == []


def test_a_rejected_object_has_no_differences() -> None:
    trial = try_script(anon.compile_script('version "6.6"\n-(0010,0020)\nreject[]\n'), content(), {})
    assert (trial.status, trial.differences) == ("rejected", [])


def test_what_is_no_dicom_file_is_said_to_be_none() -> None:
    with pytest.raises(DataSetError):
        try_script(anon.compile_script('version "6.6"\n'), b"nonsense" * 40, {})


def test_a_trace_of_dicomedit_6_goes_top_to_bottom_with_outcomes_of_conditions() -> None:
    script = anon.compile_script(
        'version "6.6"\n'
        'if ((0008,0060) = "MR") {\n'
        '  (0010,0010) := "X"\n'
        "}\n"
        "else { -(0010,0020) }\n"
        '(0010,0020) = "2" ? -(0010,0010) : (0010,0020) := "3"\n'
        "-(0010,2160)\n"
    )
    trace = trace_script(script, content(), {})
    assert [seen(step) for step in trace.steps] == [
        (2, True, []),
        (3, None, [("(0010,0010)", "Doe^Jane", "X")]),
        (6, False, []),
        (6, None, [("(0010,0020)", "1", "3")]),
        (7, None, []),
    ]
    assert trace.steps[3].source == '(0010,0020) := "3"'
    assert trace.status == "ok"


def test_a_trace_of_dicomedit_4_shows_conditions_first_and_statements_backwards() -> None:
    script = anon.compile_script('(0010,0020) = "1" : (0010,0010) := "X"\n(0010,0010) := "Y"\n')
    assert [seen(step) for step in trace_script(script, content(), {}).steps] == [
        (1, True, []),
        (2, None, [("(0010,0010)", "Doe^Jane", "Y")]),
        (1, None, [("(0010,0010)", "Y", "X")]),
    ]


def test_a_trace_ends_where_the_script_fails() -> None:
    script = anon.compile_script('version "6.6"\n(0010,0020) := "2"\n(0010,0010) := substring["ab", 1, 9]\n')
    trace = trace_script(script, content(), {})
    assert trace.status == "failed"
    assert [seen(step) for step in trace.steps] == [(2, None, [("(0010,0020)", "1", "2")])]
    assert trace.failure is not None and trace.failure.diagnostics[0].line == 3


def test_a_missing_variable_is_told_before_anything_is_carried_out() -> None:
    with pytest.raises(anon.ScriptError, match="subject"):
        trace_script(anon.compile_script("(0010,0010) := subject\n"), content(), {})


def test_every_change_of_a_real_file_belongs_to_a_step() -> None:
    source = wheel_file("CT_small.dcm").read_bytes()
    script = anon.compile_script(
        'version "6.6"\nremoveAllPrivateTags\n-(0010,0010)\n(0020,000D) := hashUID[(0020,000D)]\n'
    )
    whole = {found.path for found in try_script(script, source, {}).differences}
    steps = trace_script(script, source, {}).steps
    by_step = [{found.path for found in step.differences} for step in steps]
    assert set().union(*by_step) == whole
    assert sum(map(len, by_step)) == len(whole)


def test_a_trace_looks_again_at_nothing_but_what_a_statement_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[set[int] | None] = []

    def state_of(instance: EncodedInstance, tags: set[int] | None = None) -> State:
        looks.append(tags)
        return comparison.state_of(instance, tags)

    monkeypatch.setattr("anon.trial.state_of", state_of)
    others = "".join(f'(0010,4000) := "{number}"\n' for number in range(50))
    text = f'version "6.6"\n(0040,0275)[0]/(0008,0100) := "B2"\n{others}-*/(0008,0100)\n'
    steps = trace_script(anon.compile_script(text), content(), {}).steps
    assert looks.count({0x00400275}) == 3  # as it came, and after each of two changes
    assert looks.count({0x00104000}) == len(looks) - 3 == 51
    assert seen(steps[0])[2] == [("(0040,0275)[0]/(0008,0100)", "A1", "B2")]
    assert seen(steps[-1])[2] == [("(0040,0275)[0]/(0008,0100)", "B2", None)]


def test_what_is_only_written_in_another_character_set_is_no_difference_of_a_step() -> None:
    source = part10_bytes(make_dataset(PatientName="Müller", PatientID="Ü"))
    text = 'version "6.6"\n(0010,0010) := "Möller"\n(0008,0005) := "ISO_IR 100"\n(0010,0020) := "Ü"\n'
    assert [seen(step)[2] for step in trace_script(anon.compile_script(text), source, {}).steps] == [
        [("(0010,0010)", "Müller", "Möller")],
        [("(0008,0005)", "ISO_IR 192", "ISO_IR 100")],
        [],
    ]
