"""What an MLflow model takes, in the words of the inference protocol, and back again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.manifest import Tensor
from aloft_models.missing import MARK
from aloft_models.tensors import Array, TensorError, datatype_of

_MARK_BYTES = MARK.encode()
TextColumn = Callable[[list[str | None]], Any]
# The name of an input which the model itself gives none.
UNNAMED = "input"

_COLUMN_DATATYPES = {
    "boolean": "BOOL",
    "integer": "INT32",
    "long": "INT64",
    "float": "FP32",
    "double": "FP64",
    "string": "BYTES",
    "binary": "BYTES",
    "datetime": "BYTES",
}


@dataclass(frozen=True)
class Column:
    """A column of a table; `kind` is MLflow's type, or `json` for lists and objects."""

    name: str
    kind: str
    optional: bool = False
    # False for the one column of an unnamed list of values.
    named: bool = True

    @property
    def datatype(self) -> str:
        if self.optional and self.kind in ("boolean", "integer", "long"):
            return "FP64"  # only a float can say that a value is missing
        return _COLUMN_DATATYPES.get(self.kind, "BYTES")

    @property
    def is_numeric(self) -> bool:
        return self.datatype != "BYTES"


@dataclass(frozen=True)
class ModelInput:
    """Either the columns of a table or a list of tensors."""

    columns: tuple[Column, ...] = ()
    tensors: tuple[Tensor, ...] = ()

    @property
    def is_table(self) -> bool:
        return bool(self.columns)

    @property
    def is_known(self) -> bool:
        return bool(self.columns or self.tensors)

    def protocol_tensors(self) -> list[Tensor]:
        """One tensor a column for a table, of shape [-1, 1]."""
        if self.is_table:
            return [Tensor(column.name, column.datatype, (-1, 1)) for column in self.columns]
        return list(self.tensors)

    def rows(self, arrays: Mapping[str, Array], texts: TextColumn = list) -> Any:
        """What the pyfunc model's `predict` takes, from named protocol arrays. `texts` makes a
        column of a table of texts and None for what is missing."""
        if self.is_table:
            return self._table(arrays, texts)
        if not self.tensors:
            return next(iter(arrays.values()))
        named = {tensor.name: _checked(arrays, tensor.name) for tensor in self.tensors}
        if len(named) == 1 and UNNAMED in named:
            return _text(named[UNNAMED])
        return {name: _text(array) for name, array in named.items()}

    def _table(self, arrays: Mapping[str, Array], texts: TextColumn) -> pd.DataFrame:
        table: dict[str | int, Any] = {}
        count: int | None = None
        for column in self.columns:
            if column.optional and column.name not in arrays:
                continue
            values = _checked(arrays, column.name).reshape(-1)
            if count is None:
                count = len(values)
            elif len(values) != count:
                raise TensorError(
                    f"input {column.name!r} has {len(values)} rows, the ones before {count}"
                )
            table[column.name if column.named else 0] = _column_values(column, values, texts)
        return pd.DataFrame(table)


def _checked(arrays: Mapping[str, Array], name: str) -> Array:
    if name not in arrays:
        raise TensorError(f"input {name!r} is missing")
    return arrays[name]


def _text(array: Array) -> Array:
    """BYTES elements as text."""
    if array.dtype != object:
        return array
    texts = [value.decode() if isinstance(value, bytes) else value for value in array.reshape(-1)]
    return np.array(texts, dtype=object).reshape(array.shape)


def _column_values(column: Column, values: Array, make: TextColumn) -> Any:
    if values.dtype != object:
        if column.kind in ("integer", "long") and values.dtype.kind == "f":
            missing = np.isnan(values)
            if not missing.any() and (values == np.trunc(values)).all():
                return values.astype(np.int32 if column.kind == "integer" else np.int64)
        return values
    if column.kind == "binary":
        return [None if value in (MARK, _MARK_BYTES) else value for value in values]
    texts = [None if text == MARK else text for text in _text(values)]
    if column.kind == "datetime":
        # The empty text was missing before there was a mark for it.
        return pd.to_datetime(pd.Series([text or None for text in texts], dtype="str"))
    if column.kind == "json":
        return [None if text is None else json.loads(text) for text in texts]
    return make(texts)


def from_signature(schema: Any) -> ModelInput:
    """From the inputs of an MLflow signature."""
    if schema.is_tensor_spec():
        tensors = []
        for spec in schema.inputs:
            datatype = datatype_of(np.dtype(spec.type))
            shape = tuple(int(size) for size in spec.shape)
            tensors.append(Tensor(spec.name or UNNAMED, datatype, shape))
        return ModelInput(tensors=tuple(tensors))
    columns = []
    for spec in schema.inputs:
        kind = getattr(spec.type, "name", "json")
        named = spec.name is not None
        columns.append(
            Column(
                name=str(spec.name) if named else UNNAMED,
                kind=kind if kind in _COLUMN_DATATYPES else "json",
                optional=not spec.required,
                named=named,
            )
        )
    return ModelInput(columns=tuple(columns))


def from_example(example: Any) -> ModelInput:
    """From an input example, where a model has no signature."""
    if isinstance(example, pd.DataFrame):
        return ModelInput(columns=tuple(_column_of(name, example[name]) for name in example))
    if isinstance(example, np.ndarray):
        shape = (-1, *(int(size) for size in example.shape[1:]))
        return ModelInput(tensors=(Tensor(UNNAMED, datatype_of(example.dtype), shape),))
    if isinstance(example, dict) and example:
        tensors = []
        for name, value in example.items():
            array = np.asarray(value)
            tensors.append(Tensor(str(name), datatype_of(array.dtype), (-1, *array.shape[1:])))
        return ModelInput(tensors=tuple(tensors))
    return ModelInput()


def _column_of(name: Any, values: Any) -> Column:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    kinds = {"b": "boolean", "i": "long", "u": "long", "f": "double", "M": "datetime"}
    return Column(str(name), kinds.get(getattr(dtype, "kind", "O"), "string"))
