"""What a pyfunc model answers with, as named arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.manifest import Tensor
from aloft_models.missing import is_missing
from aloft_models.tensors import Array, TensorError, datatype_of, numpy_dtype

UNNAMED_OUTPUT = "prediction"
# Whole numbers up to here are the same as doubles.
_EXACT = 1 << 53


def named_outputs(answer: Any) -> dict[str, Array]:
    """Tables give an output a column, dictionaries one a key, everything else is `prediction`."""
    if isinstance(answer, pd.DataFrame):
        if len(answer.columns) and answer.columns.is_unique:
            return {
                str(name): _array(answer.iloc[:, place])
                for place, name in enumerate(answer.columns)
            }
        answer = answer.to_dict(orient="records")
    if isinstance(answer, dict) and answer:
        return {str(name): _array(value) for name, value in answer.items()}
    return {UNNAMED_OUTPUT: _array(answer)}


def tensors_of(outputs: dict[str, Array]) -> list[Tensor]:
    """Their names, datatypes and shapes, of which the first dimension varies."""
    return [
        Tensor(name, datatype_of(array.dtype), (-1, *array.shape[1:]))
        for name, array in outputs.items()
    ]


def as_said(outputs: dict[str, Array], known: Sequence[Tensor]) -> dict[str, Array]:
    """Numbers in the datatype that the model is known to answer with, where they lose nothing by
    it."""
    kinds = {one.name: one.datatype for one in known}
    return {name: _cast(array, kinds.get(name)) for name, array in outputs.items()}


def _cast(array: Array, datatype: str | None) -> Array:
    if datatype is None or datatype == "BYTES" or array.dtype.kind not in "biuf":
        return array
    dtype = numpy_dtype(datatype)
    if array.dtype == dtype or dtype.kind == "b" or array.dtype.kind == "b":
        return array
    with np.errstate(all="ignore"):
        cast = array.astype(dtype)
        if not np.array_equal(cast.astype(array.dtype), array, equal_nan=array.dtype.kind == "f"):
            return array
        # Beyond 2^53 both ways may round alike.
        if {dtype.kind, array.dtype.kind} & {"f"} and {dtype.kind, array.dtype.kind} & {"i", "u"}:
            whole = array if array.dtype.kind in "iu" else cast
            if whole.size and (whole.max() > _EXACT or whole.min() < -_EXACT):
                return array
    return cast


def outputs_of(schema: Any) -> list[Tensor]:
    """What a signature says that a model answers."""
    if schema.is_tensor_spec():
        try:
            return [
                Tensor(
                    spec.name or UNNAMED_OUTPUT,
                    datatype_of(np.dtype(spec.type)),
                    tuple(int(size) for size in spec.shape),
                )
                for spec in schema.inputs
            ]
        except TensorError:  # a type that the protocol lacks
            return []
    if any(spec.name is None for spec in schema.inputs) and len(schema.inputs) > 1:
        return []
    kinds = {"boolean": "BOOL", "integer": "INT32", "long": "INT64"}
    kinds |= {"float": "FP32", "double": "FP64"}
    return [
        Tensor(
            str(spec.name) if spec.name is not None else UNNAMED_OUTPUT,
            kinds.get(getattr(spec.type, "name", ""), "BYTES"),
            (-1,),
        )
        for spec in schema.inputs
    ]


def _array(value: Any) -> Array:
    """At least one dimension; what numpy has no plain type for becomes an array of objects."""
    if hasattr(value, "toarray"):
        value = value.toarray()
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        value = _plain(pd.Series(value))
    if isinstance(value, list | tuple):
        value = _from_list(list(value))
    if isinstance(value, set | frozenset | bytes | str | dict) or hasattr(value, "model_dump"):
        value = _objects([value])
    array = np.atleast_1d(np.asarray(value))
    if array.dtype.kind in "US":
        return array.astype(object)
    if array.dtype == np.longdouble:
        return array.astype(np.float64)
    if array.dtype.kind in "cVmM":
        return _objects([str(one) for one in array.reshape(-1)]).reshape(array.shape)
    return array


def _plain(series: Any) -> Any:
    """Of pandas' own types those of numpy, with NaN where a number is missing."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _plain(series.astype(dtype.categories.dtype))
    if getattr(dtype, "kind", "O") == "M":
        return _objects([None if is_missing(one) else one.isoformat() for one in series])
    if isinstance(dtype, pd.api.extensions.ExtensionDtype):
        if getattr(dtype, "kind", "O") in "biuf":
            if series.isna().any():
                return series.to_numpy(dtype=np.float64, na_value=np.nan)
            return series.to_numpy(dtype=getattr(dtype, "numpy_dtype", None))
        return _from_list(list(series))
    values = series.to_numpy()
    return _from_list(list(values)) if values.dtype == object else values


def _objects(values: list[Any]) -> Array:
    objects = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        objects[index] = value
    return objects


def _from_list(values: list[Any]) -> Array:
    missing = [is_missing(value) for value in values]
    numbers = [value for value, gone in zip(values, missing, strict=True) if not gone]
    if any(missing) and numbers and all(_is_number(value) for value in numbers):
        filled = [math.nan if gone else value for value, gone in zip(values, missing, strict=True)]
        return np.asarray(filled, dtype=np.float64)
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError):  # rows of different lengths, numbers of many digits
        array = np.empty(0)
    if len(array) == len(values) and array.dtype.kind in "biuf":
        kinds = {type(value) for value in values}
        if not (bool in kinds and len(kinds) > 1):
            return array
    return _objects(values)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool | np.bool_):
        return False
    if isinstance(value, int):
        return abs(value) <= _EXACT
    return isinstance(value, float | np.integer | np.floating)
