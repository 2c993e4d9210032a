"""`PatientName := "x"` is allowed, gives a variable a value, and leaves the patient's name in the object.

DicomEdit reports success. Here it is a mistake, unless the script reads the variable somewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from pydicom.datadict import keyword_for_tag, tag_for_keyword

from anon.syntax import nodes
from anon.tag_names import find_meant_tag


def keyword_variables(statements: Iterable[nodes.Node]) -> Iterator[tuple[nodes.Initialise, int]]:
    """The statements that give a value to a variable that is called like an element and never read."""
    given: list[tuple[nodes.Initialise, int]] = []
    read: set[str] = set()
    for node in _nodes(statements):
        if isinstance(node, nodes.Initialise):
            tag = _tag_called(node.name.name)
            if tag is not None:
                given.append((node, tag))
        elif isinstance(node, nodes.Variable):
            read.add(node.name.lower())
    for statement, tag in given:
        if statement.name.name.lower() not in read:
            yield statement, tag


def _tag_called(name: str) -> int | None:
    tag = tag_for_keyword(name)
    if tag is not None:
        return tag
    tag = find_meant_tag(name, nearly=False)
    # In other letters only what can hardly be a word of somebody's own: several words run together.
    is_long = tag is not None and sum(letter.isupper() for letter in keyword_for_tag(tag)) > 1
    return tag if is_long and tag is not None and keyword_for_tag(tag).lower() == name.lower() else None


def _nodes(part: Any) -> Iterator[nodes.Node]:
    """All nodes below some, without the names that statements give values to, describe nothing and call."""
    waiting = list(part)
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting.extend(node)
            continue
        if not isinstance(node, nodes.Node):
            continue
        yield node
        for each in fields(node):
            if not (isinstance(node, nodes.Initialise | nodes.Call) and each.name == "name"):
                waiting.append(getattr(node, each.name))
