"""Measures gRPC inference beside MLServer's: same model, same message, same loader, one run.

    bench/serving/run-grpc             # makes a virtual environment, builds the release program

Prints one JSON line a measurement: calls a second, latency percentiles, errors, CPU microseconds a
call of all the server's processes. Then the cost of reading a request of 1,000 x 30 floats as JSON,
as binary tensors over REST and as gRPC messages, from `decode-bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
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

sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))
import grpc  # noqa: E402
from mlserver.grpc import dataplane_pb2 as messages  # noqa: E402
from peer_servers import aloft, mlserver, train  # noqa: E402
from servers import Peer, free_port  # noqa: E402

METHOD = "/inference.GRPCInferenceService/ModelInfer"


def message_of(row: Any, tensor: str, raw: bool) -> bytes:
    request = messages.ModelInferRequest(model_name="cancer")
    one = request.inputs.add(name=tensor, datatype="FP32", shape=[1, row.shape[1]])
    if raw:
        request.raw_input_contents.append(row.astype("<f4").tobytes())
    else:
        one.contents.fp32_contents.extend(float(value) for value in row[0])
    return bytes(request.SerializeToString())


def answer(port: int, message: bytes) -> Any:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        grpc.channel_ready_future(channel).result(timeout=60)
        call = channel.unary_unary(
            METHOD,
            request_serializer=lambda data: data,
            response_deserializer=messages.ModelInferResponse.FromString,
        )
        return call(message, timeout=60)


def probabilities(reply: Any) -> list[float]:
    import struct

    for index, output in enumerate(reply.outputs):
        if output.datatype == "FP32":
            if reply.raw_output_contents:
                return list(struct.unpack("<2f", reply.raw_output_contents[index]))
            return list(output.contents.fp32_contents)
    raise SystemExit(f"no FP32 output: {reply}")


def check(port: int, file: Path) -> int:
    """Calls for a second with a loader that looks at each answer; how many ended without one."""
    command = [sys.executable, str(HERE / "grpc_load.py"), f"127.0.0.1:{port}", METHOD]
    done = subprocess.run(
        [*command, str(file), "16", "1"], capture_output=True, text=True, check=True
    )
    return int(json.loads(done.stdout)["errors"])


def load(port: int, file: Path, connections: int, seconds: float, reply_bytes: int) -> Any:
    """Calls with h2load, one call under way a connection. An answer of another length is an error:
    a call that is refused has none."""
    framed = file.with_suffix(".framed")
    message = file.read_bytes()
    framed.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
    log = file.with_suffix(".log")
    log.unlink(missing_ok=True)
    command = ["h2load", "-t", "1", "-c", str(connections), "-m", "1", "-D", f"{seconds:.0f}"]
    command += ["-d", str(framed), "-H", "content-type: application/grpc", "-H", "te: trailers"]
    command += [f"--log-file={log}", f"http://127.0.0.1:{port}{METHOD}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    counts = re.search(r"requests: (\d+) total.* (\d+) failed", done.stdout)
    data = re.search(r"\((\d+)\) data", done.stdout)
    if counts is None or data is None:
        raise SystemExit(f"h2load said: {done.stdout}")
    requests = int(counts[1])
    times = sorted(int(line.split()[2]) for line in log.read_text().splitlines())
    unanswered = requests - int(data[1]) // reply_bytes
    # The answers under way when time is up are counted as data, or not, but not as requests.
    errors = int(counts[2]) + (unanswered if unanswered > connections else 0)

    def percentile(share: float) -> float | None:
        return round(times[int(share * (len(times) - 1))] / 1000, 3) if times else None

    return {
        "requests": requests,
        "seconds": seconds,
        "errors": errors,
        "p50_ms": percentile(0.5),
        "p99_ms": percentile(0.99),
    }


def measure(peer: Peer, port: int, file: Path, form: str, arguments: argparse.Namespace) -> None:
    errors = check(port, file)
    reply_bytes = 5 + answer(port, file.read_bytes()).ByteSize()
    for round_number in range(1, arguments.rounds + 1):
        for connections in (16, 64):
            before = peer.cpu_seconds()
            facts = load(port, file, connections, arguments.seconds, reply_bytes)
            cpu = (peer.cpu_seconds() - before) * 1e6 / max(facts["requests"], 1)
            line = {
                "bench": "serving-grpc",
                "server": peer.name,
                "contents": form,
                "connections": connections,
                "round": round_number,
                "requests_per_second": round(facts["requests"] / facts["seconds"]),
                "p50_ms": facts["p50_ms"],
                "p99_ms": facts["p99_ms"],
                "errors": errors + facts["errors"],
                "cpu_us_a_request": round(cpu, 1),
                "resident_mb": round(peer.resident_megabytes()),
            }
            print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/aloft")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="one round of a second: does it run?")
    parser.add_argument("--alone", action="store_true", help="measure aloft without its peer")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds, arguments.rounds = 1, 1
    if shutil.which("h2load") is None:
        raise SystemExit("h2load is not installed: apt-get install nghttp2-client")
    head = {"bench": "serving-grpc", "date": time.strftime("%Y-%m-%d"), "cores": os.cpu_count()}
    print(json.dumps(head))
    model, row = train()
    expected = model.predict_proba(row)[0].tolist()
    with tempfile.TemporaryDirectory(dir=ROOT / ".runtime") as folder, ExitStack() as stack:
        home = Path(folder)
        port = free_port()
        gateway, onnx_file = stack.enter_context(aloft(arguments.program, home, model, row, port))
        with urllib.request.urlopen(f"{gateway.url}/v2/models/cancer", timeout=30) as reply:
            (tensor,) = json.loads(reply.read())["inputs"]
        files = {}
        for form in ("typed", "raw"):
            files[form] = home / f"message-{form}"
            files[form].write_bytes(message_of(row, tensor["name"], form == "raw"))

        def run(peer: Peer, port: int) -> None:
            for form, file in files.items():
                got = probabilities(answer(port, file.read_bytes()))
                if max(abs(a - b) for a, b in zip(got, expected, strict=True)) > 1e-5:
                    raise SystemExit(f"{peer.name}: wrong answer {got} instead of {expected}")
                measure(peer, port, file, form, arguments)

        run(gateway, port)
        if not arguments.alone:
            peer_port = free_port()
            with mlserver(home, onnx_file, peer_port) as peer:
                run(peer, peer_port)
    decode = arguments.program.with_name("decode-bench")
    if decode.exists():
        subprocess.run([str(decode), *(["--quick"] if arguments.quick else [])], check=True)
    else:
        print(f"{decode} is not built; no decode measurement", file=sys.stderr)


if __name__ == "__main__":
    main()
