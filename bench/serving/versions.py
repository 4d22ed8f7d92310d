"""What a change costs a request: two builds of the program asked at the same time on one core.

`ALOFT_BEFORE` names the program of before. Both are started anew for each pair, since two processes
of one program differ by a percent for where their memory lies.
"""

from __future__ import annotations

import os
import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from gateways import ROOT, at_once, gateway, infer_body, place, report


def measure(program: Path, home: Path, load: Any, seconds: int, starts: int = 8) -> None:
    before = os.environ.get("ALOFT_BEFORE")
    if not before:
        raise SystemExit("--scenario versions: ALOFT_BEFORE must name the program of before")
    os.sched_setaffinity(0, {0})
    model = (ROOT / ".runtime/fixtures/cancer-logreg.onnx").read_bytes()
    values = np.random.default_rng(1).normal(size=(1, 30)).astype(np.float32) * 100
    body = home / "body.json"
    body.write_bytes(infer_body(X=values))
    programs = {"before": Path(before), "now": program}
    costs: dict[str, dict[str, list[float]]] = {
        part: {name: [] for name in programs} for part in ("loop_us", "cpu_us")
    }
    for start in range(1, starts + 1):
        with ExitStack() as stack:
            peers = {}
            for name in sorted(programs, reverse=start % 2 == 0):
                folder = home / f"{name}-{start}"
                place(folder, {"cancer": model})
                peers[name] = stack.enter_context(gateway(programs[name], folder, core=1))
                load(peers[name], body, 64, 1)
            for name, facts in at_once(peers, body, load, seconds * 2).items():
                for part, kept in costs.items():
                    kept[name].append(facts[part])
                report(
                    "versions",
                    program=name,
                    start=start,
                    requests_per_second=facts["requests"] / facts["seconds"],
                    cpu_us_a_request=facts["cpu_us"],
                    event_loop_us_a_request=facts["loop_us"],
                    errors=facts["errors"],
                )
    for part, kept in costs.items():
        pairs = [(b / a - 1) * 100 for a, b in zip(kept["before"], kept["now"], strict=True)]
        report(
            "versions",
            part="event loop" if part == "loop_us" else "process",
            before_us=statistics.mean(kept["before"]),
            now_us=statistics.mean(kept["now"]),
            more_percent=statistics.mean(pairs),
            standard_error=statistics.stdev(pairs) / len(pairs) ** 0.5,
        )
