"""Regular expressions while a script runs: as Java reads them, and never without end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import regex

from anon.errors import StatementError
from anon.java_regex import JavaRegexError, compile_java

#: Seconds that one match of a script may take. A busy machine needs some patience, an honest pattern none.
MATCH_SECONDS: Final = 2.0
Match = regex.Match[str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled regular expression of a script."""

    compiled: regex.Pattern[str]

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return self.compiled.groups

    def fullmatch(self, text: str) -> Match | None:
        """Match the whole of a text.

        Raises:
            StatementError: it takes too long.
        """
        try:
            return self.compiled.fullmatch(text, timeout=MATCH_SECONDS)
        except TimeoutError:
            raise _runaway() from None

    def search(self, text: str) -> Match | None:
        """Find the first place in a text.

        Raises:
            StatementError: it takes too long.
        """
        try:
            return self.compiled.search(text, timeout=MATCH_SECONDS)
        except TimeoutError:
            raise _runaway() from None


def _runaway() -> StatementError:
    return StatementError(
        "regex-timeout",
        f"the regular expression ran for more than {MATCH_SECONDS:g} seconds on a value of this object",
        "nested repetitions such as (a+)+ are slow, write a+",
    )


def compile_pattern(text: str) -> Pattern:
    """Compile a regular expression that is only known while the script runs.

    Raises:
        StatementError: it is none.
    """
    try:
        return Pattern(compile_java(text))
    except JavaRegexError:
        # The reason may quote the pattern, and that may come from the object.
        raise StatementError("bad-regex", "the regular expression cannot be used") from None
