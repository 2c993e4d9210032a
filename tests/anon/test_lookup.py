"""Lookup tables and the function that finds values in them."""

from __future__ import annotations

import pytest
from both_ways import applied, failure, mistakes, warnings_of
from builders import make_dataset

import anon
from anon.lookup import parse_table

TABLE = """\
// patients
pid/PID-1 = S007

  // indented
uid/1.2.3=1.9.9
pid/ early = S1
pid/PID-1=S008
two words/a\\b = x\\y
"""


def test_an_entry_gives_its_value_and_the_last_of_two_counts() -> None:
    result = applied('(0010,0020) := lookup["pid", (0010,0020)]', make_dataset(), lookup=TABLE)
    assert result.dataset.PatientID == "S008"


def test_a_key_may_begin_with_blanks_but_does_not_end_with_them() -> None:
    values = parse_table(TABLE).values
    assert values["pid", " early"] == "S1"
    assert values["uid", "1.2.3"] == "1.9.9"
    assert parse_table(TABLE).key_types == {"pid", "uid", "two words"}


def test_a_key_of_several_values_is_found_and_a_value_with_backslashes_is_several() -> None:
    dataset = make_dataset(ImageType=["a", "b"])
    result = applied('(0008,0008) := lookup["two words", (0008,0008)]', dataset, lookup=TABLE)
    assert list(result.dataset.ImageType) == ["x", "y"]


@pytest.mark.parametrize(
    "call", ['lookup["pid", "pid-1"]', 'lookup["PID", "PID-1"]', 'lookup["pid", "early"]']
)
def test_a_key_without_an_entry_refuses_the_object(call: str) -> None:
    assert failure(f"(0010,0020) := {call}", make_dataset(), lookup=TABLE).code == "no-such-key"
    assert failure(f"(0010,0020) ?= {call}", make_dataset(), lookup=TABLE).code == "no-such-key"


def test_an_absent_element_as_key_refuses_the_object() -> None:
    text = '(0010,0020) := lookup["pid", (0010,4000)]'
    assert failure(text, make_dataset(), lookup=TABLE).code == "no-value"


def test_a_failed_lookup_does_not_tell_the_key() -> None:
    found = failure(
        '(0010,0020) := lookup["uid", (0010,0020)]', make_dataset(PatientID="SECRET"), lookup=TABLE
    )
    assert "SECRET" not in repr(found)


def test_a_script_without_a_table_is_warned_of_and_refuses_what_needs_one() -> None:
    text = 'isPresent[(0010,4000)] ? (0010,0020) := lookup["pid", (0010,0020)]'
    (found,) = warnings_of(text)
    assert (found.code, found.line, found.column) == ("no-lookup-table", 2, 41)
    assert applied(text, make_dataset()).dataset.PatientID == "PID-1"
    assert failure(text, make_dataset(PatientComments="x")).code == "no-lookup-table"


def test_a_table_without_entries_is_a_table() -> None:
    text = '(0010,0020) := lookup["pid", "x"]'
    assert failure(text, make_dataset(), lookup="// nothing yet").code == "no-such-key"


def test_a_key_type_that_the_table_does_not_have_is_warned_of() -> None:
    (found,) = warnings_of('(0010,0020) := lookup["pids", (0010,0020)]', lookup=TABLE)
    assert (found.code, found.hint) == ("no-such-key-type", "did you mean 'pid'?")
    assert warnings_of('(0010,0020) := lookup["pid", (0010,0020)]', lookup=TABLE) == []


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("lookup[]", "argument-count"),
        ('lookup["pid"]', "argument-count"),
        ('lookup["pid", "a", "b"]', "argument-count"),
        ('lookup[(0010,0020), "a"]', "argument-kind"),
    ],
)
def test_a_call_with_other_arguments_is_a_mistake(call: str, code: str) -> None:
    assert mistakes(f"(0010,0020) := {call}", lookup=TABLE)[0].code == code


def test_every_line_that_is_no_entry_is_a_mistake_with_its_place() -> None:
    table = "pid/a = 1\n  no entry\npid/a/b = 1\npid/a = 1 = 2\npid = 3\npid/ = 3\n/a = 3\npid/a =\n"
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script('version "6.6"', lookup=table)
    assert [found.line for found in caught.value.diagnostics] == [2, 3, 4, 5, 6, 7, 8]
    assert {found.code for found in caught.value.diagnostics} == {"bad-table-line"}
    first = caught.value.diagnostics[0]
    assert (first.column, first.end_column) == (3, 11)


def test_a_table_is_read_whatever_its_line_ends_and_mark() -> None:
    assert parse_table("\ufeffa/b = 1\r\na/c = 2\ra/d = 3").values == {
        ("a", "b"): "1", ("a", "c"): "2", ("a", "d"): "3",
    }  # fmt: skip
