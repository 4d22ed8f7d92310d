"""An MLflow model of any flavor as the worker serves it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aloft_models.answers import named_outputs
from aloft_models.feeds import feeds_for
from aloft_models.manifest import Tensor
from aloft_models.mlflow_model import open_folder
from aloft_models.scoring import load_scorer
from aloft_models.tensors import Array, TensorError, datatype_of
from aloft_models.worker.server import BadRequest, Served

_EXAMPLE_ROWS = 2


def load(path: Path) -> Served:
    """Loads the model and asks it for its own example, which tells the outputs and warms it."""
    from mlflow.exceptions import MlflowException

    folder = open_folder(path)
    model_input = folder.model_input()
    score = load_scorer(folder)
    lock = threading.Lock()
    is_library = any(name in folder.flavors for name in ("sklearn", "xgboost", "lightgbm"))

    def predict(arrays: Mapping[str, Array], parameters: Mapping[str, Any]) -> dict[str, Array]:
        if not arrays:
            raise TensorError("the request has no inputs")
        rows = model_input.rows(arrays, score.texts)
        try:
            with lock:
                return named_outputs(score(rows, parameters))
        except ValueError as error:
            if is_library:  # its own words of the rows, which only the caller can mend
                raise BadRequest(str(error)) from error
            raise
        except MlflowException as error:
            if error.error_code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"):
                raise BadRequest(str(error)) from error
            raise

    example = folder.example()
    outputs: list[Tensor] = []
    if example is not None and hasattr(example, "__getitem__"):
        try:
            rows = example if isinstance(example, dict) else example[:_EXAMPLE_ROWS]
            answer = predict(feeds_for(model_input, rows), {})
            outputs = [
                Tensor(name, datatype_of(array.dtype), (-1, *array.shape[1:]))
                for name, array in answer.items()
            ]
        except Exception:  # the example is a courtesy; requests may still be answered
            outputs = []
    return Served(model_input.protocol_tensors(), outputs, predict)
