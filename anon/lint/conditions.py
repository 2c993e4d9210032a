"""Conditions that never or always hold, and comparisons that hold at other times than they seem to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from anon.errors import StatementError
from anon.lint.checked import Checked
from anon.lint.effects import has_effects, inner_values
from anon.lint.paths import described_tag
from anon.lint.rule import Finding, lint
from anon.matching import compile_pattern
from anon.operations.condition import is_true
from anon.syntax import nodes
from anon.tagpath import TagPath, TagStep
from anon.vr import misfit, vr_today

_SPECIAL: Final = frozenset(".\\[]{}()*+?^$|")
_DECIMAL_VRS: Final = frozenset({"DS", "FL", "FD"})


@lint(
    "never-runs",
    title="a statement can never be carried out",
    fires='"MR" = "CT" : - (0010,0010)\n',
    silent='(0008,0060) = "CT" : - (0010,0010)\n',
)
def never_runs(checked: Checked) -> Iterator[Finding]:
    """Its condition is false for every object, or contradicts another one, or the script has ended before.

    Nothing tells when it is needed. Correct the condition, or remove the statement.
    """
    for condition in checked.conditions:
        if _truth(checked, condition) is False:
            yield Finding(
                condition.span, "this is never true", "correct the condition, or remove the statement"
            )
    for statement in checked.statements:
        if isinstance(statement, nodes.Conditional):
            yield from _contradictions(checked, statement.conditions)
        elif isinstance(statement, nodes.IfBlock):
            yield from _repeated(checked, statement)
            for branch in statement.branches:
                yield from _after_the_end(checked, branch.body)
            yield from _after_the_end(checked, statement.otherwise)
    yield from _after_the_end(checked, checked.compiled.statements)


def _contradictions(checked: Checked, conditions: Sequence[nodes.Condition]) -> Iterator[Finding]:
    wanted: dict[TagPath, str] = {}
    for condition in conditions:
        if not isinstance(condition, nodes.Comparison) or condition.operator != "=":
            continue
        path, other = _path_and_other(condition)
        text = None if other is None else checked.constants.text(other)
        if path is None or text is None:
            continue
        if wanted.setdefault(path.path, text) != text:
            message = f"{path.path} cannot have two values at once, so this is never true"
            yield Finding(condition.span, message, "write two statements, one for each value")


def _repeated(checked: Checked, block: nodes.IfBlock) -> Iterator[Finding]:
    asked: dict[str, int] = {}
    for branch in block.branches:
        span = branch.condition.span
        words = " ".join(checked.source.text[span.start : span.end].split())
        if words in asked:
            message = f"line {asked[words]} asks the same before, so this branch is never taken"
            yield Finding(span, message, "correct the condition, or remove the branch")
        if not _acts(branch.condition):
            asked.setdefault(words, checked.line(span))


def _acts(condition: nodes.Condition) -> bool:
    """Whether asking changes anything, or may answer differently the next time."""
    values = [condition] if isinstance(condition, nodes.Call) else [condition.left, condition.right]
    calls = [each for value in values for each in inner_values(value) if isinstance(each, nodes.Call)]
    return any(has_effects(call) or call.name.name == "newUID" for call in calls)


def _after_the_end(
    checked: Checked, statements: Sequence[nodes.Statement4 | nodes.Statement6]
) -> Iterator[Finding]:
    for statement, following in pairwise(statements):
        if isinstance(statement, nodes.Call) and statement.name.name == "reject":
            flag = checked.constants.text(statement.arguments[0]) if statement.arguments else "true"
            if is_true(flag):
                line = checked.line(statement.span)
                message = f"line {line} rejects the object, nothing below it is carried out"
                yield Finding(following.span, message, "put a condition before reject[]")
                return


@lint(
    "always-true",
    title="a condition holds for every object",
    fires='"MR" = "MR" : - (0010,0010)\n',
    silent="- (0010,0010)\n",
)
def always_true(checked: Checked) -> Iterator[Finding]:
    """The statement is always carried out, and what stands behind `else` or a second `:` never is.

    Correct the condition, or leave it out.
    """
    for condition in checked.conditions:
        if _truth(checked, condition):
            yield Finding(condition.span, "this is always true", "correct the condition, or leave it out")


def _truth(checked: Checked, condition: nodes.Condition) -> bool | None:
    """Whether a condition holds, if that is the same for every object."""
    if isinstance(condition, nodes.Call):
        found = checked.constants.find(condition)
        return None if found is None or found.failure is not None else is_true(found.text)
    left, right = checked.constants.find(condition.left), checked.constants.find(condition.right)
    if left is None or right is None or left.failure is not None or right.failure is not None:
        return None
    if condition.operator.endswith("="):
        holds = left.text == right.text and (checked.dialect == 4 or left.text is not None)
    else:
        try:
            pattern = compile_pattern(right.text or "")
            holds = left.text is not None and pattern.fullmatch(left.text) is not None
        except StatementError:
            return None
    return holds != condition.operator.startswith("!")


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
        if isinstance(condition, nodes.Comparison) and condition.operator.endswith("~")
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
            path, other = _path_and_other(condition)
            text = None if other is None else checked.constants.text(other)
            if path is not None and text is not None:
                yield condition, path, text


def _path_and_other(condition: nodes.Comparison) -> tuple[nodes.Path | None, nodes.Value | None]:
    left, right = condition.left, condition.right
    if isinstance(left, nodes.Path):
        return left, right
    if isinstance(right, nodes.Path) and condition.operator.endswith("="):
        return right, left
    return None, None


def _tag_of(path: TagPath) -> int:
    last = path.steps[-1]
    return last.bits if isinstance(last, TagStep) and last.mask == 0xFFFFFFFF else 0x00090000
