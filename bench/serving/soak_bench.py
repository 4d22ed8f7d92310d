"""The whole of what `tests/serving/test_soak.py` runs a tenth of.

bench/serving/soak [--requests 1000000] [--cycles 100] [--kills 10]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from aloft_server import ROOT, Server  # type: ignore[import-not-found]
from soak import Soak, register  # type: ignore[import-not-found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--kills", type=int, default=10)
    options = parser.parse_args()
    fixtures = ROOT / ".runtime/fixtures"
    with tempfile.TemporaryDirectory(prefix="aloft-soak-") as folder:
        server = Server(data=Path(folder) / "data", with_gateway=True).start()
        try:
            register(server, "soak", [fixtures / "constant-1.onnx", fixtures / "constant-2.onnx"])
            soak = Soak(server, "soak")
            begun = time.monotonic()
            soak.run(options.requests, options.cycles, options.kills)
            seconds = time.monotonic() - begun
        finally:
            server.stop()
    late = soak.late_answers()
    measured = {
        "benchmark": "soak",
        "requests": soak.load.answered,
        "connections": soak.load.connections,
        "failed": len(soak.load.failures),
        "answered_after_drain": len(late),
        "moves": soak.moves,
        "kills": soak.kills,
        "seconds": round(seconds, 1),
        "requests_per_second": round(soak.load.answered / seconds),
        "slowest_answer_ms": round(soak.load.slowest_seconds * 1000, 1),
        "slowest_drain_ms": round(soak.slowest_return_seconds * 1000, 1),
    }
    print(json.dumps(measured))
    for failure in soak.load.failures[:10]:
        print(failure, file=sys.stderr)
    return 1 if soak.load.failures or late else 0


if __name__ == "__main__":
    sys.exit(main())
