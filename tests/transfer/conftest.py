"""A real `mlflow server` on SQLite, filled with everything that an import takes along."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from aloft_server import free_port
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelOutput,
    LoggedModelParameter,
    Metric,
    Param,
    RunTag,
)
from mlflow.tracking import MlflowClient

#: Runs of the experiment that takes a while to copy.
MANY = 60
#: Points of the long series: several pages of any reader.
LONG = 12_000


class Tracker:
    """The source of imports: its server, its file, and what was put into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.database = folder / "mlflow.db"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.url)

    def start(self) -> Tracker:
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.database}"]
        command += ["--artifacts-destination", str(self.folder / "mlartifacts")]
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        log = (self.folder / "mlflow.log").open("ab")
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=log, stderr=log
        )
        deadline = time.monotonic() + 180
        while True:
            try:
                with urllib.request.urlopen(self.url + "/health", timeout=5):
                    return self
            except OSError:
                text = (self.folder / "mlflow.log").read_text()[-2000:]
                assert self.process.poll() is None, f"mlflow server ended:\n{text}"
                assert time.monotonic() < deadline, f"mlflow server does not start:\n{text}"
                time.sleep(0.2)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)

    def fill(self) -> None:
        client = self.client
        rich = client.create_experiment("rich", tags={"team": "a", "note": "two\nlines"})
        self.fill_rich(client, rich)
        many = client.create_experiment("many")
        for number in range(MANY):
            run = client.create_run(many, run_name=f"trial {number}").info.run_id
            metrics = [Metric("loss", 1 / (step + 1), 1000 + step, step) for step in range(20)]
            client.log_batch(run, metrics, [Param("number", str(number))], [])
            client.set_terminated(run)
        gone = client.create_experiment("gone")
        client.create_run(gone)
        client.delete_experiment(gone)

    def fill_rich(self, client: MlflowClient, experiment: str) -> None:
        run = client.create_run(experiment, run_name="the one", tags={"kind": "rich"}).info.run_id
        self.rich_run = run
        for start in range(0, LONG, 1000):
            points = [
                Metric("long", (step * 7919 % 1000) / 8, 1_700_000_000_000 + step, step)
                for step in range(start, start + 1000)
            ]
            client.log_batch(run, points)
        odd = [
            Metric("odd/names are: kept", value, 5, step)
            for step, value in enumerate([float("nan"), float("inf"), -0.0, -1e-300])
        ]
        client.log_batch(
            run, [*odd, Metric("steps", 2.0, 9, -3)], [Param("lr", "0.1"), Param("empty", "")]
        )
        client.log_batch(run, [], [], [RunTag("a.b/c", "värde " * 100), RunTag("plain", "x")])
        data = Dataset("flights", "abc123", "local", '{"uri":"/x"}', '{"s":1}', '{"rows":3}')
        client.log_inputs(run, [DatasetInput(data, [InputTag("mlflow.data.context", "train")])])
        local = self.folder / "files"
        (local / "deep" / "er").mkdir(parents=True)
        (local / "deep" / "er" / "ünï code #1%.txt").write_text("text")
        (local / "empty.bin").write_bytes(b"")
        (local / "large.bin").write_bytes(os.urandom(3_000_000))
        client.log_artifacts(run, str(local))
        self.fill_models(client, experiment, run)
        client.set_terminated(run, "FAILED")
        self.live_run = client.create_run(experiment, run_name="still going").info.run_id
        client.log_metric(self.live_run, "loss", 1.0, step=1, timestamp=1)
        deleted = client.create_run(experiment, run_name="deleted").info.run_id
        client.delete_run(deleted)

    def fill_models(self, client: MlflowClient, experiment: str, run: str) -> None:
        model = client.create_logged_model(
            experiment,
            name="net",
            source_run_id=run,
            model_type="Net",
            tags={"t": "1"},
            params={"depth": "3"},
        )
        (self.folder / "model").mkdir()
        (self.folder / "model" / "MLmodel").write_text("flavors: {}\n")
        client.log_model_artifacts(model.model_id, str(self.folder / "model"))
        client.finalize_logged_model(model.model_id, "READY")
        client.log_outputs(run, [LoggedModelOutput(model.model_id, 4)])
        client.log_metric(
            run,
            "acc",
            0.5,
            timestamp=7,
            step=4,
            model_id=model.model_id,
            dataset_name="flights",
            dataset_digest="abc123",
        )
        self.model = model.model_id
        client.create_registered_model("churn", tags={"owner": "b"}, description="who leaves")
        artifacts = client.get_run(run).info.artifact_uri
        client.create_model_version("churn", f"{artifacts}/deep", run, tags={"v": "1"})
        client.create_model_version(
            "churn",
            f"models:/{model.model_id}",
            run,
            description="second",
            model_id=model.model_id,
        )
        client.create_model_version("churn", f"runs:/{run}/deep", run)
        client.delete_model_version("churn", "3")
        client.set_registered_model_alias("churn", "champion", "2")
        client.transition_model_version_stage("churn", "1", "Production")
        client.register_prompt("greeting", "Say {{word}}")
        assert LoggedModelParameter is not None


@pytest.fixture(scope="session")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    one = Tracker(tmp_path_factory.mktemp("mlflow")).start()
    try:
        one.fill()
        yield one
    finally:
        one.stop()


@pytest.fixture(autouse=True)
def quiet_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused call fails at once instead of being tried for minutes."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    mlflow.set_tracking_uri("http://127.0.0.1:9")
