"""A random model from a number: data, a pipeline of the kinds, fitted."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import kinds
import numpy as np
import pandas as pd
from aloft_models.inputs import ModelInput, from_example
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import FeatureUnion, Pipeline

_CARRIERS = ["AA", "aa", "B6", "Ünited", "Люфт", "日本", "D L", "", "None"]
_WORDS = ["gut", "schlecht", "schön", "naïve", "Straße", "film", "the", "кино", "été", "UP", "x1"]


@dataclass(frozen=True)
class Trial:
    model: Any
    # All rows that the model was fitted on, of which the first are its example.
    rows: Any
    task: str


@dataclass(frozen=True)
class _Data:
    table: pd.DataFrame
    numbers: list[str]
    texts: list[str]
    words: list[str]
    has_gaps: bool


def trial(seed: int) -> Trial:
    """Throws whatever fitting throws at a combination that makes no sense. Numbers below zero are
    the sweep: one kind with one option each."""
    if seed < 0:
        return _swept(-1 - seed)
    chance = np.random.default_rng(seed)
    task = str(chance.choice(["classify", "regress", "other"], p=[0.48, 0.46, 0.06]))
    pool = {"classify": kinds.CLASSIFIERS, "regress": kinds.REGRESSORS, "other": kinds.OTHERS}[task]
    kind = pool[int(chance.integers(len(pool)))]
    data = _data(chance, kind)
    final = kind.make(chance)
    model, target = _model(chance, task, kind, final, data)
    as_array = not data.texts and not data.words and chance.random() < 0.2
    rows = data.table.to_numpy() if as_array else data.table
    if as_array and isinstance(model, Pipeline) and isinstance(model[0], ColumnTransformer):
        rows = data.table
    if chance.random() < 0.1:
        rows = _single(rows)
    model.fit(rows, target) if target is not None else model.fit(rows)
    return Trial(model, rows, task)


def _single(rows: Any) -> Any:
    """Real numbers as 32-bit floats, with which scikit-learn computes then."""
    if isinstance(rows, pd.DataFrame):
        reals = {name: np.float32 for name in rows.columns if rows[name].dtype.kind == "f"}
        return rows.astype(reals)
    return rows.astype(np.float32) if rows.dtype.kind == "f" else rows


def input_of(example: Any) -> ModelInput:
    """As MLflow's signature would have it."""
    known = from_example(example)
    if not isinstance(example, pd.DataFrame):
        return known
    columns = [
        replace(column, kind="float") if example[column.name].dtype == np.float32 else column
        for column in known.columns
    ]
    return ModelInput(columns=tuple(columns))


def _data(chance: Any, kind: kinds.Kind) -> _Data:
    count = 120 if "small" in kind.needs else int(chance.choice([120, 300]))
    width = int(chance.integers(1, 4 if "small" in kind.needs else 6))
    table: dict[str, Any] = {}
    is_positive = "positive" in kind.needs
    for place in range(width):
        table[f"n{place}"] = _numbers(chance, count, is_positive)
    numbers = list(table)
    has_gaps = not is_positive and chance.random() < 0.25
    if has_gaps:
        values = np.asarray(table["n0"], dtype=np.float64).copy()
        values[chance.random(count) < 0.2] = np.nan
        table["n0"] = values
    texts, words = [], []
    if chance.random() < 0.35:
        for place in range(int(chance.integers(1, 3))):
            pool = list(chance.choice(_CARRIERS, int(chance.integers(2, 7)), replace=False))
            pool += [None] if chance.random() < 0.3 else []
            pool += ["?"] if chance.random() < 0.3 else []
            pool = [one if one is None else str(one) for one in pool]
            picked = [pool[int(index)] for index in chance.integers(0, len(pool), count)]
            table[f"t{place} (code)"] = pd.Series(picked, dtype=object)
            texts.append(f"t{place} (code)")
    if chance.random() < 0.12:
        table["words"] = pd.Series(
            [" ".join(chance.choice(_WORDS, int(chance.integers(1, 7)))) for _ in range(count)],
            dtype=object,
        )
        words.append("words")
    return _Data(pd.DataFrame(table), numbers, texts, words, has_gaps)


