"""Rows that may share a call of a Python model are told from those that may not."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from aloft_models.convert import python_model
from aloft_models.convert.independence import alike, bodies_of, difference, prove
from aloft_models.missing import MARK
from aloft_models.mlflow_model import open_folder
from aloft_models.tensors import Array
from mlflow.models import infer_signature

ROWS = 300


def feeds() -> dict[str, Array]:
    chance = np.random.default_rng(1)
    names = np.array([("ä", "b", "", MARK)[row % 4] for row in range(ROWS)], dtype=object)
    x = chance.normal(size=(ROWS, 1))
    x[::7] = np.nan
    x[1] = -1000.0
    return {"x": x, "name": names.reshape(-1, 1)}


def asked(function: Callable[[Array], Any]) -> Callable[..., dict[str, Array]]:
    return lambda arrays, _: {"y": np.atleast_1d(np.asarray(function(arrays["x"][:, 0])))}


def refuses(x: Array) -> Array:
    if (x == -1000).any():
        raise ValueError("too small")
    return x * 2


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * 2,
        lambda x: x > 0,
        lambda x: np.array([f"{one:.3f}" for one in x], dtype=object),
        lambda x: np.stack([x, x + 1], axis=1),
        lambda x: x * (1 + 1e-13 * len(x)),  # the last digits of a sum
        refuses,
    ],
)
def test_rows_that_get_what_they_get_alone_are_joined(function: Callable[[Array], Any]) -> None:
    found = prove(asked(function), feeds())
    assert (found.mode, found.rows, found.reason) == ("rows", ROWS, None)


counter = itertools.count()


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda x: x - np.nanmean(x), "apart"),
        (lambda x: np.argsort(np.argsort(x)), "apart"),
        (lambda x: np.arange(len(x)), "apart"),
        (lambda x: np.nansum(x), "a row for each"),
        (lambda x: np.where(len(x) > 40, x + 1, x), "apart"),
        (lambda x: x.astype(np.float32) if len(x) > 1 else x, "apart"),
        (lambda x: x + next(counter), "apart"),
        (lambda x: np.nan_to_num(x, nan=np.nanmax(x) if len(x) > 1 else 0.0), "apart"),
        (lambda x: refuses(x) if len(x) == 1 else x * 2, "refused apart"),
        (lambda x: refuses(np.array([-1000.0])), "answers none"),
    ],
)
def test_rows_that_depend_on_others_are_not(function: Callable[[Array], Any], says: str) -> None:
    found = prove(asked(function), feeds())
    assert found.mode == "off"
    assert says in str(found.reason)


def test_too_few_rows_and_slow_calls_prove_nothing() -> None:
    few = {name: array[:20] for name, array in feeds().items()}
    assert "only 20 rows" in str(prove(asked(lambda x: x), few).reason)
    seconds = itertools.count(0, 0.5)
    slow = prove(asked(lambda x: x), feeds(), clock=lambda: float(next(seconds)))
    assert (slow.mode, slow.rows) == ("off", 8)
    assert "too long" in str(slow.reason)


def invoke(change: Callable[[int], float]) -> Callable[..., list[Any]]:
    def ask(documents: list[tuple[bytes, str]], together: bool) -> list[Any]:
        answer = {"predictions": [change(len(documents) if together else 1)]}
        return [json.dumps(answer).encode() for _ in documents]

    return ask


def test_scoring_requests_count_as_well() -> None:
    bodies = bodies_of(feeds()["x"])
    assert json.loads(bodies[0]).keys() == {"inputs"}
    same = prove(asked(lambda x: x), feeds(), invoke(lambda _: 0.5), bodies)
    other = prove(asked(lambda x: x), feeds(), invoke(float), bodies)
    assert same.mode == "rows"
    assert (other.mode, "a scoring request is answered" in str(other.reason)) == ("off", True)


def test_what_is_alike() -> None:
    assert alike({"a": [1.0, float("nan")]}, {"a": [1.0000001, float("nan")]})
    for one, other in [(1, 1.0), (1, 2), (True, 1), ([1], [1, 1]), ({"a": 1}, {"b": 1})]:
        assert not alike(one, other)
    same: Mapping[str, Array] = {"y": np.array([1], dtype=np.int64)}
    assert difference(same, {"y": np.array([1], dtype=np.int32)}) is not None
    assert difference(same, dict(same)) is None


ENDS = """
import os

import mlflow


class Ends(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        if (model_input["x"] == 0).any():
            os._exit(3)
        return model_input["x"] * 2


mlflow.models.set_model(Ends())
"""


def test_a_model_that_ends_on_a_row_is_converted_and_asked_row_by_row(tmp_path: Path) -> None:
    code = tmp_path / "ends.py"
    code.write_text(ENDS)
    example = pd.DataFrame({"x": [1.5, 2.5]})
    mlflow.pyfunc.save_model(
        str(tmp_path / "model"),
        python_model=str(code),
        signature=infer_signature(example),
        input_example=example,
        pip_requirements=["mlflow-skinny"],
    )
    made = python_model.servable(open_folder(tmp_path / "model"), "why", tmp_path)
    batch = made.manifest.as_json()["batch"]
    assert (batch["mode"], batch["rows"]) == ("off", 0)
    assert "ended on one of the rows" in batch["reason"]
