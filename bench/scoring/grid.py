"""The long version of `tests/serving/test_scoring_grid.py`, by hand: signatures, rows, forms
and answers drawn at random, asked of a worker's model alone and together, and of MLflow's own
`scoring_server.invocations`.

    bench/scoring/run --models 200
"""

from __future__ import annotations

import argparse
import base64
import json
import logging
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from aloft_models.worker.model import load
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import Array, Object, Property
from scoring_grid import ANSWERS, PARAMS, Kind, Outcome, as_mlflow, difference, save
from test_scoring_grid import outcome

Chance = np.random.Generator
ODD = [
    None,
    True,
    0,
    -1,
    2.5,
    1e308,
    2**63,
    "",
    "a",
    "NA",
    "1",
    [],
    [1],
    {},
    {"a": 1},
    "\ud83d\ude00",
]
TYPES: list[Any] = [
    DataType.double,
    DataType.float,
    DataType.long,
    DataType.integer,
    DataType.string,
    DataType.boolean,
    DataType.binary,
    DataType.datetime,
    Array(DataType.double),
    Array(Array(DataType.long)),
    Object([Property("p", DataType.string), Property("q", DataType.long, required=False)]),
]


def value(chance: Chance, kind: Any) -> Any:
    """Mostly of the column's type."""
    if chance.random() < 0.06:
        return ODD[int(chance.integers(len(ODD)))]
    number = float(np.round(chance.normal(0, 10 ** int(chance.integers(0, 6))), 3))
    if isinstance(kind, Array):
        return [value(chance, kind.dtype) for _ in range(int(chance.integers(0, 4)))]
    if isinstance(kind, Object):
        return {"p": "x", "q": int(number)} if chance.random() < 0.7 else {"p": "y"}
    return {
        "double": number,
        "float": number,
        "long": int(number),
        "integer": int(number) % 1000,
        "string": ["", "a", "é", "a,b", 'q"q', "7"][int(chance.integers(6))],
        "boolean": bool(chance.random() < 0.5),
        "binary": base64.b64encode(bytes([int(number) % 256] * 3)).decode(),
        "datetime": "2020-01-0" + str(int(chance.integers(1, 9))),
    }[kind.name]


def model(chance: Chance) -> tuple[Kind, list[tuple[str, Any]]]:
    if chance.random() < 0.2:
        shape = (-1, *chance.choice([-1, 2, 3], int(chance.integers(0, 3))).tolist())
        dtype = np.dtype(str(chance.choice(["float32", "float64", "int64", "uint8", "bool"])))
        schema = Schema([TensorSpec(dtype, shape)])
        return Kind(ModelSignature(schema, params=PARAMS), []), []
    columns = []
    for place in range(int(chance.integers(1, 7))):
        columns.append((f"c{place}", TYPES[int(chance.integers(len(TYPES)))]))
    specs = [ColSpec(kind, name, required=bool(chance.random() < 0.8)) for name, kind in columns]
    return Kind(ModelSignature(Schema(specs), params=PARAMS), []), columns


def body(chance: Chance, columns: list[tuple[str, Any]]) -> tuple[bytes, str]:
    count = int(chance.integers(0, 4))
    if not columns:
        shape = [count, *chance.integers(1, 4, int(chance.integers(0, 3))).tolist()]
        data: dict[str, Any] = {"inputs": np.round(chance.normal(0, 9, shape), 2).tolist()}
        return json.dumps(data).encode(), "application/json"
    used = [one for one in columns if chance.random() < 0.96]
    names = [name for name, _ in used]
    rows = [[value(chance, kind) for _, kind in used] for _ in range(count)]
    form = int(chance.integers(5))
    if form == 0:
        lines = [names, *rows]
        text = "\n".join(",".join("" if one is None else str(one) for one in row) for row in lines)
        return text.encode("utf-8", "replace"), "text/csv"
    records = [dict(zip(names, row, strict=True)) for row in rows]
    data = [
        {"dataframe_split": {"columns": names, "data": rows}},
        {"dataframe_records": records},
        {"inputs": records},
        {"inputs": {name: [row[place] for row in rows] for place, name in enumerate(names)}},
    ][form - 1]
    if chance.random() < 0.3:
        data["params"] = {"answer": str(chance.choice([*ANSWERS, "raise"]))}
    return json.dumps(data).encode(), "application/json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", type=int, default=40)
    parser.add_argument("--bodies", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    chance = np.random.default_rng(options.seed)
    begin, answered, refused, differing = time.monotonic(), 0, 0, []
    for number in range(options.models):
        kind, columns = model(chance)
        with tempfile.TemporaryDirectory() as folder:
            path = save(kind, Path(folder))
            served, original = load(path), mlflow.pyfunc.load_model(str(path))
        bodies = [body(chance, columns) for _ in range(options.bodies)]
        documents = [(memoryview(one), of) for one, of in bodies]
        together: list[Outcome] = [outcome(one) for one in served.invoke(documents * 2, True)]
        for place, (one, of) in enumerate(bodies):
            wanted = as_mlflow(original, one, of)
            answered += wanted.status == 200
            refused += wanted.status != 200
            alone = outcome(served.invoke([documents[place]], False)[0])
            for found in (alone, together[place], together[place + len(bodies)]):
                said = difference(wanted, found)
                if said:
                    differing.append(f"model {number}: {one[:300]!r} ({of}): {said}")
                    break
    for line in differing[:20]:
        print(line)
    print(
        f"{options.models} models, {answered} bodies answered and {refused} refused by MLflow, "
        f"each asked alone and together: {len(differing)} differ ({time.monotonic() - begin:.0f} s,"
        f" seed {options.seed})"
    )
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
