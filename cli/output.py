"""Everything `prearc` prints: one JSON document, or text for people.

Values of data sets, labels and names of senders can hold control characters; a terminal would obey them.
`safe_text` makes them visible instead, and every table and message goes through it.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TextIO

# C0 and C1 controls, delete, and the characters that turn the writing direction; not tab and line feed.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
SHORT_SHA = 12  # characters of a SHA-256 that a table shows
_LEAST_PROSE = 20  # columns
_PLAIN_COLUMNS = 80  # where nobody knows how wide the window is
_STATUS_STYLES = {
    "READY": "green",
    "ARCHIVED": "green",
    "RECEIVING": "cyan",
    "CONFLICT": "yellow",
    "ERROR": "red",
    "error": "red",
    "warning": "yellow",
    "FAIL": "red",
    "WARN": "yellow",
}


def safe_text(text: str, *, one_line: bool = False) -> str:
    """Return `text` with control characters as visible escapes; with `one_line` also line feeds and tabs."""
    text = _CONTROLS.sub(
        lambda match: match[0].encode("unicode_escape").decode("ascii"), _with_surrogates(text)
    )
    return text.replace("\n", "\\n").replace("\t", "\\t") if one_line else text


def _with_surrogates(text: str) -> str:
    # Undecodable bytes of a file's name are lone surrogates, which no terminal takes.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def to_document(value: Any) -> Any:
    """Return `value` as what `json` can write: data classes become objects, times ISO 8601 with offset."""
    if hasattr(value, "as_json"):
        return to_document(value.as_json())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name.name: to_document(getattr(value, name.name)) for name in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone().isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(to_document(key)): to_document(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return to_document(value._asdict())
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [to_document(item) for item in value]
    return value


def print_document(value: Any, *, one_line: bool = False) -> None:
    """Print the one JSON document of this command; ASCII only, so that no terminal obeys it.

    Args:
        value: the document.
        one_line: for a reader that waits for a line, while the command goes on.
    """
    print(json.dumps(to_document(value), indent=None if one_line else 2), flush=True)  # noqa: T201


def say(text: str = "", *, stream: TextIO | None = None) -> None:
    """Print text for people on standard output."""
    print(safe_text(text), file=stream or sys.stdout, flush=True)


def shortened(text: str, characters: int) -> str:
    """Return a value on one line, its middle left out where it is longer than `characters`."""
    line = safe_text(text, one_line=True)
    if len(line) <= characters:
        return line
    end = characters // 4
    return f"{line[: characters - end - 3]}...{line[-end:]}"


_STYLES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def wants_colour(stream: TextIO | None = None) -> bool:
    """Tell whether colours may be used: on a terminal, unless NO_COLOR says otherwise."""
    return (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR")


class Styled(NamedTuple):
    """Text in a style: bold, a colour, or "" for none."""

    text: str
    style: str


def say_styled(*parts: str | Styled, stream: TextIO | None = None) -> None:
    """Print a line of which some parts are styled where that is wanted; control characters are escaped."""
    coloured = wants_colour(stream)
    drawn = [
        f"\x1b[{_STYLES[part.style]}m{safe_text(part.text)}\x1b[0m"
        if coloured and isinstance(part, Styled) and part.style
        else safe_text(part.text if isinstance(part, Styled) else part)
        for part in parts
    ]
    print("".join(drawn), file=stream or sys.stdout, flush=True)


def columns(stream: TextIO | None = None) -> int:
    """Return how wide lines may be: as the window, 80 where there is none."""
    if not (stream or sys.stdout).isatty():
        return _PLAIN_COLUMNS
    return shutil.get_terminal_size((_PLAIN_COLUMNS, 24)).columns


def wrapped(text: str, width: int, *, indent: str = "") -> list[str]:
    """Return text on lines of a width, cut at blanks only: names of files stay whole, to be copied.

    Args:
        text: one paragraph.
        width: of a line, in characters.
        indent: before all lines but the first.
    """
    return textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def say_wrapped(text: str, *, indent: str = "", stream: TextIO | None = None) -> None:
    """Print a paragraph for people, as wide as the window."""
    for line in wrapped(safe_text(text), columns(stream), indent=indent):
        say(line, stream=stream)


def complain(text: str) -> None:
    """Print a message on standard error, with the program's name as other tools do."""
    remark(f"prearc: {text}")


def remark(text: str) -> None:
    """Print a message on standard error: on a terminal as wide as the window, else on one line."""
    message = safe_text(text, one_line=True)
    lines = wrapped(message, columns(sys.stderr), indent="  ") if sys.stderr.isatty() else [message]
    print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201


def is_terminal() -> bool:
    """Tell whether a person reads standard output as it appears."""
    return sys.stdout.isatty()


def cell(value: Any) -> str:
    """Return one cell of a table: `-` for nothing, times without seconds in local time."""
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    if isinstance(value, enum.Enum):
        return str(value.value)
    return safe_text(str(value), one_line=True)


def print_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    right: Sequence[str] = (),
    empty: str = "nothing",
    wrap: bool = False,
) -> None:
    """Print a table: drawn by rich on a terminal, else aligned plain text, never cut.

    Args:
        headings: one a column.
        rows: one value a column each.
        right: headings of the columns that hold numbers.
        empty: what to say when there are no rows.
        wrap: the last column is prose, so it goes on in the next line; else each row stays on one line.
    """
    cells = [[cell(value) for value in row] for row in rows]
    if not cells:
        say(f"({empty})")
    elif is_terminal():
        _print_drawn(headings, cells, right)
    else:
        _print_aligned(headings, cells, right, wrap)


def _print_aligned(headings: Sequence[str], cells: list[list[str]], right: Sequence[str], wrap: bool) -> None:
    widths = [max(len(heading), *(len(row[i]) for row in cells)) for i, heading in enumerate(headings)]
    rows = [list(headings), *cells]
    if wrap:
        room = max(_LEAST_PROSE, _PLAIN_COLUMNS - sum(widths[:-1]) - 2 * len(widths[:-1]))
        widths[-1] = min(room, widths[-1])
        rows = [part for row in rows for part in _wrapped_row(row, room)]
    for row in rows:
        parts = [
            text.rjust(width) if heading in right else text.ljust(width)
            for text, width, heading in zip(row, widths, headings, strict=True)
        ]
        say("  ".join(parts).rstrip())


def _wrapped_row(row: list[str], room: int) -> Iterator[list[str]]:
    for number, line in enumerate(wrapped(row[-1], room)):
        yield [*(row[:-1] if number == 0 else [""] * (len(row) - 1)), line]


def _print_drawn(headings: Sequence[str], cells: list[list[str]], right: Sequence[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(text, style=_STATUS_STYLES.get(text, "")) for text in row))
    Console(highlight=False, soft_wrap=False).print(table)


def print_facts(facts: Iterable[tuple[str, Any]], *, stream: TextIO | None = None) -> None:
    """Print `name  value` lines, values under each other."""
    shown = [(name, cell(value)) for name, value in facts]
    width = max((len(name) for name, _ in shown), default=0)
    for name, text in shown:
        say(f"{name.ljust(width)}  {text}", stream=stream)


def size_text(size_bytes: int) -> str:
    """Return a size for people: `512.0 KiB`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
