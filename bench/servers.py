"""Servers under measurement: started, found, charged for their CPU and memory, stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Peer:
    """One running server of the protocol."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def processes(self) -> Iterator[int]:
        """The server's process and all of its descendants."""
        waiting = [self.process.pid]
        while waiting:
            pid = waiting.pop()
            yield pid
            try:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            except OSError:
                children = []
            waiting += [int(child) for child in children]

    def cpu_seconds(self) -> float:
        total = 0
        for pid in self.processes():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def resident_megabytes(self) -> float:
        total = 0
        for pid in self.processes():
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            total += sum(
                int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")
            )
        return total / 1024

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=600) as reply:
            return json.loads(reply.read() or b"{}")


def wait_for(peer: Peer, ready: str = "/health") -> float:
    """Seconds until the server answered `ready` with 200."""
    began = time.monotonic()
    while True:
        try:
            urllib.request.urlopen(peer.url + ready, timeout=2).read()
            return time.monotonic() - began
        except OSError:
            if peer.process.poll() is not None or time.monotonic() - began > 180:
                raise SystemExit(f"{peer.name} did not start") from None
            time.sleep(0.01)


@contextmanager
def running(
    name: str,
    command: list[str],
    port: int,
    log: Path,
    ready: str = "/health",
    environment: dict[str, str] | None = None,
) -> Iterator[Peer]:
    """Runs a server in a process group of its own until the block ends."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    peer = Peer(name, port, process)
    try:
        wait_for(peer, ready)
        yield peer
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
