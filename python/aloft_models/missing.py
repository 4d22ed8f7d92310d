"""Missing text, which is not the empty text: how it is written in tensors, and as what a model
knows it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

# Stands for missing text in a BYTES tensor: a code point that is no character and never will be.
MARK = "\uffff"


def is_missing(value: Any) -> bool:
    """None, NaN, NaT and pandas' NA; never a text, list or array."""
    if value is None:
        return True
    if isinstance(value, str | bytes | list | tuple | dict | np.ndarray):
        return False
    try:
        return bool(value != value)
    except TypeError:  # pandas' NA is neither equal nor unequal to itself
        return True


def missing_text(model: Any) -> Any:
    """None or NaN, as the model was fitted on: some encoders tell them apart, and a request has one
    word for both. NaN where nothing says: it is what tables have."""
    marks: list[Any] = []
    for part in parts(model):
        for values in getattr(part, "categories_", None) or []:
            if str(getattr(values, "dtype", "")) == "object":
                marks += [value for value in values if is_missing(value)]
    if marks:  # what came through to an encoder tells more than what an imputer looks for
        return None if all(mark is None for mark in marks) else math.nan
    for part in parts(model):
        looked_for = getattr(part, "missing_values", math.nan)
        if looked_for is None:
            return None
    return math.nan


def parts(model: Any, depth: int = 0) -> Iterator[Any]:
    """The model and every fitted estimator inside it, of many alike the first few."""
    if depth > 12:
        return
    yield model
    for name in _SINGLE:
        inner = getattr(model, name, None)
        if hasattr(inner, "get_params"):
            yield from parts(inner, depth + 1)
    for name in ("steps", "transformers_", "transformer_list"):
        for entry in getattr(model, name, None) or []:
            if len(entry) > 1 and hasattr(entry[1], "get_params"):
                yield from parts(entry[1], depth + 1)
    for name in ("estimators_", "calibrated_classifiers_"):
        inner = getattr(model, name, None)
        if inner is None or hasattr(model, "tree_"):
            continue
        for one in list(np.asarray(inner, dtype=object).ravel())[:8]:
            if isinstance(one, tuple):
                one = one[-1]
            one = getattr(one, "estimator", one) if name.startswith("calibrated") else one
            if hasattr(one, "get_params"):
                yield from parts(one, depth + 1)


_SINGLE = (
    "best_estimator_",
    "estimator_",
    "regressor_",
    "transformer_",
    "final_estimator_",
    "_preprocessor",
)
