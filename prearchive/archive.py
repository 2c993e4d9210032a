"""Archive a session: project script on every instance, then into the archive, all or nothing.

ARCHIVING is committed with what recovery needs (`work`). The session is built as it will be in a folder of
`tmp`; the checks are made on that. Its manifest carries a random archive id. One rename brings the folder to
its place in the archive: from then on the archive id found there means "archived", before it "not". The rows
are then taken from the manifest, here and in recovery alike, and only then the source is removed.

Merging into an archived session builds the merged session in the same way, of hard links and new files. The
former folder is renamed into the trash, the new one into its place; replaced files stay in the trash.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import structlog

from anon.comparison import Change
from prearchive import archive_commit, archive_plan, archive_staging, busy, paths
from prearchive.archive_merge import Merged, Placed, merge
from prearchive.archive_plan import (
    ArchivePlan,
    Destination,
    LabelCheck,
    Notice,
    Wish,
    overwrite_mode,
)
from prearchive.archive_preview import plan_archive
from prearchive.archive_staging import Progress, Staged, Treatment
from prearchive.db import review, session_rows
from prearchive.db.engine import AlreadyThereError
from prearchive.db.session_rows import DiscardedRow, EventRow, SessionRows
from prearchive.db.views import SessionRecord
from prearchive.errors import (
    AllRejectedError,
    ArchiveConflictError,
    ArchiveScriptError,
    ConfirmationNeededError,
    DamagedFileError,
    PrearchiveError,
    StateRefusedError,
)
from prearchive.label_proposal import AutoLabel, choose_label
from prearchive.manifest import write_rows
from prearchive.script_history import note_use
from prearchive.states import SessionEvent, SessionState
from prearchive.views import SessionRow, get_row

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from prearchive.site import Site

__all__ = [
    "ArchivePlan",
    "Change",
    "Notice",
    "archive_session",
    "auto_archive_ready",
    "finish_interrupted",
    "plan_archive",
]

CONFLICT_WARNING = "archive-conflict"
FAILED_WARNING = "archive-failed"
RENEW_EVERY = 200  # instances
_ATTEMPTS = 20  # each time another session got the label

log = structlog.get_logger(__name__)


def archive_session(
    site: Site,
    session_id: int,
    *,
    project: str | None = None,
    subject: str | None = None,
    session: str | AutoLabel | None = None,
    overwrite: str = "none",
    who: str,
    confirm: bool = False,
    progress: Progress | None = None,
) -> SessionRow:
    """Archive a session; returns the archived session's row (of a merge: the one it was merged into).

    Args:
        site: whose.
        session_id: which session.
        project: for a session without project.
        subject: another subject label.
        session: another session label, or the one that the project's script makes.
        overwrite: none, append or delete.
        who: archives; with `confirm` also who confirms the labels.
        confirm: the labels are confirmed now; otherwise they must have been.
        progress: is called with instances done and their number.

    Raises:
        NotFoundError: no such session or project.
        BadLabelError: a label holds characters that XNAT does not allow.
        ConfirmationNeededError: nobody confirmed the labels.
        StateRefusedError: state or labels do not allow it; nothing changed.
        ArchiveConflictError: existing data stand in the way; the session is CONFLICT.
        ArchiveScriptError: the project's script failed; the session is ERROR.
        AllRejectedError: it rejected every instance; the session is ERROR.
        DamagedFileError: a file is not what was stored; the session is ERROR.
        StorageTroubleError: the disk refuses; the session is as before.
    """
    wish = Wish(project, subject, session, overwrite_mode(overwrite))
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(_LabelGoneError):
            return _prepare(site, session_id, wish, who, confirm).run(progress)
    raise StateRefusedError("others take each label that the project's script makes: try again")


def _prepare(site: Site, session_id: int, wish: Wish, who: str, confirm: bool) -> _Step:
    """Look whether the session may be archived, and how."""
    with site.read_engine.begin() as connection:
        record = busy.get_record(connection, session_id)
        checked = archive_plan.check_session(site, connection, record, wish)
    if checked.refusal is not None or checked.destination is None:
        raise checked.refusal or StateRefusedError("it has no project and subject")
    if not confirm and record.confirmed_at is None:
        raise ConfirmationNeededError("the labels are not confirmed: `prearc label`, or --yes")
    treatment = archive_staging.treatment_for(site, {**_plain(record)}, checked.destination)
    if treatment.script is not None:
        row_id = note_use(site, treatment.script)
        if site.settings.anonymization.record:
            treatment = replace(treatment, record_id=str(row_id))
    return _Step(site, record, wish, checked, treatment, who, confirm)


class _LabelGoneError(Exception):
    """Another session got the label that the project's script made for this one; nothing was changed."""


