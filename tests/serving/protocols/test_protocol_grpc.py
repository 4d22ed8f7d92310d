"""The Open Inference Protocol over gRPC, as the `tritonclient` of others speaks it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from protocol_gateway import Gateway
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services
from tritonclient.utils import InferenceServerException

NUMBERS: dict[str, tuple[Any, str | None]] = {
    # datatype: the numpy type, and the field of `contents` that it goes into
    "BOOL": (np.bool_, "bool_contents"),
    "UINT8": (np.uint8, "uint_contents"),
    "UINT16": (np.uint16, "uint_contents"),
    "UINT32": (np.uint32, "uint_contents"),
    "UINT64": (np.uint64, "uint64_contents"),
    "INT8": (np.int8, "int_contents"),
    "INT16": (np.int16, "int_contents"),
    "INT32": (np.int32, "int_contents"),
    "INT64": (np.int64, "int64_contents"),
    "FP16": (np.float16, None),
    "FP32": (np.float32, "fp32_contents"),
    "FP64": (np.float64, "fp64_contents"),
}


def extremes(kind: Any) -> np.ndarray[Any, Any]:
    """Two rows of the datatype's limits."""
    if kind is np.bool_:
        return np.array([[True, False], [False, True]])
    if np.issubdtype(kind, np.integer):
        limits = np.iinfo(kind)
        return np.array([[limits.min, limits.max], [0, 1]], dtype=kind)
    limits = np.finfo(kind)
    return np.array([[limits.min, limits.tiny], [np.inf, -1.5]], dtype=kind)


STRINGS = np.array([[b"", b"a"], ["h\u00e9llo".encode(), b"\xff\xfe" * 300]], dtype=np.object_)


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(gateway.grpc_url) as one:
        yield one


@pytest.fixture(scope="module")
def stub(gateway: Gateway) -> Iterator[Any]:
    with grpc.insecure_channel(gateway.grpc_url) as channel:
        yield services.GRPCInferenceServiceStub(channel)


def identity_inputs() -> list[triton.InferInput]:
    inputs = []
    for name, (kind, _) in NUMBERS.items():
        tensor = triton.InferInput(f"in_{name}", [2, 2], name)
        inputs.append(tensor.set_data_from_numpy(extremes(kind)))
    tensor = triton.InferInput("in_BYTES", [2, 2], "BYTES")
    return [*inputs, tensor.set_data_from_numpy(STRINGS)]


def typed_request(model: str) -> messages.ModelInferRequest:
    """Every datatype that has a field, in `contents`."""
    request = messages.ModelInferRequest(model_name=model, id="typed")
    for name, (kind, field) in NUMBERS.items():
        if field is not None:
            tensor = request.inputs.add(name=f"in_{name}", datatype=name, shape=[2, 2])
            getattr(tensor.contents, field).extend(extremes(kind).flatten().tolist())
    tensor = request.inputs.add(name="in_BYTES", datatype="BYTES", shape=[2, 2])
    tensor.contents.bytes_contents.extend(STRINGS.flatten().tolist())
    return request


