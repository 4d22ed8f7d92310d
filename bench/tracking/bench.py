"""Measures the tracking server beside `mlflow server --workers 1`, in one run on one machine.

    bench/tracking/run            # makes its own virtual environment, builds the release program

Prints one JSON line a measurement: what, which server, clients, value, unit, percentiles, errors,
CPU microseconds an operation. Load comes from wrk, bounded in time. Both servers keep their data in
SQLite on the same disk; both answer a write after it is committed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

sys.path.insert(0, str(HERE.parent))
from servers import Peer, free_port, running  # noqa: E402


def create_run(peer: Peer, experiment: str = "0") -> str:
    body = {"experiment_id": experiment, "start_time": int(time.time() * 1000)}
    return str(peer.call("POST", "/api/2.0/mlflow/runs/create", body)["run"]["info"]["run_id"])


def report(peer: Peer, what: str, value: float, unit: str, **facts: Any) -> None:
    line = {"bench": "tracking", "what": what, "server": peer.name, "value": value, "unit": unit}
    print(json.dumps({**line, **facts}), flush=True)


# Writes: wrk with a script.


def write_load(peer: Peer, kind: str, clients: int, seconds: int) -> dict[str, Any]:
    runs = [create_run(peer) for _ in range(clients)]
    environment = {**os.environ, "BENCH_KIND": kind, "BENCH_RUNS": ",".join(runs)}
    before = peer.cpu_seconds()
    done = subprocess.run(
        [
            *["wrk", "-t", "1", "-c", str(clients), "-d", f"{seconds}s", "--timeout", "30s"],
            *["-s", str(HERE / "writes.lua"), peer.url],
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    facts: dict[str, Any] = json.loads(result.removeprefix("RESULT "))
    facts["cpu_us"] = (peer.cpu_seconds() - before) * 1e6 / max(facts["requests"], 1)
    return facts


def measure_writes(peer: Peer, seconds: int) -> None:
    for kind, what, unit, factor in [
        ("metric", "log_metric", "calls/s", 1),
        ("batch", "log_batch", "points/s", 1000),
        ("create", "create_run", "runs/s", 1),
    ]:
        for clients in (1, 8):
            facts = write_load(peer, kind, clients, seconds)
            rate = facts["requests"] * factor / facts["seconds"]
            report(
                peer, what, round(rate, 1), unit, clients=clients, p50_ms=facts["p50_ms"],
                p99_ms=facts["p99_ms"], errors=facts["errors"],
                cpu_us_a_call=round(facts["cpu_us"], 1),
            )  # fmt: skip


# Reads.


def timed(peer: Peer, what: str, call: Callable[[], Any], repeat: int, **facts: Any) -> None:
    call()
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    middle = times[len(times) // 2]
    report(peer, what, round(middle, 2), "ms", max_ms=round(times[-1], 2), repeat=repeat, **facts)


def fill_runs(peer: Peer, count: int) -> str:
    """An experiment of `count` runs with 5 metrics, 5 params and 3 tags each."""
    experiment = str(
        peer.call(
            "POST", "/api/2.0/mlflow/experiments/create", {"name": f"fill-{count}-{time.time()}"}
        )["experiment_id"]
    )
    for number in range(count):
        run = create_run(peer, experiment)
        peer.call(
            "POST",
            "/api/2.0/mlflow/runs/log-batch",
            {
                "run_id": run,
                "metrics": [
                    {
                        "key": f"m{key}",
                        "value": (number * 7919 + key) % 10007 / 10007,
                        "timestamp": 1,
                        "step": 1,
                    }
                    for key in range(5)
                ],
                "params": [
                    {"key": f"p{key}", "value": str((number + key) % 17)} for key in range(5)
                ],
                "tags": [{"key": f"t{key}", "value": f"v{number % 13}"} for key in range(3)],
            },
        )
    return experiment


def measure_searches(peer: Peer, runs: int) -> None:
    experiment = fill_runs(peer, runs)

    def search(text: str, rows: int, order: list[str]) -> Callable[[], Any]:
        body = {
            "experiment_ids": [experiment],
            "filter": text,
            "max_results": rows,
            "order_by": order,
        }
        return lambda: peer.call("POST", "/api/2.0/mlflow/runs/search", body)

    timed(peer, "search_1000_rows", search("", 1000, []), 5, runs=runs)
    timed(peer, "search_selective", search("metrics.m0 > 0.999", 100, []), 20, runs=runs)
    timed(
        peer, "search_filter_sort_page",
        search("metrics.m1 > 0.5 AND params.p0 = '3'", 50, ["metrics.m0 DESC"]), 20, runs=runs,
    )  # fmt: skip


def measure_history(peer: Peer, points: int) -> None:
    run = create_run(peer)
    for start in range(0, points, 1000):
        metrics = [
            {
                "key": "loss",
                "value": 1 / (step + 1),
                "timestamp": 1700000000000 + step,
                "step": step,
            }
            for step in range(start, start + 1000)
        ]
        peer.call("POST", "/api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": metrics})

    def read() -> int:
        count, token = 0, ""
        while True:
            query = f"run_id={run}&metric_key=loss&max_results=25000"
            query += f"&page_token={token}" if token else ""
            page = peer.call("GET", f"/api/2.0/mlflow/metrics/get-history?{query}")
            count += len(page["metrics"])
            token = page.get("next_page_token", "")
            if not token:
                break
        if count != points:
            raise SystemExit(f"{peer.name}: {count} points instead of {points}")
        return count

    timed(peer, "history", read, 3, points=points)


def measure(peer: Peer, arguments: argparse.Namespace) -> None:
    measure_writes(peer, arguments.seconds)
    measure_searches(peer, arguments.runs)
    measure_history(peer, arguments.points)
    report(peer, "resident", round(peer.resident_megabytes(), 1), "MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/aloft")
    parser.add_argument(
        "--mlflow", type=Path, help="the mlflow program; left out: measure aloft alone"
    )
    parser.add_argument("--seconds", type=int, default=8, help="length of each write load")
    parser.add_argument("--runs", type=int, default=10_000, help="runs to search in")
    parser.add_argument("--points", type=int, default=100_000, help="points of the long history")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    machine = {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "date": time.strftime("%Y-%m-%d"),
    }
    print(json.dumps({"bench": "tracking", "what": "machine", **machine}), flush=True)
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        home = Path(folder)
        port = free_port()
        command = [str(arguments.program), "server", "--data", str(home / "aloft"), "--no-gateway"]
        command += ["--listen", f"127.0.0.1:{port}", "--log-level", "error"]
        with running("aloft", command, port, home / "aloft.log") as peer:
            measure(peer, arguments)
        if arguments.mlflow:
            port = free_port()
            command = [str(arguments.mlflow), "server", "--workers", "1", "--host", "127.0.0.1"]
            command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{home}/mlflow.db"]
            command += ["--artifacts-destination", str(home / "artifacts")]
            with running("mlflow", command, port, home / "mlflow.log") as peer:
                measure(peer, arguments)


if __name__ == "__main__":
    main()
