"""MLServer with a runtime of its own that calls ONNX Runtime: its cheapest path to a model."""

import os

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

KINDS = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


class OnnxRuntime(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("BENCH_THREADS", "1"))
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, options)
        self.kinds = {one.name: KINDS[one.type] for one in self.session.get_inputs()}
        self.output_names = [output.name for output in self.session.get_outputs()]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        values = self.session.run(
            self.output_names,
            {
                tensor.name: NumpyCodec.decode_input(tensor).astype(
                    self.kinds[tensor.name], copy=False
                )
                for tensor in payload.inputs
            },
        )
        return InferenceResponse(
            model_name=self.name,
            outputs=[
                NumpyCodec.encode_output(name, value)
                for name, value in zip(self.output_names, values, strict=True)
            ],
        )
