"""Looking values up in the site's table (DicomEdit 6)."""

from __future__ import annotations

from anon.errors import StatementError
from anon.functions.registry import builtin, plain, text
from anon.operations.run import Run


@builtin("lookup", versions="6.0+", arguments=[plain("type"), text("key")], exact=True)
def lookup(run: Run, key_type: str, key: str) -> str:
    """Return the value that the lookup table has for a key, in the table's entries of one key type.

    The table is a text beside the scripts, `anon/lookup.txt` of a site, with lines `type/key = value`. Case
    counts. Without an entry for the key, or without a table, the object is refused; DicomEdit 6 would leave
    the original value. A value with backslashes is several values. In the examples the table is
    `pid/PID-1 = S007`.

    >>> run('lookup["pid", (0010,0020)]')
    'S007'
    >>> run('lookup["pid", "PID-2"]')
    Traceback (most recent call last):
    ...
    anon.errors.ScriptError: script:2:1: the lookup table has no entry for this key [no-such-key]
    """
    table = run.host.lookup
    if table is None:
        hint = "a site has it in anon/lookup.txt, `prearc anon check` and `apply` take --lookup"
        raise StatementError("no-lookup-table", "there is no lookup table", hint)
    found = table.values.get((key_type, key))
    if found is None:
        hint = "case counts; an entry is `type/key = value`"
        raise StatementError("no-such-key", "the lookup table has no entry for this key", hint)
    return found
