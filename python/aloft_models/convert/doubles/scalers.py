"""Scalers, imputers, bins and products of numbers: operation by operation as numpy does them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from onnx import TensorProto

from aloft_models.convert.doubles.builder import (
    Block,
    Builder,
    Exactness,
    Table,
)
from aloft_models.convert.doubles.registry import transforms
from aloft_models.convert.failures import NotConvertible
from aloft_models.missing import MARK, is_missing
from aloft_models.tensors import Array

# What scikit-learn takes for a scale of zero.
_NO_SCALE = 10 * np.finfo(np.float64).eps


def computed(block: Block, name: str, exactness: Exactness = Exactness.EXACT) -> Block:
    return replace(block, name=name, exactness=max(block.exactness, exactness))


def _with(b: Builder, kind: str, block: Block, values: Any) -> Block:
    """An operation with a number a column, as numpy does it in place: with 32-bit floats where both
    are, else with doubles, and the result cast to what the column was."""
    b.needs_doubles = True
    numbers = np.asarray(values)
    if not block.is_single:
        return computed(block, b.op(kind, block.name, b.f(numbers)))
    if numbers.dtype == np.float32:
        return computed(block, b.op(kind, block.name, b.constant(numbers)))
    wide = b.op(kind, b.as_double(block.name), b.f(numbers))
    return computed(block, b.op("Cast", wide, to=TensorProto.FLOAT))


@transforms("StandardScaler")
def standard(b: Builder, model: Any, table: Table) -> Table:
    block = b.join(table)
    kind = np.float32 if block.is_single else np.float64
    if model.with_mean:
        block = _with(b, "Sub", block, model.mean_.astype(kind))
    if model.with_std:
        block = _with(b, "Div", block, model.scale_.astype(kind))
    return (block,)


@transforms("RobustScaler")
def robust(b: Builder, model: Any, table: Table) -> Table:
    block = b.join(table)
    if model.with_centering:
        block = _with(b, "Sub", block, model.center_)
    if model.with_scaling:
        block = _with(b, "Div", block, model.scale_)
    return (block,)


@transforms("MinMaxScaler")
def min_max(b: Builder, model: Any, table: Table) -> Table:
    block = _with(b, "Mul", b.join(table), model.scale_)
    block = _with(b, "Add", block, model.min_)
    return (_clip(b, block, *model.feature_range) if model.clip else block,)


@transforms("MaxAbsScaler")
def max_abs(b: Builder, model: Any, table: Table) -> Table:
    block = _with(b, "Div", b.join(table), model.scale_)
    return (_clip(b, block, -1.0, 1.0) if getattr(model, "clip", False) else block,)


def _clip(b: Builder, block: Block, low: float, high: float) -> Block:
    """NaN stays NaN."""
    kind = np.float32 if block.is_single else np.float64
    least, most = b.constant(kind(low)), b.constant(kind(high))
    name = b.where(b.op("Less", block.name, least), least, block.name)
    return computed(block, b.where(b.op("Greater", name, most), most, name))


@transforms("Normalizer")
def normalizer(b: Builder, model: Any, table: Table) -> Table:
    block = b.real(table)
    # numpy adds up less than eight numbers in order, but squares in an order of its own.
    is_exact = model.norm == "max" or block.width <= (7 if model.norm == "l1" else 2)
    name = b.div(block.name, row_norm(b, block.name, model.norm, block.width))
    return (computed(block, name, Exactness.EXACT if is_exact else Exactness.ROUNDED),)


def row_norm(b: Builder, rows: str, norm: str, width: int) -> str:
    match norm:
        case "l1":
            size = b.sum_in_order(b.op("Abs", rows), width)
        case "l2":
            size = b.op("Sqrt", b.sum_in_order(b.mul(rows, rows), width))
        case "max":
            size = b.largest(b.op("Abs", rows))
        case other:
            raise NotConvertible(f"rows scaled by {other}")
    return b.where(b.op("Less", size, b.f(_NO_SCALE)), b.f(1.0), size)


@transforms("Binarizer")
def binarizer(b: Builder, model: Any, table: Table) -> Table:
    block = b.split(table, "Binarizer")
    above = b.op("Greater", block.name, b.f(float(model.threshold)))
    return (_as_given(b, table, computed(block, b.as_double(above))),)


@transforms("KBinsDiscretizer")
def bins(b: Builder, model: Any, table: Table) -> Table:
    block = b.split(table, "KBinsDiscretizer")
    made = []
    for place, edges in enumerate(model.bin_edges_):
        inner = np.asarray(edges, dtype=np.float64)[1:-1]
        column = b.column(block.name, place)
        if len(inner):
            reached = b.op("GreaterOrEqual", column, b.f(inner))
            code = b.sum(b.as_double(reached))
        else:
            code = b.mul(column, b.f(0.0))
        if model.encode != "ordinal":
            count = int(model.n_bins_[place])
            code = b.as_double(b.op("Equal", code, b.f(np.arange(float(count)))))
        made.append(code)
    total = len(made) if model.encode == "ordinal" else int(sum(model.n_bins_))
    return (_as_given(b, table, Block(b.beside(made), total, Exactness.EXACT)),)


def _as_given(b: Builder, table: Table, made: Block) -> Block:
    """32-bit floats where it was given such, as scikit-learn leaves them."""
    if not b.join(table).is_single:
        return made
    return replace(made, name=b.op("Cast", made.name, to=TensorProto.FLOAT), is_single=True)


@transforms("PolynomialFeatures")
def products(b: Builder, model: Any, table: Table) -> Table:
    """Each product from the one without its first column, which is what scikit-learn does."""
    block = b.real(table)
    source = block.name
    low, high = _degrees(model)
    made = []
    if model.include_bias:
        made.append(_ones(b, source))
    combinations: list[tuple[int, ...]] = [(place,) for place in range(block.width)]
    current = source
    for degree in range(1, high + 1):
        if degree > 1:
            before = {combination: place for place, combination in enumerate(combinations)}
            combinations = [
                (first, *rest)
                for first in range(block.width)
                for rest in before
                if first < rest[0] or (first == rest[0] and not model.interaction_only)
            ]
            if not combinations:
                break
            rests = b.columns(current, [before[one[1:]] for one in combinations])
            current = b.mul(rests, b.columns(source, [one[0] for one in combinations]))
        if degree >= low:
            made.append(current)
    if not made:
        raise NotConvertible("PolynomialFeatures of degree 0")
    found = Block(b.beside(made), int(model.n_output_features_))
    return (computed(replace(found, exactness=block.exactness), found.name),)


def _degrees(model: Any) -> tuple[int, int]:
    low, high = int(model._min_degree), int(model._max_degree)
    return max(low, 1), high


def _ones(b: Builder, source: str) -> str:
    """[rows, 1], also of rows that are not finite."""
    rows = b.op("Slice", b.op("Shape", source), b.i(0), b.i(1))
    shape = b.op("Concat", rows, b.i(1), axis=0)
    return b.op("Expand", b.f(1.0), shape)


@transforms("SimpleImputer")
def imputer(b: Builder, model: Any, table: Table) -> Table:
    statistics = np.asarray(model.statistics_)
    if any(block.is_text for block in table):
        if model.add_indicator:
            raise NotConvertible("an imputer of text that tells what was missing")
        return _text_imputer(b, model, table, statistics)
    block = b.join(table)
    kind = np.float32 if block.is_single else np.float64
    mark = model.missing_values
    if isinstance(mark, str) or any(isinstance(one, str) for one in statistics):
        raise NotConvertible("an imputer that puts text into numbers")
    if is_missing(mark):
        missing = b.op("IsNaN", block.name)
    else:
        b.needs_doubles = True
        missing = b.op("Equal", block.name, b.constant(np.asarray(mark, dtype=kind)))
    known = np.flatnonzero(~np.isnan(statistics.astype(np.float64)))
    fills = b.constant(np.nan_to_num(statistics.astype(np.float64)).astype(kind))
    filled = b.where(missing, fills, block.name)
    if len(known) < block.width:
        filled = b.columns(filled, [int(place) for place in known])
    made = [replace(block, name=filled, width=len(known))]
    if model.add_indicator and len(model.indicator_.features_):
        places = [int(place) for place in model.indicator_.features_]
        marks = b.as_double(b.op("Gather", missing, b.i(*places), axis=1))
        made.append(_as_given(b, table, Block(marks, len(places))))
    return tuple(made)


def _text_imputer(b: Builder, model: Any, table: Table, statistics: Array) -> Table:
    mark = model.missing_values
    if is_missing(mark):
        # The other of None and NaN than the one that requests mean is never met.
        if (mark is None) != (b.missing_text is None):
            return table
        mark = MARK
    if not isinstance(mark, str) or not all(isinstance(one, str) for one in statistics):
        raise NotConvertible("an imputer of columns that are neither numbers nor text")
    made = []
    place = 0
    for block in table:
        if not block.is_text:
            raise NotConvertible("an imputer of text and numbers together")
        fills = statistics[place : place + block.width].astype(object).reshape(1, -1)
        is_mark = b.op(
            "LabelEncoder", block.name, domain="ai.onnx.ml", keys_strings=[mark],
            values_int64s=[1], default_int64=0,
        )  # fmt: skip
        truth = b.op("Cast", is_mark, to=TensorProto.BOOL)
        made.append(replace(block, name=b.where(truth, b.constant(fills), block.name)))
        place += block.width
    return tuple(made)


@transforms("FunctionTransformer")
def function(b: Builder, model: Any, table: Table) -> Table:
    if model.func is not None:
        raise NotConvertible("FunctionTransformer with a function")
    return table


@transforms("SelectKBest", "SelectPercentile", "VarianceThreshold", "SelectFromModel", "RFE",
            "RFECV", "SelectFpr", "SelectFdr", "SelectFwe", "GenericUnivariateSelect",
            "SequentialFeatureSelector")  # fmt: skip
def selection(b: Builder, model: Any, table: Table) -> Table:
    places = [int(place) for place in np.flatnonzero(model.get_support())]
    if not places:
        raise NotConvertible(f"{type(model).__name__} that leaves no column")
    return b.pick(table, places)


@transforms("PCA", "IncrementalPCA", "TruncatedSVD")
def components(b: Builder, model: Any, table: Table) -> Table:
    block = b.real(table)
    matrix = np.asarray(model.components_, dtype=np.float64)
    name = b.product(block.name, matrix.T)
    if getattr(model, "mean_", None) is not None:
        name = b.sub(name, b.f(model.mean_.reshape(1, -1) @ matrix.T))
    if getattr(model, "whiten", False):
        scale = np.maximum(np.sqrt(model.explained_variance_), np.finfo(np.float64).eps)
        name = b.div(name, b.f(scale))
    return (Block(name, len(matrix), max(block.exactness, Exactness.ROUNDED)),)


@transforms("PowerTransformer")
def power(b: Builder, model: Any, table: Table) -> Table:
    if model.method != "yeo-johnson":
        raise NotConvertible(f"PowerTransformer with the method {model.method}")
    block = b.real(table)
    made = [
        _yeo_johnson(b, b.column(block.name, place), float(power))
        for place, power in enumerate(model.lambdas_)
    ]
    found = Block(b.beside(made), block.width, max(block.exactness, Exactness.ROUNDED))
    return standard(b, model._scaler, (found,)) if model.standardize else (found,)


def _yeo_johnson(b: Builder, x: str, power: float) -> str:
    eps = float(np.finfo(np.float64).eps)
    zero = b.f(0.0)
    is_positive = b.op("GreaterOrEqual", x, zero)
    size = b.op("Abs", x)
    log = _log1p(b, size)
    above = log
    if abs(power) >= eps:
        above = b.div(_expm1(b, b.mul(log, b.f(power))), b.f(power))
    below = b.op("Neg", log)
    if abs(power - 2) > eps:
        other = 2 - power
        below = b.div(b.op("Neg", _expm1(b, b.mul(log, b.f(other)))), b.f(other))
    return b.where(is_positive, above, b.where(b.op("IsNaN", x), x, below))


def _log1p(b: Builder, x: str) -> str:
    """log(1 + x) of x >= 0 without losing the digits of a small x."""
    one = b.f(1.0)
    sum_ = b.add(x, one)
    rest = b.sub(sum_, one)
    is_plain = b.op("Or", b.op("Equal", rest, b.f(0.0)), b.op("IsInf", rest))
    safe = b.where(is_plain, one, rest)
    log = b.op("Log", sum_)
    close = b.mul(log, b.div(x, safe))
    tiny = b.op("Less", x, one)
    return b.where(is_plain, b.where(tiny, x, log), close)


def _expm1(b: Builder, x: str) -> str:
    """exp(x) - 1 without losing the digits of a small x."""
    one = b.f(1.0)
    power = b.op("Exp", x)
    less = b.sub(power, one)
    log = b.op("Log", power)
    is_small = b.op("Less", b.op("Abs", x), one)
    is_same = b.op("Equal", power, one)
    usable = b.op("And", is_small, b.op("Not", is_same))
    close = b.mul(less, b.div(x, b.where(usable, log, one)))
    return b.where(usable, close, b.where(is_same, x, less))
