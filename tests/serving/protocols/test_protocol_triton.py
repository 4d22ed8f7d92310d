"""Triton's extensions as `tritonclient` calls them: configuration, statistics, requests without
JSON, compressed bodies. And tables as MLServer's pandas codec writes them, a tensor a column."""

from __future__ import annotations

import gzip
import json
import subprocess
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton
from protocol_gateway import Gateway
from tritonclient.utils import InferenceServerException


def post(gateway: Gateway, path: str, body: bytes, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"http://{gateway.url}{path}"
    return requests.post(url, data=body, headers=named, timeout=30)


# Configuration and statistics


def test_the_configuration_is_what_the_clients_of_triton_read(gateway: Gateway) -> None:
    with triton.InferenceServerClient(gateway.url) as client:
        over_http = client.get_model_config("scaled", "1")
        assert over_http["backend"] == "onnxruntime"
        assert over_http["max_batch_size"] == 0
        assert over_http["input"] == [
            {"name": "x", "data_type": "TYPE_FP32", "dims": [-1, 2]},
            {"name": "by", "data_type": "TYPE_FP32", "dims": []},
        ]
        assert client.get_model_config("columns")["output"][1]["data_type"] == "TYPE_STRING"
        assert "model_configuration" in client.get_server_metadata()["extensions"]
    with triton_grpc.InferenceServerClient(gateway.grpc_url) as client:
        over_grpc = client.get_model_config("scaled", as_json=True)["config"]
        assert over_grpc["platform"] == "onnxruntime_onnx"
        assert [one["name"] for one in over_grpc["input"]] == ["x", "by"]
        assert over_grpc["input"][0]["dims"] == ["-1", "2"]
        assert [one["data_type"] for one in over_grpc["output"]] == ["TYPE_FP32", "TYPE_FP32"]


def check_times(stats: dict[str, Any]) -> None:
    """The parts of the time are there, and together they are the whole."""
    times = stats["inference_stats"]
    assert times["success"]["count"] == stats["inference_count"]
    parts = ("compute_input", "queue", "compute_infer", "compute_output")
    for part in parts:
        assert times[part]["count"] == stats["inference_count"], part
    assert min(times[part]["ns"] for part in ("compute_input", "compute_infer")) > 0
    assert sum(times[part]["ns"] for part in parts) == times["success"]["ns"]


def test_statistics_count_what_was_asked(gateway: Gateway) -> None:
    body = {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}]}
    with triton.InferenceServerClient(gateway.url) as client:
        before = client.get_inference_statistics("words")["model_stats"][0]
        for _ in range(3):
            assert post(gateway, "/v2/models/words/infer", json.dumps(body).encode()).ok
        after = client.get_inference_statistics("words", "1")["model_stats"][0]
        assert after["inference_count"] - before["inference_count"] == 3
        assert after["inference_stats"]["success"]["count"] == after["inference_count"]
        check_times(after)
        assert after["last_inference"] > 1_700_000_000_000
        names = {one["name"] for one in client.get_inference_statistics()["model_stats"]}
        assert {"words", "scaled", "split"} <= names
    with triton_grpc.InferenceServerClient(gateway.grpc_url) as client:
        stats = client.get_inference_statistics("words").model_stats[0]
        assert (stats.name, stats.version) == ("words", "1")
        assert stats.inference_count >= after["inference_count"]
        assert stats.inference_stats.compute_infer.ns > 0
        assert stats.inference_stats.compute_input.count == stats.inference_count
        assert stats.inference_stats.queue.count == stats.inference_count
        assert len(client.get_inference_statistics().model_stats) > 5


def test_what_is_not_deployed_has_neither(gateway: Gateway) -> None:
    for path in ("nothing/config", "nothing/stats", "words/versions/9/config"):
        reply = requests.get(f"http://{gateway.url}/v2/models/{path}", timeout=10)
        assert reply.status_code == 404, path
    client = triton_grpc.InferenceServerClient(gateway.grpc_url)
    with client, pytest.raises(InferenceServerException, match="nothing"):
        client.get_model_config("nothing")


# Requests without JSON


def raw(gateway: Gateway, name: str, body: bytes) -> requests.Response:
    return post(
        gateway,
        f"/v2/models/{name}/infer",
        body,
        Content_Type="application/octet-stream",
        Inference_Header_Content_Length="0",
    )


def outputs(reply: requests.Response) -> list[tuple[list[int], bytes]]:
    """Shapes and bytes of the answer's tensors."""
    assert reply.status_code == 200, reply.text
    length = int(reply.headers["Inference-Header-Content-Length"])
    rest = reply.content[length:]
    found = []
    for one in json.loads(reply.content[:length])["outputs"]:
        size = one["parameters"]["binary_data_size"]
        found.append((one["shape"], rest[:size]))
        rest = rest[size:]
    assert rest == b""
    return found


