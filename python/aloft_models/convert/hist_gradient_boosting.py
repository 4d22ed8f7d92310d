"""Our own converter of scikit-learn's HistGradientBoosting models.

The one in skl2onnx writes booleans into integer attributes, knows no categorical splits and no
losses but two. Raw scores come from one TreeEnsembleRegressor; the link and the labels are ordinary
operators after it. With double inputs the thresholds are doubles, as in the original.

A categorical split is a chain of equality tests that share one target, which ONNX Runtime folds
into one set test. Values that are missing or unknown go where the original sends them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
from skl2onnx.common.utils import check_input_and_output_numbers

ML = "ai.onnx.ml"


@dataclass
class Nodes:
    """The attributes of a tree ensemble, node by node."""

    trees: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    true_ids: list[int] = field(default_factory=list)
    false_ids: list[int] = field(default_factory=list)
    missing_true: list[int] = field(default_factory=list)
    leaf_trees: list[int] = field(default_factory=list)
    leaf_ids: list[int] = field(default_factory=list)
    leaf_targets: list[int] = field(default_factory=list)
    leaf_weights: list[float] = field(default_factory=list)

    def add(
        self,
        tree: int,
        node: int,
        mode: str,
        feature: int = 0,
        value: float = 0.0,
        branches: tuple[int, int] = (0, 0),
        missing_true: bool = False,
    ) -> None:
        self.trees.append(tree)
        self.ids.append(node)
        self.modes.append(mode)
        self.features.append(feature)
        self.values.append(value)
        self.true_ids.append(branches[0])
        self.false_ids.append(branches[1])
        self.missing_true.append(int(missing_true))

    def add_leaf(self, tree: int, node: int, target: int, weight: float) -> None:
        self.add(tree, node, "LEAF")
        self.leaf_trees.append(tree)
        self.leaf_ids.append(node)
        self.leaf_targets.append(target)
        self.leaf_weights.append(weight)

    def attributes(self, targets: int, double: bool, base: Any = None) -> dict[str, Any]:
        """Of a TreeEnsembleRegressor: doubles where the inputs are."""
        made: dict[str, Any] = {
            "n_targets": targets,
            "aggregate_function": "SUM",
            "post_transform": "NONE",
            "nodes_treeids": self.trees,
            "nodes_nodeids": self.ids,
            "nodes_featureids": self.features,
            "nodes_modes": self.modes,
            "nodes_truenodeids": self.true_ids,
            "nodes_falsenodeids": self.false_ids,
            "nodes_missing_value_tracks_true": self.missing_true,
            "target_treeids": self.leaf_trees,
            "target_nodeids": self.leaf_ids,
            "target_ids": self.leaf_targets,
        }
        numbers = {"nodes_values": self.values, "target_weights": self.leaf_weights}
        if base is not None:
            numbers["base_values"] = list(base)
        for name, values in numbers.items():
            if double:
                made[f"{name}_as_tensor"] = _double(values)
            else:
                made[name] = np.asarray(values, dtype=np.float32)
        return made


def _members(bitset: Any) -> set[int]:
    """The numbers in a bitset of eight 32-bit words."""
    return {
        word * 32 + bit
        for word, value in enumerate(bitset)
        for bit in range(32)
        if (int(value) >> bit) & 1
    }


@dataclass(frozen=True)
class _Features:
    """How the trees' features follow from the model's columns."""

    # Column of each feature: the model's own preprocessor moves categorical columns to the front.
    columns: list[int]
    # Feature → the category codes that training saw.
    known: dict[int, set[int]]
    # Feature → code → value in the column, where the model's own encoder stands between.
    categories: dict[int, list[Any]]


def features_of(model: Any) -> _Features:
    count = int(model.n_features_in_)
    if model.is_categorical_ is None:
        return _Features(list(range(count)), {}, {})
    mask = np.asarray(model.is_categorical_)
    columns = [*np.flatnonzero(mask), *np.flatnonzero(~mask)]
    bitsets, feature_map = model._bin_mapper.make_known_categories_bitsets()
    encoder = model._preprocessor.named_transformers_["encoder"]
    known, categories = {}, {}
    for feature in range(int(mask.sum())):
        known[feature] = _members(bitsets[feature_map[feature]])
        categories[feature] = list(encoder.categories_[feature])
    return _Features([int(column) for column in columns], known, categories)


def columns_of(model: Any) -> list[int]:
    """The model's column of each feature of its trees."""
    return features_of(model).columns


