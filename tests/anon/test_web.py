"""`getURL`: off, and small where single hosts are allowed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from builders import make_dataset

import anon
from anon.errors import StatementError
from anon.functions import web


class Answers(BaseHTTPRequestHandler):
    """A web server with one answer for each path."""

    def do_GET(self) -> None:
        bodies = {
            "/lines": b" one\r\ntwo\n",
            "/empty": b"",
            "/long": b"x" * (web.MAX_BYTES + 1),
            "/q?a=b": b"query",
        }
        body = bodies.get(self.path, b"nothing")
        if self.path == "/who":
            body = self.headers.get("Authorization", "nobody").encode()
        self.send_response({"/moved": 302, "/none": 404}.get(self.path, 200))
        if self.path == "/moved":
            self.send_header("Location", "/lines")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    http_server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{http_server.server_port}"
    http_server.shutdown()
    thread.join()
    http_server.server_close()


def answer(url: str, *allowed: str, version: str = "") -> str:
    dataset = make_dataset(PatientComments="")
    text = f'{version}(0010,4000) := getURL["{url}"]'
    anon.compile_script(text, allowed_hosts=allowed).apply(dataset, {})
    return str(dataset.PatientComments)


def failure(url: str, *allowed: str, version: str = "") -> str:
    with pytest.raises(anon.ScriptError) as caught:
        answer(url, *allowed, version=version)
    assert not url or url not in str(caught.value)
    return caught.value.diagnostics[0].code


V6 = 'version "6.6"\n'


def test_the_answer_of_an_allowed_host_is_a_value(server: str) -> None:
    assert answer(f"http://{server}/lines", "127.0.0.1") == "one\ntwo"
    assert answer(f"http://{server}/q?a=b", server) == "query"
    assert answer(f"http://{server}/lines", server, version=V6) == " onetwo"


def test_an_empty_answer_is_a_value_in_4_and_an_error_in_6(server: str) -> None:
    assert answer(f"http://{server}/empty", server) == ""
    assert failure(f"http://{server}/empty", server, version=V6) == "url-failed"


def test_a_user_in_the_address_signs_in(server: str) -> None:
    assert answer(f"http://u:p%40@{server}/who", server) == "Basic dTpwQA=="


def test_what_is_not_200_and_what_is_long_fails(server: str) -> None:
    for path in ("none", "moved", "long"):
        assert failure(f"http://{server}/{path}", server) == "url-failed"


@pytest.mark.parametrize("version", ["", V6])
def test_nobody_is_asked_unless_allowed(server: str, version: str) -> None:
    assert failure(f"http://{server}/lines", version=version) == "not-allowed"
    assert failure(f"http://{server}/lines", "localhost", "127.0.0.1:1", version=version) == "not-allowed"


@pytest.mark.parametrize(
    "url", ["", "nothing", "file:///etc/hostname", "ftp://127.0.0.1/x", "http://", "http://a b/"]
)
def test_what_is_no_address_fails(url: str) -> None:
    assert failure(url, "127.0.0.1", "a") == "url-failed"


def test_a_bad_port_and_a_closed_one_fail() -> None:
    for url in ("http://127.0.0.1:99999/x", "http://127.0.0.1:1/x", "http://[::1/x"):
        with pytest.raises(StatementError) as caught:
            web.fetch(url, frozenset(["127.0.0.1"]))
        assert caught.value.code == "url-failed"


def test_a_slow_answer_is_given_up(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "MAX_SECONDS", -1.0)
    assert failure(f"http://{server}/lines", server) == "url-failed"


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"])
def test_an_answer_that_trickles_is_given_up(begins: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the header and in the body, though the server is never silent for long."""
    monkeypatch.setattr(web, "MAX_SECONDS", 0.3)
    trickle = (begins[-3:] or b"HTTP/1.1 200 OK\r\n") * 100
    with socket.create_server(("127.0.0.1", 0)) as listening:
        given_up = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.sendall(begins.replace(b": 3", b": 300"))
                for byte in trickle:
                    connection.sendall(bytes([byte]))
                    if given_up.wait(0.05):
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        start = time.monotonic()
        assert failure(f"http://127.0.0.1:{listening.getsockname()[1]}/", "127.0.0.1") == "url-failed"
        assert time.monotonic() - start < 5
        given_up.set()
        thread.join(10)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"Content-Length: 3\r\n\r\nabc", "abc"),  # and the connection stays open
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "abc"),
        (b"Content-Length: 30\r\n\r\nabc", ""),
        (b"Transfer-Encoding: chunked\r\n\r\n20\r\nab", ""),
    ],
)
def test_an_answer_is_taken_whole_or_not_at_all(sent: bytes, expected: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n" + sent)
                if expected:
                    done.wait(10)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        start = time.monotonic()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        if expected:
            assert answer(url, "127.0.0.1") == expected
        else:
            assert failure(url, "127.0.0.1") == "url-failed"
        assert time.monotonic() - start < 4  # nobody waits for the server to close
        done.set()
        thread.join(10)


def test_other_hosts_are_not_asked_by_tricks_in_the_address(server: str) -> None:
    for url in (f"http://allowed@{server}/lines", f"http://{server}#@allowed/", f"HTTP://{server}/lines"):
        assert failure(url, "allowed") in ("not-allowed", "url-failed")
    assert answer(f"HTTP://{server}/lines", server) == "one\ntwo"


def test_a_script_is_told_that_its_call_will_fail_and_its_condition_still_counts() -> None:
    script = anon.compile_script('(0008,0060) = "CT" : (0010,4000) := getURL["http://h/x"]\n- (0010,0010)')
    assert [found.code for found in script.warnings] == ["not-allowed"]
    dataset = make_dataset()
    assert script.apply(dataset, {}).status == "ok"
    assert "PatientName" not in dataset
