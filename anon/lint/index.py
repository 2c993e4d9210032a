"""Effects by the element they are about, so that a line of a long script is not held against all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from anon.lint.effects import Effect, Step
from anon.lint.paths import holds_nothing, is_certain
from anon.tagpath import TagPath, TagStep

Act = tuple[Step, Effect]
_Bucket = dict[int, Act]
_Key = tuple[int, str | None]  # a tag without wild digits, and its private creator
_Digits = tuple[int, int]  # the bits of a tag that are given, and what they are
_Form = tuple[int, bool, bool]  # what is given of a step: bits of its tag, a private creator, an item number
_Start = tuple[int, str | None, int | None]  # what they are
_ANYWHERE: Final[_Start] = (0, None, None)


class EffectIndex:
    """Effects that something later may have to do with.

    All searches give effects in the order in which they were added, and may give some too many.
    """

    def __init__(self) -> None:
        self._added = 0
        self._numbers: dict[int, list[int]] = {}
        # By what is given of the step that a path begins with, a script has few such forms, and what it is.
        self._groups: dict[_Form | None, dict[_Start, _Group]] = {}

    def add(self, step: Step, effect: Effect) -> None:
        """Remember an effect; one whose elements only a run can tell is passed over."""
        if effect.path is None:
            return
        self._numbers.setdefault(id(effect), []).append(self._added)
        self._group(effect.path).add(self._added, (step, effect))
        self._added += 1

    def above(self, path: TagPath) -> Iterator[Act]:
        """Effects on elements of this path, or above them, that may cover all of them."""
        return _in_order(bucket for group in self._meeting(path) for bucket in group.above(path))

    def below(self, path: TagPath) -> Iterator[Act]:
        """Effects on elements of this path, or below them, that it may cover."""
        return _in_order(group.below(path) for group in self._meeting(path))

    def about(self, path: TagPath) -> Iterator[Act]:
        """Effects that may have an element in common with this path, or lie above or below."""
        return _in_order(bucket for group in self._meeting(path) for bucket in group.about(path))

    def remove(self, act: Act) -> None:
        """Forget an effect that was added."""
        effect = act[1]
        assert effect.path is not None
        self._group(effect.path).remove(self._numbers.pop(id(effect), []), effect.path)

    def clear(self) -> None:
        """Forget all."""
        self._groups.clear()
        self._numbers.clear()

    def _group(self, path: TagPath) -> _Group:
        first = path.steps[0]
        form = _form(first) if isinstance(first, TagStep) else None
        start = _start(first, form) if isinstance(first, TagStep) and form else _ANYWHERE
        return self._groups.setdefault(form, {}).setdefault(start, _Group())

    def _meeting(self, path: TagPath) -> Iterator[_Group]:
        """The groups of paths that may begin with an element that this path begins with."""
        first = path.steps[0]
        for form, groups in self._groups.items():
            if form is None or not isinstance(first, TagStep):
                yield from groups.values()
            elif all(given & own == given for given, own in zip(form, _form(first), strict=True)):
                if group := groups.get(_start(first, form)):
                    yield group
            else:
                shared = form[0] & first.mask
                yield from (group for start, group in groups.items() if not (start[0] ^ first.bits) & shared)


class _Group:
    """Effects whose paths begin in the same way."""

    def __init__(self) -> None:
        self._all: _Bucket = {}
        self._by_last: dict[_Digits | None, _Bucket] = {}
        self._last_masks: set[int] = set()
        # For each set of given bits that was asked for, a script has few: what has a step with these bits.
        self._by_any: dict[int, dict[int, _Bucket]] = {}
        self._by_leaf: dict[_Key | None, _Bucket] = {}

    def add(self, number: int, act: Act) -> None:
        assert act[1].path is not None
        for bucket in self._buckets(act[1].path):
            bucket[number] = act

    def remove(self, numbers: list[int], path: TagPath) -> None:
        for bucket in self._buckets(path):
            for number in numbers:
                bucket.pop(number, None)

    def above(self, path: TagPath) -> list[_Bucket]:
        keys: set[_Digits | None] = {None}
        for given, bits in _digits(path):
            keys |= {(mask, bits & mask) for mask in self._last_masks if mask & given == mask}
        return [self._by_last.get(key, {}) for key in keys]

    def below(self, path: TagPath) -> _Bucket:
        last = path.steps[-1]
        if not isinstance(last, TagStep):
            return self._all
        if last.mask not in self._by_any:
            self._by_any[last.mask] = {}
            for number, act in self._all.items():
                assert act[1].path is not None
                for bucket in self._with_bits(last.mask, act[1].path):
                    bucket[number] = act
        return self._by_any[last.mask].get(last.bits & last.mask, {})

    def about(self, path: TagPath) -> list[_Bucket]:
        leaf = _leaf(path)
        if leaf is None:
            return [self._all]
        return [self._by_leaf.get(None, {}), self._by_leaf.get(leaf, {})]

    def _buckets(self, path: TagPath) -> list[_Bucket]:
        last = path.steps[-1]
        key = (last.mask, last.bits & last.mask) if isinstance(last, TagStep) else None
        if key is not None:
            self._last_masks.add(key[0])
        found = [
            self._all,
            self._by_last.setdefault(key, {}),
            self._by_leaf.setdefault(_leaf(path), {}),
        ]
        for mask in self._by_any:
            found += self._with_bits(mask, path)
        return found

    def _with_bits(self, mask: int, path: TagPath) -> list[_Bucket]:
        """The buckets of what these bits of a tag are, for each tag of a path that gives them."""
        return [
            self._by_any[mask].setdefault(bits & mask, {})
            for given, bits in _digits(path)
            if given & mask == mask
        ]


def _form(step: TagStep) -> _Form:
    return step.mask, step.creator is not None, step.item is not None


def _start(step: TagStep, form: _Form) -> _Start:
    """What a step is, as far as a form says it."""
    mask, with_creator, with_item = form
    return step.bits & mask, step.creator if with_creator else None, step.item if with_item else None


def _in_order(buckets: Iterable[_Bucket]) -> Iterator[Act]:
    found = [bucket for bucket in buckets if bucket]
    if len(found) == 1:
        return iter(list(found[0].values()))
    return (act for _, act in sorted(chain.from_iterable(each.items() for each in found), key=_number))


def _number(entry: tuple[int, Act]) -> int:
    return entry[0]


def _digits(path: TagPath) -> set[_Digits]:
    return {(step.mask, step.bits) for step in path.steps if isinstance(step, TagStep)}


def _key(path: TagPath) -> _Key | None:
    """The last tag of a path, when it is a certain one."""
    last = path.steps[-1]
    return (last.bits, last.creator) if isinstance(last, TagStep) and is_certain(last) else None


def _leaf(path: TagPath) -> _Key | None:
    """The last tag of a path, when nothing can be below it."""
    return _key(path) if holds_nothing(path.steps[-1]) else None
