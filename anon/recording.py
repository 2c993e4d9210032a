"""Noting in an object that a script was applied to it: an item in (0012,0064), as XNAT adds it."""

from __future__ import annotations

from typing import Final

from anon.errors import StatementError
from anon.operations.run import Run

DEIDENTIFICATION_METHOD_CODE_SEQUENCE: Final = 0x00120064
_MAX_CHARACTERS: Final = 16


def add_record(run: Run, record_id: str) -> None:
    """Append an item to the De-identification Method Code Sequence of the top level.

    Args:
        run: a script that was carried out.
        record_id: of the script; "0" and "" record nothing.

    Raises:
        StatementError: the id is longer than a code value may be.
    """
    if record_id.strip() in ("", "0") or record_id.startswith("-"):
        return
    if len(record_id) > _MAX_CHARACTERS or not record_id.isascii() or "\\" in record_id:
        raise StatementError("bad-record-id", f"a record id has at most {_MAX_CHARACTERS} plain characters")
    item = run.instance.dataset.new_item(DEIDENTIFICATION_METHOD_CODE_SEQUENCE)
    item.put(0x00080100, "SH", record_id.encode("ascii"))
    item.put(0x00080102, "SH", b"XNAT")
    item.put(0x00080103, "SH", b"1.0")
    item.put(0x00080104, "LO", run.values.record_meaning.encode("ascii"))
