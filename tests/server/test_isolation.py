"""What the code of a job can take from a real server, and what it can fill."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aloft_server import ROOT, Server, free_port, program

NOBODY = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]


def doctor(*prefix: str) -> dict[str, Any]:
    """What the machine gives, as a user that starts programs with `prefix`."""
    command = [*prefix, str(program()), "doctor", "--json", "--data", "/nonexistent"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    if done.returncode != 0:
        pytest.skip(f"the program does not run so: {done.stderr[-300:]}")
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return report


class OpenServer(Server):
    """A server in a folder that every user can reach, started by one of them."""

    prefix: tuple[str, ...] = ()

    def start(self) -> Server:
        command = [*self.prefix, str(program()), "server", "--data", str(self.data), "--auth"]
        command += ["--listen", f"127.0.0.1:{self.port}"]
        command += ["--gateway", f"127.0.0.1:{self.gateway_port}", *self.arguments]
        environment = {
            **os.environ,
            "SERVER_SECRET": "of-the-server",
            "HOME": str(self.data.parent),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd="/", env=environment
            )
        self.wait_until(lambda: self.get("/health") == b"OK", "the server to be ready")
        self.wait_until(lambda: (self.data / "gateway/token").exists(), "the gateway's token")
        return self

    def call(
        self, method: str, path: str, token: str, body: object | None = None
    ) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return int(reply.status), json.loads(reply.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")


@pytest.fixture
def folder() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="aloft-isolation-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place, ignore_errors=True)


THEFTS = """
cat $D/jobs/token.key && echo GOT token.key
cat $D/gateway/token && echo GOT gateway-token
head -c 16 $D/aloft.db | grep -q SQLite && echo GOT aloft.db
(: >> $D/aloft.db) 2>/dev/null && echo GOT database-for-writing
cat $D/jobs/*/*/order.json | grep aloft_ && echo GOT orders
cat ../order.json && echo GOT order
cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep -q SERVER_SECRET && echo GOT environ
kill -0 $SERVER 2>/dev/null && echo GOT signal-to-server
ALOFT_TOKEN= $ALOFT token create stolen --data $D >/dev/null 2>&1 && echo GOT user-token
ls $D/predictions $D/blobs 2>/dev/null | grep . && echo GOT names
mknod disk b 7 0 2>/dev/null && echo GOT device
(exec 3<>/dev/tcp/127.0.0.1/$PORT) && echo network
echo "$ALOFT_TOKEN" | grep -q aloft_ && echo token
touch mine && echo "work $HOME"; t=$(mktemp -p "$TMPDIR") && rm "$t" && echo temporary
"""


@pytest.mark.parametrize("kind", ["namespaces", "landlock"])
@pytest.mark.parametrize("user", ["root", "nobody"])
def test_a_job_takes_nothing_that_is_not_its_own(folder: Path, kind: str, user: str) -> None:
    prefix: list[str] = []
    if user == "root" and os.geteuid() != 0:
        pytest.skip("this user is not root")
    if user == "nobody":
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            pytest.skip("only root, with setpriv, can become another user")
        prefix = NOBODY
        shutil.chown(folder, "nobody", "nogroup")
    report = doctor(*prefix)
    given = report["isolation"] == kind or (kind == "landlock" and report["landlockVersion"] > 0)
    if not given:
        pytest.skip(f"this machine gives no {kind}: {report['reasons']}")
    server = OpenServer(data=folder / "data", arguments=["--isolation", kind])
    server.prefix = tuple(prefix)
    server.start()
    try:
        created = subprocess.run(
            [*prefix, str(program()), "token", "create", "admin", "--data", str(server.data)],
            capture_output=True,
            text=True,
            cwd="/",
        )
        token = created.stdout.split()[0]
        server.call("POST", "/api/v1/jobs", token, {"command": "sleep 300", "name": "victim"})
        assert server.process is not None
        values = {
            "D": str(server.data), "SERVER": str(server.process.pid), "ALOFT": str(program()),
            "PORT": str(server.port),
        }  # fmt: skip
        script = "".join(f"{name}={value}\n" for name, value in values.items()) + (
            ': "${TMPDIR:=/tmp}"\n' + THEFTS
        )
        status, job = server.call(
            "POST", "/api/v1/jobs", token, {"command": f"bash -c '{quoted(script)}'"}
        )
        assert status == 200, job
        path = f"/api/v1/jobs/{job['id']}"

        def ended() -> bool:
            return bool(server.call("GET", path, token)[1]["job"]["state"] == "ended")

        server.wait_until(ended, "the job to end")
        log = server.call("GET", path + "/log", token)[1]["text"]
        shown = server.call("GET", path, token)[1]["job"]
        assert "GOT" not in log, log
        for word in ["network", "token", "work", "temporary"]:
            assert f"\n{word}" in f"\n{log}", log
        assert shown["isolation"] == kind
        names = server.call("GET", "/api/v1/tokens", token)[1]
        assert "stolen" not in json.dumps(names)
    finally:
        server.call("POST", "/api/v1/jobs/victim/stop", token, {})
        end(server)


def quoted(script: str) -> str:
    return script.replace("'", "'\\''")


def end(server: Server) -> None:
    deadline = time.monotonic() + 30
    while server.process is not None and time.monotonic() < deadline:
        if not list(server.data.glob("jobs/*/*/order.json")):
            break
        time.sleep(0.1)
    assert server.stop() == 0


def test_doctor_says_what_holds_and_the_server_can_insist() -> None:
    report = doctor()
    assert report["isolation"] in {"namespaces", "landlock", "none"}
    text = subprocess.run(
        [str(program()), "doctor"], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout
    assert f"isolation    {report['isolation']}" in text
    data = Path(tempfile.gettempdir()) / f"aloft-none-{os.getpid()}"
    command = [str(program()), "server", "--isolation", "none", "--require-isolation"]
    done = subprocess.run([*command, "--data", str(data)], capture_output=True, text=True)
    shutil.rmtree(data, ignore_errors=True)
    assert done.returncode != 0
    assert "--require-isolation" in done.stderr
    command = [str(program()), "server", "--isolation", "magic", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True)
    shutil.rmtree(data, ignore_errors=True)
    assert "expected auto, namespaces, landlock or none" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_job_that_fills_the_disk_can_be_stopped(folder: Path) -> None:
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "aloft", str(disk)])
    if mounted.returncode != 0:
        pytest.skip("this system gives no small disk")
    server = Server(data=disk / "data", port=free_port())
    try:
        server.start()
        server.wait_until(lambda: (server.data / "reserve").exists(), "the reserve")
        body = {"command": "cat /dev/zero > big; while true; do sleep 1; done", "name": "greedy"}
        request = urllib.request.Request(
            server.url + "/api/v1/jobs",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).read()
        server.wait_until(
            lambda: os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize < 1 << 20,
            "the disk to be full",
        )
        stop = urllib.request.Request(
            server.url + "/api/v1/jobs/greedy/stop",
            data=b"{}",
            headers={"Content-Type": "application/json"},
        )
        assert urllib.request.urlopen(stop, timeout=60).status == 200
        server.wait_until(
            lambda: json.loads(server.get("/api/v1/jobs/greedy"))["job"]["state"] == "ended",
            "the job to end",
        )
        server.wait_until(lambda: (server.data / "reserve").exists(), "the reserve again")
        assert server.stop() == 0
    finally:
        for path in server.data.glob("jobs/*/*/shim.json"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                os.kill(json.loads(path.read_text())["processID"], signal.SIGTERM)
        if server.process is not None and server.process.poll() is None:
            server.kill()
        subprocess.run(["umount", "-l", str(disk)])
