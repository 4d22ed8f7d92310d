"""What the worker makes of requests that came together, without a process."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from aloft_models.tensors import Array
from aloft_models.worker.frames import receive
from aloft_models.worker.server import Served, answer_all


class Model:
    """Sums two columns, refuses -1, and counts the rows of each call."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def predict(self, arrays: Mapping[str, Array], parameters: Mapping[str, Any]) -> Any:
        self.calls.append(len(arrays["a"]))
        if (arrays["a"] == -1).any():
            raise ValueError("no")
        return {"sum": arrays["a"][:, 0] + arrays["b"][:, 0] * parameters.get("by", 1)}

    @property
    def served(self) -> Served:
        return Served([], [], self.predict, lambda documents, together: [])


def message(identity: int, rows: list[float], parameters: dict[str, Any], extra: str = "") -> bytes:
    a, b = np.array(rows).tobytes(), np.arange(len(rows), dtype="<i8").tobytes()
    inputs = [
        {"name": name, "datatype": kind, "shape": [len(rows), 1], "offset": start, "length": len(a)}
        for name, kind, start in [("a", "FP64", 0), ("b", "INT64", len(a))]
    ]
    rest = json.dumps({"kind": "infer", "inputs": inputs, "parameters": parameters})[1:-1]
    header = f'{{"id":{identity},{rest}{extra}}}'.encode()
    return struct.pack("<IQ", len(header), len(a) * 2) + header + a + b


def asked(model: Model, messages: list[bytes]) -> dict[Any, Any]:
    ours, other = socket.socketpair()
    with ours, other:
        other.sendall(b"".join(messages))
        received = [receive(ours) for _ in messages]
    answers: dict[Any, Any] = {}
    for reply, data in answer_all(model.served, [one for one in received if one is not None]):
        values = np.frombuffer(data).tolist() if data else None
        answers[reply["id"]] = values or reply["error"]["message"]
    return answers


def test_requests_of_one_form_are_one_call() -> None:
    model = Model()
    messages = [message(number, [float(number)], {}) for number in range(1, 6)]
    messages += [message(6, [1.0, 2.0], {}), message(7, [3.0], {"by": 2})]
    found = asked(model, messages)
    assert found == {number: [float(number)] for number in range(1, 6)} | {6: [1.0, 3.0], 7: [3.0]}
    assert sorted(model.calls) == [1, 2, 5]


@pytest.mark.parametrize("count", [2, 7])
def test_one_at_fault_costs_the_others_a_call_of_their_own(count: int) -> None:
    model = Model()
    messages = [message(number, [float(number)], {}) for number in range(count)]
    found = asked(model, [*messages, message(99, [-1.0], {})])
    assert found.pop(99) == "ValueError: no"
    assert found == {number: [float(number)] for number in range(count)}
    assert model.calls == [count + 1] + [1] * (count + 1)


def test_those_that_lack_a_number_are_asked_apart_from_the_others() -> None:
    model = Model()
    rows = [1.0, float("nan"), 2.0, float("nan"), 3.0]
    found = asked(model, [message(number, [row], {}) for number, row in enumerate(rows)])
    assert [found[number] for number in (0, 2, 4)] == [[1.0], [2.0], [3.0]]
    assert sorted(model.calls) == [2, 3]


def test_an_identifier_that_is_said_twice_is_the_last_one() -> None:
    model = Model()
    messages = [message(1, [1.0], {}, extra=',"id":5'), message(2, [2.0], {}, extra=',"id":6')]
    assert asked(model, messages) == {5: [1.0], 6: [2.0]}
    twice = message(3, [3.0], {}, extra=',"id":3')
    again = message(4, [4.0], {}, extra=',"id":3')
    assert asked(model, [twice, again]).keys() == {3}
