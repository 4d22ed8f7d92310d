"""What a gateway answers at five times what its model can, and how quickly.

    bench/serving/run --scenario overload

The gateway has one core, the load the other: what is turned away costs the model's core too. A
machine is not as quick a second later, so there are two measurements. Latencies come from phases in
turns. What is kept of the peak comes from two gateways at once on the same core, one at its peak
and one in overload: whatever slows the machine slows both, and the processor time that an answer
costs says how many of them a core gives.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from gateways import batch_counts, gateway, infer_body, place, report
from onnx import TensorProto, helper
from open_loop import OpenLoop
from servers import Peer

FLOOD = 5


def slow_model(multiplications: int, size: int = 512) -> bytes:
    """Matrix products in a row: a batch reads each matrix once."""
    matrix = (np.eye(size) * 0.999).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x" if i == 0 else f"h{i - 1}", "m"], [f"h{i}"])
        for i in range(multiplications)
    ]
    last = f"h{multiplications - 1}"
    nodes.append(helper.make_node("ReduceMean", [last], ["y"], axes=[1], keepdims=0))
    graph = helper.make_graph(
        nodes,
        "slow",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", size])],
        [helper.make_tensor("m", TensorProto.FLOAT, [size, size], matrix.ravel().tolist())],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(made.SerializeToString())


def overload(program: Path, home: Path, load: Any, seconds: int) -> None:
    os.sched_setaffinity(0, {0})
    for multiplications in (400, 150):
        body = infer_body(x=np.ones((1, 1, 512), np.float32))
        file = home / "body.json"
        file.write_bytes(body)
        with ExitStack() as stack:
            peers = []
            for name in ("one", "other"):
                folder = home / f"gateway-{multiplications}-{name}"
                place(folder, {"cancer": slow_model(multiplications)})
                options = ("--latency-target", "100")
                peers.append(stack.enter_context(gateway(program, folder, *options, core=1)))
                load(peers[-1], file, 16, 1)
            in_turns(multiplications, peers[0], body, file, load, seconds)
            at_once(multiplications, peers, body, file, load, seconds)


def capacity(peer: Peer, file: Path, load: Any, seconds: int) -> tuple[float, float]:
    """Answers a second to 16 clients that wait for theirs, and their p99 in milliseconds."""
    load(peer, file, 16, 1)
    peak = load(peer, file, 16, seconds)
    return (peak["requests"] - peak["errors"]) / peak["seconds"], peak["p99_ms"]


# In turns


def in_turns(
    multiplications: int, peer: Peer, body: bytes, file: Path, load: Any, seconds: int
) -> None:
    """Clients by chance at four fifths of the capacity, a little more than it, and at the flood."""
    answered: dict[str, list[float]] = {}
    latency: dict[str, list[float]] = {}
    for turn in range(1, 6):
        rate, p99 = capacity(peer, file, load, seconds)
        waiting = {"phase": "closed loop, 16 clients", "answered_per_second": rate, "p99_ms": p99}
        chance = (offer(peer, body, rate, times, seconds) for times in (0.8, 1.3, FLOOD))
        for facts in (waiting, *chance):
            report("overload", multiplications=multiplications, turn=turn, **facts)
            answered.setdefault(facts["phase"], []).append(facts["answered_per_second"])
            latency.setdefault(facts["phase"], []).append(facts["p99_ms"])
    tails = {phase: statistics.median(found) for phase, found in latency.items()}
    _, normal, _, flood = tails
    report(
        "overload",
        multiplications=multiplications,
        median_per_second={name: statistics.median(found) for name, found in answered.items()},
        median_p99_ms=tails,
        p99_of_normal=tails[flood] / tails[normal],
    )


def offer(peer: Peer, body: bytes, rate: float, factor: float, seconds: int) -> dict[str, Any]:
    """What came of so many times the capacity."""
    client = OpenLoop(peer, body, "cancer")
    client.run(rate * factor, 1)
    before, batches = peer.cpu_seconds(), batch_counts(peer)
    outcome = client.run(rate * factor, seconds)
    client.close()
    calls, together = (b - a for a, b in zip(batches, batch_counts(peer), strict=True))
    shares = {
        name: outcome.answered_by.get(name, 0) / max(1, count)
        for name, count in outcome.offered_by.items()
    }
    return {
        "phase": f"open loop, {factor} of capacity",
        "offered_per_second": outcome.offered / seconds,
        "answered_per_second": outcome.good / outcome.seconds,
        "p50_ms": outcome.percentile(0.5) * 1000,
        "p99_ms": outcome.percentile(0.99) * 1000,
        "statuses": outcome.statuses,
        "answered_share": shares,
        "without_retry_after": outcome.without_retry_after,
        "connections": outcome.connections,
        "latest_send_ms": outcome.latest_send * 1000,
        "gateway_cpu": (peer.cpu_seconds() - before) / outcome.seconds,
        "requests_a_call": together / max(calls, 1),
    }


# At once


def at_once(
    multiplications: int, peers: list[Peer], body: bytes, file: Path, load: Any, seconds: int
) -> None:
    """One gateway in overload, beside another at its peak: that of 16 clients which wait for their
    answers, so that batches are full and begin together, or that of clients which come by chance.
    """
    kept: dict[str, list[float]] = {}
    for turn in range(20):
        calm, flooded = peers if turn % 4 < 2 else reversed(peers)
        # Each has half of the core.
        rate = capacity(calm, file, load, 1)[0] / 2
        if turn % 2 == 0:
            peak = "16 clients that wait"
            end = load(calm, file, 16, seconds + 3, begin=True).communicate
        else:
            peak = "clients by chance"
            end = begin_offering(calm, body, rate * 1.3, seconds + 3).join
        client = OpenLoop(flooded, body, "cancer")
        client.run(rate * FLOOD, 1.5)
        before = [readings(peer) for peer in (calm, flooded)]
        outcome = client.run(rate * FLOOD, seconds)
        after = [readings(peer) for peer in (calm, flooded)]
        client.close()
        end()
        costs = [
            (b["cpu"] - a["cpu"]) / (b["answered"] - a["answered"])
            for a, b in zip(before, after, strict=True)
        ]
        kept.setdefault(peak, []).append(costs[0] / costs[1])
        report(
            "overload",
            multiplications=multiplications,
            turn=turn + 1,
            peak=peak,
            peak_cpu_us_an_answer=costs[0] * 1e6,
            flood_cpu_us_an_answer=costs[1] * 1e6,
            kept=kept[peak][-1],
            times_offered=outcome.offered / max(1, outcome.good),
            requests_a_call=[
                (b["answered"] - a["answered"]) / max(1, b["calls"] - a["calls"])
                for a, b in zip(before, after, strict=True)
            ],
        )
    for peak, found in kept.items():
        report(
            "overload",
            multiplications=multiplications,
            peak=peak,
            kept=statistics.mean(found),
            standard_error=statistics.stdev(found) / len(found) ** 0.5,
        )


def readings(peer: Peer) -> dict[str, float]:
    calls, answered = batch_counts(peer)
    return {"cpu": peer.cpu_seconds(), "calls": calls, "answered": answered}


def begin_offering(peer: Peer, body: bytes, rate: float, seconds: float) -> Any:
    """The process that does."""

    def offering() -> None:
        client = OpenLoop(peer, body, "cancer")
        client.run(rate, seconds)
        client.close()

    process = multiprocessing.get_context("fork").Process(target=offering, daemon=True)
    process.start()
    return process
