"""Functions on unique identifiers (PS3.5 section 9)."""

from __future__ import annotations

import hashlib
import uuid

from anon.functions.registry import builtin, maybe, paths
from anon.operations.assign import write
from anon.operations.run import Run
from anon.places import find_places
from anon.tagpath import TagPath, is_private_creator


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


@builtin("newUID", versions="6.0+", arguments=[])
def new_uid() -> str:
    """Return a random UID (PS3.5 section B.2).

    >>> run('match[newUID[], "2[.]25[.][0-9]{30}", 0]')[:5]
    '2.25.'
    """
    return f"2.25.{uuid.uuid4().int}"


@builtin("hashUIDList", versions="6.0+", arguments=[paths()], returns="nothing")
def hash_uid_list(run: Run, *paths: TagPath) -> None:
    """Replace every value of all elements that these paths match by its hash, as `hashUID` makes it.

    Sequences, private creators and empty elements stay. Each element is hashed once, however many paths
    match.
    """
    done: set[tuple[int, int]] = set()
    for path in paths:
        for place in find_places(run.tops(path), path):
            element = place.dataset.get(place.tag)
            key = (id(place.dataset), place.tag)
            if element is None or element.is_sequence or key in done or is_private_creator(place.tag):
                continue
            done.add(key)
            value = run.read_place(place)
            if value:
                write(run, place, "\\".join(hash_uid(part) for part in value.split("\\")))
