"""Predictions that came over gRPC are explained and asked again, on a real server and gateway."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from aloft_server import free_port
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "serving"))

from soak import register

FIXTURES = Path(__file__).resolve().parents[2] / ".runtime/fixtures"
FIELDS = {
    "BOOL": ("bool_contents", [True, False]),
    "UINT8": ("uint_contents", [0, 255]),
    "UINT16": ("uint_contents", [0, 2**16 - 1]),
    "UINT32": ("uint_contents", [0, 2**32 - 1]),
    "INT8": ("int_contents", [-128, 127]),
    "INT16": ("int_contents", [-(2**15), 7]),
    "INT32": ("int_contents", [-(2**31), 2**31 - 1]),
    "INT64": ("int64_contents", [-(2**63), 2**63 - 1]),
    "UINT64": ("uint64_contents", [0, 2**64 - 1]),
    "FP32": ("fp32_contents", [0.5, float("inf")]),
    "FP64": ("fp64_contents", [0.1, float("nan")]),
    "BYTES": ("bytes_contents", ["é".encode(), b"\xff\xfe"]),
}


class Flying:
    """A server whose gateway answers over gRPC as well."""

    def __init__(self, server: Any, port: int) -> None:
        self.server = server
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = services.GRPCInferenceServiceStub(self.channel)

    def ask(self, request: messages.ModelInferRequest) -> tuple[str, Any]:
        """Returns the prediction's identifier, and the answer."""
        answer, call = self.stub.ModelInfer.with_call(request, timeout=60, wait_for_ready=True)
        return dict(call.initial_metadata())["x-aloft-prediction-id"], answer

    def explained(self, identifier: str) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def is_there() -> bool:
            reply = self.server.get(f"/api/v1/predictions/{identifier}")
            found.update(json.loads(reply) if reply else {})
            return bool(found)

        self.server.wait_until(is_there, f"prediction {identifier}")
        return found

    def replay(self, identifier: str, version: int) -> dict[str, Any]:
        self.explained(identifier)
        return dict(self.server.json("replay", identifier, "--version", str(version)))


@pytest.fixture(scope="module")
def flying(tmp_path_factory: pytest.TempPathFactory, server_type: Any) -> Iterator[Flying]:
    port = free_port()
    server = server_type(
        data=tmp_path_factory.mktemp("replay") / "data",
        with_gateway=True,
        arguments=["--gateway-grpc", f"127.0.0.1:{port}"],
    ).start()
    register(server, "split", [FIXTURES / "constant-1.onnx", FIXTURES / "constant-2.onnx"])
    for name in ("identity", "identity-typed"):
        manifest = {"runtime": "onnx", "inputs": [], "outputs": []}
        register(server, name, [FIXTURES / f"{name}.onnx"], manifest)
    for name in ("split", "identity", "identity-typed"):
        server.run("deploy", name, "--model", f"{name}/1", "--at-once", "--wait")
    one = Flying(server, port)
    yield one
    one.channel.close()
    server.stop()


def pair(model: str = "split") -> messages.ModelInferRequest:
    request = messages.ModelInferRequest(model_name=model, id="mine")
    tensor = request.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    tensor.contents.fp32_contents.extend([0.1, 2])
    return request


def raw(model: messages.ModelMetadataResponse) -> messages.ModelInferRequest:
    """Every input of an identity, in binary."""
    request = messages.ModelInferRequest(model_name=model.name)
    for tensor in model.inputs:
        request.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=[1, 2])
        if tensor.datatype == "BYTES":
            element = b"".join(struct.pack("<I", len(text)) + text for text in (b"\xff", b"b"))
        else:
            size = {"BOOL": 1, "8": 1, "6": 2, "2": 4, "4": 8}
            width = size.get(tensor.datatype) or size[tensor.datatype[-1]]
            element = np.arange(2, dtype=f"<u{width}").tobytes()
        request.raw_input_contents.append(element)
    return request


def typed(model: messages.ModelMetadataResponse) -> messages.ModelInferRequest:
    """The same in typed values, at the limits of their types."""
    request = messages.ModelInferRequest(model_name=model.name)
    for tensor in model.inputs:
        field, values = FIELDS[tensor.datatype]
        added = request.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=[1, 2])
        getattr(added.contents, field).extend(values)
    return request


