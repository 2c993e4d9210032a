"""The table of states, cell by cell."""

from __future__ import annotations

import itertools

import pytest

from prearchive.db import queries
from prearchive.errors import StateRefusedError
from prearchive.states import BUSY_STATES, TRANSITIONS, SessionEvent, SessionState, next_state

# One row a state, one column an event; "." means refused.
# fmt: off
EVENTS = [
    "instance_stored", "conflict_found", "went_quiet", "rebuild", "built", "label", "move", "moved",
    "archive_requested", "archived", "failed", "delete", "deleted", "restored",
]
# fmt: on
TABLE = """
RECEIVING RECEIVING CONFLICT BUILDING BUILDING .     .        .      .     .         .        .     DELETING .       .
READY     RECEIVING CONFLICT .        BUILDING .     READY    MOVING .     ARCHIVING .        .     DELETING .       .
CONFLICT  RECEIVING CONFLICT BUILDING BUILDING .     CONFLICT .      .     ARCHIVING .        .     DELETING .       .
ERROR     RECEIVING CONFLICT .        BUILDING .     .        .      .     .         .        .     DELETING .       .
BUILDING  .         CONFLICT .        .        READY .        .      .     .         .        ERROR .        .       READY
ARCHIVING .         CONFLICT .        .        .     .        .      .     .         ARCHIVED ERROR .        DELETED READY
MOVING    .         .        .        .        .     .        .      READY .         .        ERROR .        .       READY
DELETING  .         .        .        .        .     .        .      .     .         .        ERROR .        DELETED READY
ARCHIVED  .         .        .        .        .     .        .      .     .         .        .     .        .       .
DELETED   .         .        .        .        .     .        .      .     .         .        .     .        .       READY
"""  # noqa: E501
CELLS = [
    (SessionState(state), SessionEvent(event), target)
    for state, *targets in (line.split() for line in TABLE.strip().splitlines())
    for event, target in zip(EVENTS, targets, strict=True)
]


def test_the_table_of_this_test_has_every_cell() -> None:
    assert {(state, event) for state, event, _ in CELLS} == set(itertools.product(SessionState, SessionEvent))


@pytest.mark.parametrize(("state", "event", "target"), CELLS)
def test_each_event_leads_where_it_should_or_is_refused(
    state: SessionState, event: SessionEvent, target: str
) -> None:
    if target != ".":
        assert next_state(state, event) is SessionState(target)
        return
    with pytest.raises(StateRefusedError) as caught:
        next_state(state, event)
    assert state.value in str(caught.value)
    assert ":" in str(caught.value)  # what to do instead


def test_an_undone_operation_goes_back_to_where_it_came_from() -> None:
    for state in (SessionState.RECEIVING, SessionState.READY, SessionState.CONFLICT, SessionState.ERROR):
        assert next_state(SessionState.BUILDING, SessionEvent.RESTORED, back_to=state) is state
    for state in (SessionState.MOVING, SessionState.ARCHIVED, SessionState.DELETED):
        with pytest.raises(StateRefusedError):
            next_state(SessionState.DELETED, SessionEvent.RESTORED, back_to=state)
    assert (
        next_state(SessionState.BUILDING, SessionEvent.BUILT, back_to=SessionState.ERROR)
        is SessionState.READY
    )


def test_the_busy_states_take_no_instances_and_are_those_of_the_queries() -> None:
    for state in BUSY_STATES:
        assert (state, SessionEvent.INSTANCE_STORED) not in TRANSITIONS
    assert set(queries.BUSY_STATES) == BUSY_STATES
    taking = {state for state, event in TRANSITIONS if event is SessionEvent.INSTANCE_STORED}
    assert set(queries.OPEN_STATES) == taking
