"""The lint of the web sources: the tree holds it, and it finds what a renaming leaves behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aloft_server import ROOT


def lint(root: Path) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, str(root / "web/lint")], capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stderr


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    (tmp_path / "web").mkdir()
    shutil.copyfile(ROOT / "web/lint", tmp_path / "web/lint")
    shutil.copytree(ROOT / "web/src", tmp_path / "web/src")
    return tmp_path


def edit(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before


def test_the_tree_holds_it() -> None:
    assert lint(ROOT) == (0, "")


def test_a_class_that_was_renamed_in_one_place_only_is_told(copied: Path) -> None:
    page = copied / "web/src/components/LineageSteps.tsx"
    edit(page, lambda text: text.replace('className="lineage-label"', 'className="lineage-lable"'))
    status, said = lint(copied)
    assert status == 1
    assert "web/src/components/LineageSteps.tsx: no style has the class lineage-lable" in said
    assert "web/src/styles: nothing has the class lineage-label" in said


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('document.body.innerHTML = "x";', "text is never read as HTML"),
        ('void fetch("/api/v1/jobs");', "ask through api/client"),
        ('export { Jobs } from "../pages/Jobs/Jobs";', "components may not import from pages"),
        ('const elsewhere = "https://example.org/x.js";', "nothing is fetched from elsewhere"),
    ],
)
def test_a_rule_that_is_broken_is_told(copied: Path, line: str, fault: str) -> None:
    edit(copied / "web/src/components/palette.ts", lambda text: f"{text}\n{line}\n")
    status, said = lint(copied)
    assert status == 1
    assert fault in said
