"""Streams of predictions frame by frame: what no library of gRPC would send."""

from __future__ import annotations

import random
import struct

import pytest
from bare_http2 import (
    ACK,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    RESET,
    WINDOW,
    Connection,
    headers,
    packed,
    prefixed,
)
from protocol_gateway import Gateway
from stream_requests import INFER, STREAM, long_request, request


def count_messages(data: bytes | bytearray) -> int:
    count, place = 0, 0
    while place < len(data):
        place += 5 + int.from_bytes(data[place + 1 : place + 5], "big")
        count += 1
    assert place == len(data)
    return count


def opened(port: int, window: int = (1 << 31) - 1, **more: str) -> Connection:
    connection = Connection(port, window)
    connection.send(packed(HEADERS, END_HEADERS, 1, headers(STREAM, **more)))
    return connection


def test_a_message_that_does_not_come_whole_ends_its_stream_alone(strict_gateway: Gateway) -> None:
    whole = prefixed(request(1).SerializeToString())
    with opened(strict_gateway.grpc_port) as connection:
        connection.send(packed(DATA, 0, 1, whole + whole[:7]))
        assert connection.wait_for(DATA, 1).payload[:1] == b"\0"
        connection.wait_for(HEADERS, 1, END_STREAM)
        assert connection.wait_for(RESET, 1).payload == bytes(4)
        # The connection goes on, byte by byte if need be.
        connection.send(packed(HEADERS, END_HEADERS, 3, headers(STREAM)))
        for byte in whole:
            connection.send(packed(DATA, 0, 3, bytes([byte])))
        connection.wait_for(DATA, 3)


def test_an_end_within_a_message_is_told_behind_the_answers(gateway: Gateway) -> None:
    whole = prefixed(request(1).SerializeToString())
    with opened(gateway.grpc_port) as connection:
        connection.send(packed(DATA, END_STREAM, 1, whole + whole[:-1]))
        seen = []
        for frame in connection.frames():
            if frame.stream == 1:
                seen.append((frame.kind, frame.flags & END_STREAM))
            if frame.stream == 1 and frame.flags & END_STREAM and frame.kind == HEADERS:
                break
        kinds = [kind for kind in seen if kind[0] in (DATA, HEADERS)]
        assert kinds == [(HEADERS, 0), (DATA, 0), (HEADERS, END_STREAM)]


def test_a_deadline_of_the_stream_ends_it(gateway: Gateway) -> None:
    with opened(gateway.grpc_port, grpc_timeout="300m") as connection:
        connection.send(packed(DATA, 0, 1, prefixed(request(1).SerializeToString())))
        connection.wait_for(DATA, 1)
        connection.wait_for(HEADERS, 1, END_STREAM)


@pytest.mark.parametrize("flag", [1, 2, 255])
def test_a_prefix_that_is_none_ends_the_stream(gateway: Gateway, flag: int) -> None:
    with opened(gateway.grpc_port) as connection:
        connection.send(packed(DATA, 0, 1, bytes([flag]) + bytes(4)))
        connection.wait_for(HEADERS, 1, END_STREAM)
        connection.wait_for(RESET, 1)
        connection.send(packed(PING, 0, 0, b"are you?"))
        connection.wait_for(PING, 0)


