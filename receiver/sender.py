"""Sends files as DICOM Browser does: C-STORE of the encoded data sets exactly as they are in the files.

Nothing is decoded and encoded again, and nothing is transcoded: each file needs a presentation context of
its own SOP class and transfer syntax. pynetdicom's `send_c_store` would decode the data set, or else take the
UIDs of the file meta information for those of the object; hence the request is built here.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, cast

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_primitives import C_STORE, DimseServiceType
from pynetdicom.dsutils import split_dataset
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AssociationSocket

from anon.encoding.instance import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from receiver.contexts import VERIFICATION
from receiver.errors import CannotConnectError
from receiver.silence import silence_libraries

MAX_CONTEXTS = 128  # of one association: context IDs are the odd numbers up to 255
MAX_FAILURES = 2  # associations in a row that end without a single answer
MAX_UID_CHARACTERS = 64
_MEDIUM_PRIORITY = 0
_SOP_INSTANCE_UID = 0x00080018
_WARNINGS = frozenset({0x0001, 0x0107, 0x0116})  # PS3.7 annex C, beside 0xBxxx
_SLOWEST_BYTES_PER_SECOND = 1_000_000
_NOT_ACCEPTED = "the peer does not accept this SOP class in this transfer syntax"
_NOT_PRINTABLE = re.compile(r"[^ -~]")


class SendResult(StrEnum):
    """What became of a file."""

    SENT = "sent"  # status 0x0000, or a warning (0xBxxx, 0x0001, 0x0107, 0x0116)
    REFUSED = "refused"  # the peer answered with a failure
    SKIPPED = "skipped"  # no file that could be sent; nothing was tried
    FAILED = "failed"  # no answer, or no presentation context for it


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file and its fate.

    Attributes:
        path: the file.
        result: in a word.
        status: of the C-STORE response, None without one.
        sop_instance_uid: of the object, None where it could not be read.
        error: why not, None when it was sent; the peer's Error Comment when it gave one.
    """

    path: Path
    result: SendResult
    status: int | None = None
    sop_instance_uid: str | None = None
    error: str | None = None


class _Context(NamedTuple):
    sop_class_uid: str
    transfer_syntax_uid: str


class _Item(NamedTuple):
    path: Path
    context: _Context
    sop_instance_uid: str
    dataset_offset: int
    size: int