class _Step:
    """One attempt to archive one session."""

    def __init__(
        self,
        site: Site,
        record: SessionRecord,
        wish: Wish,
        checked: LabelCheck,
        treatment: Treatment,
        who: str,
        confirm: bool,
    ) -> None:
        self._site = site
        self._record = record
        self._wish = wish
        self._notices = checked.notices
        self._destination = cast(Destination, checked.destination)
        self._treatment = treatment
        self._who = who
        self._confirm = confirm
        self._archive_id = secrets.token_hex(16)
        self._staging: list[str] = []

    def run(self, progress: Progress | None) -> SessionRow:
        """Do it."""
        record = self._record
        rows = self._begin()
        log.info("archive_started", session_id=record.id)
        try:
            existing = self._reserve_existing()
            staged = self._stage(rows, progress)
            notices = [*self._notices, *archive_plan.check_contents(existing, staged.rows)]
            in_the_way = archive_plan.standing(notices, self._wish.overwrite)
            if in_the_way:
                raise ArchiveConflictError(archive_plan.notice_text(in_the_way))
            self._put_in_place(staged, existing)
        except BaseException as error:
            self._abandon(error)
            raise
        target_id = archive_commit.finish_archive(self._site, record.id)
        log.info("archive_finished", session_id=record.id)
        return get_row(self._site, target_id)

    def _begin(self) -> SessionRows:
        """Commit ARCHIVING and reserve the place in the archive."""
        site, record, existing = self._site, self._record, self._destination.existing
        early = archive_plan.standing(self._notices, self._wish.overwrite)
        work: dict[str, Any] = {
            "action": "archive",
            "archive_id": self._archive_id,
            "source_path": record.path,
            "target_path": self._destination.path,
            "existing_id": None if existing is None or early else existing.id,
            "staging_paths": [],
            "displaced_path": None,
            "replaced": [],
        }
        values: dict[str, Any] = {}
        if existing is None:
            values["archived_key"] = self._destination.archived_key
        try:
            with site.engine.begin() as connection:
                if busy.get_record(connection, record.id) != record:
                    raise StateRefusedError(f"session {record.id} has just been changed: look again")
                self._require_label(connection)
                busy.begin(
                    site, connection, record, SessionEvent.ARCHIVE_REQUESTED, work, who=self._who,
                    text=f"as {self._destination.path.partition('/')[2]}", values=values,
                )  # fmt: skip
                review.remove_warnings(connection, record.id, (CONFLICT_WARNING, FAILED_WARNING))
                rows = session_rows.read_rows(connection, record.id)
        except AlreadyThereError:
            if isinstance(self._wish.session, AutoLabel):
                raise _LabelGoneError from None
            raise StateRefusedError(
                "another session is just being archived under this label: try again"
            ) from None
        busy.log_change(record.id, record.state, SessionState.ARCHIVING)
        if rows is None:
            raise AssertionError("the session was there in this transaction")
        return rows

    def _require_label(self, connection: Connection) -> None:
        """See that a label made by the script is free still, in the transaction that reserves it."""
        wanted, destination = self._wish.session, self._destination
        if not isinstance(wanted, AutoLabel):
            return
        review.lock_labels(connection, destination.project)
        label = choose_label(
            self._site, connection, self._record, destination.project, AutoLabel(), self._wish.subject
        )
        if label != destination.label:
            raise _LabelGoneError

    def _reserve_existing(self) -> SessionRows | None:
        """Stop for what the labels told; else keep others from merging into the same archived session."""
        early = archive_plan.standing(self._notices, self._wish.overwrite)
        if early:
            raise ArchiveConflictError(archive_plan.notice_text(early))
        existing = self._destination.existing
        if existing is None:
            return None
        with self._site.engine.begin() as connection:
            if not review.reserve_archived(
                connection, existing.id, self._site.new_lease(), {"merging": self._record.id}
            ):
                raise StateRefusedError(f"another session is just being merged into session {existing.id}")
            return session_rows.read_rows(connection, existing.id)

    def _stage(self, rows: SessionRows, progress: Progress | None) -> Staged:
        staging_path = self._new_staging()
        return archive_staging.stage(
            self._site, rows, self._treatment, staging_path, self._renewing(progress)
        )

    def _put_in_place(self, staged: Staged, existing: SessionRows | None) -> None:
        """Write the manifest and rename: the moment in which the session becomes archived."""
        site, target_path = self._site, self._destination.path
        if existing is None:
            rows = self._archived_rows(staged)
            self._finish_staging(rows)
            site.files.move_folder(self._staging[0], target_path)
            return
        merged = merge(existing, staged.rows)
        whole_path = self._new_staging()
        for placed in merged.kept:
            self._link(target_path, whole_path, placed)
        for placed in merged.added:
            self._link(self._staging[0], whole_path, placed)
        self._finish_staging(self._merged_rows(existing, merged, staged))
        displaced_path = paths.join(paths.TRASH, f"replaced_{existing.session['id']}_{busy.stamp(site)}")
        replaced = [f"SCANS/{scan.label}/DICOM/{instance.file_name}" for scan, instance in merged.replaced]
        self._note_work(displaced_path=displaced_path, replaced=replaced)
        site.files.move_folder(target_path, displaced_path)
        site.files.move_folder(whole_path, target_path)

    def _archived_rows(self, staged: Staged) -> SessionRows:
        rows = staged.rows
        rows.session.update(
            project=self._destination.project,
            subject=self._destination.subject,
            label=self._destination.label,
            path=self._destination.path,
            state=SessionState.ARCHIVED,
            modified_at=self._site.clock(),
            **self._label_sources(),
        )
        rows.warnings = [
            warning for warning in rows.warnings if warning.code not in (CONFLICT_WARNING, FAILED_WARNING)
        ]
        rows.discarded += staged.rejected
        rows.history.append(self._event("archived", f"as {rows.session['path'].partition('/')[2]}", staged))
        return rows

    def _label_sources(self) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        if self._wish.subject is not None:
            columns["subject_source"] = "person"
        if self._wish.session is not None:
            columns["label_source"] = "person"
        if self._confirm:
            columns.update(confirmed_at=self._site.clock(), confirmed_by=self._who[:128])
        return columns

    def _merged_rows(self, existing: SessionRows, merged: Merged, staged: Staged) -> SessionRows:
        rows = merged.rows
        rows.session["modified_at"] = self._site.clock()
        rows.session["path"] = existing.session["path"]
        rows.discarded += staged.rejected
        now = self._site.clock()
        for _, instance in merged.replaced:
            rows.discarded.append(
                DiscardedRow(
                    outcome="duplicate", reason="replaced-in-archive", status=None, at=now,
                    received_sop_key=instance.received_sop_key, study_key=rows.session["study_key"],
                    hashed_sop_instance_uid=None, received_digest=instance.received_digest,
                    size_bytes=instance.size_bytes, script_line=None, script_column=None,
                    association=instance.association, script=instance.project_script,
                )
            )  # fmt: skip
        text = f"session {self._record.id} merged into it ({self._wish.overwrite})"
        rows.history.append(self._event("merged", text, staged, replaced=len(merged.replaced)))
        return rows

    def _event(self, action: str, text: str, staged: Staged, replaced: int = 0) -> EventRow:
        parts = [text]
        if isinstance(self._wish.session, AutoLabel):
            parts.append("session label made by the project's script")
        if staged.rejected:
            parts.append(f"{len(staged.rejected)} instances rejected by the project's script")
        if replaced:
            parts.append(f"{replaced} instances replaced")
        if self._confirm:
            parts.append(f"labels confirmed by {self._who}")
        if said := staged.messages.summary():
            parts.append(said)
        return EventRow(
            self._site.clock(), self._who[:128], action, SessionState.ARCHIVING, SessionState.ARCHIVED,
            "; ".join(parts),
        )  # fmt: skip

    def _finish_staging(self, rows: SessionRows) -> None:
        write_rows(self._site.files, self._staging[-1], rows, self._archive_id)
        self._site.files.sync_folders(self._staging[-1])

    def _new_staging(self) -> str:
        path = self._site.files.create_staging()
        self._staging.append(path)
        self._note_work(staging_paths=list(self._staging))
        return path

    def _note_work(self, **entries: Any) -> None:
        archive_commit.note_work(self._site, self._record.id, entries)

    def _link(self, source_path: str, target_path: str, placed: Placed) -> None:
        source = paths.instance_path(source_path, placed.scan_label, placed.file_name)
        folder = paths.scan_folder(target_path, placed.new_scan_label)
        with self._site.files.link(source, folder, placed.new_file_name) as stored:
            stored.keep()

    def _renewing(self, progress: Progress | None) -> Callable[[int, int], None]:
        def report(done: int, total: int) -> None:
            if done and done % RENEW_EVERY == 0:
                busy.renew(self._site, self._record.id, SessionState.ARCHIVING)
            if progress is not None:
                progress(done, total)

        return report

    def _abandon(self, error: BaseException) -> None:
        """Nothing happened: take everything back, and say why in the session's history and warnings."""
        event, code = SessionEvent.RESTORED, FAILED_WARNING
        if isinstance(error, ArchiveConflictError):
            event, code = SessionEvent.CONFLICT_FOUND, CONFLICT_WARNING
        elif isinstance(error, (ArchiveScriptError, AllRejectedError, DamagedFileError)):
            event = SessionEvent.FAILED
        reason = str(error) if isinstance(error, PrearchiveError) else type(error).__name__
        log.warning("archive_failed", session_id=self._record.id, reason=type(error).__name__)
        with contextlib.suppress(Exception) if not isinstance(error, Exception) else contextlib.nullcontext():
            archive_commit.finish_or_undo(self._site, self._record.id, event=event, reason=reason, code=code)


def auto_archive_ready(site: Site) -> list[int]:
    """Archive what its project's policy archives without a person; see `archive_auto`."""
    from prearchive import archive_auto

    return archive_auto.auto_archive_ready(site)


def finish_interrupted(site: Site, session_id: int) -> None:
    """After a crash: roll forward when the target carries the archive id, else back to where it was."""
    archive_commit.finish_interrupted(site, session_id)


def _plain(record: SessionRecord) -> dict[str, object]:
    return {"anonymize": record.anonymize, "modality_label": record.modality_label}
