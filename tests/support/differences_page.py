"""The tables of `docs/differences.md`: rows with an example script and what comes out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"
_OUTCOME = re.compile(
    r"(fine|rejected|mistake|failure|warning|message|(?:\([0-9A-F,]+\)(?:\[[0-9]+\])?/?)+ is)"
    r"(?: `([^|]+)`| (absent|empty))?"
)


class Example(NamedTuple):
    """A row of a table.

    Attributes:
        script: without its version line in DicomEdit 6.
        kind: mistake, failure, warning, message, fine, rejected, or a path followed by `is`.
        word: the code, words of a message, or the value at the path.
    """

    script: str
    kind: str
    word: str


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its first two lines."""
    section = PAGE.read_text("utf-8").split(f"## {heading}\n")[1]
    table = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line[1:].removesuffix("|").split("|")] for line in table[2:]]


def examples(heading: str) -> list[Example]:
    """The examples of the table below a heading."""
    found: list[Example] = []
    for row in rows(heading):
        cells = [cell for cell in row if cell]
        outcome = _OUTCOME.fullmatch(cells[-1])
        if outcome is None:
            continue
        script = cells[-2].strip("`").replace("⏎", "\n").replace("\\ufeff", "\ufeff").replace("¦", "|")
        found.append(Example(script, outcome[1], outcome[2] or outcome[3] or ""))
    return found
