"""Asks an MLflow model as its scoring would, and where that cannot, by its own library."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from aloft_models.categories import category_places
from aloft_models.inputs import TextColumn
from aloft_models.missing import is_missing, missing_text
from aloft_models.mlflow_model import ModelFolder


@dataclass(frozen=True)
class Scorer:
    """Takes rows and parameters. `texts` makes a column of texts as the model knows them."""

    ask: Callable[[Any, Mapping[str, Any]], Any]
    # The same for what MLflow's scoring made of a body, and all its parameters.
    invoke: Callable[[Any, Mapping[str, Any] | None], Any]
    # `mlflow.models.Model`: signature and parameters.
    metadata: Any
    texts: TextColumn = list
    # The library's own model, where there is one.
    model: Any = None

    def __call__(self, rows: Any, parameters: Mapping[str, Any]) -> Any:
        return self.ask(rows, parameters)


def load_scorer(folder: ModelFolder) -> Scorer:
    """Loads the model; throws whatever its library throws."""
    boosted = next((name for name in ("xgboost", "lightgbm") if name in folder.flavors), None)
    if folder.needs_native():
        return _native(folder, boosted or "sklearn", _load_native(folder, boosted or "sklearn"))
    if boosted is not None:
        model = _load_native(folder, boosted)
        if category_places(model):
            return _native(folder, boosted, model)
    import mlflow.pyfunc

    pyfunc = mlflow.pyfunc.load_model(str(folder.path))
    known = folder.parameters()
    model = _inner(pyfunc)
    missing = missing_text(model) if "sklearn" in folder.flavors else ""

    def ask(rows: Any, parameters: Mapping[str, Any]) -> Any:
        chosen = {name: value for name, value in parameters.items() if name in known}
        return pyfunc.predict(rows, params=chosen or None)

    def invoke(data: Any, parameters: Mapping[str, Any] | None) -> Any:
        return pyfunc.predict(_with_none(data) if missing is None else data, params=parameters)

    texts = _texts_with(missing) if "sklearn" in folder.flavors else list
    return Scorer(ask, invoke, pyfunc.metadata, texts, model)


def _load_native(folder: ModelFolder, flavor: str) -> Any:
    return importlib.import_module(f"mlflow.{flavor}").load_model(str(folder.path))


def _native(folder: ModelFolder, flavor: str, model: Any) -> Scorer:
    """For what MLflow's own scoring cannot ask: see `ModelFolder.needs_native`. Also for category
    columns of numbers."""
    conf = folder.flavors.get("python_function", {})
    function = getattr(model, str(conf.get("predict_fn", "predict")))
    if flavor == "xgboost" and not hasattr(model, "get_params"):
        from xgboost import DMatrix

        booster = function
        function = lambda rows: booster(DMatrix(rows, enable_categorical=True))  # noqa: E731
    schema = folder.description.get_input_schema()
    categories = category_places(model) if flavor != "sklearn" else []

    def ask(rows: Any) -> Any:
        return function(folder.native(rows, categories))

    def invoke(data: Any, _: Mapping[str, Any] | None) -> Any:
        from mlflow.models.utils import _enforce_schema

        if isinstance(data, dict):
            data = pd.DataFrame(data)
        return ask(data if schema is None else _enforce_schema(data, schema))

    return Scorer(
        lambda rows, _: ask(rows),
        invoke,
        folder.description,
        _texts_with(missing_text(model)),
        model,
    )


def _texts_with(missing: Any) -> TextColumn:
    """As objects: a column of strings makes NaN of None, which encoders may tell apart."""
    return lambda texts: pd.Series(
        [missing if text is None else text for text in texts], dtype=object
    )


def _with_none(data: Any) -> Any:
    """Missing texts as None for a model that was fitted on that: reading a table makes NaN of
    them."""
    if not isinstance(data, pd.DataFrame):
        return data
    for name in data.columns:
        column = data[name]
        if getattr(column.dtype, "kind", "O") in "OSUT" and column.isna().any():
            values = [None if is_missing(value) else value for value in column]
            data[name] = pd.Series(values, dtype=object, index=data.index)
    return data


def _inner(pyfunc: Any) -> Any:
    try:
        return pyfunc.get_raw_model()
    except Exception:  # wrappers of older versions have none
        return None
