"""Functions on unique identifiers (PS3.5 section 9)."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable
from typing import Final

from anon.errors import StatementError
from anon.functions.registry import builtin, maybe, parsed, parts, paths, some_paths
from anon.operations.assign import is_passed_over, write
from anon.operations.run import Run
from anon.places import find_places
from anon.tagpath import TagPath
from anon.vr import values_in

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*", re.ASCII)
_MAX_UID: Final = 64
_ALL_DIGITS: Final = 39  # of a number of 128 bits
_MAX_PREFIX: Final = 33  # 30 digits are left, as good as a random UUID


class Uid(str):
    """A UID that a function made. `equals` tells it from a plain text, as DicomEdit 6 does."""

    __slots__ = ()


def hash_uid(text: str) -> str:
    """DicomEdit's hash: 128 bits of a SHA-1 as a version 5 UUID without name space, below 2.25."""
    digest = bytearray(hashlib.sha1(text.encode("utf-8"), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(digest, 'big')}"


@builtin("hashUID", versions="6.0+", arguments=[parts("value")])
def hash_uid6(value: tuple[str, ...] | None) -> str | None:
    r"""Return a UID that is always the same for the same text (PS3.5 section B.2).

    Of an element with several values each gets its own; any other text is hashed as a whole, backslashes and
    all. The hash has no key: who knows the UIDs of a hospital can find out which one it was, so it does not
    hide names or numbers. An absent element gives no value.

    >>> run('hashUID["1.2.3"]')
    '2.25.148370922854076938159295778886134140470'
    >>> run('hashUID["1.1\\\\1.2\\\\1.3"]')
    '2.25.249566016574825661895295175053707700032'
    """
    if value is None:
        return None
    # A UID that a function made may hold those of several values.
    several = (part.split("\\") if isinstance(part, Uid) else [part] for part in value)
    return Uid("\\".join(hash_uid(each) for part in several for each in part))


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
    return Uid(f"2.25.{uuid.uuid4().int}")


@builtin("hashUIDList", versions="6.0+", arguments=[paths()], returns="nothing")
def hash_uid_list(run: Run, *paths: TagPath) -> None:
    """Replace every value of all elements that these paths match by its hash, as `hashUID` makes it.

    Sequences, private creators and empty elements stay; items in an element that is no sequence by the
    dictionary refuse the object. Each element is hashed once, however many paths match.
    """
    _replace_each(run, paths, hash_uid, even_empty=False)


def _replace_each(
    run: Run, paths: Iterable[TagPath], replacement: Callable[[str], str], *, even_empty: bool
) -> None:
    """Replace every value of all elements that paths match, but of sequences and creators."""
    done: set[tuple[int, int]] = set()
    for path in paths:
        for place in find_places(run.tops(path), path):
            element = place.dataset.get(place.tag)
            key = (id(place.dataset), place.tag)
            if element is None or key in done or is_passed_over(element):
                continue
            done.add(key)
            value = run.read_place(place)
            if value or (even_empty and value is not None):
                write(run, place, "\\".join(map(replacement, values_in(value, element.vr))))


# -- mapping


def _prefix(text: str) -> str:
    """Check the prefix of a UID (PS3.5 section 9.1).

    Raises:
        StatementError: it is none, or leaves no room for digits that nobody else has.
    """
    if _UID.fullmatch(text) is None:
        raise StatementError(
            "bad-uid-prefix",
            "the prefix is not the beginning of a UID",
            "numbers without leading zeros, with points between them and none at the end: 1.2.840.99999",
        )
    if len(text) > _MAX_PREFIX:
        raise StatementError(
            "bad-uid-prefix",
            f"the prefix is too long, {_MAX_PREFIX} characters leave enough room in a UID",
        )
    return text


def _mapped(run: Run, function: str, prefix: str, old: str) -> str:
    digits = min(_ALL_DIGITS, _MAX_UID - 1 - len(prefix))
    return f"{prefix}.{run.host.number_for(function, prefix, old) % 10**digits}"


@builtin("mapUID", versions="6.0+", arguments=[maybe("value"), parsed("prefix", _prefix)], exact=True)
def map_uid(run: Run, value: str | None, prefix: str) -> str | None:
    """Return a UID that begins with a prefix and goes on with a number that is the same for the same value.

    The number is derived with a secret key: nobody without it can tell which UID it was, as one can with
    `hashUID`. A site has one key, so all its scripts, files and processes map a value to the same UID as long
    as the prefix is the same; a program without a key gets other UIDs each time. Of several values each is
    mapped. `mapReferencedUIDs` maps to other UIDs. An absent element gives no value.

    >>> run('match[mapUID["1.2.3", "1.2.840.99999"], "1[.]2[.]840[.]99999[.][0-9]+", 0]')[:14]
    '1.2.840.99999.'
    >>> run('equals[mapUID["1.2.3", "1.2.99"], mapUID["1.2.3", "1.2.99"]]')
    'true'
    >>> run('mapUID["1.2.3", "1.2.99."]')
    Traceback (most recent call last):
    ...
    anon.errors.ScriptError: script:2:32: the prefix is not the beginning of a UID [bad-uid-prefix]
    """
    return (
        None if value is None else "\\".join(_mapped(run, "mapUID", prefix, old) for old in value.split("\\"))
    )


@builtin(
    "mapReferencedUIDs",
    versions="6.0+",
    arguments=[parsed("prefix", _prefix), some_paths("path"), paths()],
    returns="nothing",
)
def map_referenced_uids(run: Run, prefix: str, first: tuple[TagPath, ...], *more: TagPath) -> None:
    """Replace every value of all elements that the paths match, as `mapUID` does it but with other numbers.

    To keep references intact, map an instance's own UID and the references to it with this one:
    `mapReferencedUIDs["1.2.840.99999", "(0008,0018)", "*/(0008,1155)"]`. Each element is mapped once, however
    many paths match; an empty one gets a UID, too. Sequences and private creators stay; items in an
    element that is no sequence by the dictionary refuse the object.
    """
    _replace_each(
        run, (*first, *more), lambda old: _mapped(run, "mapReferencedUIDs", prefix, old), even_empty=True
    )
