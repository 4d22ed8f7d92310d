"""100,000 runs with 10,000,000 points: what a page, a chart, memory and a start cost then."""

from __future__ import annotations

import json
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from client import Client, milliseconds, timed
from reading import log_history, new_experiment
from report import Report, note
from servers import Peer
from writing import wrk

PAGE = "filter, sort, first page at 100,000 runs, p95"
TENTH = "the same with a tenth of the points, p95"

# Filter and order of one page; `{}` is another number each time.
PAGES: list[tuple[str, list[str]]] = [
    ("", []),
    ("", ["metrics.m0 DESC"]),
    ("metrics.m1 > 0.{0:03d} AND params.p0 = '3'", ["metrics.m0 DESC"]),
    ("metrics.m1 < 0.{0:03d} AND metrics.m2 > 0.5", ["metrics.m3 ASC"]),
    ("metrics.m0 > 0.99 AND tags.t1 = 'v4'", ["attributes.start_time DESC"]),
    ("tags.t0 = 'v5' AND metrics.m4 >= 0.{0:03d}", ["params.p2 ASC"]),
    ("params.p1 LIKE '1%' AND tags.t2 != 'v1'", ["metrics.m2 DESC"]),
    ("params.p3 != '2'", ["attributes.end_time DESC"]),
    ("attributes.status = 'RUNNING' AND params.p4 ILIKE '%6'", ["attributes.run_name ASC"]),
    ("metrics.m2 <= 0.{0:03d} AND attributes.start_time > 0", ["tags.t0 DESC", "metrics.m1"]),
    ("metrics.m0 > 0.9 AND metrics.m0 < 0.1", ["metrics.m1 DESC"]),
    ("", ["metrics.absent DESC"]),
]


def fill(peer: Peer, experiment: str, runs: int, points: int, start: int, ids: Path) -> None:
    """Logs `points` more points to each of `runs` runs, which it makes if `start` is 0."""
    note(f"{peer.name}: logs {runs * points:,} points to {runs:,} runs")
    began = time.monotonic()
    facts = wrk(
        peer,
        "fill.lua",
        8,
        1800,
        {
            "BENCH_EXPERIMENT": experiment,
            "BENCH_COUNT": str(runs),
            "BENCH_POINTS": str(points),
            "BENCH_START": str(start),
            "BENCH_IDS": str(ids),
        },
        until=ids.with_name(ids.name + ".done"),
    )
    if facts["errors"] or facts["logged"] != runs:
        raise SystemExit(f"{peer.name}: the fill failed: {facts}")
    note(f"{peer.name}: took {time.monotonic() - began:.0f} s")


def measure_pages(report: Report, peer: Peer, experiment: str, what: str, repeat: int) -> None:
    every: list[float] = []
    with Client(peer) as client:
        for text, order in PAGES:
            numbers = iter(range(100, 1000, max(1, 900 // (repeat + 1))))

            def page(text: str = text, order: list[str] = order, numbers: Any = numbers) -> bytes:
                return client.search(experiment, text.format(next(numbers)), 50, order)

            times = milliseconds(page, repeat)
            every += times
            print(
                json.dumps(
                    {
                        "bench": "tracking",
                        "what": f"{what}: one shape",
                        "filter": text,
                        "order": order,
                        "p50_ms": round(times[len(times) // 2], 2),
                        "most_ms": round(times[-1], 2),
                    }
                ),
                flush=True,
            )
    every.sort()
    report.add(
        peer.name,
        what,
        round(every[int(len(every) * 0.95)], 2),
        "ms",
        p50_ms=round(every[len(every) // 2], 2),
        most_ms=round(every[-1], 2),
        pages=len(every),
    )


def measure_large(report: Report, peer: Peer, runs: int, points: int, repeat: int) -> None:
    """`points` counts all runs together."""
    experiment = new_experiment(peer)
    each = points // runs
    with tempfile.TemporaryDirectory() as folder:
        ids = Path(folder) / "ids"
        fill(peer, experiment, runs, each // 10, 0, ids)
        measure_pages(report, peer, experiment, TENTH, repeat)
        fill(peer, experiment, runs, each - each // 10, each // 10, ids)
        measure_pages(report, peer, experiment, PAGE, repeat)


def measure_charts(report: Report, peer: Peer, points: int) -> None:
    for count, name in [(points // 10, "100,000"), (points, "1,000,000")]:
        run = log_history(peer, count)
        path = "/api/2.0/mlflow/metrics/get-history-bulk-interval"
        path += f"?run_ids={run}&metric_key=loss&max_results=1000"
        with Client(peer) as client:
            shown = json.loads(client.raw("GET", path))["metrics"]
            steps = [one["step"] for one in shown]
            if not (len(shown) <= 1000 and int(steps[0]) == 0 and int(steps[-1]) == count - 1):
                raise SystemExit(f"{peer.name}: a chart of {len(shown)} points")
            what = f"chart of {name} points, 1,000 shown"
            timed(report, peer, what, partial(client.raw, "GET", path), 20, points=count)
