"""The demo, whole, with the server killed during the sweep and under traffic."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from aloft_server import ROOT, free_port, program


def test_the_demo_holds_when_the_server_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples/flights/fly.py"), "--exit", "--kill"]
    command += ["--program", str(program()), "--data", str(tmp_path / "demo")]
    command += ["--listen", f"127.0.0.1:{free_port()}", "--gateway", f"127.0.0.1:{free_port()}"]
    # Fewer requests than `make demo` sends: this is the unoptimised program on a shared machine.
    command += ["--rate", "60", "--limit", "7200"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1100)
    print(done.stdout)
    assert done.returncode == 0, done.stderr[-4000:]
    rows = [line for line in done.stdout.splitlines() if re.match(r"  \S", line)]
    table = dict(re.split(r"  +", row.strip(), maxsplit=1) for row in rows)
    assert table["server killed"] == "2 times"
    assert int(table["trials run"]) >= 12
    assert table["requests failed"] == "0"
    assert int(table["requests sent"]) >= 7000
    assert float(table["validation AUC"]) > 0.8
