"""What converted models once answered wrongly in silence: each is right now, or refused, or served
by Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from aloft_models.convert import original
from aloft_models.convert.asking import answers, take
from aloft_models.convert.conversion import convert_original, converted_answers
from aloft_models.convert.dangerous import Dangerous, dangerous
from aloft_models.convert.failures import NotConvertible
from aloft_models.convert.judging import judge
from aloft_models.convert.marks import Marks
from aloft_models.convert.rows import rows_for
from aloft_models.convert.servable import Servable
from aloft_models.convert.session import run
from aloft_models.inputs import from_example
from aloft_models.manifest import Refused, refused_rows
from aloft_models.missing import MARK, missing_text
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler


def converted(model: Any, example: Any, flavor: str = "sklearn") -> Servable:
    source = original.of_estimator(flavor, model, native=_native)
    return convert_original(source, example, from_example(example))


def _native(rows: Any) -> Any:
    """As an MLflow folder would: a bare list of texts."""
    is_list = isinstance(rows, pd.DataFrame) and list(rows.columns) == [0]
    return rows[0].tolist() if is_list and rows[0].dtype.kind not in "biuf" else rows


def check(servable: Servable, model: Any, rows: Any, flavor: str = "sklearn") -> None:
    """Compares answers and refusals on rows of our own."""
    source = original.of_estimator(flavor, model, native=_native)
    table = Dangerous(rows, len(rows), [], Marks())
    expected = answers(source.outputs, table)
    kept, found, other = converted_answers(servable, table, expected)
    assert other is None
    assert judge(kept, found, lambda: ties(source, table, kept), 1e-5).said is None


def ties(source: Any, table: Dangerous, kept: Any) -> Any:
    return source.ties(take(table.rows, kept.answered)) if source.ties is not None else None


def fuels(missing: Any = None) -> tuple[pd.DataFrame, pd.Series]:
    chance = np.random.default_rng(1)
    picked = [("gas", "oil", "", missing)[index] for index in chance.integers(0, 4, 200)]
    table = pd.DataFrame({"fuel": pd.Series(picked, dtype=object), "size": chance.normal(size=200)})
    price = [{"gas": 1.0, "oil": 9.0, "": 30.0}.get(fuel, 50.0) for fuel in picked]
    return table, np.array(price) + table["size"]


def with_fuel(*steps: Any) -> Any:
    encoder = make_pipeline(*steps) if len(steps) > 1 else steps[0]
    columns = make_column_transformer((encoder, ["fuel"]), remainder="passthrough")
    return make_pipeline(columns, LinearRegression())


def numbers() -> tuple[pd.DataFrame, np.ndarray]:
    chance = np.random.default_rng(2)
    table = pd.DataFrame(chance.normal(size=(200, 3)), columns=list("abc"))
    return table, (table.a + table.b / 2 + chance.normal(size=200) / 3 > 0).to_numpy().astype(int)


@pytest.mark.parametrize("missing", [None, math.nan])
@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(handle_unknown="ignore"),
        OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
        ),
    ],
    ids=["one-hot", "ordinal"],
)
def test_missing_empty_and_unknown_text_are_three_things(encoder: Any, missing: Any) -> None:
    table, price = fuels(missing)
    model = with_fuel(encoder).fit(table, price)
    servable = converted(model, table[table.fuel == "gas"].head(5))
    assert servable.manifest.missing_text == MARK
    asked = pd.Series(["gas", missing, "", "wood"], dtype=object)
    check(servable, model, pd.DataFrame({"fuel": asked, "size": [0.0] * 4}))


def test_an_imputers_own_mark_is_no_empty_text() -> None:
    table, price = fuels("?")
    imputer = SimpleImputer(missing_values="?", strategy="most_frequent")
    model = with_fuel(imputer, OneHotEncoder(handle_unknown="ignore")).fit(table, price)
    servable = converted(model, table.head(5))
    check(servable, model, table.head(20).assign(fuel=["?", "", "gas", "wood"] * 5))
    (refused,) = (one for one in servable.manifest.refuses or [] if one.input == "fuel")
    assert (refused.values, refused.message) == ("missing", "Input contains NaN")


def test_what_an_encoder_does_not_know_is_refused_with_its_words() -> None:
    table, price = fuels("coal")
    model = with_fuel(OneHotEncoder()).fit(table, price)
    servable = converted(model, table.head(5))
    unknown = next(one for one in servable.manifest.refuses or [] if one.values == "unknown")
    assert unknown.message == "Found unknown categories ['{value}'] in column 0 during transform"
    assert sorted(unknown.known or []) == ["", "coal", "gas", "oil"]
    feeds = {
        "fuel": np.array([["gas"], ["wood"], [""], [MARK]], dtype=object),
        "size": np.zeros((4, 1)),
    }
    refuses = servable.manifest.refuses or []
    assert refused_rows(refuses, feeds).tolist() == [False, True, False, True]


WORDS = ["gut", "schlecht", "schön", "übel", "naïve", "кино", "Straße", "film"]


def sentences() -> tuple[list[str], list[int]]:
    chance = np.random.default_rng(3)
    texts = [" ".join(chance.choice(WORDS, 4)) for _ in range(60)]
    return texts, [int("gut" in text or "schön" in text) for text in texts]


@pytest.mark.parametrize("options", [{}, {"ngram_range": (1, 2)}, {"lowercase": False}])
def test_words_beyond_ascii_are_cut_alike(options: dict[str, Any]) -> None:
    texts, target = sentences()
    model = make_pipeline(TfidfVectorizer(**options), LogisticRegression()).fit(texts, target)
    servable = converted(model, pd.DataFrame({0: pd.Series(["film"] * 3, dtype=object)}))
    asked = [*texts, "SCHÖN, Übel; schöné film", "", "кино-КИНО gut gut gut", "ÜBELfilm x film_gut"]
    check(servable, model, pd.DataFrame({0: pd.Series(asked, dtype=object)}))


def test_a_repeated_word_under_sublinear_tf_counts_as_the_original_has_it() -> None:
    texts, target = sentences()
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression())
    example = pd.DataFrame({0: pd.Series(["film"] * 3, dtype=object)})
    servable = converted(model.fit(texts, target), example)
    more = [*texts[:20], "film film film gut", "schlecht " * 40, ""]
    check(servable, model, pd.DataFrame({0: pd.Series(more, dtype=object)}))


def test_seconds_since_1970_are_compared_as_doubles() -> None:
    chance = np.random.default_rng(4)
    rows = pd.DataFrame({"s": 1.6e9 + np.arange(1000.0) * 7, "b": chance.normal(size=1000)})
    target = (np.arange(1000) % 2).astype(int)
    model = lightgbm.LGBMClassifier(n_estimators=10, verbose=-1).fit(rows, target)
    servable = converted(model, rows.head(1), "lightgbm")
    assert servable.manifest.inputs[0].datatype == "FP64"
    check(servable, model, rows, "lightgbm")


def test_values_beside_thresholds_behind_a_scaler_take_the_same_branch() -> None:
    rows, target = numbers()
    for final in (
        GradientBoostingClassifier(n_estimators=5),
        RandomForestClassifier(5),
        xgboost.XGBClassifier(n_estimators=5),
        lightgbm.LGBMClassifier(n_estimators=5, verbose=-1),
    ):
        model = make_pipeline(StandardScaler(), final).fit(rows, target)
        servable = converted(model, rows.head(3))
        assert servable.manifest.inputs[0].datatype == "FP64"
        check(servable, model, rows)


@pytest.mark.parametrize(
    "make",
    [
        lambda: lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, zero_as_missing=True),
        lambda: xgboost.XGBClassifier(n_estimators=5, missing=0.0),
        lambda: FixedThresholdClassifier(LogisticRegression(), threshold=0.8),
    ],
    ids=["LightGBM's zero", "XGBoost's zero", "a threshold of its own"],
)
def test_zeros_that_are_missing_and_limits_of_ones_own(make: Callable[[], Any]) -> None:
    rows, target = numbers()
    rows.loc[::3, "a"] = 0.0
    model = make().fit(rows, target)
    more = pd.DataFrame({"a": [0.0, -0.0, 1e-36, -1e-36, 1e-30], "b": 0.5, "c": -0.5})
    check(converted(model, rows.head(3)), model, pd.concat([rows, more], ignore_index=True))


def test_what_graphs_cannot_say_is_not_converted() -> None:
    rows, target = numbers()
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, linear_tree=True)
    with pytest.raises(NotConvertible, match="linear leaves"):
        converted(model.fit(rows, target), rows.head(3))


def test_missing_numbers_are_refused_where_the_original_refuses_them() -> None:
    rows, target = numbers()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target)
    refuses = converted(model, rows.head(3)).manifest.refuses or []
    missing = next(one for one in refuses if one.values == "missing")
    assert missing.message.startswith("Input X contains NaN. LogisticRegression does not accept")
    feeds = {"input": np.array([[0.0, 1.0, 2.0], [0.0, math.nan, 2.0], [math.inf, 0.0, 0.0]])}
    assert refused_rows(refuses, feeds).tolist() == [False, True, True]
    hist = HistGradientBoostingClassifier(max_iter=5).fit(rows, target)
    assert converted(hist, rows.head(3)).manifest.refuses is None


def test_rules_know_columns_and_limits() -> None:
    rule = Refused("x", "beyond", "too large", columns=[1], limit=10.0)
    assert refused_rows([rule], {"x": np.array([[99.0, 1.0], [0.0, -11.0]])}).tolist() == [
        False,
        True,
    ]


def test_labels_that_are_true_or_false_stay_so() -> None:
    rows, target = numbers()
    model = LogisticRegression().fit(rows, target.astype(bool))
    servable = converted(model, rows.head(3))
    assert servable.manifest.outputs[0].datatype == "BOOL"
    assert isinstance(servable.content, bytes)
    feeds = {
        "input": rows.to_numpy(dtype=servable.layout and servable.layout.feeds(rows)["input"].dtype)
    }
    assert run(servable.content, feeds)["label"].tolist() == model.predict(rows).tolist()


def test_rows_are_many_always_the_same_and_say_what_they_cover() -> None:
    table, price = fuels()
    model = with_fuel(OneHotEncoder(handle_unknown="ignore")).fit(table, price)
    example = table.head(4)

    def made() -> Dangerous:
        rows = rows_for(example, from_example(example), model)
        assert rows is not None
        return dangerous(rows, model, missing_text(model))

    rows = made()
    assert len(rows.rows) >= 2000
    assert rows.digest() == made().digest()
    assert {"", "gas", "oil", None} <= set(rows.rows.fuel)
    assert {2.0**24 + 1, -(2.0**53), math.inf, 0.0} <= set(rows.rows["size"])
    assert rows.rows["size"].isna().any()
    assert "missing text in 1 column" in rows.covered
    assert "whole numbers at 2^24 and 2^53" in rows.covered


def test_both_neighbours_of_each_threshold_are_tried() -> None:
    rows, target = numbers()
    model = make_pipeline(StandardScaler(), RandomForestClassifier(2, max_depth=2)).fit(
        rows, target
    )
    found = rows_for(rows.head(3), from_example(rows.head(3)), model)
    assert found is not None
    tried = dangerous(found, model).rows
    scaler, tree = model[0], model[1].estimators_[0].tree_
    feature, threshold = int(tree.feature[0]), float(tree.threshold[0])
    edge = threshold * scaler.scale_[feature] + scaler.mean_[feature]
    values = set(tried.iloc[:, feature])
    assert {edge, np.nextafter(edge, -np.inf), np.nextafter(edge, np.inf)} <= values


def test_a_difference_names_the_row() -> None:
    rows, target = numbers()
    model = GradientBoostingClassifier(n_estimators=5).fit(rows, target)
    source = original.of_estimator("sklearn", model)
    with pytest.raises(NotConvertible, match=r"on the row \{a: .*probabilities \["):
        convert_original(source, rows.head(3), from_example(rows.head(3)), limit=1e-14)


def test_models_of_single_floats_are_held_to_what_those_permit() -> None:
    rows, target = numbers()
    rows = rows.astype(np.float32)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target)
    assert converted(model, rows.head(3)).manifest.runtime == "onnx"
