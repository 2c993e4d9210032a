"""All rules of the linter."""

from __future__ import annotations

from typing import Final

from anon.lint import (  # noqa: F401  (modules fill the table when they are imported)
    allow,
    comparisons,
    conditions,
    contents,
    hashes,
    leftovers,
    order,
    patterns,
    pitfalls,
    tags,
    uids,
    variables,
)
from anon.lint.rule import TABLE, Lint

#: In the order in which they are asked.
LINTS: Final[tuple[Lint, ...]] = tuple(TABLE.values())
