"""What commands show of a server whose content is known, for people and for programs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

import jsonschema
import pytest
from aloft_server import program
from golden import ask, compare, normal
from world import World

#: The command, and the schema of what `--json` prints: `None` where it is no reply of `/api/v1`.
SHOWS: dict[str, str | None] = {
    # Of several replies.
    "status": None,
    "ps": "ListJobsReply",
    "ps --all": "ListJobsReply",
    "logs {job}": "GetJobLogReply",
    "stop {job}": "JobView",
    "sweep list": "ListSweepsReply",
    "sweep show {sweep}": "SweepView",
    # Of the tracking protocol.
    "runs list --order-by attributes.start_time": None,
    "runs list --experiment flights/hand --filter metrics.val_auc>0.7": None,
    "runs show {run1}": None,
    "models list": None,
    "models show churn": None,
    "deployments": "ListDeploymentsReply",
    "rollout show churn": "ShowDeploymentReply",
    "ab show churn": "ShowDeploymentReply",
    # Reckoned here.
    "ab plan --baseline 5% --lift 10% --rate 10": None,
    "shadow show churn": "ShowTrafficReply",
    "segments show churn": "ShowTrafficReply",
    "predictions churn": "ListPredictionsReply",
    "explain {prediction}": "ShowPredictionReply",
    "replay {prediction}": "ReplayPredictionReply",
    # The gateway's own reply.
    "predict churn.shadow --input {folder}/row.json --gateway {gateway}": None,
    "gc": "SpaceReport",
    "token list": "ListTokensReply",
    # Nothing is new since the world was made.
    "export {folder}/taken": None,
    # Of files.
    "backup {folder}/backups --list": None,
    "backup {folder}/backups --verify": None,
    "apply {folder}/project/aloft.yaml --check": None,
}
#: Commands with `--json` that change something, or show this machine; their tests are elsewhere.
ELSEWHERE = {
    "run", "sweep start", "sweep stop", "models register", "deploy", "rollback", "rollout promote",
    "rollout pause", "rollout resume", "rollout abort", "ab start", "ab promote", "ab abort",
    "shadow start", "shadow stop", "segments clear", "score", "import mlflow", "restore",
    "token create", "token revoke", "doctor",
}  # fmt: skip


@pytest.fixture(scope="module")
def document(world: World) -> dict[str, Any]:
    return dict(json.loads(world.server.get("/api/v1/openapi.json")))


def shown(world: World, words: str, *more: str) -> tuple[str, str]:
    done = subprocess.run(
        [str(program()), *world.command(words), *more],
        env={**os.environ, "ALOFT_SERVER": world.server.url, "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def named(words: str) -> str:
    kept = [word for word in words.split() if "{" not in word or "=" in word]
    return re.sub(r"[^a-z0-9.]+", "-", " ".join(kept).lower()).strip("-")


def freed(words: str, text: str) -> str:
    """Without numbers of the text that are others each time."""
    if words == "predictions churn":
        text = re.sub(r"  +\d+\.\d+ *$|  +MS", "  MS", text, flags=re.M)
    if words.startswith("ps"):
        text = re.sub(r"  +\d+[smhd](?=  )", "  N", re.sub(r" +(AGE|RAN)  ", r"  \1  ", text))
    if words == "status":
        text = re.sub(r"(alive +)\d+", r"\1N", text)
    if words.startswith("backup"):
        text = re.sub(
            r"\d+(\.\d+)? [KM]iB|(?<= )\d+(?= files| *$)|  +\d+(?=  )", "N", text, flags=re.M
        )
        text = re.sub(r" +N", "  N", text)
    return text


@pytest.mark.parametrize("words", SHOWS, ids=named)
def test_people_are_shown_this(world: World, words: str) -> None:
    text, beside = shown(world, words)
    # These tell how far they are.
    if beside and not words.startswith(("backup", "export")):
        text += f"[beside it]\n{beside}"
    text = freed(words, text)
    compare(f"text/{named(words)}", normal(text, world.names))


@pytest.mark.parametrize("words", SHOWS, ids=named)
def test_programs_are_told_this(world: World, document: dict[str, Any], words: str) -> None:
    text, _ = shown(world, words, "--json")
    told = json.loads(text)
    schema = SHOWS[words]
    if schema is not None:
        root = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
        jsonschema.Draft202012Validator(root).validate(told)
        assert_named(told, schema, document)
    compare(f"json/{named(words)}", normal(text, world.names))


def assert_named(told: dict[str, Any], schema: str, document: dict[str, Any]) -> None:
    """A schema allows more than it names; a reply holds nothing else."""
    known = document["components"]["schemas"][schema]["properties"]
    assert told.keys() <= known.keys(), f"{schema} does not name {told.keys() - known.keys()}"


def test_every_command_that_shows_something_is_here() -> None:
    def with_json(command: dict[str, Any], before: str = "") -> set[str]:
        names = {
            name["name"] for part in command.get("arguments", []) for name in part.get("names", [])
        }
        found = {before} if "json" in names else set()
        for inner in command.get("subcommands", []):
            if inner["commandName"] != "help" and inner.get("shouldDisplay", True):
                found |= with_json(inner, f"{before} {inner['commandName']}".strip())
        return found

    commands = with_json(json.loads(ask("--experimental-dump-help"))["command"])
    here = {name for name in commands for words in SHOWS if f"{words} ".startswith(f"{name} ")}
    assert commands >= ELSEWHERE
    assert not here & ELSEWHERE
    assert commands == here | ELSEWHERE, f"show what they show: {commands - here - ELSEWHERE}"
