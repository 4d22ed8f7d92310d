"""Loads a gRPC server with one unary call, as fast as it answers; one process, little CPU.

    grpc_load.py HOST:PORT METHOD MESSAGE-FILE CONNECTIONS SECONDS

The request's HTTP/2 frames are made once and sent again and again with another stream's number, so
the loader costs a tenth of a gRPC client. Each connection has one call under way. Prints one JSON
line: calls, seconds, errors (an answer without a message, or a connection that ended), percentiles.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import sys
import time
from pathlib import Path

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A header that no table keeps; both texts shorter than 127 bytes."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def head_of(method: str, authority: str) -> bytes:
    path = method.encode()
    return (
        b"\x83\x86"  # :method POST, :scheme http
        + b"\x04"
        + bytes([len(path)])
        + path
        + b"\x01"
        + bytes([len(authority)])
        + authority.encode()
        + literal(b"te", b"trailers")
        + literal(b"content-type", b"application/grpc")
    )


class Connection:
    def __init__(self, address: tuple[str, int], method: str, message: bytes) -> None:
        self.socket = socket.create_connection(address, 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = head_of(method, f"{address[0]}:{address[1]}")
        body = b"\0" + struct.pack(">I", len(message)) + message
        assert len(body) < 16384, "the message must fit one frame"
        self.head = struct.pack(">I", len(head))[1:] + bytes([HEADERS, END_HEADERS])
        self.rest = head + struct.pack(">I", len(body))[1:] + bytes([DATA, END_STREAM])
        self.body = body
        self.stream = -1
        self.began = 0.0
        self.has_answer = False
        self.buffer = b""
        # The largest windows, so that they never have to be renewed.
        settings = struct.pack(">HI", 4, (1 << 31) - 1)
        self.socket.sendall(
            PREFACE
            + frame(SETTINGS, 0, 0, settings)
            + frame(WINDOW, 0, 0, struct.pack(">I", (1 << 31) - 1 - 65535))
        )

    def begin(self) -> None:
        self.stream += 2
        number = struct.pack(">I", self.stream)
        self.has_answer = False
        self.began = time.perf_counter()
        self.socket.sendall(self.head + number + self.rest + number + self.body)

    def read(self) -> bool | None:
        """Takes what has come; whether the call ended well, or `None` while it has not ended."""
        data = self.socket.recv(1 << 16)
        if not data:
            return False
        self.buffer += data
        ended: bool | None = None
        at = 0
        while len(self.buffer) - at >= 9:
            size = int.from_bytes(self.buffer[at : at + 3], "big")
            if len(self.buffer) - at < 9 + size:
                break
            kind, flags = self.buffer[at + 3], self.buffer[at + 4]
            if kind == DATA:
                self.has_answer = self.has_answer or size > 5
            elif kind == HEADERS and flags & END_STREAM:
                ended = self.has_answer
            elif kind in (RST, GOAWAY):
                ended = False
            elif kind == SETTINGS and not flags & ACK:
                self.socket.sendall(frame(SETTINGS, ACK, 0, b""))
            elif kind == PING and not flags & ACK:
                self.socket.sendall(frame(PING, ACK, 0, self.buffer[at + 9 : at + 9 + size]))
            at += 9 + size
        self.buffer = self.buffer[at:]
        return ended


def load(address: str, method: str, message: bytes, connections: int, seconds: float) -> dict:
    host, port = address.rsplit(":", 1)
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        connection = Connection((host, int(port)), method, message)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.begin()
    latencies: list[float] = []
    errors = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds and selector.get_map():
        for key, _ in selector.select(1):
            connection = key.data
            ended = connection.read()
            if ended is None:
                continue
            if ended:
                latencies.append(time.perf_counter() - connection.began)
                connection.begin()
            else:
                errors += 1
                selector.unregister(connection.socket)
                connection.socket.close()
    elapsed = time.perf_counter() - began
    latencies.sort()

    def percentile(share: float) -> float | None:
        if not latencies:
            return None
        return round(latencies[min(len(latencies) - 1, int(share * len(latencies)))] * 1000, 3)

    return {
        "requests": len(latencies),
        "seconds": elapsed,
        "errors": errors,
        "p50_ms": percentile(0.5),
        "p99_ms": percentile(0.99),
    }


if __name__ == "__main__":
    address, method, file, connections, seconds = sys.argv[1:]
    message = Path(file).read_bytes()
    print(json.dumps(load(address, method, message, int(connections), float(seconds))))
