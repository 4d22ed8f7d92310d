"""Requests that are wrong on purpose: each gets its own error, and the gateway goes on."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import requests
from protocol_gateway import Gateway, fixture, limited_gateway
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services

INFER = "/inference.GRPCInferenceService/ModelInfer"


@pytest.fixture(scope="module")
def small_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that takes a mebibyte at most, on two event loops."""
    with limited_gateway(tmp_path_factory.mktemp("small") / "data", "--threads", "2") as one:
        yield one


def ask(gateway: Gateway, message: bytes, timeout: float = 30) -> grpc.RpcError | None:
    """Sends these bytes as they are; returns the error, if there is one."""
    with grpc.insecure_channel(gateway.grpc_url) as channel:
        call = channel.unary_unary(
            INFER, request_serializer=lambda data: data, response_deserializer=lambda data: data
        )
        try:
            call(message, timeout=timeout)
        except grpc.RpcError as error:
            return error
    return None


def good_message() -> bytes:
    request = messages.ModelInferRequest(model_name="split")
    request.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    request.raw_input_contents.append(struct.pack("<2f", 1, 2))
    return bytes(request.SerializeToString())


def test_garbage_is_no_message(gateway: Gateway) -> None:
    assert ask(gateway, good_message()) is None
    chance = random.Random(7)
    for size in (1, 2, 17, 300, 5000):
        error = ask(gateway, bytes([0xFF]) + chance.randbytes(size))
        assert error is not None
        assert error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
    error = ask(gateway, b"")
    assert error is not None and "model_name" in error.details()


def test_a_message_cut_off_anywhere_is_refused(gateway: Gateway) -> None:
    whole = good_message()
    with grpc.insecure_channel(gateway.grpc_url) as channel:
        call = channel.unary_unary(
            INFER, request_serializer=lambda data: data, response_deserializer=lambda data: data
        )
        for count in range(len(whole)):
            with pytest.raises(grpc.RpcError) as refused:
                call(whole[:count], timeout=30)
            assert refused.value.code() in (
                grpc.StatusCode.INVALID_ARGUMENT,
                grpc.StatusCode.NOT_FOUND,
            )
        call(whole, timeout=30)


@pytest.mark.parametrize(
    ("shape", "raw"),
    [
        ([1, 2], b"\0" * 7),
        ([1, 2], b"\0" * 9),
        ([1 << 62, 2], b"\0" * 8),
        ([1 << 40, 2], b"\0" * 8),
        ([-1, 2], b"\0" * 8),
        ([1, 2, 1], b"\0" * 8),
    ],
)
def test_sizes_that_do_not_fit_are_named(gateway: Gateway, shape: list[int], raw: bytes) -> None:
    request = messages.ModelInferRequest(model_name="split")
    request.inputs.add(name="x", datatype="FP32", shape=shape)
    request.raw_input_contents.append(raw)
    error = ask(gateway, request.SerializeToString())
    assert error is not None
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    # The same over typed values, with nothing in them.
    del request.raw_input_contents[:]
    error = ask(gateway, request.SerializeToString())
    assert error is not None and error.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "raw",
    [
        struct.pack("<I", 0xFFFFFFFF) + b"a",
        struct.pack("<I", 5) + b"a",
        b"\0\0",
        struct.pack("<I", 1) + b"a",
        b"",
    ],
)
def test_strings_with_wrong_lengths_are_named(gateway: Gateway, raw: bytes) -> None:
    request = messages.ModelInferRequest(model_name="identity")
    request.inputs.add(name="in_BYTES", datatype="BYTES", shape=[1, 2])
    request.raw_input_contents.append(raw)
    error = ask(gateway, request.SerializeToString())
    assert error is not None
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "in_BYTES" in error.details()


def test_a_message_beyond_the_limit_is_refused_and_takes_no_memory(small_gateway: Gateway) -> None:
    assert ask(small_gateway, good_message()) is None
    before = small_gateway.resident_megabytes()
    request = messages.ModelInferRequest(model_name="split")
    request.inputs.add(name="x", datatype="FP32", shape=[1 << 21, 2])
    request.raw_input_contents.append(b"\0" * (16 << 20))
    for _ in range(4):
        error = ask(small_gateway, request.SerializeToString())
        assert error is not None
        assert error.code() in (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.CANCELLED,
        )
    assert ask(small_gateway, good_message()) is None
    assert small_gateway.resident_megabytes() < before + 60


