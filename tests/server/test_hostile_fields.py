"""Each field of each call of `/api/v1` at wrong values: never a failure of the server."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aloft_server import Server

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench/fuzz"))
from schemas import value_for
from targets import Client

VALUES = [
    *("", " ", "x" * 300, "é" * 120, "a/b", "../x", "-", "\u202e", 0, -1, 0.5, 1 << 62, 1e308),
    *(None, True, [], [""], {}, {"": ""}),
]


class Whole(random.Random):
    """Leaves no member out."""

    def random(self) -> float:
        return 0.0


def wrong(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """`value` with one member changed, those of its objects and lists as well."""
    for name, member in value.items():
        for other in VALUES:
            yield value | {name: other}
        if isinstance(member, dict):
            for part in wrong(member):
                yield value | {name: part}
        if isinstance(member, list) and member and isinstance(member[0], dict):
            for part in wrong(member[0]):
                yield value | {name: [part]}


def end_jobs(server: Server) -> None:
    deadline = time.monotonic() + 120
    while jobs := json.loads(server.get("/api/v1/jobs?live=true&limit=1000"))["jobs"]:
        assert time.monotonic() < deadline, jobs
        for job in jobs:
            Client(server.port).send("POST", f"/api/v1/jobs/{job['id']}/stop", b"{}", JSON)
        time.sleep(0.1)


def bodies(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One wrong member each: beside all others, and beside the few that must be there."""
    whole = value_for(schema, document, Whole(7))
    if not isinstance(whole, dict):
        return
    yield from wrong(whole)
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    needed = {*schema.get("required", []), "command", "name"}
    least = {name: member for name, member in whole.items() if name in needed}
    for name, member in whole.items():
        yield from wrong(least | {name: member})


JSON = {"Content-Type": "application/json"}


def test_one_wrong_field_is_never_a_failure_of_the_server(server: Server) -> None:
    document = json.loads(server.get("/api/v1/openapi.json"))
    client = Client(server.port)
    faults, sent, taken = [], 0, 0
    for path, methods in sorted(document["paths"].items()):
        for method, operation in sorted(methods.items()):
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if not content or "stream" in path:
                continue
            for part in [piece for piece in path.split("/") if piece.startswith("{")]:
                path = path.replace(part, "default")
            for value in bodies(content["schema"], document):
                # Whatever else is wrong, what would run does nothing.
                if "command" in value:
                    value["command"] = "true"
                body = json.dumps(value).encode()
                answer = client.send(method.upper(), path, body, JSON)
                sent += 1
                taken += answer.startswith("2")
                if answer in ("500", "closed", "timeout"):
                    faults.append((answer, method, path, body[:300]))
        end_jobs(server)
    assert faults == []
    assert sent > 1000
    assert taken > 20, "the calls are refused before their fields are read"
