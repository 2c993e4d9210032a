"""Health check of the container: C-ECHO to every receiver that is on; exit code 0 when all answer."""

from __future__ import annotations

import os
import socket
import sys

from config.errors import ConfigError
from config.load import load_settings
from config.settings import Receiver
from receiver.allow import AllowList
from receiver.errors import CannotConnectError
from receiver.sender import echo

CALLING_AE_TITLE = "PREARC"
TIMEOUT_SECONDS = 5.0


def find_problem(receiver: Receiver) -> str | None:
    """Return what is wrong with a receiver, or None.

    Where a C-ECHO from here would not be let in (TLS, the `allow` list), being able to connect is enough.
    """
    address = "127.0.0.1" if receiver.host in ("0.0.0.0", "::") else receiver.host  # noqa: S104
    try:
        if receiver.tls or not AllowList(receiver.allow).allows(CALLING_AE_TITLE, "127.0.0.1"):
            socket.create_connection((address, receiver.port), TIMEOUT_SECONDS).close()
            return None
        status = echo(
            receiver.ae_title,
            address,
            receiver.port,
            calling_ae_title=CALLING_AE_TITLE,
            timeout_seconds=TIMEOUT_SECONDS,
        )
    except (CannotConnectError, OSError) as error:
        return str(error)
    return None if status == 0 else f"status 0x{status:04X}"


def main() -> int:
    """Ask all receivers."""
    try:
        settings = load_settings(os.environ.get("PREARC_CONFIG", "site"))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    problems = {
        f"{receiver.ae_title}:{receiver.port}": problem
        for receiver in settings.receivers
        if receiver.enabled and (problem := find_problem(receiver))
    }
    for name, problem in problems.items():
        print(f"{name}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
