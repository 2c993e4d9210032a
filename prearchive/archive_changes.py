"""What the project script would change, summarised over a session's files: for `prearc archive --dry-run`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from anon.encoding.instance import EncodedInstance
from prearchive.archive_plan import Change
from prearchive.dump import Step, instance_limits, tag_row, visit_instance

if TYPE_CHECKING:
    from prearchive.archive_staging import Treated
    from prearchive.site import Site


class _Seen(NamedTuple):
    path: str
    keyword: str
    value: str | None
    encoded: bytes


class _Key(NamedTuple):
    steps: tuple[Step, ...]
    path: str
    keyword: str
    before: str
    after: str
    was_there: bool
    is_there: bool


class ChangeTally:
    """Counts changes: one line for each path and pair of values, however many files have it."""

    def __init__(self, site: Site) -> None:
        self._limits = instance_limits(site.settings)
        self._counts: Counter[_Key] = Counter()

    def add(self, content: memoryview, treated: Treated) -> None:
        """Compare a file as it is with the same object after the script; a rejected one has no changes."""
        if treated.is_rejected:
            return
        instance = treated.instance
        changed = instance.dataset.changed_tags() | instance.meta.changed_tags()
        if not changed:
            return
        before = _elements(EncodedInstance.from_part10(content, self._limits), changed)
        after = _elements(instance, changed)
        for steps in before.keys() | after.keys():
            old, new = before.get(steps), after.get(steps)
            if old is not None and new is not None and (old.value, old.encoded) == (new.value, new.encoded):
                continue
            named = old or new
            if named is None:
                continue
            key = _Key(
                steps, named.path, named.keyword, _shown(old), _shown(new), old is not None, new is not None
            )
            self._counts[key] += 1

    def changes(self) -> list[Change]:
        """All changes in the order of the elements; an absent element has the value None."""
        return [
            Change(
                key.path,
                key.keyword,
                key.before if key.was_there else None,
                key.after if key.is_there else None,
                count,
            )
            for key, count in sorted(self._counts.items())
        ]


def _shown(seen: _Seen | None) -> str:
    if seen is None:
        return ""
    return (
        seen.value
        if seen.value is not None
        else f"({len(seen.encoded)} bytes)"
        if seen.encoded
        else "(sequence)"
    )


def _elements(instance: EncodedInstance, tags: set[int]) -> dict[tuple[Step, ...], _Seen]:
    found = {}
    for visit in visit_instance(instance, tags):
        row = tag_row(visit)
        encoded = visit.element.value if row.value is None else b""
        found[visit.steps] = _Seen(row.path, row.keyword, row.value, encoded)
    return found
