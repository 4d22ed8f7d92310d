"""XGBoost and LightGBM models, native boosters as well as their scikit-learn wrappers, to ONNX."""

from __future__ import annotations

from typing import Any

from onnx import ModelProto

from aloft_models.convert import graph
from aloft_models.convert.estimators import TARGET, shape_ends, without_feature_names
from aloft_models.convert.failures import NotConvertible
from aloft_models.convert.layout import Layout
from aloft_models.convert.original import Original
from aloft_models.inputs import UNNAMED
from aloft_models.tensors import Array


def is_booster(source: Original) -> bool:
    """Whether the model itself, not a step of a pipeline, comes from XGBoost or LightGBM."""
    return type(source.model).__module__.split(".")[0] in ("xgboost", "lightgbm")


def convert(source: Original, layout: Layout, expected: dict[str, Array]) -> ModelProto:
    if not layout.single or layout.by_name:
        raise NotConvertible("a booster with text columns")
    if type(source.model).__module__.startswith("xgboost"):
        made = _xgboost(source.model, layout)
    else:
        made = _lightgbm(source.model, layout)
    if "prediction" in expected and len(made.graph.output) == 2:
        return _probability_only(made, expected["prediction"])
    return shape_ends(made, layout, expected)


def _types(layout: Layout) -> list[tuple[str, Any]]:
    from onnxmltools.convert.common.data_types import DoubleTensorType, FloatTensorType

    kind = FloatTensorType if layout.real == "FP32" else DoubleTensorType
    return [(UNNAMED, kind([None, layout.width]))]


def _xgboost(model: Any, layout: Layout) -> ModelProto:
    from onnxmltools import convert_xgboost

    if layout.real != "FP32":
        raise NotConvertible("XGBoost computes with FP32 only")
    return convert_xgboost(
        without_feature_names(model), name="model", initial_types=_types(layout),
        target_opset=_opset(),
    )  # fmt: skip


def _lightgbm(model: Any, layout: Layout) -> ModelProto:
    from onnxmltools import convert_lightgbm

    return convert_lightgbm(
        model, name="model", initial_types=_types(layout), target_opset=_opset(), zipmap=False
    )


def _opset() -> int:
    from onnxmltools.convert.common.onnx_ex import get_maximum_opset_supported

    return min(TARGET[""], int(get_maximum_opset_supported()))


def _probability_only(made: ModelProto, expected: Array) -> ModelProto:
    """A native booster answers with the probability of its classes and knows no labels."""
    source = made.graph.output[1].name
    if expected.ndim == 1:
        output = graph.Output(source, "prediction", 1, column=1)
    else:
        output = graph.Output(source, "prediction", 2, expected.shape[1])
    return graph.finish(made, [output])
