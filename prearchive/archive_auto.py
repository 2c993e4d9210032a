"""Archive without a person: sessions of projects with the policy auto or overwrite (XNAT's codes 4 and 5).

The policy confirms the labels as itself. It never confirms labels that stand for none, nor labels that the
instances disagree about, and it leaves sessions alone that a person has moved or labelled.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from prearchive.archive import archive_session
from prearchive.archive_plan import Wish, check_session
from prearchive.db import views as db_views
from prearchive.db.views import SessionRecord
from prearchive.errors import PrearchiveError

if TYPE_CHECKING:
    from prearchive.site import Site

POLICY_NAME: Final = "project policy"
#: Warnings that say labels or project are in doubt.
BLOCKING_WARNINGS: Final = frozenset(
    {"subject-disagreement", "session-disagreement", "project-disagreement", "study-uid-disagreement"}
)
#: Trouble of the disk would fill disk and history otherwise.
RETRY_AFTER: Final = timedelta(minutes=5)
_MODES: Final = {"auto": "append", "overwrite": "delete"}

log = structlog.get_logger(__name__)


def auto_archive_ready(site: Site) -> list[int]:
    """Archive every session that is READY and whose policy says so; returns their numbers.

    One that is refused stays as it is and is looked at again next time; one that fails is CONFLICT or ERROR
    afterwards, with the reason in its history, and waits for a person. After trouble of the disk it is READY
    again, and is tried again after a while.
    """
    projects = [name for name, project in site.settings.projects.items() if project.prearchive in _MODES]
    with site.read_engine.begin() as connection:
        ready = db_views.find_for_policy(connection, projects, tried_before=site.clock() - RETRY_AFTER)
        warnings = db_views.warnings_of(connection, [record.id for record in ready])
    archived = []
    for record in ready:
        if any(warned.code in BLOCKING_WARNINGS for warned in warnings.get(record.id, ())):
            continue
        mode = _MODES[record.auto_archive or site.settings.projects[record.project or ""].prearchive]
        try:
            if _would_be_refused(site, record):
                continue
            row = archive_session(site, record.id, overwrite=mode, who=POLICY_NAME, confirm=True)
            archived.append(row.id)
        except PrearchiveError:
            continue  # its history says why
        except Exception as error:
            log.warning("archive_failed", session_id=record.id, reason=type(error).__name__)
    return archived


def _would_be_refused(site: Site, record: SessionRecord) -> bool:
    """Whether labels or state stand in the way; nothing is written then."""
    with site.read_engine.begin() as connection:
        return check_session(site, connection, record, Wish()).refusal is not None
