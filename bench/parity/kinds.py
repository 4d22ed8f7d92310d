"""The estimators that random pipelines are made of, each with options that matter when it answers.

An option is a name and the values to draw from; what only matters while fitting is drawn as well,
so that models differ, but is not told apart in the results (`aloft_models.convert.proved.FITTING`).
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Kind:
    """`needs`: `positive` for inputs or targets, `small` for few rows and columns."""

    path: str
    options: dict[str, list[Any]] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()

    def make(self, chance: Any, share: float = 0.4) -> Any:
        module, name = self.path.rsplit(".", 1)
        chosen = dict(self.fixed)
        for option, values in self.options.items():
            if chance.random() < share:
                chosen[option] = values[int(chance.integers(len(values)))]
        return getattr(importlib.import_module(module), name)(**chosen)


def _kind(path: str, *needs: str, fixed: dict[str, Any] | None = None, **options: Any) -> Kind:
    return Kind(path, options, fixed or {}, frozenset(needs))


_BOTH = [True, False]
_TREE = {"max_depth": [2, 4, None], "min_samples_leaf": [1, 5], "max_features": [None, "sqrt"]}
_SEED = {"random_state": 0}
_WOOD = {"n_estimators": 7, "random_state": 0}

SCALERS = [
    _kind("sklearn.preprocessing.StandardScaler", with_mean=_BOTH, with_std=_BOTH),
    _kind("sklearn.preprocessing.MinMaxScaler", feature_range=[(0, 1), (-1, 1)], clip=_BOTH),
    _kind("sklearn.preprocessing.MaxAbsScaler", clip=_BOTH),
    _kind("sklearn.preprocessing.RobustScaler", with_centering=_BOTH, with_scaling=_BOTH,
          quantile_range=[(25.0, 75.0), (10.0, 90.0)]),
    _kind("sklearn.preprocessing.Normalizer", norm=["l1", "l2", "max"]),
    _kind("sklearn.preprocessing.Binarizer", threshold=[0.0, 0.5]),
    _kind("sklearn.preprocessing.KBinsDiscretizer", fixed={"quantile_method": "linear"},
          encode=["onehot", "ordinal", "onehot-dense"], strategy=["uniform", "quantile"],
          n_bins=[3, 5]),
    _kind("sklearn.preprocessing.PolynomialFeatures", degree=[2, 3], include_bias=_BOTH,
          interaction_only=_BOTH),
    _kind("sklearn.preprocessing.PowerTransformer", standardize=_BOTH),
    _kind("sklearn.preprocessing.QuantileTransformer", fixed={"n_quantiles": 20},
          output_distribution=["uniform", "normal"]),
    _kind("sklearn.preprocessing.SplineTransformer", degree=[2, 3], n_knots=[4, 5]),
    _kind("sklearn.decomposition.PCA", "small", n_components=[2, None], whiten=_BOTH),
    _kind("sklearn.decomposition.IncrementalPCA", "small", fixed={"n_components": 2}),
    _kind("sklearn.decomposition.TruncatedSVD", "small", fixed={"n_components": 2, **_SEED}),
    _kind("sklearn.feature_selection.SelectKBest", k=[1, 2, "all"]),
    _kind("sklearn.feature_selection.SelectPercentile", percentile=[50, 100]),
    _kind("sklearn.feature_selection.VarianceThreshold"),
]  # fmt: skip

IMPUTERS = [
    _kind("sklearn.impute.SimpleImputer", strategy=["mean", "median", "most_frequent", "constant"],
          add_indicator=[False, True], fill_value=[None, 0, -1]),
    _kind("sklearn.impute.KNNImputer", "small", n_neighbors=[2, 5], weights=["uniform"]),
]  # fmt: skip

ENCODERS = [
    _kind("sklearn.preprocessing.OneHotEncoder",
          handle_unknown=["ignore", "error", "infrequent_if_exist"],
          drop=[None, "first", "if_binary"], sparse_output=_BOTH, min_frequency=[None, 20]),
    _kind("sklearn.preprocessing.OrdinalEncoder", handle_unknown=["error"]),
    _kind("sklearn.preprocessing.OrdinalEncoder",
          fixed={"handle_unknown": "use_encoded_value", "unknown_value": -1},
          encoded_missing_value=[-2]),
    _kind("sklearn.preprocessing.TargetEncoder", fixed={"random_state": 0}, smooth=["auto", 5.0]),
]  # fmt: skip
TEXT_IMPUTERS = [
    _kind("sklearn.impute.SimpleImputer", fixed={"strategy": "most_frequent"},
          missing_values=["?"]),
    _kind("sklearn.impute.SimpleImputer", fixed={"strategy": "constant", "fill_value": "none"}),
]  # fmt: skip
_TOKENS = {"ngram_range": [(1, 1), (1, 2)], "lowercase": _BOTH, "binary": _BOTH,
           "analyzer": ["word", "char"], "stop_words": [None, "english"], "min_df": [1, 2],
           "max_features": [None, 20]}  # fmt: skip
WORDS = [
    _kind("sklearn.feature_extraction.text.CountVectorizer", **_TOKENS),
    _kind("sklearn.feature_extraction.text.TfidfVectorizer", **_TOKENS, norm=["l2", "l1", None],
          use_idf=_BOTH, smooth_idf=_BOTH, sublinear_tf=[False, True]),
]  # fmt: skip

_LINEAR = {"fit_intercept": _BOTH}
_BOOST = {"n_estimators": [5, 10], "max_depth": [2, 4]}
_HIST = {"max_iter": 10, "min_samples_leaf": 5}
_XGB = {"n_estimators": 8, "n_jobs": 1}
_LGBM = {"n_estimators": 8, "n_jobs": 1, "verbose": -1, "min_child_samples": 5}
CLASSIFIERS = [
    _kind("sklearn.linear_model.LogisticRegression", C=[0.1, 1.0, 10.0], **_LINEAR,
          class_weight=[None, "balanced"]),
    _kind("sklearn.linear_model.RidgeClassifier", alpha=[0.1, 1.0], **_LINEAR),
    _kind("sklearn.linear_model.SGDClassifier", fixed=_SEED, **_LINEAR,
          loss=["hinge", "log_loss", "modified_huber", "perceptron"]),
    _kind("sklearn.linear_model.Perceptron", fixed=_SEED, **_LINEAR),
    _kind("sklearn.svm.LinearSVC", fixed=_SEED, C=[0.1, 1.0], **_LINEAR),
    _kind("sklearn.svm.SVC", "small", kernel=["linear", "rbf", "poly", "sigmoid"],
          gamma=["scale", "auto"], decision_function_shape=["ovr", "ovo"]),
    _kind("sklearn.svm.NuSVC", "small", fixed={"nu": 0.2}, kernel=["linear", "rbf"]),
    _kind("sklearn.neighbors.KNeighborsClassifier", "small", n_neighbors=[1, 3, 5],
          weights=["uniform", "distance"], p=[1, 2]),
    _kind("sklearn.naive_bayes.GaussianNB", var_smoothing=[1e-9, 1e-6]),
    _kind("sklearn.naive_bayes.BernoulliNB", alpha=[0.5, 1.0], fit_prior=_BOTH,
          binarize=[0.0, 0.5]),
    _kind("sklearn.naive_bayes.MultinomialNB", "positive", alpha=[0.5, 1.0], fit_prior=_BOTH),
    _kind("sklearn.naive_bayes.ComplementNB", "positive", alpha=[0.5, 1.0], norm=_BOTH),
    _kind("sklearn.tree.DecisionTreeClassifier", fixed=_SEED, **_TREE,
          criterion=["gini", "entropy"]),
    _kind("sklearn.tree.ExtraTreeClassifier", fixed=_SEED, **_TREE),
    _kind("sklearn.ensemble.RandomForestClassifier", fixed=_WOOD, **_TREE, bootstrap=_BOTH),
    _kind("sklearn.ensemble.ExtraTreesClassifier", fixed=_WOOD, **_TREE),
    _kind("sklearn.ensemble.GradientBoostingClassifier", fixed=_SEED, **_BOOST,
          subsample=[1.0, 0.7], loss=["log_loss"]),
    _kind("sklearn.ensemble.HistGradientBoostingClassifier", fixed=_HIST,
          learning_rate=[0.1, 0.3], max_bins=[16, 255], l2_regularization=[0.0, 1.0]),
    _kind("sklearn.ensemble.AdaBoostClassifier", fixed={"n_estimators": 5, **_SEED}),
    _kind("sklearn.ensemble.BaggingClassifier", fixed={"n_estimators": 4, **_SEED},
          bootstrap=_BOTH, max_features=[1.0, 0.6]),
    _kind("sklearn.neural_network.MLPClassifier", "small", fixed={"max_iter": 20, **_SEED},
          hidden_layer_sizes=[(4,), (5, 3)], activation=["relu", "tanh", "logistic", "identity"]),
    _kind("sklearn.discriminant_analysis.LinearDiscriminantAnalysis", "small",
          solver=["svd", "lsqr"]),
    _kind("sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis", "small",
          fixed={"reg_param": 0.1}),
    _kind("xgboost.XGBClassifier", fixed=_XGB, max_depth=[2, 4], learning_rate=[0.3, 0.8],
          grow_policy=["depthwise", "lossguide"], missing=[0.0]),
    _kind("lightgbm.LGBMClassifier", fixed=_LGBM, num_leaves=[7, 31],
          boosting_type=["gbdt", "dart", "rf"], zero_as_missing=_BOTH, linear_tree=[False, True],
          use_missing=_BOTH),
]  # fmt: skip

REGRESSORS = [
    _kind("sklearn.linear_model.LinearRegression", **_LINEAR, positive=_BOTH),
    _kind("sklearn.linear_model.Ridge", alpha=[0.1, 10.0], **_LINEAR),
    _kind("sklearn.linear_model.Lasso", alpha=[0.01, 0.1], **_LINEAR),
    _kind("sklearn.linear_model.ElasticNet", alpha=[0.01, 0.1], l1_ratio=[0.2, 0.8], **_LINEAR),
    _kind("sklearn.linear_model.HuberRegressor", **_LINEAR),
    _kind("sklearn.linear_model.BayesianRidge", **_LINEAR),
    _kind("sklearn.linear_model.ARDRegression", "small", **_LINEAR),
    _kind("sklearn.linear_model.Lars", fixed={"random_state": 0}, **_LINEAR),
    _kind("sklearn.linear_model.LassoLars", fixed={"alpha": 0.01}, **_LINEAR),
    _kind("sklearn.linear_model.OrthogonalMatchingPursuit", "small", **_LINEAR),
    _kind("sklearn.linear_model.SGDRegressor", fixed=_SEED, penalty=["l2", "l1"]),
    _kind("sklearn.linear_model.RANSACRegressor", "small", fixed=_SEED),
    _kind("sklearn.linear_model.TheilSenRegressor", "small",
          fixed={"max_subpopulation": 50, **_SEED}),
    _kind("sklearn.linear_model.PoissonRegressor", "positive", alpha=[0.1, 1.0]),
    _kind("sklearn.linear_model.GammaRegressor", "positive", alpha=[0.1, 1.0]),
    _kind("sklearn.linear_model.TweedieRegressor", "positive", power=[0, 1.5, 2],
          link=["auto", "log"]),
    _kind("sklearn.linear_model.QuantileRegressor", "small", fixed={"alpha": 0.01},
          quantile=[0.5, 0.8]),
    _kind("sklearn.svm.SVR", "small", kernel=["linear", "rbf", "poly"], gamma=["scale", "auto"]),
    _kind("sklearn.svm.LinearSVR", fixed=_SEED),
    _kind("sklearn.svm.NuSVR", "small", kernel=["linear", "rbf"]),
    _kind("sklearn.neighbors.KNeighborsRegressor", "small", n_neighbors=[1, 3, 5],
          weights=["uniform", "distance"]),
    _kind("sklearn.tree.DecisionTreeRegressor", fixed=_SEED, **_TREE),
    _kind("sklearn.tree.ExtraTreeRegressor", fixed=_SEED, **_TREE),
    _kind("sklearn.ensemble.RandomForestRegressor", fixed=_WOOD, **_TREE, bootstrap=_BOTH),
    _kind("sklearn.ensemble.ExtraTreesRegressor", fixed=_WOOD, **_TREE),
    _kind("sklearn.ensemble.GradientBoostingRegressor", fixed=_SEED, **_BOOST,
          loss=["squared_error", "huber", "absolute_error"]),
    _kind("sklearn.ensemble.HistGradientBoostingRegressor", fixed=_HIST,
          loss=["squared_error", "absolute_error"], max_bins=[16, 255]),
    _kind("sklearn.ensemble.HistGradientBoostingRegressor", "positive", fixed=_HIST,
          loss=["poisson", "gamma"]),
    _kind("sklearn.ensemble.AdaBoostRegressor", fixed={"n_estimators": 5, **_SEED},
          loss=["linear", "square"]),
    _kind("sklearn.ensemble.BaggingRegressor", fixed={"n_estimators": 4, **_SEED},
          bootstrap=_BOTH, max_features=[1.0, 0.6]),
    _kind("sklearn.neural_network.MLPRegressor", "small", fixed={"max_iter": 20, **_SEED},
          hidden_layer_sizes=[(4,), (5, 3)], activation=["relu", "tanh", "logistic", "identity"]),
    _kind("sklearn.gaussian_process.GaussianProcessRegressor", "small", normalize_y=_BOTH),
    _kind("sklearn.cross_decomposition.PLSRegression", "small", fixed={"n_components": 1}),
    _kind("xgboost.XGBRegressor", fixed=_XGB, max_depth=[2, 4],
          objective=["reg:squarederror", "reg:absoluteerror"], missing=[0.0]),
    _kind("xgboost.XGBRegressor", "positive", fixed=_XGB,
          objective=["count:poisson", "reg:gamma", "reg:tweedie"]),
    _kind("lightgbm.LGBMRegressor", fixed=_LGBM, num_leaves=[7, 31],
          objective=["regression", "regression_l1", "huber", "quantile"],
          boosting_type=["gbdt", "dart"], zero_as_missing=_BOTH, reg_sqrt=_BOTH),
    _kind("lightgbm.LGBMRegressor", "positive", fixed=_LGBM,
          objective=["poisson", "gamma", "tweedie"]),
]  # fmt: skip

OTHERS = [
    _kind("sklearn.ensemble.IsolationForest", fixed={"n_estimators": 8, **_SEED},
          contamination=["auto", 0.1]),
    _kind("sklearn.svm.OneClassSVM", "small", kernel=["rbf", "linear"], nu=[0.1, 0.5]),
    _kind("sklearn.cluster.KMeans", fixed={"n_clusters": 3, "n_init": 1, **_SEED}),
    _kind("sklearn.cluster.MiniBatchKMeans", fixed={"n_clusters": 3, "n_init": 1, **_SEED}),
]  # fmt: skip

# Of a column of category numbers.
CODES = [
    _kind("sklearn.ensemble.HistGradientBoostingClassifier",
          fixed={**_HIST, "categorical_features": [0]}, max_bins=[16, 255]),
    _kind("sklearn.ensemble.HistGradientBoostingRegressor",
          fixed={**_HIST, "categorical_features": [0]}, max_bins=[16, 255]),
]  # fmt: skip

# Models of models, in the sweep with a simple one inside.
AROUND = [
    "VotingClassifier hard", "VotingClassifier soft", "StackingClassifier", "StackingClassifier +",
    "CalibratedClassifierCV sigmoid", "CalibratedClassifierCV isotonic", "OneVsRestClassifier",
    "MultiOutputClassifier", "VotingRegressor", "StackingRegressor", "MultiOutputRegressor",
    "GridSearchCV", "TunedThresholdClassifierCV", "FixedThresholdClassifier",
]  # fmt: skip
