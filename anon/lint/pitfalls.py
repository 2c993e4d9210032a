"""What reads as if it did something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from anon.functions.message_format import FormatError, parse_format
from anon.lint.checked import Checked
from anon.lint.effects import has_effects, inner_values
from anon.lint.knowledge import ALWAYS_THERE
from anon.lint.paths import described_tag
from anon.lint.rule import Finding, lint
from anon.syntax import nodes

_PATTERN_FUNCTIONS: Final = frozenset({"match"})


@lint(
    "empty-copy",
    title="DicomEdit 4 makes an empty element when the one to copy is missing",
    fires="(0010,0020) := (0010,2180)\n",
    silent='(0010,2180) ~ ".*" : (0010,0020) := (0010,2180)\n',
    dialects=(4,),
)
def empty_copy(checked: Checked) -> Iterator[Finding]:
    """The statement is carried out also where the element on its right is missing, or `match` finds nothing.

    Then the element on the left becomes empty, and is created where it was not. To copy only what is there
    put a condition before it: `(0010,2180) ~ ".*" : (0010,0020) := (0010,2180)`.
    """
    for statement in checked.compiled.statements:
        asked: set[int] = set()
        action = statement
        if isinstance(statement, nodes.Conditional):
            action = statement.action
            asked = {tag for each in statement.conditions for tag in _tags_in(checked, each)}
        if not isinstance(action, nodes.Assign) or not checked.may_be_absent(action.value):
            continue
        value = checked.stands_for(action.value)
        read = set(_tags_of(checked, value))
        own = action.target.path.tag
        if not read or read & (asked | ALWAYS_THERE) or own in read:
            continue
        what = described_tag(min(read))
        if isinstance(value, nodes.Call) and value.name.name in _PATTERN_FUNCTIONS:
            message = f"where {what} does not match, {action.target.path} becomes empty"
        else:
            message = f"where {what} is missing, {action.target.path} becomes empty"
        yield Finding(action.value.span, message, "put a condition before it if that matters")


def _tags_in(checked: Checked, condition: nodes.Condition) -> Iterator[int]:
    values = [condition] if isinstance(condition, nodes.Call) else [condition.left, condition.right]
    for value in values:
        yield from _tags_of(checked, value)


def _tags_of(checked: Checked, value: nodes.Value) -> Iterator[int]:
    for inner in inner_values(checked.stands_for(value)):
        found = checked.stands_for(inner)
        if isinstance(found, nodes.Path) and found.path.tag is not None:
            yield found.path.tag


@lint(
    "result-dropped",
    title="a function is called and what it gives is not used",
    fires='version "6.6"\nhashUID[(0020,000D)]\n',
    silent='version "6.6"\n(0020,000D) := hashUID[(0020,000D)]\n',
    dialects=(6,),
)
def result_dropped(checked: Checked) -> Iterator[Finding]:
    """The call has a value, but changes nothing by itself: the object stays as it is.

    Assign the value, `tag := function[...]`. Functions that change the object by themselves are
    `removeTags`, `hashUIDList` and others, see `prearc anon functions`.
    """
    for statement in checked.statements:
        if isinstance(statement, nodes.Call):
            calls = [each for each in inner_values(statement) if isinstance(each, nodes.Call)]
            if all(call.name.name in checked.compiled.functions and not has_effects(call) for call in calls):
                message = f"{statement.name.name} changes nothing by itself, its value is not used"
                yield Finding(statement.span, message, "assign it: (gggg,eeee) := ...")


@lint(
    "never-rejects",
    title="reject is given a text, and rejects nothing",
    fires='version "6.6"\n(0008,0060) = "SR" ? reject["no reports"]\n',
    silent='version "6.6"\n(0008,0060) = "SR" ? reject[]\n',
    dialects=(6,),
)
def never_rejects(checked: Checked) -> Iterator[Finding]:
    """What stands in the brackets of `reject` is no reason: with anything but `true` nothing is rejected.

    The rest of the script is carried out, the object is stored. Write `reject[]`, the reason in a comment.
    """
    for call in checked.calls:
        given = checked.stands_for(call.arguments[0]) if call.arguments else None
        is_reject = call.name.name == "reject"
        if is_reject and isinstance(given, nodes.Text) and given.text.lower() not in ("true", "false"):
            message = "reject only rejects with true or with nothing in its brackets, so every object stays"
            yield Finding(call.arguments[0].span, message, "write reject[], and the reason behind //")


@lint(
    "format-places",
    title="the places of a format and the values behind it do not belong to each other",
    fires='(0010,0020) := "{1}_{2}" project, subject\n',
    silent='(0010,0020) := "{0}_{1}" project, subject\n',
)
def format_places(checked: Checked) -> Iterator[Finding]:
    """A place without a value stays in the text as it is typed: {2} where two values follow.

    A value without a place is lost. Places are counted from {0}. A text that is no format keeps its braces,
    too: write the values behind it in DicomEdit 4, `"{0}_x" subject`, or `format["{0}_x", subject]`.
    """
    for value in checked.values_used:
        pattern, terms = _format_of(value)
        if pattern is None:
            continue
        try:
            places = [part for part in parse_format(pattern.text) if isinstance(part, int)]
        except FormatError:
            continue
        empty = [number for number in places if number >= len(terms)]
        lost = [term for number, term in enumerate(terms) if number not in places]
        if empty:
            message = f"no value is put into {{{empty[0]}}}, which stays in the text"
            yield Finding(pattern.span, message, "places are counted from {0}")
        elif lost:
            yield Finding(
                lost[0].span, "the format has no place for this value", "write {0}, {1} where values belong"
            )
    for statement in checked.statements:
        if not isinstance(statement, nodes.Assign | nodes.AssignIfPresent):
            continue
        text = statement.value
        if isinstance(text, nodes.Text) and (found := _PLACE.search(text.text)):
            message = f"{found[0]} stays in the text, no value is put into it"
            yield Finding(text.span, message, "write the values behind the text, counted from {0}")


_PLACE: Final = re.compile(r"\{(?:[0-9]|project|subject|session)\}")


def _format_of(value: nodes.Value) -> tuple[nodes.Text | None, Sequence[nodes.Value]]:
    """The pattern of a format and the values that are put into it."""
    if isinstance(value, nodes.Format):
        return value.pattern, value.arguments
    if isinstance(value, nodes.Call) and value.name.name == "format" and value.arguments:
        first = value.arguments[0]
        if isinstance(first, nodes.Text):
            return first, value.arguments[1:]
    return None, ()
