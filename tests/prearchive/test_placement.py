from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from prearchive.db.queries import KnownSession
from prearchive.placement import Claim, disagreements, place
from prearchive.states import SessionState


def known(session_id: int, project: str | None = None, **changes: Any) -> KnownSession:
    return KnownSession(
        id=session_id,
        project=project,
        subject="S",
        label="L",
        subject_source="given",
        label_source="given",
        path=f"prearchive/{session_id}",
        state=SessionState.RECEIVING,
        study_uid="1.2",
        pinned=False,
        waits_for_id=None,
        confirmed_at=None,
    )._replace(**changes)


BUSY = {"state": SessionState.MOVING}


@pytest.mark.parametrize(
    ("project", "sessions", "joins", "opens_in", "waits_for"),
    [
        # Nothing there: a new session.
        (None, [], None, None, None),
        ("P1", [], None, "P1", None),
        # Without a project: the only session of the study, wherever it is.
        (None, [known(1, "P1")], 1, None, None),
        (None, [known(1, "P1", state=SessionState.READY)], 1, None, None),
        (None, [known(1, "P1"), known(2, "P2")], None, None, None),
        (None, [known(1, "P1"), known(2, None)], 2, None, None),
        (None, [known(1, "P1"), known(2, "P2", pinned=True)], 2, None, None),
        # With a project: the session there, or a new one, but not beside one that a person moved or labelled.
        ("P1", [known(1, "P1")], 1, None, None),
        ("P1", [known(1, "P2")], None, "P1", None),
        ("P1", [known(1, None)], None, "P1", None),
        ("P1", [known(1, "P2", pinned=True)], 1, None, None),
        ("P1", [known(1, "P2", pinned=True), known(2, "P1")], 2, None, None),
        # Busy sessions take nothing.
        ("P1", [known(1, "P1", **BUSY)], None, "P1", 1),
        (None, [known(1, "P1", **BUSY)], None, "P1", 1),
        ("P1", [known(1, "P2", pinned=True), known(2, "P1", **BUSY)], None, "P1", 2),
        ("P1", [known(1, "P2", pinned=True, **BUSY)], None, "P2", 1),
        (None, [known(1, "P1"), known(2, "P2", **BUSY)], 1, None, None),
        (None, [known(1, "P1", **BUSY), known(2, "P2", **BUSY)], None, None, None),
        # The session that waits already takes what comes next.
        ("P1", [known(1, "P1", **BUSY), known(2, "P1", waits_for_id=1)], 2, None, None),
        (None, [known(1, "P1", **BUSY), known(2, "P1", waits_for_id=1)], 2, None, None),
        ("P1", [known(1, "P1", **BUSY), known(2, "P1", waits_for_id=1, **BUSY)], None, "P1", 1),
        # The work has ended, the join comes later.
        ("P1", [known(1, "P1"), known(2, "P1", waits_for_id=1)], 1, None, None),
        (None, [known(1, "P1"), known(2, "P1", waits_for_id=1)], 1, None, None),
        # What it waited for is gone.
        (None, [known(2, "P1", waits_for_id=1)], 2, None, None),
        ("P2", [known(2, "P1", waits_for_id=1)], None, "P2", None),
    ],
)
def test_where_an_instance_goes(
    project: str | None,
    sessions: list[KnownSession],
    joins: int | None,
    opens_in: str | None,
    waits_for: int | None,
) -> None:
    placement = place(project, sessions)
    if joins is not None:
        assert placement.session is not None
        assert (placement.session.id, placement.project) == (joins, placement.session.project)
    else:
        assert (placement.session, placement.project, placement.waits_for_id) == (None, opens_in, waits_for)


CLAIM = Claim("P1", "S", "given", "L", "given", "1.2")


@pytest.mark.parametrize(
    ("claim", "session", "codes"),
    [
        (CLAIM, known(1, "P1"), []),
        (replace(CLAIM, project=None), known(1, "P1"), []),
        (replace(CLAIM, subject="T"), known(1, "P1"), ["subject-disagreement"]),
        (replace(CLAIM, subject=None, subject_source="none"), known(1, "P1"), []),
        (CLAIM, known(1, "P1", subject=None, subject_source="none"), ["subject-disagreement"]),
        (replace(CLAIM, label="M"), known(1, "P1"), ["session-disagreement"]),
        (replace(CLAIM, label="dicom_upload", label_source="none"), known(1, "P1"), []),
        (
            replace(CLAIM, subject="T", label="M"),
            known(1, "P1", subject_source="person", label_source="person"),
            [],
        ),
        (CLAIM, known(1, "P2", pinned=True), ["project-disagreement"]),
        (CLAIM, known(1, None, pinned=True), ["project-disagreement"]),
        (replace(CLAIM, study_uid="1.3"), known(1, "P1"), ["study-uid-disagreement"]),
        (replace(CLAIM, study_uid=None), known(1, "P1", study_uid=None), []),
    ],
)
def test_what_contradicts_the_session(claim: Claim, session: KnownSession, codes: list[str]) -> None:
    assert [code for code, _ in disagreements(session, claim)] == codes
