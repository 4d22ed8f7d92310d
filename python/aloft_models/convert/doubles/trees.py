"""Trees: scikit-learn's cast what they are given to 32-bit floats, and add up doubles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from aloft_models.convert.doubles.builder import (
    ML,
    Block,
    Builder,
    Classified,
    Exactness,
    Table,
)
from aloft_models.convert.doubles.linear import both, chosen, sigmoid
from aloft_models.convert.doubles.registry import classifies, regresses
from aloft_models.convert.failures import NotConvertible
from aloft_models.convert.hist_gradient_boosting import Nodes
from aloft_models.tensors import Array

Leaves = Array  # [nodes, targets]
# Scores that differ by no more are the same: a limit taken from the scores themselves.
SAME = 1e-13


def add_tree(
    nodes: Nodes, number: int, tree: Any, leaves: Leaves, columns: Sequence[int] | None = None
) -> None:
    """`leaves` has what each node adds; `columns` the column of each feature."""
    missing = getattr(tree, "missing_go_to_left", None)
    for node in range(int(tree.node_count)):
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            nodes.add(number, node, "LEAF")
            for target, weight in enumerate(leaves[node]):
                nodes.leaf_trees.append(number)
                nodes.leaf_ids.append(node)
                nodes.leaf_targets.append(target)
                nodes.leaf_weights.append(float(weight))
            continue
        feature = int(tree.feature[node])
        nodes.add(
            number, node, "BRANCH_LEQ", feature if columns is None else int(columns[feature]),
            float(tree.threshold[node]), (left, right),
            bool(missing[node]) if missing is not None else False,
        )  # fmt: skip


def ensemble(b: Builder, source: str, nodes: Nodes, targets: int, base: Any = None) -> str:
    """[rows, targets]: added up as doubles, and then, alas, a 32-bit float."""
    attributes = nodes.attributes(targets, True, base)
    return b.as_double(b.op("TreeEnsembleRegressor", source, domain=ML, **attributes))


def _cast(b: Builder, model: Any, table: Table) -> str:
    return b.as_double(b.cast_split(table, type(model).__name__))


def _shares(tree: Any, output: int = 0, count: int | None = None) -> Leaves:
    """Chances of the classes in each node."""
    values: Array = np.asarray(tree.value, dtype=np.float64)[:, output, :count]
    total = values.sum(axis=1, keepdims=True)
    return np.asarray(values / np.where(total == 0, 1.0, total))


@classifies("DecisionTreeClassifier", "ExtraTreeClassifier")
def tree(b: Builder, model: Any, table: Table) -> Classified:
    return _forest(b, model, [model], table)


@classifies("RandomForestClassifier", "ExtraTreesClassifier")
def forest(b: Builder, model: Any, table: Table) -> Classified:
    return _forest(b, model, list(model.estimators_), table)


def _forest(b: Builder, model: Any, members: list[Any], table: Table) -> Classified:
    if isinstance(model.classes_, list):
        raise NotConvertible(f"{type(model).__name__} of several labels")
    nodes = Nodes()
    for number, one in enumerate(members):
        add_tree(nodes, number, one.tree_, _shares(one.tree_))
    chances = ensemble(b, _cast(b, model, table), nodes, len(model.classes_))
    if len(members) > 1:
        chances = b.div(chances, b.f(float(len(members))))
    return Classified(b.argmax(chances), Exactness.ROUGH, chances)


def several(b: Builder, model: Any, table: Table) -> str:
    """[rows, labels] of trees that answer with several labels."""
    source = _cast(b, model, table)
    members = list(getattr(model, "estimators_", [model]))
    made = []
    for output, classes in enumerate(model.classes_):
        nodes = Nodes()
        for number, one in enumerate(members):
            add_tree(nodes, number, one.tree_, _shares(one.tree_, output, len(classes)))
        chances = ensemble(b, source, nodes, len(classes))
        made.append(b.upright(b.labels(b.argmax(chances), classes)))
    return b.beside(made)


@regresses("DecisionTreeRegressor", "ExtraTreeRegressor")
def regression_tree(b: Builder, model: Any, table: Table) -> Block:
    return _wood(b, model, [model], table)


@regresses("RandomForestRegressor", "ExtraTreesRegressor")
def regression_forest(b: Builder, model: Any, table: Table) -> Block:
    return _wood(b, model, list(model.estimators_), table)


def _wood(b: Builder, model: Any, members: list[Any], table: Table) -> Block:
    nodes = Nodes()
    for number, one in enumerate(members):
        add_tree(nodes, number, one.tree_, np.asarray(one.tree_.value)[:, :, 0])
    count = int(members[0].n_outputs_)
    name = ensemble(b, _cast(b, model, table), nodes, count)
    if len(members) > 1:
        name = b.div(name, b.f(float(len(members))))
    return Block(name, count, Exactness.ROUGH)


def _boosted(b: Builder, model: Any, table: Table) -> tuple[str, int]:
    nodes = Nodes()
    members = np.asarray(model.estimators_, dtype=object)
    count = members.shape[1]
    if not (model.init is None or isinstance(model.init, str)):
        raise NotConvertible(f"{type(model).__name__} that starts from another model")
    start = np.asarray(model._raw_predict_init(np.zeros((1, model.n_features_in_)))).ravel()
    for row, trees in enumerate(members):
        for target, one in enumerate(trees):
            leaves = np.zeros((one.tree_.node_count, 1))
            leaves[:, 0] = model.learning_rate * np.asarray(one.tree_.value)[:, 0, 0]
            before = len(nodes.leaf_targets)
            add_tree(nodes, row * count + target, one.tree_, leaves)
            nodes.leaf_targets[before:] = [target] * (len(nodes.leaf_targets) - before)
    return ensemble(b, _cast(b, model, table), nodes, count, start), count


@regresses("GradientBoostingRegressor")
def boosting(b: Builder, model: Any, table: Table) -> Block:
    name, count = _boosted(b, model, table)
    return Block(name, count, Exactness.ROUGH)


@classifies("GradientBoostingClassifier")
def deciding_boosting(b: Builder, model: Any, table: Table) -> Classified:
    raw, count = _boosted(b, model, table)
    if count > 1:
        return Classified(b.argmax(raw), Exactness.ROUGH, b.softmax(raw), raw)
    index = b.as_index(b.op("GreaterOrEqual", raw, b.f(0.0)))
    scaled = b.mul(raw, b.f(2.0)) if model.loss == "exponential" else raw
    return Classified(index, Exactness.ROUGH, both(b, sigmoid(b, scaled)), raw)


def isolation(b: Builder, model: Any, table: Table) -> tuple[str, str]:
    """Labels [rows] and scores [rows, 1] of IsolationForest: `offset_` is often the score of a row
    that it was fitted on, so depths are added up as doubles, in order."""
    from sklearn.ensemble._iforest import _average_path_length

    b.needs_doubles = True
    nodes, tables, start = Nodes(), [], 0
    for number, (one, columns) in enumerate(
        zip(model.estimators_, model.estimators_features_, strict=True)
    ):
        depths = model._decision_path_lengths[number] + model._average_path_length_per_tree[number]
        places = np.arange(len(depths), dtype=np.float64).reshape(-1, 1)
        before = len(nodes.leaf_targets)
        add_tree(nodes, number, one.tree_, places, columns)
        nodes.leaf_targets[before:] = [number] * (len(nodes.leaf_targets) - before)
        tables.append((start, depths - 1.0))
        start += len(depths)
    leaves = ensemble(b, _cast(b, model, table), nodes, len(tables))
    reached = b.op(
        "Cast", b.add(leaves, b.f([float(at) for at, _ in tables])), to=TensorProto.INT64
    )
    steps = b.op("Gather", b.f(np.concatenate([one for _, one in tables])), reached, axis=0)
    sums = b.op("CumSum", steps, b.constant(np.int64(1)))
    depth = b.column(sums, len(tables) - 1)
    total = len(tables) * float(_average_path_length([model._max_samples])[0])
    score = b.op("Pow", b.f(2.0), b.op("Neg", b.div(depth, b.f(total))))
    decision = b.sub(b.op("Neg", score), b.f(float(model.offset_)))
    outside = b.flat(b.op("Less", decision, b.f(-SAME)))
    return b.where(outside, b.i(-1), b.i(1)), decision


@classifies("AdaBoostClassifier")
def adaptive(b: Builder, model: Any, table: Table) -> Classified:
    from aloft_models.convert.doubles.registry import classify

    count = len(model.classes_)
    if count < 2:
        raise NotConvertible("AdaBoostClassifier of one class")
    total = None
    for one, weight in zip(model.estimators_, model.estimator_weights_, strict=False):
        found = classify(b, one, table)
        rows = np.full((len(one.classes_), count), -1 / (count - 1) * weight)
        for place, label in enumerate(one.classes_):
            rows[place, list(model.classes_).index(label)] = weight
        votes = b.op("Gather", b.f(rows), found.index, axis=0)
        total = votes if total is None else b.add(total, votes)
    assert total is not None
    decision = b.div(total, b.f(float(model.estimator_weights_.sum())))
    if count == 2:
        decision = b.sub(b.column(decision, 1), b.column(decision, 0))
        half = b.div(decision, b.f(2.0))
        chances = b.softmax(b.beside([b.op("Neg", half), half]))
    else:
        chances = b.softmax(b.div(decision, b.f(float(count - 1))))
    return Classified(chosen(b, decision, count == 2), Exactness.ROUGH, chances, decision)


@regresses("AdaBoostRegressor")
def adaptive_regression(b: Builder, model: Any, table: Table) -> Block:
    """The weighted median of what its members answer."""
    from aloft_models.convert.doubles.registry import regress

    found = [regress(b, one, table) for one in model.estimators_]
    count = len(found)
    rows = b.beside([one.name for one in found])
    values, order = b.ops("TopK", [rows, b.i(count)], 2, axis=1, largest=0, sorted=1)
    weights = np.asarray(model.estimator_weights_[:count], dtype=np.float64)
    sorted_ = b.op("Gather", b.f(weights), order, axis=0)
    reached = b.op("CumSum", sorted_, b.constant(np.int64(1)))
    half = b.mul(b.f(0.5), b.column(reached, count - 1))
    enough = b.op("Cast", b.op("GreaterOrEqual", reached, half), to=TensorProto.INT64)
    place = b.op("ArgMax", enough, axis=1, keepdims=1)
    exactness = max(one.exactness for one in found)
    return Block(b.op("GatherElements", values, place, axis=1), 1, exactness)
