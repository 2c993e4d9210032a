"""Session labels that the project's script makes: offered in review, taken on demand, never given twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from review_site import ReviewSite, review_site, study

from prearchive import archive_staging, labels, move, trash, views
from prearchive.archive import archive_session, plan_archive
from prearchive.db import review
from prearchive.errors import ArchiveScriptError, ConfigurationProblemError, StateRefusedError
from prearchive.label_proposal import AutoLabel
from prearchive.site import Site
from prearchive.states import SessionState

TRAINING = """\
(0008,1030) := project
(0010,0010) := subject
(0010,0020) := session
session := makeSessionLabel[format["{0}_v##_{1}", subject, lowercase[modalityLabel]]]
"""
AUTO = AutoLabel()


def proposed(made: ReviewSite, session_id: int) -> str | None:
    return views.show_session(made.site, session_id).proposed_label


def confirm(made: ReviewSite, session_id: int, **options: Any) -> str:
    return labels.confirm(made.site, session_id, session=AUTO, who="anna", **options).session


def archive(made: ReviewSite, session_id: int, **options: Any) -> str:
    options.setdefault("session", AUTO)
    return archive_session(made.site, session_id, who="anna", confirm=True, **options).session


def session_of(made: ReviewSite, **elements: Any) -> int:
    return made.ready(study(1, PatientName="S1", **elements))


def test_the_review_offers_the_label_and_archiving_alone_does_not_rename(tmp_path: Path) -> None:
    with review_site(tmp_path, TRAINING) as made:
        session_id = session_of(made)
        assert proposed(made, session_id) == "S1_v00_mr"
        assert plan_archive(made.site, session_id).as_json()["proposed_session"] == "S1_v00_mr"
        assert archive(made, session_id, session=None) == "PID-1"
        assert made.datasets_of(session_id)[0].PatientID == "PID-1"
        assert proposed(made, session_id) is None  # nothing is left to be labelled


def test_a_label_that_was_taken_is_a_persons_and_is_kept_when_asked_again(tmp_path: Path) -> None:
    with review_site(tmp_path, TRAINING) as made:
        first, second = session_of(made), session_of(made)
        assert [confirm(made, first), confirm(made, second)] == ["S1_v00_mr", "S1_v01_mr"]
        assert made.record(first).label_source == "person"
        assert proposed(made, second) == confirm(made, second) == "S1_v01_mr"
        trash.delete_session(made.site, first, who="anna")
        assert proposed(made, second) == "S1_v01_mr"
        assert proposed(made, session_of(made)) == "S1_v00_mr"
        assert archive(made, second) == "S1_v01_mr"
        assert made.datasets_of(second)[0].PatientID == "S1_v01_mr"


def test_labels_of_archive_and_prearchive_count_whatever_their_case(tmp_path: Path) -> None:
    with review_site(tmp_path, TRAINING) as made:
        archive(made, session_of(made), session="s1_V00_MR")
        session_of(made, PatientID="S1_v01_mr")
        elsewhere = session_of(made, StudyDescription="P2")
        labels.confirm(made.site, elsewhere, session="S1_v02_mr", who="anna")
        session_id = session_of(made)
        assert proposed(made, session_id) == "S1_v02_mr"
        move.move_session(made.site, elsewhere, project="P1", who="anna")
        assert archive(made, session_id) == "S1_v03_mr"


def test_the_given_subject_is_used_and_spelled_as_in_the_archive(tmp_path: Path) -> None:
    with review_site(tmp_path, TRAINING) as made:
        archive(made, session_of(made), subject="Sub")
        session_id = session_of(made)
        plan = plan_archive(made.site, session_id, subject="SUB", session=AUTO)
        assert plan.labels == {"project": "P1", "subject": "Sub", "session": "Sub_v01_mr"}
        assert plan.proposed_session == "Sub_v01_mr"
        assert confirm(made, session_id, subject="sub") == "Sub_v01_mr"


def test_other_modalities_are_counted_apart(tmp_path: Path) -> None:
    with review_site(tmp_path, TRAINING) as made:
        assert confirm(made, session_of(made)) == "S1_v00_mr"
        other = session_of(made, SOPClassUID="1.2.840.10008.5.1.4.1.1.2", Modality="CT")
        assert confirm(made, other) == "S1_v00_ct"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("- (0010,0030)\n", "makeSessionLabel"),
        ('session := "fixed"\n(0010,0020) := session\n', "makeSessionLabel"),
        (
            'session := makeSessionLabel[format["{0}_#", (0008,0060)]]\n(0010,0020) := session\n',
            "needs-object",
        ),
        ('session := makeSessionLabel["a b#"]\n(0010,0020) := session\n', "characters"),
        (f'session := makeSessionLabel["{"x" * 64}#"]\n(0010,0020) := session\n', "64 characters"),
        ('session := makeSessionLabel[format["{0}_#", visit]]\n(0010,0020) := session\n', "visit"),
        ('label := makeSessionLabel["S_#"]\nsession := format["{0}x", label]\n', "another session"),
    ],
)
def test_a_script_that_makes_no_label_that_can_be_used_is_told_and_changes_nothing(
    tmp_path: Path, script: str, reason: str
) -> None:
    with review_site(tmp_path, script) as made:
        made.ready(study(1, PatientID="S_0x"))
        session_id = session_of(made)
        before = made.record(session_id), made.history(session_id)
        assert proposed(made, session_id) is None
        plan = plan_archive(made.site, session_id, session=AUTO)
        assert plan.proposed_session is None and plan.labels["session"] is None
        assert isinstance(plan.refusal, StateRefusedError)
        for take in (confirm, archive):
            with pytest.raises(StateRefusedError, match=reason):
                take(made, session_id)
        assert (made.record(session_id), made.history(session_id)) == before


def test_where_no_script_runs_there_is_no_label(tmp_path: Path) -> None:
    with review_site(tmp_path, TRAINING) as made:
        raw = made.ready(study(1), anonymize=False)
        unassigned = made.ready(study(1, project="nowhere"))
        without = made.ready(study(1, project="P2"))
        for session_id, reason in ((raw, "no script ever"), (unassigned, "no project"), (without, "P2")):
            assert proposed(made, session_id) is None
            with pytest.raises(StateRefusedError, match=reason):
                confirm(made, session_id)
        assert archive(made, unassigned, project="P1", subject="S1") == "S1_v00_mr"


def test_a_missing_value_is_named_and_never_a_placeholder(tmp_path: Path) -> None:
    hidden = '(0010,0010) := "ANON"\n'
    with review_site(tmp_path, TRAINING, script=hidden) as made:
        session_id = made.ready(study(1))
        assert str(made.record(session_id).subject).startswith("subject_")
        assert proposed(made, session_id) is None
        with pytest.raises(StateRefusedError, match="--subject"):
            confirm(made, session_id)
        with pytest.raises(StateRefusedError, match="subject"):
            archive(made, session_id)
        assert confirm(made, session_id, subject="S1") == "S1_v00_mr"


def test_the_modality_of_a_session_that_is_not_complete_is_not_guessed(tmp_path: Path) -> None:
    with review_site(tmp_path, TRAINING) as made:
        session_id = made.arrive(study(1))
        assert proposed(made, session_id) is None
        made.set_session(session_id, state=SessionState.CONFLICT)
        with pytest.raises(StateRefusedError, match="rebuild"):
            confirm(made, session_id)


def test_a_script_with_mistakes_is_no_matter_for_the_views(tmp_path: Path) -> None:
    with review_site(tmp_path, TRAINING, projects={"P1": {"anonymize": True}}) as made:
        session_id = session_of(made)
        made.script_path.unlink()
        assert proposed(made, session_id) is None
        with pytest.raises(ConfigurationProblemError):
            confirm(made, session_id)


def test_a_failed_archiving_gives_its_label_back(tmp_path: Path) -> None:
    failing = TRAINING + '(0020,0013) = "1" : (0008,0018) := "not a uid"\n'
    with review_site(tmp_path, failing) as made:
        session_id = session_of(made)
        with pytest.raises(ArchiveScriptError):
            archive(made, session_id)
        assert made.record(session_id).label == "PID-1"
        assert proposed(made, session_of(made)) == "S1_v00_mr"


# Two at once


def test_a_label_that_somebody_takes_before_archiving_begins_is_not_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = archive_staging.treatment_for
    with review_site(tmp_path, TRAINING) as made:
        first, second = session_of(made), session_of(made)
        rivals = [second]

        def rival_takes_it(*arguments: Any) -> Any:
            if rivals:
                confirm(made, rivals.pop())
            return original(*arguments)

        monkeypatch.setattr(archive_staging, "treatment_for", rival_takes_it)
        assert archive(made, first) == "S1_v01_mr"
        assert made.record(second).label == "S1_v00_mr"
        assert made.datasets_of(first)[0].PatientID == "S1_v01_mr"


def test_a_person_who_agreed_to_a_label_gets_no_other(tmp_path: Path) -> None:
    with review_site(tmp_path, TRAINING) as made:
        first, second = session_of(made), session_of(made)
        confirm(made, second)
        before = made.record(first)
        with pytest.raises(StateRefusedError, match="S1_v00_mr meanwhile; the next one is S1_v01_mr"):
            archive(made, first, session=AutoLabel("S1_v00_mr"))
        assert made.record(first) == before
        assert archive(made, first, session=AutoLabel("S1_v01_mr")) == "S1_v01_mr"


def test_the_label_of_a_session_that_is_just_being_archived_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with review_site(tmp_path, TRAINING) as made:
        first, second = made.ready(study(1, project="nowhere", PatientName="S1")), session_of(made)
        original = made.site.files.move_folder
        seen: list[str] = []

        def moving(source: str, target: str) -> None:
            if target.startswith("archive/"):
                seen.append(confirm(made, second))
            original(source, target)

        monkeypatch.setattr(made.site.files, "move_folder", moving)
        assert archive(made, first, project="P1") == "S1_v00_mr"
        assert seen == ["S1_v01_mr"]


def test_the_label_is_chosen_and_written_in_one_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one has looked for a free label and not yet written it, another cannot look."""
    with review_site(tmp_path, TRAINING) as made, Site.open(made.settings, clock=made.clock) as other:
        first, second = session_of(made), session_of(made)
        original = review.taken_labels
        rival = threading.Thread(
            target=lambda: labels.confirm(other, second, session=AUTO, who="berta"), daemon=True
        )
        looks: list[int] = []

        def slow(connection: Any, project: str, session_id: int) -> set[str]:
            taken = original(connection, project, session_id)
            looks.append(session_id)
            if looks.count(first) == 2 and not rival.ident:  # the second look is the one that counts
                rival.start()
                rival.join(0.5)
            return taken

        monkeypatch.setattr(review, "taken_labels", slow)
        assert confirm(made, first) == "S1_v00_mr"
        rival.join(30)
        assert made.record(second).label == "S1_v01_mr"


def test_many_who_label_and_archive_at_once_get_labels_of_their_own(tmp_path: Path) -> None:
    count = 6
    with review_site(tmp_path, TRAINING) as made:
        numbers = [session_of(made, PatientID=f"E{number}") for number in range(2 * count)]
        together = threading.Barrier(count)

        def work(mine: list[int]) -> list[str]:
            with Site.open(made.settings, clock=made.clock) as site:
                together.wait(30)
                taken = [labels.confirm(site, mine[0], session=AUTO, who="anna").session]
                row = archive_session(site, mine[1], session=AUTO, who="anna", confirm=True)
                return [*taken, row.session]

        with ThreadPoolExecutor(count) as pool:
            results = list(pool.map(work, [numbers[start::count] for start in range(count)]))
        given = sorted(label for result in results for label in result)
        assert given == [f"S1_v{number:02d}_mr" for number in range(2 * count)]
