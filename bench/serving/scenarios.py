"""Measures what a model server does beyond one small model: batching, overload, the cost of the
prediction log, many models, binary tensors, a change of the gateway's process under load, and how
near it comes to a static file server.

    bench/serving/run --scenario batching|overload|log|many|binary|takeover|ceiling|python

The gateway starts from its disk, without a server. Prints one JSON line a measurement.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from gateways import (
    ROOT,
    at_once,
    gateway,
    gateway_command,
    infer_body,
    metric,
    place,
    report,
    result,
)
from servers import Peer, free_port

# The prediction log


def log(program: Path, home: Path, load: Any, seconds: int, starts: int = 8) -> None:
    """What the prediction log costs: two gateways, all or nothing logged, asked at the same time.

    Both share one core, which turns from one to the other every few milliseconds, so that whatever
    slows the machine slows both; in turns of seconds they lie up to 20 % apart. Two processes of
    the same program differ by a percent for where their memory lies, so they are started anew. The
    event loops are the hot path; the rest is the thread that writes.
    """
    os.sched_setaffinity(0, {0})
    model = (ROOT / ".runtime/fixtures/cancer-logreg.onnx").read_bytes()
    values = np.random.default_rng(1).normal(size=(1, 30)).astype(np.float32) * 100
    body = home / "body.json"
    body.write_bytes(infer_body(X=values))
    samplings = {"off": 0, "on": 1}
    loop: dict[str, list[float]] = {name: [] for name in samplings}
    whole: dict[str, list[float]] = {name: [] for name in samplings}
    for start in range(1, starts + 1):
        with ExitStack() as stack:
            peers = {}
            for name in sorted(samplings, reverse=start % 2 == 0):
                folder = home / f"{name}-{start}"
                place(folder, {"cancer": model}, sampling=samplings[name])
                peers[name] = stack.enter_context(gateway(program, folder, core=1))
                load(peers[name], body, 64, 1)
            written = metric(peers["on"], "aloft_gateway_prediction_log_bytes_total")
            found = at_once(peers, body, load, seconds * 2)
            written = metric(peers["on"], "aloft_gateway_prediction_log_bytes_total") - written
            for name, facts in found.items():
                loop[name].append(facts["loop_us"])
                whole[name].append(facts["cpu_us"])
                report(
                    "log",
                    log=name,
                    start=start,
                    requests_per_second=facts["requests"] / facts["seconds"],
                    p99_ms=facts["p99_ms"],
                    cpu_us_a_request=facts["cpu_us"],
                    event_loop_us_a_request=facts["loop_us"],
                    bytes_a_request=written / facts["requests"] if name == "on" else 0,
                    errors=facts["errors"],
                    resident_mb=peers[name].resident_megabytes(),
                )
    for part, cost in (("event loop", loop), ("process", whole)):
        pairs = [(on / off - 1) * 100 for on, off in zip(cost["on"], cost["off"], strict=True)]
        report(
            "log",
            part=part,
            off_us=statistics.mean(cost["off"]),
            on_us=statistics.mean(cost["on"]),
            costs_percent=statistics.mean(pairs),
            standard_error=statistics.stdev(pairs) / len(pairs) ** 0.5,
            least=min(pairs),
            most=max(pairs),
        )


# Many models


def many(program: Path, home: Path, load: Any, seconds: int, count: int = 2000) -> None:
    """2,000 small models: all in memory, then within a budget for a quarter of them."""
    model = onnx.load(str(ROOT / ".runtime/fixtures/cancer-logreg.onnx"))
    models = {}
    for index in range(count):
        model.producer_version = f"{index}"
        models[f"m{index}"] = model.SerializeToString()
    folder = home / "gateway"
    place(folder, models)
    body = infer_body(X=np.ones((1, 30), np.float32))
    for name, options in (("all in memory", ()), ("256 MiB", ("--model-memory", "256"))):
        begin = time.perf_counter()
        with gateway(program, folder, *options) as peer:
            ready = time.perf_counter() - begin
            resident = metric(peer, "aloft_gateway_models_resident")
            before = peer.resident_megabytes()
            chance = random.Random(2)
            latencies, failed = asyncio.run(ask_each(peer, body, chance, count))
            report(
                "many",
                models=count,
                memory=name,
                seconds_to_ready=ready,
                resident_models=resident,
                resident_mb=before,
                resident_mb_after=peer.resident_megabytes(),
                errors=failed,
                p50_ms=latencies[len(latencies) // 2] * 1000,
                p99_ms=latencies[int(len(latencies) * 0.99)] * 1000,
                loads=metric(peer, "aloft_gateway_model_loads_total"),
                evictions=metric(peer, "aloft_gateway_model_evictions_total"),
            )


async def ask_each(
    peer: Peer, body: bytes, chance: random.Random, count: int
) -> tuple[list[float], int]:
    """Every model once, in a random order, on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
    latencies, failed = [], 0
    for index in chance.sample(range(count), count):
        begin = time.perf_counter()
        head = f"POST /v2/models/m{index}/infer HTTP/1.1\r\nHost: localhost\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        size = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(size)
        failed += answer[9:12] != b"200"
        latencies.append(time.perf_counter() - begin)
    writer.close()
    return sorted(latencies), failed


