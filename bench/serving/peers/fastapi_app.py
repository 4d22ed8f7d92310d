"""FastAPI with uvloop and ONNX Runtime, written by hand: what people build themselves."""

import os
from typing import Any

import numpy as np
import onnxruntime
from fastapi import FastAPI, Request

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)
name = session.get_inputs()[0].name
outputs = [output.name for output in session.get_outputs()]
app = FastAPI()


@app.get("/health")
def health() -> str:
    return "OK"


@app.post("/v2/models/cancer/infer")
async def infer(request: Request) -> dict[str, Any]:
    (tensor,) = (await request.json())["inputs"]
    rows = np.asarray(tensor["data"], dtype=np.float32).reshape(tensor["shape"])
    values = session.run(outputs, {name: rows})
    return {
        "model_name": "cancer",
        "outputs": [
            {
                "name": output,
                "shape": list(value.shape),
                "datatype": "INT64" if value.dtype == np.int64 else "FP32",
                "data": value.ravel().tolist(),
            }
            for output, value in zip(outputs, values, strict=True)
        ],
    }
