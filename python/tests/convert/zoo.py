"""Models of many kinds, each with rows to log as its example."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC


@dataclass(frozen=True)
class Kind:
    """How to train a model, and the MLflow flavor to log it with."""

    train: Callable[[], tuple[Any, Any]]
    flavor: str = "sklearn"
    inputs: int = 1


@functools.cache
def cancer() -> tuple[pd.DataFrame, pd.Series]:
    data = load_breast_cancer(as_frame=True)
    return data.data, data.target


@functools.cache
def diabetes() -> tuple[pd.DataFrame, pd.Series]:
    data = load_diabetes(as_frame=True)
    return data.data, data.target


@functools.cache
def iris() -> tuple[pd.DataFrame, pd.Series]:
    data = load_iris(as_frame=True)
    return data.data, data.target


@functools.cache
def with_gaps() -> pd.DataFrame:
    table = cancer()[0].copy()
    table.iloc[::3, 0] = np.nan
    table.iloc[::5, 4] = np.nan
    return table


@functools.cache
def departures() -> tuple[pd.DataFrame, pd.Series]:
    """Numbers, whole numbers, text, a truth value; a column name that is no identifier."""
    chance = np.random.default_rng(0)
    rows = 2000
    table = pd.DataFrame(
        {
            "delay": chance.normal(5, 20, rows).round(),
            "distance": chance.integers(100, 3000, rows),
            "ratio": chance.random(rows),
            "carrier": chance.choice(["AA", "UA", "DL", "B6"], rows),
            "dest (code)": chance.choice(["LAX", "SFO", "ORD"], rows),
            "weekend": chance.random(rows) < 0.5,
        }
    )
    late = ((table.delay > 10) & (table.carrier != "AA")) | (table.ratio > 0.9)
    return table, late.astype(int)


@functools.cache
def categories() -> pd.DataFrame:
    table = departures()[0]
    return table.astype({"carrier": "category", "dest (code)": "category"})


@functools.cache
def codes() -> tuple[pd.DataFrame, pd.Series]:
    """A column of category numbers beside a real one."""
    chance = np.random.default_rng(1)
    table = pd.DataFrame(
        {"code": chance.integers(0, 9, 2000).astype(float), "size": chance.normal(size=2000)}
    )
    return table, (table.code.isin([1, 5, 6]) & (table["size"] > 0)).astype(int)


NUMBERS, TEXTS = ["delay", "distance", "ratio"], ["carrier", "dest (code)"]


def fitted(model: Any, rows: Any, target: Any) -> tuple[Any, Any]:
    return model.fit(rows, target), rows


def encoded(encoder: Any, model: Any) -> tuple[Any, Any]:
    columns = ColumnTransformer([("text", encoder, TEXTS), ("numbers", StandardScaler(), NUMBERS)])
    return fitted(make_pipeline(columns, model), *departures())


def one_hot() -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)


def sentences() -> tuple[Any, Any]:
    words = [f"{a} {b}" for a in ("Good", "bad", "fine", "awful") for b in ("film", "play", "Buch")]
    table = pd.DataFrame({"text": words * 3})
    target = table.text.str.contains("ood|fine").astype(int)
    columns = ColumnTransformer([("words", TfidfVectorizer(), "text")])
    return fitted(make_pipeline(columns, LogisticRegression()), table, target)


def early_stopped() -> tuple[Any, Any]:
    rows, target = cancer()
    model = xgboost.XGBClassifier(n_estimators=200, early_stopping_rounds=3)
    model.fit(rows[:400], target[:400], eval_set=[(rows[400:], target[400:])], verbose=False)
    return model, rows


def two_targets(model: Any) -> tuple[Any, Any]:
    rows, target = diabetes()
    return fitted(model, rows, np.column_stack([target, target * 2]))


def ordinal() -> tuple[Any, Any]:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((encoder, TEXTS), remainder="passthrough")
    boosted = HistGradientBoostingClassifier(max_iter=30, categorical_features=[0, 1])
    return fitted(make_pipeline(columns, boosted), *departures())


def named_words() -> tuple[Any, Any]:
    rows, target = iris()
    return fitted(
        HistGradientBoostingClassifier(max_iter=10), rows, target.map({0: "a", 1: "b", 2: "c"})
    )


def timestamps() -> tuple[Any, Any]:
    """FP32 cannot tell these apart; FP64 can."""
    rows = pd.DataFrame({"seconds": 1.6e9 + np.arange(500.0)})
    model = make_pipeline(StandardScaler(), Ridge(alpha=1e-6))
    return fitted(model, rows, np.arange(500.0))


XGB = functools.partial(xgboost.XGBClassifier, n_estimators=20)
LGBM = functools.partial(lightgbm.LGBMClassifier, n_estimators=20, verbose=-1)
HGB = functools.partial(HistGradientBoostingClassifier, max_iter=30)

CONVERTIBLE: dict[str, Kind] = {
    "GradientBoosting": Kind(lambda: fitted(GradientBoostingClassifier(), *cancer())),
    "RandomForest": Kind(lambda: fitted(RandomForestClassifier(20), *cancer())),
    "RandomForest on arrays": Kind(
        lambda: fitted(RandomForestClassifier(20), cancer()[0].to_numpy(), cancer()[1])
    ),
    "RandomForest with missing": Kind(
        lambda: fitted(RandomForestClassifier(20), with_gaps(), cancer()[1])
    ),
    "RandomForestRegressor": Kind(lambda: fitted(RandomForestRegressor(20), *diabetes())),
    "HistGradientBoosting": Kind(lambda: fitted(HGB(), *cancer())),
    "HistGradientBoosting with missing": Kind(lambda: fitted(HGB(), with_gaps(), cancer()[1])),
    "HistGradientBoosting three classes": Kind(lambda: fitted(HGB(), *iris())),
    "HistGradientBoosting text labels": Kind(named_words),
    "HistGradientBoosting category columns": Kind(
        lambda: fitted(HGB(), categories(), departures()[1]), inputs=6
    ),
    "HistGradientBoosting category numbers": Kind(
        lambda: fitted(HGB(categorical_features=[0]), *codes())
    ),
    "HistGradientBoosting after OrdinalEncoder": Kind(ordinal, inputs=6),
    "HistGradientBoostingRegressor": Kind(
        lambda: fitted(HistGradientBoostingRegressor(max_iter=30), *diabetes())
    ),
    "HistGradientBoostingRegressor poisson": Kind(
        lambda: fitted(HistGradientBoostingRegressor(max_iter=30, loss="poisson"), *diabetes())
    ),
    "LogisticRegression, one-hot, scaler": Kind(
        lambda: encoded(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()), inputs=6
    ),
    "LogisticRegression, scaler by name": Kind(
        lambda: fitted(
            make_pipeline(
                ColumnTransformer(
                    [("s", StandardScaler(), list(cancer()[0].columns[:5]))],
                    remainder="passthrough",
                ),
                LogisticRegression(max_iter=500),
            ),
            *cancer(),
        )
    ),
    "Ridge after imputer": Kind(
        lambda: fitted(make_pipeline(SimpleImputer(), Ridge()), with_gaps(), cancer()[1])
    ),
    "LogisticRegression, one-hot after imputer of text": Kind(
        lambda: encoded(
            make_pipeline(SimpleImputer(strategy="most_frequent"), one_hot()), LogisticRegression()
        ),
        inputs=6,
    ),
    "two targets, forest": Kind(lambda: two_targets(RandomForestRegressor(10))),
    "two targets, ridge": Kind(lambda: two_targets(MultiOutputRegressor(Ridge()))),
    "IsolationForest": Kind(
        lambda: (IsolationForest(n_estimators=20).fit(cancer()[0]), cancer()[0])
    ),
    "KMeans": Kind(lambda: (KMeans(3, n_init=2).fit(cancer()[0]), cancer()[0])),
    "SVC without probabilities": Kind(
        lambda: fitted(make_pipeline(StandardScaler(), SVC()), *cancer())
    ),
    "LinearSVC": Kind(lambda: fitted(make_pipeline(StandardScaler(), LinearSVC()), *cancer())),
    "Stacking": Kind(
        lambda: fitted(
            StackingClassifier(
                [("a", RandomForestClassifier(5)), ("b", LogisticRegression(max_iter=1000))]
            ),
            *iris(),
        )
    ),
    "soft voting": Kind(
        lambda: fitted(
            VotingClassifier(
                [("a", RandomForestClassifier(5)), ("b", LogisticRegression(max_iter=1000))],
                voting="soft",
            ),
            *iris(),
        )
    ),
    "TF-IDF on a text column": Kind(sentences),
    "timestamps need FP64": Kind(timestamps),
    "XGBClassifier": Kind(lambda: fitted(XGB(), *cancer()), "xgboost"),
    "XGBClassifier, sklearn flavor": Kind(lambda: fitted(XGB(), *cancer())),
    "XGBClassifier three classes": Kind(lambda: fitted(XGB(), *iris()), "xgboost"),
    "XGBClassifier stopped early": Kind(early_stopped, "xgboost"),
    "XGBClassifier with missing": Kind(lambda: fitted(XGB(), with_gaps(), cancer()[1]), "xgboost"),
    "XGBRegressor": Kind(lambda: fitted(xgboost.XGBRegressor(), *diabetes()), "xgboost"),
    "XGBClassifier after one-hot": Kind(lambda: encoded(one_hot(), XGB()), inputs=6),
    "xgboost.Booster": Kind(
        lambda: (
            xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(*cancer()), 20),
            cancer()[0],
        ),
        "xgboost",
    ),
    "LGBMClassifier": Kind(lambda: fitted(LGBM(), *cancer()), "lightgbm"),
    "LGBMClassifier with missing": Kind(
        lambda: fitted(LGBM(), with_gaps(), cancer()[1]), "lightgbm"
    ),
    "LGBMRegressor": Kind(
        lambda: fitted(lightgbm.LGBMRegressor(verbose=-1), *diabetes()), "lightgbm"
    ),
    "LGBMClassifier after one-hot": Kind(lambda: encoded(one_hot(), LGBM()), inputs=6),
    "lightgbm.Booster": Kind(
        lambda: (
            lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(*cancer()), 20),
            cancer()[0],
        ),
        "lightgbm",
    ),
}
