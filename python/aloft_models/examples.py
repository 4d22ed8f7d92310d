"""What a model answers to the example that it was logged with."""

from __future__ import annotations

from typing import Any

import pandas as pd

from aloft_models.mlflow_model import ModelFolder
from aloft_models.scoring import Scorer

EXAMPLE_ROWS = 5


def some_rows(example: Any) -> Any:
    """The first few rows of an example; one that has no rows as it is."""
    if isinstance(example, pd.DataFrame | list) or hasattr(example, "shape"):
        return example[:EXAMPLE_ROWS]
    return example


def answer_to(folder: ModelFolder, scorer: Scorer, example: Any) -> Any:
    """Asks as `predict` would be called; throws whatever the model throws, where it does not answer
    MLflow's own request of the example either."""
    try:
        return scorer.invoke(some_rows(example), folder.example_parameters())
    except Exception:
        body = folder.serving_input()
        if body is None:
            raise
        return _answer_to_body(scorer, body)


def _answer_to_body(scorer: Scorer, body: str) -> Any:
    from mlflow.pyfunc.scoring_server import _parse_json_data

    parsed = _parse_json_data(body, scorer.metadata, scorer.metadata.get_input_schema())
    return scorer.invoke(parsed.data, parsed.params)
