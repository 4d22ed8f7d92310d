"""Measures the gateway beside other model servers: same model, same row, same load, one run.

    bench/serving/run             # makes a virtual environment, builds the release program

The model is logged, registered, converted and deployed as any user's is; the peers get the very
ONNX file that the gateway serves. Prints one JSON line a measurement: requests a second, latency
percentiles, errors, CPU microseconds a request of all the server's processes, resident memory.
CPU a request is the steadier figure on a shared machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

sys.path.insert(0, str(HERE.parent))
import scenarios  # noqa: E402
from peer_servers import (  # noqa: E402
    INFER,
    aloft,
    bentoml,
    body_for,
    fastapi,
    litserve,
    mlflow_serve,
    mlserver,
    nginx,
    post,
    train,
)
from servers import Peer  # noqa: E402


def load(
    peer: Peer,
    body: Path,
    connections: int,
    seconds: int,
    path: str = INFER,
    environment: dict[str, str] | None = None,
    begin: bool = False,
) -> Any:
    """What wrk counted, and the server's CPU a request; with `begin` the process of wrk itself."""
    before = peer.cpu_seconds()
    started = subprocess.Popen(
        [
            *["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "30s"],
            *["-s", str(HERE / "infer.lua"), peer.url + path],
        ],
        env={**os.environ, "BENCH_BODY": str(body), **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
    )
    if begin:
        return started
    output, _ = started.communicate()
    if started.returncode != 0:
        raise SystemExit("wrk failed")
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    facts: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    facts["cpu_us"] = (peer.cpu_seconds() - before) * 1e6 / max(facts["requests"], 1)
    return facts


def measure(peer: Peer, body: Path, arguments: argparse.Namespace, path: str = INFER) -> None:
    load(peer, body, 16, 1, path)
    for round_number in range(1, arguments.rounds + 1):
        for connections in (16, 64):
            facts = load(peer, body, connections, arguments.seconds, path)
            line = {
                "bench": "serving",
                "server": peer.name,
                "connections": connections,
                "round": round_number,
                "requests_per_second": round(facts["requests"] / facts["seconds"]),
                "p50_ms": facts["p50_ms"],
                "p99_ms": facts["p99_ms"],
                "errors": facts["errors"],
                "cpu_us_a_request": round(facts["cpu_us"], 1),
                "resident_mb": round(peer.resident_megabytes()),
            }
            print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/aloft")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--scenario", choices=scenarios.SCENARIOS, help="measure this instead")
    parser.add_argument("--alone", action="store_true", help="measure aloft without its peers")
    parser.add_argument("--peers", help="measure these only, such as fastapi,nginx")
    arguments = parser.parse_args()
    for tool in ("wrk", "nginx"):
        if shutil.which(tool) is None and not Path(f"/usr/sbin/{tool}").exists():
            raise SystemExit(f"{tool} is not installed: apt-get install {tool}")
    print(
        json.dumps({"bench": "serving", "date": time.strftime("%Y-%m-%d"), "cores": os.cpu_count()})
    )
    if arguments.scenario:
        with tempfile.TemporaryDirectory(dir=ROOT / ".runtime") as folder:
            scenario = scenarios.SCENARIOS[arguments.scenario]
            scenario(arguments.program, Path(folder), load, arguments.seconds)
        return
    model, row = train()
    with tempfile.TemporaryDirectory(dir=ROOT / ".runtime") as folder, ExitStack() as stack:
        home = Path(folder)
        gateway, onnx_file = stack.enter_context(aloft(arguments.program, home, model, row))
        with urllib.request.urlopen(f"{gateway.url}/v2/models/cancer", timeout=30) as reply:
            (tensor,) = json.loads(reply.read())["inputs"]
        body = home / "body.json"
        body.write_bytes(body_for(row, tensor["name"]))
        answer = post(gateway.url + INFER, body.read_bytes())
        expected = model.predict_proba(row)[0].tolist()
        floats = next(item for item in answer["outputs"] if item["datatype"] == "FP32")["data"]
        if max(abs(a - b) for a, b in zip(floats, expected, strict=True)) > 1e-5:
            raise SystemExit(f"wrong answer: {floats} instead of {expected}")
        measure(gateway, body, arguments)
        if arguments.alone:
            return
        peers = {
            "fastapi": lambda: fastapi(home, onnx_file),
            "mlserver": lambda: mlserver(home, onnx_file),
            "litserve": lambda: litserve(home, onnx_file),
            "bentoml": lambda: bentoml(home, onnx_file),
            "nginx": lambda: nginx(home, json.dumps(answer).encode()),
        }
        wanted = arguments.peers.split(",") if arguments.peers else [*peers, "mlflow"]
        for name, peer in peers.items():
            if name in wanted:
                with peer() as running_peer:
                    measure(running_peer, body, arguments)
        if "mlflow" not in wanted:
            return
        scoring = home / "scoring.json"
        scoring.write_text(json.dumps({"inputs": row.tolist()}))
        with mlflow_serve(home, model) as running_peer:
            measure(running_peer, scoring, arguments, "/invocations")


if __name__ == "__main__":
    main()
