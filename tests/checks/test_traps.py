"""The check for what ends a Swift program: it finds what it is for, and the tree holds it."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

CHECK = Path(__file__).resolve().parents[2] / "scripts" / "check-traps"


def load() -> ModuleType:
    spec = spec_from_loader("check_traps", SourceFileLoader("check_traps", str(CHECK)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKER = load()


def planted(folder: Path, line: str) -> int:
    target = folder / "AloftGateway"
    target.mkdir(exist_ok=True)
    (target / "Planted.swift").write_text(f"func planted() {{\n    {line}\n}}\n")
    return int(CHECKER.main([str(folder)]))


def test_the_tree_holds_it(capsys: pytest.CaptureFixture[str]) -> None:
    status = CHECKER.main([])
    assert (status, capsys.readouterr().out) == (0, "")


@pytest.mark.parametrize(
    "line",
    [
        "let wanted = signature.outputs[Int(place)]",
        "let wanted = signature.inputs[entry.place]",
        "let count = Int(shape[0])",
        "let count = UInt32(header.count)",
        "let place = Int64((seconds * 1000).rounded())",
        "let place = Int(\n        seconds)",
        "let text = names.first!",
        "let text = try! read()",
        "let text = value as! String",
        "let known = Dictionary(uniqueKeysWithValues: pairs)",
        "let next = line.removeFirst()",
        "let text = String(cString: pointer)",
        "precondition(count > 0)",
        "let start = bytes.baseAddress.unsafelyUnwrapped",
        "let row = [Float](repeating: 0, count: columns)",
        "for index in 0..<count.rows { use(index) }",
        "let part = first...last",
        "// no reason: \n    let count = Int(shape[0])",
        "// traps:\n    let count = Int(shape[0])",
    ],
)
def test_a_planted_fault_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert planted(tmp_path, line) == 1
    assert "AloftGateway/Planted.swift:" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        "guard let count = Int(exactly: shape[0]) else { return }",
        "let count = Int(clamping: shape[0])",
        "let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)",
        "let total = UInt64(bytes.count)",
        "value = value << 4 | UInt32(digit)",
        "guard let number = Int(text) else { return }",
        "let number = Int(text) ?? 0",
        'let said = "Int(place) is not run"  // nor is Int(place)',
        "let buffer = [UInt8](repeating: 0, count: 4096)",
        "for index in 0..<bytes.count { use(index) }",
        "// traps: the guard above holds it\n    let count = Int(shape[0])",
        "let count = Int(shape[0])  // traps: one of 0...3",
        "if text != nil, !names.isEmpty { return }",
    ],
)
def test_what_is_right_passes(tmp_path: Path, line: str) -> None:
    assert planted(tmp_path, line) == 0
