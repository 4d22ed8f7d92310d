"""BentoML with ONNX Runtime, one worker, metrics and access log off."""

import os
from typing import Any

import bentoml
import numpy as np
import onnxruntime


@bentoml.service(
    workers=1,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"sample_rate": 0.0},
)
class Cancer:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)
        self.name = self.session.get_inputs()[0].name
        self.outputs = [output.name for output in self.session.get_outputs()]

    @bentoml.api(route="/v2/models/cancer/infer")
    def infer(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        (tensor,) = inputs
        rows = np.asarray(tensor["data"], dtype=np.float32).reshape(tensor["shape"])
        values = self.session.run(self.outputs, {self.name: rows})
        return {
            "outputs": [
                {"name": name, "shape": list(value.shape), "data": value.ravel().tolist()}
                for name, value in zip(self.outputs, values, strict=True)
            ]
        }
