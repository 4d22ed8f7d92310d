"""A transformer at 32 connections: the gateway with and without batches, and MLServer with its own.

MiniLM-L6 on texts of 8 tokens, of 16, and of 4 to 20, all servers in turns. A call of the gateway's
model has one thread, and as many calls run as there are cores; MLServer runs one call at a time,
with one thread or two. Answers may take five seconds, so that none of the 32 is turned away where
the model is slow.
"""

from __future__ import annotations

import json
import statistics
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import minilm
import numpy as np
from gateways import ROOT, batch_counts, gateway, infer_body, place, report
from peer_servers import mlserver
from servers import Peer

LENGTHS = {"8": [8], "16": [16], "4 to 20": list(range(4, 21))}
CONNECTIONS = 32
PATIENCE = ("--latency-target", "5000")


def bodies(home: Path, lengths: list[int]) -> str:
    """Files with one text each, as `infer.lua` takes them."""
    chance = np.random.default_rng(1)
    paths = []
    for length in lengths:
        ids = chance.integers(1000, 30000, (1, length))
        paths.append(home / f"text-{length}.json")
        paths[-1].write_bytes(infer_body(input_ids=ids, attention_mask=np.ones_like(ids)))
    return " ".join(map(str, paths))


def embedding(peer: Peer, body: Path) -> np.ndarray:
    request = urllib.request.Request(f"{peer.url}/v2/models/cancer/infer", body.read_bytes())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as reply:
        return np.array(json.loads(reply.read())["outputs"][0]["data"])


@contextmanager
def mlserver_in_batches(home: Path, file: Path, threads: int, rows: int) -> Iterator[Peer]:
    settings = {"max_batch_size": rows, "max_batch_time": 0.01} if rows > 1 else {}
    with mlserver(home, file, more_settings=settings, threads=threads) as peer:
        yield peer


def batching(program: Path, home: Path, load: Any, seconds: int) -> None:
    file = home / "minilm.onnx"
    minilm.write(ROOT / ".runtime/minilm", file)
    folders = {name: home / name for name in ("batched", "unbatched")}
    for folder in folders.values():
        place(folder, {"cancer": file.read_bytes()})
    unbatched = (*PATIENCE, "--batch-rows", "1")
    starts: dict[str, Callable[[], Any]] = {
        "aloft batched": lambda: gateway(program, folders["batched"], *PATIENCE),
        "aloft unbatched": lambda: gateway(program, folders["unbatched"], *unbatched),
        "mlserver batched, 1 thread": lambda: mlserver_in_batches(home, file, 1, CONNECTIONS),
        "mlserver batched, 2 threads": lambda: mlserver_in_batches(home, file, 2, CONNECTIONS),
        "mlserver unbatched, 2 threads": lambda: mlserver_in_batches(home, file, 2, 1),
    }
    texts = {name: bodies(home, lengths) for name, lengths in LENGTHS.items()}
    with ExitStack() as stack:
        peers = {name: stack.enter_context(start()) for name, start in starts.items()}
        answers = [embedding(peer, Path(texts["16"])) for peer in peers.values()]
        if not all(np.allclose(answer, answers[0], atol=1e-4) for answer in answers):
            raise SystemExit("they give different embeddings")
        for name, paths in texts.items():
            in_turns(peers, name, paths, load, seconds)


def in_turns(
    peers: dict[str, Peer], texts: str, paths: str, load: Any, seconds: int, turns: int = 3
) -> None:
    """All servers are there, one is asked: a machine is not as quick a minute later."""
    rates: dict[str, list[float]] = {}
    for turn in range(1, turns + 1):
        for server, peer in peers.items():
            # MLServer joins the texts of a batch into one array, which takes one length.
            if server.startswith("mlserver batched") and len(LENGTHS[texts]) > 1:
                continue
            if turn == 1:
                load(peer, paths, CONNECTIONS, 1)
            facts = measure(server, peer, paths, load, seconds)
            report("batching", server=server, tokens=texts, turn=turn, **facts)
            rates.setdefault(server, []).append(facts["requests_per_second"])
    ours = rates["aloft batched"]
    for server, theirs in rates.items():
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        report(
            "batching",
            server=server,
            tokens=texts,
            median_requests_per_second=statistics.median(theirs),
            aloft_batched_times=statistics.median(ratios),
            least=min(ratios),
            most=max(ratios),
        )


def measure(server: str, peer: Peer, paths: str, load: Any, seconds: int) -> dict[str, Any]:
    is_ours = server.startswith("aloft")
    before = batch_counts(peer) if is_ours else (0, 0)
    facts = load(peer, paths, CONNECTIONS, seconds)
    after = batch_counts(peer) if is_ours else (0, 0)
    calls, together = (b - a for a, b in zip(before, after, strict=True))
    return {
        "requests_per_second": facts["requests"] / facts["seconds"],
        "p50_ms": facts["p50_ms"],
        "p99_ms": facts["p99_ms"],
        "errors": facts["errors"],
        "cpu_ms_a_request": facts["cpu_us"] / 1000,
        "requests_a_call": together / calls if calls else None,
    }
