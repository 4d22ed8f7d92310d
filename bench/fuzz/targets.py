"""What is fuzzed: each target makes mutated requests and says how each was answered."""

from __future__ import annotations

import http.client
import json
import random
import socket
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import calls
from mutate import HOSTILE_TEXTS, json_bytes, mutate_bytes, mutate_value
from schemas import value_for

#: One request; the status, or a word for an end without an answer.
Shot = Callable[[random.Random], str]


@dataclass
class Client:
    """HTTP/1.1 to one port, over one connection as long as it lives."""

    port: int
    connection: http.client.HTTPConnection | None = None
    #: What the last request was: printed with a fault.
    last: tuple[str, str, bytes] = ("", "", b"")

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> str:
        self.last = (method, path, body)
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            # Paths are sent as they are: what a URL library would mend is part of the test.
            self.connection._validate_path = lambda _: None  # type: ignore[attr-defined]
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            answer.read()
            return str(answer.status)
        except TimeoutError:
            self.close()
            return "timeout"
        except (OSError, http.client.HTTPException, UnicodeError, ValueError):
            self.close()
            return "closed"

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def _content_type(chance: random.Random, usual: str = "application/json") -> dict[str, str]:
    if chance.random() < 0.95:
        return {"Content-Type": usual}
    return {"Content-Type": chance.choice(["text/plain", "application/x-protobuf", "a/b;c", ""])}


def _hostile_part(text: str, chance: random.Random) -> str:
    if chance.random() < 0.7:
        return urllib.parse.quote(text, safe="")
    hostile = chance.choice(HOSTILE_TEXTS)[:300]
    return urllib.parse.quote(
        hostile.encode("utf-8", "surrogatepass"), safe=chance.choice(["", "/."])
    )


def plane(client: Client, document: dict[str, Any]) -> Shot:
    """Every operation of the OpenAPI document, its body made from the schema and then mutated."""
    operations = [
        (method.upper(), path, operation)
        for path, methods in sorted(document["paths"].items())
        for method, operation in sorted(methods.items())
        # Its answer never ends.
        if "stream" not in path
    ]

    def shoot(chance: random.Random) -> str:
        method, path, operation = chance.choice(operations)
        for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            usual = chance.choice(["m", "1", "default", "0" * 64])
            path = path.replace("{" + name + "}", _hostile_part(usual, chance))
        query = {
            parameter["name"]: _hostile_part("1", chance)
            for parameter in operation.get("parameters", [])
            if parameter.get("in") == "query" and parameter["name"] not in ("wait", "follow")
        }
        if query:
            path += "?" + "&".join(f"{key}={value}" for key, value in query.items())
        body = b""
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            value = value_for(content["schema"], document, chance)
            if chance.random() < 0.8:
                value = mutate_value(value, chance)
            value = _harmless(value)
            body = json_bytes(value, chance)
        return client.send(method, path, body, _content_type(chance) if body else {})

    return shoot


def _harmless(value: Any) -> Any:
    """Whatever became of a request, the command that it has run is `true`."""
    if isinstance(value, dict):
        return {
            key: "true" if key in ("command", "run") else _harmless(part)
            for key, part in value.items()
        }
    return [_harmless(part) for part in value] if isinstance(value, list) else value


def tracking(client: Client, run: str, experiment: str) -> Shot:
    """MLflow's calls, as GET with a mutated query or POST with a mutated body."""
    seeds = calls.tracking(run, experiment)

    def shoot(chance: random.Random) -> str:
        method, path, value = chance.choice(seeds)
        value = mutate_value(value, chance) if chance.random() < 0.9 else value
        if method == "POST":
            return client.send("POST", path, json_bytes(value, chance), _content_type(chance))
        pairs = value.items() if isinstance(value, dict) else [("a", value)]
        query = "&".join(
            f"{_quote(key)}={_quote(part if isinstance(part, str) else json.dumps(part))}"
            for key, part in pairs
        )
        return client.send("GET", f"{path}?{query}", b"", {})

    return shoot


