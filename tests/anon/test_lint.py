"""The linter: every rule speaks up at its example, and is silent at the other; corner cases of each."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
import vectors
from hypothesis import given, settings
from hypothesis import strategies as st
from running_site import PROJECT_SCRIPT, SITE_SCRIPT

import anon
from anon.lint.allow import TOLD_BY_COMPILER
from anon.lint.check import check_script
from anon.lint.checked import Purpose
from anon.lint.effects import Effect, Step
from anon.lint.index import EffectIndex
from anon.lint.paths import covers, covers_below, overlap
from anon.lint.registry import LINTS
from anon.lint.repetition import find_ambiguous
from anon.lint.rule import Lint
from anon.render import render
from anon.syntax.span import Span
from anon.tagpath import parse_path6

V6 = 'version "6.6"\n'
DEFAULTS = Path(__file__).parents[2] / "config" / "defaults"
CORPUS = Path(__file__).parent / "corpus"
BY_CODE = {rule.code: rule for rule in LINTS}


def codes(text: str, purpose: Purpose | None = None) -> list[str]:
    """The codes of all findings, in the order of the script."""
    return [found.code for found in check_script(text, purpose=purpose).diagnostics]


def lines_of(code: str, text: str, purpose: Purpose | None = None) -> list[int]:
    """The lines in which a rule finds something."""
    report = check_script(text, purpose=purpose)
    assert not [found for found in report.diagnostics if found.severity == "error"], report
    return [found.line for found in report.diagnostics if found.code == code]


def purpose_of(rule: Lint) -> Purpose | None:
    return {"site": "site", "project": "project"}.get(rule.purpose)  # type: ignore[return-value]


# -- every rule


@pytest.mark.parametrize("rule", LINTS, ids=lambda rule: rule.code)
def test_each_rule_speaks_up_at_its_example_and_not_at_the_other(rule: Lint) -> None:
    fires = check_script(rule.fires, purpose=purpose_of(rule)).diagnostics
    assert {found.severity for found in fires} == {"warning"}
    assert rule.code in [found.code for found in fires]
    silent = check_script(rule.silent, purpose=purpose_of(rule)).diagnostics
    assert all(found.severity == "warning" for found in silent)
    assert rule.code not in [found.code for found in silent]


@pytest.mark.parametrize("rule", LINTS, ids=lambda rule: rule.code)
def test_each_rule_explains_itself_in_words_for_everybody(rule: Lint) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.code)
    assert not rule.title.endswith(".")
    assert rule.title[0].islower() or rule.title.startswith("DicomEdit")
    paragraphs = rule.text.split("\n\n")
    assert len(paragraphs) >= 2 and all(paragraph.endswith(".") for paragraph in paragraphs)
    jargon = re.compile(r"\b(parser|token|AST|node|lexer|grammar|NFA|null)\b")
    for found in check_script(rule.fires, purpose=purpose_of(rule)).diagnostics:
        if found.code == rule.code:
            assert not jargon.search(found.message + found.hint)
            assert not jargon.search(rule.text + rule.title)
            assert "\n" not in found.message
            assert not found.message.endswith(".")


@pytest.mark.parametrize("rule", LINTS, ids=lambda rule: rule.code)
def test_each_rule_underlines_its_culprit(rule: Lint) -> None:
    for found in check_script(rule.fires, purpose=purpose_of(rule)).diagnostics:
        line = rule.fires.split("\n")[found.line - 1]
        assert found.end_line > found.line or line[found.column - 1 : found.end_column - 1].strip()
        assert "^" in render([found], rule.fires, "script")


@pytest.mark.parametrize(
    "rule", [rule for rule in LINTS if rule.code != "unused-allow"], ids=lambda rule: rule.code
)
def test_each_rule_can_be_silenced(rule: Lint) -> None:
    version, text = (V6, rule.fires.removeprefix(V6)) if rule.fires.startswith(V6) else ("", rule.fires)
    silenced = f"{version}// prearc: allow {rule.code}\n\n{text}"
    found = codes(silenced, purpose_of(rule))
    assert rule.code not in found
    assert "unused-allow" not in found


def test_the_codes_of_rules_are_not_those_of_mistakes() -> None:
    assert not BY_CODE.keys() & TOLD_BY_COMPILER


# -- nothing to say about scripts as they should be


def test_the_scripts_of_the_training_page_are_fine() -> None:
    for purpose in (None, "site"):
        assert codes(SITE_SCRIPT, purpose) == []
    for purpose in (None, "project"):
        assert codes(PROJECT_SCRIPT, purpose) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("path", sorted((DEFAULTS / "anon").rglob("*.das")), ids=lambda path: path.stem)
def test_the_scripts_that_a_new_site_gets_are_fine(path: Path) -> None:
    found = check_script(path.read_text("utf-8"), str(path.relative_to(DEFAULTS)))
    assert found.diagnostics == []


def test_an_empty_script_is_told_to_do_nothing() -> None:
    assert codes("") == codes("// nothing\n") == codes(V6) == ["empty-script"]
    assert codes("// prearc: allow empty-script\n") == []
    assert "empty-script" in codes('unused := "x"\n')
    for some in (
        "reject[]\n",
        "removeAllPrivateTags\n",
        'alterPixels["rectangle", "l=0, t=0, r=9, b=9", "solid", "v=0"]\n',
    ):
        assert "empty-script" not in codes(V6 + some)


def test_a_script_that_only_makes_a_label_is_not_empty() -> None:
    assert codes('session := makeSessionLabel[format["{0}_v##", subject]]\n') == []


# -- UIDs


def test_new_uids_are_found_through_variables_and_functions() -> None:
    assert lines_of("new-uid", V6 + "u := newUID[]\n(0020,000D) := u\n") == [3]
    assert lines_of("new-uid", V6 + "(0020,000E) ?= newUID[]\n(0020,0052) := newUID[]\n") == [2, 3]
    assert lines_of("new-uid", V6 + 'set["(0020,000D)", newUID[]]\n') == [2]
    assert lines_of("new-uid", V6 + '(0020,000D) := hashUID[concatenate[newUID[], "1"]]\n') == [2]
    assert lines_of("new-uid", "(0008,0018) := new UID\n(0020,000E) := hashUID[(0020,000E)]\n") == []


def test_one_uid_for_all_is_found_through_constants() -> None:
    assert lines_of("one-uid", 'u := "1.2.3"\n(0020,000D) := u\n') == [2]
    assert lines_of("one-uid", '(0008,0018) := hashUID["x"]\n') == [1]
    assert lines_of("one-uid", '(0020,000D) := hashUID[subject]\n(0008,1155) := "1.2"\n') == []


def test_uids_that_are_removed_and_made_again_are_not_missed() -> None:
    assert lines_of("uid-removed", V6 + "-(0020,000D)\n(0020,000D) := hashUID[subject]\n") == []
    assert lines_of("uid-removed", V6 + "-(0020,XXXX)\n") == [2]
    assert lines_of("uid-removed", '(0008,0018) := ""\n') == [1]
    assert lines_of("uid-removed", "- (0020,0052)\n") == []  # an image can be without


def test_references_count_at_every_depth() -> None:
    everywhere = '"*/(0008,0018)", "*/(0020,000D)", "*/(0020,000E)", "*/(0020,0052)"'
    references = '"*/(0008,1155)", "*/(3006,0024)"'
    assert lines_of("unmatched-references", V6 + f"hashUIDList[{everywhere}, {references}]\n") == []
    assert lines_of("unmatched-references", V6 + f"hashUIDList[{everywhere}]\n") == [2, 2, 2]
    top = "(0008,0018), (0020,000D), (0020,000E), (0020,0052)"
    assert lines_of("unmatched-references", V6 + f"hashUIDList[{top}]\n") == [2, 2, 2, 2]


def test_references_that_are_removed_are_not_left() -> None:
    sequences = ("0008,1140", "0008,2112", "0008,1115", "0040,A375", "0040,A730", "3006,0010", "300C,0060")
    removed = "".join(f"- ({tag})\n" for tag in (*sequences, "300C,0002", "5200,9230"))
    assert lines_of("unmatched-references", "(0008,0018) := hashUID[(0008,0018)]\n" + removed) == []
    assert lines_of("unmatched-references", "(0008,0018) := hashUID[(0008,0018)]\n- (0008,1140)\n") == [1]


# -- tags and values


def test_tags_are_looked_up_in_texts_and_lists_too() -> None:
    assert lines_of("unknown-tag", V6 + 'removeTags["(0010,0100)", (0010,0010)]\n') == [2]
    assert lines_of("unknown-tag", V6 + "-(0008,1140)[0]/(0008,FFF0)\n") == [2]
    assert lines_of("unknown-tag", V6 + '(0010,0100) = "x" ? -(0010,0010)\n') == [2]
    fine = "- (0010,0000)\n- (6000,3000)\n- (6002,3000)\n- (0029,1010)\n- (0010,0XXX)\n- (0010,0041)\n"
    assert lines_of("unknown-tag", fine) == []


def test_wild_tags_that_mean_nothing_are_told() -> None:
    assert lines_of("unknown-tag", "- (0102,XXXX)\n- (0010,F0XX)\n") == [1, 2]
    tags = ("0010,XXXX", "50X@,XXXX", "60X@,3000", "XXX#,XXXX", "0029,10XX", "XXXX,0010", "0010,000X")
    fine = "".join(f"- ({tag})\n" for tag in tags)
    assert lines_of("unknown-tag", fine) == []
    assert lines_of("unknown-tag", V6 + "-*/(0010,00XX)\n-(50X@,XXX0)\n") == []


def test_a_mistyped_tag_gets_the_one_that_was_meant() -> None:
    (found,) = check_script("- (0100,0010)\n").diagnostics
    assert (found.code, found.hint) == ("unknown-tag", "did you mean (0010,0010) Patient's Name?")


def test_retired_elements_that_identify_may_be_removed() -> None:
    assert lines_of("retired-tag", "- (0010,1000)\n(0010,00XX) := subject\n") == []
    assert lines_of("retired-tag", '(0010,1000) := ""\n') == []
    assert lines_of("retired-tag", "(0010,1000) := subject\n- (0008,0010)\n") == [1, 2]
    assert lines_of("retired-tag", '(0008,0042) = "x" : - (0010,0010)\n') == [1]


def test_copies_of_what_is_missing_are_empty_in_dicomedit_4() -> None:
    assert lines_of("empty-copy", "a := lowercase[(0010,2180)]\n(0010,0020) := a\n") == [2]
    assert lines_of("empty-copy", '(0010,0020) := match[(0010,2180), "a.*", 0]\n') == [1]
    assert lines_of("empty-copy", "(0010,2180) := (0010,0020)\n(0020,000D) := hashUID[(0020,000D)]\n") == []
    assert lines_of("empty-copy", '(0010,0020) := format["{0}", (0010,2180)]\n') == []
    assert lines_of("empty-copy", V6 + "(0010,0020) := (0010,2180)\n") == []


@pytest.mark.parametrize(
    ("statement", "is_bad"),
    [
        ('(0010,0030) := "1970"', True),
        ('(0010,0030) := "19700230"', True),
        ('(0010,0030) := "19700228"', False),
        ('(0010,0030) := ""', False),
        ('(0008,0030) := " "', False),
        ('(0010,0040) := "male"', True),
        ('(0008,0050) := hashUID[(0020,000D)]', True),
        ('(0010,0020) := hashUID[(0020,000D)]', False),
        ('(0008,1030) := "x{0}" "12345678901234567890123456789012345678901234567890123456789012345"', True),
        ('(0010,4000) := "12345678901234567890123456789012345678901234567890123456789012345"', False),
        ('(0010,0010) := "Doe^Jane=\u5c71\u7530"', False),
        ('(0008,0060) := "M\u00c4"', True),
        ('(0020,000D) := "1.02.3"', True),
        ('(0010,0010) := "Doe\tJane"', True),
        ('(0008,1030) := "a\\nb"', True),
        ('(0010,4000) := "a\\nb\tc"', False),
        ('(0010,4000) := "a\x1bb"', True),
        ('(0008,0050) := (0010,0020)', False),
    ],
)  # fmt: skip
def test_constant_values_are_held_against_their_vr(statement: str, is_bad: bool) -> None:
    assert lines_of("bad-value", statement + "\n") == ([1] if is_bad else [])


def test_what_always_fails_is_told_before_an_object_is_refused() -> None:
    assert lines_of("always-fails", '(0028,0010) := "many"\n') == [1]
    assert lines_of("always-fails", V6 + '(0028,0010) := "70000"\n') == [2]
    assert lines_of("always-fails", V6 + '(0008,1140) := "x"\n') == [2]
    assert lines_of("always-fails", V6 + '(0008,1140) ?= "x"\n(0028,0010) := "512"\n') == []
    assert lines_of("always-fails", V6 + 'x := "abc"\ny := substring[x, 2, 9]\n(0008,1030) := y\n') == [3]
    assert lines_of("always-fails", "(0008,1030) := substring[(0010,0020), 2, 9]\n") == []


def test_copies_in_sequences_are_told_once_in_a_language_that_cannot_reach_them() -> None:
    assert lines_of("nested-stays", "- (0008,0050)\n- (0008,0080)\n") == [1]
    assert lines_of("nested-stays", V6 + "-(0008,0050)\n-(0008,0080)\n-(0010,0010)\n") == [2, 3]
    assert lines_of("nested-stays", V6 + "-(0008,0080)\n-*/(0008,00XX)\n") == []


# -- conditions


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (V6 + 'false[] ? -(0010,0010)\n', 2),
        (V6 + '"a" != "a" ? -(0010,0010)\n', 2),
        (V6 + '"abc" ~ "b" ? -(0010,0010)\n', 2),
        (V6 + 'm := "MR"\nm = "CT" ? -(0010,0010)\n', 3),
        (V6 + "reject[]\n-(0010,0010)\n", 3),
        (V6 + 'if ((0008,0060) = "MR") {\nreject[]\n-(0010,0010)\n}\n', 4),
        (V6 + 'if ((0010,0040) = "F") {\n-(0010,0010)\n} elseif ((0010,0040) =  "F") {\nreject[]\n}\n', 4),
        ('(0008,0060) = "MR" : (0008,0060) = "CT" : - (0010,0010)\n', 1),
        (V6 + 'if ((0008,0060) = "MR") {\nif ("CT" = (0008,0060)) {\n-(0010,0010)\n}\n}\n', 3),
        (V6 + 'if ((0008,0060) = "MR") {\n(0008,0060) = "CT" ? -(0010,0010)\n}\n', 3),
    ],
)  # fmt: skip
def test_statements_that_never_run(text: str, line: int) -> None:
    assert lines_of("never-runs", text) == [line]


@pytest.mark.parametrize(
    "text",
    [
        V6 + '(0008,0060) = "SR" ? reject[]\n-(0010,0010)\n',
        V6 + 'reject["false"]\n-(0010,0010)\n',
        V6 + 'm := "MR"\n(0008,0060) = "CT" ? m := "CT"\nm = "CT" ? -(0010,0010)\n',
        V6 + 'if ((0008,0060) = "MR") {\n-(0010,0010)\n} elseif ((0008,0060) = "CT") {\n-(0010,0020)\n}\n',
        V6 + 'if (newUID[] ~ "2.*1") {\n-(0010,0010)\n} elseif (newUID[] ~ "2.*1") {\n-(0010,0020)\n}\n',
        '(0008,0060) = "MR" : (0008,0070) = "CT" : - (0010,0010)\n',
        '(0008,0060) = "MR" : (0008,0060) ~ "M.*" : - (0010,0010)\n',
        'subject = "S1" : - (0010,0010)\n',
        V6 + 'if ((0008,0060) = "MR") {\n(0008,0060) = "MR" ? -(0010,0010)\n}\n',
        V6
        + 'if ((0008,0060) = "MR") {\n(0008,0060) := modalityLabel\n(0008,0060) = "CT" ? -(0010,0010)\n}\n',
        V6 + 'if ((0008,0060) = "MR") {\n-(0010,0010)\n} else {\n(0008,0060) = "CT" ? -(0010,0020)\n}\n',
        V6 + 'if ((0008,0060) = "MR") {\n(0008,0070) = "CT" ? -(0010,0010)\n}\n',
    ],
)
def test_statements_that_may_run(text: str) -> None:
    assert not {"never-runs", "always-true"} & set(codes(text))


def test_comparisons_with_what_cannot_be() -> None:
    assert lines_of("odd-comparison", '(0008,0060) = "MR " : - (0010,0010)\n') == [1]
    assert lines_of("odd-comparison", '"mr" = (0008,0060) : - (0010,0010)\n') == [1]
    assert lines_of("odd-comparison", V6 + '(0010,0030) != "1970" ? -(0010,0010)\n') == [2]
    assert lines_of("odd-comparison", '(0008,0060) ~ "mr" : - (0010,0010)\n') == []
    assert lines_of("odd-comparison", '(0029,1010) = "mr " : - (0010,0010)\n') == []


def test_words_that_are_whole_values_are_looked_for_as_such() -> None:
    assert lines_of("whole-match", '(0008,0060) ~ "MR" : - (0010,0010)\n') == []
    assert lines_of("whole-match", '(0010,0020) := match[(0008,103E), "SCOUT", 0]\n') == [1]
    finds_a_part = '(0010,2180) := match[(0008,103E), "SCOUT", 0]\n(0008,103E) !~ "A" ? -(0010,0010)\n'
    assert lines_of("whole-match", V6 + finds_a_part) == [3]


def test_two_missing_elements_are_equal_in_dicomedit_4_only() -> None:
    text = "(0010,0010) = (0010,0020) : - (0010,0020)\n"
    assert lines_of("missing-equal", text) == [1]
    assert lines_of("missing-equal", V6 + "(0010,0010) = (0010,0020) ? -(0010,0020)\n") == []
    assert lines_of("missing-equal", "a := lowercase[(0010,0010)]\na = (0010,0020) : - (0010,0020)\n") == [2]


# -- order


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('(0010,0010) := "A"\n(0010,0010) := "B"\n', [2]),
        ('(0010,0010) := "B"\n- (0010,00XX)\n', []),
        ('- (0010,00XX)\n(0010,0010) := "B"\n', [2]),
        ('(0008,0060) = "MR" : (0010,0010) := "A"\n(0010,0010) := "B"\n', []),
        ('(0010,0010) := "A"\n(0008,0060) = "MR" : (0010,0010) := "B"\n', [2]),
        ('(0008,0060) = "MR" : - (0010,0010)\n(0008,0060) = "CT" : - (0010,0010)\n', []),
        ('(0010,0010) := "A"\n(0010,0020) := "B"\n', []),
    ],
)
def test_in_dicomedit_4_the_upper_statement_wins(text: str, lines: list[int]) -> None:
    assert lines_of("first-wins", text) == lines


@pytest.mark.parametrize(
    ("statements", "lines"),
    [
        ('(0010,0010) := "A"\n(0010,0010) := "B"\n', [2]),
        ('(0010,0010) := "A"\n(0010,0020) := (0010,0010)\n(0010,0010) := "B"\n', []),
        ('(0010,0010) := "A"\n(0008,0060) = "MR" ? (0010,0010) := "B"\n', []),
        ('(0008,0060) = "MR" ? (0010,0010) := "B"\n(0010,0010) := "A"\n', [2]),
        ('(0010,0010) := "A"\n-(0010,XXXX)\n', [2]),
        ('(0010,0010) := "A"\n(0010,0010) := (0010,1000)\n', []),  # nothing happens where that is missing
        ('(0010,0010) := "A"\n(0010,0010) := concatenate[(0010,0010), "B"]\n', []),
        ('hashUIDList["*/(0008,1155)"]\n-(0008,1140)\n', []),
        ('hashUIDList["(0008,1140)[%]/(0008,1155)"]\n-(0008,1140)\n', [2]),
        ('(0010,0010) := "A"\nblankValues["A"]\n(0010,0010) := "B"\n', []),
    ],
)
def test_in_dicomedit_6_the_lower_statement_wins(statements: str, lines: list[int]) -> None:
    assert lines_of("undone", V6 + statements) == lines


def test_what_was_removed_cannot_be_read_or_changed() -> None:
    assert lines_of("reads-removed", V6 + "-(0010,XXXX)\n(0008,1030) := (0010,0020)\n") == [3]
    assert (
        lines_of("reads-removed", V6 + '-(0010,0020)\n(0010,0020) := "x"\n(0008,1030) := (0010,0020)\n') == []
    )
    assert lines_of("nothing-left", V6 + "-(0008,1140)\nhashUIDList[(0008,1140)[0]/(0008,1155)]\n") == [3]
    conditional = '(0008,0060) = "MR" ? -(0010,0010)\n(0010,0010) ?= "x"\n'
    assert lines_of("nothing-left", V6 + conditional) == []


def test_a_call_whose_value_nobody_uses() -> None:
    assert lines_of("result-dropped", V6 + "lowercase[(0010,0010)]\n") == [2]
    assert lines_of("result-dropped", V6 + 'removeTags[(0010,0010)]\nset["(0010,0010)", "x"]\n') == []


# -- variables


def test_variables_that_nobody_supplies() -> None:
    assert lines_of("unsupplied-variable", "(0010,0010) := PROJECT\n(0010,0020) := ModalityLabel\n") == []
    assert lines_of("unsupplied-variable", 'describe tracer "Tracer"\n') == [1]
    assert lines_of("unsupplied-variable", V6 + '(0010,0010) := name\nname := "x"\n') == [2]
    (found,) = check_script(V6 + "(0008,1030) := Subjct\n").diagnostics
    assert (found.code, found.hint) == ("unsupplied-variable", "did you mean 'subject'?")


def test_labels_in_a_site_script_are_early() -> None:
    text = "(0008,1030) := project\n(0010,0010) := subject\n(0010,0020) := session\n"
    assert lines_of("early-variable", text, "site") == [1, 2, 3]
    assert lines_of("early-variable", text, "project") == lines_of("early-variable", text) == []
    assert lines_of("early-variable", "(0008,103E) := modalityLabel\n", "site") == []


def test_the_place_of_a_script_tells_what_it_is_for() -> None:
    text = "(0010,0010) := subject\n"
    assert [found.code for found in check_script(text, "site/anon/site.das").diagnostics] == [
        "early-variable"
    ]
    assert check_script(text, "site/anon/projects/site.das").diagnostics == []
    assert check_script(text, "site/anon/site.das", purpose="project").diagnostics == []


def test_variables_that_nobody_uses() -> None:
    assert lines_of("unused-variable", 'Name := "x"\n(0008,1030) := name\n') == []  # case does not count
    assert lines_of("unused-variable", V6 + 'Name := "x"\n(0008,1030) := subject\n') == [2]
    assert lines_of("unused-variable", 'a := "x"\ndescribe a "Something"\n') == []


def test_variables_that_only_some_branches_set() -> None:
    both = 'if ((0008,0060) = "MR") {\nn := "a"\n} else {\nn := "b"\n}\n(0008,1030) := n\n'
    assert lines_of("maybe-unset", V6 + both) == []
    assert lines_of("maybe-unset", V6 + both.replace("} else {", '} elseif ((0008,0060) = "CT") {')) == [7]
    assert lines_of("maybe-unset", V6 + 'if ((0008,0060) = "MR") {\nn := "a"\n(0008,1030) := n\n}\n') == []


# -- patterns


RUN_AWAY = [
    r"(a+)+", r"(a*)*b", r"(\w+\s?)+!", r"(a|a)*b", r"(\d|\w)+x", r"(.*,)+x", r"((a+)b?)+c", r"(?:x+){2,}y",
    r"([a-z]+)*\.", r"(?i)(A+)+b", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(a+){10,20}b",
    r"(\p{Lu}+)+z", r"(a?a?)+b",
]  # fmt: skip
HARMLESS = [
    r"a+", r"(ab)+", r"(a+b)+", r"(?>a+)+", r"(a+)++", r"(a++)+", r"[a-z]+\d+", r"(\d+\.)+\d+",
    r"(\d+)(\.\d+)*",
    r".*SCOUT.*", r"(A|B|C)*x", r"(foo|bar)+", r"(?=a+)+b", r"\Q(a+)+\E", r"[(a+)+]+", r"(a{1,3})?", r"(a+)?",
    r"([^,]*,)+x", r"1\.2\.\d+(\.\d+){0,5}", r"[^\]]+[]a]+", r"(a+", "",
]  # fmt: skip


@pytest.mark.parametrize("pattern", RUN_AWAY)
def test_patterns_that_can_run_for_ever(pattern: str) -> None:
    assert find_ambiguous(pattern) is not None


@pytest.mark.parametrize("pattern", HARMLESS)
def test_patterns_that_come_to_an_end(pattern: str) -> None:
    assert find_ambiguous(pattern) is None


def test_patterns_are_looked_at_wherever_they_stand() -> None:
    text = 'p := "(a+)+b"\n(0008,1030) ~ p : - (0010,0010)\n(0010,0020) := match[(0010,0020), "(a*)*", 0]\n'
    assert lines_of("runaway-pattern", text) == [2, 3]


# -- hashes, and what is left


def test_hashes_of_what_can_be_guessed_are_found_through_variables() -> None:
    assert lines_of("guessable-hash", "n := (0010,0010)\n(0010,0020) := hashUID[n]\n") == [2]
    assert lines_of("guessable-hash", "(0010,0020) := hashUID[lowercase[(0010,0010)]]\n") == [1]
    assert lines_of("guessable-hash", V6 + 'hashUIDList["*/(0010,0020)"]\n') == [2]
    assert lines_of("guessable-hash", "(0010,0020) := hashUID[(0020,000D)]\n") == []


def test_a_script_that_de_identifies_says_so() -> None:
    assert lines_of("method-unset", "- (0010,0010)\n") == [1]
    assert lines_of("method-unset", "(0010,0010) := subject\n(0010,0020) := session\n") == []
    assert lines_of("method-unset", "- (0010,0010)\n- (0010,0020)\n", "project") == []
    assert lines_of("method-unset", "- (0010,0010)\n- (0012,0063)\n") == [1]
    coded = '(0012,0064)[0]/(0008,0100) := "113100"\n'
    assert lines_of("method-unset", V6 + "-(0010,0010)\n" + coded) == []
    both = '- (0010,0010)\n- (0010,0020)\n(0012,0063) := "v1"\n'
    assert lines_of("method-unset", both) == [1]
    assert lines_of("method-unset", both + '(0012,0062) := "YES"\n') == []


def test_what_is_called_anonymous_is_looked_at() -> None:
    claim = '(0012,0062) := "YES"\n'
    assert lines_of("identity-stays", V6 + claim) == [2]
    assert lines_of("identity-stays", V6 + "-*\n" + claim) == []
    assert lines_of("identity-stays", V6 + claim, "project") == []
    assert lines_of("identity-stays", '(0012,0062) := "NO"\n') == []
    assert lines_of("private-stays", V6 + claim + 'retainPrivateTags["(0029,{ACME}10)"]\n') == []
    assert lines_of("private-stays", claim + "- (0029,XXXX)\n") == [1]
    assert lines_of("private-stays", claim + "- (XXX#,XXXX)\n") == []


def test_what_was_to_be_replaced_may_stay_in_dicomedit_6() -> None:
    assert lines_of("keeps-old", V6 + "(0010,0020) := hashUID[(0020,000D)]\n") == []  # is in every object
    assert lines_of("keeps-old", V6 + '(0010,0020) := match[(0008,1030), "P[0-9]+", 0]\n') == [2]
    assert lines_of("keeps-old", V6 + "(0010,0020) ?= (0010,1000)\n") == []
    assert lines_of("keeps-old", V6 + '(0010,0020) := "x"\n(0010,0020) := (0010,1000)\n') == []


def test_dates_are_shifted_together() -> None:
    all_four = ", ".join(f'"(0008,002{digit})"' for digit in range(4))
    assert lines_of("dates-mixed", V6 + f'shiftDateTimeListByIncrement[{{{all_four}}}, "1", "days"]\n') == []
    three = ", ".join(f'"(0008,002{digit})"' for digit in range(3))
    shifted = V6 + f'shiftDateTimeListByIncrement[{{{three}}}, "1", "days"]\n'
    assert lines_of("dates-mixed", shifted) == [2]
    assert lines_of("dates-mixed", shifted + "-*/(0008,0023)\n") == []


def test_private_elements_go_with_their_block() -> None:
    assert lines_of("orphans", "- (0029,0010)\n") == [1]
    assert lines_of("orphans", "- (0029,0010)\n- (0029,11XX)\n") == [1]
    assert lines_of("orphans", "- (0029,0010)\n- (XXX#,XXXX)\n") == []


# -- comments that silence


def test_a_comment_silences_its_line_the_statement_below_or_the_script() -> None:
    wrong = "- (0100,0010)\n"
    assert lines_of("unknown-tag", wrong.rstrip() + " // prearc: allow unknown-tag\n" + wrong) == [2]
    assert lines_of("unknown-tag", wrong + "// prearc: allow unknown-tag\n// why\n" + wrong + wrong) == [1, 5]
    assert lines_of("unknown-tag", "// prearc: allow unknown-tag, bad-value\n" + wrong + wrong) == []
    assert lines_of("unknown-tag", V6 + "// prearc: allow unknown-tag\n-(0100,0010)\n-(0100,0010)\n") == []


def test_a_comment_that_silences_nothing_is_told() -> None:
    (found,) = check_script("- (0010,0030) // prearc: allow unknown-tag\n").diagnostics
    assert (found.code, found.line, found.column) == ("unused-allow", 1, 32)
    (found,) = check_script("// prearc: allow unknow-tag\n- (0010,0030)\n").diagnostics
    assert found.hint == "did you mean unknown-tag?"
    (found,) = check_script("// prearc: alow unknown-tag\n- (0010,0030)\n").diagnostics
    assert "not understood" in found.message
    assert codes('(0008,1030) := "// prearc: allow unknown-tag"\n') == []


def test_mistakes_cannot_be_silenced() -> None:
    text = "(0010,0020) := hashUDI[(0010,0020)] // prearc: allow unknown-function\n"
    report = check_script(text)
    assert "unknown-function" in [found.code for found in report.diagnostics if found.severity == "error"]


# -- the door


def test_checking_tells_mistakes_and_warnings_in_the_order_of_the_script() -> None:
    text = '- (0100,0010)\n(0010,0020) := hashUDI["x"]\n(0008,0060) := "much too long for this"\n'
    report = anon.check_script(text)
    assert report.language == "4.x"
    assert [(found.line, found.severity) for found in report.diagnostics] == [
        (1, "warning"), (2, "error"), (3, "warning"),
    ]  # fmt: skip


def test_a_script_in_no_known_language_is_a_report_too() -> None:
    report = anon.check_script('version "9.1"\n')
    assert report.language is None
    assert [found.code for found in report.diagnostics] == ["bad-version"]


def test_a_lookup_table_with_mistakes_is_an_error_of_its_own() -> None:
    with pytest.raises(anon.ScriptError):
        anon.check_script(V6, lookup="nonsense")


def test_compiling_tells_the_warnings_that_are_about_more_than_style() -> None:
    script = anon.compile_script("(0020,000D) := new UID\n(0010,0010) := subjct\n- (0100,0010)\n")
    assert [found.code for found in script.warnings] == ["new-uid", "unsupplied-variable"]


# -- no script makes it fail


def scripts() -> list[str]:
    found = [vector["script"] for vector in vectors.read_vectors() if isinstance(vector.get("script"), str)]
    found += [path.read_text("utf-8") for path in sorted(CORPUS.rglob("*.das"))]
    return found


SCRIPTS = scripts()


def test_every_script_of_the_vectors_can_be_checked() -> None:
    assert len(SCRIPTS) > 900
    for text in SCRIPTS:
        report = check_script(text, purpose="site")
        assert all(1 <= found.line <= found.end_line for found in report.diagnostics)
        assert all(one.line <= other.line for one, other in pairwise(report.diagnostics))


PIECES = re.compile(r'"[^"\n]*"|\([^()\n]*\)|\w+|\n|.')


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(SCRIPTS), st.sampled_from(SCRIPTS), st.randoms(use_true_random=False))
def test_no_script_that_somebody_may_write_makes_it_fail(text: str, other: str, chance: object) -> None:
    pieces = PIECES.findall(text)
    others = PIECES.findall(other) or ["\n"]
    for _ in range(chance.randint(1, 4)):  # type: ignore[attr-defined]
        place = chance.randrange(len(pieces) + 1)  # type: ignore[attr-defined]
        much = chance.randint(0, 2)  # type: ignore[attr-defined]
        start = chance.randrange(len(others))  # type: ignore[attr-defined]
        pieces[place : place + much] = others[start : start + chance.randint(0, 3)]  # type: ignore[attr-defined]
    report = check_script("".join(pieces), purpose="site")
    assert all(found.message for found in report.diagnostics)


@pytest.mark.parametrize("count", [60, 500])
def test_variables_that_stand_for_variables_come_to_an_end(count: int) -> None:
    doubled = "".join(f"a{n + 1} := concatenate[a{n}, a{n}]\n" for n in range(count))
    assert "bad-value" not in codes(f'{V6}a0 := "x"\n{doubled}(0008,1030) := a{count}\n')
    chained = "".join(f"a{n} := lowercase[a{n + 1}]\n" for n in range(count))
    assert codes(f"{chained}a{count} := (0008,1030)\n(0008,1030) := a0\n") == []


# -- paths


@pytest.mark.parametrize(
    ("outer", "inner", "all_meant", "or_below"),
    [
        ("(0010,0010)", "(0010,0010)", True, True),
        ("*/(0010,0010)", "(0010,0010)", True, True),
        ("*/(0010,0010)", "(0008,1140)[%]/(0010,0010)", True, True),
        ("+/(0010,0010)", "(0010,0010)", False, False),
        ("(0010,0010)", "*/(0010,0010)", False, False),
        ("(0008,1140)", "(0008,1140)[1]/(0008,1155)", False, True),
        ("(0008,1140)[1]", "(0008,1140)[1]/(0008,1155)", False, True),
        ("(0008,1140)[0]", "(0008,1140)[1]/(0008,1155)", False, False),
        ("(0008,XXXX)", "(0008,114X)", True, True),
        ("(0008,114X)", "(0008,XXXX)", False, False),
        ("(0009,{ACME}XX)", "(0009,{ACME}10)", True, True),
        ("(0009,{ACME}XX)", "(0009,{OTHER}10)", False, False),
        ("*", "*/(0010,0010)", True, True),
    ],
)
def test_which_paths_mean_all_of_others(outer: str, inner: str, all_meant: bool, or_below: bool) -> None:
    assert covers(parse_path6(outer), parse_path6(inner)) is all_meant
    assert covers_below(parse_path6(outer), parse_path6(inner)) is or_below


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ("(0010,0010)", "*/(0010,0010)", True),
        ("*/(0010,0010)", "*/(0010,0020)", False),
        ("(0008,1140)", "*/(0010,0020)", True),
        ("(0010,00XX)", "(0010,001X)", True),
        ("(0010,00XX)", "(0008,00XX)", False),
        ("(0009,{ACME}XX)", "(0009,{OTHER}XX)", False),
    ],
)
def test_which_paths_have_something_in_common(one: str, other: str, is_shared: bool) -> None:
    assert overlap(parse_path6(one), parse_path6(other)) is is_shared
    assert overlap(parse_path6(other), parse_path6(one)) is is_shared


# Tags with wild digits of every kind, so that each may mean those of many others.
_WILD: Final = [
    f"{first}{second}({group},{element})"
    for first, second in (
        ("", ""), ("*/", ""), ("", "(0040,0275)/"), ("*/", "(0040,02XX)[%]/"), ("", "(0040,0275)[1]/"),
        ("", "(0009,{ACME}02)[0]/"),
    )
    for group, element in (
        ("0040", "0275"), ("0040", "02XX"), ("00X@", "0275"), ("0040", "XXXX"), ("0040", "X2X5"),
        ("0009", "{ACME}01"), ("0009", "{ACME}XX"), ("0009", "{OTHER}01"), ("000@", "XXXX"),
    )
]  # fmt: skip


def test_the_index_finds_all_that_covers_a_path_and_all_that_it_covers_or_meets() -> None:
    paths = [parse_path6(text) for text in [*_WILD, "*", "(0040,0275)/*", "+/(0040,0275)"]]
    acts = [
        (Step(Span(number, number + 1), frozenset()), Effect("delete", path, Span(number, number + 1)))
        for number, path in enumerate(paths)
    ]
    index = EffectIndex()
    for number, act in enumerate(acts):
        if number == 20:
            for path in paths:  # what is asked before everything is added must not spoil what is asked later
                list(index.below(path))
        index.add(*act)
    for path in paths:
        above, below, about = list(index.above(path)), list(index.below(path)), list(index.about(path))
        for act in acts:
            assert act in about or not overlap(act[1].path or path, path)
            assert act in above or not covers_below(act[1].path or path, path)
            assert act in below or not covers_below(path, act[1].path or path)
    for act in acts:
        index.remove(act)
    assert not any([*index.above(path), *index.below(path), *index.about(path)] for path in paths)


@pytest.mark.parametrize(
    "form",
    [
        "*/({group:04X},{element:02X}XX)",
        "({group:04X},{element:02X}XX)",
        "(0029,{{CREATOR {number}}}10)",
        "(XXX#,{{CREATOR {number}}}XX)",
        "(0040,A730)[{number}]/(0040,A730)",
    ],
)
def test_thousands_of_paths_are_compared_with_few_others_each(form: str) -> None:
    paths = [
        parse_path6(form.format(number=number, group=0x10 + 2 * (number // 256), element=number % 256))
        for number in range(2_560)
    ]
    index = EffectIndex()
    compared = 0
    for number, path in enumerate(paths):
        span = Span(number, number + 1)
        compared += len(list(index.above(path))) + len(list(index.below(path)))
        if not form.startswith("*"):
            compared += len(list(index.about(path)))
        index.add(Step(span, frozenset()), Effect("delete", path, span))
    assert compared < 10


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (V6 + "(0020,000D) := newUID\n", "a function has square brackets behind it: newUID[]"),
        (V6 + "(0008,0018) := hashUID\n", "a function has square brackets behind it: hashUID[value]"),
        ("(0020,000D) := newUID\n", "write new UID"),
        ("(0010,0010) := lowercase\n", "a function has square brackets behind it: lowercase[value]"),
        ("(0010,0010) := null\n", 'an empty text is written ""'),
        (V6 + 'if (Modality = "MR") {\n-(0010,0010)\n}\n', "an element is named by its tag: (0008,0060)"),
        ("(0010,0010) := sesion\n", "did you mean 'session'?"),
        (V6 + "(0012,0062) := YES\n", 'a text stands in quotes: "YES"'),
        ("(0010,0010) := label\n", 'give it one: label := "..."'),
    ],
)
def test_a_name_that_is_no_variable_is_told_as_what_it_is_elsewhere(text: str, hint: str) -> None:
    found = [each for each in check_script(text).diagnostics if each.code == "unsupplied-variable"]
    assert [each.hint for each in found] == [hint]


def test_a_variable_whose_line_has_a_mistake_counts_as_supplied() -> None:
    found = check_script("uid := new UID\n(0020,000D) := uid\n(0010,0020) := uit\n").diagnostics
    assert [(each.line, each.code) for each in found if each.code != "method-unset"] == [
        (1, "missing-target"),
        (3, "unsupplied-variable"),
    ]


@pytest.mark.parametrize(
    ("call", "fails"),
    [
        ('match[(0010,0020), "(a)_(b)", 3]', True),
        ('match[(0010,0020), "(a)_(b)", -1]', True),
        ('match[(0010,0020), "(a)_(b)", 2]', False),
        ('match[(0010,0020), "a", 0]', False),
        ("substring[(0010,0020), 4, 2]", True),
        ("substring[(0010,0020), -1, 2]", True),
        ("substring[(0010,0020), 2, 2]", False),
    ],
)
@pytest.mark.parametrize("version", ["", V6])
def test_numbers_that_fit_no_value_are_told(version: str, call: str, fails: bool) -> None:
    codes = [each.code for each in check_script(f"{version}(0010,0010) := {call}\n").diagnostics]
    assert ("always-fails" in codes) == fails


@pytest.mark.parametrize(
    ("value", "is_told"),
    [
        ('format["{1}_{2}", project, subject]', True),
        ('format["%s", subject]', True),
        ('"{0}"', True),
        ('"{subject}"', True),
        ('format["{1}_{0}", project, subject]', False),
        ('format["{0}{0}", subject]', False),
        ('"{a}"', False),
        ("format[pattern, subject]", False),
    ],
)
@pytest.mark.parametrize("version", ["", V6])
def test_places_of_formats_without_values_are_told(version: str, value: str, is_told: bool) -> None:
    text = f'{version}pattern := "{{0}}"\n(0010,0010) := {value}\n'
    assert ("format-places" in [each.code for each in check_script(text).diagnostics]) == is_told


def test_values_behind_a_text_without_places_are_told() -> None:
    assert lines_of("format-places", '(0010,0010) := "a" "b"\n(0010,0020) := "a{0}" "b"\n') == [1]
