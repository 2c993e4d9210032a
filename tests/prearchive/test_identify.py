"""Which project, subject and session an object belongs to, and what the guard lets pass."""

from __future__ import annotations

from typing import Any

import pytest
from builders import encode_dataset, make_dataset

from anon.encoding.elements import EXPLICIT_LITTLE, DataSet
from prearchive.identify import Identification, LabelSource, find_assigned, guard_labels, identify
from prearchive.incoming import ReceiverRouting
from prearchive.keys import SiteKeys

PROJECTS = {"P1": "P1", "Four": "P4", "P4": "P4", "Study of knees": "P1", "ACC7": "P4"}
KEYS = SiteKeys(b"k" * 32)


def scanned(**elements: Any) -> DataSet:
    return DataSet.scan(encode_dataset(make_dataset(**elements)), EXPLICIT_LITTLE)


def identified(
    receiver: ReceiverRouting | None = None, site: ReceiverRouting | None = None, **elements: Any
) -> Identification:
    elements.setdefault("StudyDescription", "Nothing known")
    return identify(
        scanned(**elements), receiver_rules=receiver, site_rules=site, resolve_project=PROJECTS.get
    )


# The rows of XNAT's comment syntax; "" means no value.
COMMENTS = [
    ("Project:P1 Subject:S1 Session:E1", "P1", "S1", "E1", ""),
    ("Project:P1,Subject:S1;Session:E1", "P1", "S1", "E1", ""),
    ("project : P1  SUBJECT:S1 session :E1", "P1", "S1", "E1", ""),
    ("AA:true Project:P1", "P1", "", "", "true"),
    ("Project:P1 AA:TRUE", "P1", "", "", "TRUE"),
    ("Hello Project:P1, thanks", "P1", "", "", ""),
    ("xProject:P1 Subject:S1", "", "S1", "", ""),
    ("Project:P 1 Subject:S1", "P", "S1", "", ""),
    ("Project:A.B Subject:S1", "", "S1", "", ""),
    ("Project: Subject:S1 Session:E1", "", "S1", "E1", ""),
    ("Subject:S1/Session:E1", "", "", "", ""),
    ("Project:P1 Project:P2", "P1", "", "", ""),
    ("x Project:P1 Project:P2", "P2", "", "", ""),
    ("Project:P1\nSubject:S1", "P1", "S1", "", ""),
    ("Project:Ünï Subject:S1", "", "S1", "", ""),
    # Where XNAT stops at line ends, and this does not:
    ("Project:P1\nSubject:S1\nSession:E1", "P1", "S1", "E1", ""),
    ("Project:P1\r\nSubject:S1\r\nSession:E1\r\nAA:f", "P1", "S1", "E1", "f"),
    ("Words.\r\n\r\nSubject:S1\r\n", "", "S1", "", ""),
    ("Session:a-b_C", "", "", "a-b_C", ""),
    ("", "", "", "", ""),
]


@pytest.mark.parametrize(("comment", "project", "subject", "session", "aa"), COMMENTS)
def test_comments_are_read_as_xnat_reads_them_and_across_line_ends(
    comment: str, project: str, subject: str, session: str, aa: str
) -> None:
    found = [find_assigned(comment, key) or "" for key in ("project", "subject", "session", "aa")]
    assert found == [project, subject, session, aa]


def test_a_hostile_comment_costs_no_time() -> None:
    assert find_assigned("Project:" + "a" * 50_000 + "." + " Project" * 5_000, "project") is None
    assert find_assigned("Project" + " " * 100_000 + ".", "project") is None


def test_without_any_hint_the_defaults_apply() -> None:
    found = identified(PatientName=None, PatientID=None)
    assert (found.project, found.subject, found.session) == (None, None, "dicom_upload")
    assert (found.subject_source, found.session_source) == (LabelSource.NONE, LabelSource.NONE)
    assert found.auto_archive is None


def test_name_and_id_of_the_patient_are_the_default_labels() -> None:
    found = identified(PatientName="Müller^Ö", PatientID="A/1")
    assert (found.subject, found.session) == ("M_ller__", "A_1")
    assert found.subject_source is found.session_source is LabelSource.DEFAULT


def test_text_is_decoded_by_its_character_set() -> None:
    latin = scanned(SpecificCharacterSet="ISO_IR 100", PatientName="Müller")
    found = identify(latin, receiver_rules=None, site_rules=None, resolve_project=PROJECTS.get)
    assert found.subject == "M_ller"


