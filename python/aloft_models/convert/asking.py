"""What the original answers to rows of which it may refuse some, and with which words."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.convert.dangerous import SEED, Dangerous
from aloft_models.convert.failures import NotConvertible
from aloft_models.convert.sides import sides
from aloft_models.tensors import Array

Ask = Callable[[Any], dict[str, Array]]
MOST_CALLS = 900


@dataclass
class Answers:
    """`outputs` has a row for each of `answered`, in their order; `refused` the words for the
    rest."""

    answered: Array
    outputs: dict[str, Array]
    refused: dict[int, str]

    def without(self, rows: Array) -> Answers:
        """Leaves out what this mask of all rows says."""
        kept = ~rows[self.answered]
        outputs = {name: array[kept] for name, array in self.outputs.items()}
        return Answers(self.answered[kept], outputs, self.refused)


def take(rows: Any, places: Any) -> Any:
    """Some of the rows, numbered anew."""
    if isinstance(rows, pd.DataFrame):
        return rows.iloc[places].reset_index(drop=True)
    return rows[places]


def answers(ask: Ask, rows: Dangerous, label: Callable[[Any], Array] | None = None) -> Answers:
    """Asks for all plain rows at once and halves where they are refused. Adds rows on both sides of
    the decision, where there is one, to `rows`; `label` answers with labels alone, more quickly."""
    asking = _Asking(ask, rows.rows)
    asking.all(range(rows.plain))
    if asking.parts and "label" in asking.parts[0][1]:
        only = label or (lambda given: ask(given)["label"])
        near = sides(only, take(rows.rows, asking.parts[0][0]), SEED)
        if near is not None:
            added = rows.extend(near, "side")
            asking = asking.on(rows.rows)
            asking.all(added)
    kinds: dict[str, list[int]] = {}
    for one in (one for one in rows.odd if one.kind != "side"):
        kinds.setdefault(one.kind, []).append(one.row)
    for rowed in kinds.values():
        asking.all(rowed)
    if not asking.parts:
        reason = next(iter(asking.refused.values()), "there is none")
        raise NotConvertible(f"the original does not answer its own input example: {reason}")
    places = np.concatenate([np.asarray(one) for one, _ in asking.parts])
    order = np.argsort(places, kind="stable")
    outputs = {
        name: np.concatenate([part[name] for _, part in asking.parts])[order]
        for name in asking.parts[0][1]
    }
    return Answers(places[order], outputs, asking.refused)


class _Asking:
    def __init__(self, ask: Ask, rows: Any) -> None:
        self._ask, self._rows = ask, rows
        self._calls = 0
        self.parts: list[tuple[Sequence[int], dict[str, Array]]] = []
        self.refused: dict[int, str] = {}

    def on(self, rows: Any) -> _Asking:
        """The same, of rows to which some were added."""
        self._rows = rows
        return self

    def all(self, places: Sequence[int], refusals: int = 0) -> None:
        """`refusals`: of so many halves before this one each was refused: rather one by one."""
        if not len(places):
            return
        self._calls += 1
        if self._calls > MOST_CALLS:
            raise NotConvertible("the original refuses too many rows to tell which by asking")
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                found = self._ask(take(self._rows, list(places)))
        except Exception as error:  # a stranger's model may raise anything
            if len(places) == 1:
                self.refused[places[0]] = words(error)
            else:
                step = 1 if refusals > 1 else (len(places) + 1) // 2
                for start in range(0, len(places), step):
                    self.all(places[start : start + step], refusals + 1)
            return
        if any(len(array) != len(places) for array in found.values()):
            raise NotConvertible("the original does not answer row by row")
        self.parts.append((list(places), found))


def words(error: BaseException) -> str:
    """What the error says, in a few lines at most."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return " ".join(lines[:3])[:600] or type(error).__name__
