"""Routing rules: labels taken from any element by a regular expression, as in XNAT.

One rule a line, `(GGGG,EEEE):REGEX[:GROUP][ t:TARGET r:REPLACEMENT]`. The regular expression has to match the
whole value; GROUP is 1 unless given. With t and r every match of TARGET in the group is replaced. Rules are
tried in order and the first one that gives something wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import regex

from anon.encoding.elements import DataSet
from anon.java_regex import MATCH_SECONDS, JavaRegexError, compile_java
from anon.java_replacement import compile_replacement
from config.settings import Routing, Settings
from prearchive.errors import ConfigurationProblemError
from prearchive.values import find_value

#: A value is cut to this many characters before it is matched, unless the rule replaces something.
VALUE_CHARACTERS: Final = 64

_RULE = re.compile(
    r"\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\):(.+?)(?::([0-9]+))?(?: t:(.+?) r:(.*))?", re.ASCII | re.DOTALL
)
_FORM = "(GGGG,EEEE):REGEX[:GROUP][ t:TARGET r:REPLACEMENT]"


class RoutingRuleError(ConfigurationProblemError):
    """A routing rule cannot be read; the message says why, whoever shows it quotes the rule."""


class Rule(NamedTuple):
    """A routing rule, ready to run."""

    text: str
    tag: int
    pattern: regex.Pattern[str]
    group: int
    target: regex.Pattern[str] | None
    replacement: Callable[[regex.Match[str]], str] | None

    def find_label(self, dataset: DataSet, charsets: Sequence[str] | None = None) -> str | None:
        """Return what the rule takes from a data set, None when it does not apply or gives nothing."""
        value = find_value(dataset, self.tag, charsets)
        if value is None:
            return None
        if self.target is None:
            value = value[:VALUE_CHARACTERS]
        try:
            found = self.pattern.fullmatch(value, timeout=MATCH_SECONDS)
            if found is None:
                return None
            text = found[self.group] or ""
            if self.target is not None and self.replacement is not None:
                text = self.target.sub(self.replacement, text, timeout=MATCH_SECONDS)
        except TimeoutError:
            # The pattern backtracks without end on this value; waiting longer would block the association.
            return None
        return text or None


@lru_cache(maxsize=1024)
def parse_rule(text: str) -> Rule:
    """Read one rule.

    Raises:
        RoutingRuleError: it has not the form of a rule, or holds a bad regular expression.
    """
    found = _RULE.fullmatch(text.strip())
    if not found:
        raise RoutingRuleError(f"this is no routing rule; the form is {_FORM}")
    group_hex, element_hex, pattern_text, group_text, target_text, replacement_text = found.groups()
    try:
        pattern = compile_java(pattern_text)
        group = int(group_text or "1")
        if group > pattern.groups:
            raise JavaRegexError(
                f"it asks for group {group}, the regular expression has {pattern.groups or 'none'}"
            )
        target = replacement = None
        if target_text is not None:
            target = compile_java(target_text)
            replacement = compile_replacement(replacement_text, target)
    except JavaRegexError as error:
        raise RoutingRuleError(str(error)) from None
    return Rule(text.strip(), int(group_hex + element_hex, 16), pattern, group, target, replacement)


def rule_problem(text: str) -> str | None:
    """Say what is wrong with a rule, or return None; blank lines are no mistake."""
    if not text.strip():
        return None
    try:
        parse_rule(text)
    except RoutingRuleError as error:
        return str(error)
    return None


def routing_problems(settings: Settings) -> list[str]:
    """Return a line for each rule in the settings that cannot be used: which key, which rule, why."""
    problems = []
    for key, routing in _tables(settings):
        for question in ("project", "subject", "session"):
            for index, text in enumerate(getattr(routing, question)):
                problem = rule_problem(text)
                if problem:
                    problems.append(f"{key}.{question}[{index}]: {text!r}: {problem}")
    return problems


def _tables(settings: Settings) -> Iterator[tuple[str, Routing]]:
    yield "routing", settings.routing
    for index, receiver in enumerate(settings.receivers):
        yield f"receivers[{index}].routing", receiver.routing


def find_routed(
    rules: Sequence[str],
    dataset: DataSet,
    charsets: Sequence[str],
    accept: Callable[[str], str | None],
) -> tuple[int, str, str] | None:
    """Return the first rule's result that `accept` takes: number of the rule from 1, text, accepted text."""
    for number, text in enumerate(rules, 1):
        if not text.strip():
            continue
        label = parse_rule(text).find_label(dataset, charsets)
        accepted = accept(label) if label else None
        if label and accepted:
            return number, label, accepted
    return None
