"""A model that ONNX cannot express, from a logged run to predictions over HTTP: the server stores
it, a gateway builds its environment and runs it in a worker. What it does wrong stays with it."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow.models import infer_signature

ROOT = Path(__file__).resolve().parents[2]

#: -1 ends the process, -2 hangs, -3 takes memory, -4 fails; anything else comes back doubled.
MODEL = """
import os
import sys
import time

import mlflow
import pandas as pd

kept = []


class Moody(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        first = model_input["x"].iloc[0]
        print(f"asked for {first}", file=sys.stderr)
        if first == -1:
            os._exit(3)
        if first == -2:
            time.sleep(3600)
        if first == -3:
            kept.append(os.urandom(1 << 20) * 900)
            time.sleep(30)
        if first == -4:
            raise ValueError("x must not be -4")
        return pd.DataFrame({"doubled": model_input["x"] * 2.0})


mlflow.models.set_model(Moody())
"""


@dataclass
class Served:
    server: Any
    port: int
    folder: Path

    def ask(self, x: float, timeout: str | None = "60s") -> tuple[int, dict[str, Any]]:
        body = {"dataframe_split": {"columns": ["x"], "data": [[x]]}}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/deployments/moody/invocations",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"}
            | ({"X-Request-Timeout": timeout} if timeout else {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 120
        while self.ask(3)[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def metric(self, part: str, name: str = "") -> float:
        wanted = name or f"aloft_gateway_batch_requests_{part}"
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as reply:
            lines = reply.read().decode().splitlines()
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.split("{")[0].split(" ")[0] == wanted
        )

    @property
    def log(self) -> str:
        (path,) = (self.folder / "python").glob("worker-*.log")
        return path.read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, server_type: type) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("python-models")
    code = folder / "moody.py"
    code.write_text(MODEL)
    server = server_type(data=folder / "data").start()
    mlflow.set_tracking_uri(server.url)
    mlflow.set_experiment("python-models")
    example = pd.DataFrame({"x": [1.5, 2.5]})
    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(code),
            signature=infer_signature(example, pd.DataFrame({"doubled": [3.0, 5.0]})),
            input_example=example,
            pip_requirements=["mlflow-skinny"],
            registered_model_name="moody",
        )
    port = server.gateway_port
    program = os.environ.get("ALOFT_PROGRAM", str(ROOT / ".build/debug/aloft"))
    command = [program, "gateway", "--server", server.url, "--data", str(folder / "gateway")]
    command += ["--listen", f"127.0.0.1:{port}", "--worker-memory", "700"]
    with (folder / "gateway.log").open("ab") as log:
        gateway = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        server.run("deploy", "moody", "--model", "moody/1", "--at-once", "--wait")
        one = Served(server, port, folder / "gateway")
        one.wait_until_it_answers()
        yield one
    finally:
        gateway.terminate()
        assert gateway.wait(timeout=60) == 0
        server.stop()


def test_it_answers_and_what_it_writes_is_in_its_log(served: Served) -> None:
    status, answer = served.ask(21)
    assert (status, answer) == (200, {"predictions": [{"doubled": 42.0}]})
    assert "asked for 21" in served.log


def test_callers_that_wait_are_all_answered_and_share_calls(served: Served) -> None:
    """Sixteen that ask again as soon as they are answered are no flood, though they name no
    deadline."""

    def ask_often(caller: int) -> list[tuple[int, Any]]:
        return [served.ask(100 * caller + turn, timeout=None) for turn in range(1, 21)]

    count, total = served.metric("count"), served.metric("sum")
    with ThreadPoolExecutor(16) as callers:
        found = list(callers.map(ask_often, range(1, 17)))
    for caller, answers in enumerate(found, 1):
        doubled = [
            (200, {"predictions": [{"doubled": 2.0 * (100 * caller + turn)}]})
            for turn in range(1, 21)
        ]
        assert answers == doubled
    asked = served.metric("sum") - total
    assert asked == 320
    assert served.metric("count") - count < asked
    assert served.metric("shed", "aloft_gateway_shed_total") == 0


def test_what_the_model_raises_is_the_answer(served: Served) -> None:
    status, answer = served.ask(-4)
    assert status == 400
    assert answer["code"] == "model_failed"
    assert "x must not be -4" in answer["error"]
    assert served.ask(4)[0] == 200


def test_a_worker_that_crashes_costs_its_request_and_no_other(served: Served) -> None:
    status, answer = served.ask(-1)
    assert (status, answer["code"]) == (503, "worker_failed")
    served.wait_until_it_answers()


def test_a_worker_that_hangs_is_ended_at_the_deadline(served: Served) -> None:
    began = time.monotonic()
    status, answer = served.ask(-2, timeout="1s")
    assert (status, answer["code"]) == (504, "deadline_exceeded")
    assert time.monotonic() - began < 30
    served.wait_until_it_answers()


def test_a_worker_that_takes_too_much_memory_is_ended(served: Served) -> None:
    status, answer = served.ask(-3)
    assert (status, answer["code"]) == (503, "worker_failed")
    assert "the limit is 700 MiB" in answer["error"]
    served.wait_until_it_answers()


def test_its_line_is_in_the_metrics(served: Served) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/metrics", timeout=30) as reply:
        metrics = reply.read().decode()
    (line,) = (
        line
        for line in metrics.splitlines()
        if line.startswith("aloft_gateway_batch_requests_count")
    )
    assert int(line.split()[-1]) >= 6
    assert "aloft_gateway_queue_length" in metrics
