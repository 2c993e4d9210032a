"""The page of all codes, made from the catalogue: `python -m anon.codes.manual > docs/codes.md`."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final, NamedTuple

from anon.codes import CODES
from anon.codes.entry import When
from anon.lint.registry import LINTS

_INTRODUCTION: Final = """\
# Codes

<!-- Made by `python -m anon.codes.manual`. Edit anon/codes and the docstrings of anon/lint instead. -->

What `prearc anon check` and the program say about scripts. `prearc anon explain CODE` shows one of them.
The examples are run by a test.
"""
_KINDS: Final = {
    "script": ("Mistakes", "A script with one of these is not taken."),
    "object": ("Failures on an object", "An object that the script fails on stays as it was and is refused."),
    "table": ("Mistakes in lookup tables", ""),
    "tests": ("Mistakes in tests of scripts", ""),
    "profile": ("Holding a script against a profile", "What `prearc anon check --profile` says."),
    "lint": ("Warnings", "Allowed, and hardly meant. A comment `// prearc: allow CODE` silences them."),
}  # fmt: skip


class Page(NamedTuple):
    """All about a code, whatever gives it."""

    code: str
    kind: str
    title: str
    text: str
    wrong: str
    right: str


def pages() -> Iterator[Page]:
    """Every code: mistakes, failures, warnings."""
    for each in CODES.values():
        kind: When = each.when
        yield Page(each.code, kind, each.title, each.text, each.wrong, each.right)
    for rule in sorted(LINTS, key=lambda each: each.code):
        yield Page(rule.code, "lint", rule.title, rule.text, rule.fires, rule.silent)


def find_page(code: str) -> Page | None:
    """The page of a code, spelled in any case."""
    return next((each for each in pages() if each.code == code.strip().lower()), None)


def similar_codes(code: str) -> list[str]:
    """Codes that somebody may have meant."""
    return get_close_matches(code.lower(), [each.code for each in pages()], n=3, cutoff=0.5)


def page(code: str, width: int = 80) -> str:
    """All about one code, as plain text.

    Raises:
        KeyError: there is no such code.
    """
    found = find_page(code)
    if found is None:
        raise KeyError(code)
    parts = [textwrap.fill(f"{found.code}: {found.title}", width, break_on_hyphens=False)]
    parts += [textwrap.fill(" ".join(block.split()), width) for block in found.text.split("\n\n")]
    for heading, example in (("Wrong:", found.wrong), ("Right:", found.right)):
        if example.strip():
            shown = "\n".join(f"    {line}".rstrip() for line in _clipped(example).split("\n"))
            parts.append(f"{heading}\n{shown}")
    return "\n\n".join(parts)


def _clipped(example: str) -> str:
    return "\n".join(
        line if len(line) <= 100 else f"{line[:60]}..." for line in example.rstrip("\n").split("\n")
    )


def manual() -> str:
    """The page of all codes, in Markdown."""
    parts = [_INTRODUCTION]
    everything = list(pages())
    for kind, (heading, about) in _KINDS.items():
        parts.append(f"## {heading}\n" + (f"\n{about}\n" if about else ""))
        parts.extend(_section(each) for each in everything if each.kind == kind)
    return "\n".join(parts)


def _section(found: Page) -> str:
    text = f"### `{found.code}`\n\n{found.title[0].upper()}{found.title[1:]}. {found.text}\n"
    for heading, example in (("Wrong", found.wrong), ("Right", found.right)):
        if example.strip():
            text += f"\n{heading}:\n\n```text\n{_clipped(example)}\n```\n"
    return text


if __name__ == "__main__":
    sys.stdout.write(manual())
