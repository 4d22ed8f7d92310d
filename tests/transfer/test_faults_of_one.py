"""One bad item never ends an import: it is told of, the rest is taken, and a second try goes on."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest
from aloft_server import Server, program

TABLES = """
    CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT,
        lifecycle_stage TEXT);
    CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, user_id TEXT, status TEXT,
        start_time INTEGER, end_time INTEGER, artifact_uri TEXT, experiment_id INTEGER,
        lifecycle_stage TEXT);
    CREATE TABLE metrics (key TEXT, value REAL, timestamp INTEGER, step INTEGER, is_nan INTEGER,
        run_uuid TEXT);
    CREATE TABLE latest_metrics (key TEXT, value REAL, timestamp INTEGER, step INTEGER,
        is_nan INTEGER, run_uuid TEXT);
    CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
    CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
"""


def take(server: Server, source: Path, *more: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [str(program()), "import", "mlflow", str(source), "--server", server.url, "--json", *more],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


def ask(server: Server, path: str) -> Any:
    with urllib.request.urlopen(f"{server.url}/api/2.0/mlflow/{path}", timeout=30) as reply:
        return json.load(reply)


def files_of(server: Server, run: str) -> list[str]:
    return [one["path"] for one in ask(server, f"artifacts/list?run_id={run}").get("files", [])]


def test_odd_file_names_cost_themselves_only(server: Server, tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "mlflow.db")
    database.executescript(TABLES)
    runs = []
    names = ["plain.txt", "C:\\plots\\roc.png", "%2e%2e", "x%5Cy.txt", "plain too.txt"]
    for number, some in ((71, names), (72, ["in the next experiment.txt"])):
        row = (number, f"odd {number}", str(tmp_path / "mlruns" / str(number)))
        database.execute("INSERT INTO experiments VALUES (?, ?, ?, 'active')", row)
        for name in some:
            run = uuid.uuid4().hex
            place = tmp_path / "mlruns" / str(number) / run / "artifacts"
            place.mkdir(parents=True)
            (place / name).write_text("x")
            (place / "good.txt").write_text("y")
            database.execute(
                "INSERT INTO runs VALUES (?, ?, 'u', 'FINISHED', 1, 2, ?, ?, 'active')",
                (run, name, str(place), number),
            )
            runs.append((name, run))
    database.commit()
    status, report = take(server, tmp_path / "mlflow.db")
    assert status == 1
    told = json.dumps(report["failures"])
    for name, run in runs:
        assert "good.txt" in files_of(server, run), name
        if name in names[1:4]:
            assert json.dumps(name)[1:-1] in told or name in told, told
        else:
            assert name in files_of(server, run)
    _, second = take(server, tmp_path / "mlflow.db")
    assert second["runsUnchanged"] == 3, "what is whole is not taken again, the rest is tried again"
    assert len(second["failures"]) == 3


def test_odd_rows_cost_themselves_only(server: Server, tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "mlflow.db")
    database.executescript(TABLES)
    database.executemany(
        "INSERT INTO experiments VALUES (?, ?, '', 'active')",
        [(81, None), (83, "good rows")],
    )
    good, odd = (uuid.uuid4().hex for _ in range(2))
    for run, key, value in ((good, "a", "1"), (odd, "a", "1")):
        database.execute(
            "INSERT INTO runs VALUES (?, 'r', 'u', 'FINISHED', 'x', 2.5, '', 83, 'active')", (run,)
        )
        database.execute("INSERT INTO params VALUES (?, ?, ?)", (key, value, run))
    database.execute("INSERT INTO latest_metrics VALUES (NULL, 1, 1, 1, 0, ?)", (odd,))
    database.execute("INSERT INTO metrics VALUES ('m', 'text', 't', NULL, 'n', ?)", (good,))
    database.execute("INSERT INTO latest_metrics VALUES ('m', 1, 1, 1, 0, ?)", (good,))
    database.commit()
    status, report = take(server, tmp_path / "mlflow.db")
    assert status == 1
    assert ask(server, f"runs/get?run_id={good}")["run"]["data"]["params"][0]["key"] == "a"
    told = json.dumps(report["failures"] + report["leftOut"])
    assert "81" in told and odd in told, told


def write_run(folder: Path, run: str, meta: str = "") -> Path:
    here = folder / run
    for part in ("metrics/train", "params", "tags", "artifacts/plots"):
        (here / part).mkdir(parents=True)
    (here / "meta.yaml").write_text(
        meta
        or f"artifact_uri: file:///gone/{run}/artifacts\nend_time: 2\nlifecycle_stage: active\n"
        f"run_id: {run}\nrun_name: 'old: one'\nstart_time: 1\nstatus: 3\nuser_id: u\n"
    )
    (here / "metrics" / "auc").write_text("1 0.5 0\n2 nan 1\n")
    (here / "metrics" / "train" / "loss").write_text(
        "".join(f"{step} {1 / (step + 1)} {step}\n" for step in range(12_000))
    )
    (here / "params" / "depth").write_text("4")
    (here / "tags" / "mlflow.note.content").write_text("two\nlines\n")
    (here / "artifacts" / "plots" / "a.txt").write_text("plot")
    return here


@pytest.fixture
def mlruns(tmp_path: Path) -> Path:
    root = tmp_path / "mlruns"
    for number, name in (("91", "from a folder"), ("92", "beside it")):
        (root / number / "tags").mkdir(parents=True)
        (root / number / "meta.yaml").write_text(
            f"artifact_location: file://{root}/{number}\ncreation_time: 1\n"
            f"experiment_id: '{number}'\nlast_update_time: 1\nlifecycle_stage: active\n"
            f"name: {name}\n"
        )
    (root / "91" / "tags" / "team").write_text("a")
    (root / "93").mkdir()
    (root / "93" / "meta.yaml").write_text("{ no yaml")
    return root


def test_a_folder_of_runs_is_taken(server: Server, mlruns: Path) -> None:
    good, other, broken, line, middle = (uuid.uuid4().hex for _ in range(5))
    write_run(mlruns / "91", good)
    write_run(mlruns / "92", other)
    write_run(mlruns / "91", broken, "[1, 2]\n")
    here = write_run(mlruns / "91", line)
    (here / "metrics" / "auc").write_text("not a point\n")
    here = write_run(mlruns / "91", middle)
    (here / "metrics" / "auc").write_text("1 0.5 0\nnot a point\n2 0.5 1\n")
    version = mlruns / "models" / "churn" / "version-1"
    version.mkdir(parents=True)
    (version.parent / "meta.yaml").write_text("name: churn\ncreation_timestamp: 5\n")
    (version / "meta.yaml").write_text(
        f"version: 1\nsource: file://{mlruns}/91/{good}/artifacts/plots\nrun_id: {good}\n"
        "current_stage: None\ncreation_timestamp: 6\n"
    )
    (version.parent / "aliases").mkdir()
    (version.parent / "aliases" / "champion").write_text("1")
    status, report = take(server, mlruns)
    assert status == 1, report
    run = ask(server, f"runs/get?run_id={good}")["run"]
    assert run["info"]["run_name"] == "old: one" and run["info"]["status"] == "FINISHED"
    assert run["data"]["params"] == [{"key": "depth", "value": "4"}]
    tags = {one["key"]: one["value"] for one in run["data"]["tags"]}
    assert tags["mlflow.note.content"] == "two\nlines\n"
    history = ask(server, f"metrics/get-history?run_id={good}&metric_key=train/loss")["metrics"]
    assert [one["step"] for one in history] == list(range(12_000))
    assert files_of(server, good) == ["plots"]
    assert ask(server, f"runs/get?run_id={other}")["run"]["data"]["metrics"]
    found = ask(server, "model-versions/get?name=churn&version=1")["model_version"]
    assert found["aliases"] == ["champion"] and found["source"].startswith("mlflow-artifacts:")
    told = json.dumps(report["failures"])
    for name in (broken, line, middle, "93"):
        assert name in told, told
    # A second time nothing changes, and what failed is told of again.
    _, second = take(server, mlruns)
    assert second["runs"] == 0 and second["runsUnchanged"] == 2
    with pytest.raises(urllib.error.HTTPError):
        ask(server, f"runs/get?run_id={broken}")


def test_nothing_outside_a_folder_of_runs_is_taken(server: Server, tmp_path: Path) -> None:
    secret = tmp_path / "home"
    (secret / "artifacts").mkdir(parents=True)
    (secret / "key").write_text("PRIVATE")
    (secret / "auc").write_text("1 0.125 0\n")
    (secret / "artifacts" / "key").write_text("PRIVATE")
    root = tmp_path / "mlruns"
    (root / "95").mkdir(parents=True)
    (root / "95" / "meta.yaml").write_text("experiment_id: '95'\nname: packed by a stranger\n")
    good, climbing, linked, pointing = (uuid.uuid4().hex for _ in range(4))
    here = write_run(root / "95", good)
    (here / "params" / "linked").symlink_to(secret / "key")
    for part in ("tags", "metrics/train/more"):
        if (here / part).is_dir():
            (here / part / "mlflow.note.content").unlink()
            (here / part).rmdir()
        (here / part).symlink_to(secret)
    (here / "artifacts" / "key").symlink_to(secret / "key")
    (here / "inputs").symlink_to(secret)
    meta = "artifact_uri: {}\nlifecycle_stage: active\nrun_id: {}\nstatus: 3\n"
    write_run(root / "95", climbing, meta.format("", "../../home"))
    (root / "95" / linked).symlink_to(secret)
    here = write_run(root / "95", pointing, meta.format(secret / "artifacts", pointing))
    shutil.rmtree(here / "artifacts")
    status, report = take(server, root)
    assert status == 1 and report["runs"] == 2, report
    told = json.dumps(report["failures"])
    for name in ("params/linked", "tags", "metrics/train/more", "artifacts/key", "inputs"):
        assert f"{good}/{name}" in told, told
    for run in (climbing, linked, pointing):
        assert run in told, told
    run = ask(server, f"runs/get?run_id={good}")["run"]
    assert "PRIVATE" not in json.dumps(run)
    kept = [path for path in (server.data / "artifacts").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"PRIVATE" in path.read_bytes()]


def test_artifacts_elsewhere_are_told_of_though_mlflow_made_a_folder(
    server: Server, tmp_path: Path
) -> None:
    root = tmp_path / "mlruns"
    (root / "97").mkdir(parents=True)
    (root / "97" / "meta.yaml").write_text("experiment_id: '97'\nname: two places\n")
    moved, elsewhere = uuid.uuid4().hex, uuid.uuid4().hex
    place = tmp_path / "art" / elsewhere / "artifacts"
    place.mkdir(parents=True)
    (place / "report.txt").write_text("kept elsewhere")
    meta = "artifact_uri: {}\nlifecycle_stage: active\nrun_id: {}\nstatus: 3\n"
    old = f"file:///gone/mlruns/97/{moved}/artifacts"
    for run, uri in ((moved, old), (elsewhere, f"file://{place}")):
        here = write_run(root / "97", run, meta.format(uri, run))
        shutil.rmtree(here / "artifacts" / "plots")
    status, report = take(server, root)
    told = json.dumps(report["failures"] + report["leftOut"])
    assert status == 1 and elsewhere in told and moved not in told, report
    status, report = take(server, root, "--trust-paths")
    assert status == 0, report
    assert files_of(server, elsewhere) == ["report.txt"]


def test_a_meta_yaml_costs_no_more_than_its_size(server: Server, tmp_path: Path) -> None:
    """A few lines of aliases stand for gigabytes; so do millions of short values, nearly."""
    root = tmp_path / "mlruns"
    (root / "96").mkdir(parents=True)
    (root / "96" / "meta.yaml").write_text("experiment_id: '96'\nname: bombs\n")
    meta = "artifact_uri: ''\nlifecycle_stage: active\nrun_id: {}\nstatus: 3\n{}"
    levels = ["tags: &t0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &t{n} [{', '.join([f'*t{n - 1}'] * 9)}]" for n in range(1, 30)]
    bombs = {
        uuid.uuid4().hex: ("\n".join(levels) + "\n? *t29\n: x\n", "aliases"),
        uuid.uuid4().hex: ("a: [\u2028&a [1, 2],\u2028*a ]\n", "aliases"),
        uuid.uuid4().hex: ("x: [" + "a," * 1_000_000 + "]\n", "more names and values"),
        uuid.uuid4().hex: ("x:\n" + "- \n" * 1_000_000, "more names and values"),
    }
    for run, (more, _) in bombs.items():
        write_run(root / "96", run, meta.format(run, more))
    good = uuid.uuid4().hex
    write_run(root / "96", good)
    status, report = take(server, root)
    assert status == 1 and report["runs"] == 1, report
    told = [json.dumps(failure) for failure in report["failures"]]
    for run, (_, why) in bombs.items():
        assert any(run in text and why in text for text in told), (run, why, told)


def test_a_folder_without_runs_is_refused(server: Server, tmp_path: Path) -> None:
    (tmp_path / "meta.yaml").write_text("x: 1")
    text = server.run("import", "mlflow", str(tmp_path), status=1)
    assert "holds no experiments" in text
