"""Our own converter of LightGBM models.

The one in onnxmltools writes thresholds as 32-bit floats whatever the input is, takes missing
values for zeros in some trees and has no word for others. LightGBM compares doubles, so does this
one: with double inputs thresholds are doubles, and only what the leaves add up to is a 32-bit float
in the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from aloft_models.convert.failures import NotConvertible
from aloft_models.convert.hist_gradient_boosting import Nodes
from aloft_models.tensors import Array

ML = "ai.onnx.ml"
# LightGBM takes numbers up to here for zero.
_ZERO = float(np.float32(1e-35))


def ensemble(booster: Any, double: bool) -> tuple[dict[str, Any], bool, Array]:
    """The attributes of one TreeEnsembleRegressor, whether a threshold lies at zero, and of which
    features zero is missing."""
    dump = booster.dump_model()
    if dump.get("average_output"):
        raise NotConvertible("a LightGBM forest that averages its trees")
    targets = int(dump["num_tree_per_iteration"])
    nodes = Nodes()
    missing: dict[int, str] = {}
    for place, tree in enumerate(dump["tree_info"]):
        _add(nodes, place, place % targets, tree["tree_structure"], missing)
    zeros = np.zeros(int(dump["max_feature_idx"]) + 1, dtype=bool)
    zeros[[feature for feature, kind in missing.items() if kind == "Zero"]] = True
    has_zero = any(
        mode != "LEAF" and abs(value) <= _ZERO
        for mode, value in zip(nodes.modes, nodes.values, strict=True)
    )
    return nodes.attributes(targets, double), has_zero, zeros


def _zeros_missing(source: str, double: bool, body: Body, zeros: Array) -> str:
    """NaN for zero in these columns, as `zero_as_missing` takes it."""
    dtype = np.float64 if double else np.float32
    small = body.node("LessOrEqual", [body.node("Abs", [source]), body.constant(dtype(_ZERO))])
    missing = body.node("And", [small, body.constant(zeros.reshape(1, -1))])
    return body.node("Where", [missing, body.constant(dtype(np.nan)), source])


def _without_specks(source: str, double: bool, body: Body) -> str:
    """What is as near to zero is zero, before it is compared."""
    dtype = np.float64 if double else np.float32
    small = body.node("LessOrEqual", [body.node("Abs", [source]), body.constant(dtype(_ZERO))])
    return body.node("Where", [small, body.constant(dtype(0)), source])


def _add(nodes: Nodes, tree: int, target: int, root: dict[str, Any], kinds: dict[int, str]) -> None:
    """`kinds` has what each feature takes for missing; it is the same in all trees."""
    count = 0
    waiting = [(0, root)]
    while waiting:
        number, node = waiting.pop()
        if "split_feature" not in node:
            if "leaf_coeff" in node:
                raise NotConvertible("LightGBM trees with linear leaves")
            nodes.add_leaf(tree, number, target, float(node["leaf_value"]))
            continue
        left, right = count + 1, count + 2
        count += 2
        waiting += [(left, node["left_child"]), (right, node["right_child"])]
        if node["decision_type"] != "<=":
            raise NotConvertible("LightGBM splits of categories")
        threshold = float(node["threshold"])
        kind = str(node["missing_type"])
        if kinds.setdefault(int(node["split_feature"]), kind) != kind:
            raise NotConvertible("LightGBM splits of a feature that take two things for missing")
        match kind:
            case "NaN" | "Zero":
                missing = bool(node["default_left"])
            case "None":
                missing = threshold >= 0  # there NaN counts as zero
            case other:
                raise NotConvertible(f"LightGBM splits that take {other} for missing")
        nodes.add(tree, number, "BRANCH_LEQ", int(node["split_feature"]), threshold,
                  (left, right), missing)  # fmt: skip


class Body:
    """Nodes of a graph under names of its own."""

    def __init__(self, name: Any) -> None:
        self._name = name
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        output = str(self._name(kind.lower()))
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, values: Any) -> str:
        name = str(self._name("constant"))
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name


def outputs(booster: Any, source: str, double: bool, body: Body) -> str:
    """Adds the nodes from the matrix to what `booster.predict` answers: [rows, 1] or [rows,
    classes], 32-bit floats."""
    attributes, has_zero, zeros = ensemble(booster, double)
    if zeros.any():
        source = _zeros_missing(source, double, body, zeros)
    if has_zero:
        source = _without_specks(source, double, body)
    tree = str(body._name("scores"))
    body.nodes.append(
        helper.make_node("TreeEnsembleRegressor", [source], [tree], domain=ML, **attributes)
    )
    objective, options = _objective(booster)
    match objective:
        case "binary" | "multiclassova":
            scale = body.constant(np.float32(options.get("sigmoid", 1.0)))
            return body.node("Sigmoid", [body.node("Mul", [tree, scale])])
        case "cross_entropy":
            return body.node("Sigmoid", [tree])
        case "multiclass":
            return body.node("Softmax", [tree], axis=1)
        case "poisson" | "gamma" | "tweedie":
            return body.node("Exp", [tree])
        case "regression" if "sqrt" in options:
            return body.node("Mul", [tree, body.node("Abs", [tree])])
        case "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" | "lambdarank":
            return tree
        case other:
            raise NotConvertible(f"LightGBM with the objective {other}")


def _objective(booster: Any) -> tuple[str, dict[str, Any]]:
    """`binary sigmoid:1` and `regression sqrt` and the like."""
    said = str(booster.dump_model().get("objective", "")).split()
    if not said:
        raise NotConvertible("LightGBM with an objective of its own")
    options: dict[str, Any] = {}
    for word in said[1:]:
        name, _, value = word.partition(":")
        options[name] = float(value) if value else True
    return said[0], options


def as_classes(chances: str, classes: Any, width: int, body: Body) -> tuple[str, str]:
    """Labels and probabilities as LGBMClassifier has them, from what the booster answers."""
    if width == 1:
        one = body.constant(np.array([1.0], dtype=np.float32))
        chances = body.node("Concat", [body.node("Sub", [one, chances]), chances], axis=1)
    index = body.node("ArgMax", [chances], axis=1, keepdims=0)
    values = np.asarray(classes)
    if values.dtype.kind in "biu":
        known = body.constant(values.astype(np.int64))
    else:
        name = str(body._name("classes"))
        texts = [str(value).encode() for value in values]
        body.constants.append(helper.make_tensor(name, TensorProto.STRING, [len(texts)], texts))
        known = name
    return body.node("Gather", [known, index], axis=0), chances
