"""Single values as text."""

from __future__ import annotations

import pytest

from anon.encoding.elements import EXPLICIT_BIG, EXPLICIT_LITTLE, DataSet, Encoding
from prearchive.values import find_value

TAG = 0x00091001


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("LO", b" a b \\c ", "a b"),
        ("LO", b"  ", None),
        ("LO", b"", None),
        ("LT", b" a\\b\r\nc ", "a\\b\r\nc"),
        ("UI", b"1.2.3\0", "1.2.3"),
        ("UN", b"text", "text"),
        ("OB", b"text", None),
        ("US", b"\x01\x00", "1"),
        ("US", b"\x01\x00\x02\x00", "1"),
        ("SS", b"\xff\xff", "-1"),
        ("UL", b"\x01\x00", None),
        ("FL", b"\x00\x00\xc0\x3f", "1.5"),
        ("FD", b"\x00\x00\x00\x00\x00\x00\xf8\x3f", "1.5"),
        ("AT", b"\x10\x00\x0a\x00", "0010000A"),
    ],
)
def test_the_first_value_is_given_as_text(vr: str, value: bytes, expected: str | None) -> None:
    dataset = DataSet(encoding=EXPLICIT_LITTLE)
    dataset.put(TAG, vr, value)
    assert find_value(dataset, TAG) == expected


@pytest.mark.parametrize(("encoding", "expected"), [(EXPLICIT_BIG, "256"), (EXPLICIT_LITTLE, "1")])
def test_numbers_follow_the_byte_order(encoding: Encoding, expected: str) -> None:
    dataset = DataSet(encoding=encoding)
    dataset.put(TAG, "US", b"\x01\x00")
    assert find_value(dataset, TAG) == expected


def test_what_is_absent_has_no_value_and_a_sequence_neither() -> None:
    dataset = DataSet(encoding=EXPLICIT_LITTLE)
    dataset.put_sequence(0x00081140)
    dataset.new_item(0x00081140)
    assert find_value(dataset, TAG) is None
    assert find_value(dataset, 0x00081140) is None
