"""HTTP/2 frame by frame, for what no library of gRPC would send."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple

DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes


def packed(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    head = struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream)
    return head + payload


def headers(path: str, **more: str) -> bytes:
    """The headers of a call, without compression; underscores stand for dashes."""
    block = b"\x83\x86\x04" + bytes([len(path)]) + path.encode() + b"\x01\x01x"
    for name, value in {"content_type": "application/grpc", **more}.items():
        name = name.replace("_", "-")
        block += bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
    return block


def prefixed(message: bytes) -> bytes:
    return b"\0" + struct.pack(">I", len(message)) + message


class Connection:
    """Says hello; `window` is what the other side may send on each stream."""

    def __init__(self, port: int, window: int = (1 << 31) - 1) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.rest = b""
        self.send(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + packed(SETTINGS, 0, 0, struct.pack(">HI", 4, window))
        )
        if window > 0:
            self.send(packed(WINDOW, 0, 0, struct.pack(">I", (1 << 31) - 1 - 65535)))

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def frames(self) -> Iterator[Frame]:
        """What comes, until the other side closes; pings and settings are answered."""
        while True:
            while len(self.rest) >= 9:
                length = int.from_bytes(self.rest[:3], "big")
                if len(self.rest) < 9 + length:
                    break
                kind, flags, stream = struct.unpack(">BBI", self.rest[3:9])
                frame = Frame(kind, flags, stream, self.rest[9 : 9 + length])
                self.rest = self.rest[9 + length :]
                if kind in (PING, SETTINGS) and not flags & ACK:
                    answer = frame.payload if kind == PING else b""
                    self.send(packed(kind, ACK, 0, answer))
                yield frame
            data = self.socket.recv(65536)
            if not data:
                return
            self.rest += data

    def wait_for(self, kind: int, stream: int, flags: int = 0) -> Frame:
        for frame in self.frames():
            if (frame.kind, frame.stream) == (kind, stream) and frame.flags & flags == flags:
                return frame
        raise AssertionError(f"closed before a frame {kind} of stream {stream}")
