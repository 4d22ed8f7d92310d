"""The traffic of the flights example counts what happened, and hides nothing."""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples/flights"))

import stream


class Gateway(BaseHTTPRequestHandler):
    """Answers with the delay as the probability; fails for delays over 1; counts requests."""

    protocol_version = "HTTP/1.1"
    seen: list[float] = []  # noqa: RUF012
    connections: set[Any] = set()  # noqa: RUF012

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        delay = body["inputs"][0]["data"][0]
        self.seen.append(delay)
        self.connections.add(self.client_address)
        if delay > 1:
            self.answer(500, {"error": "broken"})
            return
        outputs = [
            {"name": "label", "datatype": "INT64", "shape": [1], "data": [0]},
            {"name": "probabilities", "datatype": "FP32", "shape": [1, 2],
             "data": [1 - delay, delay]},
        ]  # fmt: skip
        self.answer(200, {"outputs": outputs})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Aloft-Revision", "2")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[str]:
    Gateway.seen.clear()
    Gateway.connections.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def send(gateway: str, delays: list[float]) -> stream.Tally:
    table = pd.DataFrame({"dep_delay": delays, "temp": float("nan")})
    metadata = {"inputs": [{"name": "input", "datatype": "FP32"}]}
    work: queue.Queue[Any] = queue.Queue()
    for item in enumerate(stream.request_bodies(table, metadata)):
        work.put(item)
    work.put(None)
    caller = stream.Caller(gateway, "flight-delay", work)
    caller.start()
    caller.join(timeout=30)
    return caller.tally


def test_answers_are_kept_by_row_over_one_connection(gateway: str) -> None:
    tally = send(gateway, [0.25, 0.75, 0.5])
    assert tally.answers == {0: 0.25, 1: 0.75, 2: 0.5}
    assert tally.revisions == {"2": 3}
    assert len(tally.latencies) == 3
    assert len(Gateway.connections) == 1


def test_a_failed_request_is_a_failure_and_is_not_sent_again(gateway: str) -> None:
    tally = send(gateway, [0.25, 9.0, 0.5])
    assert set(tally.answers) == {0, 2}
    assert len(tally.failures) == 1
    assert "row 1: 500" in tally.failures[0]
    assert Gateway.seen == [0.25, 9.0, 0.5]


def test_nobody_listening_is_a_failure_of_each_request() -> None:
    tally = send("http://127.0.0.1:9", [0.25, 0.5])
    assert len(tally.failures) == 2
