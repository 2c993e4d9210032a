"""Messages of scripts: warnings of the session they came to, once each; lines of plan and history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import make_dataset
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from review_site import ReviewSite, review_site, study
from sqlalchemy import event

from prearchive.archive import archive_session, auto_archive_ready, plan_archive
from prearchive.db import queries
from prearchive.intake import Intake
from prearchive.script_messages import MORE_MESSAGES, MOST_MESSAGES, SCRIPT_MESSAGE
from prearchive.states import SessionState
from prearchive.views import show_session

SITE_SCRIPT = "- (0010,0030)\n- (0010,0010)\n"  # the second one leaves a name in a sequence
PROJECT_SCRIPT = '- (0010,0010)\n(0010,0020) := session\n(0008,0022) := "soon"\n'
NESTED = "site.das:2: (0010,0010) stays in sequences, DicomEdit 4 leaves these"


def nested_study(count: int = 2, **elements: Any) -> list[Dataset]:
    item = Dataset()
    item.PatientName = "Secret^Nested"
    return study(count, ReferencedImageSequence=[item], **elements)


def messages(made: ReviewSite, session_id: int | None) -> list[str]:
    rows = made.rows(queries.WARNING, session_id=session_id, code=SCRIPT_MESSAGE)
    return [row.text for row in rows]


def test_what_the_site_script_says_is_a_warning_of_the_session_once(tmp_path: Path) -> None:
    with review_site(tmp_path, script=SITE_SCRIPT) as made:
        first, second = made.arrive(nested_study(3)), made.arrive(nested_study(1))
        plain = made.arrive(study(1))
        assert [messages(made, number) for number in (first, second, plain)] == [[NESTED], [NESTED], []]
        made.intake = Intake(made.site)  # after a restart
        made.arrive(nested_study(1, StudyInstanceUID=made.datasets_of(first)[0].StudyInstanceUID))
        assert messages(made, first) == [NESTED]


def test_a_message_that_the_session_has_costs_no_statement(tmp_path: Path) -> None:
    with review_site(tmp_path, script=SITE_SCRIPT) as made:
        datasets = nested_study(3)
        made.send(datasets[0])
        statements: list[str] = []
        event.listen(
            made.site.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
        )
        made.send(datasets[1])
        assert statements and not [text for text in statements if "session_warning" in text]


def test_a_message_of_an_instance_that_was_not_stored_is_not_taken_for_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with review_site(tmp_path, script=SITE_SCRIPT) as made:
        datasets = [*study(1), *nested_study(2)]
        for dataset in datasets:
            dataset.StudyInstanceUID = datasets[0].StudyInstanceUID
        session_id = made.send(datasets[0]).session_id

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("unforeseen")

        with monkeypatch.context() as patch:
            patch.setattr("prearchive.shelving.count_arrival", broken)
            assert made.send(datasets[1]).kind.value == "failed"
        assert messages(made, session_id) == []
        made.send(datasets[2])
        assert messages(made, session_id) == [NESTED]


def test_a_session_keeps_a_bounded_number_of_messages(tmp_path: Path) -> None:
    numbers = range(0x10, 0x10 + MOST_MESSAGES + 5)
    item = Dataset()
    for number in numbers:
        item.add_new(0x00104000 + number, "LO", "x")
    script = "".join(f"- (0010,40{number:02X})\n" for number in numbers)
    nested = study(3, ReferencedImageSequence=[item])
    with review_site(tmp_path, script=script) as made:
        session_id = made.arrive(nested[:2])
        found = messages(made, session_id)
        assert len(found) == MOST_MESSAGES + 1
        assert found[-1] == MORE_MESSAGES
        made.intake = Intake(made.site)
        assert made.arrive(nested[2:]) == session_id
        assert messages(made, session_id) == found


def test_messages_hold_no_value_and_keep_nobody_from_archiving(tmp_path: Path) -> None:
    auto = {"projects": {"P1": {"prearchive": "auto"}}}
    script = "- (0010,1001)\n"
    item = Dataset()
    item.OtherPatientNames = "Secret^Nested"
    with review_site(tmp_path, PROJECT_SCRIPT, script=script, **auto) as made:
        session_id = made.ready(
            study(1, ReferencedImageSequence=[item], PatientComments="Subject:S1 Session:E1")
        )
        (message,) = messages(made, session_id)
        assert "Secret" not in message
        assert auto_archive_ready(made.site) == [session_id]
        assert made.record(session_id).state is SessionState.ARCHIVED
        assert messages(made, session_id) == [message]


def test_what_the_project_script_says_is_in_the_plan_and_in_the_history(tmp_path: Path) -> None:
    with review_site(tmp_path, PROJECT_SCRIPT) as made:
        session_id = made.ready(
            [
                *nested_study(2),
            ]
        )
        plan = plan_archive(made.site, session_id, session="E1").as_json()
        assert not plan_archive(made.site, session_id, session="E1").refused
        told = {message["text"].partition(" ")[2]: message["files"] for message in plan["messages"]}
        assert told["(0010,0010) stays in sequences, DicomEdit 4 leaves these"] == 2
        assert len(told) == 2
        assert plan_archive(made.site, session_id, with_changes=False).messages == []
        archive_session(made.site, session_id, session="E1", who="anna", confirm=True)
        last = show_session(made.site, session_id).history[-1].text
        assert "projects/P1.das:1: (0010,0010) stays in sequences" in last
        assert "(2 files)" in last and "soon" not in last


def test_the_messages_of_a_merged_session_are_not_lost(tmp_path: Path) -> None:
    with review_site(tmp_path, None, script=SITE_SCRIPT) as made:
        common = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
        labels: dict[str, Any] = {"subject": "S1", "session": "E1", "who": "anna", "confirm": True}
        first = made.ready([make_dataset(StudyDescription="P1", **common)])
        archive_session(made.site, first, **labels)
        for _ in range(2):
            late = made.ready(nested_study(1, **common))
            archive_session(made.site, late, overwrite="append", **labels)
            assert messages(made, first) == [NESTED]
