"""Models, bodies and answers of which MLflow's scoring and ours must think alike, and how they are
compared. A model answers what the request's parameter `answer` names: `echo` tells what came to it,
`cells` row by row."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import Array, Object, Property

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

ANSWERS = [line.split('"')[1] for line in CODE.split("ANSWERS = {")[1].splitlines() if '":' in line]
WORDS = base64.b64encode(bytes(range(40))).decode()
PARAMS = ParamSchema(
    [
        ParamSpec("answer", DataType.string, "cells"),
        ParamSpec("level", DataType.long, 3),
    ]
)


@dataclass(frozen=True)
class Kind:
    """A model's signature, or type hint, and bodies for it, each with its content type."""

    signature: ModelSignature | None
    bodies: list[tuple[bytes, str]]
    hint: str | None = None


def _json(*bodies: Any) -> list[tuple[bytes, str]]:
    return [(json.dumps(body).encode(), "application/json") for body in bodies]


def _csv(*bodies: str) -> list[tuple[bytes, str]]:
    return [(body.encode(), "text/csv") for body in bodies]


def _signature(*specs: Any) -> ModelSignature:
    return ModelSignature(Schema(list(specs)), params=PARAMS)


def _split(columns: list[Any], *rows: list[Any]) -> dict[str, Any]:
    return {"dataframe_split": {"columns": columns, "data": list(rows)}}


def _plain() -> Kind:
    x, n, s, b = "xnsb"
    names = [x, n, s, b]
    row = {x: 1.5, n: 2, s: "ä", b: True}
    bodies = _json(
        _split(names, [1.5, 2, "ä", True], [2, 3, "", False]),
        _split(names, [1, 2, "b", True]),
        _split([b, s, n, x, "more"], [True, "c", 7, 0.1, None]),
        _split(names, [None, 2, None, True]),
        _split(names, [1.5, None, "a", True]),
        _split(names, [1.5, 2.5, "a", True]),
        _split(names, ["1.5", 2, "a", True]),
        _split(names, [1.5, 2, 3, True]),
        _split(names, [1.5, 2, "a", 1]),
        _split(names, [[1.5], 2, "a", True]),
        _split(names[:3], [1.5, 2, "a"]),
        _split(names),
        {"dataframe_split": {"data": [[1.5, 2, "a", True]]}},
        {"dataframe_split": {"columns": names, "data": [[1.5, 2, "a", True]], "index": [7]}},
        {"dataframe_split": {"columns": names, "rows": []}},
        {"dataframe_records": [row, {**row, x: 3}]},
        {"dataframe_records": [row, {x: 1}]},
        {"dataframe_records": row},
        {"dataframe_records": []},
        {"instances": [row, row]},
        {"instances": [{**row, s: None}]},
        {"inputs": {x: [1.5, 2], n: [1, 2], s: ["a", "b"], b: [True, False]}},
        {"inputs": {x: [1.5, 2], n: [1], s: ["a"], b: [True]}},
        {"inputs": {x: 1.5, n: 1, s: "a", b: True}},
        {"inputs": [row]},
        {"inputs": [[1.5, 2, "a", True]]},
        {"inputs": 3},
        {"inputs": None},
        {"dataframe_records": [row], "inputs": [row]},
        {"dataframe_records": [row], "params": {"level": "high"}},
        {"dataframe_records": [row], "params": {"unknown": 1}},
        {"dataframe_records": [row], "params": [1]},
        {"rows": [row]},
        [row],
        "text",
        {"dataframe_records": [row], "signature_name": "x"},
        _split(names, [1e400, 2, "a", True]),
        _split(names, [float("nan"), 2, "a", True]),
    )
    bodies += _csv(
        "x,n,s,b\n1.5,2,a,True\n2,3,b,False\n",
        "\ufeffx,n,s,b\n1.5,2,a,True\n",
        " x,n,s,b\n 1.5, 2,a,True\n\n  \n3,4,b,False",
        'x,n,s,b\n1.5,2,"a,""b""\nc",True\r\n',
        "s,b,n,x,more\na,True,2,1.5,9\n",
        "x,n,s,b\n1.5,2,NA,True\n,2,,True\n",
        "x,n,s,b\n1.5,2.5,a,True\n",
        "x,n,s,b\n1.5,2,a,yes\n",
        "x,n,s\n1.5,2,a\n",
        "x,n,s,b\n",
        "",
    )
    bodies += [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"inputs": ' + b"[" * 3000, "application/json"),
        (bodies[0][0], "application/json; charset=utf-8"),
        (bodies[0][0], "application/json; charset=latin-1"),
        (bodies[0][0], "application/json; format=split"),
        (bodies[0][0], "application/vnd.apache.parquet"),
        (bodies[0][0], "application/xml"),
    ]
    return Kind(
        _signature(
            ColSpec(DataType.double, x),
            ColSpec(DataType.long, n),
            ColSpec(DataType.string, s),
            ColSpec(DataType.boolean, b),
        ),
        bodies,
    )


