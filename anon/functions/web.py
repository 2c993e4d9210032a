"""`getURL`: off unless the caller names the hosts that may be asked, and then kept small.

A script that fetches what it likes can send patient data anywhere (in the URL) and reach what only this
machine can reach. So there are no redirects, no proxies, a limit for the answer and one for the time.
"""

from __future__ import annotations

import base64
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from anon.errors import StatementError
from anon.functions.registry import Builtin, builtin, make_builtin, maybe, plain

MAX_BYTES: Final = 65_536
MAX_SECONDS: Final = 10.0
MAX_SILENCE: Final = 5.0
_CHUNK: Final = 4096
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_UNFIT = re.compile(r"[^\x21-\x7e]")
_BLANKS: Final = "".join(map(chr, range(0x21)))  # what Java's trim takes away


def _not_allowed() -> StatementError:
    return StatementError(
        "not-allowed",
        "getURL is switched off here",
        "a script may send nothing to other machines, unless whoever runs it allows single hosts",
    )


@builtin("getURL", versions="4", arguments=[maybe("url")])
def get_url4(url: str | None) -> str:
    """Return what a web server answers: switched off, so every object that gets here is refused.

    `[anonymization] allowed_hosts` of a site can allow single hosts. Then the lines of the answer are joined
    with line ends, and blanks around them go.

    >>> run('getURL["http://localhost/label"]')
    Traceback (most recent call last):
    ...
    anon.errors.ScriptError: script:1:1: getURL is switched off here [not-allowed]
    """
    raise _not_allowed()


@builtin("getURL", versions="6.0+", arguments=[plain("url")])
def get_url6(url: str) -> str:
    """Return what a web server answers: switched off, so every object that gets here is refused.

    `[anonymization] allowed_hosts` of a site can allow single hosts. Then the lines of the answer are joined
    without anything between them; an empty answer is an error.

    >>> run('getURL["http://localhost/label"]')
    Traceback (most recent call last):
    ...
    anon.errors.ScriptError: script:2:1: getURL is switched off here [not-allowed]
    """
    raise _not_allowed()


def url_function(dialect: int, allowed: frozenset[str]) -> Builtin:
    """`getURL` for a caller that allows some hosts."""

    def get_lines(url: str | None) -> list[str]:
        return _LINE_ENDS.split(fetch(url or "", allowed))

    def get_url4(url: str | None) -> str:
        """Return the answer's lines."""
        return "\n".join(get_lines(url)).strip(_BLANKS)

    def get_url6(url: str) -> str:
        """Return the answer's lines joined."""
        found = "".join(get_lines(url))
        if not found:
            raise StatementError("url-failed", "the web server's answer is empty")
        return found

    function: Callable[..., str] = get_url4 if dialect == 4 else get_url6
    argument = maybe("url") if dialect == 4 else plain("url")
    return make_builtin("getURL", function, dialect=dialect, arguments=[argument])


def fetch(url: str, allowed: frozenset[str]) -> str:
    """Get the text of an address.

    Raises:
        StatementError: the host is not allowed, or its answer is anything but a small text and status 200.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname or ""
    if (
        parts.scheme not in ("http", "https")
        or not host
        or not url.isascii()
        or re.search(r"[\x00-\x20]", url)
    ):
        raise StatementError("url-failed", "this is no address of a web server")
    if host not in allowed and f"{host}:{port}" not in allowed:
        raise StatementError("not-allowed", "the script asks a host that is not allowed")
    try:
        return _ask(parts, host, port)
    except (OSError, HTTPException):
        raise StatementError("url-failed", "the web server cannot be reached") from None


def _ask(parts: SplitResult, host: str, port: int | None) -> str:
    deadline = time.monotonic() + MAX_SECONDS
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    headers = {"Accept-Encoding": "identity", "Connection": "close"}
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode('ascii')}"
    connection = kind(host, port, timeout=MAX_SILENCE)
    # A server that sends its header a byte at a time is never silent for long.
    watchdog = threading.Timer(MAX_SECONDS, _cut, [connection])
    watchdog.daemon = True
    watchdog.start()
    try:
        query = f"?{parts.query}" if parts.query else ""
        connection.request("GET", (parts.path or "/") + query, headers=headers)
        response = connection.getresponse()
        if response.status != 200:
            raise StatementError("url-failed", f"the web server answers with status {response.status}")
        promised = response.length  # None when the server does not say
        body = bytearray()
        while (promised is None or len(body) < promised) and (chunk := response.read1(_CHUNK)):
            body += chunk
            if len(body) > MAX_BYTES or time.monotonic() > deadline:
                raise StatementError("url-failed", "the web server's answer is too long, or takes too long")
        if promised is not None and len(body) < promised:
            raise StatementError("url-failed", "the web server's answer breaks off")
        return body.decode("utf-8", "replace")
    finally:
        watchdog.cancel()
        connection.close()


def _cut(connection: HTTPConnection) -> None:
    """End a connection that another thread waits for."""
    waiting = connection.sock
    if waiting is not None:
        with suppress(OSError):
            waiting.shutdown(socket.SHUT_RDWR)
