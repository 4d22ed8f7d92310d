"""The grid of `scoring_grid` once more, through a server's conversion, a gateway and its workers;
and what the inference protocol makes of models that no tensors describe."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
from aloft_server import free_port, program
from scoring_grid import Outcome, compare, kinds, save

KINDS = kinds()
DEPLOYED = ["plain", "named tensors", "bare", "list of Pair"]


@dataclass
class Gateway:
    port: int
    folders: dict[str, Path]

    def ask(self, path: str, body: bytes, content_type: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Content-Type": content_type, "X-Request-Timeout": "50s"}
            connection.request("POST", path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def score(self, kind: str, body: bytes, content_type: str) -> Outcome:
        path = f"/deployments/{name_of(kind)}/invocations"
        status, text = self.ask(path, body, content_type)
        return Outcome(status, text.decode() if status == 200 else json.loads(text)["error"])

    def infer(self, kind: str, *inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
        body = json.dumps({"inputs": inputs, **more}).encode()
        path = f"/v2/models/{name_of(kind)}/infer"
        status, text = self.ask(path, body, "application/json")
        assert status == 200, text
        outputs = json.loads(text)["outputs"]
        return {one["name"]: (one["datatype"], one["shape"], one["data"]) for one in outputs}

    def is_alive(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/v2/health/live")
            return connection.getresponse().status == 200
        finally:
            connection.close()


def name_of(kind: str) -> str:
    return "grid-" + kind.replace(" ", "-").lower()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, server_type: type) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("scoring")
    server = server_type(data=folder / "data").start()
    mlflow.set_tracking_uri(server.url)
    folders = {}
    for kind in DEPLOYED:
        place = folder / name_of(kind)
        place.mkdir()
        folders[kind] = save(KINDS[kind], place)
        with mlflow.start_run() as run:
            mlflow.log_artifacts(str(folders[kind]), "model")
        client = mlflow.MlflowClient()
        client.create_registered_model(name_of(kind))
        client.create_model_version(
            name_of(kind), f"runs:/{run.info.run_id}/model", run.info.run_id
        )
    port = free_port()
    command = [str(program()), "gateway", "--server", server.url, "--python", sys.executable]
    command += ["--data", str(folder / "gateway"), "--listen", f"127.0.0.1:{port}"]
    with (folder / "gateway.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        for kind in DEPLOYED:
            name = name_of(kind)
            server.run("deploy", name, "--model", f"{name}/1", "--at-once", "--wait")
        one = Gateway(port, folders)
        for kind in DEPLOYED:
            server.wait_until(lambda kind=kind: is_ready(one, kind), f"{kind} to answer", 180)
        yield one
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0
        server.stop()


def is_ready(gateway: Gateway, kind: str) -> bool:
    body, content_type = KINDS[kind].bodies[0]
    try:
        return gateway.score(kind, body, content_type).status not in (404, 429, 503)
    except OSError:
        return False


@pytest.mark.parametrize("kind", DEPLOYED)
def test_the_gateway_answers_as_mlflow(gateway: Gateway, kind: str) -> None:
    model = mlflow.pyfunc.load_model(str(gateway.folders[kind]))
    count, said = compare(KINDS[kind], model, lambda body, of: gateway.score(kind, body, of))
    assert not said, f"{len(said)} of {count} differ:\n" + "\n".join(said[:20])
    assert gateway.is_alive()


def text(name: str, *values: Any, shape: list[int] | None = None) -> dict[str, Any]:
    return tensor(name, "BYTES", list(values), shape)


def tensor(
    name: str, datatype: str, values: list[Any], shape: list[int] | None = None
) -> dict[str, Any]:
    shape = shape or [len(values), 1]
    return {"name": name, "datatype": datatype, "shape": shape, "data": values}


def test_the_inference_protocol_answers_what_the_model_gave(gateway: Gateway) -> None:
    rows = [tensor("x", "FP64", [1.5, 2]), tensor("n", "INT64", [1, 2]), text("s", "a", "b")]
    rows.append(tensor("b", "BOOL", [True, False]))
    asked = [
        ("matrix", {"prediction": ("FP64", [2, 3], [0, 0.5, 1, 1.5, 2, 2.5])}),
        ("cube", {"prediction": ("FP64", [2, 2, 2], [1] * 8)}),
        ("mixed", {"prediction": ("FP64", [2], [2.5, 1])}),
        ("missing", {"prediction": ("FP64", [2], [None, 7])}),
        ("texts", {"prediction": ("BYTES", [2], ['ä\u2028"0', 'ä\u2028"1'])}),
        ("table", {"class": ("BYTES", [2], ["a", "a"]), "score": ("FP64", [2], [0, 0.25])}),
        ("nullable", {"n": ("FP64", [2], [1, None])}),
        ("dict", {"a": ("FP64", [2], [1.5, 1.5]), "b": ("BYTES", [2], ["x", "x"])}),
        ("number", {"prediction": ("INT64", [1], [3])}),
        ("ragged", {"prediction": ("BYTES", [2], ["[]", "[0]"])}),
    ]
    for answer, wanted in asked:
        found = gateway.infer("plain", *rows, parameters={"answer": answer})
        assert found == wanted, answer


def test_the_inference_protocol_takes_json_where_no_tensor_fits(gateway: Gateway) -> None:
    pairs = text("input", '{"a": "x"}', '{"a": "y", "n": 4}', shape=[2])
    assert gateway.infer("list of Pair", pairs) == {
        "prediction": ("BYTES", [2], ["Pair(a='x', n=3)", "Pair(a='y', n=4)"])
    }
    bare = gateway.infer("bare", text("input", "1", "2.5", shape=[2]))
    datatype, shape, values = bare["prediction"]
    assert (datatype, shape) == ("BYTES", [2])
    assert all(value.startswith("float64 ") for value in values)
    named = gateway.infer("bare", text("input", "1", shape=[1]), outputs=[{"name": "prediction"}])
    assert list(named) == ["prediction"]
    sums = gateway.infer(
        "named tensors",
        tensor("x", "FP32", [1, 2], [1, 2]),
        tensor("w", "INT64", [5], [1]),
        parameters={"answer": "floats"},
    )
    assert sums == {"prediction": ("FP64", [1], [0])}
