"""Models, bodies and answers of which MLflow's scoring and ours must think alike, and how they are
compared. A model answers what the request's parameter `answer` names: `echo` tells what came to it,
`cells` row by row."""

from __future__ import annotations

import base64
import json
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
from scoring_models import CODE, HINTED, Outcome, as_mlflow, difference

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
    bodies = _plain_json(x, n, s, b) + _plain_csv()
    first = bodies[0][0]
    bodies += [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"inputs": ' + b"[" * 3000, "application/json"),
        (first, "application/json; charset=utf-8"),
        (first, "application/json; charset=latin-1"),
        (first, "application/json; format=split"),
        (first, "application/vnd.apache.parquet"),
        (first, "application/xml"),
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


def _plain_json(x: str, n: str, s: str, b: str) -> list[tuple[bytes, str]]:
    names = [x, n, s, b]
    row = {x: 1.5, n: 2, s: "ä", b: True}
    return _json(
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


def _plain_csv() -> list[tuple[bytes, str]]:
    return _csv(
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
