from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from builders import wheel_file
from receiving import ASSOCIATE_AC, NotingIntake, RawClient, running_server

from config.settings import Limits, Receiver, Tls
from receiver.errors import CannotConnectError, TlsConfigurationError
from receiver.scp import Server
from receiver.sender import SendResult, echo, send_files
from receiver.tls import server_context

CERTIFICATES = Path(__file__).parents[1] / "support" / "certificates"
SERVER = Tls(cert=CERTIFICATES / "server.pem", key=CERTIFICATES / "server.key")
MUTUAL = SERVER.model_copy(update={"client_ca": CERTIFICATES / "ca.pem"})


def client_context(name: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=CERTIFICATES / "ca.pem")
    if name:
        context.load_cert_chain(CERTIFICATES / f"{name}.pem", CERTIFICATES / f"{name}.key")
    return context


def test_objects_arrive_over_tls() -> None:
    with running_server(Receiver(port=0, tls=SERVER)) as running:
        [row] = send_files(
            [wheel_file("CT_small.dcm")],
            called_ae_title="XNAT",
            host="127.0.0.1",
            port=running.port,
            tls_context=client_context(),
        )
        assert row.result is SendResult.SENT
        assert row.path.read_bytes().endswith(bytes(running.intake.incoming[0].encoded_dataset))


def test_large_objects_in_many_tls_records_arrive_whole() -> None:
    encoded = bytes(range(256)) * 1000
    with running_server(Receiver(port=0, tls=SERVER)) as running:
        with RawClient(running.port, context=client_context()) as client:
            assert client.associate()[0] == ASSOCIATE_AC
            assert [client.store(encoded), client.store(encoded)] == [0, 0]
        assert [bytes(each.encoded_dataset) for each in running.intake.incoming] == [encoded, encoded]


@pytest.mark.parametrize(("name", "is_served"), [("client", True), ("stranger", False), (None, False)])
def test_with_a_client_ca_only_its_clients_are_served(name: str | None, is_served: bool) -> None:
    with running_server(Receiver(port=0, tls=MUTUAL)) as running:
        if is_served:
            assert echo("XNAT", "localhost", running.port, tls_context=client_context(name)) == 0
        else:
            with pytest.raises(CannotConnectError):
                echo("XNAT", "localhost", running.port, tls_context=client_context(name))
            assert running.intake.started == []


def test_a_peer_without_tls_is_closed_and_does_not_lock_out_the_others() -> None:
    limits = Limits(idle_seconds=1)
    with running_server(Receiver(port=0, tls=SERVER), limits=limits) as running:
        with RawClient(running.port) as plain, RawClient(running.port) as silent:
            plain.send(bytes(100))
            assert echo("XNAT", "127.0.0.1", running.port, tls_context=client_context()) == 0
            assert silent.read_pdu()[0] == 0
        refused = running.wait_for_events("association_refused", 2)
        assert [entry["reason"] for entry in refused] == ["connection-failed"] * 2
        running.wait_until_over()
        assert running.server._admission._connections.total() == 0


def test_tls_is_1_2_or_newer() -> None:
    assert server_context(SERVER).minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    "changes",
    [
        {"cert": CERTIFICATES / "missing.pem"},
        {"key": CERTIFICATES / "client.key"},
        {"key": CERTIFICATES / "README.md"},
        {"client_ca": CERTIFICATES / "missing.pem"},
        {"client_ca": CERTIFICATES / "README.md"},
    ],
)
def test_files_that_cannot_be_used_are_named_in_one_line(changes: dict[str, Path]) -> None:
    with running_server() as running:
        receiver = Receiver(port=0, tls=SERVER.model_copy(update=changes))
        settings = running.settings.model_copy(update={"receivers": [receiver]})
        with pytest.raises(TlsConfigurationError) as caught:
            Server(settings, NotingIntake()).start()
    assert str(next(iter(changes.values()))) in str(caught.value)
    assert "\n" not in str(caught.value)
