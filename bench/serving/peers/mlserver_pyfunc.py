"""MLServer with a runtime of its own that asks an MLflow pyfunc: tensors in, its answer out."""

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Pyfunc(MLModel):
    async def load(self) -> bool:
        self.model = mlflow.pyfunc.load_model(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        columns = {
            tensor.name: NumpyCodec.decode_input(tensor).reshape(-1) for tensor in payload.inputs
        }
        answer = np.asarray(self.model.predict(pd.DataFrame(columns)))
        output = NumpyCodec.encode_output("prediction", answer)
        return InferenceResponse(model_name=self.name, outputs=[output])
