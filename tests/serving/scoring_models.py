"""The code of the models that `scoring_grid` asks, and what MLflow's own server answers of them."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

CODE = '''
import datetime
import decimal
import math

import mlflow
import numpy as np
import pandas as pd


def rows(data):
    if isinstance(data, dict):
        data = next(iter(data.values()), [])
    return len(data) if hasattr(data, "__len__") else 1


def seen(value):
    """What came, with its types."""
    if isinstance(value, pd.DataFrame):
        columns = {f"{name!r} {value[name].dtype}": seen(list(value[name])) for name in value}
        return {"table": columns, "rows": len(value)}
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {value.tolist()!r}"
    if isinstance(value, dict):
        return {f"{key!r}": seen(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [seen(one) for one in value]
    if hasattr(value, "model_dump"):
        return {"object": seen(value.model_dump())}
    return f"{type(value).__name__} {value!r}"


def cells(data):
    """Of each row what came, so that it does not depend on others."""
    if isinstance(data, pd.DataFrame):
        return [[seen(value) for value in row] for row in data.itertuples(index=False)]
    return [seen(value) for value in data] if isinstance(data, (list, np.ndarray)) else seen(data)


ANSWERS = {
    "cells": lambda data, n: cells(data),
    "echo": lambda data, n: [seen(data)],
    "floats": lambda data, n: np.arange(n) / 3,
    "wholes": lambda data, n: np.arange(n),
    "list": lambda data, n: [index * 0.5 for index in range(n)],
    "mixed": lambda data, n: [1 if index % 2 else 2.5 for index in range(n)],
    "missing": lambda data, n: [None if index % 2 == 0 else 7 for index in range(n)],
    "nan": lambda data, n: np.array([math.nan, math.inf, -math.inf] * n)[:n],
    "single": lambda data, n: np.arange(n, dtype="float32") / 3,
    "booleans": lambda data, n: np.arange(n) % 2 == 0,
    "texts": lambda data, n: ["ä\\u2028\\"" + str(index) for index in range(n)],
    "text array": lambda data, n: np.array(["a", "bc"] * n)[:n],
    "matrix": lambda data, n: np.arange(n * 3).reshape(n, 3) / 2,
    "cube": lambda data, n: np.ones((n, 2, 2)),
    "column": lambda data, n: np.ones((n, 1)),
    "table": lambda data, n: pd.DataFrame({"class": ["a"] * n, "score": np.arange(n) / 4}),
    "one column": lambda data, n: pd.DataFrame({"y": np.arange(n)}),
    "numbered": lambda data, n: pd.DataFrame(np.ones((n, 2))),
    "nullable": lambda data, n: pd.DataFrame({"n": pd.array([1, None] * n, dtype="Int64")[:n]}),
    "series": lambda data, n: pd.Series(np.arange(n) / 8, name="p"),
    "times": lambda data, n: pd.DataFrame({"t": pd.to_datetime(["2020-01-02"] * n)}),
    "dict": lambda data, n: {"a": [1.5] * n, "b": ["x"] * n},
    "dict of arrays": lambda data, n: {"a": np.arange(n), "b": np.ones((n, 2))},
    "objects": lambda data, n: [{"box": [1, 2], "p": 0.5} for _ in range(n)],
    "ragged": lambda data, n: [[0] * index for index in range(n)],
    "nested": lambda data, n: [[{"a": [None, True]}]] * n,
    "number": lambda data, n: 3,
    "scalar": lambda data, n: np.float64(2.5),
    "text": lambda data, n: "only a text",
    "nothing": lambda data, n: None,
    "bytes": lambda data, n: [b"abc"] * n,
    "empty": lambda data, n: [],
    "dates": lambda data, n: [datetime.date(2020, 1, 2)] * n,
    "set": lambda data, n: {1, 2},
    "complex": lambda data, n: [1j],
    "decimal": lambda data, n: [decimal.Decimal("1.5")],
}


class Grid(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        kind = (params or {}).get("answer", "cells")
        if kind == "raise":
            raise ValueError("the model itself says no")
        return ANSWERS[kind](model_input, rows(model_input))


mlflow.models.set_model(Grid())
'''

HINTED = """
import mlflow
import pydantic


class Pair(pydantic.BaseModel):
    a: str
    n: int = 3


class Hinted(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: list[{hint}], params=None):
        return [repr(one) for one in model_input]


mlflow.models.set_model(Hinted())
"""


@dataclass(frozen=True)
class Outcome:
    """A text, or the words of what is wrong."""

    status: int
    text: str


def as_mlflow(model: Any, body: bytes, content_type: str) -> Outcome:
    """What MLflow's own scoring server answers."""
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc import scoring_server

    try:
        found = scoring_server.invocations(
            body, content_type, model, model.metadata.get_input_schema()
        )
    except MlflowException as error:
        cause = error.__context__
        hidden = "unexpected error while evaluating" in error.message and cause is not None
        return Outcome(400, str(cause) if hidden else error.message)
    except (TypeError, ValueError) as error:
        # Where its answer is written; what is asked never comes so far.
        return Outcome(500, str(error))
    except RecursionError:
        return Outcome(400, "too deep")
    return Outcome(found.status, found.response)


def difference(wanted: Outcome, found: Outcome) -> str | None:
    """How ours differs; None where it does not."""
    if wanted.status == 200:
        return None if found == wanted else f"MLflow {wanted}, here {found}"
    if found.status == wanted.status and (
        wanted.text == "too deep" or _words(wanted.text) <= set(re.findall(r"\w+", found.text))
    ):
        return None
    return f"MLflow refuses with {wanted.status} {wanted.text[-300:]!r}, here {found}"


def _near(one: Any, other: Any) -> bool:
    """Equal but for the digits that the conversion was allowed to lose."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_near, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_near(one[key], other[key]) for key in one)
    if isinstance(one, bool) or isinstance(other, bool) or type(one) is not type(other):
        return one == other and type(one) is type(other)
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-6)
    return bool(one == other)


def apart(wanted: Outcome, found: Outcome) -> str | None:
    """How ours differs: in what is answered, or in whether something is."""
    if wanted.status != 200 or found.status != 200:
        alike = wanted.status // 100 == found.status // 100
        return None if alike else f"MLflow {wanted}, here {found}"
    if _near(json.loads(wanted.text), json.loads(found.text)):
        return None
    return f"MLflow {wanted.text[:200]}, here {found.text[:200]}"


def _words(words: str) -> set[str]:
    """Of the end of what is said, but the first, which may be cut. Python's sets, which it lists,
    have another order in each process."""
    return set(re.findall(r"\w+", words[-200:])[1:])
