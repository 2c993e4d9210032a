"""Treat the instances of a session for the archive: the project script on every one, into a staging folder.

The prearchive's files are only read, and each is checked against its digest first. What is written is read
again and compared. Nothing outside the staging folder changes, so whatever fails, nothing has happened.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import structlog

from anon.encoding.elements import DataSetError
from anon.encoding.instance import EncodedInstance, Limits
from anon.errors import Diagnostic, ScriptError
from prearchive import arrival, modality, paths
from prearchive.arrival import RefusedError
from prearchive.db import review
from prearchive.db.session_rows import DiscardedRow, InstanceRow, ScanRows, ScriptRow, SessionRows
from prearchive.dump import instance_limits
from prearchive.errors import (
    AllRejectedError,
    ArchiveScriptError,
    ConfigurationProblemError,
    DamagedFileError,
)
from prearchive.naming import file_name
from prearchive.script_messages import MessageTally

if TYPE_CHECKING:
    from prearchive.archive_plan import Destination
    from prearchive.scripts import LoadedScript
    from prearchive.site import Site

REJECTED_REASON = "rejected-by-project-script"
SPOILED_UIDS = Diagnostic(
    code="spoiled-uids",
    message="after the script the object has no usable SOP Class, SOP Instance, Study or Series Instance UID",
    line=1,
    column=1,
    end_line=1,
    end_column=1,
)
Progress = Callable[[int, int], None]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done to each instance of a session on its way into the archive."""

    script: LoadedScript | None  # None: the project's script is switched off, or the session is never changed
    variables: dict[str, str]
    record_id: str | None
    template: str
    limits: Limits

    def apply(self, content: memoryview) -> Treated:
        """Run the script on one object in memory.

        Raises:
            ScriptError: the script failed on it, or left it without usable UIDs.
            DataSetError: it cannot be read.
        """
        instance = EncodedInstance.from_part10(content, self.limits)
        is_rejected = False
        messages: list[str] = []
        if self.script is not None:
            report = self.script.script.apply_encoded(instance, self.variables, record_id=self.record_id)
            is_rejected = report.status == "rejected"
            messages = report.messages
        try:
            identity = arrival.read_identity(instance.dataset)
        except RefusedError:
            identity = None
        if identity is None or identity.sop_class_uid is None or identity.sop_instance_uid is None:
            raise ScriptError([SPOILED_UIDS], self.script.name if self.script else "script")
        return Treated(instance, is_rejected, identity, messages)


class Treated(NamedTuple):
    """An instance after the script."""

    instance: EncodedInstance
    is_rejected: bool
    identity: arrival.Identity
    messages: list[str]  # of the script


@dataclass(slots=True)
class StudyFacts:
    """What the instances say about the session: taken from the first one that says it."""

    study_uid: str | None = None
    scan_date: str | None = None
    scan_time: str | None = None

    def take(self, treated: Treated) -> None:
        """Look at one more instance."""
        dataset = treated.instance.dataset
        self.study_uid = self.study_uid or treated.identity.study_instance_uid
        self.scan_date = self.scan_date or arrival.read_date(dataset, arrival.STUDY_DATE)
        self.scan_time = self.scan_time or arrival.read_time(dataset, arrival.STUDY_TIME)


@dataclass(slots=True)
class Staged:
    """The session as it would be archived. `rows` names files of the staging folder."""

    rows: SessionRows
    messages: MessageTally
    rejected: list[DiscardedRow] = field(default_factory=list)


@dataclass(slots=True)
class _Failures:
    """The first failure of the script, and how many followed."""

    first: ScriptError | None = None
    count: int = 0

    def add(self, site: Site, instance: InstanceRow, error: ScriptError) -> None:
        found = error.diagnostics[0] if error.diagnostics else None
        log.warning(
            "script_failed",
            code=found.code if found else "unknown",
            line=found.line if found else None,
            column=found.column if found else None,
            hashed_sop_instance_uid=site.keys.hashed_uid(instance.sop_instance_uid),
        )
        self.first = self.first or error
        self.count += 1

    def raise_if_any(self, total: int) -> None:
        if self.first is None:
            return
        found = self.first.diagnostics[0] if self.first.diagnostics else None
        place = f":{found.line}:{found.column}" if found else ""
        what = f": {found.message} [{found.code}]" if found else ""
        files = "file" if total == 1 else "files"
        raise ArchiveScriptError(
            f"{self.first.name}{place}{what}; failed on {self.count} of {total} {files}, nothing was changed"
        ) from self.first


