"""Our own conversion in doubles: what it calls exact is exact to the bit, and what splits numbers
is converted only behind what is."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from aloft_models.convert import original, proved
from aloft_models.convert.asking import answers, take
from aloft_models.convert.attempts import attempts
from aloft_models.convert.conversion import convert_original, converted_answers
from aloft_models.convert.dangerous import Dangerous, dangerous
from aloft_models.convert.doubles import compile as doubles
from aloft_models.convert.failures import NotConvertible
from aloft_models.convert.judging import judge
from aloft_models.convert.layout import Layout
from aloft_models.convert.marks import Marks
from aloft_models.convert.rows import rows_for
from aloft_models.convert.servable import Servable
from aloft_models.convert.session import run
from aloft_models.inputs import ModelInput, from_example
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC


@pytest.fixture(autouse=True)
def all_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a kind is proved is another matter."""
    monkeypatch.setattr(proved, "TRUST_ALL", True)


def table(seed: int = 3, rows: int = 150) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": chance.normal(size=rows),
            "b": 1.6e9 + chance.integers(0, 3_000_000, rows).astype(float),
            "c": np.where(chance.random(rows) < 0.3, 0.0, chance.exponential(size=rows)),
        }
    )


def target(rows: Any) -> Any:
    values = np.asarray(rows, dtype=np.float64)
    scaled = (values - values.mean(0)) / values.std(0)
    return scaled @ np.arange(1.0, values.shape[1] + 1) + scaled[:, 0] * scaled[:, -1]


def converted(model: Any, example: Any) -> Servable:
    source = original.of_estimator("sklearn", model)
    return convert_original(source, example, input_of(example))


def input_of(example: Any) -> ModelInput:
    """As MLflow's signature has it."""
    columns = from_example(example).columns
    kinds = {np.dtype(np.float32): "float"}
    return ModelInput(
        columns=tuple(
            replace(one, kind=kinds.get(example[one.name].dtype, one.kind)) for one in columns
        )
    )


def check(servable: Servable, model: Any, rows: Any) -> None:
    """Compares on rows of our own, and on dangerous ones that the conversion has not seen."""
    source = original.of_estimator("sklearn", model)
    seen = rows_for(rows, input_of(rows), model)
    assert seen is not None
    for asked in (Dangerous(rows, len(rows), [], Marks()), dangerous(seen, model, seed=99)):
        expected = answers(source.outputs, asked)
        kept, found, other = converted_answers(servable, asked, expected)
        assert other is None
        assert judge(kept, found, partial(ties, source, asked, kept), 3e-5).said is None


def ties(source: Any, asked: Dangerous, kept: Any) -> Any:
    return source.ties(take(asked.rows, kept.answered)) if source.ties is not None else None


STEPS = [
    StandardScaler(), StandardScaler(with_mean=False), MinMaxScaler((-1, 1), clip=True),
    MaxAbsScaler(), RobustScaler(), SimpleImputer(add_indicator=True), Normalizer("max"),
    Binarizer(threshold=0.5), KBinsDiscretizer(4, encode="ordinal", quantile_method="linear"),
    KBinsDiscretizer(3, quantile_method="linear"), PolynomialFeatures(3),
    PolynomialFeatures(3, interaction_only=True, include_bias=False),
    Pipeline([("a", StandardScaler()), ("b", PolynomialFeatures())]),
    Normalizer("l1"), QuantileTransformer(n_quantiles=30), QuantileTransformer(n_quantiles=7),
    FeatureUnion([("a", MinMaxScaler()), ("b", RobustScaler())]),
]  # fmt: skip
SINGLE = [
    *STEPS[:6], Binarizer(threshold=0.5), KBinsDiscretizer(4, quantile_method="linear"),
    Pipeline([("a", SimpleImputer()), ("b", StandardScaler())]),
    Pipeline([("a", KBinsDiscretizer(4, encode="ordinal", quantile_method="linear")),
              ("b", StandardScaler())]),
]  # fmt: skip


def bits(step: Any, rows: pd.DataFrame, real: str) -> None:
    fitted = step.fit(rows)
    layout = Layout(real, input_of(rows).columns, True, rows.shape[1])
    expected = fitted.transform(rows)
    dense = np.asarray(expected.toarray() if hasattr(expected, "toarray") else expected)
    made = doubles.convert(fitted, layout, {"transformed": dense})
    seen = rows_for(rows, input_of(rows), fitted)
    assert seen is not None
    asked = dangerous(seen, fitted)
    plain = asked.rows.iloc[: asked.plain]
    right = fitted.transform(plain)
    right = np.asarray(right.toarray() if hasattr(right, "toarray") else right)
    found = run(made.model.SerializeToString(), layout.feeds(plain))["transformed"]
    assert np.array_equal(right.astype(np.float64), found.astype(np.float64), equal_nan=True)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_what_is_called_exact_is_the_originals_to_the_bit(step: Any) -> None:
    bits(step, table(), "FP64")