def _rich() -> Kind:
    names = ["y", "t", "a", "o", "k"]
    signature = _signature(
        ColSpec(DataType.binary, "y"),
        ColSpec(DataType.datetime, "t"),
        ColSpec(Array(DataType.double), "a"),
        ColSpec(
            Object([Property("p", DataType.string), Property("q", DataType.long, required=False)]),
            "o",
        ),
        ColSpec(DataType.long, "k", required=False),
    )
    good = [WORDS, "2020-01-02T03:04:05", [1.0, 2.0], {"p": "x", "q": 3}, 5]
    bodies = _json(
        _split(names, good),
        _split(names, good, [WORDS, "1999-12-31", [], {"p": ""}, 6]),
        _split(names[:4], good[:4]),
        _split(names, [*good[:4], None]),
        _split(names, ["no base 64!", *good[1:]]),
        _split(names, [WORDS, "never", *good[2:]]),
        _split(names, [*good[:2], [1, "a"], *good[3:]]),
        _split(names, [*good[:3], {"q": 3}, 5]),
        _split(names, [*good[:3], {"p": "x", "r": 1}, 5]),
        {"dataframe_records": [dict(zip(names, good, strict=True))]},
        {"inputs": dict(zip(names, good, strict=True))},
        {"instances": [dict(zip(names, good, strict=True))]},
    )
    return Kind(signature, bodies)


def _tensors() -> Iterator[tuple[str, Kind]]:
    one = TensorSpec(np.dtype("float32"), (-1, 2))
    yield (
        "tensor",
        Kind(
            _signature(one),
            _json(
                {"inputs": [[1, 2], [3.5, 4]]},
                {"instances": [[1, 2]]},
                {"inputs": [1, 2]},
                {"inputs": [[1, 2, 3]]},
                {"inputs": [["a", "b"]]},
                {"inputs": [[1, None]]},
                {"inputs": [[1], [1, 2]]},
                {"inputs": {"x": [[1, 2]]}},
                {"inputs": 5},
                {"dataframe_split": {"data": [[1.5, 2.5]]}},
                _split(["a", "b"], [1.5, 2.5]),
                {"dataframe_records": [{"a": 1, "b": 2}]},
            )
            + _csv("a,b\n1.5,2\n"),
        ),
    )
    x = TensorSpec(np.dtype("float32"), (-1, 2), "x")
    w = TensorSpec(np.dtype("int64"), (-1,), "w")
    yield (
        "named tensors",
        Kind(
            _signature(x, w),
            _json(
                {"inputs": {"x": [[1, 2]], "w": [5]}},
                {"inputs": {"w": [5, 6], "x": [[1, 2], [3, 4]]}},
                {"instances": [{"x": [1, 2], "w": 5}, {"x": [3, 4], "w": 6}]},
                {"inputs": {"x": [[1, 2]]}},
                {"inputs": {"x": [[1, 2]], "w": [5.5]}},
                {"inputs": {"x": [1, 2], "w": [5]}},
                {"inputs": {"x": [[1, 2]], "w": [5], "more": [1]}},
                {"inputs": [[1, 2]]},
                {"dataframe_split": {"columns": ["x", "w"], "data": [[[1, 2], 5]]}},
            ),
        ),
    )
    image = TensorSpec(np.dtype("uint8"), (-1, -1, -1))
    yield (
        "pictures",
        Kind(_signature(image), _json({"inputs": [[[1, 2, 3]]]}, {"inputs": [[[1], [300]]]})),
    )


def _bare() -> Kind:
    return Kind(
        None,
        _json(
            {"inputs": [1, 2]},
            {"inputs": [[1, 2.5], [3, 4]]},
            {"inputs": ["a", "b"]},
            {"inputs": [{"a": 1}, {"a": 2}]},
            {"inputs": {"a": [1, 2], "b": "x"}},
            {"inputs": "text"},
            {"inputs": 4},
            {"inputs": [None]},
            {"inputs": [[1], [1, 2]]},
            {"instances": [{"a": 1}, {"a": 2}]},
            {"instances": [1, 2]},
            _split(["a", 1], [1, "x"]),
            {"dataframe_records": [{"a": [1, 2]}]},
            {"messages": [{"role": "user", "content": "hi"}], "temperature": 1},
            {"prompt": "hi", "params": {"a": 1}},
            {"input": ["a"]},
        )
        + _csv("a,b\n1,x\n2,y\n"),
    )


