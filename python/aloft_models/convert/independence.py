"""Whether a Python model's rows are independent: rows of several callers may then share a call.

Each row is asked alone and among others, in groups of several sizes, on the rows that are dangerous
for conversions too. Equal but for the last digits of a sum, or the rows are not joined."""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from aloft_models.manifest import Batch
from aloft_models.tensors import Array, json_values
from aloft_models.worker.batch import Arrays, Predict, together

SEED = 20130101
# Rows that are asked at most, and at least to call it proved.
MOST_ROWS = 2000
LEAST_ROWS = 32
MOST_SECONDS = 20.0
# A model whose call takes longer may be anything, such as a service that somebody pays for.
LONGEST_CALL = 0.1
SIZES = (2, 3, 64, 8, 17, 5, 33)
MOST_DOCUMENTS = 64
_TOLERANCES = {2: 1e-2, 4: 1e-5, 8: 1e-9}

Invoke = Callable[[Sequence[tuple[bytes, str]], bool], list[Any]]


def prove(
    predict: Predict,
    feeds: dict[str, Array],
    invoke: Invoke | None = None,
    bodies: Sequence[bytes] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Batch:
    """`feeds` has the rows to ask; `bodies` some of them as bodies of MLflow scoring."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return _Proof(predict, feeds, clock).run(invoke, bodies)


class _Dependent(Exception):
    """The rows are not to be joined; says why."""


class _Proof:
    def __init__(self, predict: Predict, feeds: dict[str, Array], clock: Any) -> None:
        self._predict = predict
        self._clock = clock
        count = len(next(iter(feeds.values())))
        order = np.random.default_rng(SEED).permutation(count)[:MOST_ROWS]
        self._rows = [{name: array[row : row + 1] for name, array in feeds.items()}
                      for row in order]  # fmt: skip
        self._apart: list[dict[str, Array] | str] = []

    def run(self, invoke: Invoke | None, bodies: Sequence[bytes]) -> Batch:
        try:
            self._ask_apart()
            self._ask_together()
            if invoke is not None and bodies:
                _ask_documents(invoke, bodies[:MOST_DOCUMENTS])
        except _Dependent as reason:
            return Batch("off", len(self._apart), str(reason))
        return Batch("rows", len(self._apart))

    def _ask_apart(self) -> None:
        begin = self._clock()
        for row in self._rows:
            start = self._clock()
            self._apart.append(_outcome(self._predict, row))
            now = self._clock()
            if len(self._apart) > 1 and now - start > LONGEST_CALL:
                raise _Dependent(
                    f"a call takes {(now - start) * 1000:.0f} ms, so that too few rows could be "
                    "compared"
                )
            if now - begin > MOST_SECONDS:
                break
        if len(self._apart) < LEAST_ROWS:
            raise _Dependent(f"there are only {len(self._apart)} rows to compare")
        if all(isinstance(one, str) for one in self._apart):
            raise _Dependent(f"the model answers none of the rows: {self._apart[0]}"[:300])

    def _ask_together(self) -> None:
        count = len(self._apart)
        answered = [row for row in range(count) if not isinstance(self._apart[row], str)]
        order = np.random.default_rng(SEED + 1).permutation(answered)
        start = number = 0
        while start < len(order):
            group = order[start : start + SIZES[number % len(SIZES)]]
            start += len(group)
            number += 1
            if len(group) < 2:  # the last one goes with the first
                group = np.concatenate([group, order[:1]])
            self._compare([int(row) for row in group])
        self._compare_refused(order)

    def _compare(self, group: list[int]) -> None:
        pieces = together(self._predict, [self._rows[row] for row in group], {})
        if pieces is None:
            raise _Dependent(f"{len(group)} rows together are not answered with a row for each")
        for row, piece in zip(group, pieces, strict=True):
            found = difference(self._apart[row], piece)
            if found is not None:
                raise _Dependent(f"{_described(self._rows[row])}: {found}")

    def _compare_refused(self, order: Any) -> None:
        """A row that is refused alone must end the call of those around it, who are then asked
        alone, or leave their answers as they are."""
        refused = [row for row, one in enumerate(self._apart) if isinstance(one, str)][:16]
        for place, row in enumerate(refused):
            beside = int(order[place % len(order)])
            pieces = together(self._predict, [self._rows[row], self._rows[beside]], {})
            if pieces is not None:
                raise _Dependent(f"{_described(self._rows[row])}: refused apart, answered together")


def _outcome(predict: Predict, arrays: Arrays) -> dict[str, Array] | str:
    try:
        outputs = predict(arrays, {})
    except (Exception, SystemExit) as error:  # a stranger's model may raise anything
        return f"{type(error).__name__}: {error}"
    if any(array.ndim == 0 or len(array) != 1 for array in outputs.values()):
        raise _Dependent("one row is not answered with one row")
    return outputs


def difference(apart: Any, piece: dict[str, Array]) -> str | None:
    """What is unlike; None where nothing is."""
    if list(apart) != list(piece):
        return f"outputs {list(apart)} apart, {list(piece)} together"
    for name, one in apart.items():
        other = piece[name]
        said = f"{name!r} is {_short(one)} apart, {_short(other)} together"
        if one.dtype.kind != other.dtype.kind or one.shape != other.shape:
            return said
        if one.dtype.kind == "f" and one.dtype.itemsize == other.dtype.itemsize:
            limit = _TOLERANCES.get(one.dtype.itemsize, 1e-9)
            if not np.allclose(one, other, rtol=limit, atol=limit, equal_nan=True):
                return said
        elif one.dtype != other.dtype or not alike(one.tolist(), other.tolist()):
            return said
    return None


def _ask_documents(invoke: Invoke, bodies: Sequence[bytes]) -> None:
    documents = [(body, "application/json") for body in bodies]
    joined = invoke(documents, True)
    for document, other in zip(documents, joined, strict=True):
        (one,) = invoke([document], False)
        if isinstance(one, bytes) != isinstance(other, bytes):
            raise _Dependent("a scoring request is answered only apart or only together")
        if isinstance(one, bytes) and not alike(json.loads(one), json.loads(other)):
            raise _Dependent(
                f"a scoring request is answered {one.decode(errors='replace')[:100]} apart, "
                f"{other.decode(errors='replace')[:100]} together"
            )


def alike(one: Any, other: Any) -> bool:
    """Equal but for the last digits of fractions."""
    if isinstance(one, float) and isinstance(other, float):
        return one == other or math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-5) or (
            math.isnan(one) and math.isnan(other)
        )  # fmt: skip
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    try:
        return bool(one == other)
    except Exception:  # what a model answers with may not be comparable
        return False


def _described(row: Arrays) -> str:
    values = {name: json_values(array) for name, array in list(row.items())[:20]}
    return f"the row {json.dumps(values, default=str)[:300]}"


def _short(array: Array) -> str:
    return repr(array.tolist())[:100]
