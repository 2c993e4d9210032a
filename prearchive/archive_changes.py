"""What the project script would change, summarised over a session's files: for `prearc archive`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon.comparison import Change, changed_tags, compare, state_of
from anon.comparison import ChangeTally as Tally
from anon.encoding.instance import EncodedInstance
from prearchive.dump import instance_limits

if TYPE_CHECKING:
    from prearchive.archive_staging import Treated
    from prearchive.site import Site


@dataclass(frozen=True, slots=True)
class Look:
    """What was looked at to tell the changes.

    Attributes:
        files: on how many files the script was tried.
        of_files: how many the session has.
        rejected: how many of those that were looked at the script rejects.
        script: the project's script, None when none runs.
    """

    files: int
    of_files: int
    rejected: int
    script: str | None


class ChangeTally:
    """Counts the changes that archiving a session would make."""

    def __init__(self, site: Site) -> None:
        self._limits = instance_limits(site.settings)
        self._tally = Tally()

    def add(self, content: memoryview, treated: Treated) -> None:
        """Compare a file as it is with the same object after the script; a rejected one has no changes."""
        if treated.is_rejected:
            return
        changed = changed_tags(treated.instance)
        if changed:
            before = state_of(EncodedInstance.from_part10(content, self._limits), changed)
            self._tally.add(compare(before, state_of(treated.instance, changed)))

    def changes(self) -> list[Change]:
        """All changes in the order of the elements; an absent element has the value None."""
        return self._tally.changes()
