"""A script as the rules of the linter see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final, Literal, cast

from anon.compiling import Compiled
from anon.functions.registry import Argument
from anon.lint.constants import Constants
from anon.lint.effects import Effect, Step, inner_values
from anon.lint.effects4 import steps4
from anon.lint.effects6 import steps6
from anon.lint.index import EffectIndex
from anon.syntax import nodes
from anon.syntax.span import Source, Span
from anon.tagpath import TagPath
from anon.values import Values

Purpose = Literal["site", "project"]
# Functions without value when their first argument has none, and those that may find none anyway.
_ABSENT_WITH_ARGUMENT: Final = frozenset({"hashUID", "mapUID", "normalizeString"})
_ABSENT_WITH_ARGUMENT_4: Final = frozenset({"lowercase", "uppercase", "urlEncode", "substring"})
_MAY_FIND_NOTHING: Final = frozenset({"match", "valueAt"})
_MOST_HOPS: Final = 50  # of variables that stand for variables
Statement = nodes.Statement4 | nodes.Statement6


class Checked:
    """A script that was read, and what can be said about it without an object.

    Attributes:
        compiled: the script.
        purpose: what it is for, as far as known.
    """

    def __init__(self, compiled: Compiled, purpose: Purpose | None) -> None:
        self.compiled = compiled
        self.purpose = purpose

    @property
    def source(self) -> Source:
        """The text, for places in it."""
        return self.compiled.language.source

    @property
    def dialect(self) -> int:
        """4 or 6."""
        return self.compiled.language.dialect

    @property
    def values(self) -> Values:
        """How the dialect reads and writes values."""
        return self.compiled.program.values

    def line(self, span: Span) -> int:
        """The line that a span begins in, from 1."""
        return self.source.position(span).line

    # -- statements

    @cached_property
    def statements(self) -> list[Statement]:
        """All statements in the order of the text, also those in blocks and behind conditions."""
        return list(_nested(self.compiled.statements))

    @cached_property
    def conditions(self) -> list[nodes.Condition]:
        """All conditions in the order of the text."""
        found: list[nodes.Condition] = []
        for statement in self.statements:
            if isinstance(statement, nodes.Conditional):
                found.extend(statement.conditions)
            elif isinstance(statement, nodes.Ternary):
                found.append(statement.condition)
            elif isinstance(statement, nodes.IfBlock):
                found.extend(branch.condition for branch in statement.branches)
        return found

    @cached_property
    def values_used(self) -> list[nodes.Value]:
        """Every value that stands anywhere, and all values in them."""
        found: list[nodes.Value] = []
        for value in _outer_values(self.statements, self.conditions):
            found.extend(inner_values(value))
        return found

    @cached_property
    def calls(self) -> list[nodes.Call]:
        """All calls of functions."""
        return [value for value in self.values_used if isinstance(value, nodes.Call)]

    def arguments_of_kind(self, kind: str) -> Iterator[tuple[nodes.Call, nodes.Value]]:
        """The arguments that functions want as something in particular, such as a "pattern"."""
        for call in self.calls:
            known = self.compiled.functions.get(call.name.name)
            wanted: tuple[Argument, ...] = () if known is None else known.arguments
            for argument, node in zip(wanted, call.arguments, strict=False):
                if argument.kind == kind:
                    yield call, node

    # -- what is known of variables

    @cached_property
    def initials(self) -> list[nodes.Initialise]:
        """All statements that give variables values."""
        return [each for each in self.statements if isinstance(each, nodes.Initialise)]

    @cached_property
    def constants(self) -> Constants:
        """The values that are always the same."""
        return Constants(self.compiled, self._single_values())

    def _single_values(self) -> Mapping[str, nodes.Value]:
        """The values of variables that get one, once and for certain."""
        ignores_case = self.dialect == 4
        counted = Counter(
            each.name.name.lower() if ignores_case else each.name.name for each in self.initials
        )
        supplied = self.compiled.program.required
        found: dict[str, nodes.Value] = {}
        for statement in self.compiled.statements:
            if isinstance(statement, nodes.Initialise):
                spelled = statement.name.name
                name = spelled.lower() if ignores_case else spelled
                if counted[name] == 1 and spelled.lower() not in supplied:
                    found[name] = statement.value
        return found

    # -- what it does to elements

    @cached_property
    def steps(self) -> list[Step]:
        """What it does, in the order in which it is done."""
        if self.dialect == 4:
            return steps4(cast("tuple[nodes.Statement4, ...]", self.compiled.statements), self.source)
        statements = cast("tuple[nodes.Statement6, ...]", self.compiled.statements)
        return steps6(statements, self.compiled.functions, self.constants.resolve)

    @cached_property
    def effects(self) -> list[tuple[Step, Effect]]:
        """The effects of all steps, with their step."""
        return [(step, effect) for step in self.steps for effect in step.effects]

    @cached_property
    def index(self) -> EffectIndex:
        """The effects, by the elements they are about."""
        found = EffectIndex()
        for step, effect in self.effects:
            found.add(step, effect)
        return found

    @cached_property
    def named_paths(self) -> list[tuple[TagPath, Span]]:
        """Every path that stands in the script, also in texts that are taken for paths."""
        found: dict[tuple[Span, str], TagPath] = {}
        for value in self.values_used:
            if isinstance(value, nodes.Path):
                found[value.span, value.path.text] = value.path
        for _, effect in self.effects:
            if effect.path is not None:
                found.setdefault((effect.span, effect.path.text), effect.path)
        for step in self.steps:
            for read in step.reads:
                found.setdefault((read.span, read.path.text), read.path)
        return [(path, span) for (span, _), path in found.items()]

    @cached_property
    def has_open_effects(self) -> bool:
        """Whether some elements are changed of which only a run can tell which they are."""
        return any(
            effect.path is None and effect.kind not in ("blank", "reject") for _, effect in self.effects
        )

    def is_made_again(self, step: Step, tag: int) -> bool:
        """Whether an element is given a value after a step removed it."""
        later = False
        for other, effect in self.effects:
            if later and effect.kind == "assign" and (effect.path is None or effect.path.tag == tag):
                return True
            later = later or other is step
        return False

    # -- what is known of values

    def stands_for(self, value: nodes.Value) -> nodes.Value:
        """A value, or the value of the variable that it is, when that is always the same one."""
        for _ in range(_MOST_HOPS):
            if not isinstance(value, nodes.Variable):
                break
            found = self.constants.resolve(value)
            if found is None:
                break
            value = found
        return value

    def is_empty(self, value: nodes.Value | None) -> bool:
        """Whether a value is always the empty text."""
        return value is not None and self.constants.text(value) == ""

    @property
    def _absent_with_argument(self) -> frozenset[str]:
        """Functions without value when their first argument has none; in DicomEdit 6 most fail then."""
        return _ABSENT_WITH_ARGUMENT | (_ABSENT_WITH_ARGUMENT_4 if self.dialect == 4 else frozenset())

    def may_be_absent(self, value: nodes.Value) -> bool:
        """Whether a value may turn out to be no value, without that being a failure."""
        asked: set[str] = set()  # variables: each is followed once, however many others need it
        open_values = [value]
        while open_values:
            each = open_values.pop()
            if isinstance(each, nodes.Path):
                return True
            if isinstance(each, nodes.Variable):
                key = self.constants.key(each.name)
                if key not in asked:
                    asked.add(key)
                    open_values += self._given.get(key, [])
            elif isinstance(each, nodes.Call):
                if each.name.name in self._absent_with_argument:
                    open_values += each.arguments[:1]
                elif each.name.name in _MAY_FIND_NOTHING:
                    return True
        return False

    @cached_property
    def _given(self) -> Mapping[str, list[nodes.Value]]:
        """The values that each variable gets anywhere."""
        found: dict[str, list[nodes.Value]] = {}
        for each in self.initials:
            found.setdefault(self.constants.key(each.name.name), []).append(each.value)
        return found


def _nested(statements: tuple[Statement, ...]) -> Iterator[Statement]:
    for statement in statements:
        yield statement
        if isinstance(statement, nodes.Conditional):
            yield statement.action
        elif isinstance(statement, nodes.Ternary):
            yield statement.then
            if statement.otherwise is not None:
                yield statement.otherwise
        elif isinstance(statement, nodes.IfBlock):
            for branch in statement.branches:
                yield from _nested(branch.body)
            yield from _nested(statement.otherwise)


def _outer_values(statements: list[Statement], conditions: list[nodes.Condition]) -> Iterator[nodes.Value]:
    for statement in statements:
        if isinstance(statement, nodes.Assign | nodes.AssignIfPresent | nodes.Initialise):
            yield statement.value
        elif isinstance(statement, nodes.AssignNew):
            yield from statement.arguments
        elif isinstance(statement, nodes.Echo):
            if statement.value is not None:
                yield statement.value
        elif isinstance(statement, nodes.Call):
            yield statement
    for condition in conditions:
        if isinstance(condition, nodes.Call):
            yield condition
        else:
            yield from (condition.left, condition.right)
