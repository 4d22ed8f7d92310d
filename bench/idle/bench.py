"""What a server and the gateway beside it cost while nobody asks them anything.

    bench/idle/run                 # builds the release program
    bench/idle/run --seconds 600
    ALOFT_PROGRAM=.build/debug/aloft bench/idle/run

The data folder holds runs with points and a deployment that is live. Prints one JSON line a
scenario: `idle`, and `logging`, where one client logs a point a hundred times a second and the
loops have nothing to do. `server_percent` and `gateway_percent` are of one core, by the kernel's
count of ticks; the wakes are those of all threads.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent)]
from servers import TICKS, Peer, free_port, running  # noqa: E402

RUNS = 200
POINTS = 500


def ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def switches(pid: int) -> int:
    """How often the process's threads were woken."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def fill(peer: Peer, program: Path) -> str:
    """Runs and a live deployment. Returns a run that goes on."""
    base = "/api/2.0/mlflow"
    run = ""
    for number in range(RUNS):
        body = {"experiment_id": "0", "start_time": 1, "run_name": f"r{number}"}
        run = peer.call("POST", base + "/runs/create", body)["run"]["info"]["run_id"]
        points = [
            {"key": f"m{p % 5}", "value": p, "timestamp": p, "step": p} for p in range(POINTS)
        ]
        peer.call("POST", base + "/runs/log-batch", {"run_id": run, "metrics": points})
        if number + 1 < RUNS:
            peer.call("POST", base + "/runs/update", {"run_id": run, "status": "FINISHED"})

    def aloft(*arguments: str) -> None:
        subprocess.run(
            [str(program), *arguments, "--server", peer.url],
            check=True,
            timeout=300,
            stdout=subprocess.DEVNULL,
        )

    model = ROOT / ".runtime/fixtures/cancer-logreg.onnx"
    aloft("models", "register", "cancer", str(model))
    aloft("deploy", "cancer", "--model", "cancer/1", "--at-once", "--wait", "--timeout", "240")
    return run


def gateway_of(data: Path) -> int:
    return int(json.loads((data / "gateway/child.json").read_text())["process"]["processID"])


def measure(what: str, peer: Peer, gateway: int, seconds: float, run: str | None) -> None:
    pids = {"server": peer.process.pid, "gateway": gateway}
    before = {name: (ticks(pid), switches(pid)) for name, pid in pids.items()}
    began = time.monotonic()
    calls = 0
    while (left := seconds - (time.monotonic() - began)) > 0:
        if run is None:
            time.sleep(left)
            continue
        body = {
            "run_id": run,
            "key": "loss",
            "value": 1.0 / (calls + 1),
            "timestamp": calls,
            "step": calls,
        }
        peer.call("POST", "/api/2.0/mlflow/runs/log-metric", body)
        calls += 1
        time.sleep(max(0.0, began + calls / 100 - time.monotonic()))
    took = time.monotonic() - began
    line: dict[str, Any] = {
        "bench": "idle",
        "what": what,
        "seconds": round(took, 1),
        "calls": calls,
    }
    for name, pid in pids.items():
        line[f"{name}_percent"] = round((ticks(pid) - before[name][0]) / TICKS / took * 100, 3)
        line[f"{name}_wakes_per_second"] = round((switches(pid) - before[name][1]) / took, 1)
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument(
        "--settle", type=float, default=10, help="seconds between the filling and the first look"
    )
    arguments = parser.parse_args()
    program = Path(os.environ.get("ALOFT_PROGRAM", ROOT / ".build/release/aloft")).resolve()
    with tempfile.TemporaryDirectory() as home:
        data, port = Path(home) / "data", free_port()
        command = [
            str(program), "server", "--data", str(data), "--listen", f"127.0.0.1:{port}",
            "--gateway", f"127.0.0.1:{free_port()}",
        ]  # fmt: skip
        with running("aloft", command, port, Path(home) / "log") as peer:
            run = fill(peer, program)
            time.sleep(arguments.settle)
            measure("idle", peer, gateway_of(data), arguments.seconds, None)
            measure("logging", peer, gateway_of(data), arguments.seconds, run)


if __name__ == "__main__":
    main()