def _quote(text: str) -> str:
    return urllib.parse.quote(str(text).encode("utf-8", "surrogatepass"), safe="")


def serving(client: Client) -> Shot:
    """Open Inference Protocol (JSON and binary tensors) and MLflow scoring (JSON and CSV)."""

    def shoot(chance: random.Random) -> str:
        kind = chance.randrange(5)
        if kind == 0:
            data = mutate_bytes(chance.choice(calls.TABLES), chance)
            return client.send(
                "POST", "/deployments/m/invocations", data, {"Content-Type": "text/csv"}
            )
        if kind in (1, 2):
            body = json_bytes(mutate_value(chance.choice(calls.SCORING), chance), chance)
            return client.send("POST", "/deployments/m/invocations", body, _content_type(chance))
        value = mutate_value(calls.INFER, chance)
        body = json_bytes(value, chance)
        headers = _content_type(chance)
        if kind == 3:
            headers["Inference-Header-Content-Length"] = str(
                chance.choice([len(body), len(body) - 1, 0, -1, 2**31, 2**64])
            )
            body += chance.randbytes(chance.choice([0, 1, 24, 1000]))
        path = chance.choice(
            ["/v2/models/m/infer", "/v2/models/m/versions/1/infer", "/v2/models/%6d/infer"]
        )
        return client.send("POST", path, body, headers)

    return shoot


def streams(client: Client, paths: list[str]) -> Shot:
    """Bytes in the place of HTTP: heads and bodies cut, doubled and glued together."""
    body = json.dumps(calls.INFER).encode()
    pieces = [
        b"POST /v2/models/m/infer HTTP/1.1\r\nHost: 127.0.0.1\r\nA: b\r\n",
        b"POST /api/2.0/mlflow/runs/search HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"Content-Length: %d\r\n\r\n" % len(body),
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: close\r\n",
        b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        body,
        *[f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths],
    ]

    def shoot(chance: random.Random) -> str:
        data = b"".join(chance.choice(pieces) for _ in range(chance.randrange(1, 6)))
        data = mutate_bytes(data, chance) if chance.random() < 0.8 else data
        client.last = ("stream", "", data)
        try:
            with socket.create_connection(("127.0.0.1", client.port), timeout=60) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                while chunk := connection.recv(65536):
                    answer += chunk
        except TimeoutError:
            return "timeout"
        except OSError:
            return "closed"
        return answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.") else "none"

    return shoot


def grpc_calls(port: int) -> Shot:
    """Messages of the Open Inference Protocol, their bytes mutated, over one HTTP/2 connection."""
    import grpc
    from tritonclient.grpc import service_pb2

    request = service_pb2.ModelInferRequest(model_name="m", id="a")
    tensor = request.inputs.add(name="X", datatype="FP32", shape=[3, 2])
    tensor.contents.fp32_contents.extend([1, 2, 3, 4, 5, 6])
    raw = service_pb2.ModelInferRequest(model_name="m")
    raw.inputs.add(name="X", datatype="FP32", shape=[3, 2])
    raw.raw_input_contents.append(bytes(24))
    seeds = [
        ("ModelInfer", request.SerializeToString()),
        ("ModelInfer", raw.SerializeToString()),
        ("ModelMetadata", service_pb2.ModelMetadataRequest(name="m").SerializeToString()),
        ("ModelReady", service_pb2.ModelReadyRequest(name="m").SerializeToString()),
        ("ServerLive", b""),
        ("RepositoryIndex", b""),
        ("Nothing", b"\x0a\x01m"),
    ]
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    methods = {
        name: channel.unary_unary(
            f"/inference.GRPCInferenceService/{name}",
            request_serializer=bytes,
            response_deserializer=bytes,
        )
        for name, _ in seeds
    }

    def shoot(chance: random.Random) -> str:
        name, message = chance.choice(seeds)
        message = mutate_bytes(message, chance) if chance.random() < 0.9 else message
        try:
            methods[name](message, timeout=60)
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    return shoot