def _numbers(chance: Any, count: int, is_positive: bool) -> Any:
    match int(chance.integers(7)):
        case 0:
            made = chance.normal(size=count)
        case 1:
            made = chance.normal(size=count) * 10.0 ** int(chance.integers(-3, 6))
        case 2:
            made = chance.integers(0, 20, count).astype(float)
        case 3:
            return chance.integers(0 if is_positive else -50, 1000, count)
        case 4:  # seconds since 1970
            made = 1.6e9 + chance.integers(0, 3_000_000, count).astype(float)
        case 5:
            made = np.where(chance.random(count) < 0.4, 0.0, chance.exponential(size=count))
        case _:
            made = chance.random(count).astype(np.float32).astype(float)
    return np.abs(made) if is_positive else made


def _target(chance: Any, task: str, data: _Data, is_positive: bool) -> Any:
    numbers = data.table[data.numbers].to_numpy(np.float64)
    scaled = np.nan_to_num((numbers - np.nanmean(numbers, 0)) / (np.nanstd(numbers, 0) + 1e-12))
    score = scaled @ chance.normal(size=scaled.shape[1]) + 0.3 * chance.normal(size=len(scaled))
    for name in [*data.texts, *data.words]:
        codes = pd.factorize(data.table[name])[0]
        score = score + np.where(codes % 2 == 0, 0.8, -0.4)
    if task == "regress":
        return np.exp(score / (1 + np.abs(score).max() / 3)) if is_positive else score * 10
    classes = int(chance.choice([2, 2, 3, 4]))
    cuts = np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1])
    codes = np.searchsorted(cuts, score)
    match int(chance.integers(3)):
        case 0:
            return codes
        case 1:
            return np.array([f"klasse {'abcd'[code]}" for code in codes])
        case _:
            return codes.astype(bool) if classes == 2 else codes + 5


def _model(
    chance: Any, task: str, kind: kinds.Kind, final: BaseEstimator, data: _Data
) -> tuple[Any, Any]:
    is_positive = "positive" in kind.needs
    target = None if task == "other" else _target(chance, task, data, is_positive)
    final, target = _wrapped(chance, task, kind, final, target)
    steps = _steps(chance, kind, data)
    model: Any = Pipeline([*steps, ("final", final)]) if steps else final
    if chance.random() < 0.03 and target is not None and getattr(target, "ndim", 1) == 1:
        model = GridSearchCV(model, {}, cv=2)
    return model, target


def _wrapped(chance: Any, task: str, kind: kinds.Kind, final: Any, target: Any) -> tuple[Any, Any]:
    """Sometimes inside a model of models."""
    if task == "other" or "positive" in kind.needs or chance.random() > 0.18:
        return final, target
    pool = kinds.CLASSIFIERS if task == "classify" else kinds.REGRESSORS
    simple = [one for one in pool if not one.needs]
    other = simple[int(chance.integers(len(simple)))].make(chance)
    pair = [("a", final), ("b", other)]
    if task == "classify":
        match int(chance.integers(7)):
            case 0:
                hard = "hard" if chance.random() < 0.5 else "soft"
                return VotingClassifier(pair, voting=hard), target
            case 1:
                return StackingClassifier(pair, cv=2, passthrough=chance.random() < 0.3), target
            case 2:
                method = "isotonic" if chance.random() < 0.3 else "sigmoid"
                return CalibratedClassifierCV(final, cv=2, method=method), target
            case 3:
                return OneVsRestClassifier(final), target
            case 4:
                return TunedThresholdClassifierCV(final, cv=2, thresholds=5), target
            case 5:
                return FixedThresholdClassifier(final, threshold=0.3), target
            case _:
                return MultiOutputClassifier(final), np.column_stack([target, target[::-1]])
    match int(chance.integers(4)):
        case 0:
            return VotingRegressor(pair), target
        case 1:
            return StackingRegressor(pair, cv=2), target
        case 2:
            return TransformedTargetRegressor(final, func=np.cbrt, inverse_func=_cube), target
        case _:
            return MultiOutputRegressor(final), np.column_stack([target, target[::-1]])


