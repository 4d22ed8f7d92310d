"""How far a converted model is from its original, as one number to show.

The difference of two numbers is |a - b| / max(1, |a|): absolute for probabilities and other values
up to one, relative beyond. What decides is `judging`, row by row.
"""

from __future__ import annotations

import math

import numpy as np

from aloft_models.tensors import Array


def largest_difference(original: dict[str, Array], converted: dict[str, Array]) -> float:
    """The largest over all outputs that are numbers, infinite where one is not there in its size;
    labels are equal or they were ties."""
    largest = 0.0
    for name, expected in original.items():
        if name not in converted or converted[name].size != expected.size:
            return math.inf
        if name != "label" and expected.dtype.kind not in "OUSb" and expected.size:
            found = converted[name].reshape(expected.shape)
            largest = max(largest, _numbers(expected, found))
    return largest


def _numbers(expected: Array, found: Array) -> float:
    left = expected.astype(np.float64)
    right = found.astype(np.float64)
    both = (np.isnan(left) & np.isnan(right)) | (left == right)
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(left - right) / np.maximum(1.0, np.abs(left))
    difference = np.where(np.isnan(difference), math.inf, difference)
    return float(np.where(both, 0.0, difference).max())


def same_labels(expected: Array, found: Array) -> Array:
    """Label by label; numbers of different types may be equal, text is compared as text."""
    if expected.dtype.kind in "biuf" and found.dtype.kind in "biuf":
        return np.asarray(expected.astype(np.float64) == found.astype(np.float64))
    left = np.array([_text(value) for value in expected.reshape(-1)], dtype=object)
    right = np.array([_text(value) for value in found.reshape(-1)], dtype=object)
    return np.asarray(left == right).reshape(expected.shape).astype(bool)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
