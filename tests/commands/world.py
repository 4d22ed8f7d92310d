"""A server with one of everything that commands show, made once for all of them."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from aloft_server import ROOT, Server

FIXTURES = ROOT / ".runtime/fixtures"
PROJECT = """
project: flights
jobs:
  say:
    run: echo said ${word}
    parameters: { word: hello }
  train:
    run: python3 train.py ${x}
    parameters: { x: 0 }
    sweep:
      objective: maximize auc
      trials: 2
      parallel: 1
      seed: 4
      space: { x: { choice: [1, 2] } }
"""
# Logs its objective as a client would, without the time that one takes to be imported.
SCRIPT = """
import json, os, sys, urllib.request
point = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "auc", "step": 0, "timestamp": 1,
         "value": float(sys.argv[1])}
request = urllib.request.Request(
    os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric",
    json.dumps(point).encode(), {"Content-Type": "application/json",
    "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]})
urllib.request.urlopen(request, timeout=60).read()
"""
ROW = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1.0, 2.0]}]}


@dataclass
class World:
    server: Server
    folder: Path
    #: What stands for itself in the output, by the name that it has there.
    names: dict[str, str]

    def command(self, words: str) -> list[str]:
        return [part.format(**self.names) for part in words.split()]


def post(server: Server, path: str, body: dict[str, object]) -> dict[str, object]:
    request = urllib.request.Request(
        f"{server.url}/api/2.0/mlflow/{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return dict(json.loads(reply.read()))


def make(folder: Path) -> World:
    server = Server(data=folder / "data", with_gateway=True).start()
    names = {"folder": str(folder), "url": server.url, "gateway": server.gateway_url}
    try:
        fill(server, folder, names)
    except BaseException:
        server.stop()
        raise
    return World(server, folder, names)


def fill(server: Server, folder: Path, names: dict[str, str]) -> None:
    track(server, names)
    project = folder / "project"
    project.mkdir()
    (project / "aloft.yaml").write_text(PROJECT)
    (project / "train.py").write_text(SCRIPT)
    server.run("apply", str(project / "aloft.yaml"))
    job = json.loads(server.run("run", "say", "--project", "flights", "--wait", "--json"))
    names["job"] = job["job"]["id"]
    sweep = json.loads(server.run("sweep", "train", "--project", "flights", "--wait", "--json"))
    names["sweep"] = sweep["id"]
    server.run("models", "register", "churn", str(FIXTURES / "constant-1.onnx"))
    server.run("deploy", "churn", "--model", "churn/1", "--at-once", "--wait")
    predict(server, folder, names)
    server.run("shadow", "start", "churn", "--model", "churn/1", "--wait")
    server.wait_until(lambda: server.json("ps") == {"jobs": []}, "all jobs to end")
    server.run("export", str(folder / "taken"))
    server.run("backup", str(folder / "backups"), "--data", str(server.data))


def track(server: Server, names: dict[str, str]) -> None:
    """Two runs as a client logs them, of times that are always the same."""
    experiment = post(server, "experiments/create", {"name": "flights/hand"})["experiment_id"]
    for number, value in enumerate((0.61, 0.72), 1):
        run = post(
            server,
            "runs/create",
            {
                "experiment_id": experiment,
                "run_name": f"depth {number}",
                "start_time": 1_700_000_000_000 + number * 1000,
                "user_id": "ada",
                "tags": [{"key": "team", "value": "ground crew"}],
            },
        )["run"]["info"]["run_id"]  # type: ignore[index]
        names[f"run{number}"] = str(run)
        post(
            server,
            "runs/log-batch",
            {
                "run_id": run,
                "metrics": [
                    {"key": "val_auc", "value": value, "timestamp": 1_700_000_001_000, "step": 3}
                ],
                "params": [{"key": "max_depth", "value": "6"}],
                "tags": [],
            },
        )
        end = 1_700_000_060_000
        post(server, "runs/update", {"run_id": run, "status": "FINISHED", "end_time": end})


def predict(server: Server, folder: Path, names: dict[str, str]) -> None:
    """One prediction, shipped to the server."""
    row = folder / "row.json"
    row.write_text(json.dumps(ROW))
    server.run("predict", "churn", "--input", str(row), "--gateway", server.gateway_url)
    deadline = time.monotonic() + 60
    while True:
        found = json.loads(server.run("predictions", "churn", "--json"))
        if found["predictions"]:
            names["prediction"] = found["predictions"][0]["id"]
            return
        assert time.monotonic() < deadline, "the prediction was not shipped"
        time.sleep(0.1)
