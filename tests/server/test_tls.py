"""TLS on the control plane: real clients, a certificate that is renewed without a stop."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
import requests
from aloft_server import Server, free_port, program


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of its own authority for 127.0.0.1, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "30", "-subj", f"/CN={name}", "-keyout", str(key)]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


class SecureServer:
    """A server that speaks TLS, with files that the test may replace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.certificate, self.key = folder / "server.pem", folder / "server.key"
        self.replace("first")
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def replace(self, name: str) -> Path:
        certificate, key = make_certificate(self.folder, name)
        # As tools for renewing do: one after the other.
        shutil.copy(key, self.key)
        shutil.copy(certificate, self.certificate)
        return certificate

    def start(self) -> SecureServer:
        command = [str(program()), "server", "--data", str(self.folder / "data"), "--no-gateway"]
        command += ["--listen", f"127.0.0.1:{self.port}"]
        command += ["--tls-certificate", str(self.certificate), "--tls-key", str(self.key)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.wait_until(self.answers, "the server to be ready")
        return self

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/health", verify=str(self.certificate), timeout=5).ok
        except requests.ConnectionError:
            return False

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert self.process is None or self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"waited for {what}: {self.log.read_text()}"
            time.sleep(0.05)

    def session(self) -> requests.Session:
        session = requests.Session()
        session.verify = str(self.certificate)
        session.trust_env = False  # REQUESTS_CA_BUNDLE would win
        return session

    def shown(self) -> str:
        """The common name of the certificate that a new connection gets."""
        text = ssl.get_server_certificate(("127.0.0.1", self.port))
        done = subprocess.run(
            ["openssl", "x509", "-noout", "-subject"], input=text.encode(), capture_output=True
        )
        return done.stdout.decode().strip().rsplit("=", 1)[1].strip()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(timeout=30) == 0


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServer]:
    server = SecureServer(tmp_path_factory.mktemp("tls")).start()
    yield server
    server.stop()


