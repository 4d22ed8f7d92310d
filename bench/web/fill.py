"""Fills servers through the MLflow protocol, with several connections and no client library."""

from __future__ import annotations

import http.client
import json
import math
import random
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

API = "/api/2.0/mlflow/"


class Connection:
    """One kept connection to a server."""

    def __init__(self, port: int) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.line.request(
            "POST", API + path, json.dumps(body), {"Content-Type": "application/json"}
        )
        reply = self.line.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise SystemExit(f"{path}: {reply.status} {text[:300]!r}")
        answer: dict[str, Any] = json.loads(text or b"{}")
        return answer


def _shared(count: int) -> Iterator[int]:
    yield from range(count)


def _in_parallel(
    port: int, count: int, clients: int, make: Callable[[Connection, int], str]
) -> list[str]:
    numbers = _shared(count)
    lock = threading.Lock()
    made: list[tuple[int, str]] = []

    def work() -> None:
        connection = Connection(port)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            made.append((number, make(connection, number)))

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [run for _, run in sorted(made)]


def experiment(port: int, name: str) -> str:
    return str(Connection(port).post("experiments/create", {"name": name})["experiment_id"])


def many_runs(port: int, place: str, count: int, clients: int = 8) -> list[str]:
    """Runs with two parameters, two metrics and a tag each."""
    start = int(time.time() * 1000) - count * 1000

    def make(connection: Connection, number: int) -> str:
        rate, depth, score = _values(number)
        body = {
            "experiment_id": place, "run_name": f"trial-{number:06d}",
            "start_time": start + number * 1000,
            "tags": [{"key": "team", "value": f"team-{number % 7}"}],
        }  # fmt: skip
        run = str(connection.post("runs/create", body)["run"]["info"]["run_id"])
        at = start + number * 1000
        connection.post(
            "runs/log-batch",
            {
                "run_id": run,
                "params": [
                    {"key": "learning_rate", "value": f"{rate:.6f}"},
                    {"key": "depth", "value": str(depth)},
                ],
                "metrics": [
                    {"key": "score", "value": score, "timestamp": at, "step": 0},
                    {"key": "loss", "value": 1 - score, "timestamp": at, "step": 0},
                ],
            },
        )
        return run

    return _in_parallel(port, count, clients, make)


def into_mlflow(database: Path, place: str, count: int) -> None:
    """The runs of `many_runs`, put into MLflow's tables: by its protocol it would take hours."""
    start = int(time.time() * 1000) - count * 1000
    tables: dict[str, list[tuple[object, ...]]] = {
        "runs": [], "params": [], "tags": [], "latest_metrics": [], "metrics": [],
    }  # fmt: skip
    for number in range(count):
        rate, depth, score = _values(number)
        run, at = uuid.UUID(int=random.Random(number).getrandbits(128)).hex, start + number * 1000
        name = f"trial-{number:06d}"
        tables["runs"].append(
            (run, name, at, at, "active", "FINISHED", place, f"mlflow:/{run}", "bench")
        )
        tables["params"] += [("learning_rate", f"{rate:.6f}", run), ("depth", str(depth), run)]
        tables["tags"] += [("team", f"team-{number % 7}", run), ("mlflow.runName", name, run)]
        for key, value in (("score", score), ("loss", 1 - score)):
            tables["latest_metrics"].append((key, value, at, 0, 0, run))
            tables["metrics"].append((key, value, at, run, 0, 0))
    columns = {
        "runs": "run_uuid, name, start_time, end_time, lifecycle_stage, status, experiment_id,"
        " artifact_uri, user_id",
        "params": "key, value, run_uuid",
        "tags": "key, value, run_uuid",
        "latest_metrics": "key, value, timestamp, step, is_nan, run_uuid",
        "metrics": "key, value, timestamp, run_uuid, step, is_nan",
    }
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        for table, rows in tables.items():
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} ({columns[table]}) VALUES ({marks})", rows)


def _values(number: int) -> tuple[float, int, float]:
    """Learning rate, depth and score of a run: the same on every server."""
    chance = random.Random(number)
    rate = 10 ** chance.uniform(-3, 0)
    score = 0.9 - abs(math.log10(rate) + 1.5) / 5 + chance.gauss(0, 0.02)
    return rate, chance.randint(2, 12), score


def curves(port: int, place: str, runs: int, points: int, clients: int = 4) -> list[str]:
    """Runs with one long metric each."""

    def make(connection: Connection, number: int) -> str:
        chance = random.Random(number)
        body = {"experiment_id": place, "run_name": f"curve-{number:03d}", "start_time": 1}
        run = str(connection.post("runs/create", body)["run"]["info"]["run_id"])
        best = chance.uniform(0.6, 0.9)
        for first in range(0, points, 1000):
            steps = range(first, min(points, first + 1000))
            metrics = [
                {
                    "key": "val_auc", "timestamp": 1_700_000_000_000 + step * 100, "step": step,
                    "value": best * (1 - math.exp(-step / 2000)) + chance.gauss(0, 0.004),
                }
                for step in steps
            ]  # fmt: skip
            connection.post("runs/log-batch", {"run_id": run, "metrics": metrics})
        params = [{"key": "best", "value": f"{best:.4f}"}]
        connection.post("runs/log-batch", {"run_id": run, "params": params})
        return run

    return _in_parallel(port, runs, clients, make)
