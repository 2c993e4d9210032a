"""Keeps the libraries quiet: what pydicom and pynetdicom log and warn about quotes values of data sets."""

from __future__ import annotations

import logging
import warnings

from pynetdicom import _config

_LIBRARIES = ("pydicom", "pynetdicom")


def silence_libraries() -> None:
    """Let nothing that pydicom or pynetdicom log or warn about reach a handler. May be called repeatedly."""
    # pynetdicom binds handlers that only write log entries; without them it also works less for every PDU.
    _config.LOG_HANDLER_LEVEL = "none"
    for name in _LIBRARIES:
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        # Deciding by level is cheaper than formatting for nobody.
        logger.setLevel(logging.CRITICAL + 1)
        warnings.filterwarnings("ignore", module=rf"{name}(\..*)?")
