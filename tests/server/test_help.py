"""Every command says what it does, with an example."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
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


@pytest.mark.parametrize("text", ["project: demo\njobs: [\n", "project: Dé mo!\n", "\xff", None])
@pytest.mark.parametrize("words", [["sweep", "train"], ["run", "train"], ["run", "--command", "a"]])
def test_a_folder_whose_project_file_is_wrong_starts_nothing(
    tmp_path: Path, words: list[str], text: str | None
) -> None:
    """Another project's sweep was started from there: the only one that the server knew."""
    if text is None:
        (tmp_path / "aloft.yaml").symlink_to(tmp_path / "nowhere")
    else:
        (tmp_path / "aloft.yaml").write_bytes(text.encode("latin-1"))
    done = subprocess.run(
        [str(program()), *words, "--server", "http://127.0.0.1:1"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "aloft.yaml" in done.stderr, done.stderr
    assert "127.0.0.1" not in done.stderr, "no server was asked"
