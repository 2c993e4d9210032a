from __future__ import annotations

from pathlib import Path

import pytest
from builders import make_dataset
from command_line import CommandLineSite

TRAINING_SCRIPT = """\
(0008,1030) := project
(0010,0010) := subject
(0010,0020) := session
session := makeSessionLabel[format["{0}_v##_{1}", subject, lowercase[modalityLabel]]]
"""


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> CommandLineSite:
    """Session 1 of P4 and session 2 without project, both READY."""
    found = CommandLineSite(tmp_path_factory.mktemp("actions") / "site")
    found.receive(
        make_dataset(PatientName="Doe^Jane", PatientID="E1", StudyDescription="P4"),
        make_dataset(PatientName="Roe^Rick", PatientID="E2", StudyDescription="none"),
    )
    found.run("rebuild", "1", "2")
    return found


@pytest.fixture
def site(ready: CommandLineSite, tmp_path: Path) -> CommandLineSite:
    """A copy of that site."""
    return ready.copy(tmp_path / "site")


def status_of(site: CommandLineSite, number: int) -> str:
    return str(site.json("show", str(number))["status"])


def terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Let a person sit there who answers every question like this."""
    monkeypatch.setattr("cli.actions.is_interactive", lambda: True)
    monkeypatch.setattr("cli.actions.read_answer", lambda: answer)


def test_rebuild_completes_sessions_at_once(site: CommandLineSite) -> None:
    rows = site.json("rebuild", "E1", "2")
    assert [(row["id"], row["status"]) for row in rows] == [(1, "READY"), (2, "READY")]


def test_a_batch_goes_on_and_ends_with_the_highest_code(site: CommandLineSite) -> None:
    result = site.run("--json", "rebuild", "nothing", "1", code=4)
    assert '"id": 1' in result.stdout
    assert "nothing" in result.stderr
    site.run("move", "1", "99", "--project", "P4", code=5)  # 1 is in P4 already; 5 beats 4


def test_move_takes_a_session_out_of_unassigned(site: CommandLineSite) -> None:
    (row,) = site.json("move", "2", "--project", "Four", "--as", "Dr. Müller")
    assert row["project"] == "P4"
    assert site.json("show", "2")["history"][-1]["who"] == "Dr. Müller"
    site.run("move", "2", "--project", "NOPE", code=4)


def test_label_sets_and_confirms(site: CommandLineSite) -> None:
    row = site.json("label", "1", "--subject", "S1", "--session", "S1_MR", "--as", "me")
    assert (row["subject"], row["session"]) == ("S1", "S1_MR")
    assert site.json("show", "1")["confirmed_by"] == "me"
    assert "S1_MR" in site.run("label", "1").stdout
    assert "'/'" in site.run("label", "1", "--session", "a/b", code=2).stderr
    assert "confirmed by" in site.run("show", "1").stdout


def test_delete_needs_a_yes_and_restore_brings_back(
    site: CommandLineSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--yes" in site.run("delete", "1", code=2).stderr
    assert status_of(site, 1) == "READY"
    terminal(monkeypatch, "n")
    site.run("delete", "1", code=2)
    assert status_of(site, 1) == "READY"
    terminal(monkeypatch, "Y\n")
    result = site.run("delete", "1", "2")
    assert "Put 2 sessions into the trash (1, 2)?" in result.stderr
    assert site.json("list") == []
    assert {row["id"] for row in site.json("list", "--trash")} == {1, 2}
    assert "trash" in site.run("show", "1", code=4).stderr
    assert site.json("restore", "1", "2")[0]["status"] == "READY"
    site.run("restore", "1", code=4)
    site.json("delete", "1", "--yes")
    site.run("delete", "99", code=4)


def test_archiving_needs_a_yes(site: CommandLineSite) -> None:
    assert "--yes" in site.run("archive", "1", code=2).stderr
    assert status_of(site, 1) == "READY"


def test_an_answered_prompt_confirms_the_labels(
    site: CommandLineSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(monkeypatch, "n")
    site.run("archive", "1", code=2)
    terminal(monkeypatch, "yes")
    result = site.run("archive", "1", "--as", "reviewer")
    assert "Doe_Jane" in result.stderr
    assert site.json("archived", "show", "E1")["confirmed_by"] == "reviewer"


def test_archiving_runs_the_projects_script_with_the_new_labels(site: CommandLineSite) -> None:
    row = site.json("archive", "1", "--subject", "S01", "--session", "S01_v01_mr", "--yes")
    assert (row["status"], row["subject"], row["session"]) == ("ARCHIVED", "S01", "S01_v01_mr")
    values = {row["path"]: row["value"] for row in site.json("archived", "tags", "S01_v01_mr")}
    assert (values["(0008,1030)"], values["(0010,0010)"], values["(0010,0020)"]) == (
        "P4",
        "S01",
        "S01_v01_mr",
    )
    assert site.json("archived", "list")[0]["id"] == row["id"]
    assert site.json("archived", "files", "S01_v01_mr")[0]["path"].startswith("archive/P4/S01/S01_v01_mr/")
    assert "ARCHIVED" in site.run("archived", "list").stdout
    assert "S01" in site.run("archived", "show", "S01_v01_mr").stdout


def test_a_dry_run_shows_and_changes_nothing(site: CommandLineSite) -> None:
    before = site.json("show", "1")
    plan = site.json("archive", "1", "--dry-run", "--subject", "S01")
    assert set(plan) == {"labels", "notices", "changes", "messages", "proposed_session"}
    assert plan["labels"] == {"project": "P4", "subject": "S01", "session": "E1"}
    assert {"code", "kind", "text"} <= set(plan["notices"][0])
    changed = {change["path"]: (change["before"], change["after"]) for change in plan["changes"]}
    assert changed["(0010,0010)"] == ("Doe^Jane", "S01")
    text = site.run("archive", "1", "--dry-run", "--subject", "S01").stdout
    assert "(0010,0010)" in text
    assert site.json("show", "1") == before


def test_a_dry_run_of_what_would_be_refused_is_exit_code_5(site: CommandLineSite) -> None:
    plan = site.json("archive", "2", "--dry-run", code=5)
    assert plan["labels"]["project"] is None
    assert "Unassigned" in site.run("archive", "2", "--dry-run", code=5).stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("archive", "2", "--yes"), 5),
        (("archive", "2"), 5),
        (("archive", "2", "--project", "NOPE", "--yes"), 4),
        (("archive", "1", "--session", "a/b", "--yes"), 2),
        (("archive", "nothing", "--yes"), 4),
        (("archive", "1", "--overwrite", "perhaps", "--yes"), 2),
    ],
)
def test_what_cannot_be_archived_is_refused_and_left_alone(
    site: CommandLineSite, words: tuple[str, ...], code: int
) -> None:
    before = site.json("list")
    result = site.run(*words, code=code)
    assert result.stdout == ""
    assert result.stderr
    assert site.json("list") == before


def test_a_session_that_is_still_receiving_is_not_archived(site: CommandLineSite) -> None:
    site.receive(make_dataset(PatientName="A", PatientID="E3", StudyDescription="P4"))
    assert "RECEIVING" in site.run("archive", "E3", "--yes", code=5).stderr


def test_a_script_failure_at_archiving_is_exit_code_3(site: CommandLineSite) -> None:
    (site.folder / "anon" / "projects" / "P4.das").write_text("(0010,0010) := nobodySetThis\n")
    site.run("archive", "1", "--yes", code=3)
    assert status_of(site, 1) == "ERROR"


@pytest.fixture
def training(site: CommandLineSite) -> CommandLineSite:
    """The same site with XNAT's training script, which makes session labels, in P4."""
    (site.folder / "anon" / "projects" / "P4.das").write_text(TRAINING_SCRIPT)
    return site


