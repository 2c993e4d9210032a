"""Paths below the storage root: checked names, never joined raw. Pure; nothing here touches the disk.

A path is text relative to the storage root with `/` between its components. Every component passes
`checked_component`, so no value of a data set and no label can leave its folder.
"""

from __future__ import annotations

import re
from functools import lru_cache

PREARCHIVE = "prearchive"
ARCHIVE = "archive"
TRASH = "trash"
TEMPORARY = "tmp"
LOGS = "logs"
BACKUPS = "backups"
TOP_FOLDERS = (PREARCHIVE, ARCHIVE, TRASH, TEMPORARY, LOGS)
MANIFEST_NAME = "manifest.json"

_LONGEST_COMPONENT = 255  # bytes, on every file system we know
_COMPONENT = re.compile(r"[A-Za-z0-9_.+-](?:[A-Za-z0-9_.+ -]*[A-Za-z0-9_.+-])?", re.ASCII)


class UnsafePathError(ValueError):
    """A path or name that could lead out of its folder. The text does not repeat it."""


def checked_component(name: str) -> str:
    """Return `name` when it is safe as the name of a file or folder.

    Raises:
        UnsafePathError: empty, `.`, `..`, too long, or with other characters than letters, digits and `_.+-
        `.
    """
    if len(name) > _LONGEST_COMPONENT or name in (".", "..") or not _COMPONENT.fullmatch(name):
        raise UnsafePathError("unsafe name for a file or folder")
    return name


@lru_cache(maxsize=1024)  # the folder of a scan is asked for with each of its instances
def components(path: str) -> tuple[str, ...]:
    """Split a path into its checked components."""
    return tuple(checked_component(name) for name in path.split("/"))


def join(*names: str) -> str:
    """Make a path of names and paths, each component checked."""
    return "/".join(name for part in names for name in components(part))


def parent(path: str) -> str:
    """Return the folder of a path."""
    return path.rpartition("/")[0]


def numbered(name: str, number: int) -> str:
    """Return the `number`-th form of a name: `a.dcm`, `a_1.dcm`, `a_2.dcm`; folders: `a`, `a_1`."""
    if number == 0:
        return name
    stem, dot, suffix = name.rpartition(".")
    ending = f"_{number}"
    if not stem or suffix.lower() != "dcm":
        return f"{name[: _LONGEST_COMPONENT - len(ending)]}{ending}"
    return f"{stem[: _LONGEST_COMPONENT - len(ending) - len(suffix) - 1]}{ending}{dot}{suffix}"


def instance_path(session_path: str, scan_label: str, file_name: str) -> str:
    """Return where an instance of a session is."""
    return join(session_path, "SCANS", scan_label, "DICOM", file_name)


def scan_folder(session_path: str, scan_label: str) -> str:
    """Return the folder of a scan's instances."""
    return join(session_path, "SCANS", scan_label, "DICOM")
