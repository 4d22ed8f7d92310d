"""How far a converted model is from its original.

The difference of two numbers is |a - b| / max(1, |a|): absolute for probabilities and other values
up to one, relative beyond, so that a price of a million is not held to seven digits after the
point. A label counts as different (infinitely) only where the original's own probabilities decide
for it: between two classes as close as the limit either answer is right.
"""

from __future__ import annotations

import math

import numpy as np

from aloft_models.tensors import Array


def largest_difference(
    original: dict[str, Array], converted: dict[str, Array], limit: float
) -> float:
    """The largest over all outputs of the original; infinite where shapes or labels differ."""
    largest = 0.0
    undecided = _undecided(original.get("probabilities"), limit)
    for name, expected in original.items():
        if name not in converted:
            return math.inf
        found = converted[name]
        if expected.shape != found.shape:
            if expected.size != found.size:
                return math.inf
            found = found.reshape(expected.shape)
        if name == "label":
            same = _same_labels(expected, found)
            if undecided is not None and undecided.shape == same.shape:
                same = same | undecided
            if not same.all():
                return math.inf
        else:
            largest = max(largest, _numbers(expected, found))
    return largest


def _numbers(expected: Array, found: Array) -> float:
    if expected.size == 0:
        return 0.0
    if expected.dtype.kind in "OUS":
        return 0.0 if bool(_same_labels(expected, found).all()) else math.inf
    left = expected.astype(np.float64)
    right = found.astype(np.float64)
    both = (np.isnan(left) & np.isnan(right)) | (left == right)
    with np.errstate(invalid="ignore"):
        difference = np.abs(left - right) / np.maximum(1.0, np.abs(left))
    difference = np.where(both, 0.0, np.where(np.isnan(difference), math.inf, difference))
    return float(difference.max())


def _same_labels(expected: Array, found: Array) -> Array:
    if expected.dtype.kind in "biuf" and found.dtype.kind in "biuf":
        return np.asarray(expected.astype(np.float64) == found.astype(np.float64))
    left = np.array([_text(value) for value in expected.reshape(-1)], dtype=object)
    right = np.array([_text(value) for value in found.reshape(-1)], dtype=object)
    return np.asarray(left == right).reshape(expected.shape).astype(bool)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _undecided(probabilities: Array | None, limit: float) -> Array | None:
    """Rows whose two likeliest classes are closer than the limit."""
    if probabilities is None or probabilities.ndim != 2 or probabilities.shape[1] < 2:
        return None
    ordered = np.sort(probabilities, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2] <= limit)
