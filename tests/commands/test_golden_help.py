"""`--help` of every command, word by word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from golden import FOLDER, ask, compare


def paths(command: dict[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield before
    for inner in command.get("subcommands", []):
        if inner["commandName"] != "help" and inner.get("shouldDisplay", True):
            yield from paths(inner, (*before, inner["commandName"]))


def test_every_command_says_this_of_itself() -> None:
    found = list(paths(json.loads(ask("--experimental-dump-help"))["command"]))
    with ThreadPoolExecutor(2) as pool:
        texts = list(pool.map(lambda path: ask(*path, "--help"), found))
    names = [" ".join(("aloft", *path)).replace(" ", "-") for path in found]
    for name, text in zip(names, texts, strict=True):
        compare(f"help/{name}", text)
    left = {file.stem for file in (FOLDER / "help").glob("*.txt")} - set(names)
    assert not left, f"of commands that are gone; remove them: {sorted(left)}"
