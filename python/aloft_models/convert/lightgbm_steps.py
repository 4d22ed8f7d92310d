"""LightGBM models as steps of scikit-learn pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, numpy_helper
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)

from aloft_models.convert.lightgbm_trees import Body, as_classes, outputs


def register() -> None:
    """Throws ImportError where there is no LightGBM."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    update_registered_converter(
        LGBMClassifier, "AloftLGBMClassifier", _classifier_shapes, _convert,
        options=options, overwrite=True,
    )  # fmt: skip
    update_registered_converter(
        LGBMRegressor, "AloftLGBMRegressor", _regressor_shapes, _convert, overwrite=True
    )


def _convert(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    if len(operator.inputs) != 1:
        raise NotImplementedError("LightGBM on several inputs")
    source = operator.inputs[0].full_name
    double = isinstance(operator.inputs[0].type, DoubleTensorType)
    if not double and not isinstance(operator.inputs[0].type, FloatTensorType):
        cast = scope.get_unique_variable_name("real")
        container.add_node("Cast", [source], [cast], to=TensorProto.FLOAT,
                           name=scope.get_unique_operator_name("Cast"))  # fmt: skip
        source = cast
    body = Body(scope.get_unique_variable_name)
    made = outputs(model.booster_, source, double, body)
    results = [made]
    if hasattr(model, "classes_"):
        count = len(model.classes_)
        results = list(as_classes(made, model.classes_, 1 if count == 2 else count, body))
    for constant in body.constants:
        values = numpy_helper.to_array(constant)
        values = values.ravel().tolist()
        container.add_initializer(constant.name, constant.data_type, list(constant.dims), values)
    for node in body.nodes:
        attributes = {one.name: _value(one) for one in node.attribute}
        container.add_node(
            node.op_type, list(node.input), list(node.output), op_domain=node.domain,
            op_version=3 if node.domain else None,
            name=scope.get_unique_operator_name(node.op_type), **attributes,
        )  # fmt: skip
    for result, output in zip(results, operator.outputs, strict=False):
        kind = TensorProto.DOUBLE if isinstance(output.type, DoubleTensorType) else None
        container.add_node(
            "Cast" if kind else "Identity", [result], [output.full_name],
            name=scope.get_unique_operator_name("Identity"), **({"to": kind} if kind else {}),
        )  # fmt: skip


def _value(attribute: Any) -> Any:
    from onnx import helper

    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        return [one.decode() for one in value]
    return value


def _classifier_shapes(operator: Any) -> None:
    rows = operator.inputs[0].get_first_dimension()
    classes = np.asarray(operator.raw_operator.classes_)
    label = Int64TensorType if classes.dtype.kind in "biu" else StringTensorType
    operator.outputs[0].type = label([rows])
    operator.outputs[1].type = _real(operator)([rows, len(classes)])


def _regressor_shapes(operator: Any) -> None:
    rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = _real(operator)([rows, 1])


def _real(operator: Any) -> Any:
    double = isinstance(operator.inputs[0].type, DoubleTensorType)
    return DoubleTensorType if double else FloatTensorType
