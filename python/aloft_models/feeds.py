"""Protocol arrays from rows of a model's own kind, for examples and for warming up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from aloft_models.inputs import ModelInput
from aloft_models.missing import MARK, is_missing
from aloft_models.tensors import Array, element_bytes, numpy_dtype


def feeds_for(model_input: ModelInput, rows: Any) -> dict[str, Array]:
    """One array an input; text as str objects."""
    if isinstance(rows, pd.DataFrame):
        feeds = {}
        for position, column in enumerate(model_input.columns):
            values = rows.iloc[:, position]
            if column.is_numeric:
                array = values.to_numpy(dtype=numpy_dtype(column.datatype))
            else:
                array = _texts(list(values))
            feeds[column.name] = array.reshape(-1, 1)
        return feeds
    names = [tensor.name for tensor in model_input.tensors]
    if isinstance(rows, dict):
        return {name: np.asarray(rows[name]) for name in names}
    return {names[0]: np.asarray(rows)}


def _texts(values: list[Any]) -> Array:
    texts = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        texts[index] = MARK if is_missing(value) else element_bytes(value).decode(errors="replace")
    return texts
