from __future__ import annotations

import pytest

from receiver.allow import AllowList, plain_address


def test_without_a_list_everybody_may_connect() -> None:
    assert AllowList(None).allows("ANY", "203.0.113.9")


def test_an_empty_list_lets_nobody_connect() -> None:
    assert not AllowList([]).allows("ANY", "127.0.0.1")


@pytest.mark.parametrize(
    ("item", "ae_title", "address", "is_allowed"),
    [
        ("SCANNER1", "SCANNER1", "192.0.2.1", True),
        ("SCANNER1", "scanner1", "192.0.2.1", False),
        ("SCANNER1", "SCANNER", "192.0.2.1", False),
        ("192.0.2.1", "ANY", "192.0.2.1", True),
        ("192.0.2.1", "ANY", "192.0.2.2", False),
        ("10.0.0.0/8", "ANY", "10.250.1.2", True),
        ("10.0.0.0/8", "ANY", "11.0.0.1", False),
        ("10.1.2.3/8", "ANY", "10.9.9.9", True),
        ("S2@10.1.2.3", "S2", "10.1.2.3", True),
        ("S2@10.1.2.3", "S2", "10.1.2.4", False),
        ("S2@10.1.2.3", "S3", "10.1.2.3", False),
        ("S2@10.0.0.0/8", "S2", "10.7.7.7", True),
        ("S2@10.0.0.0/8", "S2", "127.0.0.1", False),
        ("2001:db8::/32", "ANY", "2001:db8::7", True),
        ("2001:db8::/32", "ANY", "10.0.0.1", False),
        ("10.0.0.0/8", "ANY", "::ffff:10.0.0.1", True),
        ("fe80::1", "ANY", "fe80::1%eth0", True),
    ],
)
def test_an_item_is_an_ae_title_an_address_a_network_or_both(
    item: str, ae_title: str, address: str, is_allowed: bool
) -> None:
    assert AllowList([item]).allows(ae_title, address) is is_allowed


def test_one_matching_item_is_enough() -> None:
    allowed = AllowList(["A@10.0.0.1", "B", "192.0.2.0/24"])
    assert allowed.allows("B", "203.0.113.1")
    assert allowed.allows("X", "192.0.2.77")
    assert not allowed.allows("A", "203.0.113.1")


def test_addresses_are_written_without_scope_and_ipv4_as_ipv4() -> None:
    assert plain_address("::ffff:192.0.2.1") == "192.0.2.1"
    assert plain_address("fe80::1%eth0") == "fe80::1"