def test_a_caller_that_takes_no_answers_is_not_asked_for_more(strict_gateway: Gateway) -> None:
    """Its window for answers is closed; it asks as much as it may."""
    before = strict_gateway.resident_megabytes()
    whole = prefixed(long_request())
    with opened(strict_gateway.grpc_port, window=0) as connection:
        left = 4 << 20
        block = whole * (16000 // len(whole))
        while left >= len(block):
            connection.send(packed(DATA, 0, 1, block))
            left -= len(block)
        connection.send(packed(PING, 0, 0, b"are you?"))
        renewed = 0
        for frame in connection.frames():
            if frame.kind == WINDOW and frame.stream == 1:
                renewed += int.from_bytes(frame.payload, "big")
            if frame.kind == PING:
                break
        # Some was answered and waits to be taken; the rest is not read.
        assert renewed < 4 << 20
        assert strict_gateway.resident_megabytes() < before + 60
        # Once it takes them, all are answered.
        asked = ((4 << 20) // len(block)) * (len(block) // len(whole))
        connection.send(packed(WINDOW, 0, 1, struct.pack(">I", (1 << 31) - 1)))
        connection.send(packed(WINDOW, 0, 0, struct.pack(">I", (1 << 31) - 1 - 65535)))
        connection.send(packed(DATA, END_STREAM, 1))
        received = bytearray()
        for frame in connection.frames():
            if frame.kind == DATA and frame.stream == 1:
                received += frame.payload
            if frame.kind == HEADERS and frame.stream == 1 and frame.flags & END_STREAM:
                break
        assert count_messages(received) == asked


def test_what_waits_on_many_streams_holds_their_connection_back(strict_gateway: Gateway) -> None:
    before = strict_gateway.resident_megabytes()
    whole = prefixed(long_request())
    block = whole * (16000 // len(whole))
    streams = range(1, 21, 2)
    with Connection(strict_gateway.grpc_port, window=0) as connection:
        may_send = 65535

        def wait() -> None:
            nonlocal may_send
            connection.send(packed(PING, 0, 0, b"are you?"))
            for frame in connection.frames():
                if frame.kind == WINDOW and frame.stream == 0:
                    may_send += int.from_bytes(frame.payload, "big")
                if frame.kind == PING and frame.flags & ACK:
                    return

        blocks = 0
        for stream in streams:
            connection.send(packed(HEADERS, END_HEADERS, stream, headers(STREAM)))
            for _ in range((4 << 20) // len(block)):
                if may_send < len(block):
                    wait()
                if may_send < len(block):
                    break
                connection.send(packed(DATA, 0, stream, block))
                may_send -= len(block)
                blocks += 1
        # Ten streams of four mebibytes were allowed, each by itself.
        assert blocks * len(block) < 24 << 20
        assert strict_gateway.resident_megabytes() < before + 100
        connection.send(packed(WINDOW, 0, 0, struct.pack(">I", (1 << 31) - 1 - 65535)))
        for stream in streams:
            connection.send(packed(WINDOW, 0, stream, struct.pack(">I", (1 << 31) - 1)))
            connection.send(packed(DATA, END_STREAM, stream))
        received = {stream: bytearray() for stream in streams}
        ends = 0
        for frame in connection.frames():
            if frame.kind == DATA:
                received[frame.stream] += frame.payload
            if frame.kind == HEADERS and frame.flags & END_STREAM:
                ends += 1
                if ends == len(streams):
                    break
        assert sum(map(count_messages, received.values())) == blocks * (len(block) // len(whole))


@pytest.mark.parametrize(("path", "flags"), [(STREAM, 0), (INFER, END_STREAM)])
def test_calls_that_are_given_up_at_any_moment_disturb_nobody(
    gateway: Gateway, path: str, flags: int
) -> None:
    """Also while what they were answered waits to be sent."""
    chance = random.Random(11)
    whole = prefixed(request(1).SerializeToString()) * (40 if path == STREAM else 1)
    with Connection(gateway.grpc_port) as connection:
        for stream in range(1, 1200, 2):
            part = whole[: chance.randrange(len(whole))] if path == STREAM else whole
            connection.send(packed(HEADERS, END_HEADERS, stream, headers(path)))
            connection.send(packed(DATA, flags, stream, part))
            connection.send(packed(RESET, 0, stream, struct.pack(">I", 8)))
        connection.send(packed(HEADERS, END_HEADERS, 1201, headers(path)))
        connection.send(packed(DATA, END_STREAM, 1201, whole))
        connection.wait_for(HEADERS, 1201, END_STREAM)
