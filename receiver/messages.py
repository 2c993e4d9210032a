"""DIMSE messages on the wire: command sets (PS3.7 section 6.3) and P-DATA-TF PDUs (PS3.8 section 9.3.5).

Command sets are always Implicit VR Little Endian and flat, so they need no general parser; and reading P-DATA
here rather than through an object for each PDU is most of what makes receiving fast.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple, Protocol

from receiver.errors import ProtocolViolationError

NO_DATA_SET = 0x0101  # (0000,0800) of a message without one
MAX_COMMAND_BYTES = 16 * 1024  # real ones have some 200 bytes
MAX_UID_BYTES = 64
P_DATA = 0x04  # PDU type
_PDU_HEADER = struct.Struct(">BxI")
_PDV_HEADER = struct.Struct(">IBB")
_ELEMENT_HEADER = struct.Struct("<HHI")
_COMMAND_FRAGMENT = 0x01  # bits of the message control header, PS3.8 section E.2
_LAST_FRAGMENT = 0x02


class Tag(IntEnum):
    """The elements of command sets used here (PS3.7 annex E); the group is 0000."""

    COMMAND_GROUP_LENGTH = 0x0000
    AFFECTED_SOP_CLASS_UID = 0x0002
    COMMAND_FIELD = 0x0100
    MESSAGE_ID = 0x0110
    MESSAGE_ID_BEING_RESPONDED_TO = 0x0120
    COMMAND_DATA_SET_TYPE = 0x0800
    STATUS = 0x0900
    ERROR_COMMENT = 0x0902
    AFFECTED_SOP_INSTANCE_UID = 0x1000


class Command(IntEnum):
    """Command Fields (PS3.7 annex E); a response has the highest bit set."""

    C_STORE_RQ = 0x0001
    C_ECHO_RQ = 0x0030
    C_CANCEL_RQ = 0x0FFF
    RESPONSE = 0x8000


class CommandSet:
    """A command set as received: element numbers and encoded values."""

    def __init__(self, elements: Mapping[int, bytes]) -> None:
        self._elements = elements

    @classmethod
    def decode(cls, encoded: bytes | bytearray) -> CommandSet:
        """Read an encoded command set.

        Raises:
            ProtocolViolationError: it is none, or lacks Command Field or Command Data Set Type.
        """
        elements: dict[int, bytes] = {}
        position = 0
        while position < len(encoded):
            if len(encoded) - position < _ELEMENT_HEADER.size:
                raise ProtocolViolationError("command set truncated")
            group, number, length = _ELEMENT_HEADER.unpack_from(encoded, position)
            position += _ELEMENT_HEADER.size
            if group != 0 or length > len(encoded) - position:
                raise ProtocolViolationError("command set malformed")
            elements[number] = bytes(encoded[position : position + length])
            position += length
        command_set = cls(elements)
        if command_set._find_number(Tag.COMMAND_FIELD) is None or not command_set._has_data_set_type:
            raise ProtocolViolationError("command set incomplete")
        return command_set

    @property
    def command_field(self) -> int:
        """Which service, and whether a request or a response."""
        return self._find_number(Tag.COMMAND_FIELD) or 0

    @property
    def message_id(self) -> int:
        """Message ID (0000,0110); 0 when absent."""
        return self._find_number(Tag.MESSAGE_ID) or 0

    @property
    def has_data_set(self) -> bool:
        """Whether a data set follows."""
        return self._find_number(Tag.COMMAND_DATA_SET_TYPE) != NO_DATA_SET

    def find_uid(self, tag: Tag) -> str | None:
        """Return a UID without its padding, None when absent or empty; not checked in any other way."""
        text = self._elements.get(tag, b"").strip(b" \0").decode("ascii", "replace")
        return text or None

    def response(self, status: int, comment: str = "") -> bytes:
        """Return the encoded response to this request (PS3.7 section 9.3.1.2 for C-STORE).

        Affected SOP Class and Instance UID go back as they came, unless they are too long to be UIDs.
        """
        elements = {
            Tag.COMMAND_FIELD: _number(self.command_field | Command.RESPONSE),
            Tag.MESSAGE_ID_BEING_RESPONDED_TO: _number(self.message_id),
            Tag.COMMAND_DATA_SET_TYPE: _number(NO_DATA_SET),
            Tag.STATUS: _number(status),
        }
        if comment:
            elements[Tag.ERROR_COMMENT] = _even(comment.encode("ascii"), b" ")
        for tag in (Tag.AFFECTED_SOP_CLASS_UID, Tag.AFFECTED_SOP_INSTANCE_UID):
            encoded_uid = self._elements.get(tag)
            if encoded_uid and len(encoded_uid) <= MAX_UID_BYTES:
                elements[tag] = _even(encoded_uid, b"\0")
        return encode_command(elements)

    @property
    def _has_data_set_type(self) -> bool:
        return self._find_number(Tag.COMMAND_DATA_SET_TYPE) is not None

    def _find_number(self, tag: Tag) -> int | None:
        encoded = self._elements.get(tag)
        return int.from_bytes(encoded, "little") if encoded is not None and len(encoded) == 2 else None


def encode_command(elements: Mapping[Tag, bytes]) -> bytes:
    """Return a command set with its group length, elements in ascending order."""
    body = b"".join(
        _ELEMENT_HEADER.pack(0, tag, len(elements[tag])) + elements[tag] for tag in sorted(elements)
    )
    return _ELEMENT_HEADER.pack(0, Tag.COMMAND_GROUP_LENGTH, 4) + struct.pack("<I", len(body)) + body


def command_pdus(context_id: int, encoded_command: bytes, max_pdu_length: int) -> bytes:
    """Return the P-DATA-TF PDUs of a command set; `max_pdu_length` is the peer's, 0 for unlimited."""
    room = len(encoded_command) if max_pdu_length == 0 else max(1, max_pdu_length - _PDV_HEADER.size)
    pdus = []
    for start in range(0, len(encoded_command), room):
        fragment = encoded_command[start : start + room]
        control = _COMMAND_FRAGMENT | (_LAST_FRAGMENT if start + room >= len(encoded_command) else 0)
        pdv = _PDV_HEADER.pack(len(fragment) + 2, context_id, control) + fragment
        pdus.append(_PDU_HEADER.pack(P_DATA, len(pdv)) + pdv)
    return b"".join(pdus)


