"""What the program around the engine gives to scripts, beyond variables."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from anon.lookup import LookupTable


@dataclass(frozen=True, slots=True)
class Host:
    """What the caller of the engine allows and knows.

    Attributes:
        taken_labels: session labels that exist; None when `makeSessionLabel` is not to be had.
        labels_ignore_case: a label that differs from a taken one by case only is taken too.
        present_label: the label of the session that a new one is made for; kept when the pattern can make it.
        allowed_hosts: names, or `name:port`, that `getURL` may ask; nothing else is ever asked.
        lookup: the table of `lookup`; None when there is none.
        key: what UIDs that must be the same again are derived with. Without the caller's key they agree as
            long as the script that was compiled with this host lives.
    """

    taken_labels: Collection[str] | None = None
    labels_ignore_case: bool = False
    present_label: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    lookup: LookupTable | None = None
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def number_for(self, *seen: str) -> int:
        """A number of 128 bits, shaped like a random UUID, that is always the same for the same texts.

        Without the key nobody can tell which texts a number belongs to, nor find out by trying.
        """
        message = b"".join(
            len(part).to_bytes(8, "big") + part
            for part in (text.encode("utf-8", "surrogatepass") for text in seen)
        )
        digest = bytearray(hmac.new(self.key, message, hashlib.sha256).digest()[:16])
        digest[6] = digest[6] & 0x0F | 0x40
        digest[8] = digest[8] & 0x3F | 0x80
        return int.from_bytes(digest, "big")
