"""One kept-alive connection, so that a reply's time is the server's and not the handshake's."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from report import Report
from servers import Peer


class Client:
    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=600)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.close()

    def raw(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        """The reply's bytes. Reading them as JSON would time the client, not the server."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        self.connection.request(method, path, data, headers)
        reply = self.connection.getresponse()
        content = reply.read()
        if reply.status != 200:
            raise SystemExit(f"{self.peer.name}: {path}: {reply.status} {content[:300]!r}")
        return content

    def search(
        self, experiment: str, text: str, rows: int, order: list[str], token: str = ""
    ) -> bytes:
        body: dict[str, Any] = {
            "experiment_ids": [experiment],
            "filter": text,
            "max_results": rows,
            "order_by": order,
        }
        if token:
            body["page_token"] = token
        return self.raw("POST", "/api/2.0/mlflow/runs/search", body)


def milliseconds(call: Callable[[], Any], repeat: int) -> list[float]:
    """Sorted; the first call, which warms caches up, is not counted."""
    call()
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)


def timed(
    report: Report, peer: Peer, what: str, call: Callable[[], Any], repeat: int, **facts: Any
) -> None:
    times = milliseconds(call, repeat)
    report.add(
        peer.name,
        what,
        round(times[len(times) // 2], 2),
        "ms",
        least_ms=round(times[0], 2),
        most_ms=round(times[-1], 2),
        repeat=repeat,
        **facts,
    )
