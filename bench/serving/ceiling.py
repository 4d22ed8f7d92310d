"""How near the gateway comes to a static nginx, the ceiling of what HTTP takes on a machine.

Both in turns, both on one core, with wrk on the other: what the machine does meanwhile falls on
both, so the ratio of neighbours says more than the figures themselves.
"""

from __future__ import annotations

import json
import os
import statistics
from pathlib import Path
from typing import Any

import numpy as np
from gateways import ROOT, gateway, infer_body, place, report
from peer_servers import INFER, nginx, post


def measure(program: Path, home: Path, load: Any, seconds: int, rounds: int = 7) -> None:
    os.sched_setaffinity(0, {0})
    folder = home / "gateway"
    place(folder, {"cancer": (ROOT / ".runtime/fixtures/cancer-logreg.onnx").read_bytes()})
    values = np.random.default_rng(1).normal(size=(1, 30)).astype(np.float32) * 100
    body = home / "body.json"
    body.write_bytes(infer_body(X=values))
    with gateway(program, folder, core=1) as aloft:
        answer = post(aloft.url + INFER, body.read_bytes())
        with nginx(home, json.dumps(answer).encode(), core=1) as static:
            for peer in (aloft, static):
                load(peer, body, 64, 1)
            rates: dict[str, list[float]] = {"aloft": [], "nginx-static": []}
            costs: dict[str, list[float]] = {"aloft": [], "nginx-static": []}
            for number in range(1, rounds + 1):
                for peer in (aloft, static) if number % 2 else (static, aloft):
                    facts = load(peer, body, 64, seconds)
                    rate = facts["requests"] / facts["seconds"]
                    rates[peer.name].append(rate)
                    costs[peer.name].append(facts["cpu_us"])
                    report(
                        "ceiling",
                        server=peer.name,
                        round=number,
                        requests_per_second=rate,
                        p99_ms=facts["p99_ms"],
                        cpu_us_a_request=facts["cpu_us"],
                        errors=facts["errors"],
                    )
    shares = [a / b for a, b in zip(rates["aloft"], rates["nginx-static"], strict=True)]
    report(
        "ceiling",
        percent_of_nginx=statistics.median(shares) * 100,
        least=min(shares) * 100,
        most=max(shares) * 100,
        aloft_per_second=statistics.median(rates["aloft"]),
        nginx_per_second=statistics.median(rates["nginx-static"]),
        aloft_us=statistics.median(costs["aloft"]),
        nginx_us=statistics.median(costs["nginx-static"]),
    )
