"""ONNX files as they are: scalars, open dimensions, texts, several outputs. What they take is read
from the file, and MLflow scoring answers as MLflow's own `onnx` flavor does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import requests
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton
from protocol_gateway import Gateway


def infer(gateway: Gateway, name: str, *inputs: dict[str, Any]) -> requests.Response:
    return requests.post(
        f"http://{gateway.url}/v2/models/{name}/infer", json={"inputs": list(inputs)}, timeout=10
    )


def score(gateway: Gateway, name: str, body: Any, **more: Any) -> Any:
    url = f"http://{gateway.url}/deployments/{name}/invocations"
    content = {"data": body, **more} if more else {"json": body}
    reply = requests.post(url, timeout=10, **content)
    return reply.json()["predictions"] if reply.ok else reply.json()


def tensor(name: str, shape: list[int], datatype: str, data: Any) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def test_the_file_says_what_it_takes(gateway: Gateway) -> None:
    said = requests.get(f"http://{gateway.url}/v2/models/scaled", timeout=10).json()
    assert [(one["name"], one["shape"]) for one in said["inputs"]] == [("x", [-1, 2]), ("by", [])]
    assert [(one["name"], one["shape"]) for one in said["outputs"]] == [
        ("scaled", [-1, 2]),
        ("sum", []),
    ]


@pytest.mark.parametrize("data", [[3], 3])
def test_a_scalar_is_taken_and_given(gateway: Gateway, data: Any) -> None:
    reply = infer(
        gateway, "scaled", tensor("x", [1, 2], "FP32", [1, 2]), tensor("by", [], "FP32", data)
    )
    assert reply.status_code == 200, reply.text
    assert [(one["shape"], one["data"]) for one in reply.json()["outputs"]] == [
        ([1, 2], [3, 6]),
        ([], [9]),
    ]


def test_a_list_is_no_scalar(gateway: Gateway) -> None:
    reply = infer(
        gateway, "scaled", tensor("x", [1, 2], "FP32", [1, 2]), tensor("by", [1], "FP32", [3])
    )
    assert (reply.status_code, reply.json()["code"]) == (400, "wrong_shape")


def test_an_input_without_a_shape_takes_any(gateway: Gateway) -> None:
    for shape in ([], [3], [2, 1, 1]):
        data = list(range(int(np.prod(shape))))
        reply = infer(gateway, "any-shape", tensor("x", shape, "FP32", data))
        assert reply.status_code == 200, reply.text
        assert reply.json()["outputs"][0]["shape"] == shape


def test_a_scalar_goes_through_the_clients_of_triton(gateway: Gateway) -> None:
    rows = np.array([[1, 2], [3, 4]], np.float32)
    for module, url in ((triton, gateway.url), (triton_grpc, gateway.grpc_url)):
        with module.InferenceServerClient(url) as client:
            x = module.InferInput("x", [2, 2], "FP32").set_data_from_numpy(rows)
            by = module.InferInput("by", [], "FP32")
            by.set_data_from_numpy(np.array(0.5, np.float32))
            result = client.infer("scaled", [x, by])
            assert result.as_numpy("scaled").tolist() == [[0.5, 1], [1.5, 2]]
            assert float(result.as_numpy("sum")) == 5


def test_scoring_gives_all_outputs_by_name(gateway: Gateway) -> None:
    assert score(gateway, "scaled", {"inputs": {"x": [[1.0, 2.0]], "by": 3.0}}) == {
        "scaled": [[3.0, 6.0]],
        "sum": 9.0,
    }


def test_scoring_nests_by_the_shape_whatever_it_is(gateway: Gateway) -> None:
    cube = np.arange(12, dtype=float).reshape(2, 3, 2, 1).tolist()
    texts = [["", 'a"b'], ["ü", "\n"]]
    assert score(gateway, "cube", {"inputs": {"x": cube, "words": texts}}) == {
        "cube": cube,
        "texts": texts,
    }
    empty: Any = {"inputs": {"x": [[[[1.0]]]], "words": [[]]}}
    assert score(gateway, "cube", empty) == {"cube": [[[[1.0]]]], "texts": [[]]}


@pytest.mark.parametrize("form", ["split", "records", "csv"])
def test_a_table_is_answered_by_a_table(gateway: Gateway, form: str) -> None:
    rows = [[30, 1.5, "Z"], [40, 2.5, "Ü"]]
    names = ["age", "income", "city"]
    wanted = [{"total": 31.5, "town": "Z"}, {"total": 42.5, "town": "Ü"}]
    if form == "csv":
        text = "\n".join([",".join(names), *(",".join(map(str, row)) for row in rows)])
        headers = {"Content-Type": "text/csv"}
        assert score(gateway, "columns", text.encode(), headers=headers) == wanted
    elif form == "split":
        split = {"dataframe_split": {"columns": names, "data": rows}}
        assert score(gateway, "columns", split) == wanted
    else:
        records = [dict(zip(names, row, strict=True)) for row in rows]
        assert score(gateway, "columns", {"dataframe_records": records}) == wanted


def test_outputs_that_make_no_table_are_refused(gateway: Gateway) -> None:
    body = {"dataframe_records": [{"x": [[[1.0]]], "words": ["a"]}]}
    assert "error" in score(gateway, "cube", body)
