"""The data plane speaks the field's words, and pages name types that are there."""

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


def make(root: Path, code: str, page: str) -> str:
    """A tree of one source and two pages."""
    source = root / "Sources/AloftGateway/Core/Gateway.swift"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(code)
    (root / "docs/concepts").mkdir(parents=True, exist_ok=True)
    (root / "docs/glossary.md").write_text(
        f"A `ReplicaSet` is theirs.\n\n## Where it is in the code\n\n{page}\n"
    )
    (root / "docs/concepts/gateway-inside.md").write_text("# Inside the gateway\n")
    return str(root)


def test_a_type_that_a_page_names_must_be_there(tmp_path: Path) -> None:
    code = "actor ModelManager {}\n"
    assert check(make(tmp_path, code, "`ModelManager.load`")) == (0, "")
    status, said = check(make(tmp_path, code, "`ModelManager`, `MemoryPlan`"))
    assert (status, said) == (1, "docs/glossary.md: `MemoryPlan` is no type of ours\n")


def test_a_word_that_went_is_told_with_the_one_that_stands_for_it(tmp_path: Path) -> None:
    code = '/// `door` is what an older gateway says.\nlet said = "turned away"\n'
    assert check(make(tmp_path, code, "")) == (0, "")
    status, said = check(make(tmp_path, code + "/// Whoever is turned away.\n", ""))
    assert status == 1
    assert "Core/Gateway.swift:3: 'turned away': the field says shed" in said
    assert "the field says listener" in check(make(tmp_path, code + "let door = 1\n", ""))[1]
