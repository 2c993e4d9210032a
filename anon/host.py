"""What the program around the engine gives to scripts, beyond variables."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """What the caller of the engine allows and knows.

    Attributes:
        taken_labels: session labels that exist; None when `makeSessionLabel` is not to be had.
        labels_ignore_case: a label that differs from a taken one by case only is taken too.
        allowed_hosts: names, or `name:port`, that `getURL` may ask; nothing else is ever asked.
    """

    taken_labels: Collection[str] | None = None
    labels_ignore_case: bool = False
    allowed_hosts: frozenset[str] = frozenset()
