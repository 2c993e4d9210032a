"""What a script leaves of what the Basic Profile protects."""

from __future__ import annotations

import pytest

import anon
from anon.comparison import state_of
from anon.lookup import parse_table
from anon.profile.coverage import Coverage, CoverageRow, Outcome, coverage
from anon.profile.generate import SCRIPT_OPTIONS, UnknownOptionError, make_script
from anon.profile.probe import CODES, INNER_UID, ITEMS, KINDS, NESTED, make_probe, probed_rows
from anon.profile.table import Action, Option, load_table

pytestmark = pytest.mark.repeats

OPTIONS = [name for name in SCRIPT_OPTIONS if name in set(Option)]
DOES_NOTHING = 'version "6.6"\n(0012,0062) := "YES"\n'


def row_of(found: Coverage, tag: str) -> CoverageRow:
    (row,) = (row for row in found.rows if row.tag == tag)
    return row


def test_the_objects_have_every_row_at_the_top_and_in_items() -> None:
    tags = {row.tag for row, _ in probed_rows()}
    assert {row.tag for row in load_table()} - tags == {"(0000,1000)", "(0000,1001)", "(0002,0003)"}
    for kind in KINDS:
        state = state_of(make_probe(kind))
        for steps in ((), *NESTED):
            for row, tag in probed_rows():
                seen = state[(*steps, (tag, -1))]
                items = [
                    (*steps, (tag, item), (each, -1)) for item in range(ITEMS) for each in (*CODES, INNER_UID)
                ]
                assert (
                    seen.row.value
                    or seen.encoded
                    or (row.vr == "SQ" and all(each in state for each in items))
                )


def test_no_two_values_of_an_object_are_the_same() -> None:
    creators = {"PROBE 1.0", "PROBE 2.0"}
    values = [
        (seen.row.value, seen.encoded)
        for steps, seen in state_of(make_probe("MR")).items()
        if (seen.row.value or seen.encoded) and seen.row.vr not in ("AS", "SQ")
        and steps[0][0] >> 16 != 2 and steps[-1][0] not in (0x00080016, 0x00080060)
        and seen.row.value not in creators
    ]  # fmt: skip
    assert len(values) > 3000
    assert len(set(values)) == len(values)


def test_a_script_that_does_nothing_leaves_everything() -> None:
    found = coverage(DOES_NOTHING)
    assert found.counts == {"gap": len({row.tag for row, _ in probed_rows()})}
    assert found.failure is None
    assert list(found.kinds) == list(KINDS)


@pytest.mark.parametrize(
    "option",
    ["basic", OPTIONS[0], *(pytest.param(option, marks=pytest.mark.slow) for option in OPTIONS[1:])],
)
def test_the_script_of_the_library_leaves_nothing(option: str) -> None:
    text = make_script([] if option == "basic" else [option])
    found = coverage(text, options=[option])
    assert found.gaps == []
    assert not [row for row in found.rows if row.is_lost]
    assert (found.counts["kept"] > 0) == (option != "basic")


@pytest.mark.parametrize(
    "tag",
    [
        "(0008,1155)",
        "(60XX,3000)",
        *(pytest.param(tag, marks=pytest.mark.slow) for tag in ("(0008,0080)", "(0010,1002)", "(50XX,XXXX)")),
    ],
)
def test_a_line_less_in_the_script_is_one_gap(tag: str) -> None:
    written = tag.replace("XX,", "X@,")
    lines = make_script().splitlines(keepends=True)
    less = [line for line in lines if written not in line]
    assert len(less) == len(lines) - 1
    # References inside of sequences that stay are other UIDs only as long as that line is there.
    expected = {tag, "(0008,1140)", "(0008,2112)"} if tag == "(0008,1155)" else {tag}
    assert {row.tag for row in coverage("".join(less)).gaps} == expected


def test_private_attributes_are_a_gap_of_their_own() -> None:
    text = make_script().replace("removeAllPrivateTags\n", "")
    assert [row.tag for row in coverage(text).gaps] == ["private"]


def test_what_an_option_keeps_is_no_gap_and_lost_without_it() -> None:
    found = coverage(make_script(), options=["basic", "retain-patient-characteristics"])
    row = row_of(found, "(0010,1010)")
    assert (row.wanted, row.top, row.is_gap, row.is_lost) == (Action.KEEP, Outcome.REMOVED, False, True)
    kept = coverage(make_script(["retain-patient-characteristics"]))
    assert row_of(kept, "(0010,1010)").is_gap


def test_a_script_that_stops_at_the_top_level_leaves_items() -> None:
    row = row_of(coverage("- (0010,0030)\n(0010,0020) := subject\n"), "(0010,0030)")
    assert (row.keyword, row.top, row.nested, row.is_gap) == (
        "PatientBirthDate", Outcome.REMOVED, Outcome.UNCHANGED, True,
    )  # fmt: skip


def test_what_is_done_for_one_modality_only_is_a_gap() -> None:
    some = 'version "6.6"\n(0008,0060) = "CT" ? -*/(0008,0080)\n'
    assert row_of(coverage(some), "(0008,0080)").is_gap
    others_rejected = some + '(0008,0060) != "CT" ? reject[]\n'
    found = coverage(others_rejected)
    assert not row_of(found, "(0008,0080)").is_gap
    assert found.kinds == ["CT"]


