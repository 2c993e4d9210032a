r"""Replacements of Java's `String.replaceAll`: `$1` and `${name}` are groups, `\` makes a sign plain."""

from __future__ import annotations

import re
from collections.abc import Callable

import regex

from anon.java_regex import JavaRegexError


def compile_replacement(text: str, pattern: regex.Pattern[str]) -> Callable[[regex.Match[str]], str]:
    r"""Compile a replacement of Java's `replaceAll`: `$1` and `${name}` are groups, `\` makes a sign plain.

    Raises:
        JavaRegexError: a group that the pattern does not have, or a lone `$` or `\`.
    """
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == "\\":
            if position == len(text):
                raise JavaRegexError(r"the replacement ends in a lone \ (write \\)")
            parts.append(text[position])
            position += 1
        elif character == "$":
            group, position = _replacement_group(text, position, pattern)
            parts.append(group)
        else:
            parts.append(character)

    def replace(found: regex.Match[str]) -> str:
        return "".join(part if isinstance(part, str) else found[part] or "" for part in parts)

    return replace


def _replacement_group(text: str, position: int, pattern: regex.Pattern[str]) -> tuple[int, int]:
    named = re.compile(r"\{([A-Za-z][A-Za-z0-9]*)\}", re.ASCII).match(text, position)
    if named:
        if named[1] not in pattern.groupindex:
            raise JavaRegexError(f"the replacement names a group {named[1]!r} that is not there")
        return pattern.groupindex[named[1]], named.end()
    digits = re.compile(r"[0-9]+", re.ASCII).match(text, position)
    if not digits:
        raise JavaRegexError(r"a $ in the replacement needs a group number (write \$ for the sign)")
    # As Java: a further digit belongs to the number only while such a group exists.
    end = position + 1
    while end < digits.end() and int(text[position : end + 1]) <= pattern.groups:
        end += 1
    group = int(text[position:end])
    if group > pattern.groups:
        raise JavaRegexError(f"the replacement names group {group}, the pattern has {pattern.groups}")
    return group, end
