"""The steps of a script of DicomEdit 4: from the last statement to the first, nothing is read on the way."""

from __future__ import annotations

from collections.abc import Sequence

from anon.lint.effects import ALWAYS, NEW_UID_4, Effect, Guard, Kind, Step
from anon.syntax import nodes
from anon.syntax.span import Source


def steps4(statements: Sequence[nodes.Statement4], source: Source) -> list[Step]:
    """The actions in the order in which they are carried out; all values were found before."""
    found: list[Step] = []
    for statement in reversed(statements):
        guard: Guard = ALWAYS
        action = statement
        if isinstance(statement, nodes.Conditional):
            # Conditions are about the object as it came, so the same words mean the same.
            guard = frozenset(source.text[each.span.start : each.span.end] for each in statement.conditions)
            action = statement.action
        effect = _effect(action)
        if effect is not None:
            found.append(Step(statement.span, guard, effects=(effect,)))
    return found


def _effect(action: nodes.Statement4) -> Effect | None:
    if isinstance(action, nodes.Assign):
        kind: Kind = "replace" if action.target.path.plural_reason() else "assign"
        return Effect(kind, action.target.path, action.target.span, action.value)
    if isinstance(action, nodes.AssignNew):
        generator = nodes.Variable(action.generator.span, NEW_UID_4)
        value = nodes.Call(action.generator.span, generator, action.arguments)
        return Effect("assign", action.target.path, action.target.span, value)
    if isinstance(action, nodes.Delete):
        return Effect("delete", action.target.path, action.target.span)
    return None
