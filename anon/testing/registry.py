"""The verbs that tests can use: the `@verb` decorators and the one table from names to verbs.

A verb is declared once with what is written behind its name. Its docstring is its entry in the manual; the
last paragraph is an example of it below `[test.expect]`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from anon.testing.model import Expectation, Status
from anon.testing.observed import Observed, Pair, pairs_of

Takes = Literal[
    "elements", "values", "words", "words anywhere", "days", "flag or elements", "rectangles", "flag",
    "code", "texts",
]  # fmt: skip


class Answer(NamedTuple):
    """What a verb says of one element.

    Attributes:
        status: "error" when there is nothing to judge.
        expected: in words or as a value.
        found: what is there instead, or as well.
        message: why it did not pass, in a sentence.
        path: of the element; None where the whole object is meant.
        observed: the input; None where it is about several.
    """

    status: Status
    expected: str
    found: str | None
    message: str = ""
    path: str | None = None
    observed: Observed | None = None


Judge = Callable[[Sequence[Observed], Expectation], Iterable[Answer]]
JudgeElement = Callable[[Pair, Any], Answer]


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that can be expected.

    Attributes:
        name: as tests spell it.
        takes: what is written behind it.
        judge: holds an expectation against all inputs of a test.
        is_outcome: it is about what becomes of the whole object, not about its elements.
        doc: what it means, with an example.
    """

    name: str
    takes: Takes
    judge: Judge
    is_outcome: bool
    doc: str

    @property
    def prose(self) -> str:
        """What it means, without the example."""
        return self.doc.rpartition("\n\n")[0].strip()

    @property
    def example(self) -> str:
        """The example, as it is written below `[test.expect]`: the last paragraph."""
        return inspect.cleandoc(self.doc.rpartition("\n\n")[2]) + "\n"


_TABLE: Final[dict[str, Verb]] = {}


def verb(takes: Takes, *, outcome: bool = False) -> Callable[[Judge], Judge]:
    """Make a verb of the name of a function, which judges all inputs of a test together."""

    def register(judge: Judge) -> Judge:
        _put(judge, judge, takes, outcome)
        return judge

    return register


def element_verb(takes: Takes) -> Callable[[JudgeElement], JudgeElement]:
    """Make a verb of the name of a function, which judges one element of one input."""

    def register(judge_element: JudgeElement) -> JudgeElement:
        def judge(observed: Sequence[Observed], expectation: Expectation) -> Iterator[Answer]:
            assert expectation.target is not None
            for each in observed:
                for pair in pairs_of(each, expectation.target):
                    answer = judge_element(pair, expectation.wanted)
                    yield answer._replace(path=pair.path, observed=each)

        _put(judge, judge_element, takes, False)
        return judge_element

    return register


def _put(judge: Judge, documented: Callable[..., Any], takes: Takes, outcome: bool) -> None:
    name = documented.__name__
    assert name not in _TABLE, name
    _TABLE[name] = Verb(name, takes, judge, outcome, inspect.cleandoc(documented.__doc__ or ""))


def verbs() -> Mapping[str, Verb]:
    """All verbs by name, in the order of the manual."""
    return _TABLE
