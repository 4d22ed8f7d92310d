"""A gateway that ended in whatever way answers again soon: a crash does not hold its socket, and
what loads in a moment does not wait for Python models."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aloft_server import Server, free_port, program

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / ".runtime/fixtures"
PYTHON_MODELS = 20

ML_MODEL = """\
flavors:
  python_function:
    code: code
    loader_module: gated
mlflow_version: 3.1.0
signature:
  inputs: '[{"name": "x", "type": "double", "required": true}]'
  outputs: '[{"name": "doubled", "type": "double", "required": true}]'
"""

#: Loads once the file is there.
LOADER = """\
import pathlib
import time


class Doubled:
    def predict(self, rows, params=None):
        return rows.rename(columns={"x": "doubled"}) * 2.0


def _load_pyfunc(path):
    while not pathlib.Path(GATE).exists():
        time.sleep(0.05)
    return Doubled()
"""


def archive(gate: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, text in [
            ("MLmodel", ML_MODEL),
            ("code/gated.py", f"GATE = {str(gate)!r}\n" + LOADER),
        ]:
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


def endpoint(folder: Path, name: str, data: bytes, runtime: str) -> dict[str, Any]:
    """Puts a model on the gateway's disk, and says how it is served."""
    digest = hashlib.sha256(data).hexdigest()
    place = folder / "models" / digest
    place.mkdir(parents=True, exist_ok=True)
    (place / ("model.onnx" if runtime == "onnx" else "model.tar")).write_bytes(data)
    outputs = [{"name": "doubled", "datatype": "FP64", "shape": [-1]}] if runtime != "onnx" else []
    manifest = {"runtime": runtime, "inputs": [], "outputs": outputs}
    servable = {"digest": digest, "sizeBytes": len(data), "manifest": manifest}
    revision = {"id": f"r-{name}", "number": 1, "weightPercent": 100, "servable": servable}
    revision |= {"modelName": name, "modelVersion": "1"}
    return {
        "name": name,
        "project": "default",
        "deployment": name,
        "logSampling": 1,
        "environment": "production",
        "revisions": [revision],
    }


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def ask(port: int, path: str, body: Any = None) -> tuple[int, dict[str, str], str]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, _lower(reply.headers), reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, _lower(error.headers), error.read().decode()
    except OSError as error:
        return 0, {}, str(error)


def wait_until(holds: Callable[[], bool], what: str) -> float:
    """The seconds until it held."""
    begin = time.monotonic()
    while not holds():
        assert time.monotonic() - begin < 120, f"never: {what}"
        time.sleep(0.02)
    return time.monotonic() - begin


INFER = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}
ROWS = {"dataframe_split": {"columns": ["x"], "data": [[4.0]]}}


def test_after_a_kill_what_loads_in_a_moment_answers_before_python_models(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    folder = tmp_path / "gateway"
    names = [f"a-python-{number:02}" for number in range(PYTHON_MODELS)]
    endpoints = [endpoint(folder, name, archive(gate), "python") for name in names]
    onnx = (FIXTURES / "constant-1.onnx").read_bytes()
    endpoints.append(endpoint(folder, "z-onnx", onnx, "onnx"))
    (folder / "desired-state.json").write_text(json.dumps({"revision": 1, "endpoints": endpoints}))
    port = free_port()
    command = [str(program()), "gateway", "--server", "http://127.0.0.1:1", "--data", str(folder)]
    command += ["--listen", f"127.0.0.1:{port}", "--python", sys.executable]

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def answers() -> bool:
        return ask(port, "/v2/models/z-onnx/infer", INFER)[0] == 200

    gateway = start()
    try:
        wait_until(answers, "the ONNX model answers")
        gateway.kill()
        gateway.wait(timeout=60)
        gateway = start()
        seconds = wait_until(answers, "the ONNX model answers after a kill")
        print(f"first answer of an ONNX model beside {PYTHON_MODELS} of Python: {seconds:.2f} s")

        # None of Python can be ready yet; each says so, and that it is worth asking again.
        for name in names:
            status, headers, text = ask(port, f"/deployments/{name}/invocations", ROWS)
            assert status == 503, text
            assert "is being loaded" in text
            assert int(headers["retry-after"]) >= 1
        assert ask(port, "/v2/models/z-onnx/ready")[0] == 200
        assert ask(port, "/v2/health/live")[0] == 200
        assert ask(port, "/v2/health/ready")[0] == 503

        gate.touch()

        def one_is_ready() -> bool:
            return any(ask(port, f"/v2/models/{name}/ready")[0] == 200 for name in names)

        wait_until(one_is_ready, "a Python model is ready")
        ready = next(name for name in names if ask(port, f"/v2/models/{name}/ready")[0] == 200)
        status, _, text = ask(port, f"/deployments/{ready}/invocations", ROWS)
        assert status == 200, text
        assert "8" in text
    finally:
        gateway.kill()
        gateway.wait(timeout=60)


def child(server: Server) -> int | None:
    try:
        record = json.loads((server.data / "gateway/child.json").read_text())
        return int(record["process"]["processID"])
    except (OSError, ValueError, KeyError):
        return None


def test_a_gateway_that_crashes_is_started_again_and_leaves_a_report(
    make_server: Callable[..., Server],
) -> None:
    if "SWIFT_BACKTRACE" in os.environ:
        del os.environ["SWIFT_BACKTRACE"]
    server = make_server(with_gateway=True)

    def lives() -> bool:
        return ask(server.gateway_port, "/v2/health/live")[0] == 200

    wait_until(lives, "the gateway lives")
    for number in (signal.SIGSEGV, signal.SIGILL):
        first = child(server)
        assert first is not None
        os.kill(first, number)

        def is_another(first: int = first) -> bool:
            return child(server) not in (None, first) and lives()

        seconds = wait_until(is_another, "another gateway lives")
        print(f"a gateway that got {number.name} answers again after {seconds:.2f} s")
    reports = list((server.data / "gateway/crash-reports").iterdir())
    assert len(reports) == 2
    assert all("crashed" in report.read_text() for report in reports)
