"""The server: one listener for each host and port, with all the receivers that share it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread
from typing import NamedTuple

import structlog
from pynetdicom.ae import ApplicationEntity

from anon.encoding.instance import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from config.settings import Receiver, Settings
from receiver import tls
from receiver.errors import CannotListenError
from receiver.handlers import IntakeDoor, OpenAssociations, Reception, now_utc
from receiver.limits import Admission
from receiver.listener import Listener
from receiver.silence import silence_libraries

GRACE_SECONDS = 5.0
DRAIN_SECONDS = 20.0
_HANG_UP_SECONDS = 5.0
_POLL_SECONDS = 0.1
_UNBOUNDED = 1_000_000  # associations are counted by `limits`, which knows about addresses

log = structlog.get_logger(__name__)


class ListeningAddress(NamedTuple):
    """Where the server listens, and for which AE titles."""

    host: str
    port: int
    ae_titles: tuple[str, ...]


class Server:
    """Receives DICOM objects for all receivers of a site.

    A port is listened on even when all its receivers are disabled, so that senders get told (A-ASSOCIATE-RJ,
    called AE title not recognized) and enabling one needs no restart.
    """

    def __init__(
        self,
        settings: Settings,
        intake: IntakeDoor,
        *,
        current_settings: Callable[[], Settings] | None = None,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        """Prepare a server; nothing is bound yet.

        Args:
            settings: the receivers to listen for.
            intake: where instances go.
            current_settings: returns the settings in force, asked for each association: allow lists, limits,
                enabled, anonymize and the like take effect without a restart, hosts and ports do not.
            clock: returns the current time, aware.
        """
        self._settings = settings
        self._intake = intake
        self._current_settings = current_settings or (lambda: settings)
        self._clock = clock
        self._admission = Admission()
        self._associations = OpenAssociations()
        self._stopping = Event()
        self._draining = Event()
        self._listeners: list[Listener] = []
        self._threads: list[Thread] = []

    @property
    def addresses(self) -> list[ListeningAddress]:
        """Where the server listens: the real port where 0 was configured, and the enabled AE titles."""
        return [
            ListeningAddress(
                listener.reception.host,
                listener.server_address[1],
                tuple(
                    receiver.ae_title
                    for receiver in self._receivers_of(listener.reception.host, listener.reception.port)
                    if receiver.enabled
                ),
            )
            for listener in self._listeners
        ]

    def bind(self) -> None:
        """Bind and listen on every port. Processes that are forked afterwards share the ports.

        Raises:
            CannotListenError: a port is in use, or may not be used.
            TlsConfigurationError: certificate or key cannot be used.
        """
        silence_libraries()
        try:
            for host, port in dict.fromkeys((each.host, each.port) for each in self._settings.receivers):
                self._listeners.append(self._listen(host, port))
        except BaseException:
            self._close_listeners()
            raise

    def start(self) -> None:
        """Begin to accept associations; `bind` is done when it was not yet. Returns at once.

        Raises:
            CannotListenError: a port is in use, or may not be used.
            TlsConfigurationError: certificate or key cannot be used.
        """
        if not self._listeners:
            self.bind()
        for listener in self._listeners:
            thread = Thread(
                target=listener.serve_forever, args=(_POLL_SECONDS,), name="listener", daemon=True
            )
            thread.start()
            self._threads.append(thread)
        for address in self.addresses:
            log.info(
                "server_started", host=address.host, port=address.port, ae_titles=list(address.ae_titles)
            )

    def stop(self, grace_seconds: float = GRACE_SECONDS, drain_seconds: float = DRAIN_SECONDS) -> None:
        """Stop accepting, let associations end, then end them.

        For `grace_seconds` those run on that are busy sending. Then each is aborted as soon as it has no
        message under way: an object that is being received or stored still gets its answer. After
        `drain_seconds` more, connections are cut.
        """
        if not self._listeners:
            return
        self._stopping.set()
        for listener in self._listeners[: len(self._threads)]:
            listener.shutdown()
        self._close_listeners()
        for thread in self._threads:
            thread.join(_HANG_UP_SECONDS)
        self._threads = []
        if not self._associations.wait_until_none(grace_seconds):
            self._draining.set()
            if not self._associations.wait_until_none(drain_seconds):
                for association in self._associations.running():
                    association.hang_up()
                self._associations.wait_until_none(_HANG_UP_SECONDS)
        log.info("server_stopped", cut_associations=len(self._associations.running()))

    def _listen(self, host: str, port: int) -> Listener:
        receivers = self._receivers_of(host, port)
        entity = ApplicationEntity(receivers[0].ae_title)
        entity.maximum_associations = _UNBOUNDED
        entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        reception = Reception(
            host=host,
            port=port,
            intake=self._intake,
            current_settings=self._current_settings,
            settings=self._settings,
            admission=self._admission,
            associations=self._associations,
            stopping=self._stopping,
            draining=self._draining,
            clock=self._clock,
        )
        context = _tls_context(receivers)
        try:
            return Listener(entity, (host, port), reception, context)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise CannotListenError(f"cannot listen on {host}:{port}: {reason}") from error

    def _receivers_of(self, host: str, port: int) -> list[Receiver]:
        return [each for each in self._settings.receivers if (each.host, each.port) == (host, port)]

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.server_close()
        self._listeners = []


def _tls_context(receivers: list[Receiver]) -> ssl.SSLContext | None:
    """Return the TLS context of a port; the settings make sure that all its receivers agree."""
    return tls.server_context(receivers[0].tls) if receivers[0].tls else None
