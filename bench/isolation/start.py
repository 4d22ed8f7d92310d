#!/usr/bin/env python3
"""Measures what isolation adds to the start of a job: prints a line of JSON.

Runs `aloft server` twice, with `--isolation none` and with the best that this machine gives, and
in each COUNT jobs that end at once, in turns. The time is that from the job's keeper knowing itself
(shim.json) to its end being written (exit.json), so that neither the queue nor the network is part
of it.

    bench/isolation/start.py [--program PATH] [--count N]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    def __init__(self, program: str, folder: Path, isolation: str) -> None:
        self.data, self.port = folder / isolation, free_port()
        command = [program, "server", "--data", str(self.data), "--no-gateway"]
        command += ["--listen", f"127.0.0.1:{self.port}", "--isolation", isolation]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5).read()
                return
            except OSError:
                time.sleep(0.05)

    def job(self) -> float:
        """Milliseconds of one job."""
        url = f"http://127.0.0.1:{self.port}/api/v1/jobs"
        body = json.dumps({"command": "true"}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        job = json.load(urllib.request.urlopen(request, timeout=60))["id"]
        while True:
            reply = urllib.request.urlopen(f"{url}/{job}?wait=20", timeout=60)
            if json.load(reply)["job"]["state"] == "ended":
                break
        folder = self.data / "jobs" / job / "1"
        begin = (folder / "shim.json").stat().st_mtime_ns
        return ((folder / "exit.json").stat().st_mtime_ns - begin) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=".build/release/aloft")
    parser.add_argument("--count", type=int, default=20)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="aloft-start-"))
    servers = {kind: Server(options.program, folder, kind) for kind in ("none", "auto")}
    try:
        times: dict[str, list[float]] = {kind: [] for kind in servers}
        for _ in range(options.count):
            for kind, server in servers.items():
                times[kind].append(server.job())
        none, isolated = (statistics.median(times[kind]) for kind in ("none", "auto"))
        print(
            json.dumps(
                {
                    "jobs": options.count,
                    "none_ms": round(none, 1),
                    "isolated_ms": round(isolated, 1),
                    "added_ms": round(isolated - none, 1),
                    "cores": os.cpu_count(),
                }
            )
        )
    finally:
        for server in servers.values():
            server.process.terminate()
            server.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
