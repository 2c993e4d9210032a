"""The DICOM dump: every element of a stored file, nested ones too, under the path a DicomEdit script uses.

Where XNAT's dump stops at one level of nesting, cuts values and names only the enclosing sequence, this one
gives one row for each element at any depth. Values come from the bytes, decoded by the character set in force
at their level; binary values and sequences have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from pydicom.datadict import keyword_for_tag

from anon.encoding.elements import BINARY_VRS, DataSet, DataSetError, Element
from anon.encoding.instance import EncodedInstance, Limits
from anon.encoding.text import STRING_VRS, character_sets, decode_text
from prearchive.db import views as db_views
from prearchive.db.views import StoredFile
from prearchive.errors import DamagedFileError, NotFoundError

if TYPE_CHECKING:
    from config.settings import Settings
    from prearchive.site import Site

_INTEGERS = {"SS": "h", "US": "H", "SL": "i", "UL": "I", "SV": "q", "UV": "Q"}
_FLOATS = {"FL": "f", "FD": "d"}

Step = tuple[int, int]  # a tag and the item below it; -1 for the element itself


@dataclass(frozen=True, slots=True)
class TagRow:
    """One element of one file."""

    path: str  # as DicomEdit writes it: (0040,0275)[0]/(0040,0007)
    tag: str  # (0040,0007)
    vr: str
    keyword: str  # empty for private and unknown elements
    value: str | None  # None for sequences and binary values

    def as_json(self) -> dict[str, Any]:
        """The row as `prearc tags --json` prints it."""
        return asdict(self)


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


class Visit(NamedTuple):
    """An element on the way through a data set, with what is needed to name and decode it."""

    steps: tuple[Step, ...]  # numeric path, sorts as the elements are ordered in the file
    path: str
    element: Element
    parent: DataSet
    charsets: Sequence[str]


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


def instance_rows(instance: EncodedInstance) -> Iterator[TagRow]:
    """The rows of an object in memory: group 2, then the data set."""
    for visit in visit_instance(instance):
        yield tag_row(visit)


def visit_instance(instance: EncodedInstance, tags: Iterable[int] | None = None) -> Iterator[Visit]:
    """Walk an object's elements in order, nested ones included; with `tags` only these and what is below."""
    wanted = None if tags is None else set(tags)
    for level in (instance.meta, instance.dataset):
        yield from _visit(level, wanted)


def tag_row(visit: Visit) -> TagRow:
    """Name and decode a visited element."""
    element = visit.element
    return TagRow(
        path=visit.path,
        tag=f"({element.tag >> 16:04X},{element.tag & 0xFFFF:04X})",
        vr=element.vr,
        keyword=keyword_for_tag(element.tag),
        value=value_text(element, visit.parent, visit.charsets),
    )


def value_text(element: Element, parent: DataSet, charsets: Sequence[str]) -> str | None:
    """The value as text, several joined by a backslash; None for sequences and binary values.

    A number whose bytes do not fit its VR counts as binary.
    """
    vr = element.vr
    if element.is_sequence or element.is_encapsulated or vr in BINARY_VRS:
        return None
    if vr in STRING_VRS:
        return decode_text(element, charsets)
    order = "<" if parent.encoding.little else ">"
    if vr in _INTEGERS:
        return _numbers(element.value, Struct(order + _INTEGERS[vr]), str)
    if vr in _FLOATS:
        return _numbers(element.value, Struct(order + _FLOATS[vr]), repr if vr == "FD" else _single)
    if vr == "AT":
        return _numbers(element.value, Struct(order + "HH"), "({:04X},{:04X})".format)
    return None


def _numbers(value: bytes, packed: Struct, write: Callable[..., str]) -> str | None:
    if len(value) % packed.size:
        return None
    return "\\".join(write(*numbers) for numbers in packed.iter_unpack(value))


def _single(number: float) -> str:
    """The shortest decimal text that gives the same 32-bit float again."""
    packed = Struct("<f")
    if number != number or number in (float("inf"), float("-inf")):
        return repr(number)
    wanted = packed.pack(number)
    for digits in range(1, 10):
        shortest = float(f"{number:.{digits}g}")
        try:
            if packed.pack(shortest) == wanted:
                return repr(shortest)
        except OverflowError:  # rounding went just beyond the largest float
            continue
    return repr(number)


def _visit(level: DataSet, wanted: set[int] | None) -> Iterator[Visit]:
    """Depth first with a stack of our own: the depth of an object is the sender's choice, not Python's."""
    top = [tag for tag in level.tags() if wanted is None or tag in wanted]
    stack: list[tuple[Iterator[int], DataSet, Sequence[str], tuple[Step, ...], str]] = [
        (iter(top), level, character_sets(level), (), "")
    ]
    while stack:
        tags, dataset, charsets, steps, prefix = stack[-1]
        tag = next(tags, None)
        if tag is None:
            stack.pop()
            continue
        element = dataset.get(tag)
        if element is None:
            continue
        path = prefix + path_step(dataset, tag, charsets)
        yield Visit((*steps, (tag, -1)), path, element, dataset, charsets)
        for index in range(len(element.items) - 1, -1, -1):
            item = element.items[index]
            inner = character_sets(item, charsets)
            stack.append((iter(item.tags()), item, inner, (*steps, (tag, index)), f"{path}[{index}]/"))


def path_step(dataset: DataSet, tag: int, charsets: Sequence[str]) -> str:
    """One step of a DicomEdit path; private ones by their creator: (0029,{SIEMENS CSA HEADER}08)."""
    group, number = tag >> 16, tag & 0xFFFF
    if group & 1 and number > 0xFF:
        creator = dataset.get(group << 16 | number >> 8)
        if creator is not None and creator.value.strip(b" \0") and not creator.is_sequence:
            # A creator in implicit or unknown VR is text all the same (PS3.5 section 7.8.1).
            name = decode_text(creator, charsets).strip()
            return f"({group:04X},{{{name}}}{number & 0xFF:02X})"
    return f"({group:04X},{number:04X})"


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
