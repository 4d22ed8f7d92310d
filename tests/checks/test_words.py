"""The data plane speaks the field's words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from aloft_server import ROOT

CHECK = ROOT / "scripts/check-words"


def check(*arguments: str) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, str(CHECK), *arguments], capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stderr


def test_the_tree_holds_it() -> None:
    assert check() == (0, "")


def make(root: Path, code: str) -> str:
    """A tree of one source."""
    source = root / "Sources/AloftGateway/Core/Gateway.swift"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(code)
    return str(root)


def test_a_word_that_went_is_told_with_the_one_that_stands_for_it(tmp_path: Path) -> None:
    code = '/// `door` is what an older gateway says.\nlet said = "turned away"\n'
    assert check(make(tmp_path, code)) == (0, "")
    status, said = check(make(tmp_path, code + "/// Whoever is turned away.\n"))
    assert status == 1
    assert "Core/Gateway.swift:3: 'turned away': the field says shed" in said
    assert "the field says listener" in check(make(tmp_path, code + "let door = 1\n"))[1]
