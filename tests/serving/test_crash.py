"""A model that crashes the process again and again is found out; its neighbour serves on."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from aloft_server import ROOT, free_port, program

FIXTURES = ROOT / ".runtime/fixtures"
TGKILL = 234  # x86-64


def place(folder: Path, models: dict[str, str]) -> None:
    """The disk of a gateway that serves these models without a server."""
    endpoints = []
    for name, file in models.items():
        data = (FIXTURES / file).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        (folder / "models" / digest).mkdir(parents=True)
        (folder / "models" / digest / "model.onnx").write_bytes(data)
        manifest = {"runtime": "onnx", "inputs": [], "outputs": []}
        servable = {"digest": digest, "sizeBytes": len(data), "manifest": manifest}
        revision = {"id": f"r-{name}", "number": 1, "weightPercent": 100, "servable": servable}
        revision |= {"modelName": name, "modelVersion": "1"}
        endpoint = {"name": name, "project": "default", "deployment": name, "logSampling": 1}
        endpoints.append({**endpoint, "environment": "production", "revisions": [revision]})
    (folder / "desired-state.json").write_text(json.dumps({"revision": 1, "endpoints": endpoints}))


class Gateway:
    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        command = [
            str(program()),
            "gateway",
            "--server",
            "http://127.0.0.1:1",
            "--data",
            str(folder),
        ]
        command += ["--listen", f"127.0.0.1:{self.port}"]
        with (folder / "log").open("ab") as log:
            # Swift's own report of a crash takes long in a debug build.
            environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no"}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, str]:
        try:
            url = f"http://127.0.0.1:{self.port}{path}"
            with urllib.request.urlopen(url, body, timeout=30) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def wait_for(self, path: str, status: int) -> None:
        deadline = time.monotonic() + 60
        while self.ask(path)[0] != status:
            assert time.monotonic() < deadline and self.process.poll() is None
            time.sleep(0.02)

    def threads(self) -> dict[int, int]:
        """CPU ticks of the threads that run slow models."""
        ticks = {}
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                if (task / "comm").read_text().startswith("TP-"):
                    fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
                    ticks[int(task.name)] = int(fields[11]) + int(fields[12])
            except OSError:
                continue
        return ticks

    def crash_in_model(self) -> None:
        """SIGSEGV in the thread that runs the model, as a fault of its own would be."""
        rows = [1] * (16 * 128 * 128)
        tensor = {"name": "x", "shape": [16, 128, 128], "datatype": "FP32", "data": rows}
        # Below 1 MiB: what is larger is read by threads of the same name.
        body = json.dumps({"inputs": [tensor]}, separators=(",", ":")).encode()
        asking = [
            threading.Thread(target=self.ask, args=("/v2/models/slow/infer", body))
            for _ in range(4)
        ]
        for thread in asking:
            thread.start()
        before = self.threads()
        busiest = 0
        deadline = time.monotonic() + 60
        while not busiest:
            assert time.monotonic() < deadline
            time.sleep(0.02)
            now = self.threads()
            busiest = next((t for t in now if now[t] - before.get(t, 0) >= 3), 0)
        ctypes.CDLL(None).syscall(TGKILL, self.process.pid, busiest, int(signal.SIGSEGV))
        assert self.process.wait(timeout=60) == -signal.SIGSEGV
        for thread in asking:
            thread.join()


def test_a_model_that_crashed_the_gateway_twice_is_not_loaded_again(tmp_path: Path) -> None:
    place(tmp_path, {"slow": "slow.onnx", "good": "constant-1.onnx"})
    good = json.dumps(
        {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}
    ).encode()
    for _ in range(2):
        gateway = Gateway(tmp_path)
        gateway.wait_for("/v2/health/ready", 200)
        gateway.crash_in_model()
    assert (tmp_path / "crashes").stat().st_size == 16
    gateway = Gateway(tmp_path)
    try:
        gateway.wait_for("/v2/models/good/ready", 200)
        status, text = gateway.ask("/v2/models/slow/infer", b"{}")
        assert status == 503
        assert "crashed this gateway 2 times" in text
        assert gateway.ask("/v2/models/good/infer", good)[0] == 200
    finally:
        gateway.process.terminate()
        assert gateway.process.wait(timeout=60) == 0


def test_a_gateway_that_is_killed_blames_no_model(tmp_path: Path) -> None:
    place(tmp_path, {"good": "constant-1.onnx"})
    gateway = Gateway(tmp_path)
    gateway.wait_for("/v2/health/ready", 200)
    gateway.process.send_signal(signal.SIGSEGV)
    assert gateway.process.wait(timeout=60) == -signal.SIGSEGV
    assert (tmp_path / "crashes").stat().st_size == 0
