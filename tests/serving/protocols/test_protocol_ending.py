"""A gateway that ends, or hands over to another, while calls over gRPC are under way."""

from __future__ import annotations

import signal
import struct
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import requests
from protocol_gateway import Gateway, fixture, program
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc import service_pb2_grpc as services


def slow_request() -> messages.ModelInferRequest:
    """Some milliseconds of the model's time."""
    request = messages.ModelInferRequest(model_name="slow")
    request.inputs.add(name="x", datatype="FP32", shape=[1, 128, 128])
    request.raw_input_contents.append(np.ones((1, 128, 128), np.float32).tobytes())
    return request


def full_gateway(folder: Path, drain_limit: int) -> Gateway:
    """One that lets a long line form."""
    one = Gateway(
        folder=folder / "data",
        arguments=["--latency-target", "600000", "--batch-rows", "1", "--drain-limit"],
    )
    one.arguments.append(str(drain_limit))
    one.deploy("slow", (fixture("slow.onnx"), 100))
    return one.start()


def waiting(gateway: Gateway) -> int:
    text = requests.get(f"http://{gateway.url}/metrics", timeout=30).text
    lines = [line for line in text.splitlines() if line.startswith("aloft_gateway_queue_length{")]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines)


def codes(calls: list[Any]) -> Counter[grpc.StatusCode]:
    """How each call ended."""
    ends: Counter[grpc.StatusCode] = Counter()
    for call in calls:
        error = call.exception(timeout=60)
        ends[grpc.StatusCode.OK if error is None else error.code()] += 1
    return ends


def test_what_was_accepted_is_answered_when_the_gateway_ends(tmp_path: Path) -> None:
    one = full_gateway(tmp_path, drain_limit=60)
    assert one.process is not None
    with grpc.insecure_channel(one.grpc_url) as channel:
        stub = services.GRPCInferenceServiceStub(channel)
        calls = [stub.ModelInfer.future(slow_request()) for _ in range(100)]
        one.wait_until(lambda: waiting(one) > 20, "a line")
        one.process.send_signal(signal.SIGTERM)
        late = []
        while one.process.poll() is None and len(late) < 400:
            late.append(stub.ModelInfer.future(slow_request()))
            time.sleep(0.005)
        ends = codes(calls)
        # A machine that is busy with other work may have turned some away before.
        assert set(ends) <= {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}, ends
        assert ends[grpc.StatusCode.OK] > 20, ends
        # Whoever comes after is answered as well, or learns that nobody is there.
        assert set(codes(late)) <= {
            grpc.StatusCode.OK,
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        }
    assert one.process.wait(timeout=60) == 0


def test_what_waits_at_the_limit_is_turned_away_in_words(tmp_path: Path) -> None:
    one = full_gateway(tmp_path, drain_limit=0)
    assert one.process is not None
    with grpc.insecure_channel(one.grpc_url) as channel:
        stub = services.GRPCInferenceServiceStub(channel)
        calls = [stub.ModelInfer.future(slow_request()) for _ in range(250)]
        one.wait_until(lambda: waiting(one) > 100, "a line")
        one.process.send_signal(signal.SIGTERM)
        ends = codes(calls)
        assert {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE} <= set(ends), ends
        turned_away = [call.exception() for call in calls if call.exception() is not None]
        error = next(e for e in turned_away if e.code() == grpc.StatusCode.UNAVAILABLE)
        assert "shutting down" in error.details()
        told = [tuple(word) for word in error.trailing_metadata()]
        assert ("aloft-error-code", "shutting_down") in told
    assert one.process.wait(timeout=60) == 0


def test_a_gateway_started_anew_takes_over_grpc_and_no_call_fails(tmp_path: Path) -> None:
    one = Gateway(folder=tmp_path / "data")
    one.deploy("split", (fixture("constant-1.onnx"), 100))
    one.start()
    assert one.process is not None
    request = messages.ModelInferRequest(model_name="split")
    request.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    request.raw_input_contents.append(struct.pack("<2f", 1, 2))
    over = threading.Event()
    answered = [0] * 4
    failures: list[str] = []

    def ask(index: int, keeps_channel: bool) -> None:
        channel = grpc.insecure_channel(one.grpc_url, [("grpc.use_local_subchannel_pool", 1)])
        while not over.is_set() and len(failures) < 20:
            try:
                services.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=30)
                answered[index] += 1
            except grpc.RpcError as error:
                failures.append(f"{error.code()} {error.details()}")
            if not keeps_channel:
                channel.close()
                options = [("grpc.use_local_subchannel_pool", 1)]
                channel = grpc.insecure_channel(one.grpc_url, options)
        channel.close()

    threads = [threading.Thread(target=ask, args=(index, index < 2)) for index in range(4)]
    for thread in threads:
        thread.start()
    try:
        command = [str(program()), "gateway", "--server", "http://127.0.0.1:1"]
        command += ["--data", str(one.folder), "--listen", one.url, "--grpc", one.grpc_url]
        for _ in range(3):
            before = list(answered)
            one.wait_until(
                lambda before=before: all(a > b for a, b in zip(answered, before, strict=True)),
                "answers to everybody",
            )
            earlier = one.process
            with (one.folder / "log").open("ab") as log:
                one.process = subprocess.Popen(command, stdout=log, stderr=log)
            assert earlier.wait(timeout=120) == 0
        before = list(answered)
        one.wait_until(
            lambda: all(a > b for a, b in zip(answered, before, strict=True)), "the last one"
        )
    finally:
        over.set()
        for thread in threads:
            thread.join()
        status = one.stop()
    assert failures == []
    assert status == 0


def test_an_address_of_grpc_in_use_is_told(tmp_path: Path) -> None:
    one = Gateway(folder=tmp_path / "data")
    one.deploy("split", (fixture("constant-1.onnx"), 100))
    one.start()
    try:
        command = [str(program()), "gateway", "--server", "http://127.0.0.1:1", "--data"]
        command += [str(tmp_path / "other"), "--listen", "127.0.0.1:0", "--grpc", one.grpc_url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode != 0
        assert f"gRPC cannot listen at {one.grpc_url}" in done.stderr
        assert "--grpc" in done.stderr
    finally:
        one.stop()
