"""What was measured: one JSON line each, and at the end a table against the targets."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

# What is compared: the name of the measurement, how often better than the peer it must be, or
# (`None`) the most it may be. Rates must be greater, everything else smaller.
TARGETS: list[tuple[str, str, float | None, float | None]] = [
    ("log_batch, 8 clients", "points/s", 30, None),
    ("log_metric, 8 clients", "calls/s", 40, None),
    ("log_metric, 8 clients, p99", "ms", None, 10),
    ("create_run, 8 clients", "runs/s", 50, None),
    ("search, 10,000 runs, 1,000 rows with data", "ms", 25, None),
    ("search, selective", "ms", 10, None),
    ("history of 100,000 points", "ms", 15, None),
    ("filter, sort, first page at 100,000 runs, p95", "ms", None, 100),
    ("the same with a tenth of the points, p95", "ms", None, None),
    ("chart of 1,000,000 points, 1,000 shown", "ms", None, None),
    ("chart of 100,000 points, 1,000 shown", "ms", None, None),
    ("memory after all of this", "MB", None, 200),
    ("start with that database", "s", None, 1),
]


class Report:
    """Collects figures; of repeated ones the best of each server is compared."""

    def __init__(self) -> None:
        self.figures: dict[str, dict[str, float]] = {}

    def add(self, server: str, what: str, value: float, unit: str, **facts: Any) -> None:
        line = {"bench": "tracking", "what": what, "server": server, "value": value, "unit": unit}
        load = round(os.getloadavg()[0], 1)
        print(json.dumps({**line, **facts, "load_average": load}), flush=True)
        known = self.figures.setdefault(what, {})
        better = max if unit.endswith("/s") else min
        known[server] = better(known.get(server, value), value)

    def table(self) -> str:
        lines = [
            "| measurement | aloft | mlflow | ratio | target | met |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for what, unit, times, most in TARGETS:
            ours = self.figures.get(what, {}).get("aloft")
            peer = self.figures.get(what, {}).get("mlflow")
            if ours is None:
                continue
            ratio, target, met = None, "", ""
            if peer:
                ratio = ours / peer if unit.endswith("/s") else peer / ours
            if times is not None:
                target = f"≥ {times:g}×"
                met = "" if ratio is None else "yes" if ratio >= times else "**no**"
            elif most is not None:
                target = f"≤ {most:g} {unit}"
                met = "yes" if ours <= most else "**no**"
            cells = [
                what,
                f"{ours:,g} {unit}",
                "" if peer is None else f"{peer:,g} {unit}",
                "" if ratio is None else f"{ratio:.1f}×",
                target,
                met,
            ]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)


def machine(program: Path, mlflow: Path | None) -> dict[str, Any]:
    """What the figures were made on and with."""
    cpus = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", cpus)
    facts: dict[str, Any] = {
        "cores": os.cpu_count(),
        "cpu": model.group(1) if model else platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
        "aloft": said([str(program), "--version"]),
    }
    if mlflow:
        facts["mlflow"] = said([str(mlflow), "--version"])
    return facts


def said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def go_before_others() -> str:
    """Puts this process and all that it starts before what else runs on the machine.

    Both servers and what loads them are treated alike. Without it a woken thread waits its turn
    behind builds of others, and the figures are those of the machine's neighbours.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        return "shared with what else runs"
    return "before what else runs (SCHED_RR)"


def note(text: str) -> None:
    """What goes on, for who watches."""
    print(f"# {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
