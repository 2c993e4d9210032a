"""Calls of functions while a script runs: how values become arguments, and what a call looks like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anon.errors import StatementError
from anon.functions.registry import Builtin
from anon.operations.run import Evaluate, Run
from anon.syntax.span import Span
from anon.tagpath import TagError, TagPath, parse_path6
from anon.values import ListValue, Value, text_of

Get = Callable[[Run], Any]


def bound(found: Builtin, getters: tuple[Get, ...], rest: tuple[Get, ...]) -> Evaluate:
    """The call with its arguments."""
    function = found.function
    if not rest and not found.wants_run and len(getters) == 1:
        only = getters[0]
        return lambda run: function(only(run))

    def evaluate(run: Run) -> Value:
        arguments = [get(run) for get in getters]
        for get in rest:
            arguments.extend(get(run))
        result: Value = function(run, *arguments) if found.wants_run else function(*arguments)
        return result

    return evaluate


def listed(get: Get) -> Get:
    """A single argument among those that come as lists."""
    return lambda run: (get(run),)


def parts(path: TagPath | None, evaluate: Evaluate) -> Get:
    """The values of the element that a path means, or a text as a whole; None when there is none."""

    def get(run: Run) -> tuple[str, ...] | None:
        text = text_of(evaluate(run))
        if text is None:
            return None
        return (text,) if path is None else run.parts(path, text)

    return get


def flat(value: Value) -> tuple[Value, ...]:
    """The entries of a list and of the lists in it; what is no list stands for itself."""
    if isinstance(value, ListValue):
        return tuple(inner for entry in value.entries for inner in flat(entry))
    return (value,)


def read_entry(run: Run, entry: Value, span: Span) -> Value:
    """An entry of a list that became an argument: a path is read.

    Raises:
        StatementError: the path may mean several elements.
    """
    if not isinstance(entry, TagPath):
        return entry
    reason = entry.plural_reason()
    if reason:
        raise StatementError("not-singular", f"{entry} cannot be read: {reason}", span=span)
    return run.read(entry)


def paths_of(value: Value, span: Span) -> tuple[TagPath, ...]:
    """The paths of an argument: paths, and texts that hold one.

    Raises:
        StatementError: a text is no path.
    """
    found: list[TagPath] = []
    for entry in flat(value):
        if isinstance(entry, TagPath):
            found.append(entry)
            continue
        try:
            found.append(parse_path6(text_of(entry) or ""))
        except TagError:
            # The reason may quote the text, and that may come from the object.
            hint = "a path is written (gggg,eeee)[n]/(gggg,eeee)"
            raise StatementError("bad-tag", "the text is no tag path", hint, span) from None
    return tuple(found)


def form_of(found: Builtin) -> str:
    """How a function is called."""
    names = [f"{each.name}, ..." if each.is_rest else each.name for each in found.arguments]
    return f"{found.name}[{', '.join(names)}]"


def count_message(found: Builtin, count: int) -> str:
    """What is said of a call with too few arguments or too many."""
    wanted = found.required
    most = len(found.arguments)
    if any(argument.is_rest for argument in found.arguments) or not found.is_exact:
        number = f"at least {wanted}"
    elif wanted == most:
        number = str(wanted)
    else:
        number = f"{wanted} to {most}"
    noun = "argument" if number in ("1", "at least 1") else "arguments"
    return f"{found.name} takes {number} {noun}, not {count}"
