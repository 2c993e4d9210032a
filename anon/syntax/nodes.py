"""The syntax trees of both dialects: what a script says, with the place of every word."""

from __future__ import annotations

from dataclasses import dataclass

from anon.syntax.span import Span
from anon.tagpath import TagPath


@dataclass(frozen=True, slots=True)
class Node:
    """Anything with a place in the script."""

    span: Span


# -- values


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A string literal, its escapes translated."""

    text: str


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number literal, exactly as typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Path(Node):
    """A tag, pattern or tag path."""

    path: TagPath


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """The name of a variable, as spelled."""

    name: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function with its arguments."""

    name: Variable
    arguments: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Format(Node):
    """A message format: a string literal followed by values (DicomEdit 4)."""

    pattern: Text
    arguments: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Values(Node):
    """A list in braces (DicomEdit 6)."""

    entries: tuple[Value, ...]


Value = Text | Number | Path | Variable | Call | Format | Values


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """`left operator right`; the operator is one of = != ~ !~."""

    left: Value
    operator: str
    right: Value


Condition = Comparison | Call


# -- statements


@dataclass(frozen=True, slots=True)
class Assign(Node):
    """`target := value`."""

    target: Path
    value: Value


@dataclass(frozen=True, slots=True)
class AssignIfPresent(Node):
    """`target ?= value` (DicomEdit 6)."""

    target: Path
    value: Value


@dataclass(frozen=True, slots=True)
class AssignNew(Node):
    """`target := new generator` (DicomEdit 4)."""

    target: Path
    generator: Variable
    arguments: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Initialise(Node):
    """`name := value`."""

    name: Variable
    value: Value


@dataclass(frozen=True, slots=True)
class Delete(Node):
    """`- target`."""

    target: Path


@dataclass(frozen=True, slots=True)
class Echo(Node):
    """`echo value`."""

    value: Value | None


@dataclass(frozen=True, slots=True)
class Describe(Node):
    """`describe name "text"`, or with a keyword instead of the text."""

    name: Variable
    text: Text | None
    keyword: str


@dataclass(frozen=True, slots=True)
class Export(Node):
    """`export name "field"`."""

    name: Variable
    field: Text


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`condition : condition : action` (DicomEdit 4)."""

    conditions: tuple[Condition, ...]
    action: Action4


@dataclass(frozen=True, slots=True)
class Ternary(Node):
    """`condition ? action : action` (DicomEdit 6)."""

    condition: Condition
    then: Action6
    otherwise: Action6 | None


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """`if (condition) { ... }` or `elseif (condition) { ... }`."""

    condition: Condition
    body: tuple[Statement6, ...]


@dataclass(frozen=True, slots=True)
class IfBlock(Node):
    """The branches of an if, in order, and what stands in `else`."""

    branches: tuple[Branch, ...]
    otherwise: tuple[Statement6, ...]


@dataclass(frozen=True, slots=True)
class RemoveAllPrivateTags(Node):
    """`removeAllPrivateTags` (DicomEdit 6)."""


@dataclass(frozen=True, slots=True)
class Version(Node):
    """`version "6.x"` (DicomEdit 6)."""

    version: Text


Action4 = Assign | AssignNew | Delete | Echo
Statement4 = Action4 | Conditional | Initialise | Describe | Export
Action6 = Assign | AssignIfPresent | Initialise | Delete | Call | Echo
Statement6 = Action6 | Ternary | IfBlock | Describe | Export | RemoveAllPrivateTags | Version
