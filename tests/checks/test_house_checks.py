"""The checks of sizes, circles and layers: each finds what it is for, and the tree holds it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(name: str, *arguments: object) -> tuple[int, str]:
    command = [sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["check-size", "check-circles", "check-sleeps"])
def test_the_tree_holds(name: str) -> None:
    status, said = check(name)
    assert status == 0, said


def test_a_long_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "Long.swift").write_text("// line\n" * 401)
    (tmp_path / "Short.swift").write_text("// line\n" * 400)
    (tmp_path / "made.pb.swift").write_text("// line\n" * 900)
    status, said = check("check-size", tmp_path)
    assert status == 1
    assert "Long.swift: 401 lines" in said
    assert "Short" not in said
    assert "pb" not in said


STEP = "    step()\n"
LINES = STEP * 60


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.swift", "func long(\n    of: Int\n) -> Int {\n" + LINES + "}\n"),
        ("a.swift", "init() {\n" + LINES + "}\n"),
        ("a.swift", "var long: Int {\n" + LINES + "}\n"),
        ("a.swift", 'func long() {\n    "}"  // }\n' + LINES + "}\n"),
        ("a.py", "def long():\n" + LINES),
        ("a.py", "class A:\n    async def long(self):\n" + LINES.replace("    ", "        ")),
        ("a.ts", "export function long(): void {\n" + LINES + "}\n"),
        ("a.tsx", "export const long = (a: number) => {\n" + LINES + "};\n"),
        ("program", "#!/usr/bin/env python3\ndef long():\n" + LINES),
    ],
)
def test_a_long_function_is_found(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    status, said = check("check-size", tmp_path)
    assert status == 1
    assert "at most 60" in said


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.swift", "func short() {\n" + STEP * 58 + "}\n"),
        ("a.swift", "// size: one table\nfunc long() {\n" + LINES + "}\n"),
        ("a.py", "def outer():\n    def inner():\n" + ("    " + STEP) * 40 + STEP * 40),
        (
            "a.swift",
            "func outer() {\n    func inner() {\n" + STEP * 40 + "    }\n" + STEP * 20 + "}\n",
        ),
    ],
)
def test_what_is_short_or_says_why_passes(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    assert check("check-size", tmp_path)[0] == 0


def test_modules_in_a_circle_are_found(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "one.py").write_text("import two\n")
    (tree / "two.py").write_text("def later():\n    from three import name\n    return name\n")
    (tree / "three.py").write_text("name = 1\n")
    (tree / "deep/four.py").write_text("import one\n")
    assert check("check-circles", tree)[0] == 0
    (tree / "three.py").write_text("from one import name\n")
    status, said = check("check-circles", tree)
    assert status == 1
    assert said.strip() == "tree/one.py -> tree/two.py -> tree/three.py -> tree/one.py"


def described() -> dict:
    """The manifest's targets as they are imported, without asking SwiftPM, which may be at work."""
    targets = [
        ("AloftDomain", "Sources/AloftDomain", [], []),
        ("AloftEdge", "Sources/AloftEdge", ["AloftDomain"], ["NIOCore", "NIOHTTP1", "NIOPosix"]),
    ]
    return {
        "dependencies": [],
        "targets": [
            {
                "name": name,
                "path": path,
                "type": "library",
                "module_type": "SwiftTarget",
                "sources": sorted(
                    file.relative_to(ROOT / path).as_posix()
                    for file in (ROOT / path).rglob("*.swift")
                ),
                "target_dependencies": ours,
                "product_dependencies": products,
            }
            for name, path, ours, products in targets
        ],
    }


def layers(folder: Path, manifest: dict) -> str:
    file = folder / "described.json"
    file.write_text(json.dumps(manifest))
    return check("check-layers", file)[1]


def test_what_the_manifest_says_is_what_is_imported(tmp_path: Path) -> None:
    manifest = described()
    assert "AloftEdge declares" not in layers(tmp_path, manifest)
    assert "AloftEdge imports" not in layers(tmp_path, manifest)
    manifest["targets"][1]["product_dependencies"] = ["NIOCore", "NIOPosix", "Logging"]
    said = layers(tmp_path, manifest)
    assert "AloftEdge declares Logging and imports it nowhere" in said
    assert "AloftEdge imports NIOHTTP1 and does not declare it" in said


@pytest.mark.parametrize(
    ("name", "other", "said"),
    [
        ("AloftEdge", "AloftGateway", "beside or above it"),
        ("AloftGateway", "AloftStore", "of one plane alone"),
        ("AloftSearch", "AloftRollout", "beside or above it"),
        ("AloftControl", "AloftInference", "of one plane alone"),
        ("AloftUtils", "AloftDomain", "not in the layout"),
    ],
)
def test_arrows_point_down(tmp_path: Path, name: str, other: str, said: str) -> None:
    target = {"name": name, "path": ".", "type": "library", "module_type": "ClangTarget"}
    manifest = {"dependencies": [], "targets": [{**target, "target_dependencies": [other]}]}
    found = layers(tmp_path, manifest)
    assert any(line.startswith(name) and said in line for line in found.splitlines()), found


def test_versions_are_exact(tmp_path: Path) -> None:
    loose = {"identity": "swift-nio", "type": "sourceControl", "requirement": {"range": [{}]}}
    exact = {"identity": "swift-log", "type": "sourceControl", "requirement": {"exact": ["1.0.0"]}}
    said = layers(tmp_path, {"dependencies": [loose, exact], "targets": []})
    assert "swift-nio is not asked for by exact" in said
    assert "swift-log" not in said


def test_a_sleep_in_a_swift_test_is_found(tmp_path: Path) -> None:
    file = tmp_path / "SomeTests.swift"
    for line in ("try await Task.sleep(for: .seconds(1))", "usleep(5)", "Thread.sleep(0.1)"):
        file.write_text(f"func wait() {{\n    {line}\n}}\n")
        assert check("check-sleeps", tmp_path)[0] == 1, line
    file.write_text("func wait() {\n    try await time.clock.sleep(for: .seconds(1))\n}\n")
    assert check("check-sleeps", tmp_path)[0] == 0
