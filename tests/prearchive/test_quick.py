from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from builders import make_dataset
from command_line import CommandLineSite

from config.load import load_settings
from prearchive.db.quick import find_session_rows
from prearchive.references import Scope
from prearchive.site import Site
from prearchive.views import list_sessions

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> CommandLineSite:
    """Sessions in several states and projects, one with warnings, one archived, one in the trash."""
    site = CommandLineSite(tmp_path_factory.mktemp("quick") / "site")
    twin = make_dataset(PatientName="Doe^Jane", PatientID="E1", StudyDescription="P4")
    other = make_dataset(
        PatientName="Doe^Jane", PatientID="E1", StudyDescription="P4", ImageComments="differs"
    )
    other.SOPInstanceUID, other.StudyInstanceUID = twin.SOPInstanceUID, twin.StudyInstanceUID
    site.receive(twin, other)
    for number, description in enumerate(("P4", "P5", "nobody knows", "P4", "P4"), start=2):
        site.receive(make_dataset(PatientName="Roe", PatientID=f"E{number}", StudyDescription=description))
    site.run("rebuild", "2", "3", "5")
    site.run("archive", "2", "--yes")
    site.run("delete", "3", "--yes")
    return site


@pytest.mark.parametrize("scope", get_args(Scope))
@pytest.mark.parametrize(
    "narrowed",
    [
        {},
        {"project": "P4"},
        {"project": "Four"},
        {"project": "Unassigned"},
        {"project": "' OR 1=1 --"},
        {"status": "ready"},
        {"status": "ARCHIVED"},
        {"subject": "dOE_jANE"},
        {"since": NOW - timedelta(days=1)},
        {"since": NOW + timedelta(days=1)},
        {"project": "P4", "status": "CONFLICT", "subject": "Doe_Jane"},
    ],
    ids=lambda narrowed: "-".join(narrowed) or "all",
)
def test_the_quick_list_is_the_list(filled: CommandLineSite, scope: Scope, narrowed: dict[str, Any]) -> None:
    settings = load_settings(filled.folder, {})
    with Site.open(settings) as site:
        assert find_session_rows(settings, scope, **narrowed) == list_sessions(site, scope, **narrowed)


def test_the_sample_is_worth_comparing(filled: CommandLineSite) -> None:
    settings = load_settings(filled.folder, {})
    rows = find_session_rows(settings, "prearchive") or []
    assert {row.status for row in rows} >= {"READY", "RECEIVING", "CONFLICT"}
    assert any(row.warnings for row in rows)


def test_everything_out_of_the_ordinary_is_left_to_the_usual_way(
    filled: CommandLineSite, tmp_path: Path
) -> None:
    site = filled.copy(tmp_path / "site")
    settings = load_settings(site.folder, {})
    assert find_session_rows(settings, "prearchive", status="LOST") is None
    elsewhere = load_settings(site.folder, {"PREARC_DATABASE__URL": "postgresql://h/d"})
    assert find_session_rows(elsewhere, "prearchive") is None
    database = site.folder / "data" / "prearc.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert find_session_rows(settings, "prearchive") is None
    assert "newer" in site.run("list", code=2).stderr
    database.write_bytes(b"nonsense" * 1000)
    assert find_session_rows(settings, "prearchive") is None
    site.run("list", code=2)
    database.unlink()
    assert find_session_rows(settings, "prearchive") is None


def test_listing_does_not_load_the_database_layer(filled: CommandLineSite) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from cli.main import app\n"
        f"try: app(['--config', {str(filled.folder)!r}, 'list'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('sqlalchemy', 'structlog', 'rich', 'pydicom') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
