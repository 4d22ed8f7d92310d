"""`aloft gc` shows what it would free, frees it while the server serves, and survives kills."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aloft_server import Server, program
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient


@pytest.fixture(autouse=True)
def quiet_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")


def put(url: str, data: bytes) -> None:
    request = urllib.request.Request(url, data=data, method="PUT")
    with urllib.request.urlopen(request, timeout=30):
        pass


def make_run(server: Server, client: MlflowClient, experiment: str, size: int) -> str:
    run = client.create_run(experiment).info.run_id
    metrics = [Metric("loss", 1 / (step + 1), step, step) for step in range(900)]
    client.log_batch(run, metrics)
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts"
    put(f"{server.url}{path}/model/weights.bin", run.encode() * size)
    return run


def on_disk(server: Server) -> set[str]:
    root = server.data / "artifacts" / "files"
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}


def line(report: dict[str, Any], reason: str) -> dict[str, Any]:
    return next((one for one in report["lines"] if one["reason"] == reason), {})


def test_gc_shows_then_frees_and_leaves_what_is_used(make_server: Callable[..., Server]) -> None:
    server = make_server()
    client = MlflowClient(server.url)
    experiment = client.create_experiment("old")
    gone = [make_run(server, client, experiment, 1000) for _ in range(20)]
    kept = make_run(server, client, experiment, 10)
    used = make_run(server, client, experiment, 10)
    client.create_registered_model("churn")
    source = f"mlflow-artifacts:/{experiment}/{used}/artifacts/model"
    client.create_model_version("churn", source, used)
    for run in [*gone, used]:
        client.delete_run(run)
    before = on_disk(server)

    assert "Nothing to free" not in server.run("gc", "--older-than", "0s")
    report = server.json("gc", "--older-than", "0s")
    assert isinstance(report, dict)
    runs = line(report, "deletedRuns")
    assert (runs["experiment"], runs["count"], runs["points"]) == ("old", 20, 20 * 900)
    assert runs["bytes"] == 20 * 32 * 1000
    assert report["kept"] == [{"what": f"run {used}", "why": "churn version 1 uses it"}]
    assert on_disk(server) == before
    # Within the retention nothing goes.
    young = server.json("gc", "--older-than", "1h", "--yes")
    assert isinstance(young, dict)
    assert young["freed"]["lines"] == []

    freed = server.json("gc", "--older-than", "0s", "--yes")
    assert isinstance(freed, dict)
    assert line(freed["freed"], "deletedRuns")["count"] == 20
    assert freed["freed"]["databaseBytes"] < freed["databaseBytesBefore"]
    left = {name.split("/")[1] for name in on_disk(server)}
    assert left == {kept, used}
    for run in (kept, used):
        assert client.get_metric_history(run, "loss")[-1].step == 899
    with pytest.raises(Exception, match="not found"):
        client.get_run(gone[0])
    with pytest.raises(Exception, match="not found"):
        client.restore_run(gone[0])
    assert "kept although deleted" in server.run("gc", "--older-than", "0s", "--yes")
    assert "--older-than" in server.run("gc", "--older-than", "soon", status=2)


def test_a_deleted_experiment_gives_its_name_back(make_server: Callable[..., Server]) -> None:
    server = make_server()
    client = MlflowClient(server.url)
    experiment = client.create_experiment("again")
    make_run(server, client, experiment, 10)
    model = client.create_logged_model(experiment, name="net")
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/models/{model.model_id}/artifacts/x"
    put(server.url + path, b"x" * 1000)
    client.delete_experiment(experiment)
    server.run("gc", "--older-than", "0s", "--yes")
    assert on_disk(server) == set()
    assert client.get_experiment_by_name("again") is None
    assert client.create_experiment("again") != experiment


def test_what_nobody_knows_goes_after_a_day(make_server: Callable[..., Server]) -> None:
    server = make_server()
    data = b"nobody refers to this"
    digest = hashlib.sha256(data).hexdigest()
    put(f"{server.url}/api/v1/blobs/{digest}", data)
    orphan = "0123456789abcdef" * 2
    put(f"{server.url}/api/2.0/mlflow-artifacts/artifacts/0/{orphan}/artifacts/x", b"x")
    put(f"{server.url}/api/2.0/mlflow-artifacts/artifacts/team/shared.txt", b"mine")
    upload = server.data / "artifacts" / "incoming" / "left"
    upload.write_bytes(b"x" * 100)
    assert "Nothing to free" in server.run("gc", "--older-than", "0s")
    old = time.time() - 25 * 3600
    for path in server.data.rglob("*"):
        if "artifacts" in path.parts or "blobs" in path.parts:
            os.utime(path, (old, old))
    report = server.json("gc", "--yes")
    assert isinstance(report, dict)
    for reason in ("unknownFolders", "unusedBlobs", "abandonedUploads"):
        assert line(report["freed"], reason)["count"] == 1, report
    assert on_disk(server) == {"team/shared.txt"}
    assert not upload.exists()
    assert not list((server.data / "blobs").rglob(digest))


def test_killed_while_it_frees_the_next_time_ends_the_same(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    client = MlflowClient(server.url)
    experiment = client.create_experiment("old")
    kept = [make_run(server, client, experiment, 10) for _ in range(5)]
    for pause in (0.0, 0.02, 0.05, 0.1):
        for run in [make_run(server, client, experiment, 10) for _ in range(60)]:
            client.delete_run(run)
        command = [str(program()), "gc", "--older-than", "0s", "--yes", "--server", server.url]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Until it has begun: some run has no row any more.
        connection = sqlite3.connect(f"file:{server.data / 'aloft.db'}?mode=ro", uri=True)
        while process.poll() is None:
            if connection.execute("SELECT count(*) FROM run").fetchone()[0] < 65:
                break
        connection.close()
        threading.Event().wait(pause)
        server.kill()
        process.wait(timeout=60)
        server.start()
        server.run("gc", "--older-than", "0s", "--yes")
        assert {name.split("/")[1] for name in on_disk(server)} == set(kept)
        assert "Nothing to free" in server.run("gc", "--older-than", "0s")
    for run in kept:
        assert len(client.get_metric_history(run, "loss")) == 900
    assert Path(server.data / "aloft.db").exists()


def test_the_server_serves_while_space_is_freed(make_server: Callable[..., Server]) -> None:
    server = make_server()
    client = MlflowClient(server.url)
    experiment = client.create_experiment("old")
    live = client.create_run(experiment).info.run_id
    for run in [make_run(server, client, experiment, 10) for _ in range(80)]:
        client.delete_run(run)
    ended = threading.Event()

    def free() -> None:
        server.run("gc", "--older-than", "0s", "--yes")
        ended.set()

    thread = threading.Thread(target=free)
    thread.start()
    step = 0
    while not ended.is_set() or step < 20:
        client.log_metric(live, "loss", step, step=step)
        step += 1
    thread.join()
    assert [p.step for p in client.get_metric_history(live, "loss")] == list(range(step))
