"""Applying a script to a file: the fast path, which keeps every byte that the script does not touch."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from anon.encoding.elements import Buffer
from anon.encoding.instance import NO_SURPRISES, EncodedInstance, Limits
from anon.script import ApplyReport, Script


def apply_to_file(
    script: Script,
    source: str | os.PathLike[str] | bytes | bytearray | memoryview,
    target: str | os.PathLike[str],
    variables: Mapping[str, str] | None = None,
    *,
    record_id: str | int | None = None,
    limits: Limits = NO_SURPRISES,
) -> ApplyReport:
    """Apply a script to a DICOM file and write the result, which may be the same file.

    The target appears whole or not at all: it is written under a temporary name in the same folder, synced
    and renamed. When the script rejects the object, nothing is written.

    Args:
        script: what to apply.
        source: the path of a PS3.10 file, or its content.
        target: where the result goes; its folder exists.
        variables: values by name; case does not count.
        record_id: note in (0012,0064) that this script was applied.
        limits: how much the object may ask for.

    Raises:
        ScriptError: a variable is missing or a statement failed; nothing is written.
        DataSetError: the source is not a DICOM file.
        OSError: reading or writing failed.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        instance = EncodedInstance.from_part10(source, limits)
    else:
        instance = EncodedInstance.from_part10(_read(source), limits)
        instance.owns_bytes = True
    report = script.apply_encoded(instance, variables or {}, record_id=record_id)
    if report.status == "ok":
        _write_atomically(Path(target), instance.part10_chunks())
    return report


def _read(path: str | os.PathLike[str]) -> bytearray:
    """A whole file, as bytes that may be edited."""
    with open(path, "rb", buffering=0) as stream:
        content = bytearray(os.fstat(stream.fileno()).st_size)
        filled = 0
        with memoryview(content) as view:
            while filled < len(view) and (count := stream.readinto(view[filled:])):
                filled += count
        del content[filled:]
        content += stream.read()  # it grew, or is no ordinary file
    return content


def _write_atomically(target: Path, chunks: list[Buffer]) -> None:
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb", buffering=0) as stream:
            for chunk in chunks:
                rest = memoryview(chunk)
                while rest:
                    rest = rest[stream.write(rest) or 0 :]
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
