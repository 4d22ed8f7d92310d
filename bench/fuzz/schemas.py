"""Values that fit the schemas of an OpenAPI document: mutations start from what is taken."""

from __future__ import annotations

import random
from typing import Any

#: By name of a member: what makes a request reach deeper than the reader.
FITTING: dict[str, list[Any]] = {
    # Jobs may start, and none does anything.
    "command": ["true"],
    "name": ["m", "fuzz", "a b"],
    "model": ["m/1", "m@x", "none/7"],
    "project": ["default", "other"],
    "environment": ["production", "staging"],
    "deployment": ["m"],
    "digest": ["0" * 64, "a" * 64],
    "url": ["http://127.0.0.1:9/"],
}


def value_for(
    schema: dict[str, Any], root: dict[str, Any], chance: random.Random, name: str = ""
) -> Any:
    """A value that `schema` describes; `root` resolves its references."""
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target.get(part, {})
        return value_for(target, root, chance, name)
    if name in FITTING and chance.random() < 0.9:
        return chance.choice(FITTING[name])
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return value_for(chance.choice(schema[choice]), root, chance, name)
    if "enum" in schema:
        return chance.choice(schema["enum"])
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = chance.choice(kind)
    if kind == "object":
        needed = set(schema.get("required", []))
        return {
            key: value_for(part, root, chance, key)
            for key, part in schema.get("properties", {}).items()
            if key in needed or chance.random() < 0.6
        }
    if kind == "array":
        return [
            value_for(schema.get("items", {}), root, chance, name)
            for _ in range(chance.randrange(3))
        ]
    plain: dict[str, Any] = {
        "integer": chance.choice([0, 1, 7, 100]),
        "number": chance.choice([0, 0.5, 1, 99.5]),
        "boolean": chance.random() < 0.5,
        "null": None,
    }
    return plain.get(kind, chance.choice(["a", "m", "1", "2026-01-01T00:00:00.000Z"]))
