"""A version that plain mlflow registered, taken to production and back with the commands alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy
import pandas
import pytest
from sklearn.linear_model import LogisticRegression


def log_versions(address: str) -> tuple[pandas.DataFrame, list[list[int]]]:
    """Two versions of one model; returns rows and what each version predicts for them."""
    mlflow.set_tracking_uri(address)
    mlflow.set_experiment("churn/train")
    chance = numpy.random.default_rng(3)
    rows = pandas.DataFrame(chance.normal(size=(200, 3)), columns=["age", "income", "visits"])
    rows = rows.astype("float32")
    answers = (rows["age"] + rows["income"] > 0).astype(int)
    predicted = []
    for labels in (answers, 1 - answers):
        with mlflow.start_run():
            model = LogisticRegression().fit(rows, labels)
            mlflow.sklearn.log_model(
                model, name="model", registered_model_name="churn", input_example=rows.head(5)
            )
            predicted.append([int(label) for label in model.predict(rows.head(20))])
    return rows.head(20), predicted


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, server_type: type) -> Iterator[dict]:
    folder = tmp_path_factory.mktemp("deployments")
    server = server_type(data=folder / "data", with_gateway=True).start()
    rows, predicted = log_versions(server.url)
    table = folder / "rows.csv"
    rows.to_csv(table, index=False)
    yield {"server": server, "rows": rows, "table": table, "predicted": predicted}
    if server.process is not None and server.process.poll() is None:
        assert server.stop() == 0


def predict(world: dict, table: Path | None = None) -> list[int]:
    server = world["server"]
    words = ["--input", str(table or world["table"]), "--gateway", server.gateway_url]
    return [int(line) for line in server.run("predict", "churn", *words).splitlines()]


def test_a_version_goes_live_and_answers_as_the_original(world: dict) -> None:
    server = world["server"]
    server.run("deploy", "churn", "--model", "churn/1", "--at-once", "--wait")
    assert predict(world) == world["predicted"][0]
    shown = server.run("models", "show", "churn").splitlines()
    versions = {line.split()[0]: line for line in shown[1:]}
    assert "ONNX Runtime" in versions["1"]
    assert "e-" in versions["1"]  # its parity


def ask(world: dict, name: str) -> int:
    """The status of one request, sent as soon as this is called."""
    request = urllib.request.Request(
        f"{world['server'].gateway_url}/deployments/{name}/invocations",
        world["table"].read_bytes(),
        {"Content-Type": "text/csv"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_what_is_live_answers_the_very_first_request(world: dict) -> None:
    server = world["server"]
    for number in range(6):
        words = ["--model", f"churn/{1 + number % 2}", "--environment", "dev", "--at-once"]
        server.run("deploy", f"first-{number}", *words, "--wait")
        assert ask(world, f"first-{number}.dev") == 200
    page = server.json("rollout", "show", "first-0", "--environment", "dev")
    live = page["deployment"]["live"]
    assert live["isAnswered"] and live["awaited"] == []


def test_a_shadow_gets_copies_once_its_start_returns(world: dict) -> None:
    server = world["server"]
    server.run("deploy", "copied", "--model", "churn/1", "--at-once", "--wait")
    words = ["--model", "churn/2", "--share", "100%", "--wait"]
    server.run("shadow", "start", "copied", *words)
    assert ask(world, "copied") == 200
    server.wait_until(
        lambda: "compared 1," in server.run("shadow", "show", "copied"), "the copy to be compared"
    )
    server.run("shadow", "stop", "copied")


QUIET = """
project: default
models: { churn: {} }
deployments:
  quiet:
    model: churn
    rollout: { steps: [10%, 100%], hold: 1s }
  loud:
    model: churn
    rollout: { steps: [50%, 100%], hold: 1s, at_least: 3 requests }
