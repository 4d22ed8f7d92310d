"""KServe's own Python client against a gateway.

The client's package asks for a whole serving stack (305 MB), in versions that other tests do
without. What its inference clients import takes 26 MB: that is installed once, by itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from protocol_gateway import ROOT, Gateway

PACKAGES = [
    "anyio==4.16.0",
    "cloudevents==1.13.0",
    "deprecation==2.1.0",
    "grpc-interceptor==0.15.4",
    "h11==0.16.0",
    "httpcore==1.0.9",
    "httpx==0.28.1",
    "kserve==0.21.0",
    "kubernetes==23.6.0",
    "oauthlib==4.0.1",
    "orjson==3.13.0",
    "prometheus-client==0.26.0",
    "python-dateutil==2.9.0.post0",
    "pyyaml==6.0.4",
    "requests-oauthlib==2.0.0",
    "six==1.17.0",
    "sniffio==1.3.1",
    "tabulate==0.10.0",
    "timing-asgi==0.3.2",
    "watchfiles==1.3.0",
    "websocket-client==1.9.2",
]


@pytest.fixture(scope="module")
def client_packages() -> Path:
    folder = ROOT / ".runtime/kserve-client"
    note = folder / "packages.txt"
    wanted = "\n".join(PACKAGES)
    if not note.exists() or note.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        uv = ROOT / ".tools/uv/bin/uv"
        command = [str(uv), "pip", "install", "--python", sys.executable, "--no-deps"]
        subprocess.run([*command, "--target", str(folder), *PACKAGES], check=True, timeout=300)
        note.write_text(wanted)
    return folder


def test_the_client_of_kserve_is_answered_over_rest_and_grpc(
    gateway: Gateway, cancer: dict[str, Any], client_packages: Path
) -> None:
    done = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).with_name("kserve_calls.py")),
            str(gateway.http_port),
            str(gateway.grpc_port),
        ],
        input=json.dumps(cancer["row_bits"]),
        env={**os.environ, "PYTHONPATH": str(client_packages), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    bits = np.array(cancer["logreg"]["probability_bits"], dtype=np.uint32)
    expected = [float(value) for value in bits.view(np.float32).ravel()]
    for way in ("rest_json", "rest_binary", "grpc"):
        assert said.pop(way) == pytest.approx(expected, abs=1e-6), way
    questions = ("live", "ready", "model_ready")
    assert said == {f"{way}_{what}": True for way in ("rest", "grpc") for what in questions}