@pytest.mark.parametrize("step", SINGLE, ids=str)
def test_steps_that_were_fitted_on_32_bit_floats_compute_with_them(step: Any) -> None:
    bits(step, table().astype(np.float32), "FP32")


@pytest.mark.parametrize(
    "steps",
    [
        (Normalizer("l1"), RandomForestRegressor(5, random_state=0)),
        (PolynomialFeatures(), xgboost.XGBRegressor(n_estimators=6, n_jobs=1)),
        (QuantileTransformer(n_quantiles=20), RandomForestRegressor(5, random_state=0)),
        (StandardScaler(), HistGradientBoostingRegressor(max_iter=6, min_samples_leaf=5)),
        (PolynomialFeatures(), HistGradientBoostingRegressor(max_iter=6, min_samples_leaf=5)),
        (KBinsDiscretizer(4, quantile_method="linear"), Ridge()),
    ],
    ids=lambda steps: " ".join(type(one).__name__ for one in steps),
)
def test_what_splits_computed_numbers_gets_the_originals(steps: Any) -> None:
    rows = table()
    model = make_pipeline(*steps).fit(rows, target(rows))
    servable = converted(model, rows.head(5))
    assert servable.manifest.inputs[0].datatype == "FP64"
    tiny = pd.DataFrame(np.full((3, 3), 1e-16) * [[1], [5], [20]], columns=list("abc"))
    check(servable, model, pd.concat([rows, tiny], ignore_index=True))


@pytest.mark.parametrize("step", [PCA(2), TruncatedSVD(2), Normalizer()], ids=str)
@pytest.mark.parametrize(
    "final",
    [HistGradientBoostingRegressor(max_iter=5), RandomForestRegressor(4), xgboost.XGBRegressor()],
    ids=lambda final: type(final).__name__,
)
def test_what_splits_is_not_converted_behind_sums(step: Any, final: Any) -> None:
    rows = table()
    model = make_pipeline(step, final).fit(rows, target(rows))
    with pytest.raises(NotConvertible, match="last bits are not the original's"):
        converted(model, rows.head(5))


@pytest.mark.parametrize("options", [{}, {"sublinear_tf": True, "norm": "l1"}, {"norm": None}])
def test_tf_idf_is_the_originals_to_the_bit(options: Any) -> None:
    chance = np.random.default_rng(1)
    words = [f"wort{number}" for number in range(60)]
    texts = [
        " ".join(chance.choice(words, 30)) + " gut" * int(chance.integers(9)) for _ in range(90)
    ]
    rows = pd.DataFrame({"text": pd.Series(texts, dtype=object)})
    vectorizer = TfidfVectorizer(**options).fit(rows.text)
    right = vectorizer.transform(rows.text).toarray()
    layout = Layout("FP64", input_of(rows).columns, False, 1)
    made = doubles.convert(vectorizer, layout, {"transformed": right}).model
    found = run(made.SerializeToString(), layout.feeds(rows))["transformed"]
    assert np.array_equal(right, found)


def test_32_bit_floats_in_front_of_trees() -> None:
    rows = table().astype(np.float32)
    labels = (target(rows) > 0).astype(int)
    model = make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=6))
    servable = converted(model.fit(rows, labels), rows.head(5))
    assert servable.manifest.inputs[0].datatype == "FP32"
    check(servable, model, rows)
    summed = make_pipeline(PCA(2), GradientBoostingClassifier(n_estimators=6)).fit(rows, labels)
    with pytest.raises(NotConvertible, match="last bits are not the original's"):
        converted(summed, rows.head(5))


@pytest.mark.parametrize("model", [LogisticRegression(), GaussianNB(), MultinomialNB()], ids=str)
def test_weights_of_large_numbers_are_doubles(model: Any) -> None:
    chance = np.random.default_rng(5)
    rows = pd.DataFrame(chance.random((150, 3)) * [1.0, 1e7, 1e5], columns=list("abc"))
    model.fit(rows, chance.integers(0, 3, 150))
    servable = converted(model, rows.head(5))
    assert servable.manifest.inputs[0].datatype == "FP64"
    check(servable, model, rows)


def test_squares_of_32_bit_floats_are_not_converted() -> None:
    chance = np.random.default_rng(9)
    rows = pd.DataFrame(chance.normal(size=(90, 2)), columns=list("ab"))
    model = QuadraticDiscriminantAnalysis(reg_param=0.1)
    model.fit(rows, chance.integers(0, 3, 90))
    check(converted(model, rows.head(5)), model, rows)
    short = rows.astype(np.float32)
    model.fit(short, chance.integers(0, 3, 90))
    with pytest.raises(NotConvertible, match="32-bit"):
        converted(model, short.head(5))