# Binary tensors


def binary(program: Path, home: Path, load: Any, seconds: int) -> None:
    """The same rows as JSON and as binary tensors."""
    folder = home / "gateway"
    place(folder, {"cancer": (ROOT / ".runtime/fixtures/cancer-logreg.onnx").read_bytes()})
    with gateway(program, folder) as peer:
        for rows in (1, 1000):
            values = np.random.default_rng(1).normal(size=(rows, 30)).astype(np.float32)
            tensor = {"name": "X", "shape": [rows, 30], "datatype": "FP32"}
            raw = values.tobytes()
            head = json.dumps(
                {
                    "inputs": [{**tensor, "parameters": {"binary_data_size": len(raw)}}],
                    "parameters": {"binary_data_output": True},
                }
            ).encode()
            for name, body, headers in (
                ("json", infer_body(X=values), {}),
                ("binary", head + raw, {"BENCH_JSON_LENGTH": str(len(head))}),
            ):
                file = home / "body"
                file.write_bytes(body)
                load(peer, file, 4, 1, environment=headers)
                facts = load(peer, file, 4, seconds, environment=headers)
                report(
                    "binary",
                    form=name,
                    rows=rows,
                    requests_per_second=facts["requests"] / facts["seconds"],
                    cpu_us_a_request=facts["cpu_us"],
                    errors=facts["errors"],
                )


# A change of process


def takeover(program: Path, home: Path, load: Any, seconds: int) -> None:
    """Ten gateways, one after another, on one address while 64 connections ask."""
    folder = home / "gateway"
    place(folder, {"cancer": (ROOT / ".runtime/fixtures/cancer-logreg.onnx").read_bytes()})
    file = home / "body.json"
    file.write_bytes(infer_body(X=np.ones((1, 30), np.float32)))
    port = free_port()
    command = gateway_command(program, folder, port)
    with (folder / "log").open("ab") as log:
        current = subprocess.Popen(command, stdout=log, stderr=log)
        peer = Peer("aloft", port, current)
        while True:
            try:
                urllib.request.urlopen(f"{peer.url}/v2/health/ready", timeout=2)
                break
            except OSError:
                time.sleep(0.05)
        loader = load(peer, file, 64, 40, begin=True)
        changes = 0
        while loader.poll() is None and changes < 10:
            time.sleep(1)
            following = subprocess.Popen(command, stdout=log, stderr=log)
            current.wait(timeout=120)
            current = following
            changes += 1
        output = loader.communicate()[0]
        current.terminate()
        current.wait(timeout=60)
    facts = result(output)
    report(
        "takeover",
        changes=changes,
        requests=facts["requests"],
        errors=facts["errors"],
        p99_ms=facts["p99_ms"],
    )


def overload(*arguments: Any) -> None:
    """Five times what a model can answer."""
    from overload import overload as measure

    measure(*arguments)


def versions(*arguments: Any) -> None:
    """Two builds of the program at once on one core."""
    import versions as two

    two.measure(*arguments)


def ceiling(program: Path, home: Path, load: Any, seconds: int) -> None:
    """The gateway beside a static nginx."""
    from ceiling import measure

    measure(program, home, load, seconds)


def batching(*arguments: Any) -> None:
    """MiniLM: batched, unbatched, and MLServer with its adaptive batching."""
    from batching import batching as measure

    measure(*arguments)


def python_models(program: Path, home: Path, load: Any, seconds: int) -> None:
    """A pyfunc beside MLServer and `mlflow models serve`."""
    from python_models import measure

    measure(program, home, load, seconds)


SCENARIOS = {
    "versions": versions,
    "batching": batching,
    "overload": overload,
    "log": log,
    "many": many,
    "binary": binary,
    "takeover": takeover,
    "ceiling": ceiling,
    "python": python_models,
}
