"""From the bytes of a file to the text of a script."""

from __future__ import annotations

import codecs
from typing import Final

from anon.errors import Diagnostic, ScriptError

CODE: Final = "not-utf8"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode_script(raw: bytes, name: str) -> str:
    """The text of a script or a lookup table.

    Raises:
        ScriptError: it is not UTF-8; `readable_text` gives what can be shown of it.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = "this letter is not written in UTF-8"
        if raw.startswith(_UTF_16):
            message, line, column = "this is text in UTF-16, not in UTF-8", 1, 1
        elif b"\0" in raw[:4096]:
            message = "this is no text, so it cannot be a script"
        hint = "save the file as plain text in UTF-8"
        found = Diagnostic(CODE, message, line, column, line, column + 1, hint)
        raise ScriptError([found], name) from None


def readable_text(raw: bytes) -> str:
    """What can be shown of bytes that are not UTF-8."""
    if raw.startswith(_UTF_16):
        return raw.decode("utf-16", "replace")
    return raw.decode("utf-8", "replace")
