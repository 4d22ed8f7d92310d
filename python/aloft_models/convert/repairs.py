"""Repairs of skl2onnx 1.20, made in memory before the first conversion.

Each of them says what is wrong there; a newer skl2onnx that has it right is not harmed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from aloft_models.convert import hist_gradient_boosting

_done: set[str] = set()


def apply() -> None:
    """A second call changes nothing."""
    if _done:
        return
    _done.add("all")
    hist_gradient_boosting.register()
    _trees_with_missing_values()
    _linear_svc_in_pipelines()


def _trees_with_missing_values() -> None:
    """Trees forget where missing values go; the search for a threshold never ends at infinity."""
    from skl2onnx.common import tree_ensemble
    from skl2onnx.operator_converters import (
        decision_tree,
        gradient_boosting,
        isolation_forest,
        random_forest,
    )

    original_threshold = tree_ensemble.sklearn_threshold

    def threshold(value: Any, dtype: Any, mode: str) -> Any:
        return value if math.isinf(value) else original_threshold(value, dtype, mode)

    tree_ensemble.sklearn_threshold = threshold
    add_tree = _tree_adder(tree_ensemble.add_node)
    for module in (
        tree_ensemble,
        decision_tree,
        gradient_boosting,
        isolation_forest,
        random_forest,
    ):
        if hasattr(module, "add_tree_to_attribute_pairs"):
            module.add_tree_to_attribute_pairs = add_tree


def _tree_adder(add_node: Callable[..., None]) -> Callable[..., None]:
    def add_tree(
        attr_pairs: Any,
        is_classifier: bool,
        tree: Any,
        tree_id: int,
        tree_weight: float,
        weight_id_bias: int,
        leaf_weights_are_counts: bool,
        adjust_threshold_for_sklearn: bool = False,
        dtype: Any = None,
    ) -> None:
        missing = getattr(tree, "missing_go_to_left", None)
        for node in range(tree.node_count):
            left, right = int(tree.children_left[node]), int(tree.children_right[node])
            branches = left > node or right > node
            add_node(
                attr_pairs,
                is_classifier,
                tree_id,
                tree_weight,
                node,
                tree.feature[node] if branches else 0,
                "BRANCH_LEQ" if branches else "LEAF",
                tree.threshold[node] if branches else 0.0,
                left if branches else 0,
                right if branches else 0,
                tree.value[node],
                weight_id_bias,
                leaf_weights_are_counts,
                adjust_threshold_for_sklearn=adjust_threshold_for_sklearn,
                dtype=dtype,
                nodes_missing_value_tracks_true=(
                    int(missing[node]) if branches and missing is not None else 0
                ),
            )

    return add_tree


def _linear_svc_in_pipelines() -> None:
    """A pipeline gives its last step the option `zipmap`, which LinearSVC does not know."""
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
    from skl2onnx.operator_converters.linear_classifier import convert_sklearn_linear_classifier
    from sklearn.svm import LinearSVC

    update_registered_converter(
        LinearSVC,
        "SklearnLinearSVC",
        calculate_linear_classifier_output_shapes,
        convert_sklearn_linear_classifier,
        options={
            "nocl": [True, False],
            "output_class_labels": [False, True],
            "raw_scores": [True, False],
            "zipmap": [True, False, "columns"],
        },
        overwrite=True,
    )
