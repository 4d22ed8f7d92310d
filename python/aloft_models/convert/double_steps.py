"""Our own converters of steps for which skl2onnx has none in doubles, or one that is wrong.

`Imputer` and `Normalizer` of ONNX know 32-bit floats only, `Normalizer` takes the largest number
for the largest size, and text categories that are missing have no code of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto
from skl2onnx.common import _registration
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

from aloft_models.missing import MARK, is_missing

Convert = Callable[[Any, Any, Any], None]
_done: set[str] = set()


def apply() -> None:
    """A second call changes nothing."""
    if _done:
        return
    _done.add("all")
    pool = _registration._converter_pool
    for alias, convert in (
        ("SklearnImputer", _imputer),
        ("SklearnSimpleImputer", _imputer),
        ("SklearnNormalizer", _normalizer),
        ("SklearnBinarizer", _binarizer),
        ("SklearnOrdinalEncoder", _ordinal),
    ):
        if alias in pool:
            known = pool[alias]
            pool[alias] = type(known)(_either(convert, known), known._options)


def _either(own: Callable[[Any, Any, Any], bool], other: Convert) -> Convert:
    def converter(scope: Any, operator: Any, container: Any) -> None:
        if not own(scope, operator, container):
            other(scope, operator, container)

    return converter


class _Steps:
    """Adds nodes one after another."""

    def __init__(self, scope: Any, container: Any, double: bool) -> None:
        self._scope, self._container = scope, container
        self.kind = TensorProto.DOUBLE if double else TensorProto.FLOAT
        self.dtype = np.float64 if double else np.float32

    def node(self, op: str, inputs: list[str], output: str | None = None, **attributes: Any) -> str:
        name = output or self._scope.get_unique_variable_name(op.lower())
        self._container.add_node(
            op, inputs, [name], name=self._scope.get_unique_operator_name(op), **attributes
        )
        return str(name)

    def constant(self, values: Any, kind: int | None = None) -> str:
        name = self._scope.get_unique_variable_name("constant")
        array = np.asarray(values)
        self._container.add_initializer(
            name, kind or self.kind, list(array.shape), array.ravel().tolist()
        )
        return str(name)


def _real(operator: Any) -> bool | None:
    """Whether the one input is of doubles; None where it is not one input of real numbers."""
    if len(operator.inputs) != 1:
        return None
    kind = operator.inputs[0].type
    if isinstance(kind, DoubleTensorType):
        return True
    return False if isinstance(kind, FloatTensorType) else None


def _imputer(scope: Any, operator: Any, container: Any) -> bool:
    model, double = operator.raw_operator, _real(operator)
    statistics = np.asarray(model.statistics_)
    if double is None or statistics.dtype.kind not in "fiu" or model.add_indicator:
        return False
    if np.isnan(statistics.astype(float)).any():  # such columns are left out
        return False
    steps = _Steps(scope, container, double)
    source = operator.inputs[0].full_name
    if is_missing(model.missing_values):
        missing = steps.node("IsNaN", [source])
    else:
        mark = steps.constant(np.array([model.missing_values], dtype=steps.dtype))
        missing = steps.node("Equal", [source, mark])
    values = steps.constant(statistics.astype(steps.dtype).reshape(1, -1))
    steps.node("Where", [missing, values, source], operator.outputs[0].full_name)
    return True


def _normalizer(scope: Any, operator: Any, container: Any) -> bool:
    double = _real(operator)
    if double is None:
        return False
    steps = _Steps(scope, container, double)
    source = operator.inputs[0].full_name
    match operator.raw_operator.norm:
        case "l1":
            size = steps.node("ReduceL1", [source, steps.constant([1], TensorProto.INT64)])
        case "l2":
            size = steps.node("ReduceL2", [source, steps.constant([1], TensorProto.INT64)])
        case _:
            axes = steps.constant([1], TensorProto.INT64)
            size = steps.node("ReduceMax", [steps.node("Abs", [source]), axes])
    zero, one = steps.constant([0.0]), steps.constant([1.0])
    size = steps.node("Where", [steps.node("Equal", [size, zero]), one, size])
    steps.node("Div", [source, size], operator.outputs[0].full_name)
    return True


def _binarizer(scope: Any, operator: Any, container: Any) -> bool:
    double = _real(operator)
    if double is None:
        return False
    steps = _Steps(scope, container, double)
    limit = steps.constant([float(operator.raw_operator.threshold)])
    above = steps.node("Greater", [operator.inputs[0].full_name, limit])
    steps.node("Cast", [above], operator.outputs[0].full_name, to=steps.kind)
    return True


def _ordinal(scope: Any, operator: Any, container: Any) -> bool:
    """Text categories only."""
    model = operator.raw_operator
    texts = [
        list(known) for known in model.categories_ if all(isinstance(value, str) for value in known)
    ]
    if len(texts) != len(model.categories_) or any(
        not isinstance(one.type, StringTensorType) for one in operator.inputs
    ):
        return False
    if getattr(model, "_infrequent_enabled", False):
        return False
    double = isinstance(operator.outputs[0].type, DoubleTensorType)
    if not double and not isinstance(operator.outputs[0].type, FloatTensorType):
        return False
    steps = _Steps(scope, container, double)
    unknown = model.unknown_value if model.unknown_value is not None else np.nan
    is_category = getattr(model, "aloft_none_is_category", False)
    missing = None if is_category else float(model.encoded_missing_value)
    codes = [
        _codes(steps, one, known, float(unknown), missing)
        for one, known in zip(_columns(steps, operator), texts, strict=True)
    ]
    joined = codes[0] if len(codes) == 1 else steps.node("Concat", codes, axis=1)
    steps.node("Cast", [joined], operator.outputs[0].full_name, to=steps.kind)
    return True


def _columns(steps: _Steps, operator: Any) -> list[str]:
    """Each column of the inputs as a tensor of its own."""
    made = []
    for one in operator.inputs:
        width = int(one.type.shape[1])
        for place in range(width):
            if width == 1:
                made.append(one.full_name)
            else:
                where = steps.constant([place], TensorProto.INT64)
                made.append(steps.node("Gather", [one.full_name, where], axis=1))
    return made


def _codes(
    steps: _Steps, source: str, known: list[str], unknown: float, missing: float | None
) -> str:  # fmt: skip
    return steps.node(
        "LabelEncoder",
        [source],
        op_domain="ai.onnx.ml",
        op_version=2,
        keys_strings=known,
        values_floats=[
            missing if text == MARK and missing is not None else float(code)
            for code, text in enumerate(known)
        ],
        default_float=unknown,
    )
