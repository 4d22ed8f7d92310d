"""A load that does not wait for answers, quick enough to offer a model many times what it can do.

One process, one core: sockets without a library, requests made beforehand. A latency counts from
the moment a request was due, so what the generator is late with is in it, and said.
"""

from __future__ import annotations

import random
import select
import socket
import time
from collections import deque
from dataclasses import dataclass, field

from servers import Peer

PRIORITIES = ("high", "normal", "low")
WEIGHTS = (1, 4, 5)


@dataclass
class Outcome:
    """What came of one run; latencies in seconds, of answers with status 200."""

    seconds: float = 0.0
    offered: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    offered_by: dict[str, int] = field(default_factory=dict)
    answered_by: dict[str, int] = field(default_factory=dict)
    latest_send: float = 0.0
    connections: int = 0
    without_retry_after: int = 0

    @property
    def good(self) -> int:
        return len(self.latencies)

    def percentile(self, share: float) -> float:
        ranked = sorted(self.latencies)
        return ranked[min(len(ranked) - 1, int(len(ranked) * share))] if ranked else 0.0


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.priority = ""
        self.due = 0.0
        self.received = b""

    def whole(self) -> bool:
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = self.received[:end].lower()
        size = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        return len(self.received) >= end + 4 + size


class OpenLoop:
    """Poisson arrivals of three priorities, on as many connections as it takes."""

    def __init__(self, peer: Peer, body: bytes, name: str, most: int = 4000) -> None:
        self.port = peer.port
        head = f"POST /v2/models/{name}/infer HTTP/1.1\r\nHost: localhost\r\nX-Request-Priority: "
        self.requests = {
            p: f"{head}{p}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            for p in PRIORITIES
        }
        self.most = most
        self.idle: list[Connection] = []
        self.busy: dict[int, Connection] = {}
        self.poll = select.epoll()

    def run(self, rate: float, seconds: float) -> Outcome:
        """Offers `rate` a second, then waits for what is still out."""
        outcome = Outcome()
        chance = random.Random(1)
        arrivals: deque[tuple[float, str]] = deque()
        due = 0.0
        while due < seconds:
            due += chance.expovariate(rate)
            arrivals.append((due, chance.choices(PRIORITIES, WEIGHTS)[0]))
        begin = time.perf_counter()
        while arrivals or self.busy:
            now = time.perf_counter() - begin
            while arrivals and arrivals[0][0] <= now:
                due, priority = arrivals.popleft()
                self.send(begin + due, priority, outcome)
                outcome.latest_send = max(outcome.latest_send, now - due)
            pause = max(0.0, arrivals[0][0] - now) if arrivals else 1.0
            for descriptor, _ in self.poll.poll(pause):
                self.receive(descriptor, outcome)
            if now > seconds + 60:
                raise SystemExit(f"{len(self.busy)} requests were not answered within a minute")
        outcome.seconds = time.perf_counter() - begin
        return outcome

    def send(self, due: float, priority: str, outcome: Outcome) -> None:
        outcome.offered += 1
        outcome.offered_by[priority] = outcome.offered_by.get(priority, 0) + 1
        if self.idle:
            connection = self.idle.pop()
        else:
            if len(self.busy) >= self.most:
                raise SystemExit(f"more than {self.most} requests are out: nothing is turned away")
            connection = Connection(self.port)
            self.poll.register(connection.socket.fileno(), select.EPOLLIN)
            outcome.connections += 1
        connection.priority, connection.due, connection.received = priority, due, b""
        self.busy[connection.socket.fileno()] = connection
        connection.socket.sendall(self.requests[priority])

    def receive(self, descriptor: int, outcome: Outcome) -> None:
        connection = self.busy[descriptor]
        connection.received += connection.socket.recv(65536)
        if not connection.received:
            raise SystemExit("the gateway closed a connection that waited for an answer")
        if not connection.whole():
            return
        status = int(connection.received[9:12])
        outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
        if status == 200:
            outcome.latencies.append(time.perf_counter() - connection.due)
            priority = connection.priority
            outcome.answered_by[priority] = outcome.answered_by.get(priority, 0) + 1
        elif b"retry-after: " not in connection.received:
            outcome.without_retry_after += 1
        del self.busy[descriptor]
        self.idle.append(connection)

    def close(self) -> None:
        for connection in self.idle:
            connection.socket.close()
        self.poll.close()
