"""Requirements of models and jobs name packages; what was locked is what is installed."""

from __future__ import annotations

import hashlib
import io
import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aloft_server import Server


def post(server: Server, path: str, body: Any) -> Any:
    request = urllib.request.Request(
        server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.loads(reply.read())


def run_job(server: Server, requirements: str, command: str) -> tuple[dict[str, Any], str]:
    job = post(server, "/api/v1/jobs", {"command": command, "requirements": requirements})["id"]
    seen: dict[str, Any] = {}

    def ended() -> bool:
        seen.update(json.loads(server.get(f"/api/v1/jobs/{job}"))["job"])
        return bool(seen["state"] == "ended")

    server.wait_until(ended, "the job to end", seconds=120)
    text = json.loads(server.get(f"/api/v1/jobs/{job}/log?limit=100000"))["text"]
    return seen, text


def make_wheel(folder: Path, name: str, version: str, value: str) -> Path:
    """A wheel with one module."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", f"VALUE = {value!r}\n")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        tag = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", tag)
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.mark.parametrize(
    "line",
    ["--index-url http://127.0.0.1:1/simple", "--extra-index-url=http://127.0.0.1:1", "-f /tmp"],
)
def test_a_job_may_not_name_an_index(server: Server, line: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(server, "/api/v1/jobs", {"command": "true", "requirements": f"{line}\nsix"})
    reply = json.loads(refused.value.read())["error"]
    assert refused.value.code == 400
    assert reply["code"] == "package_sources_refused"
    assert "--packages-from-anywhere" in reply["message"]
    assert line.split()[0].split("=")[0] in reply["message"]


def test_a_job_installs_what_was_locked_and_nothing_else(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    """An own package, by a place of the job's owner, is locked with its digest: other bytes there
    later are not installed in its name."""
    server = make_server()
    wheel = make_wheel(tmp_path, "aloftprobe", "1.0", "first")
    wanted = f"aloftprobe @ file://{wheel}\n"
    command = 'python -c "import aloftprobe; print(aloftprobe.VALUE)"'
    job, text = run_job(server, wanted, command)
    assert job["outcome"] == "succeeded", text
    assert "first" in text
    locks = list((server.data / "environments").glob("*.txt"))
    assert len(locks) == 1
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert f"--hash=sha256:{digest}" in locks[0].read_text()
    # The environment is lost, and the place has other bytes.
    for folder in (server.data / "environments").iterdir():
        marker = folder / ".complete"
        if marker.exists():
            marker.unlink()
    make_wheel(tmp_path, "aloftprobe", "1.0", "second")
    job, text = run_job(server, wanted, command)
    assert job["outcome"] != "succeeded", text
    assert "hash" in text.lower()


def test_an_index_is_taken_where_the_server_allows_it(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    make_wheel(tmp_path, "aloftprobe", "1.0", "local")
    server = make_server(arguments=["--packages-from-anywhere"])
    wanted = f"--no-index\n--find-links {tmp_path}\naloftprobe\n"
    job, text = run_job(server, wanted, 'python -c "import aloftprobe; print(aloftprobe.VALUE)"')
    assert job["outcome"] == "succeeded", text
    assert "local" in text


def test_a_model_may_name_packages_only(make_server: Callable[..., Server]) -> None:
    """Its conversion says so, before anything is fetched."""
    server = make_server()
    base = "/api/2.0/mlflow"
    run = post(server, f"{base}/runs/create", {"experiment_id": "0"})["run"]["info"]
    place = f"/api/2.0/mlflow-artifacts/artifacts/0/{run['run_id']}/artifacts/model"
    files = {
        "MLmodel": b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n",
        "requirements.txt": b"scikit-learn\nevil @ https://127.0.0.1:1/evil-1-py3-none-any.whl\n",
    }
    for name, data in files.items():
        request = urllib.request.Request(f"{server.url}{place}/{name}", data, method="PUT")
        request.add_header("Content-Type", "application/octet-stream")
        urllib.request.urlopen(request, timeout=10).close()
    post(server, f"{base}/registered-models/create", {"name": "evil"})
    source = f"mlflow-artifacts:/0/{run['run_id']}/artifacts/model"
    post(server, f"{base}/model-versions/create", {"name": "evil", "source": source})
    seen: dict[str, Any] = {}

    def failed() -> bool:
        reply = server.get("/api/v1/models/evil/versions/1/servable")
        seen.update(json.loads(reply or b"{}"))
        return seen.get("state") == "failed"

    server.wait_until(failed, "the conversion to fail")
    assert "names a place instead of a package" in json.dumps(seen)
    assert "--packages-from-anywhere" in json.dumps(seen)


def test_a_wheel_made_here_is_whole(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "aloftprobe", "1.0", "x")
    assert zipfile.ZipFile(io.BytesIO(wheel.read_bytes())).testzip() is None