def test_auto_takes_the_label_that_show_proposes(training: CommandLineSite) -> None:
    assert training.json("show", "1")["proposed_label"] == "Doe_Jane_v00_mr"
    assert "Doe_Jane_v00_mr (prearc label 1 --session auto)" in training.run("show", "1").stdout
    row = training.json("label", "1", "--subject", "S1", "--session", "auto")
    assert (row["subject"], row["session"]) == ("S1", "S1_v00_mr")
    shown = training.json("show", "1")
    assert (shown["proposed_label"], shown["history"][-1]["text"]) == (
        "S1_v00_mr",
        "subject S1, session S1_v00_mr (made by the project's script)",
    )
    assert "proposed" not in training.run("show", "1").stdout  # it has that label
    assert training.json("label", "1", "--session", "AUTO")["session"] == "S1_v00_mr"


def test_archiving_shows_the_proposed_label_and_takes_it_on_demand(
    training: CommandLineSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = training.json("archive", "1", "--dry-run", "--subject", "S1")
    assert (plan["labels"]["session"], plan["proposed_session"]) == ("E1", "S1_v00_mr")
    assert "S1_v00_mr (--session auto" in training.run("archive", "1", "--dry-run", "--subject", "S1").stdout
    plan = training.json("archive", "1", "--dry-run", "--subject", "S1", "--session", "auto")
    assert (plan["labels"]["session"], plan["proposed_session"]) == ("S1_v00_mr", "S1_v00_mr")
    assert {"(0010,0020)"} <= {change["path"] for change in plan["changes"]}
    terminal(monkeypatch, "n")
    assert "Doe_Jane_v00_mr (--session auto" in training.run("archive", "1", code=2).stderr
    terminal(monkeypatch, "y")
    result = training.run("archive", "1", "--subject", "S1", "--session", "auto")
    assert "session  S1_v00_mr" in result.stderr and "proposed" not in result.stderr
    archived = training.json("archived", "show", "S1_v00_mr")
    assert archived["proposed_label"] is None
    assert "session label made by the project's script" in archived["history"][-1]["text"]


def test_a_label_taken_while_the_person_looked_is_not_replaced_by_another(
    training: CommandLineSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    training.json("move", "2", "--project", "P4")
    monkeypatch.setattr("cli.actions.is_interactive", lambda: True)

    def answer() -> str:
        training.json("label", "2", "--subject", "Doe_Jane", "--session", "auto")
        return "y"

    monkeypatch.setattr("cli.actions.read_answer", answer)
    error = training.run("archive", "1", "--session", "auto", code=5).stderr
    assert "Doe_Jane_v00_mr meanwhile; the next one is Doe_Jane_v01_mr" in error
    assert status_of(training, 1) == "READY"
    assert training.json("archive", "1", "--session", "auto", "--yes")["session"] == "Doe_Jane_v01_mr"


@pytest.mark.parametrize(
    "command", [("label", "1"), ("archive", "1", "--yes"), ("archive", "1", "--dry-run")]
)
def test_auto_is_refused_in_words_when_the_script_makes_no_label(
    site: CommandLineSite, command: tuple[str, ...]
) -> None:
    before = site.json("show", "1")
    assert before["proposed_label"] is None
    error = site.run(*command, "--session", "auto", code=5).stderr
    assert "projects/P4.das makes none: it has no line `session := makeSessionLabel[...]`" in error
    assert site.json("show", "1") == before


def test_a_label_that_is_the_word_auto_can_be_given(training: CommandLineSite) -> None:
    assert training.json("label", "1", "--session", "label:auto")["session"] == "auto"
    assert training.json("label", "1", "--session", "label:E7")["session"] == "E7"
    training.run("label", "1", "--session", "label:a/b", code=2)
    assert "label:auto" in training.run("archive", "--help").stdout


def test_where_only_the_session_label_is_missing_auto_is_named(training: CommandLineSite) -> None:
    training.receive(make_dataset(PatientID="", PatientName="S1", StudyDescription="P4"))
    training.run("rebuild", "3")
    for words in (("archive", "3"), ("archive", "3", "--dry-run")):
        error = training.run(*words, code=5).stderr
        assert "--session auto" in error and "S1_v00_mr" in error
    assert training.json("archive", "3", "--session", "auto", "--yes")["session"] == "S1_v00_mr"


def test_auto_of_a_script_with_mistakes_is_exit_code_3(site: CommandLineSite) -> None:
    (site.folder / "anon" / "projects" / "P4.das").write_text("nonsense[\n")
    assert site.json("show", "1")["proposed_label"] is None
    before = site.json("list")
    for words in (("label", "1"), ("archive", "1", "--yes"), ("archive", "1", "--dry-run")):
        assert "projects/P4.das:1" in site.run(*words, "--session", "auto", code=3).stderr
    assert site.json("list") == before
