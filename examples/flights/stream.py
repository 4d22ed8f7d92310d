"""Sends March's departures to a deployed model, one request each, and says how well it answered.

Requests go over a few kept-alive connections at a bounded rate. Nothing is retried: a request that
fails counts as failed. Afterwards the answers are compared with what really happened.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import queue
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

import mlflow
import numpy as np
from sklearn.metrics import roc_auc_score
from train import load_months


@dataclass
class Tally:
    """What one connection saw."""

    answers: dict[int, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    revisions: collections.Counter[str] = field(default_factory=collections.Counter)
    failures: list[str] = field(default_factory=list)


class Caller(threading.Thread):
    """Takes rows from the queue and asks for each, on one connection."""

    def __init__(
        self, gateway: str, endpoint: str, work: queue.Queue[tuple[int, bytes] | None]
    ) -> None:
        super().__init__(daemon=True)
        self.address = urllib.parse.urlsplit(gateway).netloc
        self.path = f"/v2/models/{endpoint}/infer"
        self.work = work
        self.tally = Tally()

    def run(self) -> None:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        while (item := self.work.get()) is not None:
            number, body = item
            began = time.perf_counter()
            try:
                connection.request("POST", self.path, body, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                text = reply.read()
                if reply.status != 200:
                    raise RuntimeError(f"{reply.status} {text[:200]!r}")
                self.tally.answers[number] = probability(json.loads(text))
                self.tally.revisions[reply.getheader("x-aloft-revision") or "unknown"] += 1
                self.tally.latencies.append(time.perf_counter() - began)
            except Exception as error:
                self.tally.failures.append(f"row {number}: {error}")
                connection.close()
                connection = http.client.HTTPConnection(self.address, timeout=30)


def probability(reply: dict) -> float:
    """The probability of being late: the last of the two classes' in the float output."""
    floats = [output for output in reply["outputs"] if output["datatype"] in ("FP32", "FP64")]
    return float(floats[-1]["data"][-1])


def request_bodies(table, metadata: dict) -> list[bytes]:
    """One Open Inference Protocol request a row: all columns in one tensor, which any model of a
    table of numbers takes as `input`."""
    first, *more = metadata["inputs"]
    tensor = {"name": "input", "datatype": "FP64"} if more else first
    rows = table.to_numpy()
    return [
        json.dumps(
            {
                "inputs": [
                    {
                        "name": tensor["name"],
                        "shape": [1, rows.shape[1]],
                        "datatype": tensor["datatype"],
                        "data": [None if np.isnan(value) else value for value in row],
                    }
                ]
            }
        ).encode()
        for row in rows
    ]


def read_metadata(gateway: str, endpoint: str) -> dict:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(gateway).netloc, timeout=30)
    connection.request("GET", f"/v2/models/{endpoint}")
    reply = connection.getresponse()
    text = reply.read()
    if reply.status != 200:
        raise SystemExit(f"{gateway} does not serve {endpoint}: {reply.status} {text[:300]!r}")
    return dict(json.loads(text))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gateway", default="http://127.0.0.1:5001")
    parser.add_argument("--endpoint", default="flight-delay")
    parser.add_argument("--rate", type=float, default=500, help="requests a second, at most")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--limit", type=int, help="send only so many departures")
    parser.add_argument("--data", default="flights/prepare")
    arguments = parser.parse_args()

    (table,) = load_months(arguments.data, "2013-03")
    table = table.iloc[: arguments.limit]
    late = table.pop("late").to_numpy()
    bodies = request_bodies(table, read_metadata(arguments.gateway, arguments.endpoint))

    work: queue.Queue[tuple[int, bytes] | None] = queue.Queue(maxsize=64)
    callers = [
        Caller(arguments.gateway, arguments.endpoint, work) for _ in range(arguments.connections)
    ]
    for caller in callers:
        caller.start()
    began = time.monotonic()
    for number, body in enumerate(bodies):
        pause = began + number / arguments.rate - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        work.put((number, body))
        if number % 2000 == 0:
            failed = sum(len(caller.tally.failures) for caller in callers)
            print(f"{number}/{len(bodies)} sent, {failed} failed", flush=True)
    for _ in callers:
        work.put(None)
    for caller in callers:
        caller.join()
    report(callers, late, time.monotonic() - began)


def report(callers: list[Caller], late: np.ndarray, seconds: float) -> None:
    answers = {
        number: score for caller in callers for number, score in caller.tally.answers.items()
    }
    latencies = np.array([latency for caller in callers for latency in caller.tally.latencies])
    failures = [failure for caller in callers for failure in caller.tally.failures]
    revisions: collections.Counter[str] = sum(
        (caller.tally.revisions for caller in callers), collections.Counter()
    )
    answered = sorted(answers)
    summary = {
        "requests": len(answers) + len(failures),
        "failed": len(failures),
        "requests_per_second": len(answers) / seconds,
    }
    if len(set(late[answered])) == 2:
        summary["auc"] = roc_auc_score(late[answered], [answers[number] for number in answered])
    if len(latencies):
        summary["p50_ms"] = float(np.percentile(latencies, 50) * 1000)
        summary["p99_ms"] = float(np.percentile(latencies, 99) * 1000)
    for failure in failures[:20]:
        print("failed:", failure)
    print(json.dumps({**summary, "revisions": revisions}))
    with mlflow.start_run():
        mlflow.log_metrics(summary)
        mlflow.log_dict({**summary, "revisions": revisions}, "summary.json")


if __name__ == "__main__":
    main()
