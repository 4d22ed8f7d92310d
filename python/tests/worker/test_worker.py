"""The Python worker as the gateway uses it: a process, a Unix socket, messages."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from aloft_models.worker.frames import receive
from mlflow.models import infer_signature

DOUBLER = """
import mlflow
import pandas as pd


class Doubler(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        print("a line on stdout, as models like to write")
        if (model_input["x"] < 0).any():
            raise ValueError("x is negative")
        if (model_input["x"] == 1000).any():  # how many rows came in this call
            model_input["x"] = len(model_input) / 2
        return pd.DataFrame({"doubled": model_input["x"] * 2, "name": model_input["name"]})


mlflow.models.set_model(Doubler())
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    code = tmp_path_factory.mktemp("doubler") / "doubler.py"
    code.write_text(DOUBLER)
    folder = code.parent / "model"
    example = pd.DataFrame({"x": [1.5, 2.5], "name": ["a", "b"]})
    mlflow.pyfunc.save_model(
        str(folder),
        python_model=str(code),
        signature=infer_signature(example),
        input_example=example,
        pip_requirements=["mlflow-skinny"],
    )
    return folder


Connect = Callable[[], socket.socket]


class Worker:
    def __init__(self, model: Path, folder: Path) -> None:
        self.socket = folder / "worker.sock"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "aloft_models.worker"),
                *("--model", str(model), "--socket", str(self.socket)),
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def connect(self) -> socket.socket:
        deadline = time.monotonic() + 60
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(60)
            try:
                connection.connect(str(self.socket))
                return connection
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
                assert time.monotonic() < deadline
                assert self.process.poll() is None, self.process.communicate()[1].decode()
                time.sleep(0.02)


