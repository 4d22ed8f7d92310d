"""A short round of bench/fuzz/readers: each reader of foreign bytes, on changed bodies."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from aloft_server import ROOT, program

SEED = os.environ.get("ALOFT_FUZZ_SEED", "20261129")
RUNS = 6000
READERS = {
    "archive",
    "filters",
    "gateway-report",
    "grpc-head",
    "grpc-messages",
    "http-head",
    "infer-binary",
    "infer-json",
    "infer-message",
    "log-batch",
    "meta-yaml",
    "prediction-log",
    "project-file",
    "scoring-csv",
    "scoring-json",
    "segment-keys",
    "spans",
    "spans-json",
    "tracking-json",
    "wire",
    "worker-frame",
}


@pytest.fixture
def readers() -> Path:
    path = program().with_name("fuzz-readers")
    if not path.exists():
        path = ROOT / ".build/debug/fuzz-readers"
    assert path.exists(), "fuzz-readers is not built: swift build --build-tests"
    return path


def test_no_reader_ends_the_program_or_takes_more_than_it_may(
    readers: Path, tmp_path: Path
) -> None:
    """Nothing traps, and none takes more than eight times its body and a mebibyte."""
    command = [str(readers), "--runs", str(RUNS), "--seed", SEED, "--most-bytes", "65536"]
    done = subprocess.run(
        [*command, "--keep", str(tmp_path)], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    *lines, total = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["reader"] for line in lines} >= READERS
    assert all(line["bodies"] >= RUNS // len(lines) - 20 for line in lines), lines
    assert total == {"seed": int(SEED), "bodies": RUNS, "faults": 0}
    assert not list(tmp_path.iterdir())


def test_a_kept_body_is_read_again(readers: Path, tmp_path: Path) -> None:
    """What was found can be looked at: the corpus of good bodies is written in the same form."""
    folder = tmp_path / "good"
    subprocess.run([str(readers), "--write-corpus", str(folder)], check=True, timeout=120)
    files = sorted(map(str, folder.iterdir()))
    assert {Path(path).name.rsplit("-", 1)[0] for path in files} >= READERS
    done = subprocess.run([str(readers), *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == len(files)