@functools.cache
def sweep() -> list[tuple[str, kinds.Kind, str | None, Any]]:
    """Each kind as it is, and with each value of each option: the pool, kind, option, value."""
    found: list[tuple[str, kinds.Kind, str | None, Any]] = []
    for pool in (
        "SCALERS", "IMPUTERS", "ENCODERS", "TEXT_IMPUTERS", "WORDS", "CLASSIFIERS", "REGRESSORS",
        "OTHERS", "CODES",
    ):  # fmt: skip
        for kind in getattr(kinds, pool):
            found.append((pool, kind, None, None))
            found += [
                (pool, kind, option, value)
                for option, values in kind.options.items()
                for value in values
            ]
    tree = next(kind for kind in kinds.CLASSIFIERS if kind.path.endswith("DecisionTreeClassifier"))
    return [*found, *(("AROUND", tree, name, None) for name in kinds.AROUND)]


def _swept(place: int) -> Trial:
    pool, kind, option, value = sweep()[place]
    chance = np.random.default_rng(place)
    final = kind.make(chance, share=0.0)
    if option is not None and pool != "AROUND":
        final.set_params(**{option: value})
    count = 120
    is_positive = "positive" in kind.needs
    table: dict[str, Any] = {"n0": chance.normal(size=count), "n1": chance.exponential(size=count)}
    if is_positive:
        table["n0"] = np.abs(table["n0"])
    if pool == "CODES":
        table["n0"] = chance.integers(0, 9, count).astype(float)
    if pool == "IMPUTERS":
        table["n0"] = np.where(chance.random(count) < 0.2, np.nan, table["n0"])
    texts, words = [], []
    if pool in ("ENCODERS", "TEXT_IMPUTERS"):
        picked = chance.choice(["AA", "Ünited", "", "日本", "?"], count)
        table["t0"] = pd.Series([str(one) for one in picked], dtype=object)
        texts = ["t0"]
    if pool == "WORDS":
        table["words"] = pd.Series([" ".join(chance.choice(_WORDS, 4)) for _ in range(count)],
                                   dtype=object)  # fmt: skip
        words = ["words"]
    data = _Data(pd.DataFrame(table), ["n0", "n1"], texts, words, pool == "IMPUTERS")
    task = {"CLASSIFIERS": "classify", "OTHERS": "other"}.get(pool, "regress")
    if "Classifier" in kind.path and "Regressor" not in str(option):
        task = "classify"
    target = None if task == "other" else _target(chance, task, data, is_positive)
    if pool == "AROUND":
        model, target = _inside(str(option), task, target, chance)
    else:
        model = _around(pool, final, chance)
    model.fit(data.table, target) if target is not None else model.fit(data.table)
    return Trial(model, data.table, task)


def _inside(name: str, task: str, target: Any, chance: Any) -> tuple[Any, Any]:
    """A model of models by name."""
    pool = kinds.CLASSIFIERS if task == "classify" else kinds.REGRESSORS
    first, second = (kind.make(chance, share=0.0) for kind in (pool[0], pool[3]))
    if task == "classify":
        second = next(kind for kind in pool if "GaussianNB" in kind.path).make(chance, share=0.0)
    pair = [("a", first), ("b", second)]
    both = np.column_stack([target, target[::-1]])
    match name.split():
        case ["VotingClassifier", how]:
            return VotingClassifier(pair, voting=how), target
        case ["StackingClassifier", *more]:
            return StackingClassifier(pair, cv=2, passthrough=bool(more)), target
        case ["CalibratedClassifierCV", how]:
            return CalibratedClassifierCV(first, cv=2, method=how), target
        case ["OneVsRestClassifier"]:
            return OneVsRestClassifier(first), target
        case ["MultiOutputClassifier"]:
            return MultiOutputClassifier(first), both
        case ["VotingRegressor"]:
            return VotingRegressor(pair), target
        case ["StackingRegressor"]:
            return StackingRegressor(pair, cv=2), target
        case ["MultiOutputRegressor"]:
            return MultiOutputRegressor(first), both
        case ["GridSearchCV"]:
            return GridSearchCV(first, {}, cv=2), target
        case ["FixedThresholdClassifier"]:
            return FixedThresholdClassifier(first, threshold=0.3), target == target[0]
        case _:
            return TunedThresholdClassifierCV(first, cv=2, thresholds=5), target == target[0]


