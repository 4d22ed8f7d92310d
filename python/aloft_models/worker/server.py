"""The worker's sockets: one thread a connection reads, one thread of all predicts."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aloft_models.invocations import Refused, Unwritable, WrongType
from aloft_models.manifest import Tensor
from aloft_models.tensors import Array, TensorError
from aloft_models.worker import batch
from aloft_models.worker.frames import (
    FrameError,
    Sender,
    read_documents,
    read_tensors,
    receive,
    write_tensors,
)

log = logging.getLogger("aloft.worker")
_PARENT_CHECK_SECONDS = 0.5


@dataclass(frozen=True)
class Served:
    """A loaded model: what it takes, what it gives (as far as is known) and how to ask it."""

    inputs: list[Tensor]
    outputs: list[Tensor]
    predict: Callable[[Mapping[str, Array], Mapping[str, Any]], dict[str, Array]]
    # The same for bodies of MLflow scoring and their content types: the text for each, or what
    # is wrong. True lets rows of several callers go into one call.
    invoke: Callable[[Sequence[tuple[memoryview, str]], bool], list[bytes | Exception]]


class BadRequest(Exception):
    """The caller's fault; the message says what would be right."""


Message = tuple[dict[str, Any], memoryview]
_MOST_IN_A_BATCH = 4096


@dataclass(frozen=True)
class _Request:
    """What one call of the model is to answer, if the forms allow it."""

    sender: Sender
    messages: list[Message]