def treatment_for(site: Site, session: dict[str, object], destination: Destination) -> Treatment:
    """The project's script with XNAT's variables, or no script for a session that is never changed.

    Raises:
        ScriptError: the script in force does not compile.
        ConfigurationProblemError: it is switched on but missing, or it ran before and is gone.
    """
    script = site.scripts.project(destination.project) if session["anonymize"] else None
    if script is None and session["anonymize"]:
        _require_known_absence(site, destination.project)
    modality_label = session["modality_label"]
    return Treatment(
        script=script,
        variables={
            "project": destination.project,
            "subject": destination.subject,
            "session": destination.label,
            "modalityLabel": str(modality_label) if modality_label else modality.UNKNOWN_MODALITY,
        },
        record_id=None,
        template=site.settings.sessions.file_name,
        limits=instance_limits(site.settings),
    )


def _require_known_absence(site: Site, project: str) -> None:
    """A project whose script was deleted must not go on without it unless somebody says so."""
    if site.settings.projects[project].says_anonymize:
        return
    with site.read_engine.begin() as connection:
        ran_before = review.project_script_ran(connection, project)
    if ran_before:
        raise ConfigurationProblemError(
            f"{site.settings.project_script_path(project)}: this script ran before and is gone: restore it, "
            f"or say [projects.{project}] anonymize = false to archive without one"
        )


def treat_all(
    site: Site, rows: SessionRows, treatment: Treatment, progress: Progress | None = None
) -> Iterator[tuple[ScanRows, InstanceRow, memoryview, Treated]]:
    """Treat every instance in memory; after the last one raise what failed.

    Raises:
        ArchiveScriptError: the script failed on one or more; its cause is the first ScriptError.
        DamagedFileError: a file is missing, was changed, or cannot be read.
    """
    instances = rows.instances()
    failures = _Failures()
    for done, (scan, instance) in enumerate(instances):
        if progress is not None:
            progress(done, len(instances))
        path = paths.instance_path(rows.session["path"], scan.label, instance.file_name)
        content = site.files.read_instance(path, instance.digest)
        try:
            treated = treatment.apply(content)
        except ScriptError as error:
            failures.add(site, instance, error)
            continue
        except DataSetError as error:
            raise DamagedFileError(f"{path} cannot be read as DICOM ({error.code})") from error
        if failures.first is None:
            yield scan, instance, content, treated
    if progress is not None:
        progress(len(instances), len(instances))
    failures.raise_if_any(len(instances))


def stage(
    site: Site, rows: SessionRows, treatment: Treatment, staging_path: str, progress: Progress | None = None
) -> Staged:
    """Write the session as it will be archived into a staging folder.

    Raises:
        ArchiveScriptError: the script failed on one or more instances.
        AllRejectedError: it rejected every one.
        DamagedFileError: a file is missing or not what was stored.
        StorageTroubleError: the disk refuses.
    """
    described = Describer(rows)
    staged = Staged(described.rows, described.messages)
    for scan, instance, _, treated in treat_all(site, rows, treatment, progress):
        if treated.is_rejected:
            staged.rejected.append(_discarded(site, rows, instance, treatment))
            continue
        folder = paths.scan_folder(staging_path, scan.label)
        if treatment.script is None:
            # Not changed, so not copied: a second name for the same file.
            source = paths.instance_path(rows.session["path"], scan.label, instance.file_name)
            with site.files.link(source, folder, instance.file_name) as stored:
                stored.keep()
            described.add(scan, replace(instance), treated)
            continue
        name = file_name(treatment.template, treated.instance.dataset)
        with site.files.store(folder, name, treated.instance.part10_chunks()) as stored:
            stored.keep()
        site.files.read_instance(stored.path, stored.digest)
        written = replace(
            instance,
            file_name=stored.file_name,
            size_bytes=stored.size_bytes,
            digest=stored.digest,
            project_script=treatment.script.sha256,
        )
        described.add(scan, written, treated)
    described.finished()
    if treatment.script is not None:
        staged.rows.scripts.append(script_row(site, treatment.script))
    return staged


