"""What a rule of the linter is, and the `@lint` decorator that puts one into the table.

A rule is a function that looks at a checked script and yields findings. Its docstring is its explanation;
the two example scripts beside it, one that it speaks up at and one that it is silent at, are run by a test.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from anon.syntax.span import Span

if TYPE_CHECKING:
    from anon.lint.checked import Checked


class Finding(NamedTuple):
    """What a rule has to say about a place of a script.

    Attributes:
        span: the culprit.
        message: what is wrong, in a sentence.
        hint: the likely repair, or "".
    """

    span: Span
    message: str
    hint: str = ""


Find = Callable[["Checked"], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Lint:
    """A rule of the linter.

    Attributes:
        code: names it; stable.
        title: what it finds, in half a sentence.
        text: why that matters and what to do.
        fires: a script that it warns of.
        silent: the same script as it should be.
        dialects: of scripts it looks at.
        find: looks for it.
        is_global: it judges the script as a whole, so it is not asked when parts could not be read.
        is_told: compiling the script tells it, too, as `Script.warnings`.
        purpose: of scripts it looks at, "site" or "project"; "" for all.
    """

    code: str
    title: str
    text: str
    fires: str
    silent: str
    dialects: tuple[int, ...]
    find: Find
    is_global: bool
    is_told: bool
    purpose: str


TABLE: Final[dict[str, Lint]] = {}


def lint(
    code: str,
    *,
    title: str,
    fires: str,
    silent: str,
    dialects: tuple[int, ...] = (4, 6),
    is_global: bool = False,
    is_told: bool = False,
    purpose: str = "",
) -> Callable[[Find], Find]:
    """Put a rule into the table; the arguments are those of `Lint`."""

    def register(find: Find) -> Find:
        assert code not in TABLE, code
        text = inspect.cleandoc(find.__doc__ or "")
        TABLE[code] = Lint(code, title, text, fires, silent, dialects, find, is_global, is_told, purpose)
        return find

    return register
