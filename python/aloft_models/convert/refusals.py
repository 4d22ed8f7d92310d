"""What the original refuses, as rules for the gateway, which checks them before it asks the
converted model."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.convert.dangerous import Dangerous
from aloft_models.convert.layout import Layout
from aloft_models.inputs import UNNAMED
from aloft_models.manifest import DOUBLE_LIMIT, Refused

# As of here a double is infinite as a 32-bit float.
_SINGLE_LIMIT = math.nextafter(3.4028235677973366e38, 0)
_PLACE_OF_VALUE = "{value}"


def rules(
    rows: Dangerous, refused: dict[int, str], layout: Layout, refuses: Callable[[Any], bool]
) -> list[Refused]:
    """From the rows with one odd value; whether they say all is seen when all rows are judged.
    `refuses` asks the original about a row."""
    found: list[Refused] = []
    for kind in ("missing", "infinite", "missing text", "unknown text"):
        columns: dict[int, str] = {}
        odd = [one for one in rows.odd if one.kind == kind]
        tried = {one.column for one in odd}
        for one in odd:
            if one.row not in refused:
                continue
            said = refused[one.row]
            value = str(_value(rows, one.row, one.column))
            if kind == "unknown text" and len(value) > 5 and value in said:
                columns[one.column] = said.replace(value, _PLACE_OF_VALUE, 1)
            columns.setdefault(one.column, said)
        limits = _limits(rows, columns, refused, refuses) if kind == "infinite" else {}
        groups: list[float | None] = [*sorted(set(limits.values()))]
        for limit in groups or [None]:
            some = {one: said for one, said in columns.items() if limits.get(one) == limit}
            if some:
                whole = len(some) == len(tried)
                found += _of_kind(kind, some, whole, rows, refused, layout, limit)
    return found


def _limits(
    rows: Dangerous, columns: dict[int, str], refused: dict[int, str],
    refuses: Callable[[Any], bool],
) -> dict[int, float]:  # fmt: skip
    """Column → the size beyond which its numbers are refused."""
    found = dict.fromkeys(columns, DOUBLE_LIMIT)
    for one in rows.odd:
        if one.kind == "huge" and one.row in refused and one.column in found:
            limit = _limit(rows, one.row, one.column, refuses)
            found[one.column] = min(found[one.column], limit)
    return found


def _limit(rows: Dangerous, row: int, column: int, refuses: Callable[[Any], bool]) -> float:
    """By halving. What computes before it casts to 32 bits refuses what only then is infinite."""
    sign = math.copysign(1.0, float(_value(rows, row, column)))

    def refuses_size(size: float) -> bool:
        return refuses(_with(rows.rows, row, column, sign * size))

    if not refuses_size(_SINGLE_LIMIT):
        return _SINGLE_LIMIT
    low, high = _bits(1.0), _bits(_SINGLE_LIMIT)
    if refuses_size(1.0):
        return _SINGLE_LIMIT  # it refuses this row for another reason
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refuses_size(_number(middle)) else (middle, high)
    return _number(low)


def _bits(number: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", number))[0])


def _number(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<q", bits))[0])


def _with(rows: Any, row: int, column: int, value: float) -> Any:
    """One row with another number."""
    if isinstance(rows, pd.DataFrame):
        made = rows.iloc[[row]].reset_index(drop=True)
        name = made.columns[column]
        made[name] = pd.Series([value], dtype=rows.iloc[:, column].dtype)
        return made
    changed = np.array(rows[row : row + 1])
    changed[0, column] = value
    return changed


def _value(rows: Dangerous, row: int, column: int) -> Any:
    table = rows.rows
    return table.iloc[row, column] if hasattr(table, "iloc") else table[row, column]


def _of_kind(
    kind: str, columns: dict[int, str], whole: bool, rows: Dangerous, refused: dict[int, str],
    layout: Layout, limit: float | None,
) -> list[Refused]:  # fmt: skip
    made = []
    for name, places, said in _inputs(columns, whole, layout):
        match kind:
            case "missing" | "missing text":
                made.append(Refused(name, "missing", said, columns=places))
            case "infinite":
                made.append(Refused(name, "beyond", said, columns=places, limit=limit))
            case _:
                column = next(iter(columns)) if layout.single else _place(layout, name)
                known = [*rows.marks.texts.get(column, []), *_taken(rows, column, refused)]
                made.append(Refused(name, "unknown", said, columns=places, known=known))
    return made


def _taken(rows: Dangerous, column: int, refused: dict[int, str]) -> list[str]:
    """Texts that no encoder lists and the original takes all the same."""
    return [
        str(_value(rows, one.row, one.column))
        for one in rows.odd
        if one.kind == "unknown text" and one.column == column and one.row not in refused
    ]


def _place(layout: Layout, name: str) -> int:
    return next(place for place, column in enumerate(layout.columns) if column.name == name)


def _inputs(
    columns: dict[int, str], whole: bool, layout: Layout
) -> list[tuple[str, list[int] | None, str]]:
    if layout.single:
        said = next(iter(columns.values()))
        return [(UNNAMED, None if whole else sorted(columns), said)]
    return [(layout.columns[place].name, None, said) for place, said in columns.items()]
