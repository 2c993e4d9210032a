"""Compiled scripts of DicomEdit 4, and how they run.

Nothing is applied while conditions and right sides are evaluated: all of them see the object as it came. Then
the actions are carried out from the last to the first, so of two statements about one element the first wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from anon.encoding.elements import DataSet
from anon.encoding.text import SPECIFIC_CHARACTER_SET
from anon.errors import StatementError
from anon.label_rule import LabelRule
from anon.operations.assign import element_text, write
from anon.operations.delete import remove_tag
from anon.operations.run import Evaluate, Run, Test
from anon.places import Place
from anon.syntax.span import Span
from anon.tagpath import TagStep
from anon.values import Value, Values4

# What may be spent on looking for elements that the script means and cannot reach.
_MAX_SEARCHED_ITEMS: Final = 1000


@dataclass(frozen=True, slots=True)
class SetTag:
    """`tag := value`, or a pattern: then every element of the top level that matches when its turn comes."""

    span: Span
    step: TagStep
    evaluate: Evaluate

    def carry_out(self, run: Run, text: str | None) -> None:
        """Write the value that was found before anything was changed."""
        if not self.step.is_wild:
            dataset = run.instance.element_set(self.step.bits)
            write(run, Place((dataset,), self.step.bits), text)
            return
        dataset = run.instance.dataset
        for tag in dataset.tags():
            if self.step.matches(dataset, tag):
                write(run, Place((dataset,), tag), text)


@dataclass(frozen=True, slots=True)
class DeleteTag:
    """`- tag`, or a pattern. Patterns never reach group 2."""

    span: Span
    step: TagStep
    evaluate: Evaluate

    def carry_out(self, run: Run, text: str | None) -> None:
        """Remove what is there now."""
        if not self.step.is_wild:
            remove_tag(run, self.step.bits)
            return
        dataset = run.instance.dataset
        matching = [tag for tag in dataset.tags() if self.step.matches(dataset, tag)]
        # The character set goes last: texts that go with it need not be written without it.
        for tag in sorted(matching, key=SPECIFIC_CHARACTER_SET.__eq__):
            remove_tag(run, tag)


@dataclass(frozen=True, slots=True)
class EchoValue:
    """`echo`: the text is not shown, it may hold patient data. A failure inside it does not count."""

    span: Span
    evaluate: Evaluate

    def carry_out(self, run: Run, text: str | None) -> None:
        """Do nothing."""


Action = SetTag | DeleteTag | EchoValue
Condition = tuple[Test, Span]


@dataclass(slots=True)
class Program4:
    """A compiled script of DicomEdit 4."""

    required: Mapping[str, tuple[str, Span]]
    actions: tuple[tuple[tuple[Condition, ...], Action], ...]
    label_rule: LabelRule | None = None
    values: Values4 = field(default_factory=Values4)

    def bind(self, supplied: Mapping[str, str]) -> dict[str, Value]:
        """The caller's variables; those with an initial value never take the caller's."""
        return {name: supplied[name] for name in self.required}

    def run(self, run: Run) -> None:
        """Apply the script.

        Raises:
            StatementError: nothing of the object is worth keeping then.
        """
        planned = self._evaluate(run)
        for action, text in reversed(planned):
            run.span = action.span
            try:
                action.carry_out(run, text)
            except StatementError as failure:
                failure.span = failure.span or action.span
                raise
            if run.observer is not None:
                run.observer.statement(action.span)
        _warn_of_nested(run, [action for action, _ in planned])

    def _evaluate(self, run: Run) -> list[tuple[Action, str | None]]:
        """The actions whose conditions hold, with their values, all of the object as it came."""
        planned: list[tuple[Action, str | None]] = []
        for conditions, action in self.actions:
            run.span = action.span
            try:
                if not _hold(conditions, run):
                    continue
                text = element_text(run, action.evaluate) if isinstance(action, SetTag) else None
                planned.append((action, text))
            except StatementError as failure:
                failure.span = failure.span or action.span
                raise
        return planned


def _hold(conditions: tuple[Condition, ...], run: Run) -> bool:
    """Whether all conditions hold; after the first that does not the others are not evaluated."""
    for test, span in conditions:
        holds = test(run)
        if run.observer is not None:
            run.observer.condition(span, holds)
        if not holds:
            return False
    return True


def _warn_of_nested(run: Run, actions: list[Action]) -> None:
    """Say which elements that were meant to go, or to change, also stand in sequences, where they stay."""
    meant = {
        action.step.bits: action.span
        for action in reversed(actions)
        if not isinstance(action, EchoValue) and not action.step.is_wild
    }
    meant.pop(SPECIFIC_CHARACTER_SET, None)
    for tag in sorted(_tags_in_items(run.instance.dataset) & meant.keys()):
        run.span = meant[tag]
        run.warn(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) stays in sequences, DicomEdit 4 leaves these")


def _tags_in_items(dataset: DataSet) -> set[int]:
    """The tags that occur in items of sequences, at any depth; of very large objects in the first ones."""
    found: set[int] = set()
    items = 0
    levels = [dataset]
    while levels:
        level = levels.pop()
        for sequence in level.sequence_tags():
            element = level.get(sequence)
            for item in element.items if element is not None else ():
                items += 1
                if items > _MAX_SEARCHED_ITEMS:
                    return found
                found.update(item.tags())
                levels.append(item)
    return found
