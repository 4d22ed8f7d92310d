"""Values of secret variables reach a job's command, and nothing else."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

SECRETS = {
    "API_TOKEN": "hunter2-in-the-file",
    "DATABASE": "postgres://u:hunter2-declared@host/db",
    "AWS_SECRET_ACCESS_KEY": "hunter2 with 'quotes' and ü",
}
SENT = {"DB_PASSWORD": "hunter2-sent-along", "PLAIN": "hunter2-declared-too"}
COMMAND = 'echo said $API_TOKEN and $DATABASE; printf %s "$API_TOKEN" | sha256sum'
FILE = f"""project: default
jobs:
  leak:
    run: {json.dumps(COMMAND)}
    variables:
      EPOCHS: 3   # no secret
      API_TOKEN: {SECRETS["API_TOKEN"]}
      DATABASE: "{SECRETS["DATABASE"]}"
      AWS_SECRET_ACCESS_KEY: '{SECRETS["AWS_SECRET_ACCESS_KEY"].replace("'", "''")}'
    secrets: [DATABASE]
"""


def test_a_secret_that_is_no_variable_is_refused(server: Any) -> None:
    body = {"command": "true", "variables": {"DATABASE_URL": "x"}, "secrets": ["DATABSE_URL"]}
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(server, "/api/v1/jobs", body)
    assert refused.value.code == 400
    assert b"DATABSE_URL" in refused.value.read()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def post(server: Any, path: str, body: dict[str, Any], method: str = "POST") -> dict[str, Any]:
    request = urllib.request.Request(
        server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    request.method = method
    with urllib.request.urlopen(request, timeout=60) as reply:
        return dict(json.loads(reply.read()))


def is_leaked(data: bytes) -> list[str]:
    values = {**SECRETS, **SENT}.items()
    return [name for name, value in values if value.encode() in data or b"hunter2" in data]


def test_secret_values_never_come_back(server: Any) -> None:
    apply(server)
    assert apply(server)["isNew"] is False, "the same file is the same, sealed or not"
    from_file = server.run("run", "leak", "--project", "default", "--wait", "--json")
    job = json.loads(from_file)["job"]["id"]
    sent = post(
        server, "/api/v1/jobs",
        {"command": "echo $DB_PASSWORD $PLAIN; printf %s $DB_PASSWORD | sha256sum",
         "variables": SENT, "secrets": ["PLAIN"]},
    )["id"]  # fmt: skip
    server.get(f"/api/v1/jobs/{sent}?wait=60")
    again = post(server, f"/api/v1/jobs/{job}/retry", {})["id"]
    server.get(f"/api/v1/jobs/{again}?wait=60")

    # The commands got the values, and what they printed of them is masked.
    for one, value in [(job, SECRETS["API_TOKEN"]), (again, SECRETS["API_TOKEN"]),
                       (sent, SENT["DB_PASSWORD"])]:  # fmt: skip
        log = server.run("logs", one)
        assert digest(value) in log, log
        assert "***" in log
        assert not is_leaked(log.encode())

    shown = json.loads(server.get("/api/v1/project-files/default"))["text"]
    assert "EPOCHS: 3   # no secret" in shown
    assert shown.count('"***"') == 3
    answers = [
        shown, from_file, server.run("ps", "--json"), server.run("logs", job, "--json"),
        server.run("ps"), *(server.get(f"/api/v1/jobs/{one}").decode() for one in (job, sent)),
        server.get("/api/v1/events?limit=200").decode(),
    ]  # fmt: skip
    for answer in answers:
        assert not is_leaked(answer.encode()), answer[:500]

    kept = [each for each in server.data.rglob("*") if each.is_file()]
    assert any(each.suffix.startswith((".sqlite", ".db")) for each in kept)
    for each in kept:
        assert not is_leaked(each.read_bytes()), each


def apply(server: Any) -> dict[str, Any]:
    return post(server, "/api/v1/project-files", {"text": FILE}, "PUT")