class Message(NamedTuple):
    """A complete message. `encoded_dataset` is None when there is none, and when it was too large to hold."""

    context_id: int
    command: CommandSet
    encoded_dataset: bytearray | None
    is_too_large: bool = False


class ByteSource(Protocol):
    """Where the bytes come from: the socket."""

    def take(self, most: int) -> memoryview:
        """Return between 1 and `most` bytes, valid until the next call."""

    def take_exactly(self, count: int) -> memoryview:
        """Return `count` (few) bytes, valid until the next call."""


class MessageCollector:
    """Puts messages together from the fragments of P-DATA-TF PDUs (PS3.8 annex E).

    A data set beyond `max_object_bytes` is no longer kept; what follows of it is read and dropped, so that
    the request can still be answered, but no more than `max_object_bytes` once again.
    """

    def __init__(self, max_object_bytes: int) -> None:
        self._max_object_bytes = max_object_bytes
        self._command_bytes = bytearray()
        self._command: CommandSet | None = None
        self._context_id = 0
        self._dataset = bytearray()
        self._received_bytes = 0

    @property
    def is_idle(self) -> bool:
        """Whether no message has begun."""
        return self._command is None and not self._command_bytes

    def read_pdu(self, source: ByteSource, length: int) -> list[Message]:
        """Read the body of one P-DATA-TF PDU of `length` bytes; return the messages it completes.

        Raises:
            ProtocolViolationError: the fragments make no message.
        """
        complete = []
        while length:
            if length < _PDV_HEADER.size:
                raise ProtocolViolationError("presentation data value truncated")
            pdv_length, context_id, control = _PDV_HEADER.unpack(source.take_exactly(_PDV_HEADER.size))
            size = pdv_length - 2
            length -= _PDV_HEADER.size + size
            if size < 0 or length < 0:
                raise ProtocolViolationError("presentation data value longer than its PDU")
            message = self._read_fragment(source, context_id, control, size)
            if message is not None:
                complete.append(message)
        return complete

    def _read_fragment(self, source: ByteSource, context_id: int, control: int, size: int) -> Message | None:
        if not self.is_idle and context_id != self._context_id:
            raise ProtocolViolationError("presentation context changed inside a message")
        self._context_id = context_id
        if control & _COMMAND_FRAGMENT:
            self._read_command_fragment(source, size)
        else:
            self._read_dataset_fragment(source, size)
        if not control & _LAST_FRAGMENT:
            return None
        if control & _COMMAND_FRAGMENT:
            self._command = CommandSet.decode(self._command_bytes)
            self._command_bytes = bytearray()
            return None if self._command.has_data_set else self._complete(has_data_set=False)
        return self._complete(has_data_set=True)

    def _read_command_fragment(self, source: ByteSource, size: int) -> None:
        if self._command is not None:
            raise ProtocolViolationError("command fragment where the data set should be")
        if len(self._command_bytes) + size > MAX_COMMAND_BYTES:
            raise ProtocolViolationError("command set too long")
        while size:
            piece = source.take(size)
            self._command_bytes += piece
            size -= len(piece)

    def _read_dataset_fragment(self, source: ByteSource, size: int) -> None:
        if self._command is None:
            raise ProtocolViolationError("data set fragment without a command")
        self._received_bytes += size
        is_kept = self._received_bytes <= self._max_object_bytes
        if not is_kept:
            self._dataset = bytearray()
            if self._received_bytes > 2 * self._max_object_bytes:
                raise ProtocolViolationError("object too large to be read to its end")
        while size:
            piece = source.take(size)
            if is_kept:
                self._dataset += piece
            size -= len(piece)

    def _complete(self, *, has_data_set: bool) -> Message:
        assert self._command is not None
        is_too_large = self._received_bytes > self._max_object_bytes
        message = Message(
            self._context_id,
            self._command,
            self._dataset if has_data_set and not is_too_large else None,
            is_too_large,
        )
        self._command = None
        self._dataset = bytearray()
        self._received_bytes = 0
        return message


def _number(value: int) -> bytes:
    return struct.pack("<H", value)


def _even(value: bytes, padding: bytes) -> bytes:
    return value + padding if len(value) % 2 else value
