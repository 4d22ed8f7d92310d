"""No command answers broken input with the insides of the program."""

from __future__ import annotations

import http.server
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aloft_server import program

#: How a structure of Swift prints: `Name(part: …)`, `Optional(…)`, `Module.Name`, `.case(…)`.
INSIDES = re.compile(
    r"[A-Z]\w+\((?:[a-z]\w*: |\"|\[)|Optional\("
    r"|\b(?:Swift|Foundation|NIO\w*|Aloft[A-Z]\w*|GRDB)\.[A-Z]"
    r"|Error Domain=|codingPath|debugDescription|\(error \d+\.\)|Fatal error"
)

ANSWERS = {
    "text": (200, b"hello"),
    "nothing": (200, b""),
    "list": (200, b"[1, 2]"),
    "other": (200, b'{"what": {"is": [null]}}'),
    "bytes": (200, b"\xff\xfe\x00{"),
    "half": (200, b'{"jobs": [{"id": '),
    "page": (404, b"<html>not here</html>"),
    "failure": (500, b"Internal Server Error"),
}


@pytest.fixture(params=ANSWERS)
def odd_server(request: pytest.FixtureRequest) -> Iterator[str]:
    status, body = ANSWERS[request.param]

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def commands(folder: Path) -> list[list[str]]:
    good = folder / "aloft.yaml"
    good.write_text("project: p\njobs:\n  train:\n    run: python train.py\n")
    return [
        ["status"], ["ps"], ["ps", "--all"], ["logs", "abc"], ["stop", "abc"], ["run", "train"],
        ["run", "--command", "true"], ["sweep", "train"], ["runs"], ["models"], ["deployments"],
        ["deploy", "a", "--model", "m/1"], ["rollback", "a"], ["predict", "a", "--data", "{}"],
        ["predictions", "a"], ["export", str(folder / "out")],
        ["apply", str(good)], ["token", "list"], ["score", "m/1"], ["shadow", "list"], ["gc"],
    ]  # fmt: skip


def check(arguments: list[str], folder: Path, **variables: str) -> None:
    done = subprocess.run(
        [str(program()), *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode in (0, 1, 2), f"{arguments}: {done.returncode}\n{said}"
    assert not INSIDES.search(said), f"{arguments} with {variables}:\n{said}"


def test_an_odd_server(odd_server: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    # All commands read answers in one place: each is tried with some, a few with every one.
    is_for_all = request.node.callspec.params["odd_server"] in ("other", "page")
    for arguments in commands(tmp_path)[:: 1 if is_for_all else 5]:
        check(arguments, tmp_path, ALOFT_SERVER=odd_server)
    check(["import", "mlflow", odd_server], tmp_path, ALOFT_SERVER=odd_server)


def test_nobody_there(tmp_path: Path) -> None:
    for arguments in commands(tmp_path):
        check(arguments, tmp_path, ALOFT_SERVER="http://127.0.0.1:9")
    for address in ("not an address", "http://", "ftp://x", "http://[::1", "http://x:99999"):
        check(["ps"], tmp_path, ALOFT_SERVER=address)


def test_odd_files(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    contents = {"empty": b"", "bytes": b"\xff\xfe\x00", "yaml": b"project: [", "list": b"- 1\n"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for path in [*(str(tmp_path / name) for name in contents), str(folder), "/dev/null", "none"]:
        for arguments in (
            ["apply", path],
            ["apply", path, "--check"],
            ["import", "mlflow", path],
            ["run", "--command", "true", "--requirements", path],
        ):
            check(arguments, tmp_path, ALOFT_SERVER="http://127.0.0.1:9")
    for arguments in (
        ["server", "--data", str(tmp_path / "empty")],
        ["server", "--data", "/dev/null/x/y"],
        ["export", "/dev/null/x"],
    ):
        check(arguments, tmp_path, ALOFT_SERVER="http://127.0.0.1:9")
