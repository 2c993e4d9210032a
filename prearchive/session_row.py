"""A line of `prearc list`, without anything that takes time to import."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class WarningRow:
    """Something a reviewer should see."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of `prearc list`; the keys of SPEC-PREARCHIVE section 10 in our order."""

    id: int
    ref: str
    project: str  # Unassigned when none
    subject: str | None
    session: str
    status: str
    scan_date: str | None
    scan_time: str | None
    uploaded: str
    last_modified: str
    study_uid: str | None  # as stored
    instances: int
    warnings: list[WarningRow]

    def as_json(self) -> dict[str, Any]:
        """The row as `--json` prints it."""
        return asdict(self)


def local_text(at: datetime) -> str:
    """ISO 8601 with the local offset, to the millisecond."""
    return at.astimezone().isoformat(timespec="milliseconds")
