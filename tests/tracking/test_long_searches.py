"""Clients that leave during a search that takes seconds: the server ends the search and goes on."""

from __future__ import annotations

import json
import select
import socket
import urllib.request

from aloft_server import Server

LOCATION = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}


def begin_trace(server: Server, number: int) -> None:
    info = {
        "trace_id": f"tr-{number:032x}",
        "trace_location": LOCATION,
        "request_time": "2026-01-01T00:00:00Z",
        "execution_duration": "1s",
        "state": "OK",
        "tags": {"t": "a" * 4000},
    }
    request = urllib.request.Request(
        f"{server.url}/api/3.0/mlflow/traces",
        data=json.dumps({"trace": {"trace_info": info}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=60).read()


def test_a_client_that_leaves_during_a_search_costs_nobody_else_anything(server: Server) -> None:
    for number in range(30):
        begin_trace(server, number)
    body = json.dumps(
        {"locations": [LOCATION], "filter": "tag.t RLIKE '(a?){900}b'", "max_results": 10}
    )
    text = "POST /api/3.0/mlflow/traces/search HTTP/1.1\r\nHost: localhost\r\n"
    text += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    began = 0
    # The client is looked after from the first second on; the search ends by itself after two.
    for wait, ends_wholly in [(0.2, True), (1.2, True), (1.4, False), (1.6, True)]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(text.encode())
            answered = select.select([connection], [], [], wait)[0]
            began += not answered
            if not ends_wholly:
                connection.shutdown(socket.SHUT_WR)
                select.select([connection], [], [], 5)
    assert began > 0, "each search was over before its client left: this tests nothing"
    assert server.get("/health") == b"OK"
    begin_trace(server, 99)
