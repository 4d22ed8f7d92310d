"""Encoders of categories, and steps that interpolate: what they answer comes from a table that the
original itself fills."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto
from scipy.sparse import vstack

from aloft_models.convert.doubles.builder import (
    ML,
    Block,
    Builder,
    Exactness,
    Table,
    width,
)
from aloft_models.convert.doubles.registry import transforms
from aloft_models.convert.failures import NotConvertible
from aloft_models.missing import MARK, is_missing
from aloft_models.tensors import Array

# As of here doubles leave whole numbers out.
_WHOLE = 2.0**53


@transforms("OneHotEncoder")
def one_hot(b: Builder, model: Any, table: Table) -> Table:
    """A category's column, or none, instead of a row for each: there may be thousands."""
    sparse = copy.copy(model)
    sparse.sparse_output, sparse._sklearn_output_config = True, {}
    made = []
    start = 0
    for place in range(width(table)):
        size = int(model._n_features_outs[place])
        (block,) = b.pick(table, [place])
        keys, places = _keys(b, model, place, block)
        rows = _asked(model, place, places, lambda asked: sparse.transform(asked).tocsr())
        rows = rows[:, start : start + size].tocsr()
        start += size
        if not np.isin(rows.data, (0.0, 1.0)).all() or (rows.sum(axis=1) > 1).any():
            raise NotConvertible("OneHotEncoder with other numbers than one and zero")
        columns = np.full(rows.shape[0], -1, dtype=np.int64)
        where = rows.tocoo()
        columns[where.row[where.data == 1]] = where.col[where.data == 1]
        column = b.op("Gather", b.constant(columns), _index(b, block, keys), axis=0)
        if size:
            hot = b.op("Equal", column, b.constant(np.arange(size, dtype=np.int64)))
            made.append(Block(b.as_double(hot), size))
    if not made:
        raise NotConvertible("OneHotEncoder that makes no column")
    return tuple(made)


@transforms("OrdinalEncoder")
def ordinal(b: Builder, model: Any, table: Table) -> Table:
    return _encoded(b, model, table, model.transform, lambda place: 1)


@transforms("TargetEncoder")
def target(b: Builder, model: Any, table: Table) -> Table:
    each = len(model.classes_) if model.target_type_ == "multiclass" else 1
    return _encoded(b, model, table, model.transform, lambda place: each)


def _encoded(
    b: Builder,
    model: Any,
    table: Table,
    answers: Callable[[Any], Any],
    sizes: Callable[[int], int],
) -> Table:
    """A row of numbers for each category of each column, and one for what is none of them."""
    made = []
    start = 0
    for place in range(width(table)):
        size = sizes(place)
        (block,) = b.pick(table, [place])
        keys, places = _keys(b, model, place, block)
        rows = _asked(model, place, places, answers)[:, start : start + size]
        start += size
        index = _index(b, block, keys)
        if size:
            tidy = np.asarray(rows, dtype=np.float64)
            exactness = Exactness.SENT if _is_small(tidy) else Exactness.EXACT
            made.append(Block(b.op("Gather", b.f(tidy), b.flat(index), axis=0), size, exactness))
    if not made:
        raise NotConvertible(f"{type(model).__name__} that makes no column")
    return tuple(made)


def _is_small(rows: Array) -> bool:
    """32 bits hold these numbers."""
    return bool(np.array_equal(rows, rows.astype(np.float32).astype(np.float64), equal_nan=True))


