"""`aloft import mlflow` from a real server and from its database file."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aloft_server import Server, program
from mlflow.tracking import MlflowClient

from . import same
from .conftest import MANY, Tracker


def import_all(server: Server, source: str, *more: str) -> dict[str, Any]:
    report = server.json("import", "mlflow", source, *more)
    assert isinstance(report, dict)
    assert report["failures"] == []
    return report


def check_same(tracker: Tracker, server: Server, folder: Path) -> None:
    there, here = tracker.client, MlflowClient(server.url)
    names = {one.name for one in there.search_experiments()}
    assert names <= {one.name for one in here.search_experiments()}
    assert here.get_experiment_by_name("rich").tags["note"] == "two\nlines"
    assert here.get_experiment_by_name("gone") is None
    for name in ("rich", "many"):
        left = {run.info.run_id: same.facts(there, run) for run in same.runs(there, name)}
        right = {run.info.run_id: same.facts(here, run) for run in same.runs(here, name)}
        assert left.keys() == right.keys()
        for run, facts in left.items():
            assert right[run] == facts
    there_files = same.files(there, tracker.rich_run, folder / "there")
    assert same.files(here, tracker.rich_run, folder / "here") == there_files
    assert len(there_files) == 3
    assert same.logged_model(here, tracker.model) == same.logged_model(there, tracker.model)
    assert same.model(here, "churn") == same.model(there, "churn")
    prompts = [client.get_prompt_version("greeting", "1") for client in (here, there)]
    assert prompts[0].template == prompts[1].template == "Say {{word}}"


def check_models_can_be_read(tracker: Tracker, server: Server, folder: Path) -> None:
    here = MlflowClient(server.url)
    for version in ("1", "2"):
        uri = here.get_model_version_download_uri("churn", version)
        assert uri.startswith("mlflow-artifacts:/")
    experiment = here.get_experiment_by_name("rich").experiment_id
    source = here.get_model_version("churn", "1").source
    assert source == f"mlflow-artifacts:/{experiment}/{tracker.rich_run}/artifacts/deep"
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/models/{tracker.model}"
    assert server.get(f"{path}/artifacts/MLmodel") == b"flavors: {}\n"


def test_a_server_is_taken_whole_and_a_second_time_only_what_is_new(
    tracker: Tracker, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server()
    first = import_all(server, tracker.url)
    assert first["runs"] == MANY + 2
    assert first["versions"] == 3
    check_same(tracker, server, tmp_path)
    check_models_can_be_read(tracker, server, tmp_path)
    # Where the number was free the experiment has the one it had.
    there = tracker.client.get_experiment_by_name("rich").experiment_id
    assert MlflowClient(server.url).get_experiment_by_name("rich").experiment_id == there

    again = import_all(server, tracker.url)
    assert (again["runs"], again["points"], again["files"], again["versions"]) == (0, 0, 0, 0)
    assert again["runsUnchanged"] == MANY + 2

    client = tracker.client
    client.log_metric(tracker.live_run, "loss", 0.5, step=0, timestamp=2)
    client.log_metric(tracker.live_run, "late", 3.0, step=7, timestamp=3)
    added = client.create_run(client.get_experiment_by_name("many").experiment_id).info.run_id
    client.set_terminated(added)
    here = MlflowClient(server.url)
    gone = same.runs(here, "many")[0].info.run_id
    here.delete_run(gone)
    here.set_registered_model_alias("churn", "champion", "1")
    third = import_all(server, tracker.url)
    assert (third["runs"], third["points"]) == (2, 2)
    assert any(gone in left["what"] for left in third["leftOut"])
    assert any("champion" in left["what"] for left in third["leftOut"])
    assert here.get_run(gone).info.lifecycle_stage == "deleted"
    assert str(here.get_registered_model("churn").aliases["champion"]) == "1"
    client.delete_run(added)
    here.delete_run(added)


def test_a_database_file_is_taken_without_its_server(
    tracker: Tracker, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server()
    report = import_all(server, str(tracker.database))
    assert report["runs"] == MANY + 2
    assert any("deleted there" in left["why"] for left in report["leftOut"])
    check_same(tracker, server, tmp_path)
    check_models_can_be_read(tracker, server, tmp_path)
    again = import_all(server, f"sqlite:///{tracker.database}")
    assert (again["runs"], again["points"], again["files"], again["versions"]) == (0, 0, 0, 0)


def test_a_killed_import_shows_only_whole_runs_and_goes_on(
    tracker: Tracker, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server()
    here, there = MlflowClient(server.url), tracker.client
    command = [str(program()), "import", "mlflow", tracker.url, "--server", server.url]
    for least in (1, 15, 40):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=dict(os.environ))
        while process.poll() is None and count(here) < least:
            time.sleep(0.01)
        process.kill()
        process.wait(timeout=60)
        for name in ("rich", "many"):
            if here.get_experiment_by_name(name) is None:
                continue
            for run in same.runs(here, name):
                whole = same.facts(there, there.get_run(run.info.run_id))
                assert same.facts(here, run) == whole
    import_all(server, tracker.url)
    check_same(tracker, server, tmp_path)


def count(client: MlflowClient) -> int:
    names = [n for n in ("rich", "many") if client.get_experiment_by_name(n) is not None]
    return sum(len(same.runs(client, name)) for name in names)


def test_a_wrong_source_is_said(make_server: Callable[..., Server], tmp_path: Path) -> None:
    server = make_server()
    assert "mlflow.db" in server.run("import", "mlflow", str(tmp_path / "no.db"), status=2)
    (tmp_path / "text.db").write_text("this is no database, but it is long enough to be read")
    text = server.run("import", "mlflow", str(tmp_path / "text.db"), status=1)
    assert "text.db" in text
    assert "no answer" in server.run("import", "mlflow", "http://127.0.0.1:9", status=1)
    text = server.run("import", "mlflow", server.url, "--experiment", "nope", status=1)
    assert "there is no experiment 'nope'" in text
