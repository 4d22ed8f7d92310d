"""Flies the flight-delay example from data to production, printing what happens.

    python3 examples/flights/fly.py --program .build/release/aloft --data .demo

Starts a server with an empty data folder, then does what a team would do with the `aloft` program:
apply the project, prepare the data, sweep, register, convert, check, deploy to staging and, by
steps, to production under traffic, deploy a second version, roll it back. Ends with a table. Stays
up afterwards, unless --exit is given; then the exit status is 0 only if every step held.

With --kill the server is killed (SIGKILL) once during the sweep and once under traffic, and started
again: nothing may be lost. Needs only the standard library.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODEL = "flight-delay"
DEPLOYMENT = "flight-delay"


class StepFailed(Exception):
    """A step of the demo did not hold; the text says which and why."""


# What a person sees.


class Screen:
    """Numbered stages, facts under them, and a bar for what takes long."""

    def __init__(self) -> None:
        self.interactive = sys.stdout.isatty()
        self.started = time.monotonic()
        self.number = 0
        self.last_bar = ""

    def stage(self, title: str) -> None:
        self.number += 1
        elapsed = time.monotonic() - self.started
        print(f"\n[{elapsed:5.0f} s] {self.number}. {title}", flush=True)

    def fact(self, text: str) -> None:
        self.clear_bar()
        print(f"          {text}", flush=True)

    def bar(self, done: int, total: int, text: str) -> None:
        width = 30
        filled = width * min(done, total) // max(total, 1)
        line = f"          [{'#' * filled}{'.' * (width - filled)}] {done}/{total} {text}"
        if line == self.last_bar:
            return
        self.last_bar = line
        if self.interactive:
            print(f"\r\x1b[2K{line[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
        else:
            print(line, flush=True)

    def clear_bar(self) -> None:
        if self.interactive and self.last_bar:
            print("\r\x1b[2K", end="")
        self.last_bar = ""


SCREEN = Screen()


# The server, and the program as its client.


@dataclass
class Aloft:
    program: Path
    folder: Path
    listen: str
    gateway: str
    process: subprocess.Popen[bytes] | None = None
    killed: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{self.listen}"

    @property
    def gateway_url(self) -> str:
        return f"http://{self.gateway}"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def start(self) -> float:
        """Starts the server; returns the seconds until it answered."""
        command = [str(self.program), "server", "--data", str(self.folder / "data")]
        command += ["--listen", self.listen, "--gateway", self.gateway]
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        while time.monotonic() - began < 30:
            if self.process.poll() is not None:
                raise StepFailed(f"the server ended at once:\n{tail(self.log)}")
            if get(self.url + "/health") == b"OK":
                return time.monotonic() - began
            time.sleep(0.005)
        raise StepFailed(f"the server did not answer within 30 s:\n{tail(self.log)}")

    def kill_and_restart(self) -> None:
        """What a crash or a power cut does, then what an operator does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.killed += 1
        time.sleep(1)
        seconds = self.start()
        SCREEN.fact(f"killed the server (SIGKILL); it is back after {1 + seconds:.1f} s")

    def stop(self) -> int:
        if self.process is None or self.process.poll() is not None:
            return 0 if self.process is None else self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return -9

    def run(self, *arguments: str, timeout: float = 900) -> str:
        """Runs `aloft ARGUMENTS`; returns what it printed. StepFailed where it fails."""
        environment = {**os.environ, **self.environment, "ALOFT_SERVER": self.url}
        done = subprocess.run(
            [str(self.program), *arguments],
            env=environment,
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if done.returncode != 0:
            raise StepFailed(
                f"aloft {' '.join(arguments)} ended with {done.returncode}:\n"
                f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
            )
        return done.stdout

    def json(self, *arguments: str, timeout: float = 900) -> Any:
        return json.loads(self.run(*arguments, "--json", timeout=timeout))

    def tracking(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A call of the tracking protocol, as any MLflow client makes it."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/api/2.0/mlflow/{path}",
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return json.loads(reply.read())
        except urllib.error.HTTPError as error:
            raise StepFailed(f"{method} {path}: {error.code} {error.read().decode()}") from error


def get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bytes(reply.read())
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return b""


def tail(path: Path, lines: int = 25) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def is_free(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return False
    return True


# The stages.


@dataclass
class Flight:
    """What the demo learns on its way; the closing table shows it."""

    aloft: Aloft
    python: Path
    kill: bool
    trials: int = 0
    stopped_early: int = 0
    validation_auc: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    parity: dict[str, float] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    rollback_seconds: float = 0.0

    def sweep(self) -> str:
        """Runs the sweep to its end; returns its id."""
        sweep = self.aloft.json("sweep", "train")
        identifier = str(sweep["id"])
        total = 0
        while True:
            state = self.aloft.json("sweep", "show", identifier)
            trials = state["trials"]
            ended = [trial for trial in trials if trial["state"] not in ("queued", "running")]
            total = int(state.get("maxTrials") or total or len(trials))
            best = state.get("best") or {}
            text = f"trials, best val_auc {best['value']:.4f}" if best.get("value") else "trials"
            SCREEN.bar(len(ended), total, text)
            if state["state"] != "running":
                break
            if self.kill and self.aloft.killed == 0 and len(ended) >= 3:
                self.aloft.kill_and_restart()
            time.sleep(0.5)
        if state["state"] != "succeeded":
            raise StepFailed(f"the sweep ended {state['state']}: {state.get('reason')}")
        self.count_trials(state)
        return identifier
