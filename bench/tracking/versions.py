#!/usr/bin/env python3
"""What a change costs a tracking call: two builds of the program asked at the same time.

    ALOFT_BEFORE=OLD bench/tracking/versions.py --program NEW [--seconds 5] [--starts 8]

Rates of two runs in turn differ by a tenth on a shared machine; CPU a call of two that run at the
same time, on one core, does not. Both are started anew for each pair, in either order, on empty
folders. JSON lines: each pair, then for each kind of call the mean of the pairs and its standard
error.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
from servers import Peer, free_port, running  # noqa: E402
from writing import create_run, wrk  # noqa: E402

from bench import ROOT, aloft_command  # noqa: E402

KINDS = ("metric", "batch", "create")
CLIENTS = 8


def load(peer: Peer, kind: str, runs: list[str], seconds: int) -> dict[str, Any]:
    start = int(time.time()) % 1_000_000 * 1_000_000
    environment = {"BENCH_KIND": kind, "BENCH_RUNS": ",".join(runs), "BENCH_START": str(start)}
    facts = wrk(peer, "writes.lua", CLIENTS, seconds, environment)
    if facts["errors"]:
        raise SystemExit(f"{peer.name}: {facts['errors']} of {kind} failed")
    return facts


def pair(programs: dict[str, Path], home: Path, start: int, seconds: int) -> dict[str, Any]:
    """CPU a call of each kind, in microseconds, of both programs."""
    costs: dict[str, Any] = {kind: {} for kind in KINDS}
    with ExitStack() as stack, ThreadPoolExecutor(len(programs)) as pool:
        peers = []
        for name in sorted(programs, reverse=start % 2 == 0):
            folder = home / f"{name}-{start}"
            folder.mkdir()
            command = aloft_command(programs[name], folder, port := free_port())
            command = ["taskset", "-c", "1", *command]
            peers.append(stack.enter_context(running(name, command, port, folder / "log")))
        for kind in KINDS:
            runs = {peer.name: [create_run(peer) for _ in range(CLIENTS)] for peer in peers}
            list(pool.map(lambda peer, k=kind, r=runs: load(peer, k, r[peer.name], 1), peers))
            asked = [pool.submit(load, peer, kind, runs[peer.name], seconds) for peer in peers]
            for peer, facts in zip(peers, asked, strict=True):
                costs[kind][peer.name] = facts.result()["cpu_us"]
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/aloft")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--starts", type=int, default=8)
    options = parser.parse_args()
    before = os.environ.get("ALOFT_BEFORE")
    if not before:
        raise SystemExit("ALOFT_BEFORE must name the program of before")
    # The load stays away from the core of the servers.
    os.sched_setaffinity(0, {0})
    programs = {"before": Path(before), "now": options.program}
    more: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".build-bench-") as folder:
        for start in range(1, options.starts + 1):
            costs = pair(programs, Path(folder), start, options.seconds)
            for kind, cost in costs.items():
                more[kind].append((cost["now"] / cost["before"] - 1) * 100)
            print(json.dumps({"bench": "versions", "start": start, "cpu_us": costs}), flush=True)
    for kind, percent in more.items():
        error = statistics.stdev(percent) / len(percent) ** 0.5
        line = {"more_percent": round(statistics.mean(percent), 2), "error": round(error, 2)}
        print(json.dumps({"bench": "versions", "what": kind, **line}), flush=True)


if __name__ == "__main__":
    main()
