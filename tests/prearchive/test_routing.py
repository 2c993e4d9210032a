"""Routing rules: reading, validation, evaluation."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from builders import encode_dataset, make_dataset

from anon.encoding.elements import EXPLICIT_LITTLE, DataSet
from config.settings import Settings
from prearchive.routing import RoutingRuleError, find_routed, parse_rule, routing_problems, rule_problem


def scanned(**elements: Any) -> DataSet:
    return DataSet.scan(encode_dataset(make_dataset(**elements)), EXPLICIT_LITTLE)


def routed(rule: str, **elements: Any) -> str | None:
    return parse_rule(rule).find_label(scanned(**elements))


@pytest.mark.parametrize(
    ("rule", "elements", "expected"),
    [
        ("(0008,0050):[0-9]{4}(.*):1 t:6 r:X", {"AccessionNumber": "1234566"}, "5XX"),
        (r"(0010,0010):.*_(\w+)", {"PatientName": "A_B_C"}, "C"),
        ("(0020,000E):(.*):1 t:.+ r:PROJ", {}, "PROJ"),
        ("(0008,0070):([^M]+).* t:$ r:42", {"Manufacturer": "SIEMENS"}, "SIE42"),
        ("(0010,0020):P(I)D-1:0", {}, "PID-1"),
        ("(0010,0020):PID", {}, None),  # the regular expression has no group and asks for the first
        ("(0010,0020):(PID)", {}, None),  # the whole value has to match
        ("(0010,0020):(PID).*", {}, "PID"),
        ("(0010,0030):(.*)", {"PatientBirthDate": ""}, None),
        ("(0010,0040):(.*)", {}, None),
        ("(0008,0008):(.*)", {"ImageType": ["ORIGINAL", "PRIMARY"]}, "ORIGINAL"),
        ("(0010,4000):(.*)", {"PatientComments": "a\\b"}, "a\\b"),
        ("(0028,0010):(.*)", {"Rows": 512}, "512"),
        ("(0018,0088):(.*)", {"SpacingBetweenSlices": "1.5"}, "1.5"),
        ("(0010,0020):PID(x)?.*", {}, None),  # a group that took no part
        ("(0010,0020):(.*):1 t:PID-1 r:", {}, None),  # replaced by nothing
        (r"(0010,0020):(\w+)-(\d):2 t:(\d) r:v$1", {}, "v1"),
        ("  (0010,0020):(.*)  ", {}, "PID-1"),
        ("(0010,0020):(.*):(.*)", {"PatientID": "a:b"}, "a"),
    ],
)
def test_rules_give_what_xnat_gives(rule: str, elements: dict[str, Any], expected: str | None) -> None:
    if rule == "(0010,0020):PID":
        assert "group 1" in str(rule_problem(rule))
        return
    assert routed(rule, **elements) == expected


def test_without_replacement_a_value_is_cut_before_it_is_matched() -> None:
    long_text = "x" * 100
    assert routed("(0010,4000):(.*)", PatientComments=long_text) == "x" * 64
    assert routed("(0010,4000):(x{100})", PatientComments=long_text) is None
    assert routed("(0010,4000):(.*):1 t:y r:z", PatientComments=long_text) == long_text


def test_tags_are_unsigned_and_may_be_private() -> None:
    dataset = scanned()
    dataset.put(0x90010010, "LO", b"US")
    dataset.put(0x90011001, "LO", b"PROJ")
    dataset.put(0xFFFF1001, "LO", b"LAST")
    assert parse_rule("(9001,1001):(.*)").find_label(dataset) == "PROJ"
    assert parse_rule("(ffff,1001):(.*)").find_label(dataset) == "LAST"


def test_elements_without_text_give_nothing() -> None:
    dataset = scanned()
    dataset.put(0x00091001, "OB", b"PROJ")
    dataset.put(0x00280010, "US", b"")
    dataset.put_sequence(0x00081140)
    for tag in ("0009,1001", "0028,0010", "0008,1140"):
        assert parse_rule(f"({tag}):(.*)").find_label(dataset) is None


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("0008,0050:(.*)", "no routing rule"),
        ("(0008,0050)(.*)", "no routing rule"),
        ("(00080,0050):(.*)", "no routing rule"),
        ("(0008, 0050):(.*)", "no routing rule"),
        ("(0008,0050):", "no routing rule"),
        ("(0008,0050):(.*", ""),
        ("(0008,0050):(.*):2", "group 2"),
        ("(0008,0050):(.*):1 t:( r:x", ""),
        ("(0008,0050):(.*):1 t:a r:$1", "group 1"),
        ("(0008,0050):(?P<x>.*)", "kind of group"),
        ("(0008,0050):(.*)\\", "lone"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_the_reason(rule: str, part: str) -> None:
    assert part in str(rule_problem(rule))
    with pytest.raises(RoutingRuleError):
        parse_rule(rule)


def test_good_rules_and_blank_lines_are_no_problem() -> None:
    assert rule_problem("(0008,0050):(.*)") is None
    assert rule_problem("   ") is None


def test_a_trailing_number_is_a_group_and_only_blanks_introduce_t_and_r() -> None:
    assert parse_rule("(0010,0020):(.*):12:0").group == 0
    rule = parse_rule("(0010,0020):(.*) t:x")
    assert rule.target is None
    assert routed("(0010,0020):(.*) t:x", PatientID="abc t:x") == "abc"


def test_a_pattern_that_backtracks_without_end_gives_nothing_soon() -> None:
    started = time.monotonic()
    assert routed(r"(0010,4000):((?:a|a)+[cd])", PatientComments="a" * 50 + "!") is None
    assert routed(r"(0010,4000):(.*):1 t:(?:a|a)+[cd] r:y", PatientComments="a" * 50 + "!") is None
    assert time.monotonic() - started < 60  # years, if nothing stopped it


def test_the_first_rule_whose_result_is_accepted_wins() -> None:
    known = {"PID": "P1"}.get
    rules = ["", "(0010,0040):(.*)", "(0010,0020):(.*)", "(0010,0020):(PID).*", "(0010,0020):(P).*"]
    assert find_routed(rules, scanned(), [], known) == (4, "PID", "P1")
    assert find_routed(rules[:3], scanned(), [], known) is None


def test_problems_of_the_settings_name_key_and_rule(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "folder": tmp_path,
            "routing": {"subject": ["(0008,0050):(.*)", "nonsense"]},
            "receivers": [{"port": 1}, {"port": 2, "routing": {"session": ["(0008,0050):("]}}],
        }
    )
    first, second = routing_problems(settings)
    assert first.startswith("routing.subject[1]: 'nonsense': ")
    assert second.startswith("receivers[1].routing.session[0]: '(0008,0050):(': ")
