"""What KServe's own client asks of a gateway; `test_protocol_kserve.py` runs it.

Prints what was answered as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import numpy as np
from kserve import (  # type: ignore[import-not-found]
    InferenceGRPCClient,
    InferenceRESTClient,
    InferInput,
    InferRequest,
    RESTConfig,
)


def request_of(rows: Any, binary: bool) -> Any:
    tensor = InferInput("X", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, binary_data=binary)
    return InferRequest(model_name="cancer", infer_inputs=[tensor])


def answer(reply: Any) -> list[float]:
    (probabilities,) = [one for one in reply.outputs if one.datatype == "FP32"]
    return [float(value) for value in np.asarray(probabilities.as_numpy()).ravel()]


async def ask(rest_port: str, grpc_port: str, rows: Any) -> dict[str, Any]:
    url = f"http://127.0.0.1:{rest_port}"
    said: dict[str, Any] = {}
    rest = InferenceRESTClient(RESTConfig(protocol="v2"))
    said["rest_live"] = await rest.is_server_live(url)
    said["rest_ready"] = await rest.is_server_ready(url)
    said["rest_model_ready"] = await rest.is_model_ready(url, "cancer")
    for name, binary in (("rest_json", False), ("rest_binary", True)):
        reply = await rest.infer(url, request_of(rows, binary), model_name="cancer")
        said[name] = answer(reply)
    await rest.close()
    grpc = InferenceGRPCClient(f"127.0.0.1:{grpc_port}")
    said["grpc_live"] = await grpc.is_server_live()
    said["grpc_ready"] = await grpc.is_server_ready()
    said["grpc_model_ready"] = await grpc.is_model_ready("cancer")
    said["grpc"] = answer(await grpc.infer(request_of(rows, True)))
    await grpc.close()
    return said


if __name__ == "__main__":
    rows = np.array(json.loads(sys.stdin.read()), np.uint32).view(np.float32)
    print(json.dumps(asyncio.run(ask(sys.argv[1], sys.argv[2], rows))))
