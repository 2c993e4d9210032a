"""The DICOM dump: every element of a stored file, nested ones too, under the path a DicomEdit script uses.

Where XNAT's dump stops at one level of nesting, cuts values and names only the enclosing sequence, this one
gives one row for each element at any depth (`anon.listing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from anon.encoding.elements import DataSetError
from anon.encoding.instance import EncodedInstance, Limits
from anon.listing import Step, TagRow, Visit, tag_row, visit_instance
from prearchive.db import views as db_views
from prearchive.db.views import StoredFile
from prearchive.errors import DamagedFileError, NotFoundError

if TYPE_CHECKING:
    from config.settings import Settings
    from prearchive.site import Site


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One path over many files: distinct values in the order met, and how many files have it."""

    path: str
    tag: str
    vr: str
    keyword: str
    values: list[str]
    count: int

    def as_json(self) -> dict[str, Any]:
        """The row as `prearc tags --summary --json` prints it."""
        return asdict(self)


@dataclass(slots=True)
class _Tally:
    row: TagRow
    values: dict[str, None] = field(default_factory=dict)
    count: int = 0


def dump_tags(
    site: Site, session_id: int, *, scan: str | None = None, instance: str | None = None
) -> list[TagRow]:
    """Every element of one stored file: the first of the session, of a scan, or the named instance.

    Raises:
        NotFoundError: no such scan, no such instance, or the session holds no file.
        DamagedFileError: the file cannot be read; `prearc check` says more.
    """
    found = _files(site, session_id, scan, instance, limit=1)
    return [row for _, row in _visits_of_file(site, found[0].path)]


def summarize_tags(site: Site, session_id: int, *, scan: str | None = None) -> list[SummaryRow]:
    """One row a path over all files of the session or of a scan.

    Raises:
        NotFoundError: no such scan, or the session holds no file.
        DamagedFileError: a file cannot be read.
    """
    tallies: dict[tuple[Step, ...], _Tally] = {}
    for stored in _files(site, session_id, scan, None, limit=None):
        for visit, row in _visits_of_file(site, stored.path):
            tally = tallies.get(visit.steps)
            if tally is None:
                tally = tallies[visit.steps] = _Tally(row)
            tally.count += 1
            if row.value is not None:
                tally.values[row.value] = None
    return [
        SummaryRow(
            tally.row.path, tally.row.tag, tally.row.vr, tally.row.keyword, list(tally.values), tally.count
        )
        for _, tally in sorted(tallies.items())
    ]


def instance_limits(settings: Settings) -> Limits:
    """The limits for reading an object, from the site's settings."""
    limits = settings.limits
    return Limits(
        max_nesting=limits.max_nesting,
        max_inflate_bytes=limits.max_inflate_bytes,
        max_header_bytes=limits.max_header_bytes,
    )


def _files(
    site: Site, session_id: int, scan: str | None, instance: str | None, limit: int | None
) -> list[StoredFile]:
    with site.read_engine.begin() as connection:
        files = db_views.files_of(
            connection, session_id, scan_label=scan, sop_instance_uid=instance, limit=limit
        )
        if files:
            return files
        if db_views.find_session(connection, session_id) is None:
            raise NotFoundError(f"there is no session {session_id}")
        if scan is not None and not db_views.has_scan(connection, session_id, scan):
            raise NotFoundError(f"session {session_id} has no scan {scan!r}")
    if instance is not None:
        raise NotFoundError(f"session {session_id} has no instance {instance!r}")
    raise NotFoundError(f"session {session_id} holds no files")


def _visits_of_file(site: Site, path: str) -> Iterator[tuple[Visit, TagRow]]:
    content = site.files.read_instance(path)
    try:
        instance = EncodedInstance.from_part10(content, instance_limits(site.settings))
    except DataSetError as error:
        raise DamagedFileError(f"{path} cannot be read as DICOM ({error.code})") from error
    for visit in visit_instance(instance):
        yield visit, tag_row(visit)
