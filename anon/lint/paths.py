"""Which elements two tag paths have in common, without an object at hand; and what elements are called."""

from __future__ import annotations

from functools import lru_cache

from pydicom.datadict import dictionary_description

from anon.tagpath import ANY_LEVELS, LevelStep, Step, TagPath, TagStep
from anon.vr import vr_today

#: Every private element, at any depth.
PRIVATE = TagPath((ANY_LEVELS, TagStep(0x00010000, 0x00010000)), "all private elements")


def is_certain(step: Step) -> bool:
    """Whether a step names one tag, without wild digits."""
    return isinstance(step, TagStep) and not step.is_wild


def holds_nothing(step: Step) -> bool:
    """Whether a step names an element that, as the dictionary has it, is no sequence."""
    return (
        isinstance(step, TagStep) and step.creator is None and step.mask == 0xFFFFFFFF and _is_leaf(step.bits)
    )


@lru_cache(maxsize=4096)
def _is_leaf(tag: int) -> bool:
    vr = "" if tag >> 16 & 1 else vr_today(tag)
    return vr not in ("", "SQ", "UN")


def top_level(tag: int) -> TagPath:
    """The path of an element that is not in a sequence."""
    return TagPath((TagStep(0xFFFFFFFF, tag),), format_tag(tag))


def everywhere(tag: int) -> TagPath:
    """The path of an element at any depth."""
    return TagPath((ANY_LEVELS, TagStep(0xFFFFFFFF, tag)), f"*/{format_tag(tag)}")


def covers(outer: TagPath, inner: TagPath) -> bool:
    """Whether every element that `inner` may mean is meant by `outer`."""
    return outer is inner or _includes(outer.steps, inner.steps, below=False)


def covers_below(outer: TagPath, inner: TagPath) -> bool:
    """Whether every element that `inner` may mean is meant by `outer`, or lies below such an element."""
    return outer is inner or _includes(outer.steps, inner.steps, below=True)


def overlap(one: TagPath, other: TagPath) -> bool:
    """Whether there may be an element that both mean, or that lies below what the other means."""
    if one.steps[-1] != other.steps[-1] and holds_nothing(one.steps[-1]) and holds_nothing(other.steps[-1]):
        return False
    return _meet(one.steps, other.steps)


def _includes(outer: tuple[Step, ...], inner: tuple[Step, ...], *, below: bool) -> bool:
    """Follow `inner`; the states are how far one may have come in `outer`."""
    last = outer[-1]
    if isinstance(last, TagStep):
        # What most pairs of paths end with, told quickly: nothing in `inner` can be that element.
        places = inner if below else inner[-1:]
        if not any(isinstance(step, TagStep) and _step_includes(last, step) for step in places):
            return False
    states = _with_skipped(outer, {0})
    for step in inner:
        if below and len(outer) in states:
            return True
        reached: set[int] = set()
        for state in states:
            if state == len(outer):
                continue
            wanted = outer[state]
            if wanted == ANY_LEVELS:
                reached.add(state)
            elif _one_level_includes(wanted, step):
                reached.add(state + 1)
        if not reached:
            return False
        states = _with_skipped(outer, reached)
    return len(outer) in states


def _with_skipped(steps: tuple[Step, ...], states: set[int]) -> set[int]:
    """The states, and those behind `*`, which may stand for no level."""
    for state in sorted(states):
        following = state
        while following < len(steps) and steps[following] == ANY_LEVELS:
            following += 1
            states.add(following)
    return states


def _one_level_includes(outer: Step, inner: Step) -> bool:
    if inner == ANY_LEVELS:
        return False
    if isinstance(outer, TagStep):
        return isinstance(inner, TagStep) and _step_includes(outer, inner)
    return True


def _step_includes(outer: TagStep, inner: TagStep) -> bool:
    if outer.mask & inner.mask != outer.mask or inner.bits & outer.mask != outer.bits:
        return False
    if outer.creator is not None and outer.creator != inner.creator:
        return False
    return outer.item is None or outer.item == inner.item


def _meet(one: tuple[Step, ...], other: tuple[Step, ...]) -> bool:
    todo = [(0, 0)]
    seen = set(todo)
    while todo:
        first, second = todo.pop()
        if first == len(one) or second == len(other):
            return True
        following = _following(one[first], other[second], first, second)
        todo.extend(each for each in following if each not in seen)
        seen.update(following)
    return False


def _following(one: Step, other: Step, first: int, second: int) -> list[tuple[int, int]]:
    if one == ANY_LEVELS or other == ANY_LEVELS:
        return [(first + 1, second), (first, second + 1)]
    if isinstance(one, TagStep) and isinstance(other, TagStep) and not _steps_meet(one, other):
        return []
    return [(first + 1, second + 1)]


def _steps_meet(one: TagStep, other: TagStep) -> bool:
    shared = one.mask & other.mask
    if (one.bits ^ other.bits) & shared:
        return False
    if one.creator is not None and other.creator is not None and one.creator != other.creator:
        return False
    return one.item is None or other.item is None or one.item == other.item


# -- names


@lru_cache(maxsize=1024)
def name_of(tag: int) -> str:
    """The name of an element in PS3.6; "" when it has none."""
    try:
        return dictionary_description(tag)
    except KeyError:
        return ""


def described(path: TagPath) -> str:
    """A path and the name of what it means: `(0010,0010) Patient's Name`."""
    last = path.steps[-1]
    if isinstance(last, LevelStep) or last.is_wild or last.creator is not None:
        return path.text
    return f"{path.text} {name_of(last.bits)}".rstrip()


def described_tag(tag: int) -> str:
    """A tag and its name: `(0010,0010) Patient's Name`."""
    return f"{format_tag(tag)} {name_of(tag)}".rstrip()


def format_tag(tag: int) -> str:
    """A tag as scripts write it."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
