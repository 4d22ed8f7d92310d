"""The Open Inference Protocol over REST: JSON, binary tensors as `tritonclient` sends them, the
model repository, and MLflow scoring."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import requests
import tritonclient.http as triton
from protocol_gateway import Gateway
from tritonclient.utils import InferenceServerException

KINDS: dict[str, Any] = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
}
TEXTS = np.array([["", "a"], ["h\u00e9llo", '"quoted" \\ line\n']], dtype=np.object_)


def values(kind: Any) -> np.ndarray[Any, Any]:
    if kind is np.bool_:
        return np.array([[True, False], [False, True]])
    if np.issubdtype(kind, np.integer):
        limits = np.iinfo(kind)
        return np.array([[limits.min, limits.max], [0, 1]], dtype=kind)
    limits = np.finfo(kind)
    return np.array([[limits.min, limits.max], [limits.tiny, -1.5]], dtype=kind)


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(gateway.url) as one:
        yield one


def identity_inputs(binary: bool) -> list[triton.InferInput]:
    inputs = []
    for name, kind in KINDS.items():
        tensor = triton.InferInput(f"in_{name}", [2, 2], name)
        inputs.append(tensor.set_data_from_numpy(values(kind), binary_data=binary))
    tensor = triton.InferInput("in_BYTES", [2, 2], "BYTES")
    return [*inputs, tensor.set_data_from_numpy(TEXTS, binary_data=binary)]


@pytest.mark.parametrize("binary_input", [True, False])
@pytest.mark.parametrize("binary_output", [True, False, None])
def test_every_datatype_goes_through(
    client: triton.InferenceServerClient, binary_input: bool, binary_output: bool | None
) -> None:
    """`None` asks for no outputs by name, where the client wants all of them in binary."""
    outputs = None
    if binary_output is not None:
        outputs = [
            triton.InferRequestedOutput(f"out_{name}", binary_data=binary_output)
            for name in [*KINDS, "BYTES"]
        ]
    result = client.infer("identity", identity_inputs(binary_input), outputs=outputs)
    for name, kind in KINDS.items():
        answer = result.as_numpy(f"out_{name}")
        assert answer.dtype == np.dtype(kind), name
        assert answer.tobytes() == values(kind).tobytes(), name
    texts = [
        one.decode() if isinstance(one, bytes) else one
        for one in result.as_numpy("out_BYTES").flatten()
    ]
    assert texts == TEXTS.flatten().tolist()


def test_bfloat16_goes_through_in_binary_and_as_numbers(
    client: triton.InferenceServerClient, gateway: Gateway
) -> None:
    wanted = np.array([[1.5, -2.25], [3e38, 0.0]], dtype=ml_dtypes.bfloat16)
    tensor = triton.InferInput("in_BF16", [2, 2], "BF16").set_data_from_numpy(wanted)
    answer = client.infer("brain", [tensor]).get_response()
    assert answer["outputs"][0]["datatype"] == "BF16"
    body = {
        "inputs": [
            {
                "name": "in_BF16",
                "shape": [2, 2],
                "datatype": "BF16",
                "data": [1.5, -2.25, 3e38, 0],
            }
        ]
    }
    reply = requests.post(f"http://{gateway.url}/v2/models/brain/infer", json=body, timeout=30)
    data = np.array(reply.json()["outputs"][0]["data"], np.float32)
    assert data.tolist() == wanted.astype(np.float32).flatten().tolist()


def test_only_the_outputs_that_are_named_come_in_the_form_that_is_asked(
    gateway: Gateway, cancer: dict[str, Any]
) -> None:
    tensor = {"name": "X", "shape": [1, 30], "datatype": "FP32", "data": cancer["rows"][0]}
    body = {
        "id": "42",
        "inputs": [tensor],
        "outputs": [
            {"name": "probabilities"},
            {"name": "label", "parameters": {"binary_data": False}},
        ],
        # Behind the outputs, and yet their default.
        "parameters": {"binary_data_output": True},
    }
    url = f"http://{gateway.url}/v2/models/cancer/infer"
    reply = requests.post(url, json=body, timeout=30)
    assert reply.headers["content-type"] == "application/octet-stream"
    length = int(reply.headers["inference-header-content-length"])
    facts = json.loads(reply.content[:length])
    assert facts["id"] == "42"
    first, second = facts["outputs"]
    assert first["parameters"]["binary_data_size"] == 8 == len(reply.content) - length
    assert second["data"] == [cancer["logreg"]["labels"][0]]


def test_health_and_metadata(client: triton.InferenceServerClient, gateway: Gateway) -> None:
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("cancer") and client.is_model_ready("split", "2")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    model = client.get_model_metadata("cancer")
    assert model["inputs"] == [{"name": "X", "datatype": "FP32", "shape": [-1, 30]}]
    versions = requests.get(f"http://{gateway.url}/v2/models/split/versions", timeout=30)
    assert versions.json() == {"name": "split", "versions": ["1", "2"]}
    missing = requests.get(f"http://{gateway.url}/v2/models/nothing/ready", timeout=30)
    assert missing.status_code == 404


def test_the_repository_lists_unloads_and_loads(
    client: triton.InferenceServerClient, gateway: Gateway
) -> None:
    tensor = triton.InferInput("x", [1, 2], "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 2), np.float32))
    client.unload_model("split")
    assert not client.is_model_ready("split")
    assert client.is_server_ready()
    with pytest.raises(InferenceServerException) as refused:
        client.infer("split", [tensor])
    assert refused.value.status() == "503"
    index = {(one["name"], one["state"]) for one in client.get_model_repository_index()}
    assert {("split", "UNAVAILABLE"), ("cancer", "READY")} <= index
    ready = requests.post(
        f"http://{gateway.url}/v2/repository/index", json={"ready": True}, timeout=30
    )
    assert "split" not in {one["name"] for one in ready.json()}
    client.load_model("split")
    assert float(client.infer("split", [tensor]).as_numpy("y")) in (1.0, 2.0)
    with pytest.raises(InferenceServerException) as unknown:
        client.load_model("splat")
    assert "splat" in unknown.value.message()


@pytest.mark.parametrize("form", ["dataframe_split", "dataframe_records", "instances", "inputs"])
def test_mlflow_scoring_takes_every_form(
    gateway: Gateway, cancer: dict[str, Any], form: str
) -> None:
    rows = cancer["rows"][:3]
    columns = [f"c{index}" for index in range(30)]
    body: Any = {
        "dataframe_split": {"columns": columns, "data": rows},
        "dataframe_records": [dict(zip(columns, row, strict=True)) for row in rows],
        "instances": rows,
        "inputs": {"X": rows},
    }[form]
    url = f"http://{gateway.url}/deployments/cancer/invocations"
    reply = requests.post(url, json={form: body}, timeout=30)
    assert reply.json() == {"predictions": cancer["logreg"]["labels"][:3]}


def test_mlflow_scoring_takes_csv(gateway: Gateway, cancer: dict[str, Any]) -> None:
    lines = [",".join(f"c{index}" for index in range(30))]
    lines += [",".join(map(repr, row)) for row in cancer["rows"][:3]]
    reply = requests.post(
        f"http://{gateway.url}/deployments/cancer/invocations",
        data="\n".join(lines),
        headers={"Content-Type": "text/csv; charset=utf-8"},
        timeout=30,
    )
    assert reply.json() == {"predictions": cancer["logreg"]["labels"][:3]}
