"""The site key and what is derived from it: keyed hashes that name received values without showing them.

Everything that must be recognised again although the site script removes it (UIDs as received, labels) is
kept as a keyed hash. One random key a site, a derived key a purpose, so that a hash made for one place says
nothing about another. Without the key late instances cannot find their session, and scripts map UIDs to other
ones: a backup has to hold it.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

import blake3

from prearchive.errors import ConfigurationProblemError

KEY_NAME = "site.key"
KEY_VARIABLE = "PREARC_SITE_KEY"
KEY_BYTES = 32
_KEY_TEXT = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


class SiteKeys:
    """The derived keys of a site.

    Attributes:
        script_key: what scripts derive the UIDs with that `mapUID` and the like give.
    """

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise ValueError("a site key has 32 bytes")
        self._uid = _derive(master, "uid")
        self._label = _derive(master, "label")
        self._digest = _derive(master, "received-digest")
        self._public_uid = _derive(master, "public-uid")
        self.script_key = _derive(master, "scripts")

    def uid_key(self, uid: str) -> str:
        """Return 32 hexadecimal digits that stand for a UID as received."""
        return hmac.digest(self._uid, uid.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]

    def label_suffix(self, text: str) -> str:
        """Return the 8 hexadecimal digits of `subject_<digits>` for a received value that gives no label."""
        return hmac.digest(self._label, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:8]

    def received_digest(self, encoded: bytes | bytearray | memoryview, transfer_syntax_uid: str) -> str:
        """Return 64 hexadecimal digits for a data set as received: its bytes and its transfer syntax.

        Keyed, because an unkeyed digest of a small data set can be found again by trying values.
        """
        digest = blake3.blake3(transfer_syntax_uid.encode("utf-8", "surrogatepass") + b"\0", key=self._digest)
        digest.update(encoded)
        return digest.hexdigest()

    def hashed_uid(self, uid: str) -> str:
        """Return a UID of the form 2.25.x that stands for a UID as received, for logs (PS3.5 section B.2)."""
        number = int.from_bytes(
            hmac.digest(self._public_uid, uid.encode("utf-8", "surrogatepass"), "sha256")[:16], "big"
        )
        return f"2.25.{number}"


def _derive(master: bytes, purpose: str) -> bytes:
    return hmac.digest(master, f"dicom-prearchive {purpose}".encode(), "sha256")


def key_path(root: Path, key_file: Path | None) -> Path:
    """Where the site key is kept: `[storage] key_file`, else `<root>/site.key`."""
    return key_file or root / KEY_NAME


def read_keys(root: Path, key_file: Path | None, environ: Mapping[str, str] = os.environ) -> SiteKeys | None:
    """Read the site key from the environment or from its file; None when there is none yet.

    Raises:
        ConfigurationProblemError: it is there but unusable.
    """
    text = environ.get(KEY_VARIABLE, "").strip()
    if text:
        if not _KEY_TEXT.fullmatch(text):
            raise ConfigurationProblemError(f"{KEY_VARIABLE} must be 64 hexadecimal digits")
        return SiteKeys(bytes.fromhex(text))
    path = key_path(root, key_file)
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigurationProblemError(f"{path}: cannot read the site key: {reason}") from None
    if not _KEY_TEXT.fullmatch(text):
        raise ConfigurationProblemError(
            f"{path}: a site key is 64 hexadecimal digits; restore it from the backup"
        )
    return SiteKeys(bytes.fromhex(text))


def create_keys(root: Path, key_file: Path | None) -> SiteKeys:
    """Make the site key, at the first start; of two processes that try at once both end with the same key.

    It is written whole under another name and then linked: a crash leaves no half key behind.
    """
    path = key_path(root, key_file)
    master = secrets.token_bytes(KEY_BYTES)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    try:
        descriptor = os.open(
            draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            os.write(descriptor, master.hex().encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(draft, path)  # fails when the other process was faster, like O_EXCL
        finally:
            draft.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileExistsError:
        existing = read_keys(root, key_file, {})
        if existing is not None:
            return existing
        raise
    except OSError as error:
        raise ConfigurationProblemError(f"{path}: cannot write the site key: {error.strerror}") from None
    return SiteKeys(master)
