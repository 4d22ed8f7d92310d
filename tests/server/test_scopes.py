"""What tokens of jobs and gateways open, and what is left of an ended one, over real servers."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aloft_server import Server, program


def ask(
    url: str, method: str, path: str, token: str, body: Any = None, raw: bytes | None = None
) -> tuple[int, Any]:
    data = raw if raw is not None else None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}"}
    if data is not None:
        kind = "application/octet-stream" if raw is not None else "application/json"
        headers["Content-Type"] = kind
    request = urllib.request.Request(url + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            text = reply.read()
            status = reply.status
    except urllib.error.HTTPError as error:
        text = error.read()
        status = error.code
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


def make_token(server: Server, name: str) -> str:
    command = [str(program()), "token", "create", name, "--data", str(server.data)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server with a gateway that asks for tokens, and a person's token."""
    server = Server(
        data=tmp_path_factory.mktemp("scopes") / "data", arguments=["--auth"], with_gateway=True
    ).start()
    person = make_token(server, "ann")
    yield server, person

    # Jobs outlive their server: also the conversions that registering began.
    def quiet() -> bool:
        live = ask(server.url, "GET", "/api/v1/jobs?live=true", person)[1]["jobs"]
        for job in live:
            ask(server.url, "POST", f"/api/v1/jobs/{job['id']}/stop", person, {})
        return not live

    server.wait_until(quiet, "the jobs to end")
    assert server.stop() == 0


def job_token(server: Server, person: str, project: str, **more: Any) -> tuple[str, str]:
    """A job that lives until the server ends, and its token."""
    # As it is the log would show it as ***.
    command = "echo T=$(printf %s $ALOFT_TOKEN | base64 -w0)=; sleep 600"
    body = {"command": command, "project": project, **more}
    job = ask(server.url, "POST", "/api/v1/jobs", person, body)[1]["id"]
    found: list[str] = []

    def told() -> bool:
        text = ask(server.url, "GET", f"/api/v1/jobs/{job}/log", person)[1].get("text", "")
        said = re.findall(r"T=([A-Za-z0-9+/]+)=", text)
        found.extend(base64.b64decode(one + "==").decode() for one in said)
        return bool(found)

    server.wait_until(told, "the job's token")
    return job, found[0]


def test_a_job_reaches_its_own_project_only(guarded: tuple[Server, str]) -> None:
    server, person = guarded
    victim, _ = job_token(server, person, "victim", variables={"DB_PASSWORD": "hunter2"})
    spy, token = job_token(server, person, "spies")
    for method, path, body in [
        ("GET", f"/api/v1/jobs/{victim}/log", None),
        ("GET", f"/api/v1/jobs/{victim}", None),
        ("POST", f"/api/v1/jobs/{victim}/stop", {}),
        ("POST", "/api/v1/jobs", {"command": "true"}),
        ("POST", "/api/v1/tokens", {"name": "x"}),
        ("GET", "/api/v1/predictions", None),
        ("GET", "/api/v1/events", None),
        ("GET", "/api/v1/project-files/victim", None),
        ("POST", "/api/v1/gateways/report", {}),
        ("GET", "/api/v1/gateways/desired-state", None),
    ]:
        status, reply = ask(server.url, method, path, token, body)
        assert status in (403, 404), (path, reply)
        assert "hunter2" not in str(reply)
    jobs = ask(server.url, "GET", "/api/v1/jobs", token)[1]["jobs"]
    assert [job["id"] for job in jobs] == [spy]
    assert ask(server.url, "GET", f"/api/v1/jobs/{spy}/log", token)[0] == 200
    # They hold the machine's cores.
    for job in (victim, spy):
        ask(server.url, "POST", f"/api/v1/jobs/{job}/stop", person, {})


def test_a_revoked_token_closes_the_gateway_soon(guarded: tuple[Server, str]) -> None:
    server, person = guarded
    bob = make_token(server, "bob")
    assert ask(server.gateway_url, "GET", "/v2/models/none", bob)[0] == 404
    assert ask(server.url, "DELETE", "/api/v1/tokens/bob", person)[0] == 200
    began = time.monotonic()
    server.wait_until(
        lambda: ask(server.gateway_url, "GET", "/v2/models/none", bob)[0] == 401,
        "the gateway to refuse",
    )
    # Its memory lasts a minute: only news of the server makes it forget sooner.
    assert time.monotonic() - began < 30
    assert ask(server.gateway_url, "GET", "/v2/models/none", person)[0] == 404


