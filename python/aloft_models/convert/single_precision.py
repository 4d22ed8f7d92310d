"""Trees that compute with 32-bit floats inside a graph of doubles.

scikit-learn's trees and XGBoost cast what they are given to 32-bit floats and only then compare it,
so a graph of doubles has to do the same, or a value beside a threshold takes the other branch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onnx import TensorProto
from skl2onnx.common import _registration
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

_SKLEARN = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "IsolationForest",
    "RandomForestClassifier",
    "RandomForestRegressor",
]
_OTHERS = [
    "AloftXGBClassifier",
    "AloftXGBRFClassifier",
    "AloftXGBRegressor",
    "AloftXGBRFRegressor",
]
_wrapped: set[str] = set()


def apply() -> None:
    """A second call changes only what was registered meanwhile."""
    pool = _registration._converter_pool
    for alias in [*(f"Sklearn{name}" for name in _SKLEARN), *_OTHERS]:
        if alias in pool and alias not in _wrapped:
            known = pool[alias]
            pool[alias] = type(known)(_casting(known), known._options)
            _wrapped.add(alias)


def _casting(convert: Callable[[Any, Any, Any], None]) -> Callable[[Any, Any, Any], None]:
    def converter(scope: Any, operator: Any, container: Any) -> None:
        inputs = list(operator.inputs)
        if len(inputs) != 1 or not isinstance(inputs[0].type, DoubleTensorType):
            return convert(scope, operator, container)
        single = scope.declare_local_variable("single", FloatTensorType(inputs[0].type.shape))
        _cast(scope, container, inputs[0].full_name, single.full_name, TensorProto.FLOAT)
        single.init_status(is_fed=True)
        inner = _Inner(operator, [single], [])
        widened = []
        for output in operator.outputs:
            if isinstance(output.type, DoubleTensorType):
                own = scope.declare_local_variable("narrow", FloatTensorType(output.type.shape))
                own.init_status(is_fed=True)
                widened.append((own, output))
                inner.outputs.append(own)
            else:
                inner.outputs.append(output)
        convert(scope, inner, container)
        for own, output in widened:
            _cast(scope, container, own.full_name, output.full_name, TensorProto.DOUBLE)
        return None

    return converter


class _Inner:
    """An operator as it is, with other inputs and outputs."""

    def __init__(self, operator: Any, inputs: list[Any], outputs: list[Any]) -> None:
        self._operator = operator
        self.inputs = inputs
        self.outputs = outputs

    @property
    def input_full_names(self) -> list[str]:
        return [one.full_name for one in self.inputs]

    @property
    def output_full_names(self) -> list[str]:
        return [one.full_name for one in self.outputs]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operator, name)


def _cast(scope: Any, container: Any, source: str, target: str, kind: int) -> None:
    container.add_node(
        "Cast", [source], [target], name=scope.get_unique_operator_name("Cast"), to=kind
    )