"""


def test_a_step_without_traffic_is_no_evidence_and_is_told(world: dict, tmp_path: Path) -> None:
    server = world["server"]
    (tmp_path / "aloft.yaml").write_text(QUIET)
    server.run("apply", str(tmp_path / "aloft.yaml"))
    for name in ("quiet", "loud"):
        server.run("deploy", name, "--model", "churn/1", "--at-once", "--wait")
    told = server.run("deploy", "quiet", "--model", "churn/2", "--wait")
    assert "step at 10%: nothing seen" in told and "live: all traffic" in told
    step = server.json("rollout", "show", "quiet")["deployment"]["live"]["rollout"]["steps"][0]
    assert not step["sawTraffic"] and "nothing was seen" in step["reason"]
    assert step["sensitivity"] == "no request came, so nothing could be shown"

    server.run("deploy", "loud", "--model", "churn/2")
    server.wait_until(
        lambda: "the step goes on until 3 requests came" in server.run("status"),
        "the step to wait for requests",
        seconds=120,
    )

    def is_live() -> bool:
        assert ask(world, "loud") == 200
        return bool(server.json("rollout", "show", "loud")["deployment"]["live"]["version"] == 2)

    server.wait_until(is_live, "the step to have its requests", seconds=120)
    live = server.json("rollout", "show", "loud")["deployment"]["live"]
    step = live["rollout"]["steps"][0]
    seen = step["candidate"]["requests"]
    assert seen >= 3 and step["reason"].startswith(f"{seen} requests, 0 errors")


def test_the_next_version_takes_over_and_a_rollback_returns(world: dict) -> None:
    server = world["server"]
    server.run("deploy", "churn", "--model", "churn/2", "--at-once", "--wait")
    assert predict(world) == world["predicted"][1]
    server.run("rollback", "churn")
    assert predict(world) == world["predicted"][0]


def test_a_table_that_does_not_fit_is_refused_in_a_sentence(world: dict, tmp_path: Path) -> None:
    server = world["server"]
    table = tmp_path / "short.csv"
    table.write_text("age\n1\n")
    words = ["predict", "churn", "--input", str(table), "--gateway", server.gateway_url]
    printed = server.run(*words, status=1)
    assert 'lacks columns "income", "visits"' in printed
    assert "{" not in printed


def test_a_deployment_that_is_not_there_is_named_with_the_nearest(world: dict) -> None:
    server = world["server"]
    words = ["--input", str(world["table"]), "--gateway", server.gateway_url]
    printed = server.run("predict", "churm", *words, status=1)
    assert 'Did you mean "churn"?' in printed


def test_predictions_go_on_while_the_server_is_down_and_after(world: dict) -> None:
    server = world["server"]
    server.kill()
    columns = list(world["rows"].columns)
    body = {"dataframe_split": {"columns": columns, "data": world["rows"].to_numpy().tolist()}}
    request = urllib.request.Request(
        f"{server.gateway_url}/deployments/churn/invocations",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        assert json.loads(reply.read())["predictions"] == world["predicted"][0]
    server.start()
    assert predict(world) == world["predicted"][0]
    server.run("deploy", "churn", "--model", "churn/2", "--at-once", "--wait")
    assert predict(world) == world["predicted"][1]


def report(server: Any, revision: str, state: str, error: str | None = None) -> None:
    """As a gateway would that is alive and has this to say of a revision of `sound`."""
    told = {"endpoint": "sound", "revision": revision, "state": state, "requests": 0, "errors": 0}
    told |= {"latency": []} | ({"error": error} if error else {})
    desired = json.loads(server.get("/api/v1/gateways"))["desiredRevision"]
    body = {"gateway": "late", "incarnation": "1", "desiredRevision": desired, "revisions": [told]}
    request = urllib.request.Request(
        f"{server.url}/api/v1/gateways/report",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()


def test_nobody_waits_for_a_gateway_that_cannot_load(world: dict) -> None:
    """The last here: for half a minute this gateway counts as one that is alive."""
    server = world["server"]
    words = ["deploy", "sound", "--model", "churn/1", "--at-once", "--wait"]
    server.run(*words)
    live = server.json("rollout", "show", "sound")["deployment"]["live"]["id"]
    report(server, live, "loading")
    told = server.run(*words, "--timeout", "1", status=1)
    assert "is not answered after 1.0 seconds" in told and "gateway late loads the model" in told
    report(server, live, "failed", "no such operator")
    told = server.run(*words, status=1)
    assert "(churn/1) in production is live, but not every gateway answers" in told
    assert "gateway late cannot load the model: no such operator" in told
