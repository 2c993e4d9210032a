"""TLS of a receiver (PS3.15 annex B): TLS 1.2 or newer, client certificates where a CA for them is named."""

from __future__ import annotations

import ssl

from config.settings import Tls
from receiver.errors import TlsConfigurationError


def server_context(tls: Tls) -> ssl.SSLContext:
    """Return the TLS context of a receiver.

    Raises:
        TlsConfigurationError: a file cannot be read or is no PEM, or the key is not the certificate's.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # The empty password turns the prompt for an encrypted key into an error.
        context.load_cert_chain(tls.cert, tls.key, password="")
    except (OSError, ValueError) as error:
        raise TlsConfigurationError(
            f"cannot use certificate {tls.cert} with key {tls.key}: {_reason(error)}"
        ) from error
    if tls.client_ca is not None:
        try:
            context.load_verify_locations(tls.client_ca)
        except (OSError, ValueError) as error:
            raise TlsConfigurationError(
                f"cannot use {tls.client_ca} as CA of client certificates: {_reason(error)}"
            ) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not a PEM file, or the key does not belong to the certificate"
    return getattr(error, "strerror", None) or str(error)