def test_a_body_that_is_nothing_but_numbers(gateway: Gateway, cancer: dict[str, Any]) -> None:
    rows = np.array(cancer["rows"][:3], np.float32)
    (_, labels), (shape, bits) = outputs(raw(gateway, "cancer", rows.tobytes()))
    assert np.frombuffer(labels, np.int64).tolist() == cancer["logreg"]["labels"][:3]
    assert shape == [3, 2]
    # Those were asked row by row, which adds in another order.
    wanted = np.array(cancer["logreg"]["probability_bits"][:3], np.uint32).view(np.float32)
    assert np.allclose(np.frombuffer(bits, np.float32).reshape(3, 2), wanted, atol=1e-6)


def test_a_body_that_is_nothing_but_a_text(gateway: Gateway) -> None:
    ((shape, same),) = outputs(raw(gateway, "words", "Zürich\n".encode()))
    assert (shape, same[4:].decode()) == ([1], "Zürich\n")


def test_bodies_without_json_that_cannot_be_told(gateway: Gateway) -> None:
    for name, body in (("cancer", b"123"), ("cancer", bytes(31 * 4)), ("scaled", bytes(8))):
        reply = raw(gateway, name, body)
        assert (reply.status_code, reply.json()["code"]) == (400, "bad_binary_tensor"), name


# Compressed bodies


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_the_client_of_triton_may_compress(
    gateway: Gateway, coding: str, cancer: dict[str, Any]
) -> None:
    rows = np.array(cancer["rows"], np.float32)
    with triton.InferenceServerClient(gateway.url) as client:
        for binary in (True, False):
            tensor = triton.InferInput("X", list(rows.shape), "FP32")
            tensor.set_data_from_numpy(rows, binary_data=binary)
            result = client.infer("cancer", [tensor], request_compression_algorithm=coding)
            assert result.as_numpy("label").tolist() == cancer["logreg"]["labels"]


def test_curl_sends_a_compressed_table(
    gateway: Gateway, cancer: dict[str, Any], tmp_path: Path
) -> None:
    columns = [f"c{index}" for index in range(30)]
    rows = cancer["rows"] * 20
    body = {"dataframe_split": {"columns": columns, "data": rows}}
    file = tmp_path / "table.json.gz"
    file.write_bytes(gzip.compress(json.dumps(body).encode()))
    command = ["curl", "-sS", "-m", "30", f"http://{gateway.url}/deployments/cancer/invocations"]
    command += ["-H", "Content-Type: application/json", "-H", "Content-Encoding: gzip"]
    done = subprocess.run([*command, "--data-binary", f"@{file}"], capture_output=True, timeout=60)
    assert json.loads(done.stdout)["predictions"] == cancer["logreg"]["labels"] * 20


def test_several_streams_in_a_row_are_one_body(gateway: Gateway) -> None:
    text = json.dumps(
        {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}]}
    ).encode()
    packed = gzip.compress(text[:20]) + gzip.compress(text[20:])
    reply = post(gateway, "/v2/models/words/infer", packed, Content_Encoding="x-gzip")
    assert reply.status_code == 200, reply.text


def test_a_small_body_that_becomes_large_is_refused(gateway: Gateway) -> None:
    before = gateway.resident_megabytes()
    for size in (2 << 20, 60 << 20, 200 << 20):
        packer = zlib.compressobj(9, wbits=31)
        packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20))
        packed += packer.flush()
        reply = post(gateway, "/v2/models/words/infer", packed, Content_Encoding="gzip")
        assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large"), size
    assert gateway.resident_megabytes() - before < 64


def test_a_small_body_whose_tensors_become_large_is_refused(gateway: Gateway) -> None:
    count = 250_000
    data = "[" + ",".join(["0"] * count) + "]"
    head = f'"name":"in_FP64","shape":[{count // 2},2],"datatype":"FP64"'
    body = f'{{"inputs":[{{{head},"data":{data}}}]}}'
    packed = gzip.compress(body.encode())
    reply = post(gateway, "/v2/models/identity/infer", packed, Content_Encoding="gzip")
    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")
    # As it is it would be read.
    plain = post(gateway, "/v2/models/identity/infer", body.encode())
    assert plain.json()["code"] == "missing_input"


def test_damaged_and_unknown_codings_are_refused(gateway: Gateway) -> None:
    packed = gzip.compress(b'{"inputs":[]}')
    for body in (packed[:-4], packed + b"more", b"no gzip at all", packed[:5]):
        reply = post(gateway, "/v2/models/words/infer", body, Content_Encoding="gzip")
        assert (reply.status_code, reply.json()["code"]) == (400, "damaged_body")
    for coding in ("br", "gzip, gzip"):
        reply = post(gateway, "/v2/models/words/infer", packed, Content_Encoding=coding)
        assert (reply.status_code, reply.json()["code"]) == (400, "bad_header")


