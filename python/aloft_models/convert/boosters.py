"""XGBoost and LightGBM models, native boosters as well as their scikit-learn wrappers, to ONNX."""

from __future__ import annotations

from typing import Any

from onnx import ModelProto, TensorProto, helper

from aloft_models.convert import graph, lightgbm_trees
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
        return _lightgbm(source.model, layout, expected)
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


def _lightgbm(model: Any, layout: Layout, expected: dict[str, Array]) -> ModelProto:
    kind = TensorProto.FLOAT if layout.real == "FP32" else TensorProto.DOUBLE
    counts: dict[str, int] = {}

    def name(stem: str) -> str:
        counts[stem] = counts.get(stem, 0) + 1
        return f"{stem}_{counts[stem]}"

    body = lightgbm_trees.Body(name)
    booster = getattr(model, "booster_", model)
    made = lightgbm_trees.outputs(booster, UNNAMED, kind == TensorProto.DOUBLE, body)
    results = [(made, TensorProto.FLOAT)]
    if "probabilities" in expected:
        width = expected["probabilities"].shape[1]
        label, made = lightgbm_trees.as_classes(made, model.classes_, 1 if width == 2 else width,
                                                body)  # fmt: skip
        text = expected["label"].dtype.kind not in "biu"
        results = [(label, TensorProto.STRING if text else TensorProto.INT64)]
        results.append((made, TensorProto.FLOAT))
    outputs = [
        graph.Output(
            source,
            wanted,
            array.ndim,
            array.shape[1] if array.ndim == 2 else None,
            is_boolean=array.dtype.kind == "b",
        )
        for (source, _), (wanted, array) in zip(results, expected.items(), strict=True)
    ]
    built = helper.make_graph(
        body.nodes,
        "model",
        [helper.make_tensor_value_info(UNNAMED, kind, ["rows", layout.width])],
        [helper.make_tensor_value_info(source, one, None) for source, one in results],
        body.constants,
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in TARGET.items()]
    return graph.finish(helper.make_model(built, opset_imports=opsets, ir_version=8), outputs)


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
