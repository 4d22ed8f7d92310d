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
    limit = ["--time", "10m"] if "--command" in arguments else []
    return subprocess.run(
        [str(program()), "run", "--server", server.url, *limit, "--wait", *arguments],
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


def git(folder: Path, *arguments: str) -> str:
    names = [
        "-c",
        "user.name=ann",
        "-c",
        "user.email=ann@example.org",
        "-c",
        "commit.gpgsign=false",
    ]
    command = ["git", *names, *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def finished(folder: Path, server: Server, *arguments: str) -> dict[str, Any]:
    """The job's details, with its output and the tags of its run."""
    done = run_in(folder, server, "--json", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    job = json.loads(done.stdout)["job"]
    found: dict[str, Any] = json.loads(server.get(f"/api/v1/jobs/{job['id']}"))
    found["said"] = json.loads(server.get(f"/api/v1/jobs/{job['id']}/log"))["text"]
    run = ask(server, "runs/search", {"experiment_ids": [job["experiment"]], "max_results": 100})
    found["tags"] = next(
        {tag["key"]: tag["value"] for tag in one["data"]["tags"]}
        for one in run["runs"]
        if one["info"]["run_id"] == job["run"]
    )
    return found


def test_a_job_keeps_where_its_code_came_from(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "remote", "add", "origin", "https://ann:secret@example.org/code.git")
    (folder / "aloft.yaml").write_text("project: coded\njobs: { say: { run: cat word.txt } }\n")
    (folder / "word.txt").write_text("first\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    first = git(folder, "rev-parse", "HEAD")
    (folder / "word.txt").write_text("second\n")
    (folder / "new.txt").write_text("not yet known\n")
    apply = [str(program()), "apply", "--server", server.url]
    subprocess.run(apply, cwd=folder, check=True, capture_output=True, timeout=60)

    now = finished(folder, server, "say")
    assert "second" in now["said"]
    assert now["code"]["commit"] == first and now["code"]["isDirty"]
    assert now["tags"]["mlflow.source.git.commit"] == first
    assert now["tags"]["mlflow.source.git.branch"] == "main"
    assert now["tags"]["mlflow.source.git.repoURL"] == "https://example.org/code.git"
    diff = server.get(f"/api/v1/blobs/{now['code']['diff']}").decode()
    assert "-first" in diff and "+second" in diff and "+not yet known" in diff

    then = finished(folder, server, "say", "--at", "main")
    assert "first" in then["said"] and "second" not in then["said"]
    assert then["code"] == {
        "commit": first,
        "branch": "main",
        "isDirty": False,
        "remote": "https://example.org/code.git",
    }
    plain = finished(folder, server, "--command", "cat word.txt", "--at", first[:10])
    assert "first" in plain["said"] and plain["code"]["commit"] == first
    refused = run_in(folder, server, "say", "--at", "nowhere")
    assert refused.returncode == 2 and "no such commit" in refused.stderr
    # What the folder itself holds is as it was.
    assert git(folder, "status", "--porcelain") == "M word.txt\n?? new.txt"


HOSTILE = """
[core]
  fsmonitor = {program} fsmonitor
  hooksPath = .git/own
  pager = {program} pager
  sshCommand = {program} ssh
  gitProxy = {program} gitproxy
  editor = {program} editor
  alternateRefsCommand = {program} refs
[extensions]
  partialClone = origin
[remote "origin"]
  url = ext::{program} transport
  promisor = true
  partialclonefilter = blob:none
[protocol]
  allow = always
[protocol "ext"]
  allow = always
[credential]
  helper = !{program} credential
[filter "Clean.Up"]
  clean = {program} clean
  smudge = {program} smudge
  required = true
[filter "long"]
  process = {program} process
  required = true
[diff]
  external = {program} external
  submodule = diff
[diff "words"]
  command = {program} command
  textconv = {program} textconv
[status]
  submoduleSummary = true
[submodule]
  recurse = true
[tar "tar"]
  command = {program} tar
[gpg]
  program = {program} gpg
[log]
  showSignature = true
"""


def test_a_folder_that_is_asked_about_runs_nothing(server: Server, tmp_path: Path) -> None:
    """What its own configuration and attributes name as programs would leave a mark each."""
    folder, marks, other = tmp_path / "code", tmp_path / "marks", tmp_path / "other"
    for place in (folder, marks, other):
        place.mkdir()
    script = tmp_path / "program"
    script.write_text(f'#!/bin/sh\n: > "{marks}/$(basename "$0")-$1"\nexec cat\n')
    script.chmod(0o700)
    for place in (folder, other):
        git(place, "init", "--quiet", "--initial-branch", "main")
    (other / "part.txt").write_text("part\n")
    git(other, "add", ".")
    git(other, "commit", "--quiet", "-m", "one")
    (folder / "aloft.yaml").write_text("project: asked\njobs: { say: { run: cat a.txt } }\n")
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_text("first\n")
    (folder / "d.txt").write_text("$Format:%G? %H$\n")
    (folder / ".gitattributes").write_text(
        "a.txt diff=words\nb.txt filter=Clean.Up\nc.txt filter=long\nd.txt export-subst\n"
    )
    git(
        folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub"
    )
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "one")
    # As if somebody had signed it, so that showing it would ask who.
    lines = git(folder, "cat-file", "commit", "HEAD").split("\n")
    lines.insert(
        lines.index(""), "gpgsig -----BEGIN PGP SIGNATURE-----\n -----END PGP SIGNATURE-----"
    )
    (tmp_path / "commit").write_text("\n".join(lines) + "\n")
    signed = git(folder, "hash-object", "-t", "commit", "-w", str(tmp_path / "commit"))
    git(folder, "update-ref", "HEAD", signed)
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_text("second\n")
    (folder / "new.txt").write_text("new\n")
    (folder / "sub/part.txt").write_text("changed\n")
    (folder / ".git/own").mkdir()
    for hook in ("post-index-change", "reference-transaction", "post-checkout", "pre-auto-gc"):
        (folder / ".git/own" / hook).symlink_to(script)
    for config in (folder / ".git/config", folder / ".git/modules/sub/config"):
        with config.open("a") as file:
            file.write(HOSTILE.format(program=script))
    apply = [str(program()), "apply", "--server", server.url]
    subprocess.run(apply, cwd=folder, check=True, capture_output=True, timeout=60)
    code = finished(folder, server, "--command", "cat a.txt", "--with-files")["code"]
    assert sorted(mark.name for mark in marks.iterdir()) == []
    assert code["commit"] == signed and code["isDirty"]
    diff = server.get(f"/api/v1/blobs/{code['diff']}").decode()
    assert diff.count("-first") == 3 and diff.count("+second") == 3 and "+new" in diff
    assert "first" in finished(folder, server, "say", "--at", "HEAD")["said"]
    assert sorted(mark.name for mark in marks.iterdir()) == []
    # A file that the clone was made without is not fetched.
    blob = git(folder, "-c", "core.fsmonitor=false", "rev-parse", "HEAD:a.txt")
    marks_before = {mark.name for mark in marks.iterdir()}
    (folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    refused = run_in(folder, server, "say", "--at", "HEAD")
    assert refused.returncode == 1 and "could not be written" in refused.stderr
    assert {mark.name for mark in marks.iterdir()} == marks_before


def test_a_user_without_a_home_runs_jobs_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    for name in ("UV_CACHE_DIR", "XDG_CACHE_HOME", "XDG_DATA_HOME", "UV_PYTHON_INSTALL_DIR"):
        monkeypatch.delenv(name, raising=False)
    server = Server(data=tmp_path / "data").start()
    try:
        command = 'touch "$HOME/here" && echo "cache=$UV_CACHE_DIR" "home=$HOME"'
        done = finished(tmp_path, server, "--command", command)
    finally:
        assert server.stop() == 0
    assert f"cache={server.data}/uv/cache" in done["said"]
    assert "home=/nonexistent" not in done["said"]
