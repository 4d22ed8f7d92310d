"""How rows enter an ONNX graph: all numbers in one tensor, or each column as its own input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    Int32TensorType,
    Int64TensorType,
    StringTensorType,
)

from aloft_models.inputs import UNNAMED, Column, ModelInput
from aloft_models.missing import MARK, is_missing
from aloft_models.tensors import Array, numpy_dtype

_TYPES = {
    "BOOL": BooleanTensorType,
    "INT32": Int32TensorType,
    "INT64": Int64TensorType,
    "FP32": FloatTensorType,
    "FP64": DoubleTensorType,
    "BYTES": StringTensorType,
}


@dataclass(frozen=True)
class Layout:
    """`real` is FP32 or FP64: what the model's real numbers are. `inner` are the datatypes that the
    graph is converted with and `outer` those that clients send, a pair for each column."""

    real: str
    columns: tuple[Column, ...]
    # All columns in one tensor [-1, width] …
    single: bool
    width: int
    # … which the converter is shown as columns, for models that pick columns by name.
    by_name: bool = False
    # Whole numbers stay whole inside too, for encoders of whole numbers.
    keep_integers: bool = False

    def inner(self, column: Column) -> str:
        if column.datatype == "BYTES":
            return "BYTES"
        return self.outer(column) if self.keep_integers else self.real

    def outer(self, column: Column) -> str:
        if self.single or column.datatype in ("FP32", "FP64"):
            return self.real
        return column.datatype

    def initial_types(self) -> list[tuple[str, Any]]:
        """What skl2onnx wants to know of the inputs."""
        if self.single and not self.by_name:
            return [(UNNAMED, _TYPES[self.real]([None, self.width]))]
        kinds = [
            self.whole(column) if self.keep_integers else self.inner(column)
            for column in self.columns
        ]
        return [
            (column.name, _TYPES[kind]([None, 1]))
            for column, kind in zip(self.columns, kinds, strict=True)
        ]

    def whole(self, column: Column) -> str:
        """The column's own datatype, real numbers as this layout has them."""
        return self.real if column.datatype in ("FP32", "FP64") else column.datatype

    def feeds(self, rows: Any) -> dict[str, Array]:
        """The arrays to run the finished graph with."""
        if self.single:
            matrix = rows.to_numpy(dtype=np.float64) if isinstance(rows, pd.DataFrame) else rows
            return {UNNAMED: np.ascontiguousarray(matrix, dtype=numpy_dtype(self.real))}
        feeds = {}
        for position, column in enumerate(self.columns):
            values = rows.iloc[:, position]
            kind = self.outer(column)
            if kind == "BYTES":
                texts = [MARK if is_missing(value) else str(value) for value in values]
                feeds[column.name] = np.array(texts, dtype=object).reshape(-1, 1)
            else:
                feeds[column.name] = values.to_numpy(dtype=numpy_dtype(kind)).reshape(-1, 1)
        return feeds

    def overflows(self, rows: Any, feeds: dict[str, Array]) -> Array:
        """Rows in which a number is infinite as this layout has it and was not before."""
        given = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
        real = given.select_dtypes("number").to_numpy(dtype=np.float64)
        infinite = np.zeros(len(given), dtype=bool)
        for array in feeds.values():
            if array.dtype.kind == "f":
                infinite |= np.isinf(array).reshape(len(given), -1).any(axis=1)
        return np.asarray(infinite & ~np.isinf(real).any(axis=1))

    def __str__(self) -> str:
        shape = "one input" if self.single else "an input per column"
        return f"{shape}, {self.real}"


def layouts_for(model_input: ModelInput, rows: Any) -> list[Layout]:
    """The layouts worth trying, best first; empty for rows that are no table of plain values."""
    if isinstance(rows, pd.DataFrame):
        columns = _columns(model_input, rows)
        if any(column.kind in ("json", "binary", "datetime") for column in columns):
            return []
        width = len(columns)
        if all(column.is_numeric for column in columns):
            plain = [Layout(real, columns, True, width) for real in ("FP32", "FP64")]
            named = [
                Layout(real, columns, True, width, by_name=True, keep_integers=keep)
                for keep in (False, True)
                for real in ("FP32", "FP64")
            ]
            return plain + named
        return [
            Layout(real, columns, False, width, keep_integers=keep)
            for keep in (False, True)
            for real in ("FP32", "FP64")
        ]
    if isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.dtype.kind in "biuf":
        return [Layout(real, (), True, rows.shape[1]) for real in ("FP32", "FP64")]
    return []


def _columns(model_input: ModelInput, rows: pd.DataFrame) -> tuple[Column, ...]:
    if len(model_input.columns) == rows.shape[1]:
        return model_input.columns
    kinds = {"b": "boolean", "i": "long", "u": "long", "f": "double"}
    return tuple(
        Column(str(name), kinds.get(getattr(rows[name].dtype, "kind", "O"), "string"))
        for name in rows.columns
    )
