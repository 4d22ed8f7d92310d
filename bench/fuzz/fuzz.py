"""Runs the targets in turn against one server with its gateway; one JSON line a target.

Ends with 1 when a process ended, when an answer was a 5xx that says a fault of ours (500, or gRPC's
INTERNAL and UNKNOWN), when an answer did not come within a minute, or when memory grew and stayed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import targets
from servers import Peer, free_port, running

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / ".runtime/onnxruntime/onnxruntime/datasets/mul_1.onnx"
#: Answers that say a fault of ours. 501 to 505 and 507 say a limit or a state, and why.
FAULTS = {"500", "INTERNAL", "UNKNOWN", "timeout"}
GROWTH_LIMIT_MIB = 256


@dataclass
class World:
    """A server, its gateway, and what was put into them."""

    server: Peer
    gateway_port: int
    grpc_port: int
    data: Path
    run: str

    def gateway_process(self) -> int:
        record = json.loads((self.data / "gateway/child.json").read_text())
        return int(record["process"]["processID"])


@contextmanager
def world(program: Path, folder: Path) -> Iterator[World]:
    port, gateway, grpc = free_port(), free_port(), free_port()
    data = folder / "data"
    command = [str(program), "server", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
    command += ["--gateway", f"127.0.0.1:{gateway}", "--gateway-grpc", f"127.0.0.1:{grpc}"]
    with running("aloft", command, port, folder / "log") as server:
        run = server.call(
            "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0", "start_time": 1}
        )["run"]["info"]["run_id"]
        deploy(server, gateway)
        made = World(server, gateway, grpc, data, run)
        first = made.gateway_process()
        try:
            yield made
        finally:
            end_jobs(server)
            # The gateway is in a session of its own and ends with the server's orderly end.
            os.kill(server.process.pid, signal.SIGTERM)
            server.process.wait(timeout=60)
            if Path(f"/proc/{first}/comm").exists():
                os.kill(first, signal.SIGKILL)


def end_jobs(server: Peer) -> None:
    """Jobs outlive their server; what the fuzzer started, conversions too, ends before it does."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        jobs = server.call("GET", "/api/v1/jobs?limit=1000")["jobs"]
        alive = [job["id"] for job in jobs if job["state"] != "ended"]
        if not alive:
            return
        for job in alive:
            with suppress(urllib.error.HTTPError):
                server.call("POST", f"/api/v1/jobs/{job}/stop", {})
        time.sleep(0.2)


def deploy(server: Peer, gateway: int) -> None:
    """Registers and deploys ONNX Runtime's sample model as `m`, and waits for its first answer."""
    content = MODEL.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    put = urllib.request.Request(
        f"{server.url}/api/v1/blobs/{digest}",
        data=content,
        method="PUT",
        headers={"Content-Type": "application/octet-stream"},
    )
    urllib.request.urlopen(put, timeout=60).read()
    mlflow = "/api/2.0/mlflow/"
    server.call("POST", mlflow + "registered-models/create", {"name": "m"})
    server.call(
        "POST", mlflow + "model-versions/create", {"name": "m", "source": "mlflow-artifacts:/x/y"}
    )
    manifest = {"runtime": "onnx", "inputs": [], "outputs": []}
    servable = {"digest": digest, "size_bytes": len(content), "manifest": manifest}
    server.call("PUT", "/api/v1/models/m/versions/1/servable", servable)
    server.call("POST", "/api/v1/deployments/m/revisions", {"model": "m/1", "atOnce": True})
    client = targets.Client(gateway)
    body = json.dumps(targets.calls.INFER).encode()
    headers = {"Content-Type": "application/json"}
    deadline = time.monotonic() + 300
    while client.send("POST", "/v2/models/m/infer", body, headers) != "200":
        if time.monotonic() > deadline:
            raise SystemExit("the gateway did not answer the model that was deployed")
        time.sleep(0.05)


def resident_mib(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


#: Name -> whether it is the gateway that is asked.
TARGETS = {
    "plane": False,
    "tracking": False,
    "plane-streams": False,
    "serving": True,
    "grpc": True,
    "gateway-streams": True,
}


def make_target(name: str, made: World) -> tuple[targets.Shot, targets.Client]:
    client = targets.Client(made.gateway_port if TARGETS[name] else made.server.port)
    match name:
        case "plane":
            document = made.server.call("GET", "/api/v1/openapi.json")
            return targets.plane(client, document), client
        case "tracking":
            return targets.tracking(client, made.run, "0"), client
        case "serving":
            return targets.serving(client), client
        case "grpc":
            return targets.grpc_calls(made.grpc_port), client
        case "plane-streams":
            return targets.streams(client, ["/version", "/api/v1/jobs"]), client
        case _:
            return targets.streams(client, ["/v2/models/m", "/metrics"]), client


def shoot(name: str, made: World, options: argparse.Namespace) -> bool:
    """One target until its count or time is up. True when nothing was wrong."""
    process = made.gateway_process() if TARGETS[name] else made.server.process.pid
    chance = random.Random(f"{options.seed}/{name}")
    one, client = make_target(name, made)
    answers: Counter[str] = Counter()
    faults: list[dict[str, Any]] = []
    grown, began, slowest = resident_mib(process), time.monotonic(), 0.0
    while sum(answers.values()) < options.requests and time.monotonic() - began < options.seconds:
        before = time.monotonic()
        answer = one(chance)
        slowest = max(slowest, time.monotonic() - before)
        answers[answer] += 1
        if answer in FAULTS and len(faults) < 5:
            method, path, body = client.last
            faults.append(
                {"answer": answer, "request": f"{method} {path}"[:500], "body": repr(body[:500])}
            )
        if made.server.process.poll() is not None:
            faults.append({"answer": "the server ended", "request": repr(client.last)[:1000]})
            break
    # A gateway that crashed was started again, as another process.
    same = made.server.process.poll() is None and (
        not TARGETS[name] or made.gateway_process() == process
    )
    grown = resident_mib(process) - grown if same else -1
    print(
        json.dumps(
            {
                "fuzz": name,
                "seed": options.seed,
                "requests": sum(answers.values()),
                "seconds": round(time.monotonic() - began, 1),
                "answers": dict(answers.most_common()),
                "slowest_seconds": round(slowest, 2),
                "grown_mib": grown,
                "same_process": same,
                "faults": faults,
            }
        ),
        flush=True,
    )
    return same and not faults and grown <= GROWTH_LIMIT_MIB


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20261129)
    parser.add_argument("--seconds", type=float, default=60, help="the most that one target takes")
    parser.add_argument(
        "--requests", type=int, default=10**9, help="the most requests of one target"
    )
    parser.add_argument("--targets", default=",".join(TARGETS))
    parser.add_argument("--program", type=Path, default=ROOT / ".build/debug/aloft")
    options = parser.parse_args()
    for name in options.targets.split(","):
        if name not in TARGETS:
            parser.error(f"--targets {name}: expected some of {', '.join(TARGETS)}")
    with (
        tempfile.TemporaryDirectory(prefix="aloft-fuzz-") as folder,
        world(options.program, Path(folder)) as made,
    ):
        well = [shoot(name, made, options) for name in options.targets.split(",")]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
