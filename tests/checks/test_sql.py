"""The check for SQL of one database and for guesses finds what it is for, and the tree holds it."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

CHECK = Path(__file__).resolve().parents[2] / "scripts" / "check-sql"
SOURCES = CHECK.parents[1] / "Sources"


def load() -> ModuleType:
    spec = spec_from_loader("check_sql", SourceFileLoader("check_sql", str(CHECK)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKER = load()


def faults(folder: Path, line: str, place: str = "AloftStore/Tracking") -> list[str]:
    path = folder / place / "Planted.swift"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"func planted() {{\n    {line}\n}}\n")
    return list(CHECKER.faults_of(path, folder))


def test_the_tree_holds_it() -> None:
    found = [
        fault
        for target in CHECKER.TARGETS
        for path in sorted((SOURCES / target).rglob("*.swift"))
        for fault in CHECKER.faults_of(path, SOURCES)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'let sql = "CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID"',
        'let sql = "SELECT a FROM t WHERE b GLOB ?"',
        'let sql = "SELECT a FROM t WHERE b LIKE ?"',
        'let sql = "SELECT a FROM t WHERE b IS ?"',
        'let sql = "SELECT a FROM t CROSS JOIN u ON u.a = t.a"',
        'let sql = "SELECT a FROM t WHERE +t.b = ?"',
        'let sql = "SELECT rowid FROM t"',
        "let sql = \"SELECT json_extract(a, '$.b') FROM t\"",
        'let sql = "INSERT OR REPLACE INTO t VALUES (?)"',
        'let sql = "PRAGMA page_count"',
        'let sql = "SELECT name FROM sqlite_master"',
        'let sql = "SELECT max(a, ?) FROM t"',
        'let sql = "SELECT a FROM t WHERE 1"',
        'let sql = """\n    SELECT ifnull(a, 0)\n    FROM t\n    """',
        "let name: String = try row[0]",
        "let names = rows.map { $0[1] }",
        'let kind = Kind(rawValue: row["kind"]) ?? .user',
        'let kind: Kind = try row.word("kind") ?? .user',
        'let at = try? row.date("at")',
    ],
)
def test_it_finds(tmp_path: Path, line: str) -> None:
    assert faults(tmp_path, line)


@pytest.mark.parametrize(
    "line",
    [
        'let sql = "SELECT a FROM t WHERE b IS NOT NULL AND c BETWEEN 0 AND 1"',
        'let sql = "INSERT INTO t VALUES (?) ON CONFLICT (a) DO UPDATE SET b = excluded.b"',
        'let sql = "SELECT max(a) FROM t WHERE b = ? || c"',
        'let sql = "UPDATE t SET a = a + 1, b = b + ?"',
        'let sql = "SELECT a FROM t WHERE b \\(Dialect.isSame) ?"',
        'let words = ["GLOB", "rowid"]',
        'let at = try row.optionalDate("at")',
    ],
)
def test_it_leaves(tmp_path: Path, line: str) -> None:
    assert faults(tmp_path, line) == []


def test_sqlite_is_spoken_in_one_folder(tmp_path: Path) -> None:
    assert faults(tmp_path, 'let sql = "PRAGMA page_count"', "AloftStore/Core") == []


def test_a_reason_lets_it_pass(tmp_path: Path) -> None:
    assert faults(tmp_path, 'let sql = "PRAGMA page_count"  // sql: a reason') == []
