"""What `aloft server` promises to whoever starts, stops and secures it."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from aloft_server import Server, free_port, program

MakeServer = Callable[..., Server]


def run_server(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program()), "server", *arguments], capture_output=True, text=True, timeout=30
    )


def status_of(url: str, token: str | None = None) -> int:
    request = urllib.request.Request(url)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_sigterm_ends_it_with_status_zero(make_server: MakeServer) -> None:
    server = make_server()
    assert server.get("/health") == b"OK"
    assert server.stop() == 0


def test_a_second_server_on_the_same_folder_is_refused(make_server: MakeServer) -> None:
    server = make_server()
    second = run_server("--data", str(server.data), "--listen", f"127.0.0.1:{free_port()}")
    assert second.returncode == 1
    assert "in use by another server" in second.stderr
    assert server.process is not None and str(server.process.pid) in second.stderr


def test_a_port_in_use_is_named(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server()
    second = run_server(
        "--data", str(tmp_path / "other"), "--listen", f"127.0.0.1:{server.port}", "--no-gateway"
    )
    assert second.returncode == 1
    assert f"127.0.0.1:{server.port} is in use" in second.stderr


def test_listening_beyond_loopback_needs_authentication(tmp_path: Path) -> None:
    refused = run_server("--data", str(tmp_path / "data"), "--listen", "0.0.0.0:0", "--no-gateway")
    assert refused.returncode == 2
    assert "--auth" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_a_folder_of_a_newer_version_is_left_alone(make_server: MakeServer) -> None:
    server = make_server()
    server.stop()
    database = server.data / "aloft.db"
    subprocess.run(
        ["sqlite3", str(database), "INSERT INTO grdb_migrations VALUES ('9999-from-the-future')"],
        check=True,
    )
    refused = run_server("--data", str(server.data), "--listen", "127.0.0.1:0", "--no-gateway")
    assert refused.returncode == 1
    assert "newer version" in refused.stderr and "9999-from-the-future" in refused.stderr
    kept = subprocess.run(
        [
            "sqlite3",
            str(database),
            "SELECT count(*) FROM token; SELECT max(identifier) FROM grdb_migrations",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert kept.stdout.split() == ["0", "9999-from-the-future"]


def test_a_file_that_is_no_database_is_named_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "aloft.db").write_bytes(b"this is no database, but somebody may want it" * 100)
    refused = run_server("--data", str(folder), "--listen", "127.0.0.1:0", "--no-gateway")
    assert refused.returncode == 1
    assert "aloft.db" in refused.stderr
    assert (folder / "aloft.db").read_bytes().startswith(b"this is no database")


def test_with_auth_only_a_live_token_opens_the_api(make_server: MakeServer) -> None:
    server = make_server(arguments=["--auth"])
    events = server.url + "/api/v1/events"
    assert status_of(server.url + "/health") == 200
    assert status_of(events) == 401
    assert status_of(events, token="aloft_guess") == 401
    made = subprocess.run(
        [str(program()), "token", "create", "admin", "--data", str(server.data)],
        capture_output=True,
        text=True,
        check=True,
    )
    secret = made.stdout.strip()
    assert status_of(events, token=secret) == 200
    tracking = server.url + "/api/2.0/mlflow/experiments/get?experiment_id=0"
    assert status_of(tracking) == 401
    assert secret.encode() not in (server.data / "aloft.db").read_bytes()
    environment = {**os.environ, "ALOFT_SERVER": server.url, "ALOFT_TOKEN": secret}
    subprocess.run(
        [str(program()), "token", "revoke", "admin"], env=environment, check=True, timeout=30
    )
    assert status_of(events, token=secret) == 401


def test_wrong_usage_ends_with_status_two() -> None:
    for words in (["nonsense"], ["token", "create"], ["server", "--listen", "nowhere"]):
        done = subprocess.run([str(program()), *words], capture_output=True, text=True, timeout=30)
        assert done.returncode == 2, words
        assert done.stderr


def test_no_server_is_said_plainly() -> None:
    done = subprocess.run(
        [str(program()), "token", "list", "--server", f"http://127.0.0.1:{free_port()}"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert "Is `aloft server` running there?" in done.stderr


def test_acknowledged_events_survive_a_kill(make_server: MakeServer) -> None:
    server = make_server()
    for number in range(20):
        server.run("token", "create", f"person{number}")
    server.kill()
    server.start()
    tokens = server.json("token", "list")
    assert isinstance(tokens, dict)
    assert len(tokens["tokens"]) == 20
    assert len(json.loads(server.get("/api/v1/events"))["events"]) == 20
