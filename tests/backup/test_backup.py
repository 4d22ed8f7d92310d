"""`aloft backup` of a server under writes, `aloft restore`, and what damage either must name."""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aloft_server import Server, program
from mlflow.tracking import MlflowClient


@pytest.fixture(autouse=True)
def quiet_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")


def call(*arguments: object, status: int = 0) -> str:
    done = subprocess.run(
        [str(program()), *map(str, arguments)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == status, f"{arguments}\n{done.stdout}{done.stderr}"
    return done.stdout if status == 0 else done.stdout + done.stderr


def backup(folder: Path, data: Path, *more: str) -> dict[str, Any]:
    return dict(json.loads(call("backup", folder, "--data", data, "--json", *more)))


def put(url: str, data: bytes) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    request = urllib.request.Request(url, data=data, method="PUT", headers=headers)
    with urllib.request.urlopen(request, timeout=30):
        pass


def put_blob(server: Server, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    put(f"{server.url}/api/v1/blobs/{digest}", data)
    return digest


def fill(server: Server, count: int = 3) -> str:
    """Runs with metrics, params and artifacts, a registered model. Returns the experiment."""
    client = MlflowClient(server.url)
    experiment = client.create_experiment(f"kept-{time.monotonic_ns()}")
    for number in range(count):
        run = client.create_run(experiment).info.run_id
        client.log_param(run, "number", number)
        client.log_metric(run, "loss", 1 / (number + 1))
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/model/weights.bin"
        put(server.url + path, f"weights {run}".encode() * 500)
    name = f"model-{experiment}"
    client.create_registered_model(name)
    source = f"mlflow-artifacts:/{experiment}/{run}/artifacts/model"
    client.create_model_version(name, source, run)
    client.set_registered_model_alias(name, "champion", "1")
    return experiment


def facts(server: Server, experiment: str) -> dict[str, Any]:
    """What a client sees of an experiment, its artifacts' bytes too."""
    client = MlflowClient(server.url)
    seen: dict[str, Any] = {}
    for run in client.search_runs([experiment]):
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run.info.run_id}/artifacts"
        seen[run.info.run_id] = (
            run.data.params,
            run.data.metrics,
            hashlib.sha256(server.get(path + "/model/weights.bin")).hexdigest(),
        )
    version = client.get_model_version_by_alias(f"model-{experiment}", "champion")
    seen["version"] = (version.version, version.source, version.run_id)
    return seen


@pytest.fixture
def writing(make_server: Callable[..., Server]) -> Iterator[Server]:
    """A server that is written to without pause."""
    server = make_server()
    client = MlflowClient(server.url)
    run = client.create_run("0").info.run_id
    ended = threading.Event()

    def write() -> None:
        step = 0
        while not ended.is_set():
            client.log_metric(run, "busy", step, step=step)
            step += 1

    writer = threading.Thread(target=write)
    writer.start()
    yield server
    ended.set()
    writer.join()


def test_a_restored_server_answers_the_same(
    writing: Server, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    experiment = fill(writing)
    blob = put_blob(writing, b"a servable" * 1000)
    before = facts(writing, experiment)
    first = backup(tmp_path / "kept", writing.data)
    assert first["faults"] == []
    assert first["copiedFiles"] == first["files"] >= 5
    # Only what is new is copied again, and the database.
    later = fill(writing, count=1)
    second = backup(tmp_path / "kept", writing.data)
    assert second["files"] == first["files"] + 1
    assert second["copiedFiles"] <= 2
    assert second["position"] > first["position"]
    assert "is whole" in call("backup", tmp_path / "kept", "--verify")

    call("restore", tmp_path / "kept", "--data", tmp_path / "new")
    restored = make_server("new")
    assert facts(restored, experiment) == before
    assert facts(restored, later) == facts(writing, later)
    assert restored.get(f"/api/v1/blobs/{blob}") == b"a servable" * 1000
    # Secrets are made anew, and the folder is the server's user's only.
    assert not list((tmp_path / "kept").rglob("token.key"))
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0

    call(
        "restore",
        tmp_path / "kept",
        "--data",
        tmp_path / "old",
        "--generation",
        first["generation"],
    )
    old = make_server("old")
    assert facts(old, experiment) == before
    assert MlflowClient(old.url).get_experiment_by_name("kept-none") is None
    assert later not in [e.experiment_id for e in MlflowClient(old.url).search_experiments()]


def test_a_backup_killed_anywhere_leaves_whole_ones(writing: Server, tmp_path: Path) -> None:
    fill(writing, count=20)
    kept = tmp_path / "kept"
    first = backup(kept, writing.data)
    for number in range(12):
        fill(writing, count=1)
        process = subprocess.Popen(
            [str(program()), "backup", str(kept), "--data", str(writing.data)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.02 + 0.025 * number)
        process.kill()
        process.wait(timeout=60)
        # Whatever is listed is whole.
        for name in json.loads(call("backup", kept, "--list", "--json")):
            call("backup", kept, "--verify", "--generation", name)
    last = backup(kept, writing.data)
    assert last["files"] >= first["files"] + 12
    call("backup", kept, "--verify")
    call("restore", kept, "--data", tmp_path / "new")


def test_what_is_missing_is_named_and_nothing_is_restored(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server()
    experiment = fill(server)
    kept = tmp_path / "kept"
    backup(kept, server.data)
    objects = [p for p in (kept / "objects").glob("??/*") if p.stat().st_size < 100_000]
    weights = next(p for p in objects if p.read_bytes().startswith(b"weights"))
    good = weights.read_bytes()
    weights.write_bytes(b"X" + good[1:])
    told = call("restore", kept, "--data", tmp_path / "new", status=1)
    assert "weights.bin is damaged" in told
    assert f"artifacts/files/{experiment}/" in told
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "new.restoring").exists()
    assert "1 files" in call("backup", kept, "--verify", status=1)
    assert "is missing" in call("backup", kept, "--verify", status=1)
    call("restore", kept, "--data", tmp_path / "part", "--partial")
    assert len(list((tmp_path / "part").rglob("weights.bin"))) == 2
    # The next backup copies it anew.
    backup(kept, server.data)
    call("backup", kept, "--verify")


def test_refusals_name_the_place(make_server: Callable[..., Server], tmp_path: Path) -> None:
    server = make_server()
    kept = tmp_path / "kept"
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    assert "holds other things" in call("backup", full, "--data", server.data, status=1)
    assert "inside the data folder" in call(
        "backup", server.data / "b", "--data", server.data, status=1
    )
    assert "is no data folder" in call("backup", kept, "--data", tmp_path / "none", status=1)
    backup(kept, server.data)
    assert "not empty" in call("restore", kept, "--data", full, status=1)
    assert "no backup 2020" in call(
        "restore", kept, "--data", tmp_path / "n", "--generation", "2020", status=1
    )
    manifest = next((kept / "generations").iterdir())
    manifest.write_bytes(manifest.read_bytes()[:-40])
    assert "cut or damaged" in call("restore", kept, "--data", tmp_path / "n", status=1)


def test_old_generations_go_with_what_only_they_need(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server()
    kept = tmp_path / "kept"
    fill(server, count=1)
    backup(kept, server.data)
    sizes = []
    for _ in range(3):
        fill(server, count=1)
        backup(kept, server.data, "--keep", "2")
        sizes.append(len(json.loads(call("backup", kept, "--list", "--json"))))
    assert sizes == [2, 2, 2]
    for name in json.loads(call("backup", kept, "--list", "--json")):
        call("backup", kept, "--verify", "--generation", name)
    # Of databases, each of which is another, only two are left.
    assert sum(p.read_bytes()[:6] == b"SQLite" for p in (kept / "objects").glob("??/*")) == 2


def test_no_space_is_freed_while_a_backup_is_made(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server()
    with (server.data / "backup.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        told = server.run("gc", "--older-than", "0s", "--yes", status=1)
        assert "a backup is being made" in told
        assert "held by another" in call(
            "backup", tmp_path / "kept", "--data", server.data, status=1
        )
    server.run("gc", "--older-than", "0s", "--yes")
    backup(tmp_path / "kept", server.data)
