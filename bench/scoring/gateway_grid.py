"""Draws signatures, models that become ONNX, and bodies; asks a gateway and MLflow's own
`scoring_server.invocations`. The long version of `scoring_onnx` in `tests/serving`, by hand:

    bench/scoring/run gateway_grid.py --models 8 --bodies 400
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from aloft_server import Server, free_port, program
from grid import Chance, body
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from scoring_models import Outcome, apart, as_mlflow
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from test_scoring_over_http import Gateway

Column = tuple[str, Any]
KINDS = [
    DataType.double,
    DataType.float,
    DataType.long,
    DataType.integer,
    DataType.boolean,
    DataType.string,
]
WORDS = ["", "a", "é", "a,b", 'q"q', "7"]


def column(chance: Chance, kind: Any, rows: int) -> Any:
    if kind == DataType.string:
        return [WORDS[place] for place in chance.integers(0, len(WORDS), rows)]
    if kind == DataType.boolean:
        return chance.random(rows) < 0.5
    values = np.round(chance.normal(0, 10, rows), 3)
    return values.astype({"long": "int64", "integer": "int32"}.get(kind.name, kind.to_numpy()))


def save(chance: Chance, folder: Path) -> list[Column]:
    """A linear model of columns of any kinds, so that its answer tells each value."""
    columns: list[Column] = [
        (f"c{place}", KINDS[int(chance.integers(len(KINDS)))])
        for place in range(int(chance.integers(1, 6)))
    ]
    table = pd.DataFrame({name: column(chance, kind, 200) for name, kind in columns})
    texts = [name for name, kind in columns if kind == DataType.string]
    model: Any = LinearRegression()
    if texts:
        encoder = ColumnTransformer(
            [("t", OneHotEncoder(handle_unknown="ignore"), texts)], remainder="passthrough"
        )
        model = make_pipeline(encoder, model)
    model.fit(table, chance.normal(size=200))
    signature = ModelSignature(
        Schema([ColSpec(kind, name) for name, kind in columns]),
        Schema([ColSpec(DataType.double)]),
    )
    mlflow.sklearn.save_model(model, str(folder), signature=signature, input_example=table.head(5))
    return columns


def is_meant(wanted: Outcome, found: Outcome) -> bool:
    """What `docs/reference/limits.md` says."""
    if found.status == 200:
        return found.text == '{"predictions":[]}'
    ours = ("is not BYTES", "is not INT", "fields; its header", "a number, a string, true, false")
    return wanted.status == 200 and any(words in found.text for words in ours)


def ask(
    gateway: Gateway, name: str, model: Any, columns: list[Column], chance: Chance, count: int
) -> tuple[int, int, list[str]]:
    answered, meant, odd = 0, 0, []
    for _ in range(count):
        data, of = body(chance, columns)
        wanted = as_mlflow(model, data, of)
        status, text = gateway.ask(f"/deployments/{name}/invocations", data, of)
        found = Outcome(status, text.decode() if status == 200 else json.loads(text)["error"])
        answered += wanted.status == 200
        said = apart(wanted, found)
        if said is None:
            continue
        if is_meant(wanted, found):
            meant += 1
        else:
            odd.append(f"{columns} {data[:300]!r} ({of}): {said[:500]}")
    return answered, meant, odd


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", type=int, default=4)
    parser.add_argument("--bodies", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    os.environ["MLFLOW_DISABLE_ENV_MANAGER_CONDA_WARNING"] = "true"
    chance = np.random.default_rng(options.seed)
    begin, answered, meant, odd = time.monotonic(), 0, 0, []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        server = Server(data=folder / "data").start()
        port = free_port()
        command = [str(program()), "gateway", "--server", server.url, "--python", sys.executable]
        command += ["--data", str(folder / "gateway"), "--listen", f"127.0.0.1:{port}"]
        with (folder / "gateway.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            gateway = Gateway(server, port, {})
            mlflow.set_tracking_uri(server.url)
            for number in range(options.models):
                name, path = f"drawn-{number}", folder / f"model-{number}"
                columns = save(chance, path)
                with mlflow.start_run() as run:
                    mlflow.log_artifacts(str(path), "model")
                client = mlflow.MlflowClient()
                client.create_registered_model(name)
                client.create_model_version(name, f"runs:/{run.info.run_id}/model", run.info.run_id)
                server.run("deploy", name, "--model", f"{name}/1", "--at-once", "--wait")
                model = mlflow.pyfunc.load_model(str(path))
                some = ask(gateway, name, model, columns, chance, options.bodies)
                answered, meant, odd = answered + some[0], meant + some[1], odd + some[2]
        finally:
            process.terminate()
            process.wait(timeout=60)
            server.stop()
    for line in odd[:40]:
        print(line)
    total = options.models * options.bodies
    print(
        f"{options.models} models, {answered} of {total} bodies answered by MLflow: {len(odd)} "
        f"differ, {meant} by intent ({time.monotonic() - begin:.0f} s, seed {options.seed})"
    )
    return 1 if odd else 0


if __name__ == "__main__":
    raise SystemExit(main())
