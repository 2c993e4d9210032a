"""What archiving would do, without doing it: labels, notices, and the changes by the project script."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from prearchive import archive_plan, archive_staging, busy, label_proposal
from prearchive.archive_changes import ChangeTally, Look
from prearchive.archive_plan import ArchivePlan, Destination, Wish, overwrite_mode
from prearchive.archive_staging import Progress, Treatment
from prearchive.db import script_changes, session_rows
from prearchive.db.session_rows import SessionRows
from prearchive.errors import (
    AllRejectedError,
    ArchiveConflictError,
    ArchiveScriptError,
    DamagedFileError,
    PrearchiveError,
)
from prearchive.label_proposal import AutoLabel
from prearchive.script_messages import ToldMessage

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.site import Site

_NUMBER_TO_COME: Final = "new"


def plan_archive(
    site: Site,
    session_id: int,
    *,
    project: str | None = None,
    subject: str | None = None,
    session: str | AutoLabel | None = None,
    overwrite: str = "none",
    with_changes: bool = True,
    most_files: int | None = None,
    progress: Progress | None = None,
) -> ArchivePlan:
    """Say what archiving would do, and change nothing.

    Args:
        site: whose.
        session_id: which session.
        project: for a session without project.
        subject: another subject label.
        session: another session label, or the one that the project's script makes.
        overwrite: none, append or delete.
        with_changes: run the project's script in memory on every instance, to show what it changes and to
            find the conflicts that only its result shows.
        most_files: look at no more than about so many instances, some of each scan. What only all of them
            tell, as conflicts with the archive, is then left to the archiving itself.
        progress: is called with instances done and their number.

    Raises:
        NotFoundError: no such session or project.
        BadLabelError: a label holds characters that XNAT does not allow.
        ConfigurationProblemError: the project's script is missing.
        ScriptError: it has mistakes.
    """
    wish = Wish(project, subject, session, overwrite_mode(overwrite))
    with site.read_engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        checked = archive_plan.check_session(site, connection, record, wish)
        rows = session_rows.read_rows(connection, session_id)
        existing = _rows_of(connection, checked.destination)
        proposed = label_proposal.find_label(site, connection, record, checked.labels["project"], subject)
    if rows is None or checked.destination is None:
        return ArchivePlan(checked.labels, checked.notices, [], [], proposed, checked.refusal)
    notices = list(checked.notices)
    messages: list[ToldMessage] = []
    tally = ChangeTally(site)
    refusal: PrearchiveError | None = checked.refusal
    look: Look | None = None
    if with_changes and record.instance_count:
        sample = _sample(rows, most_files)
        in_sample, in_session = len(sample.instances()), len(rows.instances())
        try:
            treatment = archive_staging.treatment_for(site, rows.session, checked.destination)
            treatment = _recorded(site, treatment)
            script = None if treatment.script is None else treatment.script.name
            look = Look(in_sample, in_session, 0, script)
            treated = archive_staging.try_out(site, sample, treatment, tally.add, progress)
            look = replace(look, rejected=in_sample - len(treated.rows.instances()))
            messages = treated.messages.messages()
            if in_sample == in_session:
                notices += archive_plan.check_contents(existing, treated.rows)
        except AllRejectedError as error:
            look = None if look is None else replace(look, rejected=in_sample)
            if in_sample == in_session:
                refusal = refusal or error
        except (ArchiveScriptError, DamagedFileError) as error:
            refusal = refusal or error
    in_the_way = archive_plan.standing(notices, wish.overwrite)
    if refusal is None and in_the_way:
        refusal = ArchiveConflictError(archive_plan.notice_text(in_the_way))
    return ArchivePlan(checked.labels, notices, tally.changes(), messages, proposed, refusal, look)


def _sample(rows: SessionRows, most: int | None) -> SessionRows:
    """The session with some instances of each scan: the first, and others at even distances."""
    count = len(rows.instances())
    if most is None or count <= most:
        return rows
    step = -(-count // most)
    return replace(rows, scans=[replace(scan, instances=scan.instances[::step]) for scan in rows.scans])


def _recorded(site: Site, treatment: Treatment) -> Treatment:
    """Let the script be recorded as archiving would; a text that never ran gets its number only then."""
    if treatment.script is None or not site.settings.anonymization.record:
        return treatment
    with site.read_engine.begin() as connection:
        row_id = script_changes.find_script(connection, treatment.script.sha256)
    return replace(treatment, record_id=_NUMBER_TO_COME if row_id is None else str(row_id))


def _rows_of(connection: Connection, destination: Destination | None) -> SessionRows | None:
    if destination is None or destination.existing is None:
        return None
    return session_rows.read_rows(connection, destination.existing.id)
