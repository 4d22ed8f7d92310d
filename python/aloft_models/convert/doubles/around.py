"""Models of models: pipelines, columns, votes, stacks, calibration, thresholds, searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aloft_models.convert.doubles.builder import (
    Block,
    Builder,
    Classified,
    Exactness,
    Table,
)
from aloft_models.convert.doubles.encoders import interpolated
from aloft_models.convert.doubles.linear import shares, sigmoid
from aloft_models.convert.doubles.registry import (
    classifies,
    classify,
    regress,
    regresses,
    transform,
    transforms,
)
from aloft_models.convert.doubles.trees import SAME
from aloft_models.convert.failures import NotConvertible
from aloft_models.convert.marks import places_of


@transforms("Pipeline")
def pipeline(b: Builder, model: Any, table: Table) -> Table:
    for _, step in model.steps:
        table = transform(b, step, table)
    return table


def before_last(b: Builder, model: Any, table: Table) -> Table:
    for _, step in model.steps[:-1]:
        table = transform(b, step, table)
    return table


@regresses("Pipeline")
def regressing_pipeline(b: Builder, model: Any, table: Table) -> Block:
    return regress(b, model.steps[-1][1], before_last(b, model, table))


@classifies("Pipeline")
def deciding_pipeline(b: Builder, model: Any, table: Table) -> Classified:
    return classify(b, model.steps[-1][1], before_last(b, model, table))


@transforms("ColumnTransformer")
def columns(b: Builder, model: Any, table: Table) -> Table:
    made: list[Block] = []
    names = {str(name): at for at, name in enumerate(getattr(model, "feature_names_in_", []))}
    weights = model.transformer_weights or {}
    for name, inner, given in model.transformers_:
        if isinstance(inner, str) and inner == "drop":
            continue
        places = places_of(model, given, names)
        if not places:
            continue
        if weights.get(name) not in (None, 1, 1.0):
            raise NotConvertible("ColumnTransformer with weights")
        made += transform(b, inner, b.pick(table, places))
    if not made:
        raise NotConvertible("ColumnTransformer that leaves no column")
    return tuple(made)


@transforms("FeatureUnion")
def union(b: Builder, model: Any, table: Table) -> Table:
    if model.transformer_weights:
        raise NotConvertible("FeatureUnion with weights")
    made: list[Block] = []
    for _, inner in model.transformer_list:
        if not (isinstance(inner, str) and inner == "drop"):
            made += transform(b, inner, table)
    return tuple(made)


@regresses("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")
def searched(b: Builder, model: Any, table: Table) -> Block:
    return regress(b, model.best_estimator_, table)


@classifies("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")
def deciding_search(b: Builder, model: Any, table: Table) -> Classified:
    return classify(b, model.best_estimator_, table)


def _mean(b: Builder, names: Sequence[str], weights: Any) -> str:
    given = None if weights is None else np.asarray(weights, dtype=np.float64)
    total = None
    for place, name in enumerate(names):
        part = name if given is None else b.mul(name, b.f(given[place]))
        total = part if total is None else b.add(total, part)
    assert total is not None
    return b.div(total, b.f(float(len(names)) if given is None else float(given.sum())))


def _worst(parts: Sequence[Block | Classified]) -> Exactness:
    return max([Exactness.ROUNDED, *(one.exactness for one in parts)])


@regresses("VotingRegressor")
def average(b: Builder, model: Any, table: Table) -> Block:
    found = [regress(b, one, table) for one in model.estimators_]
    name = _mean(b, [one.name for one in found], model._weights_not_none)
    return Block(name, 1, _worst(found))


@classifies("VotingClassifier")
def votes(b: Builder, model: Any, table: Table) -> Classified:
    found = [classify(b, one, table) for one in model.estimators_]
    count = len(model.classes_)
    if model.voting == "soft":
        chances = [one.probabilities for one in found if one.probabilities is not None]
        if len(chances) != len(found):
            raise NotConvertible("a vote by chances of what has none")
        name = _mean(b, chances, model._weights_not_none)
        return Classified(b.argmax(name), _worst(found), name)
    weights = model._weights_not_none
    rows = [
        b.mul(_votes(b, one.index, count), b.f(1.0 if weights is None else float(weights[place])))
        for place, one in enumerate(found)
    ]
    total = rows[0]
    for row in rows[1:]:
        total = b.add(total, row)
    return Classified(b.argmax(total), _worst(found))


def _votes(b: Builder, index: str, count: int) -> str:
    return b.op("Gather", b.f(np.eye(count)), index, axis=0)


def _subset(b: Builder, model: Any, place: int, table: Table) -> Table:
    return b.pick(table, [int(one) for one in model.estimators_features_[place]])


@regresses("BaggingRegressor")
def bagged(b: Builder, model: Any, table: Table) -> Block:
    found = [
        regress(b, one, _subset(b, model, place, table))
        for place, one in enumerate(model.estimators_)
    ]
    name = _mean(b, [one.name for one in found], None)
    return Block(name, found[0].width, _worst(found))


@classifies("BaggingClassifier")
def deciding_bag(b: Builder, model: Any, table: Table) -> Classified:
    count = len(model.classes_)
    names, found = [], []
    for place, one in enumerate(model.estimators_):
        made = classify(b, one, _subset(b, model, place, table))
        found.append(made)
        spread = np.zeros((len(one.classes_), count))
        spread[np.arange(len(one.classes_)), np.asarray(one.classes_, dtype=int)] = 1.0
        if made.probabilities is None:
            names.append(b.op("Gather", b.f(spread), made.index, axis=0))
        elif len(one.classes_) == count:
            names.append(made.probabilities)
        else:
            names.append(b.product(made.probabilities, spread))
    name = _mean(b, names, None)
    return Classified(b.argmax(name), _worst(found), name)


def _stacked(b: Builder, model: Any, table: Table, count: int) -> Table:
    made: list[Block] = []
    members = [one for one in model.estimators_ if not isinstance(one, str)]
    methods = [
        one for one, part in zip(model.stack_method_, model.estimators_, strict=False)
        if not isinstance(part, str)
    ]  # fmt: skip
    for one, method in zip(members, methods, strict=True):
        if not hasattr(one, "classes_"):
            made.append(regress(b, one, table))
            continue
        found = classify(b, one, table)
        exactness = max(found.exactness, Exactness.ROUNDED)
        if method == "predict_proba" and found.probabilities is not None:
            if count == 2:
                made.append(Block(b.column(found.probabilities, 1), 1, exactness))
            else:
                made.append(Block(found.probabilities, count, exactness))
        elif method == "decision_function" and found.decision is not None:
            made.append(Block(found.decision, 1 if count == 2 else count, exactness))
        elif method == "predict":
            codes = b.op("Gather", b.f(np.asarray(one.classes_, float)), found.index, axis=0)
            made.append(Block(b.upright(codes), 1, found.exactness))
        else:
            raise NotConvertible(f"a stack of {method}")
    if model.passthrough:
        made.append(b.join(table))
    return tuple(made)


@regresses("StackingRegressor")
def stack(b: Builder, model: Any, table: Table) -> Block:
    return regress(b, model.final_estimator_, _stacked(b, model, table, 0))


@classifies("StackingClassifier")
def deciding_stack(b: Builder, model: Any, table: Table) -> Classified:
    if isinstance(model._label_encoder, list):
        raise NotConvertible("StackingClassifier of several labels")
    inner = _stacked(b, model, table, len(model.classes_))
    return classify(b, model.final_estimator_, inner)


def _response(b: Builder, made: Classified, count: int) -> tuple[str, int]:
    """What calibration is given: decisions where there are some, else chances."""
    if made.decision is not None:
        return made.decision, 1 if count == 2 else count
    if made.probabilities is None:
        raise NotConvertible("calibration of what has neither decisions nor chances")
    if count == 2:
        return b.column(made.probabilities, 1), 1
    return made.probabilities, count


@classifies("CalibratedClassifierCV")
def calibrated(b: Builder, model: Any, table: Table) -> Classified:
    count = len(model.classes_)
    names, found = [], []
    for one in model.calibrated_classifiers_:
        made = classify(b, one.estimator, table)
        found.append(made)
        response, columns = _response(b, made, len(one.estimator.classes_))
        if len(one.estimator.classes_) != count:
            raise NotConvertible("calibration of some of the classes")
        parts = [
            _calibrated(b, calibrator, b.column(response, place), made.exactness)
            for place, calibrator in enumerate(one.calibrators)
        ]
        if count == 2 and columns == 1:
            names.append(b.beside([b.sub(b.f(1.0), parts[0]), parts[0]]))
        else:
            names.append(shares(b, b.beside(parts), count))
    name = _mean(b, names, None)
    return Classified(b.argmax(name), _worst(found), name)


def _calibrated(b: Builder, calibrator: Any, x: str, exactness: Exactness) -> str:
    if type(calibrator).__name__ == "_SigmoidCalibration":
        line = b.add(b.mul(x, b.f(float(calibrator.a_))), b.f(float(calibrator.b_)))
        return sigmoid(b, b.op("Neg", line))
    if type(calibrator).__name__ != "IsotonicRegression":
        raise NotConvertible(f"calibration by {type(calibrator).__name__}")
    if exactness >= Exactness.ROUGH or _is_steep(calibrator):
        b.split((Block(x, 1, Exactness.ROUGH),), "isotonic calibration")
    return interpolated(b, x, calibrator.X_thresholds_, calibrator.y_thresholds_)


def _is_steep(calibrator: Any) -> bool:
    """The last digits of what it is given would be seen in what it answers."""
    x, y = np.asarray(calibrator.X_thresholds_), np.asarray(calibrator.y_thresholds_)
    if len(x) < 2:
        return False
    slope = float((np.abs(np.diff(y)) / np.diff(x)).max())
    return slope * float(np.abs(x).max()) > 1e7


@classifies("OneVsRestClassifier")
def one_against_rest(b: Builder, model: Any, table: Table) -> Classified:
    if model.multilabel_ or any(not hasattr(one, "classes_") for one in model.estimators_):
        raise NotConvertible("OneVsRestClassifier of several labels")
    found = [classify(b, one, table) for one in model.estimators_]
    scores, chances = [], []
    for one in found:
        if one.decision is not None:
            scores.append(one.decision)
        elif one.probabilities is not None:
            scores.append(b.column(one.probabilities, 1))
        else:
            raise NotConvertible("OneVsRestClassifier of what has no scores")
        if one.probabilities is not None:
            chances.append(b.column(one.probabilities, 1))
    count = len(model.classes_)
    probabilities = None
    if len(chances) == len(found) and hasattr(model, "predict_proba"):
        if len(found) == 1:
            probabilities = b.beside([b.sub(b.f(1.0), chances[0]), chances[0]])
        else:
            rows = b.beside(chances)
            total = b.sum(rows)
            is_nothing = b.op("Equal", total, b.f(0.0))
            probabilities = b.div(rows, b.where(is_nothing, b.f(1.0), total))
    if len(found) == 1:
        half = 0.0 if found[0].decision is not None else 0.5
        index = b.as_index(b.op("Greater", scores[0], b.f(half)))
        return Classified(index, _worst(found), probabilities, scores[0] if half == 0.0 else None)
    decision = b.beside(scores)
    assert len(scores) == count
    is_decision = all(one.decision is not None for one in found)
    return Classified(
        b.argmax(decision), _worst(found), probabilities, decision if is_decision else None
    )


@classifies("FixedThresholdClassifier", "TunedThresholdClassifierCV")
def threshold(b: Builder, model: Any, table: Table) -> Classified:
    inner = getattr(model, "estimator_", None)
    if inner is None or len(inner.classes_) != 2:
        raise NotConvertible(f"{type(model).__name__} that was fitted before")
    made = classify(b, inner, table)
    method = model._get_response_method()
    methods = [method] if isinstance(method, str) else list(method)
    used = next((one for one in methods if hasattr(inner, one)), None)
    if used == "predict_proba" and made.probabilities is not None:
        score, usual = b.column(made.probabilities, 1), 0.5
    elif used == "decision_function" and made.decision is not None:
        score, usual = made.decision, 0.0
    else:
        raise NotConvertible(f"{type(model).__name__} of {used}")
    if hasattr(model, "best_threshold_"):
        limit, positive = float(model.best_threshold_), model._curve_scorer._get_pos_label()
    else:
        limit = usual if model.threshold == "auto" else float(model.threshold)
        positive = model.pos_label
    classes = list(inner.classes_)
    is_second = positive is None or classes.index(positive) == 1
    if not is_second:
        first = made.probabilities if used == "predict_proba" else None
        score = b.column(first, 0) if first is not None else b.op("Neg", score)
    if _steps(inner):
        raise NotConvertible(f"{type(model).__name__} of a model whose scores are steps")
    # The limit is often one of the scores.
    near = limit - SAME * max(1.0, abs(limit))
    above = b.as_index(b.op("GreaterOrEqual", score, b.f(near)))
    index = above if is_second else b.sub(b.i(1), above)
    return Classified(index, made.exactness, made.probabilities, made.decision)


def _steps(model: Any) -> bool:
    """Trees answer the same number to many rows: it may be the threshold itself."""
    from aloft_models.missing import parts

    return any(
        hasattr(one, "tree_") or hasattr(one, "_predictors") or hasattr(one, "booster_")
        or hasattr(one, "get_booster")
        for one in parts(model)
    )  # fmt: skip


def several(b: Builder, model: Any, table: Table) -> str:
    """[rows, targets] labels of MultiOutputClassifier, or of numbers."""
    made = []
    for one in model.estimators_:
        if hasattr(one, "classes_"):
            found = classify(b, one, table)
            made.append(b.upright(b.labels(found.index, one.classes_)))
        else:
            made.append(regress(b, one, table).name)
    return b.beside(made)


@regresses("MultiOutputRegressor")
def several_numbers(b: Builder, model: Any, table: Table) -> Block:
    found = [regress(b, one, table) for one in model.estimators_]
    return Block(b.beside([one.name for one in found]), len(found), _worst(found))