def test_shares_of_classes_that_are_all_unlikely() -> None:
    """Each class against the rest: 1e-40 beside 1e-41 is 0.9 beside 0.1."""
    chance = np.random.default_rng(8)
    rows = pd.DataFrame(chance.normal(size=(200, 2)), columns=list("ab"))
    model = SGDClassifier(loss="log_loss", random_state=1)
    model.fit(rows, chance.integers(0, 3, 200))
    model.coef_ = np.array([[0.1, 0.0], [0.0, 0.1], [0.1, 0.1]])
    model.intercept_ = np.array([-92.0, -91.0, -90.0])
    assert np.ptp(model.predict_proba(rows)) > 0.5
    check(converted(model, rows.head(5)), model, rows)


def test_sums_of_many_columns_that_decide_by_their_last_bits_are_not_converted() -> None:
    chance = np.random.default_rng(6)
    rows = pd.DataFrame(chance.random((60, 8)), columns=list("abcdefgh"))
    model = GaussianNB().fit(rows, chance.integers(0, 2, 60))
    with pytest.raises(NotConvertible, match="8 columns"):
        converted(model, rows.head(5))
    few = rows.iloc[:, :7] * [1, 1, 1, 1, 1, 1, 1e9]
    model = GaussianNB().fit(few / [1, 1, 1, 1, 1, 1, 1e9], chance.integers(0, 2, 60))
    check(converted(model, few.head(5)), model, few)


def test_decisions_of_support_vectors_are_doubles() -> None:
    rows = table()
    for kernel in ("linear", "rbf", "poly", "sigmoid"):
        model = make_pipeline(StandardScaler(), SVC(kernel=kernel))
        model.fit(rows, np.digitize(target(rows), [-1.0, 1.0]))
        check(converted(model, rows.head(5)), model, rows)


def test_repeated_words_of_tf_idf_that_grows_slowly() -> None:
    texts = ["gut gut gut film", "schlecht film", "gut schön schön", "film film schlecht gut"] * 20
    rows = pd.DataFrame({"words": pd.Series(texts, dtype=object), "n": np.arange(80.0)})
    columns = make_column_transformer(
        (TfidfVectorizer(sublinear_tf=True), "words"), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression()).fit(rows, np.arange(80) % 4 > 1)
    more = pd.DataFrame({"words": ["gut " * 9, "film film Schön", ""], "n": 1.0})
    check(converted(model, rows.head(4)), model, pd.concat([rows, more], ignore_index=True))


def test_a_row_at_the_limit_of_outliers_stays_inside() -> None:
    """The limit is the score of a row."""
    rows = table(rows=101)
    model = IsolationForest(n_estimators=9, contamination=0.1, random_state=0).fit(rows)
    assert (model.decision_function(rows) == 0).any()
    check(converted(model, rows.head(5)), model, rows)


def test_numbers_that_only_become_infinite_in_a_scaler_are_refused() -> None:
    rows = table() * 1e-3
    model = make_pipeline(StandardScaler(), RandomForestRegressor(4, random_state=0))
    servable = converted(model.fit(rows, target(rows)), rows.head(5))
    limits = {rule.limit for rule in servable.manifest.refuses or [] if rule.values == "beyond"}
    assert len(limits) > 1
    assert min(limits) < 3e36  # ... since a scale is less than a hundredth


def test_an_encoder_of_thousands_of_categories_stays_small() -> None:
    texts = pd.DataFrame({"code": pd.Series([f"k{n}" for n in range(4000)], dtype=object)})
    encoder = OneHotEncoder(handle_unknown="ignore").fit(texts)
    layout = Layout("FP64", input_of(texts).columns, False, 1)
    made = doubles.convert(encoder, layout, {"transformed": np.zeros((5, 4000))}).model
    assert len(made.SerializeToString()) < 200_000
    asked = pd.DataFrame({"code": ["k7", "none of them", "k3999"]})
    found = run(made.SerializeToString(), layout.feeds(asked))["transformed"]
    assert np.array_equal(found, encoder.transform(asked).toarray())


def test_another_version_of_a_library_is_no_fault() -> None:
    rows = table()
    model = IsolationForest(n_estimators=3, random_state=0).fit(rows)
    model._decision_path_lengths = model._decision_path_lengths[:1]  # a private name of theirs
    source = original.of_estimator("sklearn", model)
    sample = {"label": np.zeros(5, dtype=np.int64), "scores": np.zeros(5)}
    (attempt,) = attempts(source, [Layout("FP64", (), True, 3)], rows.to_numpy(), sample)
    with pytest.raises(IndexError):
        attempt.content()


def test_tables_between_steps_and_labels_of_several_kinds() -> None:
    rows = table().assign(fuel=pd.Series(["gas", "oil", "coal"] * 50, dtype=object))
    columns = make_column_transformer(
        (StandardScaler(), ["a", "b"]),
        (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["fuel"]),
    ).set_output(transform="pandas")
    labels = np.column_stack([rows.a > 0, rows.c > 0.5]).astype(int)
    for final, wanted in (
        (LogisticRegression(), labels[:, 0]),
        (RandomForestClassifier(5), labels),
    ):
        model = make_pipeline(columns, final).fit(rows, wanted)
        check(converted(model, rows.head(5)), model, rows)
