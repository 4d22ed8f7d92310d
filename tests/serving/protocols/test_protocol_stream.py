"""Streams of predictions, `ModelStreamInfer`, as `tritonclient` and others send them."""

from __future__ import annotations

import contextlib
import queue
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from protocol_gateway import Gateway, fixture, program
from stream_requests import INFER, STREAM, names, request, slow_request, wrong_request
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services


@pytest.fixture
def stub(gateway: Gateway) -> Iterator[Any]:
    with grpc.insecure_channel(gateway.grpc_url) as channel:
        yield services.GRPCInferenceServiceStub(channel)


# As tritonclient does it


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_triton_gets_answers_and_errors_in_order(gateway: Gateway, compression: str | None) -> None:
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    tensor = triton.InferInput("x", [1, 2], "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 2), np.float32))
    with triton.InferenceServerClient(gateway.grpc_url) as client:
        client.start_stream(
            lambda result, error: answers.put((result, error)),
            compression_algorithm=compression,
        )
        for number in range(300):
            name = "nothing" if number % 10 == 3 else "split"
            client.async_stream_infer(
                name, [tensor], request_id=f"{number}", enable_empty_final_response=True
            )
        for number in range(300):
            result, error = answers.get(timeout=60)
            if number % 10 == 3:
                assert result is None and "nothing" in error.message()
                continue
            assert error is None
            response = result.get_response()
            assert response.id == f"{number}"
            assert float(result.as_numpy("y")) in (1.0, 2.0)
            assert response.parameters["triton_final_response"].bool_param
            assert len(response.parameters["x-aloft-prediction-id"].string_param) == 28
        client.stop_stream()
        # And once more over the same connection, given up while answers are under way.
        client.start_stream(lambda result, error: None)
        for number in range(300):
            client.async_stream_infer("split", [tensor], request_id=f"{number}")
        client.stop_stream(cancel_requests=True)
        assert client.is_server_live()


# As gRPC itself does it


def test_each_message_is_answered_by_one_and_names_what_went_wrong(stub: Any) -> None:
    asked = [request(0), wrong_request(1), request(2, model_version="7"), request(3)]
    answers = list(stub.ModelStreamInfer(iter(asked), timeout=60))
    assert names(answers) == [0, 1, 2, 3]
    assert [bool(one.error_message) for one in answers] == [False, True, True, False]
    assert "INT64" in answers[1].error_message
    wrong = answers[1].infer_response.parameters
    assert wrong["aloft-error-code"].string_param
    assert len(wrong["x-aloft-prediction-id"].string_param) == 28
    assert answers[0].infer_response.parameters["x-aloft-revision"].int64_param in (1, 2)


def test_answers_keep_the_order_of_the_questions(stub: Any) -> None:
    """A slow model's answers are waited for by those of a quick one."""
    chance = random.Random(3)
    asked = [(slow_request if chance.random() < 0.2 else request)(number) for number in range(120)]
    answers = list(stub.ModelStreamInfer(iter(asked), timeout=120))
    assert names(answers) == list(range(120))
    assert not any(one.error_message for one in answers)


def test_a_stream_may_be_quiet_and_go_on(strict_gateway: Gateway) -> None:
    asked: queue.Queue[Any] = queue.Queue()
    with grpc.insecure_channel(strict_gateway.grpc_url) as channel:
        stub = services.GRPCInferenceServiceStub(channel)
        answers = stub.ModelStreamInfer(iter(asked.get, None), timeout=120)
        # The caller is let in before it asks.
        assert answers.initial_metadata() is not None
        for number in range(3):
            # Longer than a message may take to come: only what has begun is waited for.
            threading.Event().wait(1.5)
            asked.put(request(number))
            assert next(answers).infer_response.id == f"{number}"
        asked.put(None)
        assert list(answers) == []
        assert answers.code() is grpc.StatusCode.OK


def test_messages_larger_than_every_window_go_through(stub: Any) -> None:
    rows = np.zeros((100_000, 30), np.float32)

    def asked() -> Iterator[Any]:
        for number in range(4):
            made = messages.ModelInferRequest(model_name="cancer", id=f"{number}")
            made.inputs.add(name="X", datatype="FP32", shape=list(rows.shape))
            made.raw_input_contents.append(rows.tobytes())
            yield made

    answers = list(stub.ModelStreamInfer(asked(), timeout=120))
    assert names(answers) == list(range(4))
    assert all(len(one.infer_response.raw_output_contents[1]) == 800_000 for one in answers)


def test_a_deadline_of_a_message_is_its_own(stub: Any) -> None:
    def asked() -> Iterator[Any]:
        for number in range(40):
            made = slow_request(number)
            if number % 2:
                made.parameters["timeout"].int64_param = 1000
            yield made

    answers = list(stub.ModelStreamInfer(asked(), timeout=120))
    assert names(answers) == list(range(40))
    late = [bool(one.error_message) for one in answers]
    assert any(late[1::2]), "so many at once, a millisecond each, and every one in time"


def raw_stream(gateway: Gateway, asked: list[bytes]) -> tuple[list[Any], grpc.StatusCode, str]:
    """What these bytes are answered, and how the stream ends."""
    with grpc.insecure_channel(gateway.grpc_url) as channel:
        call = channel.stream_stream(
            STREAM,
            request_serializer=lambda data: data,
            response_deserializer=messages.ModelStreamInferResponse.FromString,
        )(iter(asked), timeout=60)
        answers = []
        with contextlib.suppress(grpc.RpcError):
            for answer in call:
                answers.append(answer)
        return answers, call.code(), call.details()


def test_garbage_is_answered_as_such_and_the_stream_goes_on(gateway: Gateway) -> None:
    chance = random.Random(5)
    good = request(1).SerializeToString()
    asked = []
    for size in (0, 1, 17, 300, 5000):
        asked += [b"\xff" + chance.randbytes(size), good]
    answers, code, _ = raw_stream(gateway, asked)
    assert code is grpc.StatusCode.OK
    assert [bool(one.error_message) for one in answers] == [True, False] * 5
    assert raw_stream(gateway, [])[1] is grpc.StatusCode.OK
    answers, code, _ = raw_stream(gateway, [good[:count] for count in range(len(good))])
    assert code is grpc.StatusCode.OK
    assert len(answers) == len(good) and all(one.error_message for one in answers)


def test_a_message_beyond_the_limit_ends_the_stream_behind_the_answers(
    strict_gateway: Gateway,
) -> None:
    good = request(1).SerializeToString()
    answers, code, words = raw_stream(strict_gateway, [good, good, bytes(2 << 20), good])
    assert names(answers) == [1, 1]
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "the limit here" in words


def test_a_call_that_asks_for_one_answer_takes_one_message_still(gateway: Gateway) -> None:
    with grpc.insecure_channel(gateway.grpc_url) as channel:
        call = channel.stream_unary(
            INFER, request_serializer=lambda data: data, response_deserializer=lambda data: data
        )
        with pytest.raises(grpc.RpcError) as refused:
            call(iter([request(1).SerializeToString()] * 2), timeout=60)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


# The end of a gateway


class Asker:
    """Asks on one stream without an end, and notes what is answered."""

    def __init__(self, channel: grpc.Channel, start: int = 0) -> None:
        self.asked = start
        self.answered: list[int] = []
        self.over = False
        call = services.GRPCInferenceServiceStub(channel).ModelStreamInfer
        self.call = call(self.questions(), timeout=120, wait_for_ready=True)

    def questions(self) -> Iterator[Any]:
        while not self.over:
            self.asked += 1
            yield request(self.asked - 1)

    def run(self) -> grpc.StatusCode:
        try:
            for answer in self.call:
                assert not answer.error_message, answer.error_message
                self.answered.append(int(answer.infer_response.id))
        except grpc.RpcError:
            pass
        self.over = True
        return self.call.code()


def test_a_gateway_that_ends_answers_the_begin_of_each_stream(tmp_path: Path) -> None:
    one = Gateway(folder=tmp_path / "data")
    one.deploy("split", (fixture("constant-1.onnx"), 100))
    one.start()
    assert one.process is not None
    with grpc.insecure_channel(one.grpc_url) as channel:
        asker = Asker(channel)
        ends: list[grpc.StatusCode] = []
        thread = threading.Thread(target=lambda: ends.append(asker.run()))
        thread.start()
        one.wait_until(lambda: len(asker.answered) > 100, "answers")
        one.process.send_signal(signal.SIGTERM)
        thread.join(60)
        assert ends == [grpc.StatusCode.UNAVAILABLE]
        assert "is ending" in asker.call.details()
        # Whatever is not answered is all that came behind.
        assert asker.answered == list(range(len(asker.answered)))
        assert one.process.wait(timeout=60) == 0


def test_a_stream_goes_on_with_the_gateway_that_takes_over(tmp_path: Path) -> None:
    one = Gateway(folder=tmp_path / "data")
    one.deploy("split", (fixture("constant-1.onnx"), 100))
    one.start()
    assert one.process is not None
    answered: list[int] = []
    over = threading.Event()

    def ask() -> None:
        with grpc.insecure_channel(one.grpc_url) as channel:
            while not over.is_set():
                asker = Asker(channel, start=len(answered))
                asker.answered = answered
                code = asker.run()
                assert code is grpc.StatusCode.UNAVAILABLE

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        one.wait_until(lambda: len(answered) > 100, "answers")
        command = [str(program()), "gateway", "--server", "http://127.0.0.1:1"]
        command += ["--data", str(one.folder), "--listen", one.url, "--grpc", one.grpc_url]
        earlier = one.process
        with (one.folder / "log").open("ab") as log:
            one.process = subprocess.Popen(command, stdout=log, stderr=log)
        assert earlier.wait(timeout=120) == 0
        before = len(answered)
        one.wait_until(lambda: len(answered) > before + 100, "answers of the next gateway")
    finally:
        over.set()
        status = one.stop()
        thread.join(60)
    assert status == 0
    assert answered == list(range(len(answered)))
