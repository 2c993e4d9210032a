"""Hashes that do not hide what they are of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anon.lint.checked import Checked
from anon.lint.knowledge import GUESSABLE
from anon.lint.paths import described
from anon.lint.rule import Finding, lint
from anon.syntax import nodes
from anon.tagpath import TagPath, TagStep

_SAME_TEXT: Final = frozenset({"lowercase", "uppercase", "normalizeString", "valueAt"})


@lint(
    "guessable-hash",
    title="a name, a number or a date is hashed as if that hid it",
    fires="(0010,0020) := hashUID[(0010,0020)]\n",
    silent="(0010,0020) := subject\n",
    is_told=True,
)
def guessable_hash(checked: Checked) -> Iterator[Finding]:
    """The hash has no key: whoever has a list of names or numbers hashes them all and compares.

    Dates of birth are some 40,000, patient IDs often run from 1. Assign a label such as `subject`, remove the
    element, or let `lookup` of DicomEdit 6 give a pseudonym. Hashing UIDs is fine as long as nobody who gets
    the data knows the original ones.
    """
    for call in checked.calls:
        if call.name.name == "hashUID" and call.arguments:
            path = _hashed(checked, call.arguments[0])
            if path is not None and _is_guessable(path):
                yield _finding(call, path)
    for _, effect in checked.effects:
        if effect.kind == "hash" and effect.path is not None and _is_guessable(effect.path):
            message = f"a hash of {described(effect.path)} can be guessed: names and numbers are few"
            yield Finding(effect.span, message, "remove it, or assign a label such as `subject`")


def _hashed(checked: Checked, argument: nodes.Value) -> TagPath | None:
    """The element that is hashed, perhaps through a variable and with other letters."""
    value = checked.stands_for(argument)
    while isinstance(value, nodes.Call) and value.name.name in _SAME_TEXT and value.arguments:
        value = checked.stands_for(value.arguments[0])
    return value.path if isinstance(value, nodes.Path) else None


def _finding(call: nodes.Call, path: TagPath) -> Finding:
    message = f"a hash of {described(path)} can be guessed: names and numbers are few"
    return Finding(call.span, message, "assign a label such as `subject`, or remove the element")


def _is_guessable(path: TagPath) -> bool:
    last = path.steps[-1]
    return isinstance(last, TagStep) and not last.is_wild and last.creator is None and last.bits in GUESSABLE