def test_a_deadline_that_has_passed_is_told(gateway: Gateway) -> None:
    request = messages.ModelInferRequest(model_name="slow")
    request.inputs.add(name="x", datatype="FP32", shape=[4, 128, 128])
    request.raw_input_contents.append(np.ones((4, 128, 128), np.float32).tobytes())
    request.parameters["timeout"].int64_param = 1000
    with grpc.insecure_channel(gateway.grpc_url) as channel:
        stub = services.GRPCInferenceServiceStub(channel)
        errors = [call.exception() for call in [stub.ModelInfer.future(request) for _ in range(48)]]
    late = [error for error in errors if error is not None]
    assert late, "so many at once, a millisecond each, and every one in time"
    # Who cannot be answered in time is turned away at once; who waited too long is told so.
    told = {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert {error.code() for error in late} <= told
    # The client's own deadline counts as well.
    error = ask(gateway, request.SerializeToString(), timeout=0.001)
    assert error is not None and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    "words",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00" + b"\0" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 200,
        # A settings frame that says it is as long as a frame can be.
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff\xff\xff\x04\0\0\0\0\0",
    ],
)
def test_what_is_no_grpc_disturbs_nobody(gateway: Gateway, words: bytes) -> None:
    with socket.create_connection(("127.0.0.1", gateway.grpc_port), 10) as stranger:
        stranger.sendall(words)
        assert ask(gateway, good_message()) is None
    assert ask(gateway, good_message()) is None


