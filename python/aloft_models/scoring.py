"""Asks an MLflow model as its scoring would, and where that cannot, by its own library."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from aloft_models.inputs import TextColumn
from aloft_models.missing import missing_text
from aloft_models.mlflow_model import ModelFolder


@dataclass(frozen=True)
class Scorer:
    """Takes rows and parameters. `texts` makes a column of texts as the model knows them."""

    ask: Callable[[Any, Mapping[str, Any]], Any]
    texts: TextColumn = list

    def __call__(self, rows: Any, parameters: Mapping[str, Any]) -> Any:
        return self.ask(rows, parameters)


def load_scorer(folder: ModelFolder) -> Scorer:
    """Loads the model; throws whatever its library throws."""
    conf = folder.flavors.get("python_function", {})
    if folder.needs_native():
        flavor = next(name for name in ("sklearn", "xgboost", "lightgbm") if name in folder.flavors)
        model = importlib.import_module(f"mlflow.{flavor}").load_model(str(folder.path))
        function = getattr(model, str(conf.get("predict_fn", "predict")))
        return Scorer(lambda rows, _: function(folder.native(rows)), _texts_for(model))
    import mlflow.pyfunc

    pyfunc = mlflow.pyfunc.load_model(str(folder.path))
    known = folder.parameters()

    def score(rows: Any, parameters: Mapping[str, Any]) -> Any:
        chosen = {name: value for name, value in parameters.items() if name in known}
        return pyfunc.predict(rows, params=chosen or None)

    return Scorer(score, _texts_for(_inner(pyfunc)) if "sklearn" in folder.flavors else list)


def _texts_for(model: Any) -> TextColumn:
    """As objects: a column of strings makes NaN of None, which encoders may tell apart."""
    missing = missing_text(model)
    return lambda texts: pd.Series(
        [missing if text is None else text for text in texts], dtype=object
    )


def _inner(pyfunc: Any) -> Any:
    try:
        return pyfunc.get_raw_model()
    except Exception:  # wrappers of older versions have none
        return None
