"""Rows on which a conversion could go wrong: made from what the fitted model itself knows.

The same model always gets the same rows. A row either keeps to what the model was fitted for, in
`plain`, or has one value that a model may refuse, in `odd`, with a word for it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.convert.marks import Marks, marks_of
from aloft_models.convert.rows import Rows
from aloft_models.convert.words import UNKNOWN, texts_like
from aloft_models.missing import is_missing

LEAST = 2000
MOST_COLUMNS = 40
SEED = 20130101
WHOLE = [float(sign * (1 << power) + off) for power in (24, 53) for off in (-1, 0, 1)
         for sign in (1, -1)]  # fmt: skip
HUGE = 3.5e38
_TINY = 1e-300


@dataclass(frozen=True)
class Odd:
    """A row with one value that the original may refuse."""

    row: int
    column: int
    # missing, infinite, huge, missing text, unknown text; or side, of a decision
    kind: str


@dataclass
class Dangerous:
    """`rows` is a table or an array; the first `plain` of them are plain."""

    rows: Any
    plain: int
    odd: list[Odd]
    marks: Marks
    covered: list[str] = field(default_factory=list)
    # All columns are looked at in `odd`, not a sample of them.
    is_whole: bool = True

    def extend(self, more: Any, kind: str) -> range:
        """Adds rows, and returns where they are."""
        start = len(self.rows)
        if isinstance(self.rows, pd.DataFrame):
            self.rows = pd.concat([self.rows, more], ignore_index=True)
        else:
            self.rows = np.concatenate([self.rows, more])
        added = range(start, len(self.rows))
        self.odd += [Odd(row, 0, kind) for row in added]
        self.covered.append(f"{len(added)} rows beside a decision")
        return added

    def digest(self) -> str:
        hasher = hashlib.sha256()
        table = self.rows if isinstance(self.rows, pd.DataFrame) else pd.DataFrame(self.rows)
        for name in table.columns:
            values = table[name].tolist()
            hasher.update(f"{name}\n{table[name].dtype}\n{values!r}\n".encode(errors="replace"))
        return hasher.hexdigest()


def dangerous(
    rows: Rows, model: Any, missing_text: Any = None, seed: int = SEED, least: int = LEAST
) -> Dangerous:
    """`missing_text` is what missing text is in the original's eyes: None or NaN."""
    chance = np.random.default_rng(seed)
    table = _joined(rows, missing_text)
    marks = marks_of(model, list(table.columns))
    makers = [_Column(table.iloc[:, place], place, marks) for place in range(table.shape[1])]
    parts = [table, *_zeros(table, makers), *_whole(table, makers, chance)]
    parts.append(_each_mark(table, makers, chance))
    count = max(300, least - sum(len(part) for part in parts))
    parts.append(_mixed(table, makers, chance, count))
    plain = _one(parts, table)
    odd_rows, odd = _odd(table, makers, chance, missing_text, len(plain))
    whole = _one([plain, odd_rows], table) if len(odd_rows) else plain
    found = Dangerous(_as_given(whole, rows.real), len(plain), odd, marks,
                      is_whole=len(makers) <= MOST_COLUMNS)  # fmt: skip
    found.covered = _covered(found, makers, len(rows.real))
    return found


def _joined(rows: Rows, missing_text: Any) -> pd.DataFrame:
    """Missing text as a request would have it."""
    parts = [one if isinstance(one, pd.DataFrame) else pd.DataFrame(one)
             for one in (rows.real, rows.more)]  # fmt: skip
    joined = pd.concat(parts, ignore_index=True)
    for name in joined.columns:
        if joined[name].dtype.kind not in "biuf" or not isinstance(joined[name].dtype, np.dtype):
            joined[name] = pd.Series(
                [missing_text if is_missing(value) else value for value in joined[name]],
                dtype=object,
            )
    return joined


def _as_given(table: pd.DataFrame, given: Any) -> Any:
    return table if isinstance(given, pd.DataFrame) else table.to_numpy(dtype=given.dtype)


