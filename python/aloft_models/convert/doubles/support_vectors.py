"""LIBSVM's models in doubles: ONNX Runtime's own operators of them compute with 32-bit floats."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from aloft_models.convert.doubles.builder import (
    Block,
    Builder,
    Classified,
    Exactness,
    Table,
)
from aloft_models.convert.doubles.registry import classifies, regresses
from aloft_models.convert.failures import NotConvertible
from aloft_models.tensors import Array


def _kernel(b: Builder, model: Any, block: Block, vectors: Array) -> str:
    """[rows, vectors]"""
    gamma = float(model._gamma)
    match model.kernel:
        case "linear":
            return b.product(block.name, vectors.T)
        case "poly":
            base = b.mul(b.product(block.name, vectors.T), b.f(gamma))
            base = b.add(base, b.f(float(model.coef0)))
            made, power = base, int(model.degree)
            if power != model.degree or power < 1:
                raise NotConvertible("a polynomial kernel of that degree")
            for _ in range(power - 1):
                made = b.mul(made, base)
            return made
        case "sigmoid":
            base = b.mul(b.product(block.name, vectors.T), b.f(gamma))
            return b.op("Tanh", b.add(base, b.f(float(model.coef0))))
        case "rbf":
            # From the middle of the vectors, so that large numbers lose no digits.
            middle = vectors.mean(axis=0) if len(vectors) else np.zeros(block.width)
            away, vectors = b.sub(block.name, b.f(middle)), vectors - middle
            inner = b.mul(b.product(away, vectors.T), b.f(2.0))
            square = b.add(b.sum(b.mul(away, away)), b.f((vectors**2).sum(axis=1)))
            distance = b.sub(square, inner)
            distance = b.where(b.op("Less", distance, b.f(0.0)), b.f(0.0), distance)
            return b.op("Exp", b.mul(distance, b.f(-gamma)))
        case other:
            raise NotConvertible(f"the kernel {getattr(other, '__name__', other)}")


def _parts(b: Builder, model: Any, table: Table) -> tuple[str, Block]:
    if getattr(model, "_sparse", False):
        vectors = np.asarray(model.support_vectors_.toarray())
    else:
        vectors = np.asarray(model.support_vectors_, dtype=np.float64)
    block = b.real(table)
    return _kernel(b, model, block, vectors), block


def _dual(model: Any) -> Array:
    dual = model._dual_coef_
    return np.asarray(dual.toarray() if hasattr(dual, "toarray") else dual, dtype=np.float64)


def _signed(b: Builder, model: Any, table: Table) -> tuple[str, Exactness]:
    """What LIBSVM's models of one decision answer."""
    kernel, block = _parts(b, model, table)
    name = b.add(b.product(kernel, _dual(model).T), b.f(np.asarray(model._intercept_)))
    return name, max(block.exactness, Exactness.ROUNDED)


@regresses("SVR", "NuSVR")
def regression(b: Builder, model: Any, table: Table) -> Block:
    name, exactness = _signed(b, model, table)
    return Block(name, 1, exactness)


def one_class(b: Builder, model: Any, table: Table) -> tuple[str, str]:
    """Labels [rows] and scores [rows, 1] of OneClassSVM."""
    name, _ = _signed(b, model, table)
    inside = b.flat(b.op("Greater", name, b.f(0.0)))
    return b.where(inside, b.i(1), b.i(-1)), name


@classifies("SVC", "NuSVC")
def voting(b: Builder, model: Any, table: Table) -> Classified:
    """One decision for each two classes; the class with most of them."""
    if getattr(model, "probability", False) is True or model.break_ties:
        raise NotConvertible("SVC with probability or break_ties")
    kernel, block = _parts(b, model, table)
    count = len(model.classes_)
    dual, starts = _dual(model), np.concatenate([[0], np.cumsum(model._n_support)])
    pairs = list(combinations(range(count), 2))
    weights = np.zeros((starts[-1], len(pairs)))
    for place, (first, second) in enumerate(pairs):
        one = slice(starts[first], starts[first + 1])
        other = slice(starts[second], starts[second + 1])
        weights[one, place] = dual[second - 1, one]
        weights[other, place] = dual[first, other]
    decisions = b.add(b.product(kernel, weights), b.f(np.asarray(model._intercept_)))
    exactness = max(block.exactness, Exactness.ROUNDED)
    if count == 2:
        index = b.as_index(b.op("LessOrEqual", decisions, b.f(0.0)))
        return Classified(index, exactness, None, b.op("Neg", decisions))
    is_first = b.as_double(b.op("Greater", decisions, b.f(0.0)))
    for_first, for_second = np.zeros((len(pairs), count)), np.zeros((len(pairs), count))
    for place, (first, second) in enumerate(pairs):
        for_first[place, first] = for_second[place, second] = 1.0
    is_second = b.sub(b.f(1.0), is_first)
    votes = b.add(b.product(is_first, for_first), b.product(is_second, for_second))
    # `decision_function` has votes in it, which are steps: nothing to compute with.
    return Classified(b.argmax(votes), exactness)