@pytest.mark.parametrize("broken", ["", "aloft_" + "0" * 64])
def test_a_lost_gateway_token_mends_itself(
    make_server: Callable[..., Server], tmp_path: Path, broken: str
) -> None:
    server = make_server(arguments=["--auth"], with_gateway=True)
    person = make_token(server, "ann")
    path = server.data / "gateway" / "token"
    server.wait_until(path.exists, "the gateway's token")
    kept = path.read_text()
    path.write_text(broken)

    def mended() -> bool:
        now = path.read_text().strip()
        if now in ("", kept, broken):
            return False
        try:
            return ask(server.gateway_url, "GET", "/v2/models/none", now)[0] == 404
        except OSError:
            return False

    server.wait_until(mended, "a new token")
    now = path.read_text()
    assert ask(server.url, "GET", "/api/v1/gateways/desired-state", now)[0] == 200
    for action in ("load", "unload"):
        path = f"/v2/repository/models/m/{action}"
        assert ask(server.gateway_url, "POST", path, now)[0] == 403, "no administrator's"
    assert ask(server.url, "GET", "/api/v1/gateways/desired-state", kept)[0] == 401
    assert ask(server.gateway_url, "GET", "/v2/models/none", person)[0] == 404


def test_a_deleted_folder_waits_in_the_trash(server: Server) -> None:
    base = "/api/2.0/mlflow-artifacts/artifacts"
    run = ask(server.url, "POST", "/api/2.0/mlflow/runs/create", "", {"experiment_id": "0"})[1]
    uri = run["run"]["info"]["artifact_uri"].removeprefix("mlflow-artifacts:")
    assert ask(server.url, "PUT", f"{base}{uri}/deep/a.txt", "", raw=b"kept a while")[0] == 200
    assert ask(server.url, "PUT", f"{base}{uri}/b.txt", "", raw=b"gone at once")[0] == 200
    assert ask(server.url, "DELETE", f"{base}{uri}/b.txt", "")[0] == 200
    assert ask(server.url, "DELETE", f"{base}{uri}", "")[0] == 200
    assert ask(server.url, "GET", f"{base}{uri}/deep/a.txt", "")[0] == 404
    (entry,) = (server.data / "artifacts" / "trash").iterdir()
    assert (entry / "place").read_text() == uri.lstrip("/")
    assert (entry / "content" / "deep" / "a.txt").read_bytes() == b"kept a while"
    server.run("gc", "--yes")
    assert entry.exists(), "it is younger than the age"
    server.run("gc", "--older-than", "0s", "--yes")
    assert not entry.exists()


SCRIPT = """
import mlflow
from mlflow import MlflowClient


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


client = MlflowClient()
with mlflow.start_run() as run:
    mlflow.log_param("depth", 3)
    mlflow.log_metric("loss", 0.5)
    mlflow.log_text("hello", "note.txt")
    with mlflow.start_run(nested=True):
        mlflow.log_metric("inner", 1)
    mlflow.pyfunc.log_model(
        name="model", python_model=Model(), registered_model_name="NAMED", pip_requirements=[]
    )
client.set_registered_model_alias("NAMED", "best", 1)
mlflow.set_experiment("scripts-own")
with mlflow.start_run() as second:
    info = mlflow.pyfunc.log_model(name="other", python_model=Model(), pip_requirements=[])
mlflow.register_model(info.model_uri, "free-name")
assert len(mlflow.search_runs(search_all_experiments=True)) >= 2
assert mlflow.artifacts.load_text(run.info.artifact_uri + "/note.txt") == "hello"
client.delete_run(second.info.run_id)
try:
    client.set_registered_model_alias("victim", "best", 1)
except mlflow.exceptions.MlflowException as error:
    assert error.error_code == "PERMISSION_DENIED", error
    print("REFUSED", error.message)
print("SCRIPT DONE")
"""


def test_an_ordinary_script_works_in_a_job(guarded: tuple[Server, str], tmp_path: Path) -> None:
    server, person = guarded
    registered = {"name": "victim"}
    ask(server.url, "POST", "/api/2.0/mlflow/registered-models/create", person, registered)
    script = tmp_path / "train.py"
    script.write_text(SCRIPT.replace("NAMED", "of-scripts"))
    body = {"command": f"{sys.executable} {script}", "project": "scripts", "name": "train"}
    job = ask(server.url, "POST", "/api/v1/jobs", person, body)[1]["id"]

    def ended() -> bool:
        return bool(
            ask(server.url, "GET", f"/api/v1/jobs/{job}", person)[1]["job"]["state"] == "ended"
        )

    server.wait_until(ended, "the script to end", seconds=240)
    text = ask(server.url, "GET", f"/api/v1/jobs/{job}/log", person)[1]["text"]
    assert "SCRIPT DONE" in text, text[-3000:]
    assert "REFUSED" in text and "it may not" in text
