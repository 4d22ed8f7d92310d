"""What the tracking server has acknowledged is there after SIGKILL, whole, without repair."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aloft_server import Server

ROUNDS = 20
WRITERS = 8
BATCH = 20


@dataclass
class Writer:
    """Writes to one run as fast as it is answered, and notes what was acknowledged."""

    server: Server
    number: int
    round: int
    run: str = ""
    points: int = 0
    params: int = 0
    tags: int = 0
    artifacts: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        self.connection.request(method, path, body, {"Content-Type": "application/json"})
        reply = self.connection.getresponse()
        data = reply.read()
        assert reply.status == 200, data
        return dict(json.loads(data))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.call("POST", f"/api/2.0/mlflow/{path}", json.dumps(body).encode())

    def write_until_it_dies(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            self.write()
        except (OSError, http.client.HTTPException):
            return

    def write(self) -> None:
        answer = self.post("runs/create", {"experiment_id": "0", "start_time": 1})
        self.run = answer["run"]["info"]["run_id"]
        while True:
            step = self.points
            metrics = [
                {"key": "loss", "value": step + i, "timestamp": step + i, "step": step + i}
                for i in range(BATCH)
            ]
            self.post("runs/log-batch", {"run_id": self.run, "metrics": metrics})
            self.points += BATCH
            self.post(
                "runs/log-parameter",
                {"run_id": self.run, "key": f"p{self.params}", "value": f"{self.params}"},
            )
            self.params += 1
            self.post(
                "runs/set-tag",
                {"run_id": self.run, "key": f"t{self.tags}", "value": f"{self.tags}"},
            )
            self.tags += 1
            if self.number % 4 == 0:
                name = f"{self.run}/artifacts/{len(self.artifacts)}.bin"
                path = f"/api/2.0/mlflow-artifacts/artifacts/0/{name}"
                self.call("PUT", path, name.encode() * 500)
                self.artifacts.append(name)


def check(server: Server, writer: Writer) -> None:
    if not writer.run:
        return
    run = json.loads(server.get(f"/api/2.0/mlflow/runs/get?run_id={writer.run}"))["run"]["data"]
    history = f"/api/2.0/mlflow/metrics/get-history?run_id={writer.run}&metric_key=loss"
    points = json.loads(server.get(history)).get("metrics", [])
    # One call more than acknowledged may have been committed; never a part of one.
    assert len(points) in (writer.points, writer.points + BATCH)
    assert [point["step"] for point in points] == list(range(len(points)))
    if points:
        assert run["metrics"][0]["step"] == len(points) - 1
    params = {param["key"]: param["value"] for param in run.get("params", [])}
    assert all(params[f"p{i}"] == f"{i}" for i in range(writer.params))
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert all(tags[f"t{i}"] == f"{i}" for i in range(writer.tags))
    for name in writer.artifacts:
        data = server.get(f"/api/2.0/mlflow-artifacts/artifacts/0/{name}")
        assert data == name.encode() * 500


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    written: list[Writer] = []
    for round in range(ROUNDS):
        writers = [Writer(server, number, round) for number in range(WRITERS)]
        threads = [threading.Thread(target=writer.write_until_it_dies) for writer in writers]
        for thread in threads:
            thread.start()
        threading.Event().wait(0.2 + 0.03 * round)
        server.kill()
        for thread in threads:
            thread.join()
        server.start()
        written += writers
        for writer in writers:
            check(server, writer)
    assert sum(writer.points for writer in written) > 0
    for writer in written:
        check(server, writer)
