"""Which function converts which estimator: exactly that class, no stranger's subclass of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aloft_models.convert.doubles.builder import Block, Builder, Classified, Table
from aloft_models.convert.failures import NotConvertible

Transform = Callable[[Builder, Any, Table], Table]
Regress = Callable[[Builder, Any, Table], Block]
Classify = Callable[[Builder, Any, Table], Classified]

_transforms: dict[str, Transform] = {}
_regressors: dict[str, Regress] = {}
_classifiers: dict[str, Classify] = {}
_LIBRARIES = ("sklearn", "xgboost", "lightgbm")


def transforms(*names: str) -> Callable[[Transform], Transform]:
    def known(function: Transform) -> Transform:
        _transforms.update(dict.fromkeys(names, function))
        return function

    return known


def regresses(*names: str) -> Callable[[Regress], Regress]:
    def known(function: Regress) -> Regress:
        _regressors.update(dict.fromkeys(names, function))
        return function

    return known


def classifies(*names: str) -> Callable[[Classify], Classify]:
    def known(function: Classify) -> Classify:
        _classifiers.update(dict.fromkeys(names, function))
        return function

    return known


def transform(b: Builder, part: Any, table: Table) -> Table:
    if part is None or isinstance(part, str):
        if part in (None, "passthrough"):
            return table
        raise NotConvertible(f"the step {part!r}")
    found: Transform = _find(_transforms, part)
    return found(b, part, table)


def regress(b: Builder, part: Any, table: Table) -> Block:
    found: Regress = _find(_regressors, part)
    return found(b, part, table)


def classify(b: Builder, part: Any, table: Table) -> Classified:
    found: Classify = _find(_classifiers, part)
    return found(b, part, table)


def _find(known: dict[str, Any], part: Any) -> Any:
    kind = type(part)
    if kind.__module__.split(".")[0] not in _LIBRARIES or kind.__name__ not in known:
        raise NotConvertible(f"{kind.__name__} has no conversion in doubles")
    return known[kind.__name__]