def test_the_four_questions_are_answered_independently() -> None:
    found = identified(
        PatientComments="Subject:S1",
        StudyComments="Session:E1 Subject:S2",
        AdditionalPatientHistory="Project:Four AA:t",
        StudyDescription="P1",
    )
    assert (found.project, found.subject, found.session, found.auto_archive) == ("P4", "S1", "E1", True)


def test_an_unknown_project_is_passed_over() -> None:
    found = identified(
        PatientComments="Project:Nobody", StudyComments="Project:None", StudyDescription="Study of knees"
    )
    assert found.project == "P1"
    assert identified(StudyDescription="nope", AccessionNumber="ACC7").project == "P4"
    assert identified(PatientComments="Project:p1").project is None  # exact case


def test_rules_of_the_receiver_beat_rules_of_the_site_and_both_beat_comments() -> None:
    site = ReceiverRouting(
        project=["(0020,000D):(.*):1 t:.+ r:P1"],
        subject=["(0010,0020):(PID).*"],
        session=["(0010,0020):.*-(.*)"],
    )
    receiver = ReceiverRouting(project=["", "(0020,000D):(.*):1 t:.+ r:P4"], subject=["(0010,0040):(F)"])
    found = identified(receiver, site, PatientComments="Project:P1 Subject:S9 Session:E9")
    assert (found.project, found.subject, found.session) == ("P4", "PID", "1")
    assert found.project_origin == "receiver rule 2"
    assert found.subject_choice.origin == "site rule 1"
    assert found.subject_source is LabelSource.GIVEN


def test_a_rule_that_names_an_unknown_project_lets_the_next_one_try() -> None:
    rules = ReceiverRouting(
        project=["(0010,0020):(.*)", "(0010,0020):(.*):1 t:.+ r:Four"], subject=["(0010,0040):(.*)"]
    )
    found = identified(rules)
    assert (found.project, found.subject) == ("P4", "Doe_Jane")


@pytest.mark.parametrize(
    ("comments", "expected"),
    [
        (("AA:t", "AA:f"), True),
        (("AA:maybe", "AA:FALSE"), False),
        (("AA:maybe", "AA:"), None),
        (("AA:True", ""), True),
    ],
)
def test_the_first_opinion_on_archiving_counts(comments: tuple[str, str], expected: bool | None) -> None:
    found = identified(PatientComments=comments[0], StudyComments=comments[1])
    assert found.auto_archive is expected


def test_given_labels_are_cleaned_and_cut_but_never_replaced() -> None:
    rules = ReceiverRouting(subject=["(0010,0010):(.*)"], session=["(0010,4000):(.*)"])
    found = identified(rules, PatientComments="a.b" * 50)
    guarded = guard_labels(found, scanned(PatientName="Anon"), KEYS, "guarded")
    assert guarded.subject == "Doe_Jane"
    assert guarded.session == ("a_b" * 50)[:64]
    assert guarded == found


def test_a_default_label_stays_while_the_stored_object_gives_it() -> None:
    found = identified()
    stored = scanned()
    assert guard_labels(found, stored, KEYS, "guarded") == found


@pytest.mark.parametrize("stored_name", [None, "", "Anonymous"])
def test_a_default_label_is_replaced_when_the_script_removed_or_changed_the_value(
    stored_name: str | None,
) -> None:
    found = identified()
    stored = scanned(PatientName=stored_name, PatientID="other")
    guarded = guard_labels(found, stored, KEYS, "guarded")
    assert guarded.subject == f"subject_{KEYS.label_suffix('Doe^Jane')}"
    assert guarded.session == f"session_{KEYS.label_suffix('PID-1')}"
    assert guarded.subject_source is guarded.session_source is LabelSource.KEYED
    assert "Doe" not in repr(guarded)
    assert guard_labels(identified(), stored, KEYS, "guarded") == guarded
    assert guard_labels(found, stored, KEYS, "as-received") == found


def test_each_label_is_guarded_by_itself() -> None:
    guarded = guard_labels(identified(), scanned(PatientID="x"), KEYS, "guarded")
    assert guarded.subject == "Doe_Jane"
    assert guarded.session_source is LabelSource.KEYED


def test_what_was_received_does_not_show_in_a_printed_identification() -> None:
    found = identified(PatientName="Secret^Name")
    assert "Secret^Name" not in repr(found)
