"""Every command says what it does, with an example."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

from aloft_server import program


def commands(command: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield command
    for inner in command.get("subcommands", []):
        if inner["commandName"] != "help" and inner.get("shouldDisplay", True):
            yield from commands(inner)


def test_every_command_has_a_sentence_and_an_example() -> None:
    dumped = subprocess.run(
        [str(program()), "--experimental-dump-help"], capture_output=True, text=True, check=True
    )
    found = list(commands(json.loads(dumped.stdout)["command"]))
    assert len(found) > 20
    for command in found[1:]:
        name = " ".join([*command.get("superCommands", []), command["commandName"]])
        assert command.get("abstract"), name
        discussion = command.get("discussion")
        text = json.dumps(discussion) if isinstance(discussion, dict) else (discussion or "")
        assert "aloft " in text, f"{name}: no example"
