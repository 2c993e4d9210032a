"""The steps of a script of DicomEdit 6: top to bottom, each sees what the ones before it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from anon.functions.registry import Builtin
from anon.lint.effects import (
    ALWAYS,
    READS_ALL,
    Effect,
    Guard,
    Kind,
    Resolve,
    Step,
    effects_of_call,
    has_effects,
    inner_values,
    written_paths,
)
from anon.lint.paths import PRIVATE
from anon.syntax import nodes
from anon.tagpath import TagPath

_PATH_KINDS = frozenset({"paths", "path list", "private paths", "tags", "tag", "source"})


def steps6(
    statements: Sequence[nodes.Statement6], functions: Mapping[str, Builtin], resolve: Resolve
) -> list[Step]:
    """The statements and conditions in the order in which they are carried out."""
    return list(_Walk(functions, resolve).block(statements, ALWAYS))


class _Walk:
    def __init__(self, functions: Mapping[str, Builtin], resolve: Resolve) -> None:
        self._functions = functions
        self._resolve = resolve

    def block(self, statements: Sequence[nodes.Statement6], guard: Guard) -> Iterator[Step]:
        for statement in statements:
            yield from self._statement(statement, guard)

    def _statement(self, statement: nodes.Statement6, guard: Guard) -> Iterator[Step]:
        if isinstance(statement, nodes.Ternary):
            yield self._condition(statement.condition, guard)
            yield from self.block((statement.then,), guard | {(statement.span, 0)})
            if statement.otherwise is not None:
                yield from self.block((statement.otherwise,), guard | {(statement.span, 1)})
        elif isinstance(statement, nodes.IfBlock):
            for number, branch in enumerate(statement.branches):
                # The first condition is always asked, the others when those before did not hold.
                asked = guard if number == 0 else guard | {(statement.span, "asked", number)}
                yield self._condition(branch.condition, asked)
                yield from self.block(branch.body, guard | {(statement.span, number)})
            yield from self.block(statement.otherwise, guard | {(statement.span, len(statement.branches))})
        else:
            yield self._action(statement, guard)

    def _condition(self, condition: nodes.Condition, guard: Guard) -> Step:
        if isinstance(condition, nodes.Call):
            return self._step(condition, guard, [condition])
        return self._step(condition, guard, [condition.left, condition.right])

    def _action(self, statement: nodes.Statement6, guard: Guard) -> Step:
        if isinstance(statement, nodes.Assign | nodes.AssignIfPresent):
            kind: Kind = "assign" if isinstance(statement, nodes.Assign) else "replace"
            target = statement.target
            return self._step(
                statement, guard, [statement.value], Effect(kind, target.path, target.span, statement.value)
            )
        if isinstance(statement, nodes.Delete):
            target = statement.target
            return self._step(statement, guard, [], Effect("delete", target.path, target.span))
        if isinstance(statement, nodes.RemoveAllPrivateTags):
            return self._step(statement, guard, [], Effect("delete", PRIVATE, statement.span))
        if isinstance(statement, nodes.Initialise | nodes.Echo):
            return self._step(statement, guard, [] if statement.value is None else [statement.value])
        if isinstance(statement, nodes.Call):
            return self._step(statement, guard, [statement])
        return Step(statement.span, guard)

    def _step(self, node: nodes.Node, guard: Guard, values: Sequence[nodes.Value], *effects: Effect) -> Step:
        look = _Look(self._functions, self._resolve)
        for value in values:
            look.at(value)
        return Step(
            node.span,
            guard,
            tuple(look.reads),
            (*look.effects, *effects),
            tuple(look.may_read),
            look.reads_all,
        )


class _Look:
    """Collects what values read and do."""

    def __init__(self, functions: Mapping[str, Builtin], resolve: Resolve) -> None:
        self._functions = functions
        self._resolve = resolve
        self.reads: list[nodes.Path] = []
        self.may_read: list[TagPath] = []
        self.effects: list[Effect] = []
        self.reads_all = False

    def at(self, value: nodes.Value) -> None:
        """Take in a value."""
        if isinstance(value, nodes.Path):
            self.reads.append(value)
        elif isinstance(value, nodes.Values):
            self.may_read.extend(each.path for each in inner_values(value) if isinstance(each, nodes.Path))
        elif isinstance(value, nodes.Call):
            self.reads_all |= value.name.name in READS_ALL
            if has_effects(value):
                self.effects.extend(effects_of_call(value, self._resolve))
            else:
                self._arguments(value)

    def _arguments(self, call: nodes.Call) -> None:
        known = self._functions.get(call.name.name)
        wanted = known.arguments if known is not None else ()
        for number, argument in enumerate(call.arguments):
            kind = wanted[min(number, len(wanted) - 1)].kind if wanted else "text"
            if kind not in _PATH_KINDS:
                self.at(argument)
                continue
            paths = written_paths(argument, self._resolve)
            self.reads.extend(path for path in paths if path is not None)
            self.reads_all |= None in paths