@pytest.fixture(scope="module")
def worker(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    one = Worker(model, tmp_path_factory.mktemp("worker"))
    yield one
    one.process.terminate()
    assert one.process.wait(timeout=60) == 0


def send(connection: socket.socket, header: Any, payload: bytes = b"") -> None:
    text = json.dumps(header).encode()
    connection.sendall(struct.pack("<IQ", len(text), len(payload)) + text + payload)


def read(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    message = receive(connection)
    assert message is not None
    return message[0], bytes(message[1])


def text_bytes(*texts: str) -> bytes:
    encoded = [text.encode() for text in texts]
    return b"".join(struct.pack("<I", len(text)) + text for text in encoded)


def request(identity: int, xs: list[float], names: list[str]) -> tuple[dict[str, Any], bytes]:
    numbers = np.array(xs, dtype="<f8").tobytes()
    texts = text_bytes(*names)
    entries = [
        {"name": "x", "datatype": "FP64", "shape": [len(xs), 1], "offset": 0,
         "length": len(numbers)},
        {"name": "name", "datatype": "BYTES", "shape": [len(names), 1], "offset": len(numbers),
         "length": len(texts)},
    ]  # fmt: skip
    return {"id": identity, "kind": "infer", "inputs": entries, "parameters": {}}, numbers + texts


def test_says_what_it_serves_then_answers(worker: Worker) -> None:
    with worker.connect() as connection:
        ready, _ = read(connection)
        assert ready == {
            "kind": "ready",
            "inputs": [
                {"name": "x", "datatype": "FP64", "shape": [-1, 1]},
                {"name": "name", "datatype": "BYTES", "shape": [-1, 1]},
            ],
            "outputs": [
                {"name": "doubled", "datatype": "FP64", "shape": [-1]},
                {"name": "name", "datatype": "BYTES", "shape": [-1]},
            ],
        }
        send(connection, *request(7, [1.0, 2.5], ["ä", ""]))
        reply, payload = read(connection)
        assert reply["id"] == 7
        doubled, name = reply["outputs"]
        start = doubled["offset"]
        assert np.frombuffer(payload[start : start + doubled["length"]]).tolist() == [2.0, 5.0]
        start = name["offset"]
        assert payload[start : start + name["length"]] == struct.pack("<I", 2) + "ä".encode() + (
            struct.pack("<I", 0)
        )


def test_several_requests_may_be_outstanding(worker: Worker) -> None:
    with worker.connect() as connection:
        read(connection)
        for identity in range(20):
            send(connection, *request(identity, [float(identity)], ["n"]))
        answers = {}
        for _ in range(20):
            reply, payload = read(connection)
            answers[reply["id"]] = float(np.frombuffer(payload[:8])[0])
        assert answers == {identity: 2.0 * identity for identity in range(20)}


def test_bodies_of_scoring_are_answered_each_with_its_own(worker: Worker) -> None:
    rows = [{"x": 1.5, "name": "a"}, {"x": -1.0, "name": "b"}, {"name": "c"}]
    bodies = [json.dumps({"dataframe_records": [row]}).encode() for row in rows]
    documents = [{"content_type": "application/json", "length": len(body)} for body in bodies]
    header = {"id": 5, "kind": "invocations", "together": True, "documents": documents}
    with worker.connect() as connection:
        read(connection)
        send(connection, header, b"".join(bodies))
        reply, payload = read(connection)
        assert (reply["id"], reply["kind"]) == (5, "scored")
        first, second, third = reply["documents"]
        assert json.loads(payload) == {"predictions": [{"doubled": 3.0, "name": "a"}]}
        assert first == {"length": len(payload)}
        assert second["error"] == {"code": "model_failed", "message": "ValueError: x is negative"}
        assert third["error"]["code"] == "invalid_body"
        assert "Model is missing inputs ['x']" in third["error"]["message"]
        send(connection, header | {"documents": [{"length": 9999}]}, b"")
        assert "outside the payload" in read(connection)[0]["error"]["message"]


def test_a_batch_shares_a_call_and_each_gets_its_own(worker: Worker) -> None:
    with worker.connect() as connection:
        read(connection)
        send(connection, {"kind": "batch", "count": 6})
        rows = [[1000.0], [1.0, 2.0], [3.0]]
        for identity, xs in enumerate(rows, 1):
            send(connection, *request(identity, xs, ["n"] * len(xs)))
        # Others of another form, and one that is wrong.
        numbers = {**request(4, [1000.0], ["a"])[0], "parameters": {"loud": True}}
        send(connection, numbers, request(4, [1000.0], ["a"])[1])
        send(connection, *broken(lambda h: h.update(id=5, inputs=None)))
        send(connection, *request(6, [5.0], ["z"]))
        answers: dict[int, Any] = {}
        for _ in range(6):
            reply, payload = read(connection)
            if "error" in reply:
                answers[reply["id"]] = reply["error"]["code"]
                continue
            doubled = reply["outputs"][0]
            values = payload[doubled["offset"] : doubled["offset"] + doubled["length"]]
            answers[reply["id"]] = np.frombuffer(values).tolist()
        # Five rows of four callers in one call, the caller with a parameter in another.
        assert answers[2] == [5.0, 5.0]
        assert {answers[1][0], answers[3][0], answers[6][0]} == {5.0}
        assert answers[4] == [1.0]
        assert answers[5] == "invalid_request"


def test_one_that_fails_in_a_batch_leaves_the_others_their_answers(worker: Worker) -> None:
    with worker.connect() as connection:
        read(connection)
        send(connection, {"kind": "batch", "count": 3})
        for identity, x in enumerate([2.0, -1.0, 4.0], 1):
            send(connection, *request(identity, [x], ["n"]))
        replies = [read(connection) for _ in range(3)]
        assert [reply["id"] for reply, _ in replies] == [1, 2, 3]
        assert replies[1][0]["error"]["message"] == "ValueError: x is negative"
        assert [float(np.frombuffer(replies[at][1][:8])[0]) for at in (0, 2)] == [4.0, 8.0]


def test_a_batch_that_nobody_can_mean_ends_the_connection(worker: Worker) -> None:
    for count in (0, 5000, "2", None):
        with worker.connect() as connection:
            read(connection)
            send(connection, {"kind": "batch", "count": count})
            connection.settimeout(10)
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""


def test_ping(worker: Worker) -> None:
    with worker.connect() as connection:
        read(connection)
        send(connection, {"kind": "ping"})
        assert read(connection)[0] == {"kind": "pong"}


def broken(change: Callable[[dict[str, Any]], None]) -> tuple[dict[str, Any], bytes]:
    header, payload = request(1, [1.0], ["a"])
    change(header)
    return header, payload


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda h: h.pop("inputs"), "no list of inputs"),
        (lambda h: h["inputs"].pop(), "input 'name' is missing"),
        (lambda h: h["inputs"][0].update(shape=[2, 1]), "takes 16 bytes, there are 8"),
        (lambda h: h["inputs"][0].update(shape=[-1, 1]), "not a list of sizes"),
        (lambda h: h["inputs"][0].update(datatype="FP99"), "unknown datatype 'FP99'"),
        (lambda h: h["inputs"][0].update(length=9999), "outside the payload"),
        (lambda h: h["inputs"][1].update(shape=[5, 1]), "too few for 5 BYTES elements"),
        (lambda h: h["inputs"].append(h["inputs"][0]), "'x' is given twice"),
        (lambda h: h.update(parameters=[1]), "no JSON object"),
    ],
)
def test_a_bad_request_is_named_and_harms_nothing(
    worker: Worker, change: Callable[[dict[str, Any]], None], says: str
) -> None:
    with worker.connect() as connection:
        read(connection)
        send(connection, *broken(change))
        error = read(connection)[0]["error"]
        assert error["code"] == "invalid_request"
        assert says in error["message"]
        send(connection, *request(2, [1.0], ["a"]))
        assert "outputs" in read(connection)[0]


def test_the_models_own_failure_is_reported(worker: Worker) -> None:
    with worker.connect() as connection:
        read(connection)
        send(connection, *request(3, [-1.0], ["a"]))
        reply, _ = read(connection)
        assert reply["id"] == 3
        assert reply["error"] == {"code": "model_failed", "message": "ValueError: x is negative"}


def test_a_stream_out_of_step_is_closed_and_others_live_on(worker: Worker) -> None:
    with worker.connect() as connection:
        read(connection)
        connection.sendall(b"\xff" * 64)
        connection.settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    with worker.connect() as connection:
        assert read(connection)[0]["kind"] == "ready"


def test_a_model_that_cannot_be_loaded_says_so(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    worker = Worker(tmp_path / "model", tmp_path)
    with worker.connect() as connection:
        message, _ = read(connection)
    assert message["kind"] == "failed"
    assert "no MLmodel file" in message["error"]["message"]
    assert worker.process.wait(timeout=60) == 1


def test_ends_when_its_parent_dies(model: Path, tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen([sys.executable, '-m', 'aloft_models.worker', '--model', "
        f"{str(model)!r}, '--socket', {str(tmp_path / 's')!r}], stderr=subprocess.DEVNULL)\n"
        "print(p.pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    deadline = time.monotonic() + 60
    while not (tmp_path / "s").exists():
        assert time.monotonic() < deadline, "the worker never listens"
        time.sleep(0.02)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(timeout=60)
    deadline = time.monotonic() + 60
    while is_running(worker):
        assert time.monotonic() < deadline, "the worker outlives its parent"
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