def test_mlflow_and_the_command_line_speak_tls(
    secure: SecureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(secure.certificate))
    mlflow.set_tracking_uri(secure.url)
    with mlflow.start_run(experiment_id="0") as run:
        mlflow.log_metric("loss", 0.5)
        mlflow.log_dict({"a": 1}, "a.json")
    assert mlflow.MlflowClient().get_run(run.info.run_id).data.metrics == {"loss": 0.5}
    environment = {**os.environ, "ALOFT_SERVER": secure.url}
    without = subprocess.run(
        [str(program()), "runs", "--json"], env=environment, capture_output=True, text=True
    )
    assert without.returncode == 1
    environment["ALOFT_CA_CERTIFICATE"] = str(secure.certificate)
    found = subprocess.run(
        [str(program()), "runs", "--json"], env=environment, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert run.info.run_id in found.stdout
    environment["ALOFT_CA_CERTIFICATE"] = "/none.pem"
    wrong = subprocess.run(
        [str(program()), "runs"], env=environment, capture_output=True, text=True
    )
    assert wrong.returncode == 2
    assert "ALOFT_CA_CERTIFICATE" in wrong.stderr


def test_a_browser_gets_a_cookie_that_only_tls_carries(secure: SecureServer) -> None:
    made = subprocess.run(
        [str(program()), "token", "create", "a-person", "--data", str(secure.folder / "data")],
        capture_output=True,
        text=True,
        check=True,
    )
    secret = made.stdout.split()[-1]
    cookie = sign_in(secure.url, secret, verify=str(secure.certificate))
    assert cookie.startswith("__Host-aloft_session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
    # Its own listener speaks no TLS, so that a cookie of it must not say so.
    local = json.loads((secure.folder / "data/server.json").read_text())["local"]
    assert sign_in(local, secret).startswith("aloft_session=")
    foreign = {"Origin": "https://evil.example"}
    refused = requests.post(
        f"{secure.url}/api/v1/session",
        json={"token": secret},
        headers=foreign,
        verify=str(secure.certificate),
        timeout=30,
    )
    assert refused.status_code == 403


def sign_in(url: str, secret: str, verify: str | bool = True) -> str:
    reply = requests.post(
        f"{url}/api/v1/session",
        json={"token": secret},
        headers={"Origin": url},
        verify=verify,
        timeout=30,
    )
    assert reply.ok, reply.text
    return reply.headers["Set-Cookie"]


def test_old_protocols_and_plain_requests_get_no_answer(secure: SecureServer) -> None:
    with pytest.raises((requests.ConnectionError, ConnectionError)):
        requests.get(f"http://127.0.0.1:{secure.port}/health", timeout=5)
    context = ssl.create_default_context(cafile=str(secure.certificate))
    with (
        socket.create_connection(("127.0.0.1", secure.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as inside,
    ):
        assert inside.version() in ("TLSv1.2", "TLSv1.3")
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{secure.port}", "-tls1_1"]
    command += ["-cipher", "DEFAULT@SECLEVEL=0"]
    old = subprocess.run(command, input=b"", capture_output=True, timeout=20)
    assert b"Cipher is (NONE)" in old.stdout or old.returncode != 0
    assert secure.answers()


def test_a_job_reaches_the_server_without_the_authority(secure: SecureServer) -> None:
    """By the plain listener on loopback, which only its own children are told of."""
    local = json.loads((secure.folder / "data/server.json").read_text())
    assert local["url"] == secure.url
    assert local["local"].startswith("http://127.0.0.1:")
    session = secure.session()
    command = 'python3 -c "import os,urllib.request as u; '
    command += "print(u.urlopen(os.environ['ALOFT_SERVER'] + '/health').read())\""
    reply = session.post(f"{secure.url}/api/v1/jobs", json={"command": command}, timeout=30)
    assert reply.ok, reply.text
    job = reply.json()["id"]
    state: dict[str, Any] = {}

    def ended() -> bool:
        state.update(session.get(f"{secure.url}/api/v1/jobs/{job}", timeout=30).json()["job"])
        return bool(state["state"] == "ended")

    secure.wait_until(ended, "the job to end")
    text = session.get(f"{secure.url}/api/v1/jobs/{job}/log?limit=10000", timeout=30).json()["text"]
    assert "b'OK'" in text, (state, text)


def test_a_renewed_certificate_is_taken_and_a_broken_one_refused(secure: SecureServer) -> None:
    assert secure.shown() == "first"
    kept = secure.session()
    assert kept.get(f"{secure.url}/health", timeout=5).ok
    secure.replace("second")
    secure.wait_until(lambda: secure.shown() == "second", "the second certificate")
    # A key of another certificate, then no certificate at all.
    make_certificate(secure.folder, "other")
    for broken in ((secure.folder / "other.pem").read_bytes(), b"no certificate"):
        before = secure.log.read_text().count("the new certificate is refused")
        secure.certificate.write_bytes(broken)
        secure.wait_until(
            lambda known=before: (
                secure.log.read_text().count("the new certificate is refused") > known
            ),
            "the refusal",
        )
        assert secure.shown() == "second"
    third = secure.replace("third")
    secure.wait_until(lambda: secure.shown() == "third", "the third certificate")
    assert requests.get(f"{secure.url}/health", verify=str(third), timeout=5).ok


def test_the_local_address_stays_over_a_restart(secure: SecureServer) -> None:
    before = json.loads((secure.folder / "data/server.json").read_text())["local"]
    secure.stop()
    secure.start()
    assert json.loads((secure.folder / "data/server.json").read_text())["local"] == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tls-certificate", "/none.pem", "--tls-key", "/none.key"], "No such file"),
        (["--tls-certificate", "/none.pem"], "go together"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [str(program()), "server", "--data", str(tmp_path / "data"), "--no-gateway", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0
    assert said in done.stderr
    assert "--tls-certificate" in done.stderr


def test_a_plain_server_has_one_address(make_server: Callable[..., Server]) -> None:
    server = make_server()
    server.wait_until((server.data / "server.json").exists, "the file")
    told = json.loads((server.data / "server.json").read_text())
    assert told["url"] == told["local"] == server.url