class _NothingAcceptedError(CannotConnectError):
    """The peer accepted the association but none of its presentation contexts."""


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files, and those below the folders, in the order of their names; no links below folders."""
    for path in paths:
        if path.is_dir():
            yield from find_files(sorted(child for child in path.iterdir() if not child.is_symlink()))
        else:
            yield path


def send_files(
    paths: Iterable[Path],
    *,
    called_ae_title: str,
    host: str,
    port: int,
    calling_ae_title: str = "PREARC",
    progress: Callable[[SentFile], None] | None = None,
    timeout_seconds: float = 60.0,
    tls_context: ssl.SSLContext | None = None,
) -> list[SentFile]:
    """Send files, and all files below folders; return a row for each, in the order they were found.

    Args:
        paths: files and folders.
        called_ae_title: the peer's AE title.
        host: the peer's host name or address.
        port: the peer's port.
        calling_ae_title: ours.
        progress: called with each row as soon as it is known.
        timeout_seconds: how long to wait for an answer.
        tls_context: for TLS; None sends in the clear.

    Raises:
        CannotConnectError: the peer cannot be reached at all, or refuses the first association.
    """
    peer = _Peer(called_ae_title, host, port, calling_ae_title, timeout_seconds, tls_context)
    rows: dict[Path, SentFile] = {}

    def note(row: SentFile) -> None:
        rows[row.path] = row
        if progress is not None:
            progress(row)

    items: list[_Item] = []
    found = list(dict.fromkeys(find_files(paths)))
    for path in found:
        item = _read_item(path)
        if isinstance(item, SentFile):
            note(item)
        else:
            items.append(item)
    _send_items(items, peer, note)
    return [rows[path] for path in found]


def echo(
    called_ae_title: str,
    host: str,
    port: int,
    *,
    calling_ae_title: str = "PREARC",
    timeout_seconds: float = 10.0,
    tls_context: ssl.SSLContext | None = None,
) -> int:
    """Send C-ECHO and return its status; 0 is success.

    Raises:
        CannotConnectError: the peer cannot be reached, refuses the association, or does not answer.
    """
    peer = _Peer(called_ae_title, host, port, calling_ae_title, timeout_seconds, tls_context)
    association = peer.connect([_Context(VERIFICATION, "1.2.840.10008.1.2")])
    try:
        response = association.send_c_echo()
    except (RuntimeError, ValueError) as error:
        raise CannotConnectError(f"{peer} does not take C-ECHO") from error
    finally:
        _end(association)
    if "Status" not in response:
        raise CannotConnectError(f"{peer} does not answer C-ECHO")
    return int(response.Status)


class _Answers(DIMSEServiceProvider):
    """The messages of an association, for nobody but him who waits for one.

    The association's thread polls for requests of the peer, and what it then finds is lost. pynetdicom pauses
    it before sending, but it may still take a message when the answer comes quickly.
    """

    def get_msg(self, block: bool = False) -> tuple[None, None] | tuple[int, DimseServiceType]:
        """Return the next message; without `block` there never is one."""
        return super().get_msg(block) if block else (None, None)


class _Peer(NamedTuple):
    """Whom to send to, and how."""

    called_ae_title: str
    host: str
    port: int
    calling_ae_title: str
    timeout_seconds: float
    tls_context: ssl.SSLContext | None

    def __str__(self) -> str:
        return f"{self.called_ae_title}@{self.host}:{self.port}"

    def connect(self, contexts: Sequence[_Context]) -> Association:
        """Open an association that proposes these contexts."""
        silence_libraries()
        entity = ApplicationEntity(self.calling_ae_title)
        entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        entity.connection_timeout = entity.acse_timeout = self.timeout_seconds
        entity.dimse_timeout = self.timeout_seconds
        entity.network_timeout = None  # it would also count while a large object is on its way
        try:
            association = entity.associate(
                self.host,
                self.port,
                contexts=[_proposed(context) for context in contexts],
                ae_title=self.called_ae_title,
                tls_args=(self.tls_context, self.host) if self.tls_context else None,
            )
        except OSError as error:  # the name of the host
            raise CannotConnectError(f"cannot connect to {self}: {error.strerror}") from error
        if association.is_rejected:
            answer = association.acceptor.primitive
            reason = answer.reason_str if answer is not None else "no reason given"
            raise CannotConnectError(f"{self} refused the association: {reason}")
        if not association.is_established:
            if association.acceptor.primitive is not None:  # accepted, without a single context
                raise _NothingAcceptedError(f"{self}: {_NOT_ACCEPTED}")
            raise CannotConnectError(f"cannot connect to {self}")
        association.dimse = _Answers(association)
        _tune(association, self.timeout_seconds)
        return association


def _read_item(path: Path) -> _Item | SentFile:
    """Return what is to be sent, or the row of a file that cannot be.

    Read is only the beginning of the file, and leniently: whether an object is good is for the peer to say.
    """
    try:
        with path.open("rb") as stream:
            dataset = read_partial(stream, stop_when=_is_behind_uids)
        meta, offset = split_dataset(path)
        size = path.stat().st_size - offset
    except InvalidDicomError:
        return SentFile(path, SendResult.SKIPPED, error="not a DICOM file")
    except OSError as error:
        return SentFile(path, SendResult.SKIPPED, error=error.strerror or "cannot be read")
    except Exception:  # pydicom raises what it likes on broken files
        return SentFile(path, SendResult.SKIPPED, error="its header cannot be read")
    wanted = {
        "SOP Class UID": dataset.get("SOPClassUID"),
        "SOP Instance UID": dataset.get("SOPInstanceUID"),
        "Transfer Syntax UID": meta.get("TransferSyntaxUID"),
    }
    for name, value in wanted.items():
        if not isinstance(value, str) or not 0 < len(value) <= MAX_UID_CHARACTERS:
            return SentFile(path, SendResult.SKIPPED, error=f"no usable {name}")
    sop_class_uid, sop_instance_uid, transfer_syntax_uid = (str(value) for value in wanted.values())
    return _Item(path, _Context(sop_class_uid, transfer_syntax_uid), sop_instance_uid, offset, size)


def _is_behind_uids(tag: BaseTag, vr: str | None, length: int) -> bool:
    return int(tag) > _SOP_INSTANCE_UID


def _send_items(items: list[_Item], peer: _Peer, note: Callable[[SentFile], None]) -> None:
    """Send over as many associations as the contexts need, or as break."""
    waiting = items
    failures = 0
    has_connected = False
    while waiting:
        contexts = list(dict.fromkeys(item.context for item in waiting))[:MAX_CONTEXTS]
        batch = [item for item in waiting if item.context in contexts]
        waiting = [item for item in waiting if item.context not in contexts]
        try:
            association = peer.connect(contexts)
        except _NothingAcceptedError:
            has_connected = True
            for item in batch:
                note(_failed(item, _NOT_ACCEPTED))
            continue
        except CannotConnectError as error:
            if not has_connected:
                raise
            for item in [*batch, *waiting]:
                note(_failed(item, str(error)))
            return
        has_connected = True
        left = _send_batch(association, batch, peer.timeout_seconds, note)
        failures = failures + 1 if len(left) == len(batch) - 1 else 0
        if left and failures >= MAX_FAILURES:
            for item in [*left, *waiting]:
                note(_failed(item, "not tried: the peer broke the associations before"))
            return
        waiting = [*left, *waiting]


def _send_batch(
    association: Association, batch: list[_Item], timeout_seconds: float, note: Callable[[SentFile], None]
) -> list[_Item]:
    """Send over one association; return what is left when it broke. The file it broke on is not repeated."""
    accepted = {
        _Context(str(context.abstract_syntax), str(context.transfer_syntax[0])): context.context_id
        for context in association.accepted_contexts
    }
    try:
        for index, item in enumerate(batch):
            context_id = accepted.get(item.context)
            if context_id is None:
                note(_failed(item, _NOT_ACCEPTED))
                continue
            try:
                request = _request(item, message_id=index % 0xFFFF + 1)
            except OSError as error:
                note(_failed(item, error.strerror or "cannot be read"))
                continue
            association.dimse_timeout = timeout_seconds + item.size / _SLOWEST_BYTES_PER_SECOND
            row = _row(item, _exchange(association, request, context_id))
            note(row)
            if row.status is None or not association.is_established:
                return batch[index + 1 :]
    finally:
        _end(association)
    return []


def _request(item: _Item, message_id: int) -> C_STORE:
    request = C_STORE()
    request.MessageID = message_id
    request.Priority = _MEDIUM_PRIORITY
    request.AffectedSOPClassUID = UID(item.context.sop_class_uid)
    request.AffectedSOPInstanceUID = UID(item.sop_instance_uid)
    with item.path.open("rb") as stream:
        stream.seek(item.dataset_offset)
        request.DataSet = BytesIO(stream.read())
    return request


def _exchange(association: Association, request: C_STORE, context_id: int) -> C_STORE | None:
    """Send a request and wait for its response; None when there is none."""
    association.dimse.send_msg(request, context_id)
    _, response = association.dimse.get_msg(block=True)
    if isinstance(response, C_STORE) and response.is_valid_response:
        return response
    if association.is_established:
        association.abort()
    return None


def _row(item: _Item, response: C_STORE | None) -> SentFile:
    if response is None or response.Status is None:
        return _failed(item, "no answer")
    status = int(response.Status)
    if status == 0 or status in _WARNINGS or status >> 12 == 0xB:
        return SentFile(item.path, SendResult.SENT, status, item.sop_instance_uid)
    comment = _NOT_PRINTABLE.sub("?", str(response.ErrorComment or "")).strip()
    return SentFile(
        item.path, SendResult.REFUSED, status, item.sop_instance_uid, comment or "no reason given"
    )


def _failed(item: _Item, error: str) -> SentFile:
    return SentFile(item.path, SendResult.FAILED, None, item.sop_instance_uid, error)


def _proposed(context: _Context) -> PresentationContext:
    proposed = PresentationContext()
    proposed.abstract_syntax = UID(context.sop_class_uid)
    proposed.transfer_syntax = [UID(context.transfer_syntax_uid)]
    return proposed


def _tune(association: Association, timeout_seconds: float) -> None:
    """Send without delay, and do not wait for ever for a peer that does not read."""
    connection = cast(AssociationSocket, association.dul.socket).socket
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(timeout_seconds)


def _end(association: Association) -> None:
    if association.is_established:
        association.release()