#: Each statement leaves the attribute of an object, though not where one looks first.
LEFT = {
    # one group of several, one item of two, one element of an item, three levels of more
    "(60XX,3000)": "-*/(6000,3000)",
    "(50XX,XXXX)": "-*/(5000,3000)",
    "(0010,1002)": "-*/(0010,1002)[0]",
    "(0008,1120)": "-*/(0008,1120)/(0008,0100)\n-*/(0008,1120)/(0008,1155)",
    "(0010,0030)": "-(0010,0030)\n-./(0010,0030)\n-././(0010,0030)",
    # values that are equal by chance in no object of a patient
    "(0008,0050)": "blankValues[collectValues[{(0010,0021)}]]",
    "(0008,0020)": "blankValues[collectValues[{(0010,0032)}]]",
    # for other modalities than those that are always tried
    "(0010,0020)": '(0008,0060) != "PT" ? -*/(0010,0020)',
    "(0010,1000)": '(0008,0060) ~ "NM|XA" ? (0012,0062) := "YES" : -*/(0010,1000)',
    # brought back
    "(0010,0010)": "name := (0010,0010)\n-*/(0010,0010)\n(0010,0010) := name",
}


def test_what_goes_in_some_places_only_is_a_gap() -> None:
    found = coverage('version "6.6"\n' + "\n".join(LEFT.values()) + "\n")
    assert {tag for tag in LEFT if row_of(found, tag).is_gap} == set(LEFT)


@pytest.mark.parametrize(
    "statement",
    [
        'retainPrivateTags["(0029,{SIEMENS CSA HEADER}XX)"]',
        *(
            pytest.param(statement, marks=pytest.mark.slow)
            for statement in (
                "retainPrivateTags[*/(00#9,{PROBE 1.0}1X)]",
                "-*/(0019,{PROBE 1.0}XX)",
                'delete["(0019,0010)"]\ndelete["(0029,0011)"]',
            )
        ),
    ],
)
def test_private_attributes_that_the_script_knows_count_like_others(statement: str) -> None:
    assert row_of(coverage(f'version "6.6"\n{statement}\n'), "private").is_gap


def test_a_value_that_is_copied_elsewhere_is_a_gap() -> None:
    statements = (
        '(0010,4000) := format["name: {0}", (0010,0010)]',
        "-*/(0010,0010)",
        "(0008,0090) := (0008,1048)",
        "-*/(0008,1048)",
        "name := (0008,1050)",
        "-*/(0008,1050)",
    )
    found = coverage('version "6.6"\n' + "\n".join(statements) + "\n")
    for tag, outcome in (
        ("(0010,0010)", Outcome.COPIED),
        ("(0008,1048)", Outcome.COPIED),
        ("(0008,1050)", Outcome.REMOVED),
    ):
        row = row_of(found, tag)
        assert (row.top, row.nested, row.is_gap) == (outcome, Outcome.REMOVED, outcome is Outcome.COPIED)


def test_a_value_that_stays_under_another_vr_or_without_its_creator_is_unchanged() -> None:
    found = coverage("(0008,0015) := (0008,0015)\n- (0019,0010)\n- (0029,0011)\n")
    for tag in ("(0008,0015)", "private"):
        assert row_of(found, tag).top is Outcome.UNCHANGED


def test_modalities_that_a_script_compares_with_are_tried_too() -> None:
    text = (
        'version "6.6"\n(0008,0060) ~ "PT|NM" ? (0012,0062) := "YES"\nequals[(0008,0060), "XA"] ? reject[]\n'
    )
    assert set(coverage(text).kinds) == {"PT", "NM", *KINDS}


def test_a_script_that_takes_no_object_says_nothing() -> None:
    rejecting = coverage('version "6.6"\nreject[]\n')
    assert (rejecting.rows, rejecting.failure, rejecting.kinds) == ([], None, [])
    failing = coverage('version "6.6"\n(0010,0020) := substring["a", 5, 9]\n')
    assert failing.rows == []
    assert failing.failure is not None
    assert failing.failure.diagnostics[0].line == 2


@pytest.mark.parametrize("table", [None, "pid/PID-1 = S1"])
def test_keys_that_a_lookup_table_lacks_count_as_found(table: str | None) -> None:
    text = 'version "6.6"\n(0010,0020) := lookup["pid", (0010,0020)]\n'
    found = coverage(text, lookup=None if table is None else parse_table(table))
    assert row_of(found, "(0010,0020)").top is Outcome.REPLACED


def test_a_mistake_in_the_script_is_told_as_ever() -> None:
    with pytest.raises(anon.ScriptError):
        coverage('version "6.6"\nnosuch["x"]\n')


@pytest.mark.parametrize(
    ("options", "message"),
    [(["strict"], "no profile 'strict'.*basic"), (["retain-dates", "retain-dates-shifted"], "exclude")],
)
def test_profiles_that_there_are_not_are_refused(options: list[str], message: str) -> None:
    with pytest.raises(UnknownOptionError, match=message):
        coverage(DOES_NOTHING, options=options)
