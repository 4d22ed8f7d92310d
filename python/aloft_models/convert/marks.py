"""Where a fitted model changes its mind: thresholds, bin edges, categories, words, extremes, all
told in the columns that the caller sends."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MOST_NUMBERS = 3000


@dataclass(frozen=True)
class Feature:
    """A feature inside a model that is a column in other units: x = feature * scale + shift."""

    column: int
    scale: float = 1.0
    shift: float = 0.0

    def back(self, value: float) -> float:
        return float(value) * self.scale + self.shift

    def after(self, scale: float, shift: float) -> Feature:
        """The feature that a scaler makes of this one, itself `this = feature * scale + shift`."""
        return Feature(self.column, self.scale * scale, self.scale * shift + self.shift)


Features = Sequence[Feature | None]


@dataclass
class Marks:
    """By place of the column. `kinds` counts what they come from."""

    numbers: dict[int, set[float]] = field(default_factory=lambda: defaultdict(set))
    texts: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    # Texts of which an encoder need not know.
    rare: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    words: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    kinds: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, features: Features, index: int, value: Any, kind: str) -> None:
        feature = features[index] if 0 <= index < len(features) else None
        if feature is None or len(self.numbers[feature.column]) >= MOST_NUMBERS:
            return
        number = feature.back(value)
        if np.isfinite(number):
            self.numbers[feature.column].add(number)
            self.kinds[kind] += 1


def marks_of(model: Any, columns: Sequence[Any]) -> Marks:
    marks = Marks()
    names = {str(name): place for place, name in enumerate(columns)}
    _visit(model, [Feature(place) for place in range(len(columns))], marks, names, 0)
    return marks


def _visit(part: Any, given: Features, marks: Marks, names: dict[str, int], depth: int) -> None:
    if depth > 16 or part is None or isinstance(part, str):
        return
    if hasattr(part, "steps"):
        for _, step in part.steps:
            _visit(step, given, marks, names, depth + 1)
            given = made_by(step, given)
        return
    if hasattr(part, "transformers_"):
        for _, inner, columns in part.transformers_:
            taken = [
                given[place] for place in places_of(part, columns, names) if place < len(given)
            ]
            _visit(inner, taken, marks, names, depth + 1)
        return
    for _, inner in getattr(part, "transformer_list", None) or []:
        _visit(inner, given, marks, names, depth + 1)
    for name in ("best_estimator_", "estimator_", "regressor_", "_preprocessor"):
        if hasattr(part, name):
            _visit(getattr(part, name), given, marks, names, depth + 1)
    for one in getattr(part, "calibrated_classifiers_", None) or []:
        _visit(one.estimator, given, marks, names, depth + 1)
    _visit_many(part, given, marks, names, depth)
    for harvest in (_trees, _histograms, _boosters, _edges, _scales, _categories, _words):
        harvest(part, given, marks)


def _visit_many(
    part: Any, given: Features, marks: Marks, names: dict[str, int], depth: int
) -> None:
    inner = getattr(part, "estimators_", None)
    if inner is None:
        return
    subsets = getattr(part, "estimators_features_", None)
    for place, one in enumerate(list(np.asarray(inner, dtype=object).ravel())[:300]):
        taken = given
        if subsets is not None and place < len(subsets):
            taken = [given[index] for index in subsets[place] if index < len(given)]
        _visit(one[-1] if isinstance(one, tuple) else one, taken, marks, names, depth + 1)


def places_of(part: Any, columns: Any, names: dict[str, int]) -> list[int]:
    known = [str(name) for name in getattr(part, "feature_names_in_", [])]
    width = int(getattr(part, "n_features_in_", len(known)))
    if isinstance(columns, slice):
        if isinstance(columns.start, str) or isinstance(columns.stop, str):
            first = known.index(columns.start) if columns.start is not None else 0
            last = known.index(columns.stop) + 1 if columns.stop is not None else width
            return list(range(first, last))
        return list(range(width))[columns]
    if isinstance(columns, str | int | np.integer):
        columns = [columns]
    columns = list(columns)
    if columns and all(isinstance(one, bool | np.bool_) for one in columns):
        return [place for place, taken in enumerate(columns) if taken]
    where = {name: place for place, name in enumerate(known)} or names
    return [
        where.get(one, 0) if isinstance(one, str) else int(one) % max(width, 1) for one in columns
    ]


def made_by(step: Any, given: Features) -> Features:
    """What the outputs of a step are, where they still are columns; else None for each."""
    if step is None or isinstance(step, str):
        return given if step in (None, "passthrough") else []
    kind = type(step).__name__
    width = len(given)
    scale, shift = _affine(step, kind, width)
    if scale is not None and shift is not None:
        return [
            feature.after(float(scale[place]), float(shift[place])) if feature else None
            for place, feature in enumerate(given)
        ]
    if hasattr(step, "transformers_"):
        return _of_columns(step, given)
    if hasattr(step, "steps"):
        for _, inner in step.steps:
            given = made_by(inner, given)
        return given
    if hasattr(step, "get_support"):
        return [given[int(at)] for at in np.flatnonzero(step.get_support()) if at < width]
    if kind == "SimpleImputer" and not step.add_indicator and len(step.statistics_) == width:
        return given
    return []


def _affine(step: Any, kind: str, width: int) -> tuple[Any, Any]:
    """(scale, shift) with input = output * scale + shift."""
    ones, zeros = np.ones(width), np.zeros(width)
    scale = getattr(step, "scale_", None)
    if kind == "StandardScaler":
        mean = step.mean_ if step.with_mean and step.mean_ is not None else zeros
        return (scale if scale is not None else ones), mean
    if kind == "RobustScaler":
        center = step.center_ if step.with_centering else zeros
        return (scale if step.with_scaling else ones), center
    if kind == "MaxAbsScaler":
        return scale, zeros
    if kind == "MinMaxScaler":
        return 1 / np.asarray(scale), -np.asarray(step.min_) / np.asarray(scale)
    return None, None


def _of_columns(step: Any, given: Features) -> Features:
    made: list[Feature | None] = []
    names = {str(name): place for place, name in enumerate(getattr(step, "feature_names_in_", []))}
    for name, inner, columns in step.transformers_:
        span = step.output_indices_.get(name, slice(0, 0))
        width = (span.stop or 0) - (span.start or 0)
        taken = [given[place] for place in places_of(step, columns, names) if place < len(given)]
        out = list(made_by(inner, taken)) if not isinstance(inner, str) else taken
        made += (out if len(out) == width else [None] * width)[:width]
    return made


def _trees(part: Any, given: Features, marks: Marks) -> None:
    tree = getattr(part, "tree_", None)
    if tree is None or not hasattr(tree, "threshold"):
        return
    for node in np.flatnonzero(tree.children_left != -1):
        marks.add(given, int(tree.feature[node]), tree.threshold[node], "split thresholds")


def _histograms(part: Any, given: Features, marks: Marks) -> None:
    predictors = getattr(part, "_predictors", None)
    if predictors is None:
        return
    from aloft_models.convert.hist_gradient_boosting import columns_of

    columns = columns_of(part)
    for iteration in predictors:
        for predictor in iteration:
            nodes = predictor.nodes
            for node in nodes[(nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)]:
                marks.add(
                    given, columns[int(node["feature_idx"])], node["num_threshold"],
                    "split thresholds",
                )  # fmt: skip


def _boosters(part: Any, given: Features, marks: Marks) -> None:
    module = type(part).__module__.split(".")[0]
    if module == "xgboost":
        booster = part.get_booster() if hasattr(part, "get_booster") else part
        model = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]
        for tree in model.get("gbtree", model).get("model", {}).get("trees", []):
            for left, index, split in zip(
                tree["left_children"], tree["split_indices"], tree["split_conditions"], strict=True
            ):
                if left != -1:
                    marks.add(given, index, split, "split thresholds")
    elif module == "lightgbm":
        booster = getattr(part, "booster_", part)
        for tree in booster.dump_model()["tree_info"]:
            waiting = [tree["tree_structure"]]
            while waiting:
                node = waiting.pop()
                if "split_feature" not in node:
                    continue
                waiting += [node["left_child"], node["right_child"]]
                values = str(node["threshold"]).split("||")
                for value in values:
                    marks.add(given, int(node["split_feature"]), float(value), "split thresholds")


def _edges(part: Any, given: Features, marks: Marks) -> None:
    bins = getattr(part, "bin_edges_", None)
    if bins is not None:
        for index, edges in enumerate(bins):
            for edge in edges:
                marks.add(given, index, edge, "bin edges")
    quantiles = getattr(part, "quantiles_", None)
    if quantiles is not None and getattr(quantiles, "ndim", 0) == 2:
        for index in range(quantiles.shape[1]):
            for edge in quantiles[:: max(1, len(quantiles) // 50), index]:
                marks.add(given, index, edge, "quantiles")
    for index, spline in enumerate(getattr(part, "bsplines_", None) or []):
        for knot in spline.t:
            marks.add(given, index, knot, "knots")
    if type(part).__name__ == "Binarizer":
        for index in range(len(given)):
            marks.add(given, index, part.threshold, "split thresholds")


def _scales(part: Any, given: Features, marks: Marks) -> None:
    for name in ("data_min_", "data_max_", "mean_", "center_", "statistics_"):
        values = getattr(part, name, None)
        values = np.asarray([]) if values is None else np.asarray(values)
        if values.ndim == 1 and values.dtype.kind == "f":
            for index, value in enumerate(values):
                marks.add(given, index, value, "extremes and centres of scalers")
    scale, mean = getattr(part, "scale_", None), getattr(part, "mean_", None)
    if type(part).__name__ == "StandardScaler" and scale is not None and mean is not None:
        for index, (width, middle) in enumerate(zip(scale, mean, strict=True)):
            for far in (-1000.0, -6.0, 6.0, 1000.0):
                marks.add(given, index, middle + far * width, "extremes and centres of scalers")


def _categories(part: Any, given: Features, marks: Marks) -> None:
    values = getattr(part, "categories_", None)
    if not isinstance(values, list | tuple):
        return
    for index, known in enumerate(values):
        feature = given[index] if index < len(given) else None
        for value in known:
            if isinstance(value, str):
                if feature is not None and value not in marks.texts[feature.column]:
                    marks.texts[feature.column].append(value)
                    marks.kinds["categories"] += 1
            elif isinstance(value, bool | int | float | np.number | np.bool_):
                marks.add(given, index, float(value), "categories")


def _words(part: Any, given: Features, marks: Marks) -> None:
    vocabulary = getattr(part, "vocabulary_", None)
    if type(part).__name__ == "SimpleImputer":
        _imputer(part, given, marks)
    if not isinstance(vocabulary, dict) or not given or given[0] is None:
        return
    words = sorted(str(word) for word in vocabulary)
    odd = [word for word in words if not word.isascii()][:150]
    marks.words[given[0].column] += odd + words[:: max(1, len(words) // 300)]
    marks.kinds["words of the vocabulary"] += len(words)


def _imputer(part: Any, given: Features, marks: Marks) -> None:
    for index, feature in enumerate(given):
        if feature is None:
            continue
        for value in (part.missing_values, part.statistics_[index : index + 1]):
            for one in [value] if not isinstance(value, np.ndarray) else list(value):
                if isinstance(one, str):
                    marks.rare[feature.column].append(one)
                elif isinstance(one, int | float | np.number) and one == one:
                    marks.add(given, index, float(one), "marks of imputers")
