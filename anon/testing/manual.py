"""The chapters of verbs in the page about tests: `python -m anon.testing.manual docs/script-tests.md`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import anon.testing.expectations  # noqa: F401  (imports the verbs)
from anon.testing.registry import Takes, Verb, verbs

#: The verbs that the MIDI-B benchmark scores de-identification by, in its order.
MIDI_B: Final = (
    "tag_retained", "text_notnull", "text_retained", "text_removed", "date_shifted", "uid_changed",
    "uid_consistent", "patid_consistent", "pixels_hidden", "pixels_retained",
)  # fmt: skip
_TAKES: Final[dict[Takes, str]] = {
    "elements": "elements",
    "values": "elements with values",
    "words": "elements with words",
    "words anywhere": "words, or elements with words",
    "days": "elements, or elements with a number of days",
    "flag or elements": "true, or elements",
    "rectangles": "a rectangle, or several",
    "flag": "true",
    "code": "true, or the code of an error",
    "texts": "false, or texts",
}


def with_verbs(page: str) -> str:
    """The page with its chapters of verbs made anew; they stand between marks."""
    own = [found for name, found in verbs().items() if name not in MIDI_B]
    chapters = {
        "elements": [found for found in own if not found.is_outcome],
        "midi-b": [verbs()[name] for name in MIDI_B],
        "outcomes": [found for found in own if found.is_outcome],
    }
    for name, found in chapters.items():
        begin, end = f"<!-- made: {name} -->\n", "<!-- until here -->\n"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = before + begin + "\n" + "\n".join(map(_section, found)) + "\n" + end + after
    return page


def _section(found: Verb) -> str:
    return (
        f"#### `{found.name}`\n\n{found.prose}\n\nTakes {_TAKES[found.takes]}.\n\n"
        f"```toml\n{found.example}```\n"
    )


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_verbs(path.read_text("utf-8")), "utf-8")
