"""Models that are served by ONNX, and bodies of which MLflow's own scoring must think alike."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from scoring_models import Outcome, apart, as_mlflow
from scoring_onnx_numbers import JSON, Body, csv_bodies, json_bodies, number_bodies, split
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


@dataclass(frozen=True)
class Served:
    """A model as MLflow saves it, what it is asked, and what is answered otherwise by intent, as
    `docs/reference/limits.md` says."""

    save: Callable[[Path], None]
    bodies: list[Body]
    otherwise: list[Body]


def _table() -> pd.DataFrame:
    chance = np.random.default_rng(3)
    x, y = chance.normal(size=(2, 200))
    return pd.DataFrame({"x": x, "n": chance.integers(0, 50, 200), "y": y})


def numbers_model() -> tuple[Any, ModelSignature]:
    """A classifier of doubles and whole numbers."""
    table = _table()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(table, (table.x + table.y > 0).astype(int))
    specs = [(DataType.double, "x"), (DataType.long, "n"), (DataType.double, "y")]
    schema = Schema([ColSpec(kind, name) for kind, name in specs])
    return model, ModelSignature(schema, Schema([ColSpec(DataType.long)]))


def _save_numbers(folder: Path) -> None:
    """What it answers tells each of its columns."""
    table = _table()
    model = LinearRegression().fit(table, table.x * 2 + table.n * 0.125 - table.y)
    signature = ModelSignature(numbers_model()[1].inputs, Schema([ColSpec(DataType.double)]))
    example = table.head(3)
    mlflow.sklearn.save_model(model, str(folder), signature=signature, input_example=example)


def _otherwise_numbers() -> list[Body]:
    names = ["x", "n", "y"]
    good = json.dumps(split(names, [1.5, 2, 1])).encode()
    return (
        json_bodies(
            # No rows, no predictions; scikit-learn refuses to be asked for none.
            split(names),
            {"inputs": {"x": [], "n": [], "y": []}},
            # pandas makes a negative number of it.
            split(names, [1.5, 2**63, 1]),
            # Rows without names are in the model's order.
            {"dataframe_split": {"data": [[1.5, 2, 1]]}},
            {"instances": [[1.5, 2, 1]]},
            {"inputs": [[1.5, 2, 1]]},
        )
        # pandas makes an index of the first column.
        + csv_bodies("x,n,y\n", "x,n,y", "x,n,y\n1.5,2,1,4\n")
        + [
            # Which of the two is meant cannot be told.
            (
                b'{"dataframe_split": {"columns": ["x","n","y"], "data": [[1,2,1]]}, '
                b'"dataframe_split": {"columns": ["x","n","y"], "data": [[3,4,5]]}}',
                JSON,
            ),
            # Capitals in a type mean nothing, and no type is JSON.
            (good, "Application/JSON"),
            (good, ""),
        ]
    )


def _save_words(folder: Path) -> None:
    table = pd.DataFrame({"city": ["bonn", "köln", "ulm", "bonn"] * 20, "age": np.arange(80) / 3.0})
    encoder = ColumnTransformer(
        [("city", OneHotEncoder(handle_unknown="ignore"), ["city"])], remainder="passthrough"
    )
    model = make_pipeline(encoder, LogisticRegression(max_iter=500))
    model.fit(table, np.where(table.age > 12, "old", "young"))
    signature = infer_signature(table, np.array(["old"]))
    mlflow.sklearn.save_model(model, str(folder), signature=signature, input_example=table.head(4))


def _otherwise_words() -> list[Body]:
    names = ["city", "age"]
    return json_bodies(
        # Numbers are no texts; MLflow hands them to the model as they are.
        split(names, [3, 1.5]),
        split(names, [True, 1.5]),
        {"inputs": [["bonn", 1.5]]},
    )


def _words() -> list[Body]:
    names = ["city", "age"]
    return json_bodies(
        split(names, ["bonn", 1.5], ["köln", 20]),
        split(names, ["", 1.5]),
        split(names, ["nowhere", 1.5]),
        split(names, [["bonn"], 1.5]),
        split(names, ["bonn", "1.5"]),
        split(names, ["bonn", 3]),
        split(["age", "city"], [3.5, "ulm"]),
        {"dataframe_records": [{"city": "bonn", "age": 1.5}, {"city": "\ud83d\ude00", "age": 2}]},
        {"inputs": {"city": ["bonn", "ulm"], "age": [1.5, 40.0]}},
        {"inputs": {"city": "bonn", "age": 1.5}},
        {"instances": [{"city": "ulm", "age": 30.5}]},
    ) + csv_bodies(
        "city,age\nbonn,1.5\nköln,20\n",
        'city,age\n"bonn",1.5\n"a,b",2\n',
        'city,age\nb"onn,1.5\nulm"",20\n"ul"m,3\n',
        "city,age\n bonn,1.5\n",
        "city,age\n7,1.5\n",
        "city,age\nTrue,1.5\n",
        "age,city\n3.5,ulm\n",
    )


def _save_matrix(folder: Path) -> None:
    chance = np.random.default_rng(5)
    rows = chance.normal(size=(100, 2))
    model = LinearRegression().fit(rows, rows @ [1.5, -2.0] + 0.25)
    signature = ModelSignature(
        Schema([TensorSpec(np.dtype("float64"), (-1, 2))]),
        Schema([TensorSpec(np.dtype("float64"), (-1,))]),
    )
    mlflow.sklearn.save_model(model, str(folder), signature=signature, input_example=rows[:3])


def _matrix() -> list[Body]:
    return json_bodies(
        {"inputs": [[1.5, 2], [3, 4]]},
        {"instances": [[1.5, 2]]},
        {"inputs": [[1, 2], [3, 4]]},
        {"inputs": [1.5, 2]},
        {"inputs": [[1.5, 2, 3]]},
        {"inputs": [[[1.5, 2]]]},
        {"inputs": [["a", "b"]]},
        {"inputs": [["1.5", "2"]]},
        {"inputs": [[True, False]]},
        {"inputs": [[1.5, None]]},
        {"inputs": [[1.5], [1, 2]]},
        {"inputs": {"x": [[1.5, 2]]}},
        {"inputs": 5},
        {"inputs": []},
        {"inputs": [[]]},
        {"dataframe_split": {"data": [[1.5, 2.5]]}},
        split(["a", "b"], [1.5, 2.5]),
        {"dataframe_records": [{"a": 1, "b": 2}]},
        {"dataframe_records": [{"a": 1.5, "b": 2.5}]},
    )


def _otherwise_matrix() -> list[Body]:
    """A table whose columns nobody named is one in its own order, in every form."""
    return json_bodies({"instances": [{"a": 1.5, "b": 2}]}) + csv_bodies(
        "a,b\n1.5,2\n", "a,b\n1.5,2.5\n"
    )


def _save_kinds(folder: Path) -> None:
    """A column of each kind of number, and truth values."""
    chance = np.random.default_rng(7)
    table = pd.DataFrame(
        {
            "i": chance.integers(-9, 9, 100).astype("int32"),
            "f": chance.normal(size=100).astype("float32"),
            "b": chance.integers(0, 2, 100).astype(bool),
        }
    )
    model = LinearRegression().fit(table, table.i * 0.5 + table.f * 2 - table.b * 4)
    specs = [(DataType.integer, "i"), (DataType.float, "f"), (DataType.boolean, "b")]
    schema = Schema([ColSpec(kind, name) for kind, name in specs])
    signature = ModelSignature(schema, Schema([ColSpec(DataType.double)]))
    example = table.head(3)
    mlflow.sklearn.save_model(model, str(folder), signature=signature, input_example=example)


def _kinds() -> list[Body]:
    names = ["i", "f", "b"]
    return json_bodies(
        split(names, [1, 0.5, True], [-3, 2, False]),
        split(names, [1.75, 0.5, True]),
        split(names, [-1.75, 0.5, True]),
        split(names, ["7", "0.1", True]),
        split(names, [1, 0.1, 1]),
        split(names, [1, 0.1, 0]),
        split(names, [1, 0.1, 2.5]),
        split(names, [1, 0.1, "a"], [1, 0.1, ""]),
        split(names, [1, 0.1, None], [1, 0.1, True]),
        split(names, [1, 0.1, [1]], [1, 0.1, []]),
        split(names, [True, True, True]),
        split(names, [None, 0.5, True]),
        {"inputs": {"i": [1, 2], "f": [0.5, 1], "b": [True, False]}},
        {"inputs": {"i": [1.5], "f": [0.5], "b": [True]}},
        {"inputs": {"i": 1, "f": 0.5, "b": [True, False]}},
        {"instances": [{"i": 1, "f": 0.5, "b": True}]},
        {"dataframe_records": [{"i": 1, "f": 0.5, "b": True}, {"i": 2, "f": 1.5, "b": False}]},
    ) + csv_bodies(
        "i,f,b\n1,0.5,True\n-3,2,False\n",
        "i,f,b\n1,0.5,true\n",
        "i,f,b\n1.0,0.5,FALSE\n",
        "i,f,b\n1.5,0.5,True\n",
        "i,f,b\n1,0.5,1\n",
        "i,f,b\n1,0.5,yes\n",
        "i,f,b\n1,,True\n",
        "i,f,b\n1,0.5,\n",
    )


SERVED: dict[str, Served] = {
    "numbers": Served(_save_numbers, number_bodies(), _otherwise_numbers()),
    "words": Served(_save_words, _words(), _otherwise_words()),
    "matrix": Served(_save_matrix, _matrix(), _otherwise_matrix()),
    # pandas makes another whole number of what is too large for one.
    "kinds": Served(_save_kinds, _kinds(), json_bodies(split(["i", "f", "b"], [1e10, 0.5, True]))),
}


def save(kind: str, folder: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        SERVED[kind].save(folder / "model")
    return folder / "model"


def compare(kind: str, model: Any, ask: Callable[[bytes, str], Outcome]) -> list[tuple[Body, str]]:
    """Every body of which both think otherwise, and how."""
    found = []
    for body, content_type in SERVED[kind].bodies + SERVED[kind].otherwise:
        said = apart(as_mlflow(model, body, content_type), ask(body, content_type))
        if said is not None:
            found.append(((body, content_type), said))
    return found
