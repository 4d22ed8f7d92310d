"""Messages on the socket: u32 length of the header, u64 length of the payload (both little-endian),
header JSON in UTF-8, payload bytes."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from aloft_models.tensors import Array, TensorError, decode, encode

_LENGTHS = struct.Struct("<IQ")
MAX_HEADER_BYTES = 16 << 20
MAX_PAYLOAD_BYTES = 4 << 30
# What a gateway takes of an answer (WorkerFrames.swift).
MAX_ANSWER_HEADER_BYTES = 16 << 20
MAX_ANSWER_BYTES = 1 << 30
# Before so many bytes have come no more memory is taken, whatever the length says.
_FIRST_BYTES = 1 << 20
# Python refuses to read longer whole numbers.
_LONGEST_WHOLE = 4000


class FrameError(Exception):
    """The stream is no longer in step; the connection has to end."""


def receive(connection: socket.socket) -> tuple[dict[str, Any], memoryview] | None:
    """The next message; None where the other side has closed between two messages."""
    start = _exactly(connection, _LENGTHS.size, at_start=True)
    if start is None:
        return None
    header_length, payload_length = _LENGTHS.unpack(start)
    if header_length > MAX_HEADER_BYTES or payload_length > MAX_PAYLOAD_BYTES:
        raise FrameError(f"a message of {header_length} and {payload_length} bytes is too large")
    header = _exactly(connection, header_length)
    payload = _exactly(connection, payload_length)
    assert header is not None
    assert payload is not None
    return _parsed(bytes(header)), payload


_ID = re.compile(rb'\{"id":(\d{1,18}),')
_MOST_KNOWN = 64
_LONGEST_KNOWN = 1 << 16
# What follows the identifier of earlier headers: those of one form are alike but for it.
_known: dict[bytes, dict[str, Any]] = {}


def _parsed(header: bytes) -> dict[str, Any]:
    """The header. Of those that are alike the parts are the same objects, which nobody changes."""
    found = _ID.match(header)
    if found is None or len(header) > _LONGEST_KNOWN:
        return _loaded(header)
    rest = header[found.end() :]
    if b'"id"' in rest:
        return _loaded(header)
    known = _known.get(rest)
    if known is None:
        known = _loaded(header)
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[rest] = known
    return {**known, "id": int(found[1])}


def _loaded(header: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(header, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"a header is no JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise FrameError("a header is no JSON object")
    return decoded


def _whole(text: str) -> int | float:
    return int(text) if len(text) <= _LONGEST_WHOLE else float(text)


def _exactly(connection: socket.socket, count: int, at_start: bool = False) -> memoryview | None:
    """So many bytes. The memory grows with what comes: a length is only what somebody says."""
    buffer = bytearray(min(count, _FIRST_BYTES))
    filled = 0
    while filled < count:
        if filled == len(buffer):
            buffer.extend(bytes(min(count - filled, filled)))
        with memoryview(buffer) as view, view[filled:] as rest:
            received = connection.recv_into(rest)
        if received == 0:
            if at_start and filled == 0:
                return None
            raise FrameError(
                f"the connection ended inside a message: {filled} of {count} bytes came"
            )
        filled += received
    return memoryview(buffer).toreadonly()


class Sender:
    """Writes whole messages; several threads may call it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, header: Mapping[str, Any], payload: bytes = b"") -> None:
        message = self._message(header, payload)
        with self._lock:
            self._connection.sendall(message)

    def send_all(self, messages: Sequence[tuple[Mapping[str, Any], bytes]]) -> None:
        """All at once where they are small; an answer that is too large becomes an error."""
        waiting: list[bytes] = []
        size = 0
        with self._lock:
            for header, payload in messages:
                try:
                    waiting.append(self._message(header, payload))
                except TensorError as error:
                    said = {"code": "answer_too_large", "message": str(error)}
                    waiting.append(self._message({"id": header.get("id"), "error": said}, b""))
                except (ValueError, TypeError, RecursionError) as error:
                    # Half a pair of surrogates, a number that JSON has not, an object in itself.
                    said = {
                        "code": "bad_answer",
                        "message": ascii(f"{type(error).__name__}: {error}"),
                    }
                    waiting.append(self._message({"id": header.get("id"), "error": said}, b""))
                size += len(waiting[-1])
                if size > _FIRST_BYTES:
                    self._connection.sendall(b"".join(waiting))
                    waiting, size = [], 0
            self._connection.sendall(b"".join(waiting))

    @staticmethod
    def _message(header: Mapping[str, Any], payload: bytes) -> bytes:
        text = json.dumps(header, ensure_ascii=False, allow_nan=False).encode()
        if len(text) > MAX_ANSWER_HEADER_BYTES or len(payload) > MAX_ANSWER_BYTES:
            raise TensorError(
                f"the answer takes {len(payload)} bytes and {len(text)} to describe it; at most "
                f"{MAX_ANSWER_BYTES} and {MAX_ANSWER_HEADER_BYTES} are taken"
            )
        return _LENGTHS.pack(len(text), len(payload)) + text + payload


def read_tensors(header: Mapping[str, Any], payload: memoryview) -> dict[str, Array]:
    """The inputs of a request; throws TensorError, naming the input that is wrong."""
    arrays: dict[str, Array] = {}
    inputs = header.get("inputs")
    if not isinstance(inputs, list):
        raise TensorError("the request has no list of inputs")
    for entry in inputs:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise TensorError("an input has no name")
        name = entry["name"]
        if name in arrays:
            raise TensorError(f"input {name!r} is given twice")
        offset, length = entry.get("offset"), entry.get("length")
        if not isinstance(offset, int) or not isinstance(length, int):
            raise TensorError(f"input {name!r} has no offset and length")
        if offset < 0 or length < 0 or offset + length > len(payload):
            raise TensorError(f"input {name!r} lies outside the payload")
        datatype, shape = entry.get("datatype"), entry.get("shape")
        if not isinstance(datatype, str) or not isinstance(shape, list):
            raise TensorError(f"input {name!r} has no datatype and shape")
        try:
            arrays[name] = decode(datatype, shape, payload[offset : offset + length])
        except TensorError as error:
            raise TensorError(f"input {name!r}: {error}") from error
    return arrays


def read_documents(header: Mapping[str, Any], payload: memoryview) -> list[tuple[memoryview, str]]:
    """The bodies of MLflow scoring that lie one behind the other, and their content types."""
    entries = header.get("documents")
    if not isinstance(entries, list):
        raise TensorError("the request has no list of documents")
    documents: list[tuple[memoryview, str]] = []
    start = 0
    for entry in entries:
        length = entry.get("length") if isinstance(entry, dict) else None
        if not isinstance(length, int) or length < 0 or length > len(payload) - start:
            raise TensorError("a document lies outside the payload")
        kind = entry.get("content_type")
        documents.append((payload[start : start + length], kind if isinstance(kind, str) else ""))
        start += length
    return documents


def write_tensors(arrays: Mapping[str, Array]) -> tuple[list[dict[str, Any]], bytes]:
    """The entries of a reply and the payload that they point into."""
    entries: list[dict[str, Any]] = []
    parts: list[bytes] = []
    offset = 0
    for name, array in arrays.items():
        datatype, data = encode(array)
        entries.append(
            {
                "name": name,
                "datatype": datatype,
                "shape": list(array.shape),
                "offset": offset,
                "length": len(data),
            }
        )
        parts.append(data)
        offset += len(data)
    return entries, b"".join(parts)
