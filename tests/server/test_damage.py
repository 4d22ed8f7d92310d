"""Damage is said: of the database at start, of blobs when they are read."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import sqlite3
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from aloft_server import Server, free_port, program
from mlflow.tracking import MlflowClient


def refuse(server: Server) -> str:
    """Starts a server that must end by itself; returns what it said."""
    command = [str(program()), "server", "--data", str(server.data), "--no-gateway"]
    command += ["--listen", f"127.0.0.1:{free_port()}"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    return done.stderr


def log(server: Server, count: int) -> None:
    client = MlflowClient(server.url)
    run = client.create_run("0").info.run_id
    for step in range(count):
        client.log_metric(run, "loss", step, step=step)


def runs(server: Server) -> int:
    return len(MlflowClient(server.url).search_runs(["0"]))


def artifact(server: Server) -> Path:
    client = MlflowClient(server.url)
    run = client.create_run("0").info.run_id
    client.log_dict(run, {"a": 1}, "a.json")
    return next((server.data / "artifacts/files").rglob("a.json"))


def test_an_orderly_stop_leaves_all_in_one_file(make_server: Callable[..., Server]) -> None:
    server = make_server()
    log(server, 20)
    assert server.stop() == 0
    copy = server.data.parent / "copy.db"
    shutil.copy(server.data / "aloft.db", copy)
    with sqlite3.connect(copy) as db:
        assert db.execute("SELECT count(*) FROM run").fetchone() == (1,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    server.start()
    assert runs(server) == 1


@pytest.mark.parametrize("what", ["gone", "empty", "cut", "text"])
def test_a_database_that_is_not_whole_is_refused(
    make_server: Callable[..., Server], what: str
) -> None:
    server = make_server()
    log(server, 5)
    kept = artifact(server)
    server.stop()
    database = server.data / "aloft.db"
    whole = database.read_bytes()
    if what == "gone":
        database.unlink()
    else:
        cut = whole[: len(whole) // 2 // 4096 * 4096]
        database.write_bytes({"empty": b"", "cut": cut, "text": b"no database " * 900}[what])
    before = sorted(p.name for p in server.data.glob("aloft.db*"))
    told = refuse(server)
    assert "--accept-loss" in told
    assert "commit" in told
    assert sorted(p.name for p in server.data.glob("aloft.db*")) == before, "nothing is changed"
    assert kept.exists()
    # Put back, all is as it was.
    database.write_bytes(whole)
    server.start()
    assert runs(server) == 2


def test_an_older_copy_and_a_lost_log_are_refused_with_both_numbers(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    log(server, 3)
    server.stop()
    old = (server.data / "aloft.db").read_bytes()
    server.start()
    log(server, 10)
    server.kill()
    newest = (server.data / "aloft.db-wal").read_bytes()
    (server.data / "aloft.db-wal").unlink()
    told = refuse(server)
    assert "stands at commit" in told
    assert "was acknowledged" in told
    (server.data / "aloft.db-wal").write_bytes(newest)
    server.start()
    assert runs(server) == 2
    server.stop()
    (server.data / "aloft.db").write_bytes(old)
    assert "stands at commit" in refuse(server)


def test_an_accepted_loss_is_an_event_and_gc_keeps_the_files(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    kept = artifact(server)
    digest = hashlib.sha256(b"a blob").hexdigest()
    request = urllib.request.Request(
        f"{server.url}/api/v1/blobs/{digest}",
        data=b"a blob",
        method="PUT",
        headers={"Content-Type": "application/octet-stream"},
    )
    urllib.request.urlopen(request, timeout=10).close()
    server.stop()
    (server.data / "aloft.db").unlink()
    # Files that would be old enough to go.
    subprocess.run(["find", str(server.data), "-exec", "touch", "-d", "3 days ago", "{}", "+"])
    server.arguments.append("--accept-loss")
    server.start()
    events = json.loads(server.get("/api/v1/events?entity=server"))["events"]
    assert [event["what"] for event in events] == ["loss-accepted"]
    assert "was acknowledged here" in events[0]["why"]
    server.run("gc", "--older-than", "0s", "--yes")
    assert kept.exists()
    assert (server.data / "blobs" / digest[:2] / digest).exists()
    assert "a loss was accepted" in server.run("gc", "--json")
    server.stop()
    server.arguments.clear()
    server.start()


def test_a_flipped_bit_is_never_served_and_heals(make_server: Callable[..., Server]) -> None:
    server = make_server()
    large = bytes(range(256)) * (40 << 12)  # 40 MiB: checked while it is sent
    for data in (b"weights" * 1000, large):
        digest = hashlib.sha256(data).hexdigest()
        url = f"{server.url}/api/v1/blobs/{digest}"
        headers = {"Content-Type": "application/octet-stream"}
        put = urllib.request.Request(url, data=data, method="PUT", headers=headers)
        urllib.request.urlopen(put, timeout=60).close()
        place = server.data / "blobs" / digest[:2] / digest
        with place.open("r+b") as file:
            file.seek(len(data) // 2)
            byte = file.read(1)
            file.seek(len(data) // 2)
            file.write(bytes([byte[0] ^ 4]))
        answer = whole_answer(server, f"/api/v1/blobs/{digest}")
        assert answer is None or answer[0] == 500, "no 200 that ends well"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url, timeout=60)
        assert refused.value.code == 500
        assert json.loads(refused.value.read())["error"]["code"] == "blob_damaged"
        assert (server.data / "blobs/damaged" / digest).exists()
        head = urllib.request.Request(url, method="HEAD")
        with pytest.raises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(head, timeout=60)
        assert missing.value.code == 404, "so that a client uploads it"
        urllib.request.urlopen(put, timeout=60).close()
        assert urllib.request.urlopen(url, timeout=60).read() == data
        assert not (server.data / "blobs/damaged" / digest).exists()


def test_an_upload_heals_damage_that_nobody_saw(make_server: Callable[..., Server]) -> None:
    server = make_server()
    data = b"weights" * 10
    digest = hashlib.sha256(data).hexdigest()
    url = f"{server.url}/api/v1/blobs/{digest}"
    headers = {"Content-Type": "application/octet-stream"}
    put = urllib.request.Request(url, data=data, method="PUT", headers=headers)
    urllib.request.urlopen(put, timeout=10).close()
    (server.data / "blobs" / digest[:2] / digest).write_bytes(b"weightX" * 10)
    urllib.request.urlopen(put, timeout=10).close()
    assert urllib.request.urlopen(url, timeout=10).read() == data


def whole_answer(server: Server, path: str) -> tuple[int, bytes] | None:
    """The status and the body; nothing where the connection broke before the answer's end."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    except (TimeoutError, http.client.HTTPException, ConnectionError):
        return None
    finally:
        connection.close()