def test_requests_behind_a_compressed_one_keep_their_order(gateway: Gateway) -> None:
    import socket

    text = ["x" * (40 + index) for index in range(4)]
    sent = b""
    for index, one in enumerate(text):
        tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [one * 400]}
        body = json.dumps({"id": str(index), "inputs": [tensor]}).encode()
        head = "POST /v2/models/words/infer HTTP/1.1\r\nhost: localhost\r\n"
        if index % 2 == 0:
            body = gzip.compress(body, 0)
            head += "content-encoding: gzip\r\n"
        sent += f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    host, _, port = gateway.url.partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(sent)
        got = b""
        while got.count(b'"id":"') < len(text):
            piece = connection.recv(1 << 16)
            assert piece
            got += piece
    places = [got.index(b'"id":"%d"' % index) for index in range(len(text))]
    assert places == sorted(places)


# Tables, a tensor a column


def column(name: str, datatype: str, data: list[Any], **parameters: str) -> dict[str, Any]:
    made = {"name": name, "shape": [len(data), 1], "datatype": datatype, "data": data}
    return made | ({"parameters": parameters} if parameters else {})


PANDAS = {"content_type": "pd"}


def test_a_tensor_a_column_as_the_codec_of_mlserver_writes_it(gateway: Gateway) -> None:
    body = {
        "parameters": PANDAS,
        "inputs": [
            column("income", "INT64", [1, 2]),
            column("city", "BYTES", ["Z", "Ü"], content_type="str"),
            column("age", "INT64", [30, 40]),
            column("more", "FP64", [1, 2]),
        ],
    }
    # A column that the model does not take is refused by its name, not dropped in silence.
    reply = post(gateway, "/v2/models/columns/infer", json.dumps(body).encode())
    assert (reply.status_code, reply.json()["code"]) == (400, "unknown_input")
    body["inputs"].pop()
    reply = post(gateway, "/v2/models/columns/infer", json.dumps(body).encode())
    assert reply.status_code == 200, reply.text
    assert [one["data"] for one in reply.json()["outputs"]] == [[31, 42], ["Z", "Ü"]]


def test_columns_go_into_a_matrix(gateway: Gateway, cancer: dict[str, Any]) -> None:
    rows = np.array(cancer["rows"][:8], np.float32)
    body = {
        "id": "mine",
        "parameters": PANDAS,
        "inputs": [
            {"name": f"c{place}", "shape": [8], "datatype": "FP64", "data": rows[:, place].tolist()}
            for place in reversed(range(30))
        ],
        "outputs": [{"name": "label"}],
    }
    reply = post(gateway, "/v2/models/cancer/infer", json.dumps(body).encode())
    assert reply.status_code == 200, reply.text
    assert reply.json()["id"] == "mine"
    assert reply.json()["outputs"][0]["data"] == cancer["logreg"]["labels"][:8]
    for module, url in ((triton, gateway.url), (triton_grpc, gateway.grpc_url)):
        tensors = []
        for place in range(30):
            tensor = module.InferInput(f"c{place}", [8, 1], "FP32")
            tensors.append(tensor.set_data_from_numpy(rows[:, place : place + 1]))
        with module.InferenceServerClient(url) as client:
            result = client.infer("cancer", tensors)
            assert result.as_numpy("label").tolist() == cancer["logreg"]["labels"][:8]


def test_columns_that_lose_something_are_refused(gateway: Gateway) -> None:
    def ask(*inputs: dict[str, Any]) -> tuple[int, str]:
        body = {"parameters": PANDAS, "inputs": list(inputs)}
        reply = post(gateway, "/v2/models/columns/infer", json.dumps(body).encode())
        return reply.status_code, reply.json().get("code", "")

    age, income = column("age", "INT64", [1, 2]), column("income", "FP64", [1, 2])
    city = column("city", "BYTES", ["a", "b"])
    assert ask(age, income, city)[0] == 200
    assert ask(column("age", "FP64", [1.5, 2]), income, city) == (400, "bad_contents")
    assert ask(column("age", "INT64", [1, 1 << 40]), income, city) == (400, "bad_contents")
    assert ask(column("age", "BYTES", ["1", "2"]), income, city) == (400, "wrong_datatype")
    assert ask(age, income, column("city", "INT64", [1, 2])) == (400, "wrong_datatype")
    assert ask(age, column("income", "FP32", [1, 2, 3]), city) == (400, "bad_table")
    assert ask(age, income)[0] == 400