def _around(pool: str, part: Any, chance: Any) -> Any:
    """A small model with this part in its place."""
    end = kinds.REGRESSORS[0].make(chance, share=0.0)
    match pool:
        case "SCALERS" | "IMPUTERS":
            return Pipeline([("part", part), ("final", end)])
        case "ENCODERS" | "TEXT_IMPUTERS":
            encoder = kinds.ENCODERS[0].make(chance, share=0.0)
            encoder.set_params(handle_unknown="ignore")
            if pool == "TEXT_IMPUTERS":
                part = Pipeline([("imputer", part), ("encoder", encoder)])
            columns = ColumnTransformer([("part", part, ["t0"])], remainder="passthrough")
            return Pipeline([("columns", columns), ("final", end)])
        case "WORDS":
            columns = ColumnTransformer([("part", part, "words")], remainder="passthrough")
            return Pipeline([("columns", columns), ("final", end)])
        case _:
            return part


def _cube(values: Any) -> Any:
    return values**3


def _steps(chance: Any, kind: kinds.Kind, data: _Data) -> list[tuple[str, Any]]:
    is_positive = "positive" in kind.needs
    numeric: list[tuple[str, Any]] = []
    gaps_may_stay = "Hist" in kind.path or kind.path.startswith(("xgboost", "lightgbm"))
    if data.has_gaps and not (gaps_may_stay and chance.random() < 0.7):
        numeric.append(("imputer", _of(chance, kinds.IMPUTERS)))
    if not is_positive and chance.random() < 0.55:
        numeric.append(("scaler", _of(chance, kinds.SCALERS)))
        if chance.random() < 0.15:
            numeric.append(("again", _of(chance, kinds.SCALERS)))
        if chance.random() < 0.06:
            pair = [("a", _of(chance, kinds.SCALERS)), ("b", _of(chance, kinds.SCALERS))]
            numeric.append(("union", FeatureUnion(pair)))
    if not data.texts and not data.words:
        if numeric and chance.random() < 0.3:
            inner = Pipeline(numeric) if len(numeric) > 1 else numeric[0][1]
            return [("columns", ColumnTransformer([("n", inner, data.numbers)]))]
        return numeric
    parts: list[tuple[str, Any, Any]] = []
    if data.texts:
        encoder = _of(chance, kinds.ENCODERS)
        if chance.random() < 0.3:
            encoder = Pipeline(
                [("imputer", _of(chance, kinds.TEXT_IMPUTERS)), ("encoder", encoder)]
            )
        parts.append(("texts", encoder, data.texts))
    parts += [(f"words {name}", _of(chance, kinds.WORDS), name) for name in data.words]
    rest: Any = "passthrough"
    if numeric:
        rest = Pipeline(numeric) if len(numeric) > 1 else numeric[0][1]
    if chance.random() < 0.5 and not numeric:
        return [("columns", ColumnTransformer(parts, remainder="passthrough"))]
    return [("columns", ColumnTransformer([*parts, ("numbers", rest, data.numbers)]))]


def _of(chance: Any, pool: list[kinds.Kind]) -> Any:
    return pool[int(chance.integers(len(pool)))].make(chance)
