"""`aloft export` of a set that was imported holds everything, as files that a person can read."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aloft_server import Server
from mlflow.tracking import MlflowClient

from . import same
from .conftest import LONG, MANY, Tracker


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_an_export_of_an_imported_set_holds_everything(
    tracker: Tracker, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server()
    server.run("import", "mlflow", str(tracker.database))
    here = MlflowClient(server.url)
    folder = tmp_path / "export"
    report = server.json("export", str(folder))
    assert isinstance(report, dict)
    assert report["runs"] == MANY + 2
    experiments = {read(p)["name"]: p.parent for p in folder.glob("experiments/*/experiment.json")}
    assert set(experiments) == {"Default", "rich", "many"}
    for name in ("rich", "many"):
        runs = same.runs(here, name)
        table = list(csv.DictReader((experiments[name] / "runs.csv").open()))
        assert {row["run_id"] for row in table} == {run.info.run_id for run in runs}
        for run in runs:
            check_run(here, run.info.run_id, experiments[name] / "runs" / run.info.run_id, tmp_path)
    model = read(experiments["rich"] / "models" / tracker.model / "model.json")
    assert model["params"] == [{"key": "depth", "value": "3"}]
    path = experiments["rich"] / "models" / tracker.model / "artifacts" / "MLmodel"
    assert path.read_text() == "flavors: {}\n"
    churn = read(folder / "models" / "churn.json")
    assert [version["version"] for version in churn["versions"]] == [1, 2]
    assert churn["aliases"] == [{"alias": "champion", "version": 2}]
    assert read(folder / "models" / "greeting.json")["versions"][0]["tags"]
    assert not list(folder.rglob("*.partial"))

    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    again = server.json("export", str(folder))
    assert isinstance(again, dict)
    # The one that still goes on is looked at each time.
    assert again["runs"] <= 1
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def check_run(client: MlflowClient, run: str, folder: Path, scratch: Path) -> None:
    facts = same.facts(client, client.get_run(run))
    record = read(folder / "run.json")
    assert {one["key"]: one["value"] for one in record["params"]} == facts["params"]
    assert {one["key"]: one["value"] for one in record["tags"]} == facts["tags"]
    assert record["status"] == facts["status"]
    points: dict[str, list[tuple[Any, ...]]] = {}
    for row in csv.DictReader((folder / "metrics.csv").open()):
        value = same.number(float(row["value"]))
        points.setdefault(row["key"], []).append(
            (int(row["timestamp"]), int(row["step"]), str(value))
        )
    assert {key: sorted(series) for key, series in points.items()} == facts["points"]
    if "long" in points:
        assert len(points["long"]) == LONG
    there = same.files(client, run, scratch / "files" / run)
    artifacts = folder / "artifacts"
    written = {
        p.relative_to(artifacts).as_posix(): p.read_bytes()
        for p in artifacts.rglob("*")
        if p.is_file()
    }
    assert written == there
