"""Row by row: whether the converted model answers as the original, and refuses what that refuses.

Numbers may differ by `limit` of their size or of the usual answer's, whichever is larger, so that
neither a price of a million nor a chance of a millionth is held to digits that 32 bits do not have.
A label may differ only where the original itself gives the other label to a row with the same
scores, or where a decision is zero but for rounding: then either is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.convert.asking import Answers
from aloft_models.convert.dangerous import Dangerous
from aloft_models.convert.parity import same_labels
from aloft_models.tensors import Array

# Two rows have the same scores where these differ by no more, in parts of the limit.
TIE = 0.2
# Numbers beyond here have no digits left.
_SMALL = 1e-300


@dataclass(frozen=True)
class Verdict:
    """`row` is the first that differs, `said` what differs there; both None where none does."""

    row: int | None = None
    said: str | None = None


def judge(
    expected: Answers,
    found: dict[str, Array],
    ties: Callable[[], Array | None],
    limit: float,
) -> Verdict:
    """`found` has the converted model's answers to the rows that the original answered."""
    wrong: tuple[int, str] | None = None
    for name, right in expected.outputs.items():
        if name not in found:
            return Verdict(int(expected.answered[0]), f"there is no {name}")
        given = found[name]
        if right.size != given.size:
            return Verdict(
                int(expected.answered[0]), f"{name} has the shape {given.shape}, not {right.shape}"
            )
        given = given.reshape(right.shape)
        if name == "label" or right.dtype.kind in "OUSb":
            bad = np.asarray(~same_labels(right, given).reshape(len(right), -1).all(axis=1))
            if bad.any():
                bad = bad & ~_tied(bad, right, given, ties(), limit * TIE)
        else:
            bad = np.asarray((~within(right, given, limit)).reshape(len(right), -1).any(axis=1))
        places = np.flatnonzero(bad)
        if len(places) and (wrong is None or places[0] < wrong[0]):
            place = int(places[0])
            wrong = place, f"{name} {_short(right[place])} became {_short(given[place])}"
    if wrong is None:
        return Verdict()
    return Verdict(int(expected.answered[wrong[0]]), wrong[1])


def within(right: Array, given: Array, limit: float) -> Array:
    left = right.astype(np.float64)
    other = given.astype(np.float64)
    size = np.abs(left)
    finite = size[np.isfinite(size)]
    usual = min(1.0, float(np.median(finite))) if finite.size else 0.0
    usual = max(usual, _SMALL)
    with np.errstate(invalid="ignore", over="ignore"):
        close = np.abs(left - other) <= limit * np.maximum(size, usual)
    return np.asarray(close | (left == other) | (np.isnan(left) & np.isnan(other)))


def _tied(bad: Array, right: Array, given: Array, ties: Array | None, tie: float) -> Array:
    """Rows whose label differs, but the original gives the other one to the same scores."""
    result = np.zeros(len(right), dtype=bool)
    if ties is None or right.ndim != 1 or len(ties) != len(right):
        return result
    scores = ties.reshape(len(right), -1).astype(np.float64)
    undecided = _undecided(scores, tie)
    for place in np.flatnonzero(bad)[:500]:
        own = scores[place]
        allowed = tie * max(float(np.abs(own).max(initial=0)), 1e-12)
        top = np.sort(own)[-2:]
        if undecided[place] or (len(top) == 2 and top[1] - top[0] <= allowed):
            result[place] = True
            continue
        near = np.flatnonzero(np.abs(scores - own).max(axis=1) <= max(allowed, tie * 0.1))
        result[place] = bool(
            same_labels(right[near], np.full(len(near), given[place], dtype=given.dtype)).any()
        )
    return result


def _undecided(scores: Array, tie: float) -> Array:
    """Rows of which a decision has no sign to speak of; only decisions have two signs."""
    if not ((scores < 0).any() and (scores > 0).any()):
        return np.zeros(len(scores), dtype=bool)
    usual = np.median(np.abs(scores), axis=0)
    return np.asarray((np.abs(scores) <= tie * 0.01 * usual).any(axis=1))


def describe(rows: Dangerous, row: int) -> str:
    """A row for a sentence, what is long cut."""
    table = rows.rows
    if isinstance(table, pd.DataFrame):
        cells = [f"{name}: {_short(value)}" for name, value in table.iloc[row].items()]
    else:
        cells = [_short(value) for value in table[row]]
    more = ["…"] if len(cells) > 12 else []
    return "{" + ", ".join(cells[:12] + more) + "}"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        inner = ", ".join(_short(one) for one in value.ravel()[:4])
        return f"[{inner}{', …' if value.size > 4 else ''}]"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return f"{value:.9g}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
