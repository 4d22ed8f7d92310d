"""The server under the demo, and the program as its client."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.screen import SCREEN

PROJECT = Path(__file__).resolve().parents[1]


class StepFailed(Exception):
    """A step of the demo did not hold; the text says which and why."""


@dataclass
class Aloft:
    program: Path
    folder: Path
    listen: str
    gateway: str
    process: subprocess.Popen[bytes] | None = None
    killed: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{self.listen}"

    @property
    def gateway_url(self) -> str:
        return f"http://{self.gateway}"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def start(self) -> float:
        """Starts the server; returns the seconds until it answered."""
        command = [str(self.program), "server", "--data", str(self.folder / "data")]
        command += ["--listen", self.listen, "--gateway", self.gateway]
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        while time.monotonic() - began < 30:
            if self.process.poll() is not None:
                raise StepFailed(f"the server ended at once:\n{tail(self.log)}")
            if get(self.url + "/health") == b"OK":
                return time.monotonic() - began
            time.sleep(0.005)
        raise StepFailed(f"the server did not answer within 30 s:\n{tail(self.log)}")

    def kill_and_restart(self) -> None:
        """What a crash or a power cut does, then what an operator does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.killed += 1
        time.sleep(1)
        seconds = self.start()
        SCREEN.fact(f"killed the server (SIGKILL); it is back after {1 + seconds:.1f} s")

    def stop(self) -> int:
        if self.process is None or self.process.poll() is not None:
            return 0 if self.process is None else self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return -9

    def run(self, *arguments: str, timeout: float = 900) -> str:
        """Runs `aloft ARGUMENTS`; returns what it printed. StepFailed where it fails."""
        environment = {**os.environ, **self.environment, "ALOFT_SERVER": self.url}
        done = subprocess.run(
            [str(self.program), *arguments],
            env=environment,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if done.returncode != 0:
            raise StepFailed(
                f"aloft {' '.join(arguments)} ended with {done.returncode}:\n"
                f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
            )
        return done.stdout

    def json(self, *arguments: str, timeout: float = 900) -> Any:
        return json.loads(self.run(*arguments, "--json", timeout=timeout))

    def api(self, method: str, path: str, missing: Any = None) -> Any:
        """A call of /api/v1 that outlasts a restart of the server. `missing` answers a 404."""
        return self.call(method, f"/api/v1/{path}", None, missing=missing)

    def job(self, identifier: str) -> dict[str, Any]:
        return dict(self.api("GET", f"jobs/{identifier}")["job"])

    def tracking(
        self, method: str, path: str, body: dict[str, Any] | None = None, tolerate: bool = False
    ) -> Any:
        """A call of the tracking protocol, as any MLflow client makes it."""
        return self.call(method, f"/api/2.0/mlflow/{path}", body, missing={} if tolerate else None)

    def call(self, method: str, path: str, body: dict[str, Any] | None, missing: Any) -> Any:
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json"},
        )
        for remaining in range(20, -1, -1):
            try:
                with urllib.request.urlopen(request, timeout=30) as reply:
                    return json.loads(reply.read())
            except urllib.error.HTTPError as error:
                if missing is not None and error.code in (400, 404):
                    return missing or {"state": "pending"}
                text = error.read().decode(errors="replace")
                raise StepFailed(f"{method} {path}: {error.code} {text}") from error
            except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
                if remaining == 0:
                    raise StepFailed(f"{method} {path}: {error}") from error
                time.sleep(0.5)
        raise AssertionError("unreachable")


def get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bytes(reply.read())
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return b""


def tail(path: Path, lines: int = 25) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def is_free(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return False
    return True
