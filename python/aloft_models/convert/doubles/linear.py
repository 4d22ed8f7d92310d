"""Models that weigh columns: linear ones, discriminants, naive Bayes, small networks, centres."""

from __future__ import annotations

from typing import Any

import numpy as np

from aloft_models.convert.doubles.builder import (
    Block,
    Builder,
    Classified,
    Exactness,
    Table,
)
from aloft_models.convert.doubles.registry import classifies, regress, regresses
from aloft_models.convert.failures import NotConvertible
from aloft_models.tensors import Array


def _after(block: Block) -> Exactness:
    return max(block.exactness, Exactness.ROUNDED)


@regresses("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV",
           "HuberRegressor", "BayesianRidge", "ARDRegression", "Lars", "LarsCV", "LassoLars",
           "LassoLarsCV", "LassoLarsIC", "OrthogonalMatchingPursuit",
           "OrthogonalMatchingPursuitCV", "SGDRegressor", "TheilSenRegressor", "QuantileRegressor",
           "LinearSVR", "PassiveAggressiveRegressor", "MultiTaskLasso",
           "MultiTaskElasticNet")  # fmt: skip
def weighed(b: Builder, model: Any, table: Table) -> Block:
    block = b.real(table)
    name, count = _weigh(b, model, block)
    return Block(name, count, _after(block))


def _weigh(b: Builder, model: Any, block: Block) -> tuple[str, int]:
    coefficients = np.asarray(model.coef_, dtype=np.float64)
    coefficients = coefficients.reshape(-1, block.width)
    name = b.product(block.name, coefficients.T)
    intercept = np.asarray(model.intercept_, dtype=np.float64).reshape(1, -1)
    return b.add(name, b.f(intercept)), len(coefficients)


@regresses("RANSACRegressor")
def consensus(b: Builder, model: Any, table: Table) -> Block:
    return regress(b, model.estimator_, table)


@regresses("PLSRegression")
def latent(b: Builder, model: Any, table: Table) -> Block:
    block = b.real(table)
    centred = b.sub(block.name, b.f(model._x_mean))
    name = b.add(b.product(centred, np.asarray(model.coef_).T), b.f(model.intercept_))
    return Block(name, len(model.coef_), _after(block))


@regresses("PoissonRegressor", "GammaRegressor", "TweedieRegressor")
def linked(b: Builder, model: Any, table: Table) -> Block:
    block = b.real(table)
    name, count = _weigh(b, model, block)
    match type(model._get_loss().link).__name__:
        case "IdentityLink":
            pass
        case "LogLink":
            name = b.op("Exp", name)
        case other:
            raise NotConvertible(f"{type(model).__name__} with {other}")
    return Block(name, count, _after(block))


def chosen(b: Builder, decision: str, is_binary: bool) -> str:
    """The place of the class."""
    if is_binary:
        return b.as_index(b.op("Greater", decision, b.f(0.0)))
    return b.argmax(decision)


def both(b: Builder, positive: str) -> str:
    """[rows, 2] chances from that of the second class."""
    return b.beside([b.sub(b.f(1.0), positive), positive])


def shares(b: Builder, rows: str, count: int) -> str:
    """Rows that add up to one, zeros alike everywhere."""
    total = b.sum(rows)
    is_nothing = b.op("Equal", total, b.f(0.0))
    rows = b.where(is_nothing, b.f(1.0), rows)
    return b.div(rows, b.where(is_nothing, b.f(float(count)), total))


def sigmoid(b: Builder, x: str) -> str:
    """1 / (1 + exp(-x)), as SciPy's. The runtime's own is wrong in the ninth digit at -20, and 0
    from -37 on: where all classes of one-against-rest are that unlikely, their shares are lost."""
    one = b.f(1.0)
    return b.div(one, b.add(one, b.op("Exp", b.op("Neg", x))))


@classifies("LogisticRegression", "LogisticRegressionCV", "RidgeClassifier", "RidgeClassifierCV",
            "SGDClassifier", "Perceptron", "LinearSVC", "PassiveAggressiveClassifier",
            "LinearDiscriminantAnalysis")  # fmt: skip
def linear(b: Builder, model: Any, table: Table) -> Classified:
    several = getattr(model, "multi_class", "deprecated")  # "ovr" of LinearSVC, without chances
    if several not in ("deprecated", "auto") and hasattr(model, "predict_proba"):
        raise NotConvertible(f"{type(model).__name__} with multi_class={model.multi_class}")
    if getattr(getattr(model, "_label_binarizer", None), "y_type_", "").startswith("multilabel"):
        raise NotConvertible(f"{type(model).__name__} of several labels")
    block = b.real(table)
    decision, count = _weigh(b, model, block)
    is_binary = count == 1
    chances = None
    if hasattr(model, "predict_proba"):
        chances = _chances(b, model, decision, is_binary)
    return Classified(chosen(b, decision, is_binary), _after(block), chances, decision)


def _chances(b: Builder, model: Any, decision: str, is_binary: bool) -> str:
    kind, count = type(model).__name__, len(model.classes_)
    if kind == "SGDClassifier" and model.loss == "modified_huber":
        one = b.f(1.0)
        cut = b.where(b.op("Less", decision, b.f(-1.0)), b.f(-1.0), decision)
        cut = b.where(b.op("Greater", cut, one), one, cut)
        cut = b.div(b.add(cut, one), b.f(2.0))
        return both(b, cut) if is_binary else shares(b, cut, count)
    if is_binary:
        return both(b, sigmoid(b, decision))
    if kind == "SGDClassifier":
        return shares(b, sigmoid(b, decision), count)
    return b.softmax(decision)


#: numpy adds up fewer numbers than these from left to right.
MOST_IN_ORDER = 8


