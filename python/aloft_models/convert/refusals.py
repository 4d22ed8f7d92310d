"""What the original refuses, as rules for the gateway, which checks them before it asks the
converted model."""

from __future__ import annotations

import math
from typing import Any

from aloft_models.convert.dangerous import Dangerous
from aloft_models.convert.layout import Layout
from aloft_models.inputs import UNNAMED
from aloft_models.manifest import DOUBLE_LIMIT, Refused

# As of here a double is infinite as a 32-bit float.
_SINGLE_LIMIT = math.nextafter(3.4028235677973366e38, 0)
_PLACE_OF_VALUE = "{value}"


def rules(rows: Dangerous, refused: dict[int, str], layout: Layout) -> list[Refused]:
    """From the rows with one odd value; whether they say all is seen when all rows are judged."""
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
        if columns:
            whole = len(columns) == len(tried)
            found += _of_kind(kind, columns, whole, rows, refused, layout)
    return found


def _value(rows: Dangerous, row: int, column: int) -> Any:
    table = rows.rows
    return table.iloc[row, column] if hasattr(table, "iloc") else table[row, column]


def _of_kind(
    kind: str, columns: dict[int, str], whole: bool, rows: Dangerous, refused: dict[int, str],
    layout: Layout,
) -> list[Refused]:  # fmt: skip
    made = []
    for name, places, said in _inputs(columns, whole, layout):
        match kind:
            case "missing" | "missing text":
                made.append(Refused(name, "missing", said, columns=places))
            case "infinite":
                huge = [one for one in rows.odd if one.kind == "huge" and one.column in columns]
                single = bool(huge) and all(one.row in refused for one in huge)
                limit = _SINGLE_LIMIT if single else DOUBLE_LIMIT
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
