"""What statements do to elements, in one form for both dialects, in the order in which they are carried out.

How statements become steps is in `effects4` and `effects6`; here is what they share, and what functions do.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from anon.lint.paths import PRIVATE
from anon.syntax import nodes
from anon.syntax.span import Span
from anon.tagpath import TagError, TagPath, parse_numbered_path6, parse_path6

Kind = Literal[
    "assign",  # := and `set`: creates the element
    "replace",  # ?=: only where the element is
    "delete",
    "hash",  # every value by its hash
    "map",  # every UID by one that is remembered
    "shift",  # a date, by some time
    "blank",
    "retain",  # all private elements go, but these
    "pixels",
    "reject",
]
Guard = frozenset[Hashable]
Resolve = Callable[[nodes.Variable], nodes.Value | None]

#: How the generator of DicomEdit 4 is called where it stands as a value.
NEW_UID_4: Final = "new UID"
ALWAYS: Final[Guard] = frozenset()
_PIXELS = parse_path6("(7FE0,0010)")
_BIRTH_DATES = parse_path6("*/(0010,0030)")
_AGES = parse_path6("*/(0010,1010)")


@dataclass(frozen=True, slots=True)
class Effect:
    """What is done to the elements that a path means.

    Attributes:
        kind: what is done.
        path: of the elements; None when only a run can tell.
        span: where the script names them.
        value: what is assigned.
    """

    kind: Kind
    path: TagPath | None
    span: Span
    value: nodes.Value | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A statement, or a condition, when its turn comes.

    Attributes:
        span: the statement or condition.
        guard: what must hold for it; of two steps the one whose guard is part of the other's is carried out
            whenever the other is.
        reads: elements whose values it takes, as they are then.
        effects: what it does.
        may_read: elements that stand in a list, whose values whoever gets the list may take.
        reads_all: it may take the value of any element.
    """

    span: Span
    guard: Guard
    reads: tuple[nodes.Path, ...] = ()
    effects: tuple[Effect, ...] = ()
    may_read: tuple[TagPath, ...] = ()
    reads_all: bool = False


def inner_values(node: nodes.Value) -> Iterator[nodes.Value]:
    """A value and all values in it, from the outside in."""
    yield node
    if isinstance(node, nodes.Call | nodes.Format):
        for argument in node.arguments:
            yield from inner_values(argument)
    elif isinstance(node, nodes.Values):
        for entry in node.entries:
            yield from inner_values(entry)


def written_paths(node: nodes.Value, resolve: Resolve) -> list[nodes.Path | None]:
    """The paths that an argument stands for, None for those that only a run can tell."""
    if isinstance(node, nodes.Path):
        return [node]
    if isinstance(node, nodes.Values):
        return [path for entry in node.entries for path in written_paths(entry, resolve)]
    if isinstance(node, nodes.Text):
        with suppress(TagError):
            return [nodes.Path(node.span, parse_path6(node.text))]
        return []
    if isinstance(node, nodes.Variable):
        value = resolve(node)
        if value is not None and not isinstance(value, nodes.Variable):
            found = written_paths(value, resolve)
            return [None if path is None else nodes.Path(node.span, path.path) for path in found]
    return [None]


# -- functions


def _all_paths(kind: Kind, first: int) -> Callable[[nodes.Call, Resolve], Iterator[Effect]]:
    def effects(call: nodes.Call, resolve: Resolve) -> Iterator[Effect]:
        for argument in call.arguments[first:]:
            for path in written_paths(argument, resolve):
                yield Effect(
                    kind, None if path is None else path.path, argument.span if path is None else path.span
                )

    return effects


def _first_list(kind: Kind) -> Callable[[nodes.Call, Resolve], Iterator[Effect]]:
    every = _all_paths(kind, 0)

    def effects(call: nodes.Call, resolve: Resolve) -> Iterator[Effect]:
        return every(nodes.Call(call.span, call.name, call.arguments[:1]), resolve)

    return effects


def _numbered(call: nodes.Call, kind: Kind, value: nodes.Value | None) -> Iterator[Effect]:
    named = call.arguments[0]
    path = None
    if isinstance(named, nodes.Text):
        with suppress(TagError):
            path = parse_numbered_path6(named.text)
    yield Effect(kind, path, named.span, value)


def _set(call: nodes.Call, resolve: Resolve) -> Iterator[Effect]:
    return _numbered(call, "assign", call.arguments[1])


def _delete(call: nodes.Call, resolve: Resolve) -> Iterator[Effect]:
    return _numbered(call, "delete", None)


def _blank(call: nodes.Call, resolve: Resolve) -> Iterator[Effect]:
    # A text is a value to look for, even when it looks like a path.
    for argument in call.arguments:
        for inner in inner_values(argument):
            if isinstance(inner, nodes.Path):
                yield Effect("blank", inner.path, inner.span)
    yield Effect("blank", None, call.span)


def _retain(call: nodes.Call, resolve: Resolve) -> Iterator[Effect]:
    yield Effect("retain", PRIVATE, call.span)


def _scale(call: nodes.Call, resolve: Resolve) -> Iterator[Effect]:
    yield Effect("shift", _BIRTH_DATES, call.span)
    yield Effect("shift", _AGES, call.span)


def _pixels(call: nodes.Call, resolve: Resolve) -> Iterator[Effect]:
    yield Effect("pixels", _PIXELS, call.span)


def _reject(call: nodes.Call, resolve: Resolve) -> Iterator[Effect]:
    yield Effect("reject", None, call.span)


#: What functions of DicomEdit 6 do beside having a value: how many arguments that needs, and the effects.
_FUNCTIONS: Final[dict[str, tuple[int, Callable[[nodes.Call, Resolve], Iterator[Effect]]]]] = {
    "removeTags": (0, _all_paths("delete", 0)),
    "delete": (1, _delete),
    "set": (2, _set),
    "hashUIDList": (0, _all_paths("hash", 0)),
    "mapReferencedUIDs": (1, _all_paths("map", 1)),
    "shiftDateTimeListByIncrement": (1, _first_list("shift")),
    "shiftDateTimeSequenceByIncrement": (1, _all_paths("shift", 1)),
    "scalePatientAgeAndDobFromStudyDate": (0, _scale),
    "blankValues": (0, _blank),
    "retainPrivateTags": (0, _retain),
    "alterPixels": (0, _pixels),
    "reject": (0, _reject),
}
READS_ALL: Final = frozenset({"blankValues"})


def effects_of_call(call: nodes.Call, resolve: Resolve) -> tuple[Effect, ...]:
    """What a call does to the object, calls in its arguments left out."""
    needed, effects = _FUNCTIONS.get(call.name.name, (0, None))
    if effects is None or len(call.arguments) < needed:
        return ()
    return tuple(effects(call, resolve))


def has_effects(call: nodes.Call) -> bool:
    """Whether a call changes the object, or ends its treatment."""
    return call.name.name in _FUNCTIONS