@pytest.mark.parametrize(("name", "make"), [("identity", raw), ("identity-typed", typed)])
def test_every_datatype_is_shown_and_gives_the_same_again(
    flying: Flying, name: str, make: Any
) -> None:
    model = flying.stub.ModelMetadata(messages.ModelMetadataRequest(name=name), timeout=60)
    identifier, answer = flying.ask(make(model))
    assert bool(answer.raw_output_contents) == (make is raw)
    again = flying.replay(identifier, 1)
    assert again["isEqual"], again
    assert again["statusAfter"] == 200
    # Name, type, dimensions and two elements of each output, BYTES that are no text byte by byte.
    assert again["compared"] >= 6 * len(answer.outputs)
    shown = flying.explained(identifier)
    assert shown["form"] == "grpc"
    inputs = json.loads(shown["request"]["text"])["inputs"]
    assert [one["datatype"] for one in inputs] == [one.datatype for one in model.inputs]
    outputs = json.loads(again["after"]["text"])["outputs"]
    assert {one["name"] for one in outputs} == {one.name for one in answer.outputs}
    assert all(len(one["data"]) == 2 for one in [*inputs, *outputs])


def test_another_version_shows_the_difference(flying: Flying) -> None:
    identifier, _ = flying.ask(pair())
    same = flying.replay(identifier, 1)
    assert same["isEqual"] and same["compared"] > 0
    other = flying.replay(identifier, 2)
    assert not other["isEqual"]
    assert other["versionAfter"] == 2
    assert other["largest"]["place"] == "outputs[0].data[0]"
    assert other["largest"]["size"] == 1
    assert "1 of" in flying.server.run("replay", identifier, "--version", "2")
    assert '"data":[0.1,2.0]' in flying.server.run("explain", identifier)


def test_messages_of_a_stream_are_asked_again(flying: Flying) -> None:
    answers = list(flying.stub.ModelStreamInfer(iter([pair(), pair()]), timeout=60))
    for answer in answers:
        identifier = answer.infer_response.parameters["x-aloft-prediction-id"].string_param
        assert flying.replay(identifier, 1)["isEqual"]
        assert flying.replay(identifier, 2)["largest"]["size"] == 1


def test_an_error_is_asked_again_too(flying: Flying) -> None:
    request = pair()
    request.inputs[0].name = "z"
    with pytest.raises(grpc.RpcError) as refused:
        flying.ask(request)
    identifier = dict(refused.value.trailing_metadata())["x-aloft-prediction-id"]
    for version in (1, 2):
        again = flying.replay(identifier, version)
        assert (again["statusBefore"], again["statusAfter"]) == (400, 400)
        assert again["isEqual"], again
    assert refused.value.details() in flying.server.run("explain", identifier)


def test_a_request_that_was_cut_says_so(flying: Flying) -> None:
    request = messages.ModelInferRequest(model_name="split")
    request.inputs.add(name="x", datatype="FP32", shape=[50_000, 2])
    request.raw_input_contents.append(bytes(400_000))
    identifier, _ = flying.ask(request)
    flying.explained(identifier)
    said = flying.server.run("replay", identifier, status=1)
    assert "262144 of its 4" in said and "were logged" in said


def test_what_was_sampled_is_asked_again_and_the_rest_says_why_not(
    flying: Flying, tmp_path: Path
) -> None:
    (tmp_path / "aloft.yaml").write_text(
        "project: default\nmodels: { split: {} }\n"
        "deployments:\n  sampled: { model: split, log: 50% }\n"
    )
    flying.server.run("apply", str(tmp_path / "aloft.yaml"))
    flying.server.run("deploy", "sampled", "--model", "split/1", "--at-once", "--wait")
    identifiers = [flying.ask(pair("sampled"))[0] for _ in range(40)]
    # An error is always logged, so behind it all that was sampled has come.
    with pytest.raises(grpc.RpcError) as refused:
        flying.ask(messages.ModelInferRequest(model_name="sampled"))
    flying.explained(dict(refused.value.trailing_metadata())["x-aloft-prediction-id"])
    listed = flying.server.json("predictions", "sampled", "--limit", "100")["predictions"]
    logged = {one["id"] for one in listed if one["status"] == 200}
    assert logged <= set(identifiers)
    assert 0 < len(logged) < 40
    assert flying.replay(next(iter(logged)), 2)["largest"]["size"] == 1
    missing = next(one for one in identifiers if one not in logged)
    assert "sampling" in flying.server.run("replay", missing, status=1)