def _add_tree(
    nodes: Nodes, tree: int, target: int, predictor: Any, features: _Features, encoded: set[int]
) -> None:
    """`encoded` columns hold category codes; others hold the category values themselves."""
    spare = len(predictor.nodes)
    for index, node in enumerate(predictor.nodes):
        if node["is_leaf"]:
            nodes.add_leaf(tree, index, target, float(node["value"]))
            continue
        feature = int(node["feature_idx"])
        column = features.columns[feature]
        left, right = int(node["left"]), int(node["right"])
        missing_left = bool(node["missing_go_to_left"])
        if not node["is_categorical"]:
            value = float(node["num_threshold"])
            nodes.add(tree, index, "BRANCH_LEQ", column, value, (left, right), missing_left)
            continue
        # Test for the side that does not get the missing: all that is not named falls through.
        goes_left = _members(predictor.raw_left_cat_bitsets[int(node["bitset_idx"])])
        tested = features.known[feature] - goes_left if missing_left else goes_left
        hit, miss = (right, left) if missing_left else (left, right)
        codes = sorted(tested)
        values = [
            float(code) if column in encoded else float(features.categories[feature][code])
            for code in codes
        ]
        if not values:  # a test that never holds
            values = [-1.0 if column in encoded else float("inf")]
        current = index
        for position, value in enumerate(values):
            following = miss
            if position + 1 < len(values):
                following, spare = spare, spare + 1
            nodes.add(tree, current, "BRANCH_EQ", column, value, (hit, following))
            current = following


def ensemble_of(model: Any, features: _Features, encoded: set[int]) -> Nodes:
    nodes = Nodes()
    tree = 0
    for iteration in model._predictors:
        for target, predictor in enumerate(iteration):
            _add_tree(nodes, tree, target, predictor, features, encoded)
            tree += 1
    return nodes


def _matrix(
    scope: Any, operator: Any, container: Any, features: _Features
) -> tuple[str, Any, set[int]]:
    """One tensor of all columns, its numpy type, and the columns that hold category codes."""
    double = any(isinstance(one.type, DoubleTensorType) for one in operator.inputs)
    dtype = np.float64 if double else np.float32
    proto = TensorProto.DOUBLE if double else TensorProto.FLOAT
    feature_of = {column: feature for feature, column in enumerate(features.columns)}
    parts: list[str] = []
    encoded: set[int] = set()
    column = 0
    for one in operator.inputs:
        width = one.type.shape[1] if len(one.type.shape) > 1 else 1
        name = one.full_name
        if isinstance(one.type, StringTensorType):
            categories = features.categories.get(feature_of[column])
            if width != 1 or categories is None:
                raise NotImplementedError("a text column that is no category")
            name = _encode(scope, container, name, categories, double)
            encoded.add(column)
        elif not isinstance(one.type, DoubleTensorType if double else FloatTensorType):
            name = _node(scope, container, "Cast", [name], to=proto)
        parts.append(name)
        column += width or int(operator.raw_operator.n_features_in_)
    matrix = parts[0] if len(parts) == 1 else _node(scope, container, "Concat", parts, axis=1)
    return matrix, dtype, encoded


def _encode(scope: Any, container: Any, name: str, categories: Sequence[Any], double: bool) -> str:
    """Text to category code; unknown and missing text becomes NaN, as the model does itself."""
    keys = [key for key in categories if isinstance(key, str)]
    codes = _node(
        scope,
        container,
        "LabelEncoder",
        [name],
        op_domain=ML,
        op_version=2,
        keys_strings=keys,
        values_floats=[float(code) for code in range(len(keys))],
        default_float=float("nan"),
    )
    return _node(scope, container, "Cast", [codes], to=TensorProto.DOUBLE) if double else codes


def _node(scope: Any, container: Any, kind: str, inputs: list[str], **attributes: Any) -> str:
    output = scope.get_unique_variable_name(kind.lower())
    container.add_node(
        kind, inputs, output, name=scope.get_unique_operator_name(kind), **attributes
    )
    return str(output)