def test_health_and_metadata(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("cancer")
    assert client.is_model_ready("split", "2")
    assert client.get_server_metadata().name == "aloft"
    model = client.get_model_metadata("cancer")
    assert model.platform == "onnxruntime_onnx"
    assert list(model.versions) == ["1"]
    assert [(one.name, one.datatype, list(one.shape)) for one in model.inputs] == [
        ("X", "FP32", [-1, 30])
    ]
    assert len(model.outputs) == 2


def test_the_index_lists_every_version_in_memory(client: triton.InferenceServerClient) -> None:
    index = client.get_model_repository_index().models
    lines = {(one.name, one.version, one.state) for one in index}
    assert ("split", "1", "READY") in lines and ("split", "2", "READY") in lines


def test_a_classifier_answers_what_the_runtime_answers(
    client: triton.InferenceServerClient, cancer: dict[str, Any]
) -> None:
    rows = np.array(cancer["row_bits"], dtype=np.uint32).view(np.float32)
    tensor = triton.InferInput("X", list(rows.shape), "FP32").set_data_from_numpy(rows)
    result = client.infer("cancer", [tensor], request_id="question-1")
    assert result.get_response().id == "question-1"
    assert result.get_response().model_version == "1"
    probabilities = result.as_numpy("probabilities")
    expected = np.array(cancer["logreg"]["probability_bits"], dtype=np.uint32).view(np.float32)
    assert np.abs(probabilities - expected).max() <= 1e-6
    assert result.as_numpy("label").tolist() == cancer["logreg"]["labels"]


def test_every_datatype_goes_through_as_bytes(client: triton.InferenceServerClient) -> None:
    result = client.infer("identity", identity_inputs())
    for name, (kind, _) in NUMBERS.items():
        answer = result.as_numpy(f"out_{name}")
        assert answer.dtype == np.dtype(kind)
        assert answer.tobytes() == extremes(kind).tobytes(), name
    assert result.as_numpy("out_BYTES").tolist() == STRINGS.tolist()


def test_every_datatype_with_a_field_goes_through_as_typed_values(stub: Any) -> None:
    reply = stub.ModelInfer(typed_request("typed"))
    assert reply.id == "typed"
    assert not reply.raw_output_contents
    outputs = {one.name: one for one in reply.outputs}
    for name, (kind, field) in NUMBERS.items():
        if field is not None:
            answer = outputs[f"out_{name}"]
            assert list(answer.shape) == [2, 2]
            assert list(getattr(answer.contents, field)) == extremes(kind).flatten().tolist(), name
    assert list(outputs["out_BYTES"].contents.bytes_contents) == STRINGS.flatten().tolist()


def test_a_datatype_without_a_field_asks_for_bytes(stub: Any) -> None:
    request = typed_request("identity")
    request.inputs.add(name="in_FP16", datatype="FP16", shape=[2, 2])
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(request)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "FP16 has no field in contents" in refused.value.details()


def test_outputs_are_answered_as_they_are_asked_for(stub: Any, cancer: dict[str, Any]) -> None:
    request = messages.ModelInferRequest(model_name="cancer", id="one")
    tensor = request.inputs.add(name="X", datatype="FP32", shape=[1, 30])
    tensor.contents.fp32_contents.extend(cancer["rows"][0])
    request.outputs.add(name="label")
    reply = stub.ModelInfer(request)
    assert [one.name for one in reply.outputs] == ["label"]
    assert not reply.raw_output_contents
    assert list(reply.outputs[0].contents.int64_contents) == [cancer["logreg"]["labels"][0]]

    raw = messages.ModelInferRequest(model_name="cancer")
    raw.inputs.add(name="X", datatype="FP32", shape=[1, 30])
    raw.raw_input_contents.append(np.array(cancer["rows"][0], np.float32).tobytes())
    raw.outputs.add(name="label")
    raw.outputs.add(name="probabilities")
    reply = stub.ModelInfer(raw)
    assert [one.name for one in reply.outputs] == ["label", "probabilities"]
    assert struct.unpack("<q", reply.raw_output_contents[0]) == (cancer["logreg"]["labels"][0],)
    assert len(reply.raw_output_contents[1]) == 8


def test_compressed_messages_are_read(client: triton.InferenceServerClient) -> None:
    tensor = triton.InferInput("X", [8, 30], "FP32")
    tensor.set_data_from_numpy(np.zeros((8, 30), np.float32))
    for algorithm in ("gzip", "deflate"):
        result = client.infer("cancer", [tensor], compression_algorithm=algorithm)
        assert result.as_numpy("label").shape == (8,)


def test_weights_and_sticky_keys_hold(client: triton.InferenceServerClient) -> None:
    tensor = triton.InferInput("x", [1, 2], "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 2), np.float32))

    def ask(**options: Any) -> float:
        return float(client.infer("split", [tensor], **options).as_numpy("y"))

    by_chance = [ask() for _ in range(60)]
    assert set(by_chance) == {1.0, 2.0}
    for key in ("ann", "bob", "eve"):
        assert len({ask(headers={"x-aloft-sticky-key": key}) for _ in range(5)}) == 1
    assert ask(model_version="1") == 1.0
    assert ask(model_version="2") == 2.0


def test_an_answer_names_its_prediction(stub: Any, cancer: dict[str, Any]) -> None:
    request = messages.ModelInferRequest(model_name="cancer")
    tensor = request.inputs.add(name="X", datatype="FP32", shape=[1, 30])
    tensor.contents.fp32_contents.extend(cancer["rows"][0])
    _, call = stub.ModelInfer.with_call(request)
    facts = dict(call.initial_metadata())
    assert len(facts["x-aloft-prediction-id"]) == 28
    assert facts["x-aloft-revision"] == "1"


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"model_name": "canser"}, grpc.StatusCode.NOT_FOUND, 'Did you mean "cancer"'),
        ({"model_name": ""}, grpc.StatusCode.INVALID_ARGUMENT, "model_name"),
        ({"model_version": "7"}, grpc.StatusCode.NOT_FOUND, "serves no version 7"),
    ],
)
def test_unknown_names_are_refused_with_what_there_is(
    stub: Any, change: dict[str, str], status: grpc.StatusCode, words: str
) -> None:
    request = messages.ModelInferRequest(**{"model_name": "cancer", **change})
    with pytest.raises(grpc.RpcError) as refused:
        stub.ModelInfer(request)
    assert refused.value.code() is status
    assert words in refused.value.details()


def test_methods_that_are_not_served_say_so(client: triton.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException) as refused:
        client.get_trace_settings()
    assert "UNIMPLEMENTED" in str(refused.value.status())


def test_a_model_may_be_unloaded_and_loaded(client: triton.InferenceServerClient) -> None:
    tensor = triton.InferInput("x", [1, 2], "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 2), np.float32))
    client.unload_model("split")
    assert not client.is_model_ready("split")
    assert client.is_server_ready()
    with pytest.raises(InferenceServerException) as refused:
        client.infer("split", [tensor])
    assert "UNAVAILABLE" in str(refused.value.status())
    assert "administrator unloaded" in refused.value.message()
    states = {
        one.name: (one.state, one.reason) for one in client.get_model_repository_index().models
    }
    assert states["split"][0] == "UNAVAILABLE"
    client.load_model("split")
    assert float(client.infer("split", [tensor]).as_numpy("y")) in (1.0, 2.0)
