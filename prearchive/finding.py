"""What a check finds, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes:
        severity: "error": data or anonymization are at stake; "warning": somebody should look.
        code: names the kind of finding; stable.
        where: a key, a script, a path below the storage root, or a session.
        text: what is wrong and what to do.
    """

    severity: Severity
    code: str
    where: str
    text: str
