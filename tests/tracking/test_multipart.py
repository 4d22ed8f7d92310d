"""Large files in parts, as the unmodified client sends them when it is told to."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from aloft_server import Server
from mlflow import MlflowClient

MEBIBYTE = 1 << 20
MPU = "/api/2.0/mlflow-artifacts/mpu"


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own settings, at sizes that a test can afford."""
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(5 * MEBIBYTE))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(5 * MEBIBYTE))


def uploads(server: Server) -> list[Path]:
    return sorted((server.data / "artifacts/uploads").iterdir())


def call(url: str, body: bytes, method: str = "POST", **headers: str) -> tuple[int, dict, str]:
    request = urllib.request.Request(
        url, body, {"Content-Type": "application/json", **headers}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, json.loads(reply.read() or b"{}"), reply.headers.get("ETag", "")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), ""


def test_a_large_file_arrives_whole(
    make_server: Callable[..., Server], in_parts: None, tmp_path: Path
) -> None:
    server = make_server()
    content = os.urandom(12 * MEBIBYTE + 17)
    (tmp_path / "big file.bin").write_bytes(content)
    client = MlflowClient(server.url)
    run = client.create_run("0").info.run_id
    client.log_artifact(run, str(tmp_path / "big file.bin"), "sub folder")
    mlflow.set_tracking_uri(server.url)
    fetched = client.download_artifacts(run, "sub folder/big file.bin", str(tmp_path))
    assert Path(fetched).read_bytes() == content
    (upload,) = uploads(server)
    assert sorted(one.name for one in upload.iterdir()) == ["complete", "target"]
    server.stop()
    server.start()
    assert uploads(server) == []


def test_a_protected_server_takes_parts_too(
    make_server: Callable[..., Server],
    in_parts: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = make_server(arguments=["--auth"])
    token = server.run("token", "create", "ann", "--data", str(server.data)).split()[-1]
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token)
    content = os.urandom(6 * MEBIBYTE)
    (tmp_path / "big.bin").write_bytes(content)
    client = MlflowClient(server.url)
    run = client.create_run("0").info.run_id
    client.log_artifact(run, str(tmp_path / "big.bin"))
    mlflow.set_tracking_uri(server.url)
    assert Path(client.download_artifacts(run, "big.bin", str(tmp_path / ""))).stat().st_size


def test_parts_survive_a_kill_and_an_upload_can_be_given_up(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    begin = json.dumps({"path": "/home/ann/x.bin", "num_parts": 2}).encode()
    status, made, _ = call(f"{server.url}{MPU}/create/0/run/artifacts", begin)
    assert status == 200 and [one["part_number"] for one in made["credentials"]] == [1, 2]
    first, second = (one["url"] for one in made["credentials"])
    tags = [call(first, b"one ", "PUT")[2]]
    server.kill()
    server.start()
    tags.append(call(second, b"two", "PUT")[2])
    parts = [{"part_number": n + 1, "etag": tag, "url": ""} for n, tag in enumerate(tags)]
    end = {"path": "/home/ann/x.bin", "upload_id": made["upload_id"], "parts": parts[:1]}
    where = f"{server.url}{MPU}/complete/0/run/artifacts"
    wrong = end | {"parts": [parts[0], parts[1] | {"etag": "0" * 64}]}
    assert call(where, json.dumps(wrong).encode())[0] == 400
    assert call(where, json.dumps(end | {"path": "y.bin"}).encode())[0] == 404
    whole = json.dumps(end | {"parts": parts[::-1]}).encode()
    assert call(where, whole)[0] == 200
    assert call(where, whole)[0] == 200, "a client that did not hear the answer asks again"
    path = "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/x.bin"
    assert server.get(path) == b"one two"

    given_up = call(f"{server.url}{MPU}/create", begin)[1]
    call(given_up["credentials"][0]["url"], b"x", "PUT")
    body = json.dumps({"path": "x.bin", "upload_id": given_up["upload_id"]}).encode()
    assert call(f"{server.url}{MPU}/abort", body)[0] == 200
    assert call(f"{server.url}{MPU}/abort", body)[0] == 200
    status, answer, _ = call(given_up["credentials"][0]["url"], b"x", "PUT")
    assert status == 404 and answer["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert not any(given_up["upload_id"] in str(one) for one in uploads(server))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/create/../../etc", {"path": "x", "num_parts": 1}),
        ("/create/a", {"path": "/", "num_parts": 1}),
        ("/create/a", {"path": "..", "num_parts": 1}),
        ("/create/a", {"path": "x", "num_parts": 0}),
        ("/create/a", {"path": "x", "num_parts": 100_000}),
        ("/create/a", {"num_parts": 1}),
        ("/complete/a", {"path": "x", "upload_id": "../../../etc", "parts": []}),
        ("/complete/a", {"path": "x", "upload_id": "0" * 32, "parts": [{"part_number": "x"}]}),
        ("/abort/a", {"path": "x"}),
    ],
)
def test_what_is_no_upload_is_refused(server: Server, path: str, body: dict) -> None:
    status, answer, _ = call(server.url + MPU + path, json.dumps(body).encode())
    assert status in (400, 404) and answer["error_code"], answer