def _keys(b: Builder, model: Any, place: int, block: Block) -> tuple[list[Any], list[int]]:
    """What a request may send of each category that it can mean, and its place."""
    keys: list[Any] = []
    places: list[int] = []
    for at, value in enumerate(model.categories_[place]):
        if is_missing(value):
            if block.is_text and (value is None) != (b.missing_text is None):
                continue  # requests have one word for missing text: it means the other
            keys.append(MARK if block.is_text else np.nan)
        elif isinstance(value, str) == block.is_text:
            if not block.is_text and abs(float(value)) >= _WHOLE:
                raise NotConvertible(f"{type(model).__name__} of whole numbers beyond 2^53")
            keys.append(str(value) if block.is_text else float(value))
        else:
            raise NotConvertible(f"{type(model).__name__} of categories that are not as its column")
        places.append(at)
    if not keys:
        raise NotConvertible(f"{type(model).__name__} of a column without categories")
    return keys, places


def _asked(model: Any, place: int, places: Sequence[int], answers: Callable[[Any], Any]) -> Any:
    """What the original makes of these categories of a column, the last row of an unknown one."""
    known = [list(values) for values in model.categories_]
    is_text = any(isinstance(value, str) for values in known for value in values)
    kind: Any = object if is_text else np.float64
    asked = np.empty((len(places), len(known)), dtype=kind)
    for column, values in enumerate(known):
        asked[:, column] = values[0]
    for row, at in enumerate(places):
        asked[row, place] = known[place][at]
    other = asked[:1].copy()
    other[0, place] = MARK + MARK if isinstance(known[place][0], str) else _unlike(known[place])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = _bare(answers(_as_fitted(model, asked)))
        try:
            unknown = _bare(answers(_as_fitted(model, other)))
        except ValueError:  # it refuses, so nobody gets to see this
            unknown = found[:1] * 0
    if isinstance(found, np.ndarray):
        return np.concatenate([found, unknown]).astype(np.float64)
    return vstack([found, unknown])


def _bare(found: Any) -> Any:
    """Of a table the numbers."""
    return found.to_numpy() if hasattr(found, "iloc") else found


def _as_fitted(model: Any, rows: Array) -> Any:
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return rows
    import pandas as pd

    return pd.DataFrame(rows, columns=list(names), dtype=rows.dtype)


def _unlike(values: Sequence[Any]) -> float:
    numbers = [float(value) for value in values if not is_missing(value)]
    return float(np.floor(max(numbers, default=0.0)) + 12345.0)


def _index(b: Builder, block: Block, keys: list[Any]) -> str:
    """[rows, 1] places among the keys, their count for none of them."""
    if block.is_text:
        return b.op(
            "LabelEncoder", block.name, domain=ML, keys_strings=keys,
            values_int64s=list(range(len(keys))), default_int64=len(keys),
        )  # fmt: skip
    block = b.split((block,), "an encoder of numbers")
    found = b.f(float(len(keys)))
    numbers = [key for key in keys if key == key]
    if numbers:
        equal = b.as_double(b.op("Equal", block.name, b.f(numbers)))
        places = [float(keys.index(key) - len(keys)) for key in numbers]
        found = b.add(found, b.sum(b.mul(equal, b.f(places))))
    if len(numbers) < len(keys):
        at = next(place for place, key in enumerate(keys) if key != key)
        found = b.where(b.op("IsNaN", block.name), b.f(float(at)), found)
    return b.op("Cast", found, to=TensorProto.INT64)


