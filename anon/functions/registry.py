"""The functions of the language: the `@builtin` decorator and the one table from names to functions.

A function is declared once with what it takes and gives. The compiler checks calls against that, so a
function only sees arguments of the kind it asked for, and its docstring is its page in the manual: the
examples in it are run by a test.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal, TypeVar

Kind = Literal[
    "text",
    "maybe",
    "parts",
    "plain",
    "parsed",
    "integer",
    "pattern",
    "format",
    "paths",
    "private paths",
    "path list",
    "tags",
    "tag",
    "source",
    "values",
    "entries",
    "new value",
]
Returns = Literal["text", "boolean", "list", "nothing"]
F = TypeVar("F", bound=Callable[..., Any])

#: The one function that is not in the table: a caller that knows which labels are taken supplies it.
SESSION_LABEL: Final = "makeSessionLabel"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a function.

    Attributes:
        name: for messages.
        kind: what the function gets.
        is_optional: the call may leave it out; the function then gets its own default.
        is_rest: any number of them, as a tuple.
        parse: of the kind "parsed": makes what the function gets from a text, or raises StatementError.
    """

    name: str
    kind: Kind
    is_optional: bool = False
    is_rest: bool = False
    parse: Callable[[str], Any] | None = None


def text(name: str, *, optional: bool = False) -> Argument:
    """A text; a tag is read, and an element that is absent is a failure."""
    return Argument(name, "text", optional)


def maybe(name: str) -> Argument:
    """A text; a tag is read, and an element that is absent gives None."""
    return Argument(name, "maybe")


def parts(name: str) -> Argument:
    """A text as a tuple: the values of an element, anything else as a whole; None for what is absent."""
    return Argument(name, "parts")


def plain(name: str, *, optional: bool = False) -> Argument:
    """A text that DicomEdit 6 does not read from a tag."""
    return Argument(name, "plain", optional)


def parsed(name: str, parse: Callable[[str], Any], *, optional: bool = False) -> Argument:
    """A text in a notation of its own, as what `parse` makes of it. A literal is checked before any run."""
    return Argument(name, "parsed", optional, parse=parse)


def source(name: str) -> Argument:
    """A text, or the path of a single element, which is not read: the function wants to know its VR."""
    return Argument(name, "source")


def integer(name: str) -> Argument:
    """A whole number."""
    return Argument(name, "integer")


def pattern(name: str) -> Argument:
    """A regular expression, compiled."""
    return Argument(name, "pattern")


def message_format(name: str) -> Argument:
    """A message format, as its parts."""
    return Argument(name, "format")


def texts() -> Argument:
    """All that follow: texts; tags are read, and an element that is absent is a failure."""
    return Argument("values", "text", is_rest=True)


def tag(name: str) -> Argument:
    """A path that means a single element, or a string that holds one."""
    return Argument(name, "tag")


def tags() -> Argument:
    """All that follow: paths that mean a single element each, and lists of them."""
    return Argument("tags", "tags", is_rest=True)


def paths() -> Argument:
    """All that follow: tag paths, strings that hold one, lists of them."""
    return Argument("paths", "paths", is_rest=True)


def some_paths(name: str) -> Argument:
    """A tag path, a string that holds one, or a list of them, as a tuple."""
    return Argument(name, "paths")


def private_paths() -> Argument:
    """All that follow: tag paths with a private step, strings that hold one, lists of them."""
    return Argument("paths", "private paths", is_rest=True)


def path_list(name: str) -> Argument:
    """A list of tag paths, as a tuple."""
    return Argument(name, "path list")


def entries(name: str) -> Argument:
    """All that follow: values, lists taken apart; tag paths are not read."""
    return Argument(name, "entries", is_rest=True)


def new_value(name: str) -> Argument:
    """A text for an element, or None; a tag is not read, and a list is a mistake."""
    return Argument(name, "new value")


def values() -> Argument:
    """All that follow: values; tags are read, lists are taken apart."""
    return Argument("values", "values", is_rest=True)


@dataclass(frozen=True, slots=True)
class Builtin:
    """A function of the language.

    Attributes:
        name: as scripts spell it.
        dialect: 4 or 6.
        arguments: what it takes.
        returns: what it gives; "nothing" cannot be used as a value.
        is_exact: surplus arguments are a mistake; otherwise they are ignored, as the Java engines do.
        function: does it. The first parameter is the `Run` when it is called `run`.
        wants_run: it is.
        doc: what it does, with examples.
    """

    name: str
    dialect: int
    arguments: tuple[Argument, ...]
    returns: Returns
    is_exact: bool
    function: Callable[..., Any]
    wants_run: bool
    doc: str

    @property
    def required(self) -> int:
        """How many arguments a call needs at least."""
        return sum(not argument.is_optional and not argument.is_rest for argument in self.arguments)


_TABLE: Final[dict[tuple[int, str], Builtin]] = {}


def make_builtin(
    name: str,
    function: Callable[..., Any],
    *,
    dialect: int,
    arguments: Sequence[Argument],
    returns: Returns = "text",
    exact: bool = False,
) -> Builtin:
    """Describe a function without putting it into the table."""
    wants_run = next(iter(inspect.signature(function).parameters), "") == "run"
    doc = inspect.cleandoc(function.__doc__ or "")
    return Builtin(name, dialect, tuple(arguments), returns, exact, function, wants_run, doc)


def builtin(
    name: str,
    *,
    versions: Literal["4", "6.0+"],
    arguments: Sequence[Argument],
    returns: Returns = "text",
    exact: bool = False,
) -> Callable[[F], F]:
    """Put a function into the table.

    Args:
        name: as scripts spell it; case counts.
        versions: the dialect.
        arguments: what it takes, in order.
        returns: what it gives.
        exact: a surplus argument is a mistake.
    """
    dialect = 4 if versions == "4" else 6

    def register(function: F) -> F:
        assert (dialect, name) not in _TABLE, name
        _TABLE[dialect, name] = make_builtin(
            name, function, dialect=dialect, arguments=arguments, returns=returns, exact=exact
        )
        return function

    return register


def functions_of(dialect: int) -> Mapping[str, Builtin]:
    """The functions of a dialect by name."""
    return {name: found for (known, name), found in sorted(_TABLE.items()) if known == dialect}


def find_similar(name: str, known: Mapping[str, Builtin]) -> str | None:
    """The function that a misspelled name probably means."""
    by_small = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), by_small, n=1, cutoff=0.7)
    return by_small[close[0]] if close else None
