"""The original model, loaded with its own library, as functions from rows to named outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aloft_models.convert.failures import ConversionFailed, NotConvertible, in_short
from aloft_models.mlflow_model import ModelFolder
from aloft_models.tensors import Array

# Flavors in the order in which they are tried; pyfunc wraps any of them.
FLAVORS = ("sklearn", "xgboost", "lightgbm", "pytorch")


@dataclass(frozen=True)
class Original:
    """`outputs` gives what the converted model must give as well, under the same names."""

    flavor: str
    model: Any
    outputs: Callable[[Any], dict[str, Array]]
    # The one of them that `predict` answers with.
    predict_output: str
    # How sure the original is of its labels: rows with the same scores are ties. None where it has
    # no scores beside its outputs.
    ties: Callable[[Any], Array] | None = None
    # Labels alone.
    label: Callable[[Any], Array] | None = None


def flavor_of(folder: ModelFolder) -> str | None:
    """The library that the converter knows this model by, if any."""
    return next((name for name in FLAVORS if name in folder.flavors), None)


def load_native(folder: ModelFolder, flavor: str) -> Any:
    """Loads the model with its own library; throws ConversionFailed, naming what is missing."""
    import importlib

    try:
        module = importlib.import_module(f"mlflow.{flavor}")
        return module.load_model(str(folder.path))
    except Exception as error:  # whatever unpickling a stranger's model throws
        raise ConversionFailed(f"the model cannot be loaded: {in_short(error)}") from error


def of_model(folder: ModelFolder, flavor: str, model: Any) -> Original:
    """The original with its outputs by name; throws NotConvertible where scoring answers with what
    conversions have no output for."""
    function = folder.flavors.get("python_function", {}).get("predict_fn", "predict")
    return of_estimator(flavor, model, function, folder.native)


def of_estimator(
    flavor: str, model: Any, function: str = "predict", native: Callable[[Any], Any] = lambda r: r
) -> Original:
    """The same where there is no folder; `native` makes the rows that the model wants."""
    if flavor in ("xgboost", "lightgbm") and not hasattr(model, "get_params"):
        made = Original(flavor, model, _booster_outputs(flavor, model), "prediction")
    else:
        made = _estimator(flavor, model, function)
    ties, label = made.ties, None
    if made.predict_output == "label" or hasattr(final_step(model), "classes_"):
        label = lambda rows: _labels(model.predict(native(rows)))  # noqa: E731
    return replace(
        made,
        label=label,
        outputs=lambda rows: made.outputs(native(rows)),
        ties=(lambda rows: ties(native(rows))) if ties is not None else None,
    )


def _estimator(flavor: str, model: Any, function: str) -> Original:
    """scikit-learn's own models and those of others that follow its manners."""
    from sklearn.base import is_clusterer, is_outlier_detector

    final = final_step(model)
    if function not in ("predict", "predict_proba") or (
        function == "predict_proba"
        and (not hasattr(final, "classes_") or isinstance(final.classes_, list))
    ):
        raise NotConvertible(f"scoring answers with {function}, which has no place in a conversion")
    if hasattr(final, "classes_") and hasattr(model, "predict"):
        if hasattr(model, "predict_proba") and not isinstance(final.classes_, list):
            predict = "probabilities" if function == "predict_proba" else "label"
            return Original(flavor, model, lambda rows: {
                "label": _labels(model.predict(rows)),
                "probabilities": np.asarray(model.predict_proba(rows)),
            }, predict, lambda rows: np.asarray(model.predict_proba(rows)))  # fmt: skip
        return Original(flavor, model, lambda rows: {"label": _labels(model.predict(rows))},
                        "label", _scores(model))  # fmt: skip
    if is_outlier_detector(final):
        return Original(flavor, model, lambda rows: {
            "label": np.asarray(model.predict(rows)),
            "scores": np.asarray(model.decision_function(rows)),
        }, "label", lambda rows: np.asarray(model.decision_function(rows)))  # fmt: skip
    if is_clusterer(final):
        return Original(flavor, model, lambda rows: {"label": _labels(model.predict(rows))},
                        "label", _scores(model))  # fmt: skip
    if hasattr(model, "predict"):
        return Original(flavor, model, lambda rows: {"prediction": np.asarray(model.predict(rows))},
                        "prediction")  # fmt: skip
    return Original(flavor, model, lambda rows: {"transformed": _dense(model.transform(rows))},
                    "transformed")  # fmt: skip


def _scores(model: Any) -> Callable[[Any], Array] | None:
    final = final_step(model)
    if type(final).__name__ in ("SVC", "NuSVC") or getattr(final, "voting", "") == "hard":
        return lambda rows: _before_votes(model, rows)
    if hasattr(model, "decision_function"):
        return lambda rows: np.asarray(model.decision_function(rows))
    if hasattr(model, "transform"):  # distances to the centres of clusters
        return lambda rows: -_dense(model.transform(rows))
    return None


def _before_votes(model: Any, rows: Any) -> Array:
    """The numbers that votes are made of: votes themselves are steps."""
    if hasattr(model, "best_estimator_"):
        return _before_votes(model.best_estimator_, rows)
    if hasattr(model, "steps"):
        for _, step in model.steps[:-1]:
            rows = rows if step in (None, "passthrough") else step.transform(rows)
        return _before_votes(model.steps[-1][1], rows)
    if getattr(model, "voting", "") == "hard":
        found = [_before_votes(one, rows) for one in model.estimators_]
        return np.concatenate([one.reshape(len(one), -1) for one in found], axis=1)
    for name in ("_decision_function", "decision_function", "predict_proba", "predict"):
        if hasattr(model, name) and (name[0] != "_" or hasattr(model, "_dual_coef_")):
            return np.asarray(getattr(model, name)(rows), dtype=np.float64)
    raise AttributeError("no scores")


def final_step(model: Any) -> Any:
    """The estimator at the end of a pipeline or inside a search."""
    while True:
        if hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        elif hasattr(model, "steps") and model.steps:
            model = model.steps[-1][1]
        else:
            return model


def _labels(values: Any) -> Array:
    array = np.asarray(values)
    return array.astype(object) if array.dtype.kind in "US" else array


def _dense(values: Any) -> Array:
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values)


def _booster_outputs(flavor: str, model: Any) -> Callable[[Any], dict[str, Array]]:
    if flavor == "xgboost":
        import xgboost

        return lambda rows: {"prediction": np.asarray(model.predict(xgboost.DMatrix(rows)))}
    return lambda rows: {"prediction": np.asarray(model.predict(rows))}
