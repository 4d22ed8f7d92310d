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

import cloudpickle
import mlflow
import pandas as pd
import pytest
import scoring_onnx
from aloft_server import free_port, program
from scoring_grid import Outcome, compare, kinds, save

KINDS = kinds()
DEPLOYED = ["plain", "named tensors", "bare", "list of Pair"]
CONVERTED = list(scoring_onnx.SERVED)


@dataclass
class Gateway:
    server: Any
    port: int
    folders: dict[str, Path]

    def ask_numbers(self, name: str, rows: list[list[float]]) -> None:
        """Each row by itself, by the inference protocol."""
        for x, n, y in rows:
            inputs = [
                tensor("x", "FP64", [x]), tensor("n", "INT64", [n]), tensor("y", "FP64", [y])
            ]  # fmt: skip
            body = json.dumps({"inputs": inputs}).encode()
            status, text = self.ask(f"/v2/models/{name}/infer", body, "application/json")
            assert status == 200, text

    def wait_for(self, name: str, rows: list[list[float]]) -> None:
        def is_there() -> bool:
            try:
                self.ask_numbers(name, rows)
            except (AssertionError, OSError):
                return False
            return True

        self.server.wait_until(is_there, f"{name} to answer", 120)

    def ask(
        self, path: str, body: bytes, content_type: str, method: str = "POST"
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Content-Type": content_type, "X-Request-Timeout": "50s"}
            connection.request(method, path, body, headers)
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
    for kind in DEPLOYED + CONVERTED:
        place = folder / name_of(kind)
        place.mkdir()
        folders[kind] = (
            save(KINDS[kind], place) if kind in DEPLOYED else scoring_onnx.save(kind, place)
        )
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
        for kind in DEPLOYED + CONVERTED:
            name = name_of(kind)
            server.run("deploy", name, "--model", f"{name}/1", "--at-once", "--wait")
        one = Gateway(server, port, folders)
        for kind in DEPLOYED + CONVERTED:
            server.wait_until(lambda kind=kind: is_ready(one, kind), f"{kind} to answer", 180)
        yield one
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0
        server.stop()


def is_ready(gateway: Gateway, kind: str) -> bool:
    asked = KINDS[kind] if kind in DEPLOYED else scoring_onnx.SERVED[kind]
    body, content_type = asked.bodies[0]
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


@pytest.mark.parametrize("kind", CONVERTED)
def test_a_converted_model_answers_as_mlflow(gateway: Gateway, kind: str) -> None:
    """What differs is what `docs/reference/limits.md` says of scoring by ONNX, and nothing else."""
    model = mlflow.pyfunc.load_model(str(gateway.folders[kind]))
    said = scoring_onnx.compare(kind, model, lambda body, of: gateway.score(kind, body, of))
    meant = scoring_onnx.SERVED[kind].otherwise
    odd = [(one, how) for one, how in said if one not in meant]
    assert not odd, f"{len(odd)} differ:\n" + "\n".join(
        f"{body[:200]!r} ({of}): {how}" for (body, of), how in odd
    )
    assert [one for one, _ in said] == meant, "what is said to differ does"
    assert gateway.is_alive()


def text(name: str, *values: Any, shape: list[int] | None = None) -> dict[str, Any]:
    return tensor(name, "BYTES", list(values), shape)


def tensor(
    name: str, datatype: str, values: list[Any], shape: list[int] | None = None
) -> dict[str, Any]:
    shape = shape or [len(values), 1]
    return {"name": name, "datatype": datatype, "shape": shape, "data": values}


class Labels(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """The classifier's labels, by Python."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        return self.model.predict(model_input)


PROJECT = """project: default
models:
  both: {}
deployments:
  both:
    model: both
    rollout: {steps: [50%, 100%], hold: 1h}
"""


def test_a_rollout_between_kinds_compares_what_is_comparable(
    gateway: Gateway, tmp_path: Path
) -> None:
    """The same classifier by ONNX, which gives probabilities, and by Python, which gives labels."""
    server = gateway.server
    model, signature = scoring_onnx.numbers_model()
    rows = [[0.5, 2, 1.5], [-2.5, 3, 0.5], [1.0, 40, -3.0], [0.25, 9, 0.5]]
    example = pd.DataFrame(rows, columns=["x", "n", "y"]).astype({"n": "int64"})
    options = {"name": "model", "registered_model_name": "both", "signature": signature}
    pins = ["scikit-learn", "pandas", "mlflow-skinny"]
    # A worker knows nothing of this file.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with mlflow.start_run():
        mlflow.sklearn.log_model(model, input_example=example, **options)
        mlflow.pyfunc.log_model(python_model=Labels(model), pip_requirements=pins, **options)
    (tmp_path / "aloft.yaml").write_text(PROJECT)
    server.run("apply", str(tmp_path / "aloft.yaml"))
    server.run("deploy", "both", "--model", "both/1", "--at-once", "--wait")
    gateway.wait_for("both", rows)
    revision = json.loads(server.run("deploy", "both", "--model", "both/2", "--json"))["number"]
    words = "not comparable: version 1 answers probabilities, version 2 labels"

    def page() -> dict[str, Any]:
        shown = json.loads(server.get(f"/api/v1/deployments/both/revisions/{revision}"))
        return dict(shown)

    def is_told() -> bool:
        gateway.ask_numbers("both", rows)
        steps = (page().get("rollout") or {}).get("steps") or [{}]
        return any(words in one["explanation"] for one in steps[-1].get("comparisons", []))

    server.wait_until(is_told, "the step to say so", 120)
    assert words in server.run("status")
    server.run("rollout", "promote", "both")
    server.wait_until(lambda: page()["state"] == "live", "the new version to be live", 60)
    before = json.loads(server.get("/api/v1/deployments/both"))["deployment"]["standby"]
    assert before["state"] == "standby", "it was not aborted"


def test_statistics_have_the_times_of_python_models(gateway: Gateway) -> None:
    for _ in range(3):
        assert gateway.infer("bare", text("input", "1", shape=[1]))
    status, found = gateway.ask(f"/v2/models/{name_of('bare')}/stats", b"", "", "GET")
    assert status == 200, found
    stats = json.loads(found)["model_stats"][0]
    times = stats["inference_stats"]
    for part in ("queue", "compute_input", "compute_infer"):
        assert times[part]["count"] == stats["inference_count"] >= 3
        assert times[part]["ns"] > 0, part
    assert times["compute_output"]["count"] == stats["inference_count"]


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
