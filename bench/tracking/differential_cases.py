"""What both servers are asked: every call with a good body, and each field of it made wrong.

Names in braces (`{run}`) stand for what `World` made on each of the two servers.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from differential_calls import ENDPOINTS, Endpoint


@dataclass
class Ask:
    """One request; `fresh` names what is made anew before it, since it changes or removes it."""

    method: str
    path: str
    body: Any = None
    query: list[tuple[str, str]] | None = None
    raw: str | None = None
    content_type: str = "application/json"
    fresh: tuple[str, ...] = ()
    label: str = ""
    # A value of another type than the field's, or no JSON object at all.
    is_other_type: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.path} {self.label}".strip()


WRONG_TEXTS: list[Any] = [
    7,
    1.5,
    True,
    [],
    {},
    "",
    " ",
    "é",
    "nicht/../da",
    "a" * 251,
    "a" * 501,
    "a" * 21_000,
    "x#y?z",
    "A:B",
]
WRONG_WHOLE: list[Any] = [
    "7",
    "x",
    1.5,
    1e300,
    "1e+05",
    "1.0",
    -1,
    0,
    2**31,
    2**63,
    2**70,
    True,
    [],
    {},
    "",
]
WRONG_NUMBERS: list[Any] = [
    "NaN",
    "Infinity",
    "-Infinity",
    "nan",
    "x",
    "1e5",
    "0.5",
    True,
    [],
    "",
    7,
]
WRONG_FLAGS: list[Any] = ["true", "x", 1, 0, "", []]
WRONG_LISTS: list[Any] = ["x", {}, [], 7, [None], ["x"], [7], [[]], [{}]]
WRONG_OBJECTS: list[Any] = ["x", [], {}, 7, [None]]
WRONG_QUERIES: list[str] = [
    "",
    " ",
    "x",
    "0",
    "-1",
    "1.5",
    "1e+05",
    "99999999",
    "9" * 20,
    "é",
    "a/../b",
    "True",
    "a" * 600,
]


def _spots(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if at:
        yield at, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _spots(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _spots(inner, (*at, index))


def _wrong(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return WRONG_FLAGS
    if isinstance(value, str):
        return WRONG_TEXTS
    if isinstance(value, int):
        return WRONG_WHOLE
    if isinstance(value, float):
        return WRONG_NUMBERS
    return WRONG_LISTS if isinstance(value, list) else WRONG_OBJECTS


def _changed(body: Any, at: tuple[Any, ...], value: Any, removes: bool = False) -> Any:
    body = copy.deepcopy(body)
    place = body
    for step in at[:-1]:
        place = place[step]
    if removes:
        del place[at[-1]]
    else:
        place[at[-1]] = value
    return body


def _spelled(at: tuple[Any, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at).lstrip(".")


def _is_other(good: Any, value: Any) -> bool:
    if isinstance(good, list) and isinstance(value, list):
        return bool(value) and bool(good) and type(value[0]) is not type(good[0])
    if isinstance(good, int | float) and not isinstance(good, bool):
        return isinstance(value, bool | list | dict | float) or value in {2**63, 2**70, "x", ""}
    return type(value) is not type(good)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 24 else f"{text[:12]}…({len(text)})"


def of_body(one: Endpoint) -> Iterator[Ask]:
    """The good body, and each of its members missing, null and of other kinds."""

    def ask(body: Any, label: str, **more: Any) -> Ask:
        return Ask(one.method, one.path, body=body, fresh=one.fresh, label=label, **more)

    yield ask(one.body, "")
    yield ask({**one.body, "no_such_field": {"a": [1]}}, "with an unknown field")
    if not one.body:
        return
    for text in ("", "{}", "null", "[]", '"x"', "7", "{", '{"a": }'):
        broken = text not in {"", "{}"}
        yield ask(None, f"body {text!r}", raw=text, is_other_type=broken)
    yield ask(None, "another content type", raw="{}", content_type="text/plain")
    for at, value in _spots(one.body):
        if not isinstance(at[-1], int):
            yield ask(_changed(one.body, at, None, removes=True), f"without {_spelled(at)}")
        in_list = isinstance(at[-1], int)
        yield ask(_changed(one.body, at, None), f"{_spelled(at)} null", is_other_type=in_list)
        for wrong in _wrong(value):
            label = f"{_spelled(at)} = {_short(wrong)}"
            yield ask(_changed(one.body, at, wrong), label, is_other_type=_is_other(value, wrong))


def of_query(one: Endpoint) -> Iterator[Ask]:
    """The good query, and each of its parameters missing, doubled and odd."""

    def ask(query: list[tuple[str, str]], label: str) -> Ask:
        return Ask(one.method, one.path, query=query, fresh=one.fresh, label=label)

    good = list(one.body.items())
    yield ask(good, "")
    yield ask([*good, ("no_such_field", "1")], "with an unknown parameter")
    for index, (name, value) in enumerate(good):
        rest = good[:index] + good[index + 1 :]
        yield ask(rest, f"without {name}")
        yield ask([*good, (name, value)], f"{name} twice")
        for wrong in WRONG_QUERIES:
            yield ask([*rest, (name, wrong)], f"{name} = {_short(wrong)}")


def grid() -> Iterator[Ask]:
    for one in ENDPOINTS:
        yield from of_query(one) if one.in_query else of_body(one)
