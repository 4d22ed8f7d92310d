"""HistGradientBoosting, LightGBM and XGBoost."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from onnx import TensorProto

from aloft_models.convert import lightgbm_trees
from aloft_models.convert.doubles.builder import (
    ML,
    Block,
    Builder,
    Classified,
    Exactness,
    Table,
    width,
)
from aloft_models.convert.doubles.linear import both, chosen, sigmoid
from aloft_models.convert.doubles.registry import classifies, regresses
from aloft_models.convert.doubles.trees import ensemble
from aloft_models.convert.failures import NotConvertible
from aloft_models.convert.hist_gradient_boosting import Nodes, ensemble_of, features_of


def _histogram(b: Builder, model: Any, table: Table) -> str:
    features = features_of(model)
    place_of = {column: feature for feature, column in enumerate(features.columns)}
    encoded: set[int] = set()
    parts: list[Block] = []
    for column in range(width(table)):
        (block,) = b.pick(table, [column])
        if block.is_text:
            known = features.categories.get(place_of[column])
            if known is None:
                raise NotConvertible("a text column that is no category")
            keys = [key for key in known if isinstance(key, str)]
            code = b.op(
                "LabelEncoder", block.name, domain=ML, keys_strings=keys,
                values_floats=[float(place) for place in range(len(keys))],
                default_float=float("nan"),
            )  # fmt: skip
            block = Block(b.as_double(code), 1)
            encoded.add(column)
        parts.append(block)
    block = b.split(tuple(parts) if encoded else table, type(model).__name__)
    start = np.asarray(model._baseline_prediction, dtype=np.float64).ravel()
    nodes = ensemble_of(model, features, encoded)
    return ensemble(b, block.name, nodes, int(model.n_trees_per_iteration_), start)


@regresses("HistGradientBoostingRegressor")
def histogram(b: Builder, model: Any, table: Table) -> Block:
    raw = _histogram(b, model, table)
    match type(model._loss.link).__name__:
        case "IdentityLink":
            pass
        case "LogLink":
            raw = b.op("Exp", raw)
        case other:
            raise NotConvertible(f"HistGradientBoostingRegressor with {other}")
    return Block(raw, 1, Exactness.ROUGH)


@classifies("HistGradientBoostingClassifier")
def deciding_histogram(b: Builder, model: Any, table: Table) -> Classified:
    raw = _histogram(b, model, table)
    is_binary = int(model.n_trees_per_iteration_) == 1
    chances = both(b, sigmoid(b, raw)) if is_binary else b.softmax(raw)
    return Classified(chosen(b, raw, is_binary), Exactness.ROUGH, chances, raw)


class _Body(lightgbm_trees.Body):
    """LightGBM's nodes, in the one graph."""

    def __init__(self, b: Builder) -> None:
        super().__init__(lambda stem: b.fresh())
        self._b = b

    def done(self) -> None:
        self._b.nodes += self.nodes
        self._b.constants += self.constants


def _light(b: Builder, model: Any, table: Table) -> str:
    block = b.split(table, type(model).__name__)
    body = _Body(b)
    name = lightgbm_trees.outputs(model.booster_, block.name, True, body)
    body.done()
    return b.as_double(name)


@regresses("LGBMRegressor")
def light(b: Builder, model: Any, table: Table) -> Block:
    return Block(_light(b, model, table), 1, Exactness.ROUGH)


@classifies("LGBMClassifier")
def deciding_light(b: Builder, model: Any, table: Table) -> Classified:
    name = _light(b, model, table)
    chances = both(b, name) if len(model.classes_) == 2 else name
    return Classified(b.argmax(chances), Exactness.ROUGH, chances)


