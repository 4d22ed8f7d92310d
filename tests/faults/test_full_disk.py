"""A disk that is really full: a small file system of its own, in a mount namespace of its own."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aloft_server import ROOT, Server, free_port, program

SIZE = "24m"


def namespace() -> list[str] | None:
    """How this user gets a mount namespace; `None` where the system gives none."""
    for command in (["unshare", "-m"], ["unshare", "-rm"]):
        if shutil.which("unshare") is None:
            return None
        trial = [*command, "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"]
        if subprocess.run(trial, capture_output=True).returncode == 0:
            return command
    return None


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Server]:
    """A server whose data folder is a file system of 24 MiB."""
    command = namespace()
    if command is None:
        pytest.skip("this system gives no mount namespace")
    data = tmp_path / "disk"
    data.mkdir()
    server = Server(data=data, port=free_port())
    script = (
        f'mount -t tmpfs -o size={SIZE} tmpfs "$1" && exec "$2" server --data "$1/data" '
        '--listen "127.0.0.1:$3" --no-gateway'
    )
    with server.log.open("ab") as log:
        server.process = subprocess.Popen(
            [*command, "sh", "-c", script, "sh", str(data), str(program()), str(server.port)],
            stdout=log,
            stderr=log,
            cwd=ROOT,
        )
    server.wait_until(lambda: server.get("/health") == b"OK", "the server to be ready")
    yield server
    assert server.stop() == 0


def disk(server: Server) -> Path:
    """The file system as the server sees it."""
    assert server.process is not None
    return Path(f"/proc/{server.process.pid}/root{server.data}")


def call(server: Server, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    data = reply.read()
    connection.close()
    return reply.status, json.loads(data) if data else {}


def post(server: Server, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return call(server, "POST", f"/api/2.0/mlflow/{path}", json.dumps(body).encode())


def fill(server: Server, leave: int = 0) -> Path:
    """Takes all the space but `leave` bytes."""
    ballast = disk(server) / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 65536)
        except OSError:
            pass
        file.truncate(max(0, file.tell() - leave))
    return ballast


def test_a_full_disk_is_said_and_work_goes_on_when_space_returns(small: Server) -> None:
    status, answer = post(small, "runs/create", {"experiment_id": "0", "start_time": 1})
    assert status == 200
    run = answer["run"]["info"]["run_id"]
    acknowledged = 0

    def log(step: int) -> int:
        metrics = [
            {"key": f"m{i}", "value": step, "timestamp": step, "step": step} for i in range(200)
        ]
        status, answer = post(small, "runs/log-batch", {"run_id": run, "metrics": metrics})
        if status != 200:
            assert status in (503, 507), (status, answer)
            assert "full" in answer["message"], answer
        return status

    for _ in range(2):
        ballast = fill(small, leave=300_000)
        status = 200
        for _ in range(2000):
            status = log(acknowledged)
            if status != 200:
                break
            acknowledged += 1
        assert status != 200, "the disk was never full"
        # A file that does not fit leaves nothing behind, and says so.
        path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/large.bin"
        status, answer = call(small, "PUT", path, os.urandom(2_000_000))
        assert status in (503, 507), (status, answer)
        assert "full" in answer["message"]
        assert small.get(path) == b""
        assert not list((disk(small) / "data/artifacts/incoming").iterdir())
        # Reading goes on.
        assert small.get(f"/api/2.0/mlflow/runs/get?run_id={run}") != b""
        ballast.unlink()
        deadline = time.monotonic() + 60
        while log(acknowledged) != 200:
            assert time.monotonic() < deadline, "space came back and the server did not notice"
        acknowledged += 1
        status, answer = call(small, "PUT", path, b"now it fits")
        assert status == 200, answer
        assert small.get(path) == b"now it fits"
        call(small, "DELETE", path, b"")
    history = f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=m7"
    points = json.loads(small.get(history))["metrics"]
    assert [point["step"] for point in points] == list(range(acknowledged))
