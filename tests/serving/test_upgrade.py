"""The gateway is replaced, by a restarted server and by hand, while clients go on asking."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parents[2]


class Client:
    """Asks on a kept-open connection until told to stop; notes what was not answered with 200."""

    def __init__(self, port: int, body: bytes) -> None:
        self.port = port
        self.body = body
        self.answered = 0
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self._stop.is_set():
            try:
                connection = connection or http.client.HTTPConnection(
                    "127.0.0.1", self.port, timeout=30
                )
                connection.request("POST", "/v2/models/demo/infer", self.body)
                reply = connection.getresponse()
                text = reply.read()
                if reply.status == 200:
                    self.answered += 1
                else:
                    self.failures.append(f"{reply.status} {text.decode()}")
                if reply.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection = None

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


@contextmanager
def clients(port: int, body: bytes) -> Iterator[list[Client]]:
    running = [Client(port, body) for _ in range(4)]
    try:
        yield running
    finally:
        for client in running:
            client.end()


def request_of(server) -> bytes:  # type: ignore[no-untyped-def]
    """A request for the deployed model: the model's own example."""
    found = json.loads(server.get("/api/v1/models/demo/versions/1/servable"))
    return json.dumps(found["manifest"]["example"]).encode()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, server_type):  # type: ignore[no-untyped-def]
    """A server whose deployment `demo` is in production."""
    folder: Path = tmp_path_factory.mktemp("upgrade")
    server = server_type(data=folder / "data", with_gateway=True).start()
    rows = np.random.default_rng(1).normal(size=(60, 4)).astype("float32")
    model = LogisticRegression().fit(rows, rows[:, 0] > 0)
    mlflow.set_tracking_uri(server.url)
    mlflow.set_experiment("upgrade")
    with mlflow.start_run():
        mlflow.sklearn.log_model(
            model, name="model", input_example=rows[:3], registered_model_name="demo"
        )
    server.run("deploy", "demo", "--model", "demo/1", "--at-once", "--wait")
    yield server
    server.stop()


def gateway_process(server) -> int:  # type: ignore[no-untyped-def]
    record = json.loads((server.data / "gateway/child.json").read_text())
    return int(record["process"]["processID"])


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait(holds: Callable[[], bool], what: str, server) -> None:  # type: ignore[no-untyped-def]
    server.wait_until(holds, what, seconds=120)


def test_a_restarted_server_of_another_build_replaces_its_gateway_and_no_request_fails(  # type: ignore[no-untyped-def]
    deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = deployed
    first = gateway_process(server)
    program = Path(os.environ.get("ALOFT_PROGRAM", ROOT / ".build/debug/aloft"))
    # The same program in another file is another build for the server.
    upgraded = tmp_path / "aloft"
    shutil.copy2(program.resolve(), upgraded)
    runtime = next((ROOT / ".runtime/onnxruntime/onnxruntime/capi").glob("libonnxruntime.so.1*"))
    with clients(server.gateway_port, request_of(server)) as asking:
        for _ in range(2):
            server.process.send_signal(signal.SIGHUP)
            assert server.process.wait(timeout=30) == 0
            assert is_running(first), "the gateway answers while the server is away"
            # The same build adopts the gateway as it is.
            server.start()
            assert gateway_process(server) == first
        server.process.send_signal(signal.SIGHUP)
        assert server.process.wait(timeout=30) == 0
        monkeypatch.setenv("ALOFT_PROGRAM", str(upgraded))
        monkeypatch.setenv("ALOFT_ONNXRUNTIME", str(runtime))
        server.arguments = ["--share", str(ROOT / "python")]
        server.start()
        wait(lambda: not is_running(first), "the old gateway to end", server)
        before = sum(client.answered for client in asking)
        wait(
            lambda: sum(client.answered for client in asking) > before + 40,
            "the new gateway to answer",
            server,
        )
    second = gateway_process(server)
    assert second != first
    assert os.stat(f"/proc/{second}/exe").st_ino == upgraded.stat().st_ino
    assert [failure for client in asking for failure in client.failures] == []
    server.arguments = []


def test_a_gateway_started_by_hand_takes_over_with_other_options(  # type: ignore[no-untyped-def]
    deployed, tmp_path: Path
) -> None:
    server = deployed
    program = Path(os.environ.get("ALOFT_PROGRAM", ROOT / ".build/debug/aloft"))
    folder = tmp_path / "gateway"
    port = server.port + 1 if server.port < 65000 else server.port - 1
    command = [str(program), "gateway", "--server", server.url, "--data", str(folder)]
    command += ["--listen", f"127.0.0.1:{port}"]
    log = (tmp_path / "log").open("ab")

    def start(*options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*command, *options], stdout=log, stderr=log)

    def answers() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/v2/models/demo/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    running = start()
    try:
        wait(answers, "the first gateway", server)
        with clients(port, request_of(server)) as asking:
            for options in (["--threads", "2"], ["--model-memory", "64"], []):
                successor = start(*options)
                assert running.wait(timeout=120) == 0
                running = successor
            before = sum(client.answered for client in asking)
            wait(
                lambda: sum(client.answered for client in asking) > before + 40,
                "the last gateway to answer",
                server,
            )
        assert [failure for client in asking for failure in client.failures] == []
        refused = subprocess.run(
            [*command[:-1], "127.0.0.1:1"], capture_output=True, text=True, timeout=60
        )
        assert refused.returncode != 0
        assert "Another gateway works in this folder" in refused.stderr
    finally:
        running.terminate()
        running.wait(timeout=30)
        log.close()