class _Column:
    """What is to be tried in one column."""

    def __init__(self, values: pd.Series, place: int, marks: Marks) -> None:
        self.place = place
        self.kind = values.dtype.kind
        self.dtype = values.dtype
        self.marks: list[Any] = []
        self.texts = list(dict.fromkeys(marks.texts.get(place, [])))
        self.rare = marks.rare.get(place, [])
        self.words = marks.words.get(place, [])
        if self.kind == "f":
            numbers = sorted(marks.numbers.get(place, ()))
            self.marks = [near for number in numbers for near in neighbours(number)]
        elif self.kind in "iu":
            self.marks = self._whole_numbers(marks.numbers.get(place, ()))
        elif self.kind == "O":
            seen = [value for value in values.unique() if isinstance(value, str)]
            self.marks = list(dict.fromkeys([*self.texts, *(() if self.texts else seen)]))

    def _whole_numbers(self, numbers: Any) -> list[int]:
        limits = np.iinfo(self.dtype)
        near = {math.floor(number) + step for number in numbers for step in (-1, 0, 1, 2)}
        return sorted(one for one in near if limits.min <= one <= limits.max)

    def takes(self, number: float) -> bool:
        if self.kind in "iu":
            limits = np.iinfo(self.dtype)
            return number.is_integer() and limits.min <= number <= limits.max
        return bool(self.kind == "f")

    def draw(self, chance: np.random.Generator) -> Any:
        if self.words:
            return texts_like(self.words, chance)
        return self.marks[int(chance.integers(len(self.marks)))]

    @property
    def can_draw(self) -> bool:
        return bool(self.words or self.marks)


def neighbours(number: float) -> list[float]:
    """The number, those beside it as doubles, and those beside it as 32-bit floats."""
    with np.errstate(over="ignore"):
        single = np.float32(number)
    around = [
        number, np.nextafter(number, -np.inf), np.nextafter(number, np.inf), single,
        np.nextafter(single, np.float32(-np.inf)), np.nextafter(single, np.float32(np.inf)),
    ]  # fmt: skip
    # Beside zero the smallest number that every machine computes with.
    tiny = [math.copysign(_TINY, one) if 0 < abs(one) < _TINY else one for one in around]
    return [float(one) for one in tiny if np.isfinite(one)]


def _changed(table: pd.DataFrame, changes: list[dict[int, Any]], chance: Any) -> pd.DataFrame:
    """A row of the table for each, with these values at these places."""
    picked = chance.integers(0, len(table), len(changes))
    made = {}
    for place, name in enumerate(table.columns):
        values = table.iloc[:, place].to_numpy()[picked].copy()
        for row, change in enumerate(changes):
            if place in change:
                values[row] = change[place]
        made[name] = pd.Series(values, dtype=table.iloc[:, place].dtype)
    return pd.DataFrame(made)


def _zeros(table: pd.DataFrame, makers: list[_Column]) -> list[pd.DataFrame]:
    numbers = [one.place for one in makers if one.kind in "iuf"]
    changes = [dict.fromkeys(numbers, zero) for zero in (0.0, -0.0)]
    for place in numbers[:MOST_COLUMNS]:
        changes += [{place: 0.0}, {place: -0.0}]
    return [_changed(table, changes, np.random.default_rng(1))] if numbers else []


def _whole(
    table: pd.DataFrame, makers: list[_Column], chance: np.random.Generator
) -> list[pd.DataFrame]:
    changes = []
    for maker in makers[:MOST_COLUMNS]:
        changes += [{maker.place: number} for number in WHOLE if maker.takes(number)]
    if len(changes) > 300:
        changes = [changes[index] for index in chance.permutation(len(changes))[:300]]
    return [_changed(table, changes, chance)] if changes else []


