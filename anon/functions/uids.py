"""Functions on unique identifiers (PS3.5 section 9)."""

from __future__ import annotations

import hashlib

from anon.functions.registry import builtin, maybe


def hash_uid(text: str) -> str:
    """DicomEdit's hash: 128 bits of a SHA-1 as a version 5 UUID without name space, below 2.25."""
    digest = bytearray(hashlib.sha1(text.encode("utf-8"), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(digest, 'big')}"


@builtin("hashUID", versions="6.0+", arguments=[maybe("value")])
def hash_uid6(value: str | None) -> str | None:
    r"""Return a UID that is always the same for the same text (PS3.5 section B.2).

    Of several values each gets its own. The hash has no key: who knows the UIDs of a hospital can find out
    which one it was, so it does not hide names or numbers. An absent element gives no value.

    >>> run('hashUID["1.2.3"]')
    '2.25.148370922854076938159295778886134140470'
    >>> run('hashUID["1.2.3\\\\abc"]')
    '2.25.148370922854076938159295778886134140470\\2.25.225435214516703887054442450924575179372'
    """
    if value is None:
        return None
    return "\\".join(hash_uid(part) for part in value.split("\\"))


@builtin("hashUID", versions="4", arguments=[maybe("value")])
def hash_uid4(value: str | None) -> str | None:
    """Return a UID that is always the same for the same text; several values are hashed as one text.

    The hash has no key: who knows the UIDs of a hospital can find out which one it was, so it does not hide
    names or numbers. No value gives no value.

    >>> run('hashUID["hello"]')
    '2.25.227239697999961711394351996541528976601'
    """
    return None if value is None else hash_uid(value)
