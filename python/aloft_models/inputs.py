"""What an MLflow model takes, in the words of the inference protocol, and back again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

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
    """The columns of a table, or a list of tensors, or a list of whatever it is, an item each."""

    columns: tuple[Column, ...] = ()
    tensors: tuple[Tensor, ...] = ()
    # How an item is written where a type hint says what it is, or nothing does.
    items: Literal["text", "json"] | None = None
    # Whether the one tensor is a list to the model.
    is_list: bool = False

    @property
    def is_table(self) -> bool:
        return bool(self.columns)

    @property
    def is_known(self) -> bool:
        return bool(self.columns or self.tensors or self.items)

    def protocol_tensors(self) -> list[Tensor]:
        """One tensor a column for a table, of shape [-1, 1]."""
        if self.is_table:
            return [Tensor(column.name, column.datatype, (-1, 1)) for column in self.columns]
        if self.items:
            return [Tensor(UNNAMED, "BYTES", (-1,))]
        return list(self.tensors)

    def rows(self, arrays: Mapping[str, Array], texts: TextColumn = list) -> Any:
        """What the pyfunc model's `predict` takes, from named protocol arrays. `texts` makes a
        column of a table of texts and None for what is missing."""
        if self.is_table:
            return self._table(arrays, texts)
        if self.items:
            return _items(_checked(arrays, UNNAMED), self.items)
        named = {tensor.name: _checked(arrays, tensor.name) for tensor in self.tensors}
        if len(named) == 1 and UNNAMED in named:
            array = _text(named[UNNAMED])
            return array.tolist() if self.is_list else array
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


def _items(array: Array, kind: str) -> list[Any]:
    texts = list(_text(array).reshape(-1))
    if kind == "text":
        return texts
    try:
        return [json.loads(text) for text in texts]
    except (ValueError, RecursionError) as error:
        raise TensorError(f"input {UNNAMED!r} takes elements that are JSON: {error}") from error


def _checked(arrays: Mapping[str, Array], name: str) -> Array:
    if name not in arrays:
        raise TensorError(f"input {name!r} is missing")
    return arrays[name]


def _text(array: Array) -> Array:
    """BYTES elements as text."""
    if array.dtype != object:
        return array
    texts = np.empty(array.size, dtype=object)
    try:
        for index, value in enumerate(array.reshape(-1)):
            texts[index] = value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError as error:
        raise TensorError(f"a text is no UTF-8: {error}") from error
    return texts.reshape(array.shape)


def _column_values(column: Column, values: Array, make: TextColumn) -> Any:
    if values.dtype != object:
        if column.kind in ("integer", "long") and values.dtype.kind == "f":
            missing = np.isnan(values)
            whole = np.int32 if column.kind == "integer" else np.int64
            if not (values[~missing] == np.trunc(values[~missing])).all():
                return values
            if not missing.any():
                return values.astype(whole)
            known = np.where(missing, 0, values).astype(whole)
            return pd.arrays.IntegerArray(known, missing)
        if column.kind == "boolean" and values.dtype.kind == "f":
            missing = np.isnan(values)
            return pd.Series(
                [None if one else bool(value) for value, one in zip(values, missing, strict=True)],
                dtype=object if missing.any() else bool,
            )
        return values
    if column.kind == "binary":
        return [None if value in (MARK, _MARK_BYTES) else value for value in values]
    texts = [None if text == MARK else text for text in _text(values)]
    if column.kind == "datetime":
        # The empty text was missing before there was a mark for it.
        return pd.to_datetime(pd.Series([text or None for text in texts], dtype="str"))
    if column.kind == "json":
        try:
            return [None if text is None else json.loads(text) for text in texts]
        except (ValueError, RecursionError) as error:
            raise TensorError(f"input {column.name!r} takes JSON: {error}") from error
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


def from_type_hint(schema: Any) -> ModelInput:
    """From the signature that MLflow made of a type hint `list[…]`: the model gets a list."""
    kind = getattr(schema.inputs[0].type, "name", "json")
    if kind == "string":
        return ModelInput(items="text")
    datatype = _COLUMN_DATATYPES.get(kind, "BYTES")
    if datatype == "BYTES":
        return ModelInput(items="json")
    return ModelInput(tensors=(Tensor(UNNAMED, datatype, (-1,)),), is_list=True)


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
    kind = kinds.get(getattr(dtype, "kind", "O"), "string")
    known = values.dropna()
    optional = len(known) < len(values)
    if kind == "string" and len(known):
        if all(isinstance(value, bool | np.bool_) for value in known):
            kind = "boolean"
        elif any(isinstance(value, list | dict | np.ndarray) for value in known):
            kind = "json"
    return Column(str(name), kind, optional and kind in ("boolean", "long"))
