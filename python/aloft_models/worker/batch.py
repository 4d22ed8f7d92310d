"""Requests that came together, asked in as few calls of the model as their forms allow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from aloft_models.tensors import Array

Arrays = Mapping[str, Array]
Predict = Callable[[Arrays, Mapping[str, Any]], dict[str, Array]]


def form(arrays: Arrays, parameters: Mapping[str, Any]) -> Any:
    """The same for requests that may go into one call; None where a request has no rows."""
    if not arrays or any(array.ndim == 0 for array in arrays.values()):
        return None
    if len({len(array) for array in arrays.values()}) != 1:
        return None
    shapes = tuple((name, array.dtype.str, array.shape[1:]) for name, array in arrays.items())
    return shapes, json.dumps(parameters, sort_keys=True) if parameters else ""


def together(
    predict: Predict, requests: Sequence[Arrays], parameters: Mapping[str, Any]
) -> list[dict[str, Array]] | None:
    """The outputs for each of these requests of one form; None where they must be asked one by
    one: one of them is at fault, or the answer has not one row for each."""
    counts = [len(next(iter(arrays.values()))) for arrays in requests]
    joined = {name: np.concatenate([one[name] for one in requests]) for name in requests[0]}
    try:
        outputs = predict(joined, parameters)
    except (Exception, SystemExit):  # each is told of its own
        return None
    total = sum(counts)
    if any(array.ndim == 0 or len(array) != total for array in outputs.values()):
        return None
    pieces, start = [], 0
    for count in counts:
        pieces.append({name: array[start : start + count] for name, array in outputs.items()})
        start += count
    return pieces