def try_out(
    site: Site,
    rows: SessionRows,
    treatment: Treatment,
    look: Callable[[memoryview, Treated], None],
    progress: Progress | None = None,
) -> Staged:
    """Like `stage` without writing; `look` is shown each file as it is and the object after the script.

    Raises:
        ArchiveScriptError: the script failed on one or more instances.
        AllRejectedError: it rejected every one.
        DamagedFileError: a file is missing or not what was stored.
    """
    described = Describer(rows)
    for scan, instance, content, treated in treat_all(site, rows, treatment, progress):
        look(content, treated)
        if not treated.is_rejected:
            described.add(scan, replace(instance), treated)
    return Staged(described.finished(), described.messages)


def script_row(site: Site, script: LoadedScript) -> ScriptRow:
    """The row of a script that ran."""
    return ScriptRow(script.sha256, script.name, script.script.language, script.text, site.clock())


class Describer:
    """Collects the rows of a session from its instances as they are after the script."""

    def __init__(self, source: SessionRows) -> None:
        self.rows = SessionRows(
            session=copy.deepcopy(source.session),
            senders=list(source.senders),
            scripts=list(source.scripts),
            discarded=list(source.discarded),
            history=list(source.history),
            warnings=list(source.warnings),
        )
        self.messages = MessageTally()
        self._scans: dict[str, ScanRows] = {}
        self._facts = StudyFacts()

    def add(self, scan: ScanRows, instance: InstanceRow, treated: Treated) -> None:
        """Add one instance; its UIDs and modality are taken from the object, its file from `instance`."""
        identity = treated.identity
        dataset = treated.instance.dataset
        known = self._scans.get(scan.label)
        if known is None:
            known = self._scans[scan.label] = replace(
                scan, series_uid=identity.series_instance_uid, instances=[]
            )
            self.rows.scans.append(known)
        instance.sop_class_uid = identity.sop_class_uid or ""
        instance.sop_instance_uid = identity.sop_instance_uid or ""
        instance.modality = arrival.read_code(dataset, arrival.MODALITY)
        instance.transfer_syntax_uid = treated.instance.transfer_syntax_uid
        known.instances.append(instance)
        self.messages.add(treated.messages)
        self._facts.take(treated)

    def finished(self) -> SessionRows:
        """Derive types, dates and counts from all instances.

        Raises:
            AllRejectedError: there are none.
        """
        if not self.rows.scans:
            raise AllRejectedError("the project's script rejects every instance; nothing was changed")
        session = self.rows.session
        for scan in self.rows.scans:
            pairs = _pairs(scan)
            scan.scan_type = modality.scan_type(pairs)
            scan.modality = next((found for _, found in pairs if found), scan.modality)
        everything = [pair for scan in self.rows.scans for pair in _pairs(scan)]
        session["session_type"] = modality.session_type(everything)
        session["modality_label"] = modality.modality_label(everything)
        session["study_uid"] = self._facts.study_uid
        session["scan_date"], session["scan_time"] = self._facts.scan_date, self._facts.scan_time
        self.rows.count()
        return self.rows


def _pairs(scan: ScanRows) -> list[tuple[str, str | None]]:
    return [(instance.sop_class_uid, instance.modality) for instance in scan.instances]


def _discarded(site: Site, rows: SessionRows, instance: InstanceRow, treatment: Treatment) -> DiscardedRow:
    return DiscardedRow(
        outcome="rejected",
        reason=REJECTED_REASON,
        status=None,
        at=site.clock(),
        received_sop_key=instance.received_sop_key,
        study_key=rows.session["study_key"],
        hashed_sop_instance_uid=None,
        received_digest=instance.received_digest,
        size_bytes=instance.size_bytes,
        script_line=None,
        script_column=None,
        association=instance.association,
        script=treatment.script.sha256 if treatment.script else None,
    )