class WorkerServer:
    """Listens at once, so that a caller may connect while the model is still being loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        os.chmod(path, 0o600)
        self._listener.listen(16)
        self._requests: queue.Queue[_Request] = queue.Queue(maxsize=256)

    def refuse(self, code: str, message: str, patience_seconds: float = 30) -> None:
        """Tells the first who connects that the model cannot be served."""
        self._listener.settimeout(patience_seconds)
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            with connection:
                error = {"code": code, "message": message}
                Sender(connection).send({"kind": "failed", "error": error})
        self.close()

    def serve(self, model: Served) -> None:
        """Answers until the process ends."""
        threading.Thread(target=self._predict, args=(model,), daemon=True).start()
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._read, args=(connection, model), daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _read(self, connection: socket.socket, model: Served) -> None:
        sender = Sender(connection)
        with connection:
            try:
                sender.send(
                    {
                        "kind": "ready",
                        "inputs": [tensor.as_json() for tensor in model.inputs],
                        "outputs": [tensor.as_json() for tensor in model.outputs],
                    }
                )
                while (message := receive(connection)) is not None:
                    self._take(sender, connection, *message)
            except FrameError as error:
                log.warning("connection closed: %s", error)
            except OSError as error:
                log.info("connection lost: %s", error)

    def _take(
        self,
        sender: Sender,
        connection: socket.socket,
        header: dict[str, Any],
        payload: memoryview,
    ) -> None:
        kind = header.get("kind", "infer")
        if kind == "ping":
            sender.send({"kind": "pong"} | ({"id": header["id"]} if "id" in header else {}))
        elif kind in ("infer", "invocations"):
            self._requests.put(_Request(sender, [(header, payload)]))
        elif kind == "batch":
            self._requests.put(_Request(sender, _followers(connection, header)))
        else:
            error = {"code": "unknown_kind", "message": f"there is no message of kind {kind!r}"}
            sender.send({"id": header.get("id"), "error": error})

    def _predict(self, model: Served) -> None:
        while True:
            request = self._requests.get()
            try:
                replies = answer_all(model, request.messages)
            except (Exception, SystemExit) as error:  # the one thread that answers goes on
                failure = _failure(error)
                replies = [
                    ({"id": one.get("id"), "error": failure}, b"") for one, _ in request.messages
                ]
            with contextlib.suppress(OSError):  # whoever asked may have gone
                request.sender.send_all(replies)


def _followers(connection: socket.socket, header: Mapping[str, Any]) -> list[Message]:
    """The messages of a batch, which come behind its own."""
    count = header.get("count")
    if not isinstance(count, int) or not 1 <= count <= _MOST_IN_A_BATCH:
        raise FrameError(f"a batch of {count!r} messages")
    messages: list[Message] = []
    while len(messages) < count:
        message = receive(connection)
        if message is None:
            raise FrameError(f"the connection ended after {len(messages)} of {count} messages")
        messages.append(message)
    return messages


Reply = tuple[dict[str, Any], bytes]


def answer_all(model: Served, messages: list[Message]) -> list[Reply]:
    """The replies in their order. Requests of one form share a call of the model."""
    replies: list[Reply | None] = [None] * len(messages)
    if len(messages) > 1:
        _share(model, messages, replies)
        _score_together(model, messages, replies)
    return [reply or answer(model, *messages[place]) for place, reply in enumerate(replies)]


def _share(model: Served, messages: list[Message], replies: list[Reply | None]) -> None:
    """Answers the requests with tensors whose form another one has, too."""
    tensors: list[int] = []
    alike: dict[int, list[int]] = {}
    for place, (header, _) in enumerate(messages):
        if header.get("kind") != "invocations" and isinstance(header.get("parameters") or {}, dict):
            tensors.append(place)
            alike.setdefault(id(header.get("inputs")), []).append(place)
    alone: set[int] = set()
    for places in alike.values():
        if len(places) > 1 and not _share_stacked(model, messages, places, replies):
            alone.update(places)
    requests: list[tuple[dict[str, Array], dict[str, Any]]] = []
    left: list[int] = []
    for place in tensors:
        if replies[place] is None and place not in alone:
            with contextlib.suppress(TensorError):  # said again by `answer`, to whom it belongs
                requests.append((read_tensors(*messages[place]), _parameters(messages[place])))
                left.append(place)
    for place, outputs in zip(left, batch.ask_all(model.predict, requests), strict=True):
        if not isinstance(outputs, batch.Apart):
            _write(messages, place, outputs, replies)


def _share_stacked(
    model: Served, messages: list[Message], places: list[int], replies: list[Reply | None]
) -> bool:
    """The same for those whose headers are the same but for the identifier. False where they have
    to be asked one by one."""
    header, payload = messages[places[0]]
    parameters = _parameters(messages[places[0]])
    if any(_parameters(messages[place]) != parameters for place in places):
        return True
    try:
        arrays = read_tensors(header, payload)
    except TensorError:
        return False
    payloads = [messages[place][1] for place in places]
    joined = batch.stacked(arrays, header["inputs"], payloads)
    if joined is None:
        return True
    pieces = batch.ask_stacked(model.predict, joined, parameters, len(places))
    if isinstance(pieces, batch.Apart):
        return False
    for place, outputs in zip(places, pieces, strict=True):
        _write(messages, place, outputs, replies)
    return True


def _parameters(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = message[0].get("parameters") or {}
    return found


def _write(
    messages: list[Message], place: int, outputs: dict[str, Array], replies: list[Reply | None]
) -> None:
    with contextlib.suppress(Exception):  # said again by `answer`, to whom it belongs
        entries, data = write_tensors(outputs)
        replies[place] = {"id": messages[place][0].get("id"), "outputs": entries}, data


def _score_together(model: Served, messages: list[Message], replies: list[Reply | None]) -> None:
    """The same for bodies of MLflow scoring."""
    asked: list[tuple[int, list[tuple[memoryview, str]]]] = []
    for place, (header, payload) in enumerate(messages):
        if header.get("kind") == "invocations":
            with contextlib.suppress(TensorError):
                asked.append((place, read_documents(header, payload)))
    if len(asked) < 2:
        return
    try:
        outcomes = model.invoke([one for _, documents in asked for one in documents], True)
    except (Exception, SystemExit):  # each is told of its own
        return
    start = 0
    for place, documents in asked:
        end = start + len(documents)
        replies[place] = _scored_reply(messages[place][0].get("id"), outcomes[start:end])
        start = end


def answer(model: Served, header: Mapping[str, Any], payload: memoryview) -> Reply:
    """The reply to one request; a request can be wrong or the model can fail, never the worker."""
    identity = header.get("id")
    try:
        if header.get("kind") == "invocations":
            return _scored(model, header, payload)
        parameters = header.get("parameters") or {}
        if not isinstance(parameters, dict):
            raise TensorError("parameters are no JSON object")
        outputs = model.predict(read_tensors(header, payload), parameters)
        entries, data = write_tensors(outputs)
        return {"id": identity, "outputs": entries}, data
    except (Exception, SystemExit) as error:  # a stranger's model may raise anything
        return {"id": identity, "error": _failure(error)}, b""


def _scored(model: Served, header: Mapping[str, Any], payload: memoryview) -> Reply:
    outcomes = model.invoke(read_documents(header, payload), header.get("together") is True)
    return _scored_reply(header.get("id"), outcomes)


def _scored_reply(identity: object, outcomes: list[bytes | Exception]) -> Reply:
    """The reply to bodies of MLflow scoring, in their order: each text's length, or an error."""
    texts: list[bytes] = []
    entries: list[dict[str, Any]] = []
    for outcome in outcomes:
        if isinstance(outcome, bytes):
            texts.append(outcome)
            entries.append({"length": len(outcome)})
        else:
            entries.append({"error": _failure(outcome)})
    return {"id": identity, "kind": "scored", "documents": entries}, b"".join(texts)


def _failure(error: BaseException) -> dict[str, str]:
    codes: list[tuple[type[BaseException], str]] = [
        (TensorError, "invalid_request"),
        (BadRequest, "invalid_request"),
        (Refused, "invalid_body"),
        (WrongType, "wrong_type"),
        (Unwritable, "answer_unwritable"),
    ]
    for kind, code in codes:
        if isinstance(error, kind):
            return {"code": code, "message": str(error)[:2000]}
    log.error("the model failed", exc_info=error)
    return {"code": "model_failed", "message": f"{type(error).__name__}: {error}"[:2000]}


def end_with_parent(parent: int) -> None:
    """Ends this process soon after process `parent` is gone, however it went."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_SECONDS)
        log.warning("the parent process is gone; ending")
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
