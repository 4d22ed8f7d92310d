"""`aloft import` and `aloft export` stay within the folders that the user pointed at."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aloft_server import Server, program

SECRET = "PRIVATE KEY OF THE IMPORTER"

TABLES = """
CREATE TABLE experiments (experiment_id integer primary key, name text, artifact_location text,
    lifecycle_stage text, creation_time integer, last_update_time integer);
CREATE TABLE runs (run_uuid text primary key, name text, user_id text, status text,
    start_time integer, end_time integer, lifecycle_stage text, artifact_uri text,
    experiment_id integer);
CREATE TABLE metrics (key text, value float, timestamp integer, run_uuid text, step integer,
    is_nan integer);
CREATE TABLE params (key text, value text, run_uuid text);
CREATE TABLE tags (key text, value text, run_uuid text);
"""


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "keys"
    folder.mkdir(parents=True)
    (folder / "id").write_text(SECRET)
    return folder


def database(folder: Path, experiment: int, uris: dict[str, str], location: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "mlflow.db"
    with sqlite3.connect(path) as db:
        db.executescript(TABLES)
        db.execute(
            "INSERT INTO experiments VALUES (?, ?, ?, 'active', 1, 1)",
            (
                experiment,
                f"e{experiment}-{folder.name}",
                location or f"mlflow-artifacts:/{experiment}",
            ),
        )
        for run, uri in uris.items():
            db.execute(
                "INSERT INTO runs VALUES (?, 'r', 'u', 'FINISHED', 1, 2, 'active', ?, ?)",
                (run, uri, experiment),
            )
    db.close()
    return path


def take(server: Server, source: str, *more: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [str(program()), "import", "mlflow", source, "--json", "--server", server.url, *more],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, json.loads(done.stdout)


def kept(server: Server, text: str) -> list[str]:
    """The kept files that hold this text."""
    files = server.data / "artifacts" / "files"
    return [str(p) for p in files.rglob("*") if p.is_file() and text in p.read_text()]


def said(report: dict[str, Any]) -> str:
    return "\n".join(f"{one['what']}: {one['why']}" for one in report["failures"])


def test_a_database_is_read_below_its_own_folders_only(
    server: Server, tmp_path: Path, secret: Path
) -> None:
    folder = tmp_path / "source"
    uris = {
        "1" * 32: str(secret),
        "2" * 32: f"file://{secret}",
        "3" * 32: "../home/keys",
        "4" * 32: "mlflow-artifacts:/../../home/keys",
        "5" * 32: "mlruns/7/link",
        "6" * 32: str(folder / "mlruns" / "7" / ("6" * 32) / "artifacts"),
        "7" * 32: f"file://{folder}/mlruns/../../home/keys",
        "8" * 32: "mlflow-artifacts:/7/%2e%2e/%2e%2e/%2e%2e/home/keys",
    }
    path = database(folder, 7, uris, location=str(folder / "mlruns" / "7"))
    own = folder / "mlruns" / "7" / ("6" * 32) / "artifacts" / "deep"
    own.mkdir(parents=True)
    (own / "own.txt").write_text("it belongs there")
    (own / "linked").symlink_to(secret / "id")
    (own / "linked-folder").symlink_to(secret)
    os.mkfifo(own / "pipe")
    (folder / "mlruns" / "7" / "link").symlink_to(secret)

    status, report = take(server, str(path))
    assert kept(server, SECRET) == []
    assert len(kept(server, "it belongs there")) == 1
    assert report["runs"] == len(uris), "what is left out keeps nobody from having the rest"
    assert status == 1
    for run in ("1", "2", "3", "4", "5", "7"):
        assert f"run {run * 32}" in said(report)
    assert "linked: it is a link" in said(report)
    assert "linked-folder: it is a link" in said(report)
    assert "pipe: it is neither a file nor a folder" in said(report)
    assert "--trust-paths" in said(report)


def test_folders_of_runs_beside_the_database_are_below_it(
    server: Server, tmp_path: Path, secret: Path
) -> None:
    folder = tmp_path / "beside"
    runs = {name: name * 32 for name in "abcd"}
    places = {
        "a": folder / "any" / "7" / runs["a"] / "artifacts",
        "b": tmp_path / "other" / runs["b"] / "artifacts",
        "c": folder / "out" / runs["c"] / "artifacts",
        "d": folder / "any" / runs["d"] / "artifacts",
    }
    uris = {runs[name]: str(place) for name, place in places.items()}
    uris[runs["b"]] = f"../other/{runs['b']}/artifacts"
    path = database(folder, 11, uris, location=str(folder / "any" / "7"))
    (folder / "out").symlink_to(secret.parent)
    for name in "abc":
        places[name].mkdir(parents=True)
        (places[name] / "file").write_text("it belongs there" if name == "a" else SECRET)
    places["d"].parent.mkdir()
    places["d"].symlink_to(secret)
    before = len(kept(server, "it belongs there"))
    status, report = take(server, str(path))
    assert (status, kept(server, SECRET)) == (1, [])
    assert len(kept(server, "it belongs there")) == before + 1
    for name in "bcd":
        assert f"run {runs[name]}" in said(report)
    assert f"run {runs['a']}" not in said(report)


def test_a_folder_beside_the_database_may_be_no_link(
    server: Server, tmp_path: Path, secret: Path
) -> None:
    folder = tmp_path / "linked"
    path = database(folder, 8, {"a" * 32: "mlflow-artifacts:/keys"})
    (folder / "mlartifacts").symlink_to(secret.parent)
    status, report = take(server, str(path))
    assert (status, kept(server, SECRET)) == (1, [])
    assert "mlartifacts is a link" in said(report)
    # A link that the user names is the user's own.
    status, report = take(server, str(path), "--artifacts", str(folder / "mlartifacts"))
    assert status == 0, "what was left out is tried again"
    (taken,) = kept(server, SECRET)
    Path(taken).unlink()


def test_paths_are_taken_as_they_are_where_the_user_says_so(server: Server, tmp_path: Path) -> None:
    elsewhere = tmp_path / "disk" / "artifacts"
    elsewhere.mkdir(parents=True)
    (elsewhere / "weights").write_text("kept on another disk")
    path = database(tmp_path / "trusted", 9, {"b" * 32: str(elsewhere)})
    assert take(server, str(path))[0] == 1
    assert kept(server, "kept on another disk") == []
    again = database(tmp_path / "trusted2", 10, {"c" * 32: str(elsewhere)})
    assert take(server, str(again), "--trust-paths")[0] == 0
    assert len(kept(server, "kept on another disk")) == 1


@pytest.fixture
def hostile_server(secret: Path) -> Iterator[str]:
    """A tracking server that names a folder of whoever asks it."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply: dict[str, Any] = {}
            if self.path.split("?")[0].endswith("experiments/search"):
                one = {"experiment_id": "77", "name": "innocent", "lifecycle_stage": "active"}
                reply = {"experiments": [{**one, "artifact_location": "mlflow-artifacts:/77"}]}
            elif self.path.split("?")[0].endswith("runs/search"):
                info = {"run_id": "e" * 32, "experiment_id": "77", "status": "FINISHED"}
                info |= {"artifact_uri": f"file://{secret}", "lifecycle_stage": "active"}
                reply = {"runs": [{"info": {**info, "start_time": 1, "end_time": 2}, "data": {}}]}
            body = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


def test_a_server_names_no_file_of_the_importer(server: Server, hostile_server: str) -> None:
    status, report = take(server, hostile_server)
    assert (status, report["runs"]) == (1, 1)
    assert kept(server, SECRET) == []
    assert "is outside of what was named for import" in said(report)


def test_an_export_is_not_written_through_links(server: Server, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "export", tmp_path / "elsewhere"
    target.mkdir()
    elsewhere.mkdir()
    command = [str(program()), "export", str(target), "--server", server.url]
    (target / "experiments").symlink_to(elsewhere)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "experiments is a link" in done.stdout
    assert list(elsewhere.iterdir()) == []
    (target / "experiments").unlink()
    victim = elsewhere / "victim"
    victim.write_text("as it was")
    (target / "experiments" / "0").mkdir(parents=True)
    (target / "experiments" / "0" / "runs.csv.partial").symlink_to(victim)
    (target / "experiments" / "0" / "runs.csv").symlink_to(victim)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert victim.read_text() == "as it was"
    assert (target / "experiments" / "0" / "runs.csv").read_text().startswith("run_id")