def _raw_scores(scope: Any, operator: Any, container: Any) -> str:
    model = operator.raw_operator
    features = features_of(model)
    matrix, dtype, encoded = _matrix(scope, operator, container, features)
    nodes = ensemble_of(model, features, encoded)
    baseline = np.asarray(model._baseline_prediction, dtype=np.float64).ravel()
    return _node(
        scope,
        container,
        "TreeEnsembleRegressor",
        [matrix],
        op_domain=ML,
        op_version=3,
        **nodes.attributes(int(model.n_trees_per_iteration_), dtype == np.float64, baseline),
    )


def _double(values: Any) -> Any:
    return numpy_helper.from_array(np.asarray(values, dtype=np.float64))


def _convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    raw = _raw_scores(scope, operator, container)
    link = type(operator.raw_operator._loss.link).__name__
    if link == "IdentityLink":
        kind = "Identity"
    elif link == "LogLink":
        kind = "Exp"
    else:
        raise NotImplementedError(f"a HistGradientBoostingRegressor with {link}")
    container.add_node(
        kind, [raw], operator.outputs[0].full_name, name=scope.get_unique_operator_name(kind)
    )


def _convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    raw = _raw_scores(scope, operator, container)
    label_name, probability_name = (output.full_name for output in operator.outputs[:2])
    if int(model.n_trees_per_iteration_) == 1:
        positive = _node(scope, container, "Sigmoid", [raw])
        negative = _node(scope, container, "Sigmoid", [_node(scope, container, "Neg", [raw])])
        container.add_node("Concat", [negative, positive], probability_name, axis=1,
                           name=scope.get_unique_operator_name("Concat"))  # fmt: skip
        zero = scope.get_unique_variable_name("zero")
        container.add_initializer(zero, TensorProto.FLOAT, [1], [0.0])
        above = _node(scope, container, "Greater", [raw, zero])
        index = _node(scope, container, "Cast", [above], to=TensorProto.INT64)
        flat = scope.get_unique_variable_name("flat")
        container.add_initializer(flat, TensorProto.INT64, [1], [-1])
        index = _node(scope, container, "Reshape", [index, flat])
    else:
        container.add_node("Softmax", [raw], probability_name, axis=1,
                           name=scope.get_unique_operator_name("Softmax"))  # fmt: skip
        index = _node(scope, container, "ArgMax", [raw], axis=1, keepdims=0)
    classes = scope.get_unique_variable_name("classes")
    values = np.asarray(model.classes_)
    if values.dtype.kind in "biu":
        container.add_initializer(classes, TensorProto.INT64, [len(values)],
                                  [int(value) for value in values])  # fmt: skip
    else:
        container.add_initializer(classes, TensorProto.STRING, [len(values)],
                                  [str(value).encode() for value in values])  # fmt: skip
    container.add_node("Gather", [classes, index], label_name, axis=0,
                       name=scope.get_unique_operator_name("Gather"))  # fmt: skip


def _regressor_shapes(operator: Any) -> None:
    check_input_and_output_numbers(operator, input_count_range=[1, None], output_count_range=1)
    operator.outputs[0].type = FloatTensorType([operator.inputs[0].get_first_dimension(), 1])


def _classifier_shapes(operator: Any) -> None:
    check_input_and_output_numbers(operator, input_count_range=[1, None], output_count_range=2)
    rows = operator.inputs[0].get_first_dimension()
    classes = np.asarray(operator.raw_operator.classes_)
    label = Int64TensorType if classes.dtype.kind in "biu" else StringTensorType
    operator.outputs[0].type = label([rows])
    operator.outputs[1].type = FloatTensorType([rows, len(classes)])


def register() -> None:
    """Replaces skl2onnx's converters of both models; a second call changes nothing."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    update_registered_converter(
        HistGradientBoostingRegressor,
        "AloftHistGradientBoostingRegressor",
        _regressor_shapes,
        _convert_regressor,
        overwrite=True,
    )
    update_registered_converter(
        HistGradientBoostingClassifier,
        "AloftHistGradientBoostingClassifier",
        _classifier_shapes,
        _convert_classifier,
        overwrite=True,
        options={
            "zipmap": [True, False, "columns"],
            "nocl": [True, False],
            "output_class_labels": [False, True],
        },
    )
