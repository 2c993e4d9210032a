"""Effects by the element they are about, so that a line of a long script is not held against all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from anon.lint.effects import Effect, Step
from anon.lint.paths import holds_nothing, is_certain
from anon.tagpath import TagPath, TagStep

Act = tuple[Step, Effect]
_Key = tuple[int, str | None]  # a tag without wild digits, and its private creator


class EffectIndex:
    """Effects that something later may have to do with.

    All searches give effects in the order in which they were added, and may give some too many.
    """

    def __init__(self) -> None:
        self._added = 0
        self._all: dict[int, Act] = {}
        self._by_last: dict[_Key | None, dict[int, Act]] = {}
        self._by_any: dict[_Key, dict[int, Act]] = {}
        self._by_leaf: dict[_Key | None, dict[int, Act]] = {}
        self._numbers: dict[int, list[int]] = {}

    def add(self, step: Step, effect: Effect) -> None:
        """Remember an effect; one whose elements only a run can tell is passed over."""
        if effect.path is None:
            return
        act = (step, effect)
        number = self._added
        self._added += 1
        self._numbers.setdefault(id(effect), []).append(number)
        for bucket in self._buckets(effect.path):
            bucket[number] = act

    def above(self, path: TagPath) -> Iterator[Act]:
        """Effects on elements of this path, or above them, that may cover all of them."""
        found = [self._by_last.get(None, {})]
        found += [self._by_last.get(key, {}) for key in _keys(path)]
        return _in_order(found)

    def below(self, path: TagPath) -> Iterator[Act]:
        """Effects on elements of this path, or below them, that it may cover."""
        last = _key(path)
        return _in_order([self._all] if last is None else [self._by_any.get(last, {})])

    def about(self, path: TagPath) -> Iterator[Act]:
        """Effects that may have an element in common with this path, or lie above or below."""
        leaf = _leaf(path)
        if leaf is None:
            return _in_order([self._all])
        return _in_order([self._by_leaf.get(None, {}), self._by_leaf.get(leaf, {})])

    def remove(self, act: Act) -> None:
        """Forget an effect that was added."""
        effect = act[1]
        assert effect.path is not None
        numbers = self._numbers.pop(id(effect), [])
        for bucket in self._buckets(effect.path):
            for number in numbers:
                bucket.pop(number, None)

    def clear(self) -> None:
        """Forget all."""
        for buckets in (self._by_last, self._by_any, self._by_leaf):
            buckets.clear()
        self._all.clear()
        self._numbers.clear()

    def _buckets(self, path: TagPath) -> list[dict[int, Act]]:
        return [
            self._all,
            self._by_last.setdefault(_key(path), {}),
            self._by_leaf.setdefault(_leaf(path), {}),
            *(self._by_any.setdefault(key, {}) for key in _keys(path)),
        ]


def _in_order(buckets: Iterable[dict[int, Act]]) -> Iterator[Act]:
    found = [bucket for bucket in buckets if bucket]
    if len(found) == 1:
        return iter(list(found[0].values()))
    return (act for _, act in sorted(chain.from_iterable(each.items() for each in found), key=_number))


def _number(entry: tuple[int, Act]) -> int:
    return entry[0]


def _keys(path: TagPath) -> set[_Key]:
    return {
        (step.bits, step.creator) for step in path.steps if isinstance(step, TagStep) and is_certain(step)
    }


def _key(path: TagPath) -> _Key | None:
    """The last tag of a path, when it is a certain one."""
    last = path.steps[-1]
    return (last.bits, last.creator) if isinstance(last, TagStep) and is_certain(last) else None


def _leaf(path: TagPath) -> _Key | None:
    """The last tag of a path, when nothing can be below it."""
    return _key(path) if holds_nothing(path.steps[-1]) else None