def _each_mark(
    table: pd.DataFrame, makers: list[_Column], chance: np.random.Generator, most: int = 900
) -> pd.DataFrame:
    """A row for each mark alone, as many as there is room for, the columns in turn."""
    changes: list[dict[int, Any]] = []
    waiting = {maker.place: [maker.marks[i] for i in chance.permutation(len(maker.marks))]
               for maker in makers if maker.marks}  # fmt: skip
    while waiting and len(changes) < most:
        for place in list(waiting):
            changes.append({place: waiting[place].pop()})
            if not waiting[place]:
                del waiting[place]
    return _changed(table, changes[:most], chance)


def _mixed(
    table: pd.DataFrame, makers: list[_Column], chance: np.random.Generator, count: int
) -> pd.DataFrame:
    """Marks of several columns at once."""
    changes = []
    for row in range(count):
        share = (0.3, 0.7, 1.0)[row % 3]
        changes.append({maker.place: maker.draw(chance) for maker in makers
                        if maker.can_draw and chance.random() < share})  # fmt: skip
    return _changed(table, changes, chance)


def _odd(
    table: pd.DataFrame,
    makers: list[_Column],
    chance: np.random.Generator,
    missing: Any,
    start: int,
) -> tuple[pd.DataFrame, list[Odd]]:
    step = max(1, len(makers) // MOST_COLUMNS)
    changes: list[dict[int, Any]] = []
    odd: list[Odd] = []

    def add(maker: _Column, value: Any, kind: str) -> None:
        odd.append(Odd(start + len(changes), maker.place, kind))
        changes.append({maker.place: value})

    for maker in makers[::step]:
        if maker.kind == "f":
            add(maker, math.nan, "missing")
            for value in (math.inf, -math.inf):
                add(maker, value, "infinite")
            for value in (HUGE, -HUGE):
                if np.isfinite(np.asarray(value, dtype=maker.dtype)):
                    add(maker, value, "huge")
        elif maker.kind == "O":
            add(maker, missing, "missing text")
            if not maker.words:
                for text in dict.fromkeys([*UNKNOWN, *maker.rare, *_cousins(maker.marks)]):
                    if text not in maker.marks:
                        add(maker, text, "unknown text")
    reals = [one for one in makers if one.kind == "f"]
    for _ in range(40 if len(reals) > 1 else 0):
        picked = [one.place for one in reals if chance.random() < 0.3] or [reals[0].place]
        odd.append(Odd(start + len(changes), picked[0], "missing"))
        changes.append(dict.fromkeys(picked, math.nan))
    return _changed(table, changes, chance), odd


def _cousins(texts: list[Any]) -> list[str]:
    """Spellings that are near to a known one and are not it."""
    near = []
    for text in [one for one in texts if isinstance(one, str)][:2]:
        near += [text.swapcase(), f" {text}", text[:-1]]
    return near


def _one(parts: list[pd.DataFrame], like: pd.DataFrame) -> pd.DataFrame:
    made = {}
    for place, name in enumerate(like.columns):
        values = np.concatenate([part.iloc[:, place].to_numpy() for part in parts if len(part)])
        dtype = like.iloc[:, place].dtype
        made[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(made)


def _covered(found: Dangerous, makers: list[_Column], logged: int) -> list[str]:
    said = [f"{logged} logged or first rows", "zero and negative zero"]
    said += [f"{count} {kind}" for kind, count in sorted(found.marks.kinds.items())]
    if any(maker.kind in "iuf" for maker in makers):
        said.append("whole numbers at 2^24 and 2^53")
    for kind, phrase in (
        ("missing", "missing numbers"), ("infinite", "infinities"),
        ("huge", "numbers beyond 32 bits"), ("missing text", "missing text"),
        ("unknown text", "unknown and empty text"),
    ):  # fmt: skip
        columns = len({one.column for one in found.odd if one.kind == kind})
        if columns:
            said.append(f"{phrase} in {columns} column{'s' if columns > 1 else ''}")
    if any(maker.words for maker in makers):
        said.append("letters beyond ASCII, both cases, repeated words, empty text")
    return said
