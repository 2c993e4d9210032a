"""Comparisons that hold at other times than they seem to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anon.lint.checked import Checked
from anon.lint.conditions import path_and_other
from anon.lint.paths import described_tag
from anon.lint.rule import Finding, lint
from anon.syntax import nodes
from anon.tagpath import TagPath, TagStep
from anon.vr import misfit, vr_today

_SPECIAL: Final = frozenset(".\\[]{}()*+?^$|")
_CODES: Final = frozenset({"CS", "UI", "AE"})  # hardly anybody looks for a part of them
_DECIMAL_VRS: Final = frozenset({"DS", "FL", "FD"})


@lint(
    "odd-comparison",
    title="an element is compared with a value that it cannot have",
    fires='(0008,0060) = "mr" : - (0010,0010)\n',
    silent='(0008,0060) = "MR" : - (0010,0010)\n',
)
def odd_comparison(checked: Checked) -> Iterator[Finding]:
    """Case counts, and blanks at the end of a value are not part of it.

    A code such as the modality is in capitals, a date is eight digits. An object that keeps to the rules
    never has this value, so the condition says the same for all of them.
    """
    for condition, path, text in _comparisons(checked):
        if condition.operator.endswith("~") or not text:
            continue
        vr = vr_today(_tag_of(path.path))
        remark = misfit(vr, text)
        if text.rstrip(" ") != text and vr != "UN":
            remark, hint = "blanks at the end are not part of a value", "leave the blanks out"
        elif remark:
            capitals = text.upper()
            fits = capitals != text and not misfit(vr, capitals)
            hint = f'write "{capitals}"' if fits else f"how {vr} is written: PS3.5 section 6.2"
        else:
            continue
        yield Finding(condition.span, f"{described_tag(_tag_of(path.path))}: {remark}", hint)


@lint(
    "missing-equal",
    title="two elements that are both missing count as equal",
    fires="(0010,0010) = (0010,0020) : - (0010,0020)\n",
    silent='(0010,0010) = "PHANTOM" : - (0010,0020)\n',
    dialects=(4,),
)
def missing_equal(checked: Checked) -> Iterator[Finding]:
    """In DicomEdit 4 an element that is missing equals another one that is missing, but not an empty text.

    So the statement is also carried out where neither is there. In DicomEdit 6 it would not be. If that is
    meant, allow it.
    """
    for condition in checked.conditions:
        if not isinstance(condition, nodes.Comparison) or condition.operator != "=":
            continue
        if checked.may_be_absent(condition.left) and checked.may_be_absent(condition.right):
            message = "this is also true when both are missing"
            yield Finding(condition.span, message, "if that matters, ask for one value with ~ first")


@lint(
    "compared-with-empty",
    title="a missing element does not equal an empty text",
    fires='(0010,0020) = "" : (0010,0020) := subject\n',
    silent="(0010,0020) := subject\n",
)
def compared_with_empty(checked: Checked) -> Iterator[Finding]:
    """`= ""` is only true where the element is there and empty, not where it is missing.

    `!= ""` of DicomEdit 6 is also true where it is missing. To ask whether an element has a value write
    `~ ".+"`, whether it is there `isPresent` of DicomEdit 6.
    """
    for condition, path, text in _comparisons(checked):
        if text == "" and condition.operator.endswith("="):
            holds = "true" if condition.operator == "!=" else "false"
            message = f"where {path.path} is missing this is {holds}"
            yield Finding(condition.span, message, 'to ask for a value write ~ ".+"')


@lint(
    "number-as-text",
    title="a decimal number is compared as text",
    fires='(0018,0050) = "5" : - (0018,0050)\n',
    silent='(0018,0050) ~ "5(\\\\.0*)?" : - (0018,0050)\n',
)
def number_as_text(checked: Checked) -> Iterator[Finding]:
    r"""Values are compared letter by letter: 5 is not 5.0, and 1e1 is not 10.

    Devices write decimal numbers in many ways. Ask with a pattern instead: `~ "5(\\.0*)?"`.
    """
    for condition, path, text in _comparisons(checked):
        tag = _tag_of(path.path)
        if not condition.operator.endswith("~") and text and vr_today(tag) in _DECIMAL_VRS:
            message = f"{described_tag(tag)} is compared as text: 5 is not 5.0"
            yield Finding(condition.span, message, 'use a pattern, such as ~ "5(\\\\.0*)?"')


@lint(
    "whole-match",
    title="a pattern without wildcards has to be the whole value",
    fires='(0008,103E) ~ "SCOUT" : - (0008,103E)\n',
    silent='(0008,103E) ~ ".*SCOUT.*" : - (0008,103E)\n',
)
def whole_match(checked: Checked) -> Iterator[Finding]:
    """`~`, `ismatch` and `match` of DicomEdit 4 want the pattern to match all of the value, not a part.

    So a plain word only finds values that are this word and nothing else. For a part of the value write
    `".*WORD.*"`; for the whole value `=` says the same more clearly.
    """
    patterns = [
        condition.right
        for condition in checked.conditions
        if isinstance(condition, nodes.Comparison)
        and condition.operator.endswith("~")
        and not (isinstance(condition.left, nodes.Path) and vr_today(_tag_of(condition.left.path)) in _CODES)
    ]
    for call, node in checked.arguments_of_kind("pattern"):
        if call.name.name == "ismatch" or checked.dialect == 4:
            patterns.append(node)
    for node in patterns:
        text = checked.constants.text(node)
        if text and not _SPECIAL & set(text):
            message = "this only finds values that are this text and nothing else"
            yield Finding(node.span, message, f'for a part of the value write ".*{text}.*"')


# -- what the rules share


def _comparisons(checked: Checked) -> Iterator[tuple[nodes.Comparison, nodes.Path, str]]:
    """Comparisons of an element with a text that is always the same."""
    for condition in checked.conditions:
        if isinstance(condition, nodes.Comparison):
            path, other = path_and_other(condition)
            text = None if other is None else checked.constants.text(other)
            if path is not None and text is not None:
                yield condition, path, text


def _tag_of(path: TagPath) -> int:
    last = path.steps[-1]
    return last.bits if isinstance(last, TagStep) and last.mask == 0xFFFFFFFF else 0x00090000
