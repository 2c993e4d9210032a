"""Conditions that never or always hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from anon.errors import StatementError
from anon.lint.checked import Checked
from anon.lint.effects import has_effects, inner_values
from anon.lint.paths import overlap
from anon.lint.rule import Finding, lint
from anon.matching import compile_pattern
from anon.operations.condition import is_true
from anon.syntax import nodes
from anon.syntax.span import Span
from anon.tagpath import TagPath


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
    if checked.dialect == 6:
        yield from _contradictions_inside(checked, checked.compiled.statements, {})


def _contradictions_inside(
    checked: Checked,
    statements: Sequence[nodes.Statement4 | nodes.Statement6],
    known: Mapping[TagPath, tuple[str, Span]],
) -> Iterator[Finding]:
    """Conditions that contradict the one around them; `known` is what that has asked for, and where."""
    for statement in statements:
        branches: list[tuple[nodes.Condition, Sequence[nodes.Statement6]]] = []
        if isinstance(statement, nodes.Ternary):
            branches = [(statement.condition, (statement.then,))]
        elif isinstance(statement, nodes.IfBlock):
            branches = [(branch.condition, branch.body) for branch in statement.branches]
            yield from _contradictions_inside(checked, statement.otherwise, known)
        for condition, body in branches:
            asked = _asked_value(checked, condition)
            inside = dict(known)
            if asked is not None:
                path, text = asked
                before = known.get(path)
                if before is not None and before[0] != text:
                    line = checked.line(before[1])
                    message = f"line {line} has asked for another value of {path}, so this is never true"
                    yield Finding(condition.span, message, "correct one of the two conditions")
                inside[path] = (text, condition.span)
            if not _may_change(checked, body, inside):
                yield from _contradictions_inside(checked, body, inside)


def _asked_value(checked: Checked, condition: nodes.Condition) -> tuple[TagPath, str] | None:
    """The element that must have a certain value, and the value."""
    if not isinstance(condition, nodes.Comparison) or condition.operator != "=":
        return None
    path, other = path_and_other(condition)
    text = None if other is None else checked.constants.text(other)
    return None if path is None or text is None else (path.path, text)


def _may_change(
    checked: Checked, body: Sequence[nodes.Statement6], known: Mapping[TagPath, tuple[str, Span]]
) -> bool:
    """Whether a block changes elements that conditions around it were about."""
    first, last = (body[0].span.start, body[-1].span.end) if body else (0, 0)
    return any(
        effect.path is None or any(overlap(effect.path, path) for path in known)
        for step, effect in checked.effects
        if first <= step.span.start < last
    )


def _contradictions(checked: Checked, conditions: Sequence[nodes.Condition]) -> Iterator[Finding]:
    wanted: dict[TagPath, str] = {}
    for condition in conditions:
        asked = _asked_value(checked, condition)
        if asked is not None and wanted.setdefault(*asked) != asked[1]:
            message = f"{asked[0]} cannot have two values at once, so this is never true"
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


def path_and_other(condition: nodes.Comparison) -> tuple[nodes.Path | None, nodes.Value | None]:
    """The element of a comparison, and what it is compared with; None, None where there is none."""
    left, right = condition.left, condition.right
    if isinstance(left, nodes.Path):
        return left, right
    if isinstance(right, nodes.Path) and condition.operator.endswith("="):
        return right, left
    return None, None
