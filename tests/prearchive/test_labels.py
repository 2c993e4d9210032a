"""The human's yes: labels given and confirmed, refused, and withdrawn by a late instance."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import generate_uid
from review_site import review_site, study

from prearchive import labels
from prearchive.errors import BadLabelError, NotFoundError, StateRefusedError
from prearchive.states import SessionState


def test_given_labels_are_a_persons_and_the_folder_stays(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        path = made.record(session_id).path
        row = labels.confirm(made.site, session_id, subject="S1", session="L-1_x", who="anna")
        assert (row.subject, row.session, row.status) == ("S1", "L-1_x", "READY")
        record = made.record(session_id)
        assert (record.subject_source, record.label_source, record.pinned) == ("person", "person", True)
        assert (record.confirmed_by, record.confirmed_at) == ("anna", made.clock())
        assert record.path == path


def test_labels_that_are_not_given_are_confirmed_as_they_are(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        before = made.record(session_id)
        row = labels.confirm(made.site, session_id, who="anna")
        assert (row.subject, row.session) == (before.subject, before.label)
        after = made.record(session_id)
        assert (after.subject_source, after.label_source) == (before.subject_source, before.label_source)
        assert after.confirmed_by == "anna"


def test_bad_labels_are_refused_and_change_nothing(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready()
        before = made.record(session_id)
        for label in ("a/b", "a b", "", "Ä", ".", "..", "x" * 65, "a\n", "a\0b"):
            for given in ({"subject": label}, {"session": label}):
                with pytest.raises(BadLabelError):
                    labels.confirm(made.site, session_id, who="anna", **given)
        assert made.record(session_id) == before


def test_states_without_labels_are_refused(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.arrive(study())
        for state in (SessionState.RECEIVING, SessionState.ERROR, SessionState.ARCHIVING):
            made.set_session(session_id, state=state)
            with pytest.raises(StateRefusedError, match=state.value):
                labels.confirm(made.site, session_id, session="L", who="anna")
        with pytest.raises(NotFoundError):
            labels.confirm(made.site, 99, session="L", who="anna")


def test_a_late_instance_withdraws_the_confirmation_but_not_the_labels(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        datasets = study(2, StudyInstanceUID=generate_uid())
        session_id = made.ready(datasets[:1])
        labels.confirm(made.site, session_id, subject="S1", session="L1", who="anna")
        assert made.send(datasets[1]).session_id == session_id
        record = made.record(session_id)
        assert (record.state, record.confirmed_by, record.confirmed_at) == (
            SessionState.RECEIVING,
            None,
            None,
        )
        assert (record.subject, record.label) == ("S1", "L1")