@pytest.fixture(scope="module")
def hasty_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that waits a second for what is to come."""
    one = Gateway(
        folder=tmp_path_factory.mktemp("hasty") / "data", arguments=["--request-timeout", "1"]
    )
    one.deploy("split", (fixture("constant-1.onnx"), 100))
    one.start()
    yield one
    assert one.stop() == 0


@pytest.mark.parametrize("words", [b"", b"PRI * HTTP", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0"])
def test_a_client_of_grpc_that_never_says_anything_is_closed(
    hasty_gateway: Gateway, words: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", hasty_gateway.grpc_port), 60) as quiet:
        quiet.sendall(words)
        while quiet.recv(4096):
            pass
    assert ask(hasty_gateway, good_message()) is None


def stream_call(channel: grpc.Channel) -> Any:
    """A caller that may send any number of messages, and late."""
    return channel.stream_unary(
        INFER, request_serializer=lambda data: data, response_deserializer=lambda data: data
    )


def test_a_message_over_grpc_that_does_not_come_is_given_up(hasty_gateway: Gateway) -> None:
    over = threading.Event()

    def nothing() -> Iterator[bytes]:
        over.wait(60)
        yield from ()

    with grpc.insecure_channel(hasty_gateway.grpc_url) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            stream_call(channel)(nothing(), timeout=60)
        over.set()
        assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "did not come whole within 1 seconds" in refused.value.details()
        # The connection goes on.
        assert stream_call(channel)(iter([good_message()]), timeout=30)


@pytest.mark.parametrize("count", [0, 2, 3])
def test_a_call_takes_one_message(gateway: Gateway, count: int) -> None:
    with grpc.insecure_channel(gateway.grpc_url) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            stream_call(channel)(iter([good_message()] * count), timeout=30)
        expected = grpc.StatusCode.UNIMPLEMENTED if count else grpc.StatusCode.INVALID_ARGUMENT
        assert refused.value.code() is expected


def test_messages_larger_than_every_window_go_through(gateway: Gateway) -> None:
    rows = np.zeros((200_000, 30), np.float32)
    request = messages.ModelInferRequest(model_name="cancer")
    request.inputs.add(name="X", datatype="FP32", shape=list(rows.shape))
    request.raw_input_contents.append(rows.tobytes())
    request.outputs.add(name="probabilities")
    with grpc.insecure_channel(gateway.grpc_url) as channel:
        stub = services.GRPCInferenceServiceStub(channel)
        calls = [stub.ModelInfer.future(request, timeout=60) for _ in range(3)]
        for call in calls:
            assert len(call.result().raw_output_contents[0]) == 200_000 * 8


def test_a_client_that_reads_no_answers_costs_no_memory(hasty_gateway: Gateway) -> None:
    """It asks and asks, with every window open, and takes nothing."""

    def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        head = struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream)
        return head + payload

    path = INFER.encode()
    head = b"\x83\x86\x04" + bytes([len(path)]) + path + b"\x01\x01x"
    head += b"\0\x0ccontent-type\x10application/grpc"
    body = b"\0" + struct.pack(">I", len(good_message())) + good_message()
    before = hasty_gateway.resident_megabytes()
    with socket.create_connection(("127.0.0.1", hasty_gateway.grpc_port), 60) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        largest = (1 << 31) - 1
        deaf.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + frame(4, 0, 0, struct.pack(">HI", 4, largest))
            + frame(8, 0, 0, struct.pack(">I", largest - 65535))
        )
        deaf.settimeout(1)
        # It is not read any more, or closed, since it has more calls open than it was told it may.
        with pytest.raises((TimeoutError, ConnectionError)):
            for stream in range(1, 2_000_000, 2):
                deaf.sendall(frame(1, 4, stream, head) + frame(0, 1, stream, body))
        assert ask(hasty_gateway, good_message()) is None
        assert hasty_gateway.resident_megabytes() < before + 60


def binary_request(tensor: dict[str, Any], data: bytes, length: int | str | None = None) -> Any:
    """A body of JSON and binary data; `length` is where it says the JSON ends."""
    text = json.dumps({"inputs": [tensor]}).encode()
    return text + data, {
        "Inference-Header-Content-Length": str(len(text) if length is None else length)
    }


def tensor_of(size: int, **changes: Any) -> dict[str, Any]:
    return {
        "name": "x",
        "shape": [1, 2],
        "datatype": "FP32",
        "parameters": {"binary_data_size": size},
        **changes,
    }


@pytest.mark.parametrize(
    ("tensor", "data", "length", "words"),
    [
        (tensor_of(8), b"\0" * 8, None, None),
        (tensor_of(8), b"\0" * 7, None, "only 7 bytes follow"),
        (tensor_of(8), b"\0" * 9, None, "1 bytes follow after the last tensor"),
        (tensor_of(4), b"\0" * 4, None, "takes 8"),
        (tensor_of(1 << 62), b"\0" * 8, None, "only 8 bytes follow"),
        (tensor_of(-8), b"\0" * 8, None, "a number of bytes"),
        (tensor_of(8, shape=[1 << 62, 2]), b"\0" * 8, None, "x"),
        (tensor_of(8, datatype="FP64"), b"\0" * 8, None, "shape [1, 2] of FP64 takes 16"),
        (tensor_of(8), b"\0" * 8, 100_000, "Inference-Header-Content-Length"),
        (tensor_of(8), b"\0" * 8, -1, "Inference-Header-Content-Length"),
        (tensor_of(8), b"\0" * 8, "eight", "Inference-Header-Content-Length"),
        (tensor_of(8), b"\0" * 8, 3, "not a valid request"),
        (
            tensor_of(8, parameters={"shared_memory_region": "r", "shared_memory_byte_size": 8}),
            b"",
            None,
            "shared_memory_region",
        ),
    ],
)
def test_wrong_binary_sizes_over_rest_are_named(
    gateway: Gateway, tensor: Any, data: bytes, length: Any, words: str | None
) -> None:
    body, headers = binary_request(tensor, data, length)
    reply = requests.post(
        f"http://{gateway.url}/v2/models/split/infer", data=body, headers=headers, timeout=30
    )
    if words is None:
        assert reply.status_code == 200
    else:
        assert reply.status_code == 400
        assert words.lower() in reply.json()["error"].lower()


def test_a_bool_of_two_is_none(gateway: Gateway) -> None:
    tensor = tensor_of(2, name="in_BOOL", datatype="BOOL")
    body, headers = binary_request(tensor, b"\1\2")
    reply = requests.post(
        f"http://{gateway.url}/v2/models/identity/infer", data=body, headers=headers, timeout=30
    )
    assert reply.status_code == 400
    assert "value 1 is not a BOOL" in reply.json()["error"]


def test_a_body_of_an_unknown_coding_is_refused_in_words(gateway: Gateway) -> None:
    reply = requests.post(
        f"http://{gateway.url}/v2/models/split/infer",
        data=b"\x1f\x8b",
        headers={"Content-Encoding": "br"},
        timeout=30,
    )
    assert reply.status_code == 400
    assert "Content-Encoding" in reply.json()["error"]


def test_the_log_holds_both_protocols(tmp_path: Path) -> None:
    one = Gateway(folder=tmp_path / "data")
    one.deploy("split", (fixture("constant-1.onnx"), 100))
    one.start()
    assert ask(one, good_message()) is None
    body = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}
    reply = requests.post(f"http://{one.url}/v2/models/split/infer", json=body, timeout=30)
    assert reply.status_code == 200
    metrics = requests.get(f"http://{one.url}/metrics", timeout=30).text
    (line,) = [line for line in metrics.splitlines() if 'outcome="ok"' in line]
    assert line.endswith(" 2")
    assert one.stop() == 0
    logged = b"".join(path.read_bytes() for path in (one.folder / "predictions").rglob("*.alog"))
    assert good_message() in logged
    # A plain JSON request is kept as its tensors.
    assert logged.count(struct.pack("<2f", 1, 2)) >= 2
