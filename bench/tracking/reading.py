"""Searches among 10,000 runs and a history of 100,000 points, on both servers."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from client import Client, timed
from report import Report, note
from servers import Peer
from writing import create_run

BATCH = "/api/2.0/mlflow/runs/log-batch"


def new_experiment(peer: Peer) -> str:
    body = {"name": f"bench-{uuid.uuid4().hex[:12]}"}
    return str(peer.call("POST", "/api/2.0/mlflow/experiments/create", body)["experiment_id"])


def values(number: int) -> dict[str, list[dict[str, Any]]]:
    """What run `number` logs: 5 metrics, 5 params, 3 tags."""
    return {
        "metrics": [
            {
                "key": f"m{key}",
                "value": (number * 7919 + key * 104729) % 10007 / 10007,
                "timestamp": 1,
                "step": 1,
            }
            for key in range(5)
        ],
        "params": [{"key": f"p{key}", "value": str((number + key) % 17)} for key in range(5)],
        "tags": [{"key": f"t{key}", "value": f"v{number % 13}"} for key in range(3)],
    }


def fill(peer: Peer, count: int) -> str:
    """An experiment of `count` runs, through the protocol."""
    experiment = new_experiment(peer)
    for number in range(count):
        peer.call("POST", BATCH, {"run_id": create_run(peer, experiment), **values(number)})
    return experiment


def fill_tables(peer: Peer, database: Path, count: int) -> str:
    """As `fill` for the peer, which would take ten minutes over it.

    The first run goes through the protocol; the others are its rows again with other values, which
    is what its server would have written.
    """
    experiment = fill(peer, 1)
    with sqlite3.connect(database, timeout=60) as tables:
        tables.row_factory = sqlite3.Row
        first = tables.execute(
            "SELECT * FROM runs WHERE experiment_id = ?", (int(experiment),)
        ).fetchone()
        template = {
            table: tables.execute(
                f"SELECT * FROM {table} WHERE run_uuid = ?", (first["run_uuid"],)
            ).fetchall()
            for table in ("metrics", "latest_metrics", "params", "tags")
        }
        for number in range(1, count):
            run = uuid.uuid4().hex
            known = values(number)
            logged = {one["key"]: one["value"] for part in known.values() for one in part}
            copy(tables, "runs", first, run_uuid=run, start_time=first["start_time"] + number)
            for table, rows in template.items():
                for row in rows:
                    value = logged.get(row["key"], row["value"])
                    copy(tables, table, row, run_uuid=run, value=value)
    return experiment


def copy(tables: sqlite3.Connection, table: str, row: sqlite3.Row, **changes: Any) -> None:
    content = {**dict(row), **changes}
    marks = ", ".join("?" * len(content))
    tables.execute(
        f"INSERT INTO {table} ({', '.join(content)}) VALUES ({marks})", list(content.values())
    )


def measure_searches(report: Report, peers: list[tuple[Peer, str]], runs: int, repeat: int) -> None:
    whole, selective = "search, 10,000 runs, 1,000 rows with data", "search, selective"
    for peer, experiment in peers:
        with Client(peer) as client:
            found = json.loads(client.search(experiment, "", 1000, []))["runs"]
            expected = min(runs, 1000)
            if len(found) != expected or len(found[0]["data"]["metrics"]) != 5:
                raise SystemExit(f"{peer.name}: {len(found)} rows instead of {expected}")
            timed(
                report,
                peer,
                whole,
                partial(client.search, experiment, "", 1000, []),
                max(3, repeat // 4),
                runs=runs,
            )
            text = "metrics.m0 > 0.999 AND params.p0 = '3'"
            timed(
                report,
                peer,
                selective,
                partial(client.search, experiment, text, 100, []),
                repeat,
                runs=runs,
            )


def log_history(peer: Peer, points: int) -> str:
    """A run with one metric of so many points."""
    run = create_run(peer)
    for start in range(0, points, 1000):
        metrics = [
            {
                "key": "loss",
                "value": 1 / (step + 1) + (step * 7919 % 10007) / 1e6,
                "timestamp": 1700000000000 + step * 250,
                "step": step,
            }
            for step in range(start, min(start + 1000, points))
        ]
        peer.call("POST", BATCH, {"run_id": run, "metrics": metrics})
    return run


def measure_history(report: Report, peers: list[Peer], points: int) -> None:
    for peer in peers:
        note(f"{peer.name}: logs {points:,} points of one metric")
        run = log_history(peer, points)
        with Client(peer) as client:
            read = partial(read_history, client, run)
            count = sum(len(json.loads(page)["metrics"]) for page in read())
            if count != points:
                raise SystemExit(f"{peer.name}: {count} points instead of {points}")
            timed(report, peer, "history of 100,000 points", read, 3, points=points)


def read_history(client: Client, run: str) -> list[bytes]:
    """All pages; the token stands at a page's end, and the rest is not read as JSON."""
    pages, token = [], ""
    while True:
        path = f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=loss"
        path += "&max_results=25000" + (f"&page_token={token}" if token else "")
        pages.append(client.raw("GET", path))
        token = next_token(pages[-1])
        if not token:
            return pages


def next_token(page: bytes) -> str:
    place = page.rfind(b'"next_page_token"')
    if place < 0:
        return ""
    return str(json.loads(b"{" + page[place:].rstrip().rstrip(b"}") + b"}")["next_page_token"])


def wait_until_ready(peer: Peer, began: float) -> float:
    """Seconds from `began` until the server answered a search."""
    while True:
        try:
            peer.call(
                "POST", "/api/2.0/mlflow/runs/search", {"experiment_ids": ["0"], "max_results": 1}
            )
            return time.monotonic() - began
        except OSError:
            time.sleep(0.01)
