"""Asks an MLflow model as its scoring would, and where that cannot, by its own library."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from aloft_models.mlflow_model import ModelFolder

Scorer = Callable[[Any, Mapping[str, Any]], Any]


def load_scorer(folder: ModelFolder) -> Scorer:
    """Loads the model; throws whatever its library throws. The scorer takes rows and parameters."""
    if folder.needs_native():
        flavor = next(name for name in ("sklearn", "xgboost", "lightgbm") if name in folder.flavors)
        model = importlib.import_module(f"mlflow.{flavor}").load_model(str(folder.path))
        return lambda rows, _: model.predict(folder.native(rows))
    import mlflow.pyfunc

    pyfunc = mlflow.pyfunc.load_model(str(folder.path))
    known = folder.parameters()

    def score(rows: Any, parameters: Mapping[str, Any]) -> Any:
        chosen = {name: value for name, value in parameters.items() if name in known}
        return pyfunc.predict(rows, params=chosen or None)

    return score
