from __future__ import annotations

import struct
from io import BytesIO

import pytest
from receiving import CT, INSTANCE_UID, c_store_rq, command, elements_of, number, p_data

from receiver.errors import ProtocolViolationError
from receiver.messages import CommandSet, Message, MessageCollector, Tag, command_pdus


class Bytes:
    """A source that gives three bytes at most at a time."""

    def __init__(self, encoded: bytes) -> None:
        self.stream = BytesIO(encoded)

    def take(self, most: int) -> memoryview:
        return memoryview(self.stream.read(min(most, 3)))

    def take_exactly(self, count: int) -> memoryview:
        return memoryview(self.stream.read(count))


def collect(*pdus: bytes, limit: int = 1000) -> list[Message]:
    collector = MessageCollector(limit)
    messages = []
    for pdu in pdus:
        messages += collector.read_pdu(Bytes(pdu[6:]), len(pdu) - 6)
    return messages


def merged(*pdus: bytes) -> bytes:
    """One PDU with the presentation data values of several."""
    body = b"".join(pdu[6:] for pdu in pdus)
    return struct.pack(">BxI", 4, len(body)) + body


def test_a_message_may_come_in_any_number_of_fragments() -> None:
    request = c_store_rq()
    pdus = [p_data(1, 1, request[:10]), p_data(1, 3, request[10:])]
    pdus += [p_data(1, 0, b"abcde"), p_data(1, 0, b""), p_data(1, 2, b"fgh")]
    for sent in (pdus, [merged(*pdus)]):
        [message] = collect(*sent)
        assert message.context_id == 1
        assert bytes(message.encoded_dataset or b"") == b"abcdefgh"
        assert message.command.find_uid(Tag.AFFECTED_SOP_INSTANCE_UID) == INSTANCE_UID


def test_several_messages_may_share_a_pdu() -> None:
    store = [p_data(1, 3, c_store_rq()), p_data(1, 2, b"one")]
    assert [bytes(message.encoded_dataset or b"") for message in collect(merged(*store, *store))] == [
        b"one"
    ] * 2


def test_a_message_without_a_data_set_is_complete_with_its_command() -> None:
    [message] = collect(p_data(3, 3, c_store_rq(data_set_type=0x0101)))
    assert message.encoded_dataset is None and not message.is_too_large


def test_an_object_beyond_the_limit_is_read_to_its_end_but_not_kept() -> None:
    pdus = [p_data(1, 3, c_store_rq()), p_data(1, 0, bytes(80)), p_data(1, 2, bytes(80))]
    [message] = collect(*pdus, limit=100)
    assert message.is_too_large and message.encoded_dataset is None
    [kept] = collect(*pdus, limit=160)
    assert len(kept.encoded_dataset or b"") == 160


def test_an_object_without_end_is_given_up() -> None:
    with pytest.raises(ProtocolViolationError):
        collect(p_data(1, 3, c_store_rq()), *[p_data(1, 0, bytes(80))] * 3, limit=100)


@pytest.mark.parametrize(
    "pdus",
    [
        [p_data(1, 2, b"data set first")],
        [p_data(1, 3, c_store_rq()), p_data(1, 3, c_store_rq())],
        [p_data(1, 3, c_store_rq()), p_data(3, 2, b"other context")],
        [p_data(1, 1, bytes(20000))],
        [p_data(1, 3, b"\0\0")],
        [p_data(1, 3, command((0x0100, number(1))))],
        [p_data(1, 3, command((0x0100, b"\1"), (0x0800, number(0))))],
        [p_data(1, 3, struct.pack("<HHI", 0, 0x0100, 999) + b"\1\0")],
        [p_data(1, 3, struct.pack("<HHI", 8, 0x0100, 2) + b"\1\0")],
        [b"\4\0\0\0\0\3abc"],
        [b"\4\0\0\0\0\6" + struct.pack(">IBB", 99, 1, 3)],
        [b"\4\0\0\0\0\6" + struct.pack(">IBB", 1, 1, 3)],
    ],
)
def test_what_makes_no_message_is_a_violation(pdus: list[bytes]) -> None:
    with pytest.raises(ProtocolViolationError):
        collect(*pdus)


def test_a_response_names_the_request_and_the_object() -> None:
    response = CommandSet.decode(c_store_rq()).response(0xC000, "odd")
    found = elements_of((4, bytes(6) + response))
    assert found[0x0000] == struct.pack("<I", len(response) - 12)
    assert found[0x0100] == number(0x8001)
    assert found[0x0120] == number(7)
    assert found[0x0800] == number(0x0101)
    assert found[0x0900] == number(0xC000)
    assert found[0x0902] == b"odd "
    assert found[0x0002].rstrip(b"\0") == CT.encode()
    assert found[0x1000].rstrip(b"\0") == INSTANCE_UID.encode()
    assert list(found) == sorted(found)


def test_a_response_does_not_repeat_what_is_too_long_for_a_uid() -> None:
    found = elements_of((4, bytes(6) + CommandSet.decode(c_store_rq("9" * 65)).response(0)))
    assert 0x1000 not in found and 0x0902 not in found


@pytest.mark.parametrize("max_length", [0, 16384, 32, 8, 1])
def test_a_response_is_cut_to_the_length_the_peer_takes(max_length: int) -> None:
    encoded = CommandSet.decode(c_store_rq()).response(0)
    pdus, position, joined = command_pdus(5, encoded, max_length), 0, b""
    while position < len(pdus):
        _, length, pdv_length, context_id, control = struct.unpack_from(">BxIIBB", pdus, position)
        assert context_id == 5 and length == pdv_length + 4
        assert max_length < 8 or length <= max_length
        position += 6 + length
        assert control == (3 if position == len(pdus) else 1)
        joined += pdus[position - pdv_length + 2 : position]
    assert joined == encoded


def test_an_absent_or_empty_uid_is_none_and_an_odd_one_is_text() -> None:
    decoded = CommandSet.decode(
        command((0x0002, b""), (0x0100, number(1)), (0x0800, number(0)), (0x1000, b"\xff"))
    )
    assert decoded.find_uid(Tag.AFFECTED_SOP_CLASS_UID) is None
    assert decoded.find_uid(Tag.AFFECTED_SOP_INSTANCE_UID) == "\ufffd"
    assert decoded.message_id == 0
