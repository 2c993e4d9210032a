"""Statements whose effect others undo, or that come too late: what they would be for is never seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from anon.lint.checked import Checked
from anon.lint.effects import Effect, Step, inner_values
from anon.lint.index import EffectIndex
from anon.lint.paths import covers, covers_below, described, overlap
from anon.lint.rule import Finding, lint
from anon.syntax import nodes
from anon.syntax.span import Span
from anon.tagpath import TagPath

_WRITES: Final = frozenset({"assign", "replace", "hash", "map", "shift"})
_TAKES_VALUE: Final = frozenset({"hash", "map", "shift", "blank"})
_NEEDS_ELEMENT: Final = frozenset({"replace", "hash", "map", "shift", "blank"})


@lint(
    "first-wins",
    title="of two statements about one element the upper one wins",
    fires='(0010,0010) := "anonymous"\n- (0010,0010)\n',
    silent="- (0010,0010)\n",
    dialects=(4,),
    is_told=True,
)
def first_wins(checked: Checked) -> Iterator[Finding]:
    """DicomEdit 4 carries the statements out from the last to the first, so the upper one comes last.

    Read from top to bottom the script says something else than it does. Remove one of the two.
    """
    upper = EffectIndex()
    for step in reversed(checked.steps):
        for effect in step.effects:
            winner = next((act for act in upper.above(_path(effect)) if _wins4(*act, step, effect)), None)
            if winner is not None:
                line = checked.line(winner[0].span)
                message = f"line {line} is about the same element and wins, DicomEdit 4 works backwards"
                yield Finding(step.span, message, "remove one of the two")
            upper.add(step, effect)


def _wins4(upper_step: Step, upper: Effect, step: Step, effect: Effect) -> bool:
    if not upper_step.guard <= step.guard or not covers(_path(upper), _path(effect)):
        return False
    if effect.kind == "delete":
        # What was removed before can only come back if the upper statement names the element.
        return upper.kind == "assign"
    return True


@lint(
    "reads-original",
    title="a value is read as it came, not as a line above leaves it",
    fires="(0010,0020) := subject\n(0010,0010) := (0010,0020)\n",
    silent="(0010,0020) := subject\n(0010,0010) := subject\n",
    dialects=(4,),
    is_told=True,
)
def reads_original(checked: Checked) -> Iterator[Finding]:
    """DicomEdit 4 finds all values and conditions in the object as it came, before anything is changed.

    A value that a line above changes, or removes, is still the original one here. If that is meant, silence
    the warning; if the new value is meant, assign the same again.
    """
    certain: dict[int, Span] = {}
    for statement in checked.compiled.statements:
        if isinstance(statement, nodes.Describe | nodes.Export | nodes.Initialise):
            continue
        for read in _paths_read(statement):
            tag = read.path.tag
            if tag is not None and tag in certain:
                line = checked.line(certain[tag])
                message = f"{read.path} is read as it came, line {line} has not changed it yet"
                yield Finding(read.span, message, "DicomEdit 4 evaluates everything first")
        if isinstance(statement, nodes.Assign | nodes.AssignNew | nodes.Delete):
            tag = statement.target.path.tag
            if tag is not None:
                certain.setdefault(tag, statement.span)


def _paths_read(statement: nodes.Statement4 | nodes.Statement6) -> list[nodes.Path]:
    """The tags that a statement of DicomEdit 4 reads."""
    values: list[nodes.Value] = []
    action = statement
    if isinstance(statement, nodes.Conditional):
        action = statement.action
        for condition in statement.conditions:
            if isinstance(condition, nodes.Comparison):
                values += [condition.left, condition.right]
    if isinstance(action, nodes.Assign):
        values.append(action.value)
    elif isinstance(action, nodes.AssignNew):
        values.extend(action.arguments)
    return [inner for value in values for inner in inner_values(value) if isinstance(inner, nodes.Path)]


# -- DicomEdit 6: later statements see what earlier ones did


@lint(
    "undone",
    title="a statement has an effect that a later one undoes",
    fires='version "6.6"\n(0010,0010) := "anonymous"\n-(0010,0010)\n',
    silent='version "6.6"\n-(0010,0010)\n',
    dialects=(6,),
)
def undone(checked: Checked) -> Iterator[Finding]:
    """What is assigned, hashed or shifted here is removed or overwritten further down, unread until then.

    One of the two statements is not meant, or they stand in the wrong order.
    """
    for step, effect, later_step, later in _overruled(checked, checked.steps):
        if effect.kind == "delete":
            continue
        line = checked.line(later_step.span)
        what = "removes" if later.kind == "delete" else "overwrites"
        message = f"line {line} {what} {described(_path(effect))} again, so this has no effect"
        yield Finding(step.span, message, "remove one of the two, or change their order")


@lint(
    "removed-twice",
    title="an element is removed that another statement removes anyway",
    fires='version "6.6"\nremoveAllPrivateTags\n-(0029,{SIEMENS CSA HEADER}08)\n',
    silent='version "6.6"\nremoveAllPrivateTags\n',
)
def removed_twice(checked: Checked) -> Iterator[Finding]:
    """Another statement, perhaps one with wildcards, removes the same element, so this one does nothing.

    Harmless, but in a long script it hides which statement does the work. Remove the narrower one.
    """
    told: set[Span] = set()
    for step, effect, other_step in _removed_before(checked.steps, {"delete"}):
        told.add(effect.span)
        yield _removed_finding(checked, step, effect, other_step)
    for step, effect, other_step, other in _overruled(checked, checked.steps):
        if effect.kind == other.kind == "delete" and effect.span not in told:
            yield _removed_finding(checked, step, effect, other_step)


def _removed_finding(checked: Checked, step: Step, effect: Effect, other: Step) -> Finding:
    # A function may name many elements: then only the one is the culprit.
    span = step.span if len(step.effects) == 1 else effect.span
    line = checked.line(other.span)
    return Finding(span, f"line {line} removes {described(_path(effect))}, too", "one of the two is enough")


@lint(
    "nothing-left",
    title="a statement changes an element that was removed before",
    fires='version "6.6"\n-(0010,0010)\n(0010,0010) ?= "anonymous"\n',
    silent='version "6.6"\n(0010,0010) ?= "anonymous"\n',
)
def nothing_left(checked: Checked) -> Iterator[Finding]:
    """`?=`, and functions such as `hashUIDList`, only change elements that are there.

    These were removed before, so nothing is changed. Use `:=`, which creates the element, or do not remove
    it.
    In DicomEdit 4 a pattern is meant: it finds nothing either, and lower lines are carried out first.
    """
    for step, effect, other in _removed_before(checked.steps, _NEEDS_ELEMENT):
        line = checked.line(other.span)
        message = f"line {line} has removed {described(_path(effect))} before, so nothing is changed here"
        yield Finding(step.span, message, "assign with :=, or do not remove the element")


@lint(
    "reads-removed",
    title="a value is read of an element that was removed before",
    fires='version "6.6"\n-(0010,0020)\n(0010,0010) := (0010,0020)\n',
    silent='version "6.6"\n(0010,0010) := (0010,0020)\n-(0010,0020)\n',
    dialects=(6,),
)
def reads_removed(checked: Checked) -> Iterator[Finding]:
    """DicomEdit 6 works from top to bottom: after the removal the element is absent for all that follows.

    An assignment from it changes nothing, a comparison with `=` or `~` is false, functions that need a value
    refuse the object. Read the value before it is removed, into a variable if it is needed later.
    """
    removed = _Removed()
    for step in checked.steps:
        for read in step.reads:
            other = removed.find(read.path, step)
            if other is not None:
                line = checked.line(other.span)
                message = f"{described(read.path)} is absent here, line {line} has removed it"
                yield Finding(read.span, message, "read it before it is removed")
        for effect in step.effects:
            removed.follow(step, effect)


# -- what the rules share


def _path(effect: Effect) -> TagPath:
    assert effect.path is not None
    return effect.path


class _Removed:
    """What is certainly absent, as steps follow each other."""

    def __init__(self) -> None:
        self._deletes = EffectIndex()
        self._made_again: dict[Span, list[TagPath]] = {}

    def find(self, path: TagPath, step: Step) -> Step | None:
        """The step that removed all of a path before this one, if nothing made any of it again."""
        for other, effect in self._deletes.above(path):
            made_again = self._made_again.get(effect.span, ())
            if (
                other.guard <= step.guard
                and covers_below(_path(effect), path)
                and not any(overlap(made, path) for made in made_again)
            ):
                return other
        return None

    def follow(self, step: Step, effect: Effect) -> None:
        """Take in what is done next."""
        if effect.path is None:
            if effect.kind == "assign":
                self._deletes.clear()
        elif effect.kind == "delete":
            self._deletes.add(step, effect)
        elif effect.kind == "assign":
            for act in self._deletes.about(effect.path):
                if act[1].path == effect.path:
                    self._deletes.remove(act)
                elif overlap(_path(act[1]), effect.path):
                    self._made_again.setdefault(act[1].span, []).append(effect.path)


def _removed_before(
    steps: Sequence[Step], kinds: frozenset[str] | set[str]
) -> Iterator[tuple[Step, Effect, Step]]:
    """Effects of these kinds on elements that an earlier step removed, with that step."""
    removed = _Removed()
    for step in steps:
        for effect in step.effects:
            if effect.kind in kinds and effect.path is not None:
                other = removed.find(effect.path, step)
                if other is not None:
                    yield step, effect, other
            removed.follow(step, effect)


def _overruled(checked: Checked, steps: Sequence[Step]) -> Iterator[tuple[Step, Effect, Step, Effect]]:
    """Effects that a later one undoes with nothing reading them in between, and the later one."""
    pending = EffectIndex()
    for step in steps:
        if step.reads_all:
            pending.clear()
        for path in (*(read.path for read in step.reads), *step.may_read):
            _drop(pending, path)
        for effect in step.effects:
            if effect.path is None:
                continue
            if effect.kind in _TAKES_VALUE:
                _drop(pending, effect.path)
            if _is_sure(checked, effect):
                for act in pending.below(effect.path):
                    if step.guard <= act[0].guard and _undoes(effect, act[1]):
                        pending.remove(act)
                        yield *act, step, effect
            if effect.kind in _WRITES or effect.kind == "delete":
                pending.add(step, effect)


def _drop(pending: EffectIndex, path: TagPath) -> None:
    for act in pending.about(path):
        if overlap(_path(act[1]), path):
            pending.remove(act)


def _is_sure(checked: Checked, effect: Effect) -> bool:
    """Whether an effect leaves nothing of the values that were there."""
    if effect.kind == "assign":
        return effect.value is not None and not checked.may_be_absent(effect.value)
    return effect.kind in ("delete", "replace")


def _undoes(later: Effect, earlier: Effect) -> bool:
    later_path, path = _path(later), _path(earlier)
    if later.kind == "delete":
        if later_path == path:
            return earlier.kind != "delete"
        return covers_below(later_path, path)
    return earlier.kind != "delete" and covers(later_path, path)
