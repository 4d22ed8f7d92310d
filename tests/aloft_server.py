"""Starts real servers for the tests: the program that `swift build` made, an empty folder, free
ports."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def program() -> Path:
    """The program under test: ALOFT_PROGRAM, else the debug build."""
    path = Path(os.environ.get("ALOFT_PROGRAM", ROOT / ".build/debug/aloft"))
    if not path.exists():
        pytest.exit(f"{path} is missing: run `swift build` first", returncode=2)
    return path


def free_port() -> int:
    """A port that nobody has, below those that the kernel gives to outgoing connections.

    A server that is killed and started again must find its port free: one of the kernel's own may
    by then be the end of somebody's connection.
    """
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(1000):
        port = random.SystemRandom().randrange(min(10_000, first - 1000), first)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


@dataclass
class Server:
    """One `aloft server` with its data folder; may be killed and started again."""

    data: Path
    port: int = field(default_factory=free_port)
    gateway_port: int = field(default_factory=free_port)
    arguments: list[str] = field(default_factory=list)
    with_gateway: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def log(self) -> Path:
        return self.data.parent / f"{self.data.name}.log"

    def start(self) -> Server:
        gateway = (
            ["--gateway", f"127.0.0.1:{self.gateway_port}"]
            if self.with_gateway
            else ["--no-gateway"]
        )
        command = [str(program()), "server", "--data", str(self.data)]
        command += ["--listen", f"127.0.0.1:{self.port}", *gateway, *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
        self.wait_until(lambda: self.get("/health") == b"OK", "the server to be ready")
        return self

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=60)

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def get(self, path: str) -> bytes:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as reply:
                return bytes(reply.read())
        except (urllib.error.URLError, ConnectionError):
            return b""

    def run(self, *arguments: str, status: int = 0) -> str:
        """Runs `aloft ARGUMENTS` against this server and returns what it printed."""
        environment = {**os.environ, "ALOFT_SERVER": self.url}
        done = subprocess.run(
            [str(program()), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == status, (
            f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done.stdout if status == 0 else done.stdout + done.stderr

    def json(self, *arguments: str) -> object:
        return json.loads(self.run(*arguments, "--json"))

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert self.process is None or self.process.poll() is None, (
                f"the server ended while waiting for {what}:\n{self.log.read_text()[-2000:]}"
            )
            assert time.monotonic() < deadline, (
                f"waited {seconds} s for {what}:\n{self.log.read_text()[-2000:]}"
            )
            time.sleep(0.05)
