"""What the scenarios share: a gateway that starts from its disk without a server, its counters, and
the line of JSON that each measurement is."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servers import Peer, free_port, running

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def report(scenario: str, **facts: Any) -> None:
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in facts.items()}
    print(json.dumps({"bench": "serving", "scenario": scenario, **rounded}), flush=True)


def place(folder: Path, models: dict[str, bytes], sampling: float = 1) -> None:
    """The disk of a gateway that serves these models."""
    endpoints = []
    for number, (name, data) in enumerate(models.items(), 1):
        digest = hashlib.sha256(data).hexdigest()
        (folder / "models" / digest).mkdir(parents=True, exist_ok=True)
        (folder / "models" / digest / "model.onnx").write_bytes(data)
        manifest = {"runtime": "onnx", "inputs": [], "outputs": []}
        servable = {"digest": digest, "sizeBytes": len(data), "manifest": manifest}
        revision = {"id": f"r{number}", "number": 1, "weightPercent": 100, "servable": servable}
        revision |= {"modelName": name, "modelVersion": "1"}
        endpoint = {"name": name, "project": "default", "deployment": name}
        endpoint |= {"logSampling": sampling}
        endpoints.append({**endpoint, "environment": "production", "revisions": [revision]})
    state = {"revision": 1, "endpoints": endpoints}
    (folder / "desired-state.json").write_text(json.dumps(state))


def gateway_command(program: Path, folder: Path, port: int, *options: str) -> list[str]:
    command = [str(program), "gateway", "--server", "http://127.0.0.1:1", "--data", str(folder)]
    return [*command, "--listen", f"127.0.0.1:{port}", *options]


@contextmanager
def gateway(program: Path, folder: Path, *options: str, core: int | None = None) -> Iterator[Peer]:
    """A running gateway, on this core only where one is given."""
    port = free_port()
    command = gateway_command(program, folder, port, *options)
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    with running("aloft", command, port, folder / "log", "/v2/health/ready") as peer:
        yield peer


def metric(peer: Peer, name: str) -> float:
    text = urllib.request.urlopen(f"{peer.url}/metrics", timeout=30).read().decode()
    lines = (line for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def batch_counts(peer: Peer) -> tuple[float, float]:
    """Calls of models so far, and the requests that were in them."""
    count, total = (metric(peer, f"aloft_gateway_batch_requests_{n}") for n in ("count", "sum"))
    return count, total


def infer_body(**tensors: Any) -> bytes:
    kinds = {"float32": "FP32", "int64": "INT64"}
    inputs = [
        {
            "name": name,
            "shape": list(value.shape),
            "datatype": kinds[str(value.dtype)],
            "data": value.ravel().tolist(),
        }
        for name, value in tensors.items()
    ]
    return json.dumps({"inputs": inputs}).encode()


def at_once(peers: dict[str, Peer], body: Path, load: Any, seconds: int) -> dict[str, Any]:
    """What each of these servers did while all were asked, 64 connections each."""
    before = {name: (peer.cpu_seconds(), loop_seconds(peer)) for name, peer in peers.items()}
    loaders = {name: load(peer, body, 64, seconds, begin=True) for name, peer in peers.items()}
    facts = {name: result(loader.communicate()[0]) for name, loader in loaders.items()}
    for name, peer in peers.items():
        requests = max(facts[name]["requests"], 1)
        facts[name]["cpu_us"] = (peer.cpu_seconds() - before[name][0]) * 1e6 / requests
        facts[name]["loop_us"] = (loop_seconds(peer) - before[name][1]) * 1e6 / requests
    return facts


def loop_seconds(peer: Peer) -> float:
    """Processor time of a gateway's event loops, which the scheduler counts in nanoseconds."""
    total = 0
    for thread in Path(f"/proc/{peer.process.pid}/task").iterdir():
        if (thread / "comm").read_text().startswith("NIO-ELT"):
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def result(output: str) -> dict[str, Any]:
    """What the loader counted."""
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    return dict(json.loads(line.removeprefix("RESULT ")))
