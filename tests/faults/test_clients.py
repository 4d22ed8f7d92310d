"""Slow, vanishing and hostile clients hold nothing up and cost no memory."""

from __future__ import annotations

import http.client
import json
import random
import socket
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aloft_server import Server

#: How much more memory the server may hold after hostile requests, in bytes.
ALLOWANCE = 96 << 20


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(data=tmp_path_factory.mktemp("faults") / "data").start()
    yield one
    assert one.stop() == 0


def memory(server: Server) -> int:
    """Bytes that the server's process holds."""
    assert server.process is not None
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def descriptors(server: Server) -> int:
    assert server.process is not None
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def raw(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def send(
    server: Server, method: str, path: str, body: bytes | None = None
) -> tuple[int, dict[str, Any]]:
    """Status 0: the server closed the connection before it answered, as it may to an attacker."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        if body is not None:
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        if body is not None:
            connection.send(body)
        reply = connection.getresponse()
        data = reply.read()
    except (ConnectionError, http.client.BadStatusLine):
        return 0, {}
    finally:
        connection.close()
    try:
        return reply.status, json.loads(data)
    except ValueError:
        return reply.status, {}


def make_run(server: Server) -> str:
    status, answer = send(server, "POST", "/api/2.0/mlflow/runs/create", b'{"experiment_id":"0"}')
    assert status == 200, answer
    return str(answer["run"]["info"]["run_id"])


def test_clients_that_stall_in_a_request_hold_up_nobody(busy: Server) -> None:
    before = descriptors(busy)
    run = make_run(busy)
    parts = [
        b"",
        b"POST /api/2.0/mlflow/runs/log-batch HT",
        b"POST /api/2.0/mlflow/runs/log-batch HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: 1000\r\nContent-Type: application/json\r\n\r\n{",
        b"PUT /api/2.0/mlflow-artifacts/artifacts/0/stalled.bin HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: 100000000\r\n\r\n" + b"x" * 100_000,
        b"PUT /api/2.0/mlflow-artifacts/artifacts/0/chunked.bin HTTP/1.1\r\nHost: localhost\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ]
    stalled = []
    for number in range(250):
        connection = raw(busy)
        connection.sendall(parts[number % len(parts)])
        stalled.append(connection)
    for step in range(200):
        body = {"run_id": run, "key": "k", "value": 1.0, "timestamp": 1, "step": step}
        status, answer = send(
            busy, "POST", "/api/2.0/mlflow/runs/log-metric", json.dumps(body).encode()
        )
        assert status == 200, answer
    for connection in stalled:
        connection.close()
    incoming = busy.data / "artifacts" / "incoming"
    busy.wait_until(lambda: not list(incoming.iterdir()), "the halves of uploads to go")
    busy.wait_until(lambda: descriptors(busy) <= before + 20, "the connections to go")
    for name in ("stalled.bin", "chunked.bin"):
        status, _ = send(busy, "GET", f"/api/2.0/mlflow-artifacts/artifacts/0/{name}")
        assert status == 404


def test_a_client_that_reads_slowly_or_not_at_all_costs_no_memory(busy: Server) -> None:
    path = "/api/2.0/mlflow-artifacts/artifacts/0/large.bin"
    data = bytes(range(256)) * 4096 * 64
    status, answer = send(busy, "PUT", path, data)
    assert status == 200, answer
    before = memory(busy)
    readers = []
    for _ in range(20):
        connection = raw(busy)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert connection.recv(100)
        readers.append(connection)
    make_run(busy)
    assert memory(busy) < before + ALLOWANCE
    for connection in readers:
        connection.close()
    reply = busy.get(path)
    assert reply == data


def hostile_bodies() -> Iterator[tuple[str, bytes]]:
    chance = random.Random(11)
    for _ in range(100):
        yield "random bytes", chance.randbytes(chance.randrange(1, 20_000))
    for depth in (1_000, 100_000, 900_000):
        yield "deep lists", b"[" * depth
        yield "deep objects", b'{"a":' * (depth // 5)
        yield "closed deep lists", b'{"run_id":' + b"[" * (depth // 2) + b"]" * (depth // 2) + b"}"
    letters = "".join(chance.choices(string.ascii_letters, k=10_000_000))
    for key in ("key", "run_id", "name", "experiment_id"):
        yield f"10 MB {key}", json.dumps({key: letters}).encode()
    yield "10 MB name of a member", json.dumps({letters: 1}).encode()
    yield "a million members", json.dumps({f"k{i}": i for i in range(1_000_000)}).encode()
    yield "a million metrics", json.dumps({"run_id": "x", "metrics": [{}] * 1_000_000}).encode()
    yield "no UTF-8", b'{"name": "\xff\xfe"}'
    yield "escapes", b'{"name": "' + b"\\u0000" * 100_000 + b'"}'


POSTS = [
    "/api/2.0/mlflow/runs/log-batch",
    "/api/2.0/mlflow/runs/set-tag",
    "/api/2.0/mlflow/runs/search",
    "/api/2.0/mlflow/experiments/create",
    "/api/2.0/mlflow/registered-models/create",
    "/api/v1/imports/experiments",
    "/api/v1/imports/runs",
    "/api/v1/imports/models",
    "/api/v1/space/collections",
]


def test_hostile_bodies_are_refused_and_memory_stays_flat(busy: Server) -> None:
    warm = b'{"x": "' + b"a" * 10_000_000 + b'"}'
    for path in POSTS:
        send(busy, "POST", path, warm)
    before = memory(busy)
    for what, body in hostile_bodies():
        for path in POSTS if len(body) < 30_000 else POSTS[:: 2 if "10 MB" in what else 3]:
            status, answer = send(busy, "POST", path, body)
            # Members that nobody knows are ignored: a search of no experiment finds nothing.
            is_empty = path.endswith("runs/search") and (status, answer) == (200, {})
            assert status == 0 or 400 <= status < 500 or is_empty, (what, path, status, answer)
    assert memory(busy) < before + ALLOWANCE
    make_run(busy)


def dots() -> Iterator[str]:
    """`..` as one may write it."""
    for up in (
        "..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "%25252e%25252e", "..%00", "%2e%2e%2f",
        "..%2f", "..%5c", "%5c..", "..;", "%c0%ae%c0%ae", "%uff0e%uff0e", "．．", "..%20", "%20..",
        "..%09", "..\\", "%e2%80%a6",
    ):  # fmt: skip
        yield f"{up}/{up}/{up}/etc/passwd"
        yield f"a/{up}/{up}/{up}/{up}/x"


def test_no_path_in_any_writing_leaves_the_artifacts(busy: Server) -> None:
    outside = {p for p in busy.data.parent.rglob("*") if "artifacts" not in p.parts}
    base = "/api/2.0/mlflow-artifacts/artifacts/"
    for path in dots():
        wire = "".join(
            c if ord(c) < 128 else "".join(f"%{b:02x}" for b in c.encode()) for c in path
        )
        for method in ("PUT", "GET", "DELETE"):
            status, answer = send(busy, method, base + wire, b"x" if method == "PUT" else None)
            # What is no way up is a name like any other.
            assert status in (0, 200) or 400 <= status < 500, (method, path, status, answer)
            assert "root:" not in str(answer)
        listing, answer = send(busy, "GET", f"{base[:-1]}?path={wire}")
        assert listing in (0, 200) or 400 <= listing < 500, (path, listing, answer)
    inside = {p for p in busy.data.parent.rglob("*") if "artifacts" not in p.parts}
    assert {p for p in inside - outside if not p.name.startswith("aloft.db")} == set()


def test_a_path_of_a_million_parts_is_refused(busy: Server) -> None:
    before = memory(busy)
    base = "/api/2.0/mlflow-artifacts/artifacts/"
    for path in ("a/" * 1_000_000 + "x", "a/" * 20_000 + "x", "x" * 60_000, "/" * 60_000 + "x"):
        for method in ("PUT", "GET"):
            status, answer = send(busy, method, base + path, b"x" if method == "PUT" else None)
            assert status == 0 or 400 <= status < 500, (len(path), method, status, answer)
    text = json.dumps({"run_id": "a", "path": "a/" * 1_000_000}).encode()
    status, _ = send(busy, "POST", "/api/2.0/mlflow/artifacts/presigned-upload-url", text)
    assert status == 0 or 400 <= status < 500
    assert memory(busy) < before + ALLOWANCE
    make_run(busy)
