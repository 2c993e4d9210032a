"""Trying scripts out on a session's files, and reading all their values; nothing is changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anon.comparison import Change, ChangeTally
from anon.distinct import ValueTally
from anon.encoding.elements import DataSetError
from anon.encoding.instance import EncodedInstance
from anon.errors import ScriptError
from anon.trial import try_script
from config.settings import UNASSIGNED
from prearchive import modality
from prearchive.db import views as db_views
from prearchive.dump import instance_limits
from prearchive.errors import DamagedFileError, NotFoundError, StateRefusedError

if TYPE_CHECKING:
    import anon
    from prearchive.db.views import SessionRecord
    from prearchive.site import Site

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class SessionTrial:
    """What a script would do to the files of a session.

    Attributes:
        files: how many were tried.
        rejected: how many it rejects.
        failures: what failed, and on how many files.
        messages: of its reports, and on how many files.
        changes: one for each path and pair of values.
    """

    files: int = 0
    rejected: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)


def try_on_session(
    site: Site,
    session_id: int,
    script: anon.Script | None,
    variables: Mapping[str, str],
    progress: Progress | None = None,
) -> SessionTrial:
    """Try a script out on every file of a session.

    Args:
        site: whose.
        session_id: which session.
        script: None takes the script of the session's project.
        variables: beside XNAT's, which come from the session's labels.
        progress: is called with files done and their number.

    Raises:
        NotFoundError: no such session.
        StateRefusedError: the session has no project, or the project has no script in force.
        ScriptError: the project's script does not compile, or a variable is missing.
        DamagedFileError: a file is missing or cannot be read.
    """
    with site.read_engine.begin() as connection:
        record = db_views.find_session(connection, session_id)
    if record is None:
        raise NotFoundError(f"there is no session {session_id}")
    if script is None:
        script = _project_script(site, record)
    given = {**session_variables(record), **variables}
    script.require(given)
    trial = SessionTrial()
    tally = ChangeTally()
    limits = instance_limits(site.settings)
    for path, content in _contents(site, session_id, progress):
        trial.files += 1
        try:
            found = try_script(script, content, given, limits=limits)
        except ScriptError as error:
            trial.failures[str(error)] += 1
            continue
        except DataSetError as error:
            raise DamagedFileError(f"{path} cannot be read as DICOM ({error.code})") from error
        trial.rejected += found.status == "rejected"
        trial.messages.update(found.messages)
        tally.add(found.differences)
    trial.changes = tally.changes()
    return trial


def session_variables(record: SessionRecord) -> dict[str, str]:
    """XNAT's variables as the archive step would pass them with the session's present labels."""
    return {
        "project": record.project or UNASSIGNED,
        "subject": record.subject or "",
        "session": record.label,
        "modalityLabel": record.modality_label or modality.UNKNOWN_MODALITY,
    }


def session_values(site: Site, session_id: int, progress: Progress | None = None) -> ValueTally:
    """The distinct values of all files of a session.

    Raises:
        NotFoundError: no such session, or it holds no file.
        DamagedFileError: a file is missing or cannot be read.
    """
    tally = ValueTally()
    limits = instance_limits(site.settings)
    for path, content in _contents(site, session_id, progress):
        try:
            tally.add(EncodedInstance.from_part10(content, limits))
        except DataSetError as error:
            raise DamagedFileError(f"{path} cannot be read as DICOM ({error.code})") from error
    return tally


def _project_script(site: Site, record: SessionRecord) -> anon.Script:
    if record.project is None:
        raise StateRefusedError(f"session {record.id} has no project, so no script runs on it; name a script")
    loaded = site.scripts.project(record.project) if record.anonymize else None
    if loaded is None:
        why = (
            f"project {record.project} has no script in force" if record.anonymize else "it is never changed"
        )
        raise StateRefusedError(f"no script runs on session {record.id}: {why}; name a script")
    return loaded.script


def _contents(site: Site, session_id: int, progress: Progress | None) -> Iterator[tuple[str, memoryview]]:
    with site.read_engine.begin() as connection:
        files = db_views.files_of(connection, session_id)
    if not files:
        raise NotFoundError(f"session {session_id} holds no files")
    for done, stored in enumerate(files):
        if progress is not None:
            progress(done, len(files))
        yield stored.path, site.files.read_instance(stored.path)
    if progress is not None:
        progress(len(files), len(files))