@classifies("GaussianNB")
def gaussian(b: Builder, model: Any, table: Table) -> Classified:
    """Far from all classes likelihoods are so large that each rounding shows: as numpy has them.

    Eight columns and more numpy adds up in eight sums beside each other, which the graph does not.
    """
    block = b.real(table)
    if block.width >= MOST_IN_ORDER:
        raise NotConvertible(
            f"GaussianNB of {block.width} columns: numpy adds up {MOST_IN_ORDER} and more in "
            "another order, and far from all classes the last bits decide"
        )
    made = []
    for place in range(len(model.classes_)):
        away = b.sub(block.name, b.f(model.theta_[place]))
        square = b.div(b.mul(away, away), b.f(model.var_[place]))
        total = b.sum_in_order(square, block.width)
        start = b.f(-0.5 * np.sum(np.log(2.0 * np.pi * model.var_[place])))
        likelihood = b.sub(start, b.mul(b.f(0.5), total))
        made.append(b.add(b.f(np.log(model.class_prior_[place])), likelihood))
    return likeliest(b, b.beside(made), block)


@classifies("BernoulliNB")
def bernoulli(b: Builder, model: Any, table: Table) -> Classified:
    if model.binarize is None:
        block = b.real(table)
        name = block.name
    else:
        block = b.split(table, "BernoulliNB")
        name = b.as_double(b.op("Greater", block.name, b.f(float(model.binarize))))
    opposite = np.log(1 - np.exp(model.feature_log_prob_))
    rows = b.product(name, (model.feature_log_prob_ - opposite).T)
    rows = b.add(rows, b.f(model.class_log_prior_ + opposite.sum(axis=1)))
    return likeliest(b, rows, block)


@classifies("MultinomialNB", "ComplementNB")
def multinomial(b: Builder, model: Any, table: Table) -> Classified:
    block = b.real(table)
    rows = b.product(block.name, np.asarray(model.feature_log_prob_).T)
    if type(model).__name__ == "MultinomialNB" or len(model.classes_) == 1:
        rows = b.add(rows, b.f(model.class_log_prior_))
    return likeliest(b, rows, block)


def likeliest(b: Builder, rows: str, block: Block) -> Classified:
    """From log likelihoods."""
    largest = b.largest(rows)
    total = b.op("Log", b.sum(b.op("Exp", b.sub(rows, largest))))
    chances = b.op("Exp", b.sub(rows, b.add(total, largest)))
    return Classified(b.argmax(rows), _after(block), chances)


@classifies("QuadraticDiscriminantAnalysis")
def quadratic(b: Builder, model: Any, table: Table) -> Classified:
    if np.asarray(model.means_[0]).dtype == np.float32:
        # Squares of 4e4 in each class, of which the difference decides: no digit after the third.
        raise NotConvertible("QuadraticDiscriminantAnalysis that was fitted on 32-bit floats")
    block = b.real(table)
    made = []
    for place in range(len(model.classes_)):
        scale = np.asarray(model.scalings_[place])
        turned = np.asarray(model.rotations_[place]) * scale**-0.5
        away = b.product(b.sub(block.name, b.f(model.means_[place])), turned)
        start = b.f(np.sum(np.log(scale)))
        distance = b.mul(b.f(-0.5), b.add(b.sum(b.mul(away, away)), start))
        made.append(b.add(distance, b.f(np.log(model.priors_[place]))))
    rows = b.beside(made)
    away = b.sub(rows, b.largest(rows))
    chances = b.op("Exp", b.sub(away, b.op("Log", b.sum(b.op("Exp", away)))))
    decision = b.sub(made[1], made[0]) if len(made) == 2 else rows
    return Classified(b.argmax(rows), _after(block), chances, decision)


def _network(b: Builder, model: Any, table: Table) -> tuple[str, Block]:
    block = b.real(table)
    name = block.name
    last = len(model.coefs_) - 1
    for place, (weights, shift) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        name = b.add(b.product(name, weights), b.f(shift))
        name = _activated(b, name, model.activation if place < last else model.out_activation_)
    return name, block


def _activated(b: Builder, name: str, kind: str) -> str:
    match kind:
        case "identity":
            return name
        case "relu":
            return b.where(b.op("Less", name, b.f(0.0)), b.f(0.0), name)
        case "tanh":
            return b.op("Tanh", name)
        case "logistic":
            return sigmoid(b, name)
        case "softmax":
            return b.softmax(name)
        case other:
            raise NotConvertible(f"a network with the activation {other}")


@regresses("MLPRegressor")
def network(b: Builder, model: Any, table: Table) -> Block:
    name, block = _network(b, model, table)
    return Block(name, int(model.n_outputs_), _after(block))


@classifies("MLPClassifier")
def deciding_network(b: Builder, model: Any, table: Table) -> Classified:
    if model._label_binarizer.y_type_.startswith("multilabel"):
        raise NotConvertible("MLPClassifier of several labels")
    name, block = _network(b, model, table)
    if model.n_outputs_ == 1:
        index = b.as_index(b.op("Greater", name, b.f(0.5)))
        return Classified(index, _after(block), both(b, name))
    return Classified(b.argmax(name), _after(block), name)


def nearest(b: Builder, model: Any, table: Table) -> str:
    """Place of the nearest centre, as KMeans and its kin have them."""
    block = b.real(table)
    centres: Array = np.asarray(model.cluster_centers_, dtype=np.float64)
    # Distances from the middle of the centres lose fewer digits, and are as long.
    middle = centres.mean(axis=0)
    away, centres = b.sub(block.name, b.f(middle)), centres - middle
    inner = b.mul(b.product(away, centres.T), b.f(2.0))
    return b.argmax(b.sub(inner, b.f((centres**2).sum(axis=1))))
