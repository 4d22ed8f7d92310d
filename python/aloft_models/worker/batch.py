"""Requests that came together, asked in as few calls of the model as their forms allow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np

from aloft_models.missing import MARK
from aloft_models.tensors import Array

Arrays = Mapping[str, Array]
Predict = Callable[[Arrays, Mapping[str, Any]], dict[str, Array]]
_MARKS = (MARK, MARK.encode())


class Apart(Enum):
    """Why a request is to be asked by itself."""

    # No other has its form, or it has a missing text, which changes a column for all.
    FORM = "form"
    # The call failed: one of those in it is at fault.
    FAILED = "failed"
    # The answer has not one row for each.
    ROWS = "rows"


def ask_all(
    predict: Predict, requests: Sequence[tuple[Arrays, Mapping[str, Any]]]
) -> list[dict[str, Array] | Apart]:
    """The outputs for each, as far as one call could answer several."""
    found: list[dict[str, Array] | Apart] = [Apart.FORM] * len(requests)
    groups: dict[Any, list[int]] = {}
    for place, (arrays, parameters) in enumerate(requests):
        key = _form(arrays, parameters)
        if key is not None:
            groups.setdefault(key, []).append(place)
    for group in (group for group in groups.values() if len(group) > 1):
        for places in _alike([requests[place][0] for place in group]):
            if len(places) > 1:
                chosen = [group[place] for place in places]
                parameters = requests[chosen[0]][1]
                pieces = _together(predict, [requests[place][0] for place in chosen], parameters)
                for number, place in enumerate(chosen):
                    found[place] = pieces if isinstance(pieces, Apart) else pieces[number]
    return found


def stacked(
    arrays: Arrays, inputs: Sequence[Mapping[str, Any]], payloads: Sequence[memoryview]
) -> dict[str, Array] | None:
    """The inputs of requests whose headers are the same, joined: `arrays` are the first one's, and
    say what the bytes of all mean. None where they are to be read one by one."""
    size = len(payloads[0])
    if any(array.ndim == 0 or array.dtype.kind == "O" for array in arrays.values()):
        return None
    if len({len(array) for array in arrays.values()}) != 1 or size == 0:
        return None
    if any(len(payload) != size for payload in payloads):
        return None
    block = np.frombuffer(b"".join(payloads), dtype=np.uint8).reshape(len(payloads), size)
    joined = {}
    for entry in inputs:
        first = arrays[entry["name"]]
        part = np.ascontiguousarray(block[:, entry["offset"] : entry["offset"] + entry["length"]])
        joined[entry["name"]] = part.view(first.dtype).reshape(-1, *first.shape[1:])
        if first.dtype.kind == "f" and np.isnan(joined[entry["name"]]).any():
            return None
    return joined


def ask_stacked(
    predict: Predict, joined: Arrays, parameters: Mapping[str, Any], count: int
) -> list[dict[str, Array]] | Apart:
    """The outputs for each of so many requests with as many rows each."""
    rows = len(next(iter(joined.values()))) // count
    return _split(predict, joined, parameters, [rows] * count)


def _form(arrays: Arrays, parameters: Mapping[str, Any]) -> Any:
    """The same for requests that may go into one call; None where a request has no rows."""
    if not arrays or any(array.ndim == 0 for array in arrays.values()):
        return None
    if len({len(array) for array in arrays.values()}) != 1:
        return None
    shapes = tuple((name, array.dtype.str, array.shape[1:]) for name, array in arrays.items())
    return shapes, json.dumps(parameters, sort_keys=True) if parameters else ""


def _alike(requests: Sequence[Arrays]) -> list[list[int]]:
    """Those whose inputs lack a number are asked apart from those that have all, since a column of
    whole numbers is another one with a gap; those that lack a text, each by itself."""
    patterns: list[list[str]] = [[] for _ in requests]
    for name, first in requests[0].items():
        if first.dtype.kind == "f":
            joined = np.concatenate([one[name] for one in requests])
            if not np.isnan(joined).any():
                continue
            for place, one in enumerate(requests):
                if np.isnan(one[name]).any():
                    patterns[place].append(name)
        elif first.dtype.kind == "O":
            for place, one in enumerate(requests):
                if any(value in _MARKS for value in one[name].reshape(-1)):
                    patterns[place].append(f"{place} lacks {name}")
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, pattern in enumerate(patterns):
        groups.setdefault(tuple(pattern), []).append(place)
    return list(groups.values())


def _together(
    predict: Predict, requests: Sequence[Arrays], parameters: Mapping[str, Any]
) -> list[dict[str, Array]] | Apart:
    counts = [len(next(iter(arrays.values()))) for arrays in requests]
    joined = {name: np.concatenate([one[name] for one in requests]) for name in requests[0]}
    return _split(predict, joined, parameters, counts)


def _split(
    predict: Predict, joined: Arrays, parameters: Mapping[str, Any], counts: Sequence[int]
) -> list[dict[str, Array]] | Apart:
    try:
        outputs = predict(joined, parameters)
    except (Exception, SystemExit):  # each is told of its own
        return Apart.FAILED
    total = sum(counts)
    if any(array.ndim == 0 or len(array) != total for array in outputs.values()):
        return Apart.ROWS
    pieces, start = [], 0
    for count in counts:
        pieces.append({name: array[start : start + count] for name, array in outputs.items()})
        start += count
    return pieces
