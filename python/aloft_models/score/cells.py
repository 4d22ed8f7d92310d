"""Values of a table as a model takes them: the rules that the gateway has for MLflow scoring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from aloft_models.manifest import Tensor
from aloft_models.missing import is_missing
from aloft_models.score.failures import ScoringFailed
from aloft_models.tensors import Array, numpy_dtype

_MISSING = {"", "na", "null", "none"}


class Written(str):
    """Text of a CSV file: a number where the model takes one."""

    __slots__ = ()


class BadCell(ValueError):
    """The value is none of the type that the model takes."""


def feeds(
    inputs: Sequence[Tensor],
    order: Sequence[str] | None,
    columns: dict[str, list[Any]],
    row: int,
    missing_text: str = "",
) -> dict[str, Array]:
    """One array an input: a matrix of all columns for a model of one input, or one a column.

    `order` has the columns as the model was trained on them; `row` is the first row's number in its
    file, for what is said of a bad one; `missing_text` stands for text that is missing.
    """
    names = list(order) if order else [tensor.name for tensor in inputs]
    if not order and len(inputs) == 1:
        names = list(columns)
    missing = [name for name in names if name not in columns]
    if missing:
        listed = ", ".join(f'"{name}"' for name in missing[:10])
        raise ScoringFailed(
            f"the table lacks the column(s) {listed}; the model takes "
            + ", ".join(f'"{name}"' for name in names[:40])
        )
    first = inputs[0]
    if len(inputs) == 1 and (len(first.shape) == 2 or len(names) > 1):
        width = first.shape[1] if len(first.shape) == 2 else -1
        if width not in (-1, len(names)):
            raise ScoringFailed(
                f'input "{first.name}" takes {width} columns, the table gives {len(names)}'
            )
        parts = [_column(first.datatype, name, columns[name], row, missing_text) for name in names]
        return {first.name: np.stack(parts, axis=1)}
    result = {}
    for place, tensor in enumerate(inputs):
        if tensor.name in names:
            name = tensor.name
        elif len(names) == len(inputs):
            name = names[place]
        else:
            raise ScoringFailed(f'input "{tensor.name}" is missing')
        values = _column(tensor.datatype, name, columns[name], row, missing_text)
        result[tensor.name] = values if len(tensor.shape) == 1 else values.reshape(-1, 1)
    return result


def _column(datatype: str, name: str, values: list[Any], row: int, missing_text: str) -> Array:
    dtype = numpy_dtype(datatype)
    array = np.empty(len(values), dtype=dtype)
    for index, value in enumerate(values):
        try:
            array[index] = element(datatype, value, missing_text)
        except (BadCell, OverflowError, ValueError) as error:
            raise ScoringFailed(
                f'column "{name}", row {row + index}: {value!r} is not {datatype}, which the model '
                "takes there"
            ) from error
    return array


def element(datatype: str, value: Any, missing_text: str = "") -> Any:
    """One value as an element of this type; throws `BadCell` where it is none."""
    if datatype == "BYTES":
        return _text(value, missing_text)
    if datatype.startswith("FP"):
        return _number(value)
    whole = _whole(value)
    if datatype == "BOOL":
        if whole not in (0, 1):
            raise BadCell
        return bool(whole)
    limits = np.iinfo(numpy_dtype(datatype))
    if not limits.min <= whole <= limits.max:
        raise BadCell
    return whole


def _text(value: Any, missing: str) -> str:
    # Nothing between two commas of a CSV file says that a value is missing.
    if is_missing(value) or (isinstance(value, Written) and not value):
        return missing
    if isinstance(value, str):
        return str(value)
    raise BadCell


def _number(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, Written):
        lower = value.lower()
        if lower in _MISSING:
            return math.nan
        if lower in ("true", "false"):
            return 1.0 if lower == "true" else 0.0
        # Python reads `1_000` and spaces around; the gateway does not.
        if "_" in value or value != value.strip():
            raise BadCell
        return float(value)
    if isinstance(value, str) or not isinstance(value, bool | int | float | np.generic):
        raise BadCell
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, Written) and value.lstrip("+-").isdecimal() and value.isascii():
        return int(value)
    number = value if isinstance(value, int) else _number(value)
    if isinstance(number, float) and not number.is_integer():
        raise BadCell
    return int(number)
