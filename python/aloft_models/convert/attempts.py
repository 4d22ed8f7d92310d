"""The conversions that are worth trying, best first.

scikit-learn computes with doubles, so 32-bit floats are tried only where they change nothing: where
trees that cast to 32 bits themselves see the columns as they are sent, or where the model was
fitted on 32-bit floats. All else is our own graph of doubles; what that has no word for is not
converted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from aloft_models.convert import boosters, estimators, graph
from aloft_models.convert.doubles import compile as doubles
from aloft_models.convert.layout import Layout
from aloft_models.convert.original import Original
from aloft_models.missing import parts
from aloft_models.tensors import Array

# skl2onnx's graphs of these have fewer nodes, and are quicker.
_SMOOTH = frozenset(
    {
        "LinearRegression", "LogisticRegression", "MLPClassifier", "MLPRegressor", "MinMaxScaler",
        "Pipeline", "Ridge", "StandardScaler",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    layout: Layout
    # The file's bytes; throws whatever a converter throws at what it does not know.
    content: Callable[[], bytes]


def attempts(
    source: Original, layouts: list[Layout], rows: Any, sample: dict[str, Array]
) -> Iterator[Attempt]:
    if boosters.is_booster(source):
        yield from _booster(source, layouts, sample)
        return
    is_single = _is_single(rows)
    own = _own_layout(layouts, "FP32" if is_single else "FP64")
    try:
        made = _doubles(source, own, sample)
    except Exception as error:  # another version of a library may have other attributes
        yield Attempt(own, _raising(error))
        return
    if not made.needs_doubles or (is_single and _is_smooth(source.model)):
        yield from _others(source, [one for one in layouts if one.real == "FP32"], sample)
    yield Attempt(own, lambda: graph.stable_bytes(made.model))


def _own_layout(layouts: list[Layout], real: str) -> Layout:
    """A column by its place, so names are of no account; whole numbers as they are sent."""
    first = next(one for one in layouts if one.real == real)
    return replace(first, by_name=False, keep_integers=False)


def _doubles(source: Original, layout: Layout, sample: dict[str, Array]) -> doubles.Made:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return doubles.convert(source.model, layout, sample)


def _booster(
    source: Original, layouts: list[Layout], sample: dict[str, Array]
) -> Iterator[Attempt]:
    for layout in layouts:
        yield Attempt(layout, partial(_content, source, layout, sample))
    if hasattr(source.model, "get_params"):
        own = _own_layout(layouts, "FP64")
        yield Attempt(own, lambda: graph.stable_bytes(_doubles(source, own, sample).model))


def _others(source: Original, layouts: list[Layout], sample: dict[str, Array]) -> Iterator[Attempt]:
    for layout in layouts:
        yield Attempt(layout, partial(_content, source, layout, sample))


def _content(source: Original, layout: Layout, sample: dict[str, Array]) -> bytes:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if boosters.is_booster(source):
            made = boosters.convert(source, layout, sample)
        else:
            made = estimators.convert(source.model, layout, sample)
    return graph.stable_bytes(made)


def _is_smooth(model: Any) -> bool:
    """Last digits of 32 bits, in which the original computes too, stay last digits."""
    return all(
        type(part).__name__ in _SMOOTH for part in parts(model) if hasattr(part, "get_params")
    )


def _raising(error: Exception) -> Callable[[], bytes]:
    def content() -> bytes:
        raise error

    return content


def _is_single(rows: Any) -> bool:
    """All real numbers are 32-bit floats: so the original computes."""
    dtypes = list(rows.dtypes) if hasattr(rows, "dtypes") else [rows.dtype]
    reals = [dtype for dtype in dtypes if getattr(dtype, "kind", "O") == "f"]
    return bool(reals) and all(dtype.itemsize <= 4 for dtype in reals)
