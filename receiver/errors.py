"""What can go wrong while listening or sending. `cli/exits.py` maps each class to an exit code."""

from __future__ import annotations


class ReceiverError(Exception):
    """Base of all errors of the receiver; the message is one line for a person at a terminal."""


class CannotListenError(ReceiverError):
    """A receiver's host and port cannot be bound: in use, privileged, no such address (exit 2)."""


class TlsConfigurationError(ReceiverError):
    """A certificate or key cannot be read, or they do not fit together (exit 2)."""


class CannotConnectError(ReceiverError):
    """The peer cannot be reached or refused the association (exit 1)."""


class ProtocolViolationError(Exception):
    """The peer sent what PS3.7 or PS3.8 forbids at this point; the association is aborted."""
