"""Seeded mutation of JSON values and of bytes."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

#: Texts that readers of the field's formats have stumbled over.
HOSTILE_TEXTS = [
    "",
    "\x00",
    "a\x00b",
    "../../../../etc/passwd",
    "..\u0301/..\u0301/x",
    "/\u0301a",
    "%2e%2e%2f",
    "e\u0301",
    "\u00e9",
    "\u202egnp.exe",
    "\x1b[2J",
    "\ud800",
    "\U0010ffff",
    "\r\n",
    "'",
    '"',
    "`",
    "%",
    "_",
    "\\",
    "' OR 1=1 --",
    "NaN",
    "Infinity",
    "1e999",
    "-0",
    "9" * 400,
    "a" * 5000,
    "(a*)*b",
    "[" * 200,
    "mlflow-artifacts:/../x",
    "file:///etc/passwd",
    "runs:/x/..",
    "2026-02-30T25:61:61.000Z",
]

HOSTILE_NUMBERS: list[Any] = [
    0,
    -1,
    1,
    2**31 - 1,
    2**31,
    -(2**31) - 1,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    2**64,
    10**400,
    0.5,
    -0.0,
    1e-320,
    1e308,
]

#: Written as they stand: what `json.dumps` cannot say.
RAW_TOKENS = ["1e999", "-1e999", "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "0x10", "nul"]


def any_value(chance: random.Random, depth: int = 0) -> Any:
    """A value of any kind, small as a rule."""
    kind = chance.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return None
    if kind == 1:
        return chance.random() < 0.5
    if kind in (2, 3):
        return chance.choice(HOSTILE_NUMBERS)
    if kind in (4, 5):
        return chance.choice(HOSTILE_TEXTS)
    if kind == 6:
        return [any_value(chance, depth + 1) for _ in range(chance.randrange(5))]
    if kind == 7:
        return {
            chance.choice(HOSTILE_TEXTS)[:50]: any_value(chance, depth + 1)
            for _ in range(chance.randrange(4))
        }
    nested: Any = chance.choice([[], {}, 1])
    for _ in range(chance.choice([3, 30, 300])):
        nested = [nested] if chance.random() < 0.5 else {"a": nested}
    return nested


def mutate_value(value: Any, chance: random.Random) -> Any:
    """`value` with one to three places changed: replaced, removed, doubled or added."""
    value = copy.deepcopy(value)
    for _ in range(chance.randrange(1, 4)):
        value = _mutate_once(value, chance)
    return value


def _mutate_once(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(sorted(value, key=repr))
        action = chance.randrange(5)
        if action == 0:
            del value[key]
        elif action == 1:
            value[chance.choice(HOSTILE_TEXTS)[:50]] = any_value(chance)
        else:
            value[key] = _mutate_once(value[key], chance)
        return value
    if isinstance(value, list) and value and chance.random() < 0.85:
        index = chance.randrange(len(value))
        action = chance.randrange(5)
        if action == 0:
            del value[index]
        elif action == 1:
            value.insert(index, copy.deepcopy(value[index]))
        elif action == 2:
            value.append(any_value(chance))
        else:
            value[index] = _mutate_once(value[index], chance)
        return value
    if isinstance(value, str) and chance.random() < 0.5:
        at = chance.randrange(len(value) + 1)
        return value[:at] + chance.choice(HOSTILE_TEXTS) + value[at:]
    return any_value(chance)


def json_bytes(value: Any, chance: random.Random) -> bytes:
    """`value` as JSON text, in one case of six with damage that no value can express."""
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5)
    data = text.encode("utf-8", "surrogatepass")
    if chance.random() < 1 / 6:
        if chance.random() < 0.3:
            token = chance.choice(RAW_TOKENS).encode()
            return data.replace(b"1", token, 1)
        return mutate_bytes(data, chance)
    return data


def mutate_bytes(data: bytes, chance: random.Random) -> bytes:
    """`data` with one to four bytes or stretches flipped, cut, doubled or put in."""
    out = bytearray(data)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(out) + 1)
        action = chance.randrange(6)
        if action == 0 and out:
            out[at % len(out)] ^= 1 << chance.randrange(8)
        elif action == 1:
            out[at:at] = chance.randbytes(chance.randrange(1, 5))
        elif action == 2:
            del out[at : at + chance.randrange(1, 9)]
        elif action == 3:
            out[at:at] = out[at : at + chance.randrange(1, 65)]
        elif action == 4:
            del out[at:]
        elif out:
            out[at % len(out)] = chance.choice([0, 0x7F, 0x80, 0xFF, 0x22, 0x5B, 0x7B])
    return bytes(out)
