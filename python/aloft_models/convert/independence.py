"""Whether a Python model's rows are independent: rows of several callers may then share a call.

Each row is asked alone and among others, in groups of several sizes, on the rows that are dangerous
for conversions too. Equal but for the last digits of a sum, or the rows are not joined."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.convert.dangerous import dangerous
from aloft_models.convert.failures import in_short
from aloft_models.convert.rows import named_rows_for, rows_for
from aloft_models.feeds import feeds_for
from aloft_models.inputs import ModelInput
from aloft_models.manifest import Batch
from aloft_models.missing import missing_text
from aloft_models.mlflow_model import ModelFolder
from aloft_models.scoring import Scorer
from aloft_models.tensors import Array, json_values
from aloft_models.worker.batch import Apart, Arrays, Predict, ask_all

log = logging.getLogger("aloft.convert")
SEED = 20130101
# Rows that are asked at most, and at least to call it proved.
MOST_ROWS = 2000
LEAST_ROWS = 32
MOST_SECONDS = 3.0
# A model whose call takes longer may be anything, such as a service that somebody pays for.
LONGEST_CALL = 0.1
FIRST_CALLS = 8
# With the time that it takes to load the model; in seconds.
LONGEST_PROOF = 120.0
SIZES = (2, 3, 64, 8, 17, 5, 33)
MOST_DOCUMENTS = 64
_TOLERANCES = {2: 1e-2, 4: 1e-5, 8: 1e-9}

Invoke = Callable[[Any, bool], list[Any]]


def of_model(folder: ModelFolder, taken: ModelInput, scorer: Scorer) -> Batch:
    """Whether rows that the model takes are independent, tried as the worker would ask it. In a
    process of its own: a model may end or hang on a row that nobody sends."""
    try:
        rows = _rows(folder, taken, scorer)
    except Exception as error:  # a stranger's signature and example
        return Batch("off", 0, f"no rows could be made to compare: {in_short(error)}")
    if rows is None:
        return Batch("off", 0, "neither a signature nor an example says what a row is")
    with tempfile.TemporaryDirectory(prefix="aloft-rows-") as scratch:
        found, log_file = Path(scratch) / "found.json", Path(scratch) / "log"
        command = [sys.executable, "-m", "aloft_models.convert.independence"]
        path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
        try:
            with log_file.open("wb") as log_output:
                subprocess.run(
                    [*command, str(folder.path), str(found)],
                    env={**os.environ, "PYTHONPATH": path},
                    stdin=subprocess.DEVNULL,
                    stdout=log_output,
                    stderr=log_output,
                    timeout=LONGEST_PROOF,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            return Batch("off", 0, f"the model did not answer all rows in {LONGEST_PROOF:.0f} s")
        if not found.exists():
            said = log_file.read_bytes()[-2000:].decode(errors="replace").strip().splitlines()[-1:]
            return Batch("off", 0, f"the model ended on one of the rows: {''.join(said)}"[:300])
        said_batch = json.loads(found.read_text())
    return Batch(said_batch["mode"], said_batch["rows"], said_batch.get("reason"))


def _try(path: Path) -> Batch:
    from aloft_models.mlflow_model import open_folder
    from aloft_models.scoring import load_scorer
    from aloft_models.worker.model import served

    folder = open_folder(path)
    scorer = load_scorer(folder)
    taken = folder.served_input(scorer.model)
    rows = _rows(folder, taken, scorer)
    asked = served(folder, scorer)
    return prove(asked.predict, feeds_for(taken, rows), asked.invoke, bodies_of(rows))


def _rows(folder: ModelFolder, taken: ModelInput, scorer: Scorer) -> Any:
    """A table, an array, or a dictionary of arrays, with a row for each to be asked."""
    example = folder.example()
    rows = rows_for(example, taken, scorer.model) or named_rows_for(example, taken)
    if rows is None:
        return None
    if isinstance(rows.real, dict):
        return {name: np.concatenate([array, rows.more[name]])
                for name, array in rows.real.items()}  # fmt: skip
    try:
        return dangerous(rows, scorer.model, missing_text(scorer.model)).rows
    except Exception as error:  # made for tables; others have what was drawn
        log.info("the rows are those that were drawn: %s", in_short(error))
    if isinstance(rows.real, np.ndarray):
        return np.concatenate([rows.real, rows.more])
    return pd.concat([rows.real, rows.more], ignore_index=True)


def bodies_of(rows: Any) -> list[bytes]:
    """Some of the rows of a table or an array as bodies of MLflow scoring, one each."""
    chance = np.random.default_rng(SEED + 2)
    if isinstance(rows, dict):
        return []
    bodies = []
    for place, row in enumerate(chance.permutation(len(rows))[:MOST_DOCUMENTS]):
        if isinstance(rows, pd.DataFrame):
            columns = [str(name) for name in rows.columns]
            values = [_plain(rows.iloc[row, column]) for column in range(len(columns))]
            body: dict[str, Any] = (
                {"dataframe_split": {"columns": columns, "data": [values]}}
                if place % 2
                else {"dataframe_records": [dict(zip(columns, values, strict=True))]}
            )
        else:
            body = {"inputs": rows[row : row + 1].tolist()}
        with contextlib.suppress(TypeError, ValueError):  # what no JSON says
            bodies.append(json.dumps(body, allow_nan=False).encode())
    return bodies


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and math.isnan(value) else value


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
        begin = last = self._clock()
        quickest = math.inf
        for row in self._rows:
            self._apart.append(_outcome(self._predict, row))
            count, now = len(self._apart), self._clock()
            quickest, last = min(quickest, now - last), now
            # The quickest: a machine may be busy with other things.
            if count == FIRST_CALLS and quickest > LONGEST_CALL:
                raise _Dependent(f"a call takes {quickest:.2g} s: too long to compare enough rows")
            if count >= LEAST_ROWS and now - begin > MOST_SECONDS:
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
        for row, piece in zip(group, self._asked(group), strict=True):
            if piece in (Apart.FAILED, Apart.ROWS):
                raise _Dependent(f"{len(group)} rows together are not answered with a row for each")
            found = None if isinstance(piece, Apart) else difference(self._apart[row], piece)
            if found is not None:
                raise _Dependent(f"{_described(self._rows[row])}: {found}")

    def _asked(self, group: list[int]) -> list[dict[str, Array] | Apart]:
        return ask_all(self._predict, [(self._rows[row], {}) for row in group])

    def _compare_refused(self, order: Any) -> None:
        """A row that is refused alone must end the call of those around it, who are then asked
        alone, or leave their answers as they are."""
        refused = [row for row, one in enumerate(self._apart) if isinstance(one, str)][:16]
        for place, row in enumerate(refused):
            beside = int(order[place % len(order)])
            piece = self._asked([row, beside])[0]
            if not isinstance(piece, Apart):
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


def main() -> None:
    """`python -m aloft_models.convert.independence MODEL RESULT`"""
    model, result = (Path(argument) for argument in sys.argv[1:3])
    found = _try(model)
    part = result.with_suffix(".part")
    part.write_text(json.dumps(found.as_json()))
    part.rename(result)


if __name__ == "__main__":
    main()
