"""An MLflow model of any flavor as the worker serves it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aloft_models.answers import as_said, named_outputs, tensors_of
from aloft_models.examples import answer_to
from aloft_models.invocations import Invocations, serve_as_mlflow
from aloft_models.manifest import Tensor
from aloft_models.mlflow_model import ModelFolder, open_folder
from aloft_models.scoring import Scorer, load_scorer
from aloft_models.tensors import Array, TensorError
from aloft_models.together import Document, Outcome, answer_all
from aloft_models.worker.server import BadRequest, Served


def load(path: Path) -> Served:
    """Loads the model and asks it for its own example, which tells the outputs and warms it."""
    folder = open_folder(path)
    serve_as_mlflow()
    return served(folder, load_scorer(folder))


def served(folder: ModelFolder, scorer: Scorer) -> Served:
    """The loaded model as requests see it."""
    from mlflow.exceptions import MlflowException

    model_input = folder.served_input(scorer.model)
    has_schema = folder.model_input().is_known
    lock = threading.Lock()
    is_library = any(name in folder.flavors for name in ("sklearn", "xgboost", "lightgbm"))
    outputs = _outputs(folder, scorer)
    invocations = Invocations(scorer)

    def predict(arrays: Mapping[str, Array], parameters: Mapping[str, Any]) -> dict[str, Array]:
        if not arrays:
            raise TensorError("the request has no inputs")
        rows = model_input.rows(arrays, scorer.texts)
        try:
            with lock:
                if model_input.items and not has_schema:
                    rows = _as_scoring(rows)
                return as_said(named_outputs(scorer(rows, parameters)), outputs)
        except ValueError as error:
            if is_library:  # its own words of the rows, which only the caller can mend
                raise BadRequest(str(error)) from error
            raise
        except MlflowException as error:
            if error.error_code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"):
                raise BadRequest(str(error)) from error
            raise

    def invoke(documents: Sequence[Document], together: bool) -> list[Outcome]:
        with lock:
            outcomes = answer_all(invocations, documents, together)
        return [
            BadRequest(str(one)) if is_library and isinstance(one, ValueError) else one
            for one in outcomes
        ]

    return Served(model_input.protocol_tensors(), outputs, predict, invoke)


def _outputs(folder: ModelFolder, scorer: Scorer) -> list[Tensor]:
    """From an answer to the example, else from the signature; empty where nothing says it."""
    example = folder.example()
    if example is not None:
        try:
            return tensors_of(named_outputs(answer_to(folder, scorer, example)))
        except Exception:  # the example is a courtesy; requests may still be answered
            return folder.outputs()
    return folder.outputs()


def _as_scoring(items: list[Any]) -> Any:
    """What MLflow's scoring makes of `inputs` for a model without a signature."""
    from mlflow.utils.proto_json_utils import parse_tf_serving_input

    return parse_tf_serving_input({"inputs": items}, schema=None)