def _unnamed() -> Iterator[tuple[str, Kind]]:
    yield (
        "unnamed texts",
        Kind(
            _signature(ColSpec(DataType.string)),
            _json(
                {"inputs": ["a", "b"]},
                {"inputs": "a"},
                {"instances": ["a"]},
                {"inputs": [1]},
                {"inputs": [{"a": "b"}]},
                {"dataframe_split": {"data": [["a"]]}},
                _split(["t"], ["a"]),
            ),
        ),
    )
    yield (
        "numbered",
        Kind(
            _signature(ColSpec(DataType.double, 0), ColSpec(DataType.double, 1)),
            _json(
                _split([0, 1], [1.5, 2.5]),
                _split(["0", "1"], [1.5, 2.5]),
                {"inputs": {"0": [1.0], "1": [1.0]}},
                {"dataframe_records": [{"0": 1, "1": 2}]},
                {"dataframe_split": {"data": [[1.5, 2.5]]}},
            )
            + _csv("0,1\n1.5,2\n"),
        ),
    )
    chat = _signature(
        ColSpec(
            Array(
                Object([Property("role", DataType.string), Property("content", DataType.string)])
            ),
            "messages",
        )
    )
    message = {"role": "user", "content": "hi"}
    yield (
        "chat",
        Kind(
            chat,
            _json(
                {"messages": [message]},
                {"messages": [message], "level": 7},
                {"messages": [{"role": 1}]},
                {"messages": "hi"},
                {"inputs": {"messages": [message]}},
                {"dataframe_records": [{"messages": [message]}]},
            ),
        ),
    )


def _hinted() -> Iterator[tuple[str, Kind]]:
    bodies = _json(
        {"inputs": ["a", "b"]},
        {"inputs": [1, 2.5]},
        {"inputs": [{"a": "x"}, {"a": "y", "n": 4}]},
        {"inputs": []},
        {"inputs": "a"},
        {"inputs": ["a", 1]},
        {"instances": ["a"]},
        {"dataframe_split": {"columns": ["a"], "data": [["x"]]}},
        {"messages": ["a"]},
    )
    for hint in ("str", "float", "dict[str, str]", "Pair"):
        yield f"list of {hint}", Kind(None, bodies, hint)


def kinds() -> dict[str, Kind]:
    return {
        "plain": _plain(),
        "rich": _rich(),
        **dict(_tensors()),
        "bare": _bare(),
        **dict(_unnamed()),
        **dict(_hinted()),
    }


def save(kind: Kind, folder: Path) -> Path:
    """The model as MLflow saves it."""
    code = folder / "model.py"
    code.write_text(CODE if kind.hint is None else HINTED.replace("{hint}", kind.hint))
    options: dict[str, Any] = {} if kind.signature is None else {"signature": kind.signature}
    mlflow.pyfunc.save_model(
        str(folder / "model"), python_model=str(code), pip_requirements=["mlflow-skinny"], **options
    )
    return folder / "model"


def answers_asked(kind: Kind) -> list[tuple[bytes, str]]:
    """The first body again, once for each kind of answer, and all that are objects with what came
    to the model as the answer; of a signature that has parameters."""
    if kind.signature is None:
        return []
    first = json.loads(kind.bodies[0][0])
    asked = [_asking(first, answer) for answer in [*ANSWERS, "raise"]]
    for body, content_type in kind.bodies:
        try:
            data = json.loads(body) if content_type == "application/json" else None
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict) and "params" not in data:
            asked.append(_asking(data, "echo"))
    return asked


def _asking(body: dict[str, Any], answer: str) -> tuple[bytes, str]:
    more = {"answer": answer} if "messages" in body else {"params": {"answer": answer}}
    return json.dumps({**body, **more}).encode(), "application/json"


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


def _words(words: str) -> set[str]:
    """Of the end of what is said, but the first, which may be cut. Python's sets, which it lists,
    have another order in each process."""
    return set(re.findall(r"\w+", words[-200:])[1:])


Ask = Callable[[bytes, str], Outcome]


def compare(kind: Kind, model: Any, ask: Ask) -> tuple[int, list[str]]:
    """How many bodies were asked, and every difference."""
    said = []
    asked = kind.bodies + answers_asked(kind)
    for body, content_type in asked:
        found = difference(as_mlflow(model, body, content_type), ask(body, content_type))
        if found is not None:
            said.append(f"{body[:200]!r} ({content_type}): {found}")
    return len(asked), said


__all__ = ["Kind", "Outcome", "answers_asked", "as_mlflow", "compare", "kinds", "pd", "save"]
