from __future__ import annotations

import pytest

from prearchive.incoming import FailureReason, Outcome, OutcomeKind
from receiver.status import MAX_COMMENT_CHARACTERS, Status, comment_for, for_outcome

DELIBERATE = [
    OutcomeKind.STORED,
    OutcomeKind.CONFLICTING,
    OutcomeKind.DUPLICATE,
    OutcomeKind.FILTERED,
    OutcomeKind.REJECTED,
]
LATER = [
    FailureReason.DISK_FULL,
    FailureReason.OUT_OF_RESOURCES,
    FailureReason.DATABASE_AWAY,
    FailureReason.SHUTTING_DOWN,
]


@pytest.mark.parametrize("kind", DELIBERATE)
def test_what_was_stored_or_discarded_on_purpose_is_success(kind: OutcomeKind) -> None:
    assert for_outcome(Outcome(kind)) == 0x0000
    assert comment_for(Outcome(kind)) == ""


@pytest.mark.parametrize("reason", [None, *LATER, FailureReason.CANNOT_PARSE])
def test_try_again_is_always_out_of_resources(reason: FailureReason | None) -> None:
    outcome = Outcome(OutcomeKind.TRY_AGAIN, reason)
    assert for_outcome(outcome) == 0xA700
    assert comment_for(outcome)


def test_differing_sop_instance_uids_are_a900() -> None:
    assert for_outcome(Outcome(OutcomeKind.FAILED, FailureReason.SOP_INSTANCE_UID_MISMATCH)) == 0xA900


def test_every_other_failure_has_a_code_of_its_own_in_c0xx() -> None:
    others = [reason for reason in FailureReason if reason not in LATER]
    others.remove(FailureReason.SOP_INSTANCE_UID_MISMATCH)
    codes = [for_outcome(Outcome(OutcomeKind.FAILED, reason)) for reason in others]
    assert len(set(codes)) == len(codes)
    assert all(code >> 8 == 0xC0 for code in codes)


@pytest.mark.parametrize("reason", LATER)
def test_trouble_of_the_site_is_never_blamed_on_the_object(reason: FailureReason) -> None:
    assert for_outcome(Outcome(OutcomeKind.FAILED, reason)) is Status.OUT_OF_RESOURCES


def test_a_failure_without_a_reason_is_internal() -> None:
    assert for_outcome(Outcome(OutcomeKind.FAILED)) is Status.INTERNAL


@pytest.mark.parametrize("reason", list(FailureReason))
def test_comments_of_failures_are_short_constant_and_never_empty(reason: FailureReason) -> None:
    comment = comment_for(Outcome(OutcomeKind.FAILED, reason, sop_instance_uid="1.2.3", script_line=4))
    assert 0 < len(comment) <= MAX_COMMENT_CHARACTERS
    assert comment.isascii()
    assert "1.2.3" not in comment and "/" not in comment
