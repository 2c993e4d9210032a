"""Effects by the element they are about, so that a line of a long script is not held against all others."""

from __future__ import annotations

from collections.abc import Iterator

from anon.lint.effects import Effect, Step
from anon.tagpath import TagPath, TagStep

Act = tuple[Step, Effect]


class EffectIndex:
    """Effects that something later may have to do with."""

    def __init__(self) -> None:
        self._by_tag: dict[int, list[Act]] = {}
        self._wild: list[Act] = []

    def add(self, step: Step, effect: Effect) -> None:
        """Remember an effect; one whose elements only a run can tell is passed over."""
        if effect.path is None:
            return
        tag = _first_tag(effect.path)
        where = self._wild if tag is None else self._by_tag.setdefault(tag, [])
        where.append((step, effect))

    def about(self, path: TagPath) -> Iterator[Act]:
        """Effects that may be about elements of this path, or above or below them, in the order of adding."""
        tag = _first_tag(path)
        if tag is not None:
            yield from list(self._by_tag.get(tag, ()))
        else:
            for acts in list(self._by_tag.values()):
                yield from list(acts)
        yield from list(self._wild)

    def remove(self, act: Act) -> None:
        """Forget an effect that was added."""
        assert act[1].path is not None
        tag = _first_tag(act[1].path)
        acts = self._wild if tag is None else self._by_tag[tag]
        acts[:] = [each for each in acts if each is not act]

    def clear(self) -> None:
        """Forget all."""
        self._by_tag.clear()
        self._wild.clear()


def _first_tag(path: TagPath) -> int | None:
    """The tag that a path begins with, when it is a certain one."""
    step = path.steps[0]
    is_certain = isinstance(step, TagStep) and step.mask == 0xFFFFFFFF
    return step.bits if isinstance(step, TagStep) and is_certain else None
