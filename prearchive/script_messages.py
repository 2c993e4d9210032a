"""What scripts say about objects while they run: warnings of a session at receipt, lines of the archive plan.

Messages tell an administrator that a script may not do what was meant: elements that stay in sequences,
values that break the rules of their VR. They hold no value of a data set. They say nothing about where a
session belongs, so they keep nobody from archiving it, by hand or by policy.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from prearchive.db import queries

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: The code of such a warning.
SCRIPT_MESSAGE: Final = "script-message"
#: A session keeps so many different ones, and one that says that there are more.
MOST_MESSAGES: Final = 20
MORE_MESSAGES: Final = "there are more messages of scripts, which are not kept"
_MOST_REMEMBERED = 50_000
_MOST_TOLD = 3


class MessageNotes:
    """Puts messages among the warnings of sessions. What sessions have is remembered: a cache, no more.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._known: set[tuple[int, str]] = set()
        self._lock = threading.Lock()

    def unknown(self, session_id: int, messages: Iterable[str]) -> list[str]:
        """Those of the messages that the session may not have yet."""
        if (session_id, MORE_MESSAGES) in self._known:
            return []
        return [text for text in messages if (session_id, text) not in self._known]

    def remember(self, session_id: int, messages: Collection[str]) -> None:
        """They are committed."""
        if not messages:
            return
        with self._lock:
            if len(self._known) + len(messages) > _MOST_REMEMBERED:
                self._known.clear()
            self._known.update((session_id, text) for text in messages)


def add_messages(connection: Connection, session_id: int, messages: Iterable[str], at: datetime) -> list[str]:
    """Put messages among the warnings of a session as long as there is room; return those it has now."""
    kept = queries.warning_texts(connection, session_id, SCRIPT_MESSAGE)
    for text in messages:
        if text in kept or MORE_MESSAGES in kept:
            continue
        text = text if len(kept) < MOST_MESSAGES else MORE_MESSAGES
        queries.add_warning(connection, session_id, SCRIPT_MESSAGE, text, at)
        kept.add(text)
    return sorted(kept)


@dataclass(frozen=True, slots=True)
class ToldMessage:
    """A message of a script, and for how many files it came."""

    text: str
    files: int


class MessageTally:
    """Counts the messages about the files of a session."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}

    def add(self, messages: Iterable[str]) -> None:
        """Count the messages about one more file."""
        for text in messages:
            self._files[text] = self._files.get(text, 0) + 1

    def messages(self) -> list[ToldMessage]:
        """All messages in the order they came."""
        return [ToldMessage(text, files) for text, files in self._files.items()]

    def summary(self) -> str:
        """The first messages in one line, for the history; empty when there are none."""
        told = [
            f"{found.text} ({found.files} {'file' if found.files == 1 else 'files'})"
            for found in self.messages()[:_MOST_TOLD]
        ]
        more = len(self._files) - _MOST_TOLD
        return "; ".join(told) + (f"; and {more} more messages" if more > 0 else "")
