"""What a pyfunc model answers with, as named arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from aloft_models.tensors import Array

UNNAMED_OUTPUT = "prediction"


def named_outputs(answer: Any) -> dict[str, Array]:
    """Tables give an output a column, dictionaries one a key, everything else is `prediction`."""
    if isinstance(answer, pd.DataFrame):
        return {str(name): _array(answer[name]) for name in answer.columns}
    if isinstance(answer, dict) and answer:
        return {str(name): _array(value) for name, value in answer.items()}
    return {UNNAMED_OUTPUT: _array(answer)}


def _array(value: Any) -> Array:
    """At least one dimension; what numpy has no plain type for becomes an array of objects."""
    if hasattr(value, "toarray"):
        value = value.toarray()
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, pd.Series):
        value = value.to_numpy()
    if isinstance(value, list | tuple):
        value = _from_list(list(value))
    array = np.atleast_1d(np.asarray(value))
    if array.dtype.kind in "US" or array.dtype == np.longdouble:
        array = array.astype(object if array.dtype.kind in "US" else np.float64)
    return array


def _from_list(values: list[Any]) -> Array:
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        array = np.empty(0)
    if len(array) == len(values) and array.dtype.kind in "biuf":
        return array
    objects = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        objects[index] = value
    return objects
