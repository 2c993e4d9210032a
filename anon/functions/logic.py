"""Functions whose value is true or false, and the one that rejects objects (DicomEdit 6)."""

from __future__ import annotations

from anon.errors import Rejected, StatementError
from anon.functions.registry import builtin, plain, tag, tags, values
from anon.operations.condition import is_true
from anon.operations.run import Run
from anon.places import find_place
from anon.tagpath import TagPath
from anon.values import Value


@builtin("true", versions="6.0+", arguments=[], returns="boolean")
def true() -> bool:
    """Return true.

    >>> run("true[]")
    'true'
    """
    return True


@builtin("false", versions="6.0+", arguments=[], returns="boolean")
def false() -> bool:
    """Return false.

    >>> run("false[]")
    'false'
    """
    return False


def _truths(arguments: tuple[Value, ...]) -> list[bool]:
    if any(argument is None for argument in arguments):
        raise StatementError("no-value", "an absent element is neither true nor false")
    return [is_true(argument) for argument in arguments]


@builtin("and", versions="6.0+", arguments=[values()], returns="boolean")
def conjunction(*arguments: Value) -> bool:
    """Return whether all values are true: the text `true` in any case, or a boolean. Of none: true.

    >>> run('and["true", true[], {"TRUE"}]')
    'true'
    >>> run('and["true", "yes"]')
    'false'
    """
    return all(_truths(arguments))


@builtin("or", versions="6.0+", arguments=[values()], returns="boolean")
def disjunction(*arguments: Value) -> bool:
    """Return whether one value is true. Of none: false.

    >>> run('or["no", "true"]')
    'true'
    >>> run("or[]")
    'false'
    """
    return any(_truths(arguments))


@builtin("equals", versions="6.0+", arguments=[values()], returns="boolean")
def equals(*arguments: Value) -> bool:
    """Return whether there are at least two values and all are the same; case counts, tags are read.

    The kind counts, too: `true[]` is not the text `true`, and what `hashUID` or `newUID` made is equal to
    another such value only. A comparison with `=` looks at the text alone.

    >>> run('equals["a", "a", {"a"}]')
    'true'
    >>> run('equals["a", "A"]')
    'false'
    >>> run('equals[(0008,0060), "MR"]')
    'true'
    >>> run('equals[hashUID["1.2.3"], "2.25.148370922854076938159295778886134140470"]')
    'false'
    """
    if len(arguments) < 2:
        return False
    first = arguments[0]
    return all(type(other) is type(first) and other == first for other in arguments[1:])


@builtin("isPresent", versions="6.0+", arguments=[tags()], returns="boolean")
def is_present(run: Run, *paths: TagPath) -> bool:
    """Return whether all these elements are there; an empty one is.

    >>> run("isPresent[(0008,0060), (0010,0010)]")
    'true'
    >>> run("isPresent[(0009,{ACME}01)]")
    'false'
    """
    for path in paths:
        place = find_place(run.top(path), path)
        if place is None or place.tag not in place.dataset:
            return False
    return True


@builtin("valueAt", versions="6.0+", arguments=[tag("tag")], exact=True)
def value_at(run: Run, path: TagPath) -> str | None:
    """Return the value of an element, which may be named by a text; no value when it is absent.

    >>> run('valueAt["(0008,0060)"]')
    'MR'
    """
    return run.read(path)


@builtin("reject", versions="6.0+", arguments=[plain("flag", optional=True)], returns="nothing")
def reject(flag: str = "true") -> None:
    """Stop, and let the object be discarded; with a value that is not `true`, go on."""
    if is_true(flag):
        raise Rejected
