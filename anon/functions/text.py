"""Functions on texts."""

from __future__ import annotations

from anon.functions.message_format import Parts, fill
from anon.functions.registry import builtin, maybe, message_format, text, values
from anon.operations.run import Run
from anon.values import Value, text_of


def _format(run: Run, parts: Parts, arguments: tuple[Value, ...]) -> str:
    texts = [text_of(argument) for argument in arguments]
    if any(isinstance(part, int) and part < len(texts) and texts[part] is None for part in parts):
        run.warn("a value is absent and becomes the text `null`")
    return fill(parts, texts)


@builtin("format", versions="6.0+", arguments=[message_format("pattern"), values()])
def format6(run: Run, pattern: Parts, *arguments: Value) -> str:
    """Put values into a pattern: `{0}` is the first value after it, `{1}` the second.

    An apostrophe is written twice; a single one makes what follows literal. An element that is absent gives
    the text `null`, with a warning. Lists are taken apart.

    >>> run('format["{0}-{1}", "a", "b"]')
    'a-b'
    >>> run('format["{0} {2}", "x"]')
    'x {2}'
    >>> run('format["{0}{1}", {"p", "q"}]')
    'pq'
    """
    return _format(run, pattern, arguments)


@builtin("format", versions="4", arguments=[message_format("pattern"), values()])
def format4(run: Run, pattern: Parts, *arguments: Value) -> str:
    """Put values into a pattern: `{0}` is the first value after it, `{1}` the second.

    The same as a text followed by values. An element that is absent gives the text `null`.

    >>> run('format["{0}_v##_{1}", "S1", lowercase["MR"]]')
    'S1_v##_mr'
    >>> run('"{1}{0}" "a", "b"')
    'ba'
    """
    return _format(run, pattern, arguments)


@builtin("lowercase", versions="6.0+", arguments=[text("value")], exact=True)
def lowercase6(value: str) -> str:
    """Return a text in small letters. An absent data element is an error, as in DicomEdit 6.

    >>> run('lowercase["Knee LEFT"]')
    'knee left'
    """
    return value.lower()


@builtin("lowercase", versions="4", arguments=[maybe("value")])
def lowercase4(value: str | None) -> str | None:
    """Return a text in small letters; no value gives no value.

    >>> run('lowercase["Knee LEFT"]')
    'knee left'
    """
    return None if value is None else value.lower()
