"""The stored files of a session, for `prearc files`: what is on the disk, or which scripts ran on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from cli.context import Invocation, opened_site
from cli.output import SHORT_SHA, print_document, print_table

if TYPE_CHECKING:
    from prearchive.script_runs import RanVersion, ScriptsOfFile
    from prearchive.views import FileRow


def print_files(
    invocation: Invocation, scope: Literal["prearchive", "archive"], ref: str, scripts: bool
) -> None:
    """Print the stored files of a session, or which versions of the scripts ran on each."""
    with opened_site(invocation, looks_only=True) as site:
        from prearchive.references import get_session_id
        from prearchive.views import list_files, list_scripts_of_files

        session_id = get_session_id(site, ref, scope)
        rows = list_files(site, session_id)
        if scripts:
            found = list_scripts_of_files(site, session_id)
            # A file that went away since has none, and one that came has no row.
            _print_scripts(invocation, [(row, found[row.path]) for row in rows if row.path in found])
            return
        if invocation.as_json:
            print_document(rows)
            return
        print_table(
            ("SCAN", "SIZE", "PATH", "SOP INSTANCE UID", "DIGEST"),
            [(row.scan, row.size, row.path, row.sop_instance_uid, row.digest) for row in rows],
            right=("SIZE",),
            empty="no files",
        )


def _print_scripts(invocation: Invocation, found: Sequence[tuple[FileRow, ScriptsOfFile]]) -> None:
    if invocation.as_json:
        print_document(
            [
                {**dataclasses.asdict(row), "site_script": ran.site, "project_script": ran.project}
                for row, ran in found
            ]
        )
        return
    print_table(
        ("SCAN", "SITE SCRIPT", "PROJECT SCRIPT", "PATH"),
        [(row.scan, _version_text(ran.site), _version_text(ran.project), row.path) for row, ran in found],
        empty="no files",
    )


def _version_text(ran: RanVersion | None) -> str:
    """A version for a table: its number and the beginning of its SHA-256."""
    if ran is None:
        return "-"
    return f"{'?' if ran.version is None else ran.version} {ran.sha256[:SHORT_SHA]}"
