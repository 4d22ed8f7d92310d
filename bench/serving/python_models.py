"""Python models: a pyfunc that takes 4 ms of processor time, asked by 1, 16 and 64 clients that
wait for their answers, beside MLServer and `mlflow models serve`.

Two models: one takes its 4 ms for a call, whatever the rows, as models do that are made of array
operations; the other for each row, which no batch makes quicker. The gateway starts from its disk;
its conversion has said whether rows may share a call. All servers run as they come, on the same
cores.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from gateways import ROOT, gateway, report
from mlflow.models import infer_signature
from servers import Peer, free_port, running

HERE = Path(__file__).resolve().parent
CLIENTS = (1, 16, 64)
COLUMNS = 8
CODE = """
import time

import mlflow
import numpy as np


class Slow(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        end = time.thread_time() + {seconds}
        while time.thread_time() < end:
            pass
        return np.asarray(model_input).sum(axis=1)


mlflow.models.set_model(Slow())
"""
COSTS = {"call": "0.004", "row": "0.004 * len(model_input)"}


def save(folder: Path, cost: str) -> Path:
    """The pyfunc in a folder as MLflow writes it."""
    code = folder / f"{cost}.py"
    code.write_text(CODE.format(seconds=COSTS[cost]))
    chance = np.random.default_rng(1)
    table = pd.DataFrame(
        chance.normal(size=(5, COLUMNS)), columns=[f"x{place}" for place in range(COLUMNS)]
    )
    target = folder / cost
    mlflow.pyfunc.save_model(
        str(target),
        python_model=str(code),
        signature=infer_signature(table, table.sum(axis=1).to_numpy()),
        input_example=table,
        pip_requirements=["mlflow-skinny"],
    )
    return target


def place(folder: Path, model: Path) -> dict[str, Any]:
    """The disk of a gateway that serves the model as converted; returns the manifest."""
    converted = folder.with_name(f"{folder.name}-converted")
    command = [str(ROOT / ".venv/bin/python"), "-m", "aloft_models.convert"]
    command += ["--model-uri", str(model), "--output", str(converted)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    subprocess.run(command, check=True, env=environment, timeout=600)
    data = (converted / "model.tar").read_bytes()
    manifest = json.loads((converted / "manifest.json").read_text())
    digest = hashlib.sha256(data).hexdigest()
    stored = folder / "models" / digest / "model.tar"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(data)
    servable = {"digest": digest, "sizeBytes": len(data), "manifest": manifest}
    revision = {"id": "r1", "number": 1, "weightPercent": 100, "servable": servable}
    revision |= {"modelName": "slow", "modelVersion": "1"}
    endpoint = {"name": "slow", "project": "default", "deployment": "slow", "logSampling": 1}
    endpoint |= {"environment": "production", "revisions": [revision]}
    state = {"revision": 1, "endpoints": [endpoint]}
    (folder / "desired-state.json").write_text(json.dumps(state))
    return dict(manifest)


@contextmanager
def mlserver(home: Path, model: Path) -> Iterator[Peer]:
    port = free_port()
    folder = home / f"mlserver-{port}"
    folder.mkdir()
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "debug": False}
    settings |= {"metrics_port": free_port(), "parallel_workers": 0}
    (folder / "settings.json").write_text(json.dumps(settings))
    described = {"name": "slow", "implementation": "mlserver_pyfunc.Pyfunc"}
    described |= {"parameters": {"uri": str(model)}}
    (folder / "model-settings.json").write_text(json.dumps(described))
    command = [str(Path(sys.executable).with_name("mlserver")), "start", str(folder)]
    environment = {"PYTHONPATH": str(HERE / "peers")}
    ready = "/v2/models/slow/ready"
    with running("mlserver", command, port, home / "mlserver.log", ready, environment) as peer:
        yield peer


@contextmanager
def mlflow_serve(home: Path, model: Path) -> Iterator[Peer]:
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(model)]
    command += ["--port", str(port), "--env-manager", "local", "--workers", "1"]
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with running("mlflow", command, port, home / "mlflow.log", "/ping", environment) as peer:
        yield peer


def bodies(home: Path) -> tuple[Path, Path]:
    """The same row for the inference protocol and for MLflow scoring."""
    row = np.random.default_rng(2).normal(size=COLUMNS).tolist()
    names = [f"x{number}" for number in range(COLUMNS)]
    tensors = [
        {"name": name, "shape": [1, 1], "datatype": "FP64", "data": [value]}
        for name, value in zip(names, row, strict=True)
    ]
    infer, scoring = home / "infer.json", home / "scoring.json"
    infer.write_text(json.dumps({"inputs": tensors}))
    scoring.write_text(json.dumps({"dataframe_split": {"columns": names, "data": [row]}}))
    return infer, scoring


def measure(program: Path, home: Path, load: Any, seconds: int, rounds: int = 2) -> None:
    infer, scoring = bodies(home)
    infer_path, scoring_path = "/v2/models/slow/infer", "/deployments/slow/invocations"
    for cost in COSTS:
        model = save(home, cost)
        folder = home / f"gateway-{cost}"
        batch = place(folder, model)["batch"]
        report("python", cost=cost, batch=batch["mode"], rows_compared=batch["rows"])
        with ExitStack() as stack:
            options = ("--python", sys.executable, "--share", str(ROOT / "python"))
            ours = stack.enter_context(gateway(program, folder, *options))
            peers = {
                "aloft": (ours, infer, infer_path),
                "aloft-invocations": (ours, scoring, scoring_path),
                "mlserver": (stack.enter_context(mlserver(home, model)), infer, infer_path),
                "mlflow": (stack.enter_context(mlflow_serve(home, model)), scoring, "/invocations"),
            }
            for clients in CLIENTS:
                rates: dict[str, list[float]] = {name: [] for name in peers}
                for round_number in range(1, rounds + 1):
                    for name, (peer, body, path) in peers.items():
                        load(peer, body, clients, 2, path)
                        facts = load(peer, body, clients, seconds, path)
                        rates[name].append((facts["requests"] - facts["errors"]) / facts["seconds"])
                        report(
                            "python",
                            cost=cost,
                            server=name,
                            clients=clients,
                            round=round_number,
                            answers_per_second=rates[name][-1],
                            p50_ms=facts["p50_ms"],
                            p99_ms=facts["p99_ms"],
                            errors=facts["errors"],
                            cpu_us_a_request=facts["cpu_us"],
                            resident_mb=round(peer.resident_megabytes()),
                        )
                for peer_name in ("mlserver", "mlflow"):
                    for name in ("aloft", "aloft-invocations"):
                        ratios = [a / b for a, b in zip(rates[name], rates[peer_name], strict=True)]
                        report(
                            "python",
                            cost=cost,
                            clients=clients,
                            ratio=f"{name} / {peer_name}",
                            least=min(ratios),
                            most=max(ratios),
                        )
