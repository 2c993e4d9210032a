"""Which elements two tag paths have in common, without an object at hand; and what elements are called."""

from __future__ import annotations

from functools import lru_cache

from pydicom.datadict import dictionary_description

from anon.tagpath import ANY_LEVELS, LevelStep, Step, TagPath, TagStep

#: Every private element, at any depth.
PRIVATE = TagPath((ANY_LEVELS, TagStep(0x00010000, 0x00010000)), "all private elements")


def covers(outer: TagPath, inner: TagPath) -> bool:
    """Whether every element that `inner` may mean is meant by `outer`."""
    if outer is inner:
        return True
    return _includes(outer.steps, inner.steps)


def covers_below(outer: TagPath, inner: TagPath) -> bool:
    """Whether every element that `inner` may mean is meant by `outer`, or lies below such an element."""
    return covers(outer, inner) or _includes((*outer.steps, ANY_LEVELS), inner.steps)


def overlap(one: TagPath, other: TagPath) -> bool:
    """Whether there may be an element that both mean, or that lies below what the other means."""
    return _meet(one.steps, other.steps)


def _includes(outer: tuple[Step, ...], inner: tuple[Step, ...]) -> bool:
    if not inner:
        return all(step == ANY_LEVELS for step in outer)
    if not outer:
        return False
    if outer[0] == ANY_LEVELS:
        return _includes(outer[1:], inner) or _includes(outer, inner[1:])
    if inner[0] == ANY_LEVELS:
        return False
    if isinstance(outer[0], TagStep) and not (
        isinstance(inner[0], TagStep) and _step_includes(outer[0], inner[0])
    ):
        return False
    return _includes(outer[1:], inner[1:])


def _step_includes(outer: TagStep, inner: TagStep) -> bool:
    if outer.mask & inner.mask != outer.mask or inner.bits & outer.mask != outer.bits:
        return False
    if outer.creator is not None and outer.creator != inner.creator:
        return False
    return outer.item is None or outer.item == inner.item


def _meet(one: tuple[Step, ...], other: tuple[Step, ...]) -> bool:
    if not one or not other:
        return True
    if one[0] == ANY_LEVELS:
        return _meet(one[1:], other) or _meet(one, other[1:])
    if other[0] == ANY_LEVELS:
        return _meet(one, other[1:]) or _meet(one[1:], other)
    if isinstance(one[0], TagStep) and isinstance(other[0], TagStep) and not _steps_meet(one[0], other[0]):
        return False
    return _meet(one[1:], other[1:])


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
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {name_of(tag)}".rstrip()
