from __future__ import annotations

from receiver.limits import SPARE_CONNECTIONS_PER_ADDRESS, Admission


def enter(admission: Admission, address: str) -> bool:
    return admission.enter_association(address, max_associations=3, per_address=2)


def test_one_address_cannot_take_all_places() -> None:
    admission = Admission()
    assert [enter(admission, "10.0.0.1") for _ in range(3)] == [True, True, False]
    assert enter(admission, "10.0.0.2")


def test_all_addresses_together_are_bounded() -> None:
    admission = Admission()
    assert [enter(admission, f"10.0.0.{host}") for host in range(4)] == [True, True, True, False]


def test_a_place_that_is_given_back_can_be_taken_again() -> None:
    admission = Admission()
    enter(admission, "10.0.0.1")
    enter(admission, "10.0.0.1")
    admission.leave_association("10.0.0.1")
    assert enter(admission, "10.0.0.1")
    assert not enter(admission, "10.0.0.1")


def test_connections_have_spare_places_for_those_that_will_be_refused() -> None:
    admission = Admission()
    taken = 0
    while admission.enter_connection("10.0.0.1", max_associations=3, per_address=2):
        taken += 1
    assert taken == 2 + SPARE_CONNECTIONS_PER_ADDRESS
    admission.leave_connection("10.0.0.1")
    assert admission.enter_connection("10.0.0.1", max_associations=3, per_address=2)
