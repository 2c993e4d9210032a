"""Accepts connections on one host and port, and makes associations of them.

Of pynetdicom's `AssociationServer` is overridden what would let one peer lock out the others: the TLS
handshake in the accepting thread, and connections without number.
"""

from __future__ import annotations

import errno
import gc
import socket
import ssl
import time
from socketserver import BaseServer
from typing import Any, cast

import structlog
from pynetdicom.ae import ApplicationEntity
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from receiver.allow import plain_address
from receiver.association import AcceptedAssociation
from receiver.handlers import Reception
from receiver.transport import ReadAheadSocket

BACKLOG = 128
_COLLECT_SECONDS = 60.0
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)

log = structlog.get_logger(__name__)


class ConnectionHandler(RequestHandler):
    """Makes the association for an accepted connection."""

    def _create_association(self) -> AcceptedAssociation:
        listener = cast(Listener, self.server)
        association = AcceptedAssociation(self.ae, listener, listener.reception)
        association.set_socket(ReadAheadSocket(association, self.request, listener.reception.idle_seconds))
        association.acceptor.ae_title = listener.ae_title
        association.acceptor.address_info = self.local
        association.acceptor.implementation_class_uid = self.ae.implementation_class_uid
        association.acceptor.implementation_version_name = self.ae.implementation_version_name
        association.requestor.address_info = self.remote
        association.begin(plain_address(self.client_address[0]))
        return association


class Listener(ThreadedAssociationServer):
    """Listens on one host and port, for all receivers that share it."""

    request_queue_size = BACKLOG
    daemon_threads = True

    def __init__(
        self,
        entity: ApplicationEntity,
        address: tuple[str, int],
        reception: Reception,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.reception = reception
        self.tls = tls
        self._collected_at = time.monotonic()
        self._has_garbage = False
        # The TLS context is not given to the base class, which would shake hands in the accepting thread.
        super().__init__(entity, address, entity.ae_title, [], request_handler=ConnectionHandler)

    def _bind_defaults(self) -> None:
        """Bind nothing: no handler of pynetdicom is used, and its own only log."""

    def server_bind(self) -> None:
        """Bind the socket; it never blocks, because several processes may accept from it."""
        super().server_bind()
        cast(socket.socket, self.socket).setblocking(False)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, without a TLS handshake."""
        try:
            return cast(socket.socket, self.socket).accept()
        except OSError as error:
            if error.errno in _OUT_OF_DESCRIPTORS:
                time.sleep(0.05)  # the connection stays queued: do not spin until a descriptor is free
            raise

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is a place for a connection from this address; otherwise it is closed."""
        peer = plain_address(client_address[0])
        if self.reception.enter_connection(peer):
            self._has_garbage = True
            return True
        log.warning("association_refused", peer=peer, reason="too-many-connections")
        return False

    def service_actions(self) -> None:
        """Collect finished associations, which refer to themselves, every minute; not more often."""
        if self._has_garbage and time.monotonic() - self._collected_at > _COLLECT_SECONDS:
            self._has_garbage = False
            self._collected_at = time.monotonic()
            gc.collect()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands where TLS is on, then start the association; in the connection's own thread."""
        try:
            if self.tls is not None:
                request.settimeout(self.reception.acse_seconds)
                request = self.tls.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
        except BaseException:
            self.reception.leave_connection(plain_address(client_address[0]))
            raise

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log that a connection came to nothing: a failed TLS handshake, or gone before it began."""
        log.info("association_refused", peer=plain_address(client_address[0]), reason="connection-failed")

    def shutdown(self) -> None:
        """Leave `serve_forever`; pynetdicom would look for this listener in a list of the entity."""
        BaseServer.shutdown(self)
