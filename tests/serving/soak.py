"""Rollouts, aborts, rollbacks and kills of the control plane under load: what must never happen.

The test beside this runs a tenth of what `bench/serving/soak` runs.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from load import Load

BODY = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}
MANIFEST = {
    "runtime": "onnx",
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
    "outputs": [{"name": "y", "datatype": "FP32", "shape": []}],
    "example": BODY,
}


class ServerLike(Protocol):
    gateway_port: int

    @property
    def url(self) -> str: ...
    @property
    def gateway_url(self) -> str: ...
    def kill(self) -> None: ...
    def start(self) -> Any: ...


def call(url: str, method: str = "GET", body: object = None) -> Any:
    """One request to the control plane, asked again while it is away."""
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
    deadline = time.monotonic() + 60
    while True:
        request = urllib.request.Request(url, data, {"Content-Type": kind})
        request.method = method
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {url}: {error.code} {error.read()!r}") from error
        except OSError as error:
            assert time.monotonic() < deadline, f"{method} {url}: {error}"
            time.sleep(0.1)


def register(
    server: ServerLike, model: str, files: list[Path], manifest: dict[str, Any] = MANIFEST
) -> None:
    """One version for each ONNX file, servable at once."""
    tracking = f"{server.url}/api/2.0/mlflow"
    call(f"{tracking}/registered-models/create", "POST", {"name": model})
    for number, file in enumerate(files, start=1):
        content = file.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        call(f"{server.url}/api/v1/blobs/{digest}", "PUT", content)
        source = {"name": model, "source": f"mlflow-artifacts:/soak/{number}"}
        call(f"{tracking}/model-versions/create", "POST", source)
        servable = {"digest": digest, "size_bytes": len(content), "manifest": manifest}
        path = f"{server.url}/api/v1/models/{model}/versions/{number}/servable"
        wait_until(lambda path=path: _exists(path), "the version to be noticed")
        call(path, "PUT", servable)
    for job in call(f"{server.url}/api/v1/jobs?live=true")["jobs"]:
        # Its conversion would only take the machine's time from the test.
        call(f"{server.url}/api/v1/jobs/{job['id']}/stop", "POST", {})


def _exists(path: str) -> bool:
    try:
        urllib.request.urlopen(path, timeout=60).close()
    except urllib.error.HTTPError:
        return False
    return True


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


class Soak:
    """Moves traffic between two versions of one deployment, over and over."""

    def __init__(self, server: ServerLike, model: str) -> None:
        self.server = server
        self.model = model
        self.live_version = 1
        #: By revision: from when on no request that is sent may be answered by it.
        self.drained: dict[int, float] = {}
        self.kills = 0
        self.moves: dict[str, int] = {"aborted": 0, "rolled back": 0, "promoted": 0}
        self.slowest_return_seconds = 0.0
        self.load = Load(
            server.gateway_port, f"/v2/models/{model}/infer", json.dumps(BODY).encode()
        )

    @property
    def _deployment(self) -> str:
        return f"{self.server.url}/api/v1/deployments/{self.model}"

    def _show(self) -> dict[str, Any]:
        return dict(call(self._deployment)["deployment"])

    def deploy(self, version: int, at_once: bool = False) -> int:
        body = {"model": f"{self.model}/{version}", "atOnce": at_once}
        return int(call(f"{self._deployment}/revisions", "POST", body)["revision"]["number"])

    def _state(self, number: int) -> str:
        return str(call(f"{self._deployment}/revisions/{number}")["state"])

    def kill(self) -> None:
        self.kills += 1
        self.server.kill()
        self.server.start()

    def weights(self) -> dict[int, float]:
        """What the gateway has in memory: each revision's weight."""
        with urllib.request.urlopen(f"{self.server.gateway_url}/metrics", timeout=60) as reply:
            text = reply.read().decode()
        pattern = rf'weight_percent\{{endpoint="{self.model}".*revision="(\d+)".*\}} (\S+)'
        return {int(number): float(weight) for number, weight in re.findall(pattern, text)}

    def _wait_until_drained(self, number: int) -> None:
        begun = time.monotonic()
        wait_until(lambda: number not in self.weights(), f"revision {number} to be drained")
        self.drained[number] = time.monotonic()
        self.slowest_return_seconds = max(self.slowest_return_seconds, self.drained[number] - begun)

    def begin(self) -> None:
        first = self.deploy(1, at_once=True)
        wait_until(lambda: self._state(first) == "live", "the first revision to be live")
        wait_until(lambda: self.weights().get(first) == 100, "the gateway to have it")

    def cycle(self, number: int, kill_after: str | None = None) -> None:
        """One rollout and its end: by turns aborted, promoted and rolled back, promoted."""
        other = 3 - self.live_version
        revision = self.deploy(other)
        if kill_after == "deploy":
            self.kill()
        wait_until(lambda: self._state(revision) == "rolling", f"revision {revision} to roll")
        wait_until(lambda: self.load.answers.get(revision, 0) > 0, "the candidate to answer")
        if number % 3 == 0:
            self._steer("abort", kill_after)
            self._wait_until_drained(revision)
            self.moves["aborted"] += 1
            return
        self._steer("promote", kill_after)
        wait_until(lambda: self.weights().get(revision) == 100, "all traffic to move")
        if number % 3 == 1:
            call(f"{self._deployment}/rollback", "POST", {})
            self._wait_until_drained(revision)
            self.moves["rolled back"] += 1
        else:
            self.live_version = other
            self.moves["promoted"] += 1

    def _steer(self, action: str, kill_after: str | None) -> None:
        call(f"{self._deployment}/rollout", "POST", {"action": action})
        if kill_after == "steer":
            self.kill()

    def run(self, requests: int, cycles: int, kills: int) -> None:
        """At least so many of each; the load goes on until the last has been seen."""
        self.begin()
        self.load.start()
        try:
            every = max(1, cycles // kills) if kills else cycles + 1
            for number in range(cycles):
                kill_after = None
                if number % every == every - 1:
                    kill_after = "deploy" if self.kills % 2 else "steer"
                self.cycle(number, kill_after)
            wait_until(
                lambda: self.load.answered >= requests or self.load.is_over, "the requests", 3600
            )
        finally:
            self.load.end()

    def late_answers(self) -> dict[int, float]:
        """Revisions that answered a request sent after their drain, and by how many seconds."""
        return {
            number: self.load.last_sent[number] - moment
            for number, moment in self.drained.items()
            if self.load.last_sent.get(number, 0.0) > moment
        }
