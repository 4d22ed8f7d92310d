"""What tests of streams ask."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from tritonclient.grpc import service_pb2 as messages

STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"
INFER = "/inference.GRPCInferenceService/ModelInfer"


def request(name: int, model: str = "split", **more: Any) -> messages.ModelInferRequest:
    made = messages.ModelInferRequest(model_name=model, id=f"{name}", **more)
    made.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    made.raw_input_contents.append(struct.pack("<2f", name, 2))
    return made


def long_request() -> bytes:
    """Its answer is long too, since that has its id."""
    made = request(1)
    made.id = "i" * 1000
    return bytes(made.SerializeToString())


def wrong_request(name: int) -> messages.ModelInferRequest:
    made = request(name)
    made.inputs[0].datatype = "INT64"
    return made


def slow_request(name: int) -> messages.ModelInferRequest:
    made = messages.ModelInferRequest(model_name="slow", id=f"{name}")
    made.inputs.add(name="x", datatype="FP32", shape=[1, 128, 128])
    made.raw_input_contents.append(np.ones((1, 128, 128), np.float32).tobytes())
    return made


def names(answers: Any) -> list[int]:
    return [int(one.infer_response.id) for one in answers]
