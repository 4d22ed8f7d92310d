"""Scripts that log as their authors like run as jobs, unchanged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from aloft_server import Server, program

SCRIPT = """
import mlflow

mlflow.set_experiment("of my own")
with mlflow.start_run(run_name="first"):
    mlflow.log_metric("auc", 0.9)
    with mlflow.start_run(run_name="child", nested=True):
        mlflow.log_param("depth", 3)
with mlflow.start_run(run_name="second"):
    mlflow.log_metric("auc", 0.8)
mlflow.set_experiment("another")
with mlflow.start_run(run_name="third"):
    mlflow.log_text("text", "note.txt")
print("all logged")
"""

#: Looks for what another experiment made, as a step of a project does, and logs in its own.
READER = """
import mlflow

found = mlflow.search_runs(experiment_names=["read only"], output_format="list")
with mlflow.start_run() as run:
    mlflow.log_metric("found", len(found))
print("experiment", run.info.experiment_id)
"""


def ask(server: Server, path: str, body: object) -> Any:
    request = urllib.request.Request(
        f"{server.url}/api/2.0/mlflow/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def run_in(folder: Path, server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program()), "run", "--server", server.url, "--time", "10m", "--wait", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("script")
    (folder / "train.py").write_text(SCRIPT)
    return folder


def test_a_script_with_experiments_of_its_own(server: Server, script: Path) -> None:
    command = f"{sys.executable} -W ignore train.py"
    done = run_in(script, server, "--command", command, "--with-files", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    job = json.loads(done.stdout)
    experiments = {
        one["name"]: one["experiment_id"]
        for one in ask(server, "experiments/search", {"max_results": 100})["experiments"]
    }
    found = {}
    for name in ("of my own", "another"):
        body = {"experiment_ids": [experiments[name]]}
        for run in ask(server, "runs/search", body)["runs"]:
            found[run["info"]["run_name"]] = (name, run)
    assert {name: place for name, (place, _) in found.items()} == {
        "first": "of my own",
        "child": "of my own",
        "second": "of my own",
        "third": "another",
    }
    first = found["first"][1]
    assert first["info"]["run_id"] == job["job"]["run"], "the job's own run is the script's first"
    assert first["info"]["status"] == "FINISHED"
    parents = {tag["key"]: tag["value"] for tag in found["child"][1]["data"]["tags"]}
    assert parents["mlflow.parentRunId"] == first["info"]["run_id"]


def test_a_script_that_reads_another_experiment_stays_in_its_own(
    server: Server, script: Path
) -> None:
    ask(server, "experiments/create", {"name": "read only"})
    (script / "reader.py").write_text(READER)
    command = f"{sys.executable} -W ignore reader.py"
    done = run_in(script, server, "--command", command, "--with-files", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)["job"]["run"]
    kept = json.loads(server.get(f"/api/2.0/mlflow/runs/get?run_id={run}"))["run"]["info"]
    name = json.loads(
        server.get(f"/api/2.0/mlflow/experiments/get?experiment_id={kept['experiment_id']}")
    )["experiment"]["name"]
    assert name != "read only"


def test_a_command_says_that_it_leaves_the_folder_behind(server: Server, script: Path) -> None:
    done = run_in(script, server, "--command", "test ! -e train.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--with-files" in done.stderr
