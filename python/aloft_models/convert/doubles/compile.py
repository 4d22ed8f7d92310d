"""From a fitted model to a finished graph of doubles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper

from aloft_models.convert import graph
from aloft_models.convert.doubles import (  # noqa: F401  (they register themselves)
    around,
    boosters,
    encoders,
    linear,
    scalers,
    support_vectors,
    trees,
    words,
)
from aloft_models.convert.doubles.builder import Block, Builder, Table
from aloft_models.convert.doubles.registry import classify, regress, transform
from aloft_models.convert.failures import NotConvertible
from aloft_models.convert.layout import Layout
from aloft_models.convert.original import final_step
from aloft_models.inputs import UNNAMED
from aloft_models.missing import missing_text
from aloft_models.tensors import Array

_SEVERAL = {"RandomForestClassifier", "ExtraTreesClassifier", "DecisionTreeClassifier",
            "ExtraTreeClassifier"}  # fmt: skip
_OPSETS = {"": 18, "ai.onnx.ml": 3, "com.microsoft": 1}


@dataclass(frozen=True)
class Made:
    """`needs_doubles`: 32-bit floats would answer otherwise; `splits_computed`: something splits
    numbers that were computed."""

    model: ModelProto
    needs_doubles: bool
    splits_computed: bool


def convert(model: Any, layout: Layout, expected: dict[str, Array]) -> Made:
    """Throws NotConvertible where this conversion has no word for a part of the model."""
    b = Builder([*(column.name for column in layout.columns), *expected, UNNAMED])
    b.missing_text = missing_text(model)
    inputs, table = _inputs(b, layout)
    made = _answers(b, model, table, expected)
    b.used(list(made.values()))
    values = [
        helper.make_tensor_value_info(made[name], _kind(array), None)
        for name, array in expected.items()
    ]
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
    built = helper.make_graph(b.nodes, "model", inputs, values, b.constants)
    outputs = [
        graph.Output(
            made[name], name, array.ndim, array.shape[1] if array.ndim == 2 else None,
            is_boolean=array.dtype.kind == "b",
        )
        for name, array in expected.items()
    ]  # fmt: skip
    proto = helper.make_model(built, opset_imports=opsets, ir_version=8)
    return Made(graph.finish(proto, outputs), b.needs_doubles, b.splits_computed)


def _inputs(b: Builder, layout: Layout) -> tuple[list[Any], Table]:
    if layout.single:
        kind = graph.element_type(layout.real)
        value = helper.make_tensor_value_info(UNNAMED, kind, ["rows", layout.width])
        block = Block(UNNAMED, layout.width, is_single=layout.real == "FP32")
        return [value], _mixed(b, layout, block)
    inputs, blocks = [], []
    for column in layout.columns:
        datatype = layout.outer(column)
        kind = graph.element_type(datatype)
        inputs.append(helper.make_tensor_value_info(column.name, kind, ["rows", 1]))
        if datatype == "BYTES":
            blocks.append(Block(column.name, 1, is_text=True))
        else:
            is_real = datatype in ("FP32", "FP64")
            name = column.name if is_real else b.as_double(column.name)
            blocks.append(Block(name, 1, is_single=datatype == "FP32"))
    return inputs, tuple(blocks)


def _mixed(b: Builder, layout: Layout, block: Block) -> Table:
    """Whole numbers come as 32-bit floats in one tensor with such, and are doubles to numpy."""
    if not block.is_single or all(one.datatype == "FP32" for one in layout.columns):
        return (block,)
    made = []
    for place, column in enumerate(layout.columns):
        (one,) = b.pick((block,), [place])
        made.append(one if column.datatype == "FP32" else b.wide(one))
    return tuple(made)


def _answers(b: Builder, model: Any, table: Table, expected: dict[str, Array]) -> dict[str, str]:
    """The name of each output in the graph."""
    if "prediction" in expected:
        return {"prediction": regress(b, model, table).name}
    if "transformed" in expected:
        return {"transformed": b.wide(b.join(transform(b, model, table))).name}
    final = final_step(model)
    if "scores" in expected or not hasattr(final, "classes_"):
        return _unsupervised(b, model, final, table, expected)
    if type(final).__name__ == "MultiOutputClassifier":
        if final is not model:
            table = around.before_last(b, _pipeline(model), table)
        return {"label": around.several(b, final, table)}
    if isinstance(final.classes_, list) and type(final).__name__ in _SEVERAL:
        if final is not model:
            table = around.before_last(b, _pipeline(model), table)
        return {"label": trees.several(b, final, table)}
    made = classify(b, model, table)
    found = {"label": b.labels(made.index, final.classes_)}
    if "probabilities" in expected:
        if made.probabilities is None:
            raise NotConvertible(f"{type(final).__name__} with probabilities")
        found["probabilities"] = made.probabilities
    return found


def _pipeline(model: Any) -> Any:
    while hasattr(model, "best_estimator_"):
        model = model.best_estimator_
    if not hasattr(model, "steps") or hasattr(model.steps[-1][1], "steps"):
        raise NotConvertible("a pipeline that ends in a pipeline")
    return model


def _unsupervised(
    b: Builder, model: Any, final: Any, table: Table, expected: dict[str, Array]
) -> dict[str, str]:
    if final is not model:
        table = around.before_last(b, _pipeline(model), table)
    match type(final).__name__:
        case "IsolationForest":
            label, scores = trees.isolation(b, final, table)
        case "OneClassSVM":
            label, scores = support_vectors.one_class(b, final, table)
        case "KMeans" | "MiniBatchKMeans" | "BisectingKMeans":
            return {"label": linear.nearest(b, final, table)}
        case other:
            raise NotConvertible(f"{other} has no conversion in doubles")
    return {"label": label, "scores": scores}


def _kind(array: Array) -> int:
    kind = np.asarray(array).dtype.kind
    if kind in "biu":
        return int(TensorProto.INT64)
    return int(TensorProto.STRING if kind in "OUS" else TensorProto.DOUBLE)
