"""Sweeps with the real program: real jobs that log to a real server, which is killed meanwhile."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from aloft_server import Server, program

MakeServer = Callable[..., Server]

PROJECT = """
project: demo
jobs:
  train:
    run: python3 train.py ${x} ${rounds}
    parameters: { rounds: 12 }
    sweep:
      objective: maximize auc
      stop: { asha: { grace: 2, reduction: 2 } }
      trials: 8
      parallel: 3
      seed: 4
      space: { x: { uniform: [0, 1] } }
"""

# Patient as the mlflow client is: a server that restarts does not fail it.
SCRIPT = """
import json, os, sys, time, urllib.request
x, rounds = float(sys.argv[1]), int(sys.argv[2])
for step in range(rounds):
    point = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "auc", "step": step, "timestamp": 1,
             "value": 1 - (x - 0.3) ** 2 - 1 / (step + 2)}
    request = urllib.request.Request(
        os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric",
        json.dumps(point).encode(), {"Content-Type": "application/json",
        "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]})
    for attempt in range(60):
        try:
            urllib.request.urlopen(request, timeout=60).read()
            break
        except OSError:
            time.sleep(0.5)
    time.sleep(0.2)
"""


def make_project(folder: Path, text: str = PROJECT) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "aloft.yaml").write_text(text)
    (folder / "train.py").write_text(SCRIPT)
    return folder / "aloft.yaml"


def test_a_sweep_goes_on_after_its_server_was_killed(
    make_server: MakeServer, tmp_path: Path
) -> None:
    server = make_server()
    server.run("apply", str(make_project(tmp_path / "project")))
    command = [
        str(program()),
        "sweep",
        "train",
        "--wait",
        "--json",
        "--server",
        server.url,
    ]
    sweep = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(2):
            time.sleep(3)
            server.kill()
            server.start()
        output, _ = sweep.communicate(timeout=200)
    finally:
        # Without its server it would wait for ever, and this for it.
        sweep.kill()
        sweep.wait(timeout=60)
    assert sweep.returncode == 0, output
    result = json.loads(output)
    assert result["state"] == "succeeded"
    trials = result["trials"]
    assert [trial["number"] for trial in trials] == list(range(1, 9))
    assert {trial["state"] for trial in trials} == {"succeeded", "stoppedEarly"}
    assert len({trial["run"] for trial in trials}) == 8
    # One job a trial, none lost and none twice.
    jobs = server.json("ps", "--all")
    assert isinstance(jobs, dict)
    assert {job["id"] for job in jobs["jobs"]} == {trial["job"] for trial in trials}


def test_a_wrong_file_is_refused_before_anything_is_sent(
    make_server: MakeServer, tmp_path: Path
) -> None:
    server = make_server()
    file = make_project(tmp_path / "project", PROJECT.replace("trials", "trails"))
    output = server.run("apply", str(file), status=1)
    assert "aloft.yaml:10:7: jobs.train.sweep: unknown key `trails`; did you mean" in output
    assert server.json("sweep", "list") == {"sweeps": []}
    assert "no project file" in server.run("sweep", "train", "--project", "demo", status=1)
