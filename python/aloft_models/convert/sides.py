"""Rows on both sides of a classifier's decision, as near to it as numbers go."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.convert.parity import same_labels
from aloft_models.tensors import Array

_PAIRS = 40
# Each round asks at this many places between two rows: a call costs more than its rows.
_PLACES = 7
_ROUNDS = 18


def sides(label: Callable[[Any], Array], rows: Any, seed: int) -> Any:
    """Pairs of rows that get different labels and lie beside each other in their real numbers; None
    where there are none. `rows` are answered ones."""
    chance = np.random.default_rng(seed)
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    real = [place for place in range(table.shape[1]) if table.iloc[:, place].dtype.kind == "f"]
    if not real or len(table) < 2:
        return None
    sane = np.abs(table.iloc[:, real].to_numpy(np.float64)).max(axis=1) < 1e12
    usable = np.flatnonzero(sane)  # NaN is not less either
    if len(usable) < 2:
        return None

    def asked(numbers: Array, others: pd.DataFrame) -> tuple[Array, Any]:
        made = others.copy()
        for column, place in enumerate(real):
            made[made.columns[place]] = numbers[:, column].astype(table.iloc[:, place].dtype)
        given = made if isinstance(rows, pd.DataFrame) else made.to_numpy(dtype=rows.dtype)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return label(given), given

    try:
        return _search(asked, table, real, chance.choice(usable, (2, 400)))
    except Exception:  # the rows between were drawn: the model need not take them
        return None


def _search(asked: Any, table: pd.DataFrame, real: list[int], picked: Array) -> Any:
    others = table.iloc[picked[0]].reset_index(drop=True)
    low = table.iloc[picked[0], real].to_numpy(np.float64)
    high = table.iloc[picked[1], real].to_numpy(np.float64)
    first, second = asked(low, others)[0], asked(high, others)[0]
    if np.asarray(first).ndim != 1:
        return None
    apart = np.flatnonzero(~same_labels(first, second))[:_PAIRS]
    if not len(apart):
        return None
    low, high, first = low[apart], high[apart], first[apart]
    others = others.iloc[apart].reset_index(drop=True)
    many = pd.concat([others] * _PLACES, ignore_index=True)
    steps = np.arange(1, _PLACES + 1) / (_PLACES + 1)
    pairs = np.arange(len(low))
    for _ in range(_ROUNDS):
        between = low + (high - low) * steps[:, None, None]
        labels = asked(between.reshape(-1, len(real)), many)[0]
        same = same_labels(np.tile(first, _PLACES), labels).reshape(_PLACES, -1)
        # The first place with another label, or the end.
        other = np.where(same.all(axis=0), _PLACES, np.argmin(same, axis=0))
        points = np.concatenate([low[None], between, high[None]])
        low, high = points[other, pairs], points[other + 1, pairs]
    ends = [asked(numbers, others)[1] for numbers in (low, high)]
    if isinstance(ends[0], pd.DataFrame):
        return pd.concat(ends, ignore_index=True)
    return np.concatenate(ends)
