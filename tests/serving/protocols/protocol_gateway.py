"""Real gateways that serve the fixtures' models, without a server: started from a stored state."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aloft_server import ROOT, free_port, program

__all__ = ["ROOT", "Gateway", "fixture", "free_port", "limited_gateway", "program"]

FIXTURES = ROOT / ".runtime/fixtures"


@dataclass
class Gateway:
    """One `aloft gateway` with HTTP and gRPC on free ports."""

    folder: Path
    arguments: list[str] = field(default_factory=list)
    http_port: int = field(default_factory=free_port)
    grpc_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    endpoints: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.http_port}"

    @property
    def grpc_url(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def deploy(self, name: str, *models: tuple[Path, float], **manifest: Any) -> None:
        """An endpoint over ONNX files with their weights in percent; before `start`."""
        revisions = []
        for number, (path, weight) in enumerate(models, 1):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            place = self.folder / "models" / digest
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place / "model.onnx")
            revisions.append(
                {
                    "id": f"{name}-{number}",
                    "number": number,
                    "weightPercent": weight,
                    "modelName": name,
                    "modelVersion": str(number),
                    "servable": {
                        "digest": digest,
                        "sizeBytes": path.stat().st_size,
                        "manifest": {"runtime": "onnx", "inputs": [], "outputs": [], **manifest},
                    },
                }
            )
        self.endpoints.append(
            {
                "name": name,
                "project": "default",
                "deployment": name,
                "environment": "production",
                "logSampling": 1,
                "revisions": revisions,
            }
        )

    def start(self) -> Gateway:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {"revision": 1, "endpoints": self.endpoints}
        (self.folder / "desired-state.json").write_text(json.dumps(state))
        command = [str(program()), "gateway", "--server", "http://127.0.0.1:1"]
        command += ["--data", str(self.folder), "--listen", self.url, "--grpc", self.grpc_url]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*command, *self.arguments], stdout=log, stderr=log)
        self.wait_until(self.is_ready, "the gateway to be ready")
        return self

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.grpc_port), 1):
                pass
            with socket.create_connection(("127.0.0.1", self.http_port), 1) as probe:
                probe.sendall(
                    b"GET /v2/health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
                )
                return b" 200 " in probe.recv(100)
        except OSError:
            return False

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            log = (self.folder / "log").read_text()
            assert self.process is not None and self.process.poll() is None, log
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}:\n{log[-2000:]}"
            time.sleep(0.05)

    def resident_megabytes(self) -> float:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def fixture(name: str) -> Path:
    path = FIXTURES / name
    if not path.exists():
        pytest.exit(f"{path} is missing: run `make setup-tests`", returncode=2)
    return path


@contextlib.contextmanager
def limited_gateway(folder: Path, *arguments: str) -> Iterator[Gateway]:
    """One of its own that serves `split` and takes a mebibyte at most."""
    one = Gateway(folder=folder, arguments=["--body-limit", "1", *arguments])
    one.deploy("split", (fixture("constant-1.onnx"), 100))
    one.start()
    yield one
    assert one.stop() == 0
