"""Measures the tracking server beside `mlflow server --workers 1`, in one run on one machine.

    bench/tracking/run            # makes its own virtual environment, builds the release program
    bench/tracking/run --quick    # small amounts, in about two minutes: for development

Prints one JSON line a measurement (what, which server, value, unit, the machine's load average) and
at the end a table against the targets. Load comes from wrk and one Python client, bounded in time.
Both servers keep their data in SQLite on the same disk and run at the same time; each measurement
asks one of them while the other idles. Writes are answered after they are committed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

sys.path.insert(0, str(HERE.parent))
from large import measure_charts, measure_large  # noqa: E402
from reading import (  # noqa: E402
    fill,
    fill_tables,
    measure_history,
    measure_searches,
    wait_until_ready,
)
from report import Report, go_before_others, machine, note  # noqa: E402
from servers import Peer, free_port, running  # noqa: E402
from writing import measure_writes  # noqa: E402


def aloft_command(program: Path, home: Path, port: int) -> list[str]:
    command = [str(program), "server", "--data", str(home / "aloft"), "--no-gateway"]
    return [*command, "--listen", f"127.0.0.1:{port}", "--log-level", "error"]


def mlflow_command(program: Path, home: Path, port: int) -> list[str]:
    command = [str(program), "server", "--workers", "1", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{home}/mlflow.db"]
    return [*command, "--artifacts-destination", str(home / "artifacts")]


def measure(
    report: Report, ours: Peer, theirs: Peer | None, home: Path, amounts: argparse.Namespace
) -> None:
    peers = [ours, *([theirs] if theirs else [])]
    measure_writes(report, peers, amounts.seconds, amounts.rounds)
    note("makes the runs to search in")
    searched = [(ours, fill(ours, amounts.runs))]
    if theirs:
        searched.append((theirs, fill_tables(theirs, home / "mlflow.db", amounts.runs)))
    measure_searches(report, searched, amounts.runs, amounts.repeat)
    measure_history(report, peers, amounts.points)
    measure_charts(report, ours, amounts.points * 10)
    measure_large(report, ours, amounts.large_runs, amounts.large_points, amounts.repeat)
    for peer in peers:
        report.add(peer.name, "memory after all of this", round(peer.resident_megabytes(), 1), "MB")


def measure_start(report: Report, name: str, command: list[str], port: int, home: Path) -> None:
    for _ in range(3):
        began = time.monotonic()
        with running(name, command, port, home / f"{name}.log") as peer:
            seconds = wait_until_ready(peer, began)
            report.add(name, "start with that database", round(seconds, 2), "s")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/aloft")
    parser.add_argument(
        "--mlflow", type=Path, help="the mlflow program; left out: measure aloft alone"
    )
    parser.add_argument("--alone", action="store_true", help="do not measure mlflow")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    arguments = parser.parse_args()
    quick = arguments.quick
    arguments.seconds = 3 if quick else 8
    arguments.rounds = 1 if quick else 2
    arguments.repeat = 8 if quick else 20
    arguments.runs = 1_000 if quick else 10_000
    arguments.points = 10_000 if quick else 100_000
    arguments.large_runs = 10_000 if quick else 100_000
    arguments.large_points = 1_000_000 if quick else 10_000_000
    if arguments.alone:
        arguments.mlflow = None
    return arguments


def main() -> None:
    arguments = options()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    facts = machine(arguments.program, arguments.mlflow)
    facts["scheduling"] = go_before_others()
    print(json.dumps({"bench": "tracking", "what": "machine", **facts}), flush=True)
    report = Report()
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".build-bench-") as folder:
        home = Path(folder)
        commands = {"aloft": (aloft_command(arguments.program, home, port := free_port()), port)}
        if arguments.mlflow:
            port = free_port()
            commands["mlflow"] = (mlflow_command(arguments.mlflow, home, port), port)
        with ExitStack() as servers:
            peers = [
                servers.enter_context(running(name, command, port, home / f"{name}.log"))
                for name, (command, port) in commands.items()
            ]
            measure(report, peers[0], peers[1] if len(peers) > 1 else None, home, arguments)
        for name, (command, port) in commands.items():
            measure_start(report, name, command, port, home)
    note("done")
    print(report.table(), flush=True)


if __name__ == "__main__":
    main()
