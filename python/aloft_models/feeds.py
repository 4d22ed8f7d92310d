"""Protocol arrays from rows of a model's own kind, for examples and for warming up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from aloft_models.inputs import UNNAMED, Column, ModelInput
from aloft_models.missing import MARK, is_missing
from aloft_models.tensors import Array, element_bytes, json_text, numpy_dtype


def feeds_for(model_input: ModelInput, rows: Any) -> dict[str, Array]:
    """One array an input; text as str objects. Throws ValueError, TypeError or KeyError for rows
    that have no place in the model's inputs."""
    if model_input.items:
        return {UNNAMED: _items(list(rows), model_input.items)}
    if model_input.is_table:
        return _columns(model_input, rows)
    if isinstance(rows, pd.DataFrame):
        rows = rows.to_numpy()
    if isinstance(rows, dict):
        return {one.name: _as_tensor(rows[one.name], one.datatype) for one in model_input.tensors}
    first = model_input.tensors[0]
    return {first.name: _as_tensor(rows, first.datatype)}


def _as_tensor(values: Any, datatype: str) -> Array:
    array = np.asarray(values)
    if datatype == "BYTES":
        texts = _texts(list(array.reshape(-1)), "string")
        return texts.reshape(array.shape)
    return array.astype(numpy_dtype(datatype), copy=False)


def _columns(model_input: ModelInput, rows: Any) -> dict[str, Array]:
    table = _table(model_input, rows)
    feeds = {}
    for position, column in enumerate(model_input.columns):
        if column.named and column.name in table:
            values = table[column.name]
        elif position < table.shape[1] and not (column.named and column.optional):
            values = table.iloc[:, position]
        elif column.optional:
            continue
        else:
            raise KeyError(column.name)
        feeds[column.name] = _column(column, values).reshape(-1, 1)
    return feeds


def _table(model_input: ModelInput, rows: Any) -> pd.DataFrame:
    if isinstance(rows, pd.DataFrame):
        return rows
    if isinstance(rows, dict):
        # A dictionary is one row of objects, as MLflow's scoring makes it.
        return pd.DataFrame([rows])
    return pd.DataFrame(rows)


def _column(column: Column, values: Any) -> Array:
    if not column.is_numeric:
        return _texts(list(values), column.kind)
    dtype = numpy_dtype(column.datatype)
    if dtype.kind == "f":
        return np.asarray(
            [np.nan if is_missing(value) else float(value) for value in values], dtype=dtype
        )
    return np.asarray(values.to_numpy(dtype=dtype))


def _texts(values: list[Any], kind: str) -> Array:
    texts = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        if kind == "json":
            texts[index] = json_text(value)
        else:
            texts[index] = MARK if is_missing(value) else element_bytes(value).decode()
    return texts


def _items(values: list[Any], kind: str) -> Array:
    return _texts(values, "string" if kind == "text" else "json")