def interpolated(b: Builder, x: str, xp: Array, fp: Array) -> str:
    """numpy.interp of a column [rows, 1]: constant beyond both ends, NaN for NaN."""
    xp, fp = np.asarray(xp, dtype=np.float64), np.asarray(fp, dtype=np.float64)
    if len(xp) == 1:
        return b.add(b.mul(x, b.f(0.0)), b.f(fp[0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.nan_to_num(np.diff(fp) / np.diff(xp), posinf=0.0, neginf=0.0)
    reached = b.op("GreaterOrEqual", x, b.f(xp[1:-1]))
    at = b.sum(b.op("Cast", reached, to=TensorProto.INT64)) if len(xp) > 2 else None
    if at is None:
        at = b.op("Cast", b.op("Greater", x, b.f(np.inf)), to=TensorProto.INT64)
    at = b.flat(at)
    start = b.upright(b.op("Gather", b.f(xp[:-1]), at, axis=0))
    base = b.upright(b.op("Gather", b.f(fp[:-1]), at, axis=0))
    slope = b.upright(b.op("Gather", b.f(slopes), at, axis=0))
    line = b.add(b.mul(slope, b.sub(x, start)), base)
    line = b.where(b.op("LessOrEqual", x, b.f(xp[0])), b.f(fp[0]), line)
    return b.where(b.op("GreaterOrEqual", x, b.f(xp[-1])), b.f(fp[-1]), line)


@transforms("QuantileTransformer")
def quantiles(b: Builder, model: Any, table: Table) -> Table:
    if model.output_distribution != "uniform":
        raise NotConvertible("QuantileTransformer to a normal distribution")
    # Quantiles that are equal are a step.
    block = b.split(table, "QuantileTransformer")
    references = np.asarray(model.references_, dtype=np.float64)
    made = []
    for place in range(block.width):
        known = np.asarray(model.quantiles_[:, place], dtype=np.float64)
        x = b.column(block.name, place)
        up = interpolated(b, x, known, references)
        down = interpolated(b, b.op("Neg", x), -known[::-1], -references[::-1])
        found = b.mul(b.f(0.5), b.sub(up, down))
        found = b.where(b.op("Equal", x, b.f(known[-1])), b.f(1.0), found)
        made.append(b.where(b.op("Equal", x, b.f(known[0])), b.f(0.0), found))
    # Of 32-bit floats the original makes such.
    exactness = Exactness.ROUGH if b.join(table).is_single else Exactness.EXACT
    return (Block(b.beside(made), block.width, exactness),)


@transforms("SplineTransformer")
def splines(b: Builder, model: Any, table: Table) -> Table:
    """Each spline as a polynomial between each two knots. At the knots themselves, where many rows
    may lie, it is a zero or nearly one: nothing to split."""
    from scipy.interpolate import BSpline, PPoly

    if model.extrapolation != "constant" or model.sparse_output:
        raise NotConvertible(f"SplineTransformer with extrapolation {model.extrapolation}")
    if getattr(model, "handle_missing", "error") != "error":
        raise NotConvertible("SplineTransformer with missing values")
    block = b.real(table)
    made = []
    total = 0
    for place, spline in enumerate(model.bsplines_):
        knots, degree = np.asarray(spline.t), int(spline.k)
        count = len(knots) - degree - 1
        low, high = knots[degree], knots[-degree - 1]
        breaks = np.unique(knots[degree : len(knots) - degree])
        tables = np.empty((degree + 1, len(breaks) - 1, count))
        for which in range(count):
            piece = PPoly.from_spline(BSpline(knots, np.eye(count)[which], degree))
            for which_break, start in enumerate(breaks[:-1]):
                interval = max(int(np.searchsorted(piece.x, start, side="right")) - 1, 0)
                tables[:, which_break, which] = piece.c[:, interval]
        x = b.column(block.name, place)
        x = b.where(b.op("Less", x, b.f(low)), b.f(low), x)
        x = b.where(b.op("Greater", x, b.f(high)), b.f(high), x)
        reached = b.op("GreaterOrEqual", x, b.f(np.append(breaks[1:-1], np.inf)))
        at = b.flat(b.op("Cast", b.sum(b.as_double(reached)), to=TensorProto.INT64))
        away = b.sub(x, b.upright(b.op("Gather", b.f(breaks[:-1]), at, axis=0)))
        found = b.op("Gather", b.f(tables[0]), at, axis=0)
        for power in range(1, degree + 1):
            found = b.add(b.mul(found, away), b.op("Gather", b.f(tables[power]), at, axis=0))
        if not model.include_bias:
            found, count = b.columns(found, list(range(count - 1))), count - 1
        made.append(found)
        total += count
    return (Block(b.beside(made), total, Exactness.ROUGH),)
