"""LitServe with ONNX Runtime, one worker, no access log: its own defaults otherwise."""

import os
import sys
from typing import Any

import litserve
import numpy as np
import onnxruntime


class Cancer(litserve.LitAPI):
    def setup(self, device: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)
        self.name = self.session.get_inputs()[0].name
        self.outputs = [output.name for output in self.session.get_outputs()]

    def decode_request(self, request: dict[str, Any]) -> np.ndarray:
        (tensor,) = request["inputs"]
        return np.asarray(tensor["data"], dtype=np.float32).reshape(tensor["shape"])

    def predict(self, rows: np.ndarray) -> list[np.ndarray]:
        return list(self.session.run(self.outputs, {self.name: rows}))

    def encode_response(self, values: list[np.ndarray]) -> dict[str, Any]:
        return {
            "outputs": [
                {"name": name, "shape": list(value.shape), "data": value.ravel().tolist()}
                for name, value in zip(self.outputs, values, strict=True)
            ]
        }


if __name__ == "__main__":
    server = litserve.LitServer(Cancer(api_path="/v2/models/cancer/infer"), accelerator="cpu")
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
