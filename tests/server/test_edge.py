"""What strangers can hold of a server and its gateway, and the names that both answer to."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aloft_server import Server, free_port, program

DESCRIPTORS = 256


def ask(
    port: int,
    path: str,
    host: str = "localhost",
    method: str = "GET",
    body: bytes | None = None,
    **headers: str,
) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Host": host, **named})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(
        data=tmp_path_factory.mktemp("named") / "data",
        with_gateway=True,
        arguments=["--host", "models.example.org", "--host", "Ohm"],
    )
    one.start()
    one.wait_until(lambda: live(one.gateway_port), "the gateway to be live")
    yield one
    assert one.stop() == 0


def live(port: int) -> bool:
    try:
        return ask(port, "/v2/health/live")[0] == 200
    except OSError:
        return False


@pytest.mark.parametrize("path", ["/health", "/"])
def test_both_planes_answer_to_the_names_they_were_given(named: Server, path: str) -> None:
    for port, page in ((named.port, path), (named.gateway_port, "/health")):
        for host in ("localhost", "127.0.0.1:9", "models.example.org", "ohm:443", "OHM."):
            assert ask(port, page, host)[0] == 200, host
        status, text = ask(port, page, "evil.example")
        assert status == 421 and "--host evil.example" in text
        assert ask(port, page, "a@ohm")[0] == 400


def test_a_host_in_the_request_line_is_asked_too(named: Server) -> None:
    """The target may name a host itself (RFC 9112, 3.2.2); then that one is meant, not `Host`."""
    for port, path in ((named.port, "/health"), (named.gateway_port, "/v2/health/live")):
        for target, expected in (
            ("http://ohm", 200),
            (f"http://localhost:{port}", 200),
            ("HTTP://models.example.org", 200),
            ("http://evil.example", 421),
            ("https://evil.example", 421),
            ("http://ohm@evil.example", 400),
        ):
            status, text = ask(port, target + path)
            assert status == expected, (port, target, text)
            assert ask(port, target + path, "evil.example")[0] == 421
        # A page's origin is held against the host that is meant.
        status, _ = ask(
            port,
            "http://ohm/none",
            "models.example.org",
            "POST",
            Origin="http://models.example.org",
        )
        assert status == 403


def test_a_page_behind_the_proxy_may_work_and_others_may_not(named: Server) -> None:
    body = json.dumps({"name": "by-a-page"}).encode()
    for origin, expected in (
        ("https://models.example.org", 200),
        ("https://models.example.org:8443", 403),
        ("https://evil.example", 403),
        ("null", 403),
    ):
        status, _ = ask(
            named.port,
            "/api/2.0/mlflow/experiments/create",
            "models.example.org",
            "POST",
            body,
            Content_Type="application/json",
            Origin=origin,
        )
        assert status == expected, origin


def test_a_name_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    for command in ("server", "gateway"):
        done = subprocess.run(
            [str(program()), command, "--data", str(tmp_path / "x"), "--host", "http://a/"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 2 and "--host http://a/" in done.stderr


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server and its gateway that may open few files each."""
    one = Server(data=tmp_path_factory.mktemp("narrow") / "data", with_gateway=True)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))

    command = [str(program()), "server", "--data", str(one.data)]
    command += ["--listen", f"127.0.0.1:{one.port}", "--gateway", f"127.0.0.1:{one.gateway_port}"]
    with one.log.open("ab") as log:
        one.process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=limit)
    one.wait_until(lambda: one.get("/health") == b"OK", "the server to be ready")
    one.wait_until(lambda: live(one.gateway_port), "the gateway to be live")
    yield one
    assert one.stop() == 0


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{",
        b"POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
@pytest.mark.parametrize("plane", ["server", "gateway"])
def test_more_connections_than_descriptors_keep_nobody_out(
    narrow: Server, plane: str, words: bytes
) -> None:
    port, path = (
        (narrow.port, "/health") if plane == "server" else (narrow.gateway_port, "/v2/health/live")
    )
    held = []
    try:
        for _ in range(400):
            connection = socket.create_connection(("127.0.0.1", port), 20)
            held.append(connection)
            with contextlib.suppress(OSError):  # sent away at once
                connection.sendall(words)
        for _ in range(20):
            narrow.wait_until(lambda: is_well(port, path), "a health check to be answered")
        assert still_open(held) < DESCRIPTORS
    finally:
        for connection in held:
            connection.close()
    narrow.wait_until(lambda: is_well(port, path), "the plane to be well again")


def is_well(port: int, path: str) -> bool:
    """A newcomer may be sent away while others are being closed; it comes again."""
    try:
        return ask(port, path)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def still_open(connections: list[socket.socket]) -> int:
    def count() -> int:
        number = 0
        for connection in connections:
            connection.setblocking(False)
            try:
                while data := connection.recv(4096):
                    pass
                number += data != b""
            except BlockingIOError:
                number += 1
            except OSError:
                pass
        return number

    deadline = time.monotonic() + 60
    while (number := count()) >= DESCRIPTORS and time.monotonic() < deadline:
        time.sleep(0.05)
    return number


def test_who_is_refused_by_the_head_is_not_waited_for(tmp_path: Path) -> None:
    one = Server(data=tmp_path / "data", arguments=["--auth"], port=free_port())
    one.start()
    try:
        head = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n"
        head += b"Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"
        with socket.create_connection(("127.0.0.1", one.port), 60) as stranger:
            stranger.sendall(head)
            said = b""
            while data := stranger.recv(4096):
                said += data
        assert said.startswith(b"HTTP/1.1 401") and b"connection: close" in said.lower()
    finally:
        assert one.stop() == 0
