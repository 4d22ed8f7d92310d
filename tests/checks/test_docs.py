"""What is written agrees with itself: decisions, changelog, versions, links."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aloft_server import ROOT

CHECK = ROOT / "scripts/check-docs"
PARTS = [
    "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile",
    "Sources", "python/pyproject.toml", "python/aloft_models/__init__.py",
]  # fmt: skip


def check(*arguments: str) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, str(CHECK), *arguments], capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stderr


def test_the_tree_holds_it() -> None:
    assert check() == (0, "")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """What the check reads, in a folder where it may be broken."""
    for part in PARTS:
        source, target = ROOT / part, tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    for name in ("examples", "bench", "deploy", "proto", "scripts", "web"):
        if not (tmp_path / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    assert check(str(tmp_path)) == (0, "")
    return tmp_path


def edit(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before


def test_a_decision_without_its_head_is_told(copied: Path) -> None:
    page = next((copied / "docs/adr").glob("0009-*.md"))
    edit(page, lambda text: text.replace("Status: accepted", "Status: done"))
    status, said = check(str(copied))
    assert status == 1
    assert f"docs/adr/{page.name}:3: expected `Date: YYYY-MM-DD. Status: accepted.`" in said
    edit(page, lambda text: text.replace("Status: done", "Status: superseded by [8](0007-x.md)"))
    assert "[8] leads to 7" in check(str(copied))[1]


def test_a_number_is_one_decisions(copied: Path) -> None:
    page = next((copied / "docs/adr").glob("0009-*.md"))
    shutil.copyfile(page, page.with_name("0009-another.md"))
    assert "has this number already" in check(str(copied))[1]


def test_a_decision_that_the_index_lacks_is_told_and_can_be_written(copied: Path) -> None:
    page = copied / "docs/adr/0999-a-test.md"
    page.write_text("# 999. A test\n\nDate: 2026-11-30. Status: proposed.\n")
    status, said = check(str(copied))
    assert status == 1
    assert "docs/adr/README.md: is not what the heads say" in said
    assert check("--write", str(copied)) == (0, "")
    assert (
        "| 999 | [A test](0999-a-test.md) | 2026-11-30 | proposed |"
        in (copied / "docs/adr/README.md").read_text()
    )


@pytest.mark.parametrize(
    ("pattern", "after", "fault"),
    [
        ("## Unreleased\n", "", "the first heading is `## Unreleased`"),
        (r"## \d+\.\d+\.\d+ - \S+", "## 0.2", "expected `## X.Y.Z - YYYY-MM-DD`"),
        ("### Fixed", "### Before", "`### Before`: expected one of"),
        ("Unreleased\n", "Unreleased\n\n## 99.0.0 - 2026-12-01\n", "says 99.0.0"),
        ("## Unreleased\n", "## Unreleased\n\n## 0.0.9 - 2026-12-01\n", "newest first"),
    ],
)
def test_a_changelog_in_another_form_is_told(
    copied: Path, pattern: str, after: str, fault: str
) -> None:
    edit(copied / "CHANGELOG.md", lambda text: re.sub(pattern, after, text, count=1))
    status, said = check(str(copied))
    assert status == 1
    assert fault in said


def test_a_link_that_leads_nowhere_is_told(copied: Path) -> None:
    edit(copied / "CONTRIBUTING.md", lambda text: text + "\n[gone](docs/gone.md) `[no](link.md)`\n")
    assert check(str(copied)) == (1, "CONTRIBUTING.md: no file docs/gone.md\n")


def test_a_type_that_is_gone_is_told(copied: Path) -> None:
    page = copied / "docs/concepts/gateway-inside.md"
    edit(page, lambda text: text.replace("`RoutingTable`", "`RoutingTablet`", 1))
    status, said = check(str(copied))
    assert (status, said) == (1, f"{page.relative_to(copied)}: no type RoutingTablet in Sources\n")
