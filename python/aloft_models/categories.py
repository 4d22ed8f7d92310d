"""The category columns of boosters: of numbers too, which a request cannot mark."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from aloft_models.missing import is_missing


def category_places(model: Any) -> list[int]:
    """The places of the columns that the booster knows as categories of a table."""
    try:
        if hasattr(model, "get_booster") or hasattr(model, "feature_types"):
            booster = model.get_booster() if hasattr(model, "get_booster") else model
            kinds = booster.feature_types or []
            return [place for place, kind in enumerate(kinds) if kind == "c"]
        booster = getattr(model, "booster_", model)
        if not getattr(booster, "pandas_categorical", None):
            return []
        said = re.search(r"\[categorical_feature: ([\d,]+)\]", booster.model_to_string(1))
        return [int(place) for place in said.group(1).split(",")] if said else []
    except Exception:  # a booster of another make
        return []


def as_category(column: Any) -> Any:
    """Whole numbers as such, though a missing one among them made them real."""
    values: list[Any] = [None if is_missing(value) else value for value in column]
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, float) and value.is_integer() for value in known):
        values = [None if value is None else int(value) for value in values]
    return pd.Series(pd.Categorical(values), index=column.index)
