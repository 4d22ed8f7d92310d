"""Requests over many connections from one thread, each answer looked at.

Written on bare sockets: the load must be heavy while the thread that steers rollouts still gets its
turn. Of each revision it keeps only when the last request was sent that it answered.
"""

from __future__ import annotations

import re
import selectors
import socket
import threading
import time
from dataclasses import dataclass, field

_HEAD_END = b"\r\n\r\n"
_REVISION = re.compile(rb"\r\nx-aloft-revision: (\d+)\r\n", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
# An answer that takes longer never comes.
SILENCE_SECONDS = 180


@dataclass
class _Connection:
    socket: socket.socket
    sent_at: float = 0.0
    received: bytes = b""


@dataclass
class Load:
    """Keeps `connections` open to `port` and asks on each as soon as the last answer is there."""

    port: int
    path: str
    body: bytes
    connections: int = 64
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    #: By revision: when the last request was sent that it answered, on `time.monotonic`.
    last_sent: dict[int, float] = field(default_factory=dict)
    #: By revision: how many answers.
    answers: dict[int, int] = field(default_factory=dict)
    slowest_seconds: float = 0.0
    #: When the first and the last request were sent that failed.
    failed_between: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        head = f"POST {self.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(self.body)}\r\n\r\n"
        self._request = head.encode() + self.body
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> Load:
        self._thread.start()
        return self

    def end(self) -> None:
        """Lets what was asked be answered, then closes."""
        self._stop.set()
        self._thread.join()

    @property
    def is_over(self) -> bool:
        """Whether nothing is asked any more, because it was ended or by a fault."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._ask_for_long()
        except OSError as error:
            self.failures.append(f"connecting: {error}")

    def _ask_for_long(self) -> None:
        with selectors.DefaultSelector() as selector:
            for _ in range(self.connections):
                self._open(selector)
            open_count = self.connections
            heard = time.monotonic()
            while open_count:
                for key, _ in selector.select(timeout=1):
                    open_count -= not self._read(selector, key.data)
                    heard = time.monotonic()
                if time.monotonic() - heard > SILENCE_SECONDS:
                    self.failures.append(f"{open_count} connections without an answer")
                    return

    def _open(self, selector: selectors.BaseSelector) -> None:
        connection = _Connection(socket.create_connection(("127.0.0.1", self.port), timeout=30))
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._ask(connection)

    def _ask(self, connection: _Connection) -> None:
        connection.sent_at = time.monotonic()
        connection.socket.sendall(self._request)

    def _read(self, selector: selectors.BaseSelector, connection: _Connection) -> bool:
        """Takes what came; false once the connection is closed for good."""
        try:
            part = connection.socket.recv(65536)
        except OSError as error:
            part = b""
            self.failures.append(f"reading: {error}")
        if not part:
            self.failures.append("the gateway closed a connection with a request on it")
            selector.unregister(connection.socket)
            connection.socket.close()
            if not self._stop.is_set() and len(self.failures) < 1000:
                self._open(selector)
                return True
            return False
        connection.received += part
        if not self._take_answer(connection):
            return True
        if self._stop.is_set():
            selector.unregister(connection.socket)
            connection.socket.close()
            return False
        self._ask(connection)
        return True

    def _take_answer(self, connection: _Connection) -> bool:
        received = connection.received
        end = received.find(_HEAD_END)
        if end < 0:
            return False
        length = _LENGTH.search(received, 0, end)
        if length is None or len(received) < end + 4 + int(length[1]):
            return False
        self.answered += 1
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - connection.sent_at)
        revision = _REVISION.search(received, 0, end + 2)
        if not received.startswith(b"HTTP/1.1 200 ") or revision is None:
            if len(self.failures) < 10_000:
                self.failures.append(received[:400].decode(errors="replace"))
            first, last = self.failed_between or (connection.sent_at, connection.sent_at)
            self.failed_between = (first, max(last, connection.sent_at))
        else:
            number = int(revision[1])
            self.answers[number] = self.answers.get(number, 0) + 1
            earlier = self.last_sent.get(number, 0.0)
            self.last_sent[number] = max(earlier, connection.sent_at)
        connection.received = b""
        return True
