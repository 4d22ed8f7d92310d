"""Shadows, experiments and segments by commands and the project file, on a real gateway."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from soak import BODY, register, wait_until

FIXTURES = Path(__file__).resolve().parents[2] / ".runtime/fixtures"


def ask(server: Any, name: str, **headers: str) -> float:
    """What the deployment answers: 1 from version 1, 2 from version 2."""
    request = urllib.request.Request(
        f"{server.gateway_url}/v2/models/{name}/infer",
        json.dumps(BODY).encode(),
        {"Content-Type": "application/json", **headers},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return float(json.loads(reply.read())["outputs"][0]["data"][0])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, server_type: Any) -> Iterator[Any]:
    """A server with `m/1` live as `eta`, and `m/2` as `eta-berlin`."""
    one = server_type(data=tmp_path_factory.mktemp("traffic") / "data", with_gateway=True).start()
    register(one, "m", [FIXTURES / "constant-1.onnx", FIXTURES / "constant-2.onnx"])
    for name, version in (("eta", 1), ("eta-berlin", 2)):
        one.run("deploy", name, "--model", f"m/{version}", "--at-once", "--wait")
    yield one
    one.stop()


def test_a_shadow_is_compared_and_answers_nobody(server: Any) -> None:
    server.run("shadow", "start", "eta", "--model", "m/2", "--share", "100%")

    def has_compared() -> bool:
        assert ask(server, "eta") == 1
        return server.json("shadow", "show", "eta")["shadow"]["compared"] >= 20

    wait_until(has_compared, "copies to be compared")
    shadow = server.json("shadow", "show", "eta")["shadow"]
    assert shadow["version"] == "m/2"
    assert shadow["differing"] == shadow["compared"]
    assert shadow["largestDifference"] == 1
    assert (shadow["failed"], shadow["dropped"]) == (0, 0)
    assert "different answers" in server.run("shadow", "show", "eta")
    server.run("shadow", "stop", "eta")
    assert "no shadow" in server.run("shadow", "show", "eta")


def test_an_experiment_splits_the_traffic_until_it_is_ended(server: Any) -> None:
    server.run("ab", "start", "eta", "--model", "m/2", "--split", "50%")
    answers: set[float] = set()

    def both_answer() -> bool:
        answers.add(ask(server, "eta"))
        return answers == {1, 2}

    wait_until(both_answer, "both versions to answer")
    rollout = server.json("ab", "show", "eta")["history"][0]["rollout"]
    assert rollout["isExperiment"]
    assert rollout["stepsPercent"] == [50, 100]
    server.run("ab", "abort", "eta")
    wait_until(lambda: {ask(server, "eta") for _ in range(20)} == {1}, "the split to end")


def test_an_experiment_is_planned_without_a_server(server: Any) -> None:
    plan = ("ab", "plan", "--baseline", "0.05", "--lift", "10%", "--power", "0.8")
    assert "62468 requests" in server.run(*plan)
    assert server.json(*plan, "--rate", "100")["seconds"] == pytest.approx(624.68)
    assert "no share" in server.run("ab", "plan", "--baseline", "60%", "--lift", "70%", status=2)


def test_segments_of_the_project_file_are_answered_by_their_deployments(
    server: Any, tmp_path: Path
) -> None:
    (tmp_path / "aloft.yaml").write_text(
        """\
project: default
models: { m: {} }
deployments:
  eta:
    model: m
    segments:
      by: { header: X-City }
      tree:
        germany:
          within:
            berlin: { deployment: eta-berlin }
  eta-berlin: { model: m }
"""
    )
    server.run("apply", str(tmp_path / "aloft.yaml"))
    wait_until(lambda: ask(server, "eta", **{"x-city": "berlin"}) == 2, "the segment")
    assert ask(server, "eta", **{"x-city": "germany"}) == 1
    assert ask(server, "eta", **{"x-city": "rome"}) == 1
    assert ask(server, "eta") == 1
    assert "berlin: eta-berlin" in server.run("segments", "show", "eta")
    server.run("segments", "clear", "eta")
    wait_until(lambda: ask(server, "eta", **{"x-city": "berlin"}) == 1, "the segments to end")
