"""Sessions ready for review in a temporary site: sent through the intake, closed, with a project script."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
from builders import make_dataset
from intake_site import IntakeSite
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from prearchive import settle
from prearchive.db import views as db_views
from prearchive.db.views import SessionRecord

PROJECT_SCRIPT = "(0008,1030) := project\n(0010,0010) := subject\n(0010,0020) := session\n"


class ReviewSite(IntakeSite):
    """A site with sessions that a person can review.

    Args:
        folder: of the site.
        project_script: of project P1, None for none.
        tables: of the settings.
    """

    def __init__(self, folder: Path, project_script: str | None = PROJECT_SCRIPT, **tables: Any) -> None:
        self.script_path = folder / "anon" / "projects" / "P1.das"
        if project_script is not None:
            self.script_path.parent.mkdir(parents=True, exist_ok=True)
            self.script_path.write_text(project_script)
        super().__init__(folder, **tables)

    def arrive(self, datasets: Sequence[Dataset], **changes: Any) -> int:
        """Send data sets of one session; returns its number."""
        numbers = {self.send(dataset, **changes).session_id for dataset in datasets}
        assert len(numbers) == 1, numbers
        (session_id,) = numbers
        assert session_id is not None
        return session_id

    def ready(self, datasets: Sequence[Dataset] | None = None, **changes: Any) -> int:
        """A READY session of these data sets, by default two of one series of project P1."""
        session_id = self.arrive(study() if datasets is None else datasets, **changes)
        settle.rebuild_session(self.site, session_id, "tester")
        return session_id

    def record(self, session_id: int) -> SessionRecord:
        """A session's row."""
        with self.site.read_engine.begin() as connection:
            found = db_views.find_session(connection, session_id)
        assert found is not None
        return found

    def history(self, session_id: int) -> list[str]:
        """The actions of a session's history."""
        with self.site.read_engine.begin() as connection:
            return [event.action for event in db_views.history_of(connection, session_id)]

    def paths_of(self, session_id: int) -> list[Path]:
        """The files a session's rows name."""
        with self.site.read_engine.begin() as connection:
            return [self.site.root / found.path for found in db_views.files_of(connection, session_id)]

    def datasets_of(self, session_id: int) -> list[Dataset]:
        """The stored files of a session, read by pydicom."""
        return [pydicom.dcmread(BytesIO(path.read_bytes())) for path in self.paths_of(session_id)]


def study(count: int = 2, project: str = "P1", **elements: Any) -> list[Dataset]:
    """Instances of one series; Study Description names the project, if any."""
    common = {
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "StudyDescription": project,
        **elements,
    }
    return [make_dataset(InstanceNumber=number, **common) for number in range(1, count + 1)]


@contextlib.contextmanager
def review_site(
    folder: Path, project_script: str | None = PROJECT_SCRIPT, **tables: Any
) -> Iterator[ReviewSite]:
    """A review site, closed at the end."""
    found = ReviewSite(folder, project_script, **tables)
    try:
        yield found
    finally:
        found.close()
