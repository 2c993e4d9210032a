"""Why a file cannot be read or written, in words for people; never a value of a data set."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from anon.encoding.elements import DataSetError

_NOT_DICOM: Final = "it is no DICOM file"
_DAMAGED: Final = "it is damaged"
_DATA_SETS: Final = {
    "not-dicom": _NOT_DICOM,
    "truncated": "it ends too early, part of it is missing",
    "no-transfer-syntax": "it does not say how it is encoded (no transfer syntax)",
    "unsupported-transfer-syntax": "it is encoded in an unknown way (transfer syntax)",
    "header-too-large": "its elements take more space than is allowed",
    "inflates-too-far": "unpacked it takes more space than is allowed",
    "too-deep": "its sequences are nested deeper than is allowed",
}
_SYSTEM: Final = {
    errno.ENOENT: "there is no such file",
    errno.EEXIST: "something of this name is there already",
    errno.EACCES: "you have no permission for it",
    errno.EPERM: "you have no permission for it",
    errno.EISDIR: "it is a folder, not a file",
    errno.ENOTDIR: "a part of this path is a file, not a folder",
    errno.EROFS: "nothing can be written there, the disk is read-only",
    errno.ENOSPC: "the disk is full",
    errno.ENAMETOOLONG: "the name is too long",
}


def unreadable_text(error: DataSetError | OSError) -> str:
    """Say why a file cannot be used; the code of a damaged one stands in brackets, for who reports it."""
    if isinstance(error, OSError):
        return system_text(error)
    return f"{_DATA_SETS.get(error.code, _DAMAGED)} [{error.code}]"


def system_text(error: OSError) -> str:
    """Say what the operating system refused; words that the program itself chose stay."""
    code = error.errno or 0
    if error.strerror and error.strerror != os.strerror(code):
        return error.strerror
    return _SYSTEM.get(code, error.strerror or "it cannot be used")
