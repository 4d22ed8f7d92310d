"""Writes under load: wrk with a script, bounded in time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from report import Report
from servers import Peer

HERE = Path(__file__).resolve().parent

KINDS = [
    ("metric", "log_metric", "calls/s", 1),
    ("batch", "log_batch", "points/s", 1000),
    ("create", "create_run", "runs/s", 1),
]


def create_run(peer: Peer, experiment: str = "0") -> str:
    body = {"experiment_id": experiment, "start_time": int(time.time() * 1000)}
    return str(peer.call("POST", "/api/2.0/mlflow/runs/create", body)["run"]["info"]["run_id"])


def wrk(
    peer: Peer,
    script: str,
    clients: int,
    seconds: int,
    environment: dict[str, str],
    until: Path | None = None,
) -> dict[str, Any]:
    """What the script's `done` said, and what the server's processes used a request.

    Ends after so many seconds, or when the file `until` appears.
    """
    before = peer.cpu_seconds()
    command = ["wrk", "-t", "1", "-c", str(clients), "-d", f"{seconds}s", "--timeout", "60s"]
    command += ["-s", str(HERE / script), peer.url]
    load = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    while until and load.poll() is None:
        if until.exists():
            until.unlink()
            load.send_signal(signal.SIGINT)
            break
        time.sleep(0.1)
    output, _ = load.communicate()
    result = next(line for line in output.splitlines() if line.startswith("RESULT "))
    facts: dict[str, Any] = json.loads(result.removeprefix("RESULT "))
    facts["cpu_us"] = (peer.cpu_seconds() - before) * 1e6 / max(facts["requests"], 1)
    return facts


def measure_writes(report: Report, peers: list[Peer], seconds: int, rounds: int) -> None:
    """Each load on each server in turn, so that both see the same neighbours on the machine."""
    for kind, what, unit, factor in KINDS:
        for clients in (8, 1):
            for _ in range(rounds if clients == 8 else 1):
                for peer in peers:
                    measure(report, peer, kind, what, unit, factor, clients, seconds)


def measure(
    report: Report,
    peer: Peer,
    kind: str,
    what: str,
    unit: str,
    factor: int,
    clients: int,
    seconds: int,
) -> None:
    runs = [create_run(peer) for _ in range(clients)]
    # Steps start anew with the time: a repeat of a point could be dropped.
    start = int(time.time()) % 1_000_000 * 1_000_000
    facts = wrk(
        peer,
        "writes.lua",
        clients,
        seconds,
        {"BENCH_KIND": kind, "BENCH_RUNS": ",".join(runs), "BENCH_START": str(start)},
    )
    name = f"{what}, {clients} client{'s' if clients > 1 else ''}"
    rate = round(facts["requests"] * factor / facts["seconds"], 1)
    report.add(
        peer.name,
        name,
        rate,
        unit,
        p50_ms=facts["p50_ms"],
        p99_ms=facts["p99_ms"],
        errors=facts["errors"],
        cpu_us_a_call=round(facts["cpu_us"], 1),
    )
    if kind == "metric":
        report.add(peer.name, f"{name}, p99", facts["p99_ms"], "ms")
    if facts["errors"]:
        raise SystemExit(f"{peer.name}: {facts['errors']} of {what} failed")
