"""What references mean: numbers, places, labels, Study Instance UIDs; what is ambiguous or elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import generate_uid
from review_site import ReviewSite, review_site, study

from prearchive import trash
from prearchive.archive import archive_session
from prearchive.errors import AmbiguousReferenceError, NotFoundError
from prearchive.references import Scope, get_session_id


def get(made: ReviewSite, ref: str, scope: Scope = "prearchive") -> int:
    return get_session_id(made.site, ref, scope)


def test_every_way_to_name_a_session(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        received_uid = generate_uid()
        session_id = made.ready(study(StudyInstanceUID=received_uid))
        record = made.record(session_id)
        assert record.study_uid != received_uid
        names = [str(session_id), record.ref, record.label, f"label:{record.label}", f" {session_id} "]
        names += [str(record.study_uid), f"uid:{record.study_uid}", received_uid, f"uid:{received_uid}"]
        for name in names:
            assert get(made, name) == session_id, name


def test_an_alias_names_the_project_of_a_place(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        session_id = made.ready(study(project="P2"))
        record = made.record(session_id)
        assert get(made, f"Two/{record.timestamp}/{record.folder}") == session_id
        unassigned = made.ready(study(project="nowhere", PatientID="X"))
        assert made.record(unassigned).ref.startswith("Unassigned/")
        assert get(made, made.record(unassigned).ref) == unassigned


def test_what_names_nothing_is_not_found(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        made.ready()
        for ref in ("99", "P1/x/y", "a/b", "a/b/c/d", "nobody", "label:nobody", "uid:1.2", "", "1.2.3"):
            with pytest.raises(NotFoundError):
                get(made, ref)


def test_a_bare_integer_is_always_the_number(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        first = made.ready(study(PatientID="2"))
        second = made.ready(study(PatientID="1"))
        assert (first, second) == (1, 2)
        assert get(made, "2") == second
        assert get(made, "label:2") == first


def test_several_sessions_of_one_label_are_shown_as_candidates(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        numbers = [made.ready(study()), made.ready(study())]
        with pytest.raises(AmbiguousReferenceError) as caught:
            get(made, "PID-1")
        assert [int(candidate.split()[0]) for candidate in caught.value.candidates] == numbers
        assert made.record(numbers[0]).ref in caught.value.candidates[0]


def test_scopes_do_not_mix_but_say_where_the_session_is(tmp_path: Path) -> None:
    with review_site(tmp_path) as made:
        archived = made.ready(study(PatientID="A"))
        archive_session(made.site, archived, who="anna", confirm=True)
        deleted = made.ready(study(PatientID="D"))
        trash.delete_session(made.site, deleted, who="anna")
        held = made.ready(study(PatientID="H"))
        record = made.record(archived)
        for name in (str(archived), record.ref, "P1/doe_jane/A", "A"):
            assert get(made, name, "archive") == archived
        with pytest.raises(NotFoundError, match="archive"):
            get(made, "A")
        with pytest.raises(NotFoundError, match="trash"):
            get(made, "D")
        assert get(made, "D", "trash") == deleted
        with pytest.raises(NotFoundError, match="prearchive"):
            get(made, str(held), "archive")