def _extreme(b: Builder, model: Any, table: Table) -> tuple[str, str, dict[str, Any]]:
    """Sums of the leaves [rows, groups], the objective and the learner's parameters."""
    booster = model.get_booster()
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    if learner["gradient_booster"]["name"] != "gbtree":
        raise NotConvertible(f"XGBoost with the booster {learner['gradient_booster']['name']}")
    parameters = learner["learner_model_param"]
    groups = max(1, int(parameters["num_class"]))
    if int(parameters.get("num_target", 1)) > 1:
        raise NotConvertible("XGBoost with several targets")
    single = b.cast_split(table, type(model).__name__)
    missing = float(model.missing) if model.missing is not None else np.nan
    if missing == missing:
        mark = b.op("Equal", single, b.constant(np.float32(missing)))
        single = b.where(mark, b.constant(np.float32(np.nan)), single)
    nodes = Nodes()
    inner = learner["gradient_booster"]["model"]
    trees = inner["trees"]
    if getattr(model, "early_stopping_rounds", None):
        trees = trees[: int(inner["iteration_indptr"][int(model.best_iteration) + 1])]
    for number, tree in enumerate(trees):
        _add_extreme(nodes, number, int(inner["tree_info"][number]), tree)
    attributes = nodes.attributes(groups, False)
    raw = b.op("TreeEnsembleRegressor", single, domain=ML, **attributes)
    return raw, str(learner["objective"]["name"]), parameters


def _add_extreme(nodes: Nodes, number: int, target: int, tree: dict[str, Any]) -> None:
    if any(int(kind) for kind in tree.get("split_type", [])):
        raise NotConvertible("XGBoost splits of categories")
    for node, (left, right) in enumerate(
        zip(tree["left_children"], tree["right_children"], strict=True)
    ):
        if left == -1:
            nodes.add_leaf(number, node, target, float(tree["split_conditions"][node]))
        else:
            nodes.add(
                number, node, "BRANCH_LT", int(tree["split_indices"][node]),
                float(tree["split_conditions"][node]), (int(left), int(right)),
                bool(tree["default_left"][node]),
            )  # fmt: skip


def _base(parameters: dict[str, Any], groups: int) -> Any:
    said = str(parameters["base_score"]).strip("[]")
    values = np.array([float(one) for one in said.split(",")], dtype=np.float32)
    return np.resize(values, groups)


@regresses("XGBRegressor", "XGBRFRegressor")
def extreme(b: Builder, model: Any, table: Table) -> Block:
    raw, objective, parameters = _extreme(b, model, table)
    base = _base(parameters, 1)
    match objective:
        case (
            "reg:squarederror" | "reg:absoluteerror" | "reg:pseudohubererror" | "reg:quantileerror"
        ):
            name = b.op("Add", raw, b.constant(base))
        case "count:poisson" | "reg:gamma" | "reg:tweedie":
            name = b.op("Exp", b.op("Add", raw, b.constant(np.log(base))))
        case other:
            raise NotConvertible(f"XGBoost with the objective {other}")
    return Block(b.as_double(name), 1, Exactness.ROUGH)


@classifies("XGBClassifier", "XGBRFClassifier")
def deciding_extreme(b: Builder, model: Any, table: Table) -> Classified:
    raw, objective, parameters = _extreme(b, model, table)
    groups = max(1, int(parameters["num_class"]))
    base = _base(parameters, groups).astype(np.float64)
    match objective:
        case "binary:logistic":
            shift = np.log(base / (1 - base)).astype(np.float32)
            positive = b.op("Sigmoid", b.op("Add", raw, b.constant(shift)))
            positive = b.op("Cast", positive, to=TensorProto.DOUBLE)
            chances = both(b, positive)
            index = b.as_index(b.op("Greater", positive, b.f(0.5)))
        case "multi:softprob" | "multi:softmax":
            shifted = b.op("Add", raw, b.constant(base.astype(np.float32)))
            chances = b.as_double(b.op("Softmax", shifted, axis=1))
            index = b.argmax(chances)
        case other:
            raise NotConvertible(f"XGBoost with the objective {other}")
    return Classified(index, Exactness.ROUGH, chances)
