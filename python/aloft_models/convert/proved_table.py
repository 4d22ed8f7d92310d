"""What conversions are proved: made by bench/parity, not by hand."""

from typing import Any

TABLE: dict[str, Any] = {
    "with": {
        "sklearn": "1.9.1",
        "xgboost": "3.2.0",
        "lightgbm": "4.7.0",
        "skl2onnx": "1.20.0",
        "onnxmltools": "1.16.0",
        "onnxruntime": "1.32.0",
    },
    "bench": "8928a484fa4026c7c18152ef4451f57450238804cde5f0f6045c148b4d424e34",
    "pipelines": 2582,
    "onnx": 1988,
    "not_proved": [],
    "wrong": 0,
    "estimators": {
        "lightgbm.LGBMClassifier": {"pipelines": 28, "options": {"boosting_type": ["'dart'"]}},
        "lightgbm.LGBMRegressor": {
            "pipelines": 80,
            "options": {
                "boosting_type": ["'dart'"],
                "objective": [
                    "'gamma'",
                    "'huber'",
                    "'poisson'",
                    "'quantile'",
                    "'regression'",
                    "'regression_l1'",
                    "'tweedie'",
                ],
            },
        },
        "sklearn.calibration.CalibratedClassifierCV": {
            "pipelines": 16,
            "options": {"method": ["'isotonic'"]},
        },
        "sklearn.cluster.KMeans": {"pipelines": 25, "options": {}},
        "sklearn.cluster.MiniBatchKMeans": {"pipelines": 24, "options": {}},
        "sklearn.compose.ColumnTransformer": {
            "pipelines": 780,
            "options": {"remainder": ["'passthrough'"]},
        },
        "sklearn.cross_decomposition.PLSRegression": {"pipelines": 30, "options": {}},
        "sklearn.decomposition.IncrementalPCA": {"pipelines": 19, "options": {}},
        "sklearn.decomposition.PCA": {"pipelines": 34, "options": {"whiten": ["True"]}},
        "sklearn.decomposition.TruncatedSVD": {"pipelines": 27, "options": {}},
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": {
            "pipelines": 38,
            "options": {},
        },
        "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis": {
            "pipelines": 33,
            "options": {},
        },
        "sklearn.ensemble.AdaBoostClassifier": {"pipelines": 25, "options": {}},
        "sklearn.ensemble.AdaBoostRegressor": {"pipelines": 18, "options": {"loss": ["'square'"]}},
        "sklearn.ensemble.BaggingClassifier": {"pipelines": 26, "options": {}},
        "sklearn.ensemble.BaggingRegressor": {"pipelines": 25, "options": {}},
        "sklearn.ensemble.ExtraTreesClassifier": {"pipelines": 36, "options": {}},
        "sklearn.ensemble.ExtraTreesRegressor": {"pipelines": 28, "options": {}},
        "sklearn.ensemble.GradientBoostingClassifier": {"pipelines": 30, "options": {}},
        "sklearn.ensemble.GradientBoostingRegressor": {
            "pipelines": 30,
            "options": {"loss": ["'absolute_error'", "'huber'"]},
        },
        "sklearn.ensemble.IsolationForest": {"pipelines": 24, "options": {}},
        "sklearn.ensemble.RandomForestClassifier": {"pipelines": 39, "options": {}},
        "sklearn.ensemble.RandomForestRegressor": {"pipelines": 26, "options": {}},
        "sklearn.ensemble.StackingClassifier": {
            "pipelines": 16,
            "options": {"passthrough": ["True"]},
        },
        "sklearn.ensemble.StackingRegressor": {"pipelines": 33, "options": {}},
        "sklearn.ensemble.VotingClassifier": {"pipelines": 22, "options": {"voting": ["'soft'"]}},
        "sklearn.ensemble.VotingRegressor": {"pipelines": 27, "options": {}},
        "sklearn.ensemble.gradient_boosting.HistGradientBoostingClassifier": {
            "pipelines": 41,
            "options": {"categorical_features": ["list"]},
        },
        "sklearn.ensemble.gradient_boosting.HistGradientBoostingRegressor": {
            "pipelines": 57,
            "options": {
                "categorical_features": ["list"],
                "loss": ["'absolute_error'", "'gamma'", "'poisson'"],
            },
        },
        "sklearn.feature_extraction.text.CountVectorizer": {
            "pipelines": 81,
            "options": {
                "binary": ["True"],
                "lowercase": ["False"],
                "ngram_range": ["numbers"],
                "stop_words": ["'english'"],
            },
        },
        "sklearn.feature_extraction.text.TfidfVectorizer": {
            "pipelines": 104,
            "options": {
                "binary": ["True"],
                "lowercase": ["False"],
                "ngram_range": ["numbers"],
                "norm": ["'l1'", "None"],
                "smooth_idf": ["False"],
                "stop_words": ["'english'"],
                "sublinear_tf": ["True"],
                "use_idf": ["False"],
            },
        },
        "sklearn.feature_selection.SelectKBest": {"pipelines": 51, "options": {}},
        "sklearn.feature_selection.SelectPercentile": {"pipelines": 28, "options": {}},
        "sklearn.feature_selection.VarianceThreshold": {"pipelines": 56, "options": {}},
        "sklearn.impute.SimpleImputer": {
            "pipelines": 314,
            "options": {
                "add_indicator": ["True"],
                "missing_values": ["'?'"],
                "strategy": ["'constant'", "'median'", "'most_frequent'"],
            },
        },
        "sklearn.linear_model.ARDRegression": {
            "pipelines": 19,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.BayesianRidge": {
            "pipelines": 22,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.ElasticNet": {
            "pipelines": 32,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.HuberRegressor": {
            "pipelines": 28,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.Lars": {"pipelines": 22, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.Lasso": {"pipelines": 29, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.LassoLars": {
            "pipelines": 26,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.LinearRegression": {
            "pipelines": 174,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.LogisticRegression": {
            "pipelines": 77,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.OrthogonalMatchingPursuit": {
            "pipelines": 26,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.Perceptron": {
            "pipelines": 35,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.QuantileRegressor": {"pipelines": 25, "options": {}},
        "sklearn.linear_model.RANSACRegressor": {"pipelines": 17, "options": {}},
        "sklearn.linear_model.Ridge": {"pipelines": 33, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.RidgeCV": {"pipelines": 33, "options": {}},
        "sklearn.linear_model.RidgeClassifier": {
            "pipelines": 38,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.SGDClassifier": {
            "pipelines": 42,
            "options": {
                "fit_intercept": ["False"],
                "loss": ["'log_loss'", "'modified_huber'", "'perceptron'"],
            },
        },
        "sklearn.linear_model.SGDRegressor": {"pipelines": 22, "options": {"penalty": ["'l1'"]}},
        "sklearn.linear_model.TheilSenRegressor": {"pipelines": 18, "options": {}},
        "sklearn.linear_model.glm.GammaRegressor": {"pipelines": 29, "options": {}},
        "sklearn.linear_model.glm.PoissonRegressor": {"pipelines": 34, "options": {}},
        "sklearn.linear_model.glm.TweedieRegressor": {
            "pipelines": 38,
            "options": {"link": ["'log'"], "power": ["number", "zero"]},
        },
        "sklearn.model_selection.FixedThresholdClassifier": {
            "pipelines": 9,
            "options": {"threshold": ["number"]},
        },
        "sklearn.model_selection.GridSearchCV": {"pipelines": 43, "options": {}},
        "sklearn.model_selection.TunedThresholdClassifierCV": {"pipelines": 8, "options": {}},
        "sklearn.multiclass.OneVsRestClassifier": {"pipelines": 22, "options": {}},
        "sklearn.multioutput.MultiOutputClassifier": {"pipelines": 19, "options": {}},
        "sklearn.multioutput.MultiOutputRegressor": {"pipelines": 32, "options": {}},
        "sklearn.naive_bayes.BernoulliNB": {"pipelines": 40, "options": {"binarize": ["number"]}},
        "sklearn.naive_bayes.ComplementNB": {"pipelines": 43, "options": {"norm": ["True"]}},
        "sklearn.naive_bayes.GaussianNB": {"pipelines": 36, "options": {}},
        "sklearn.naive_bayes.MultinomialNB": {"pipelines": 45, "options": {}},
        "sklearn.neural_network.MLPClassifier": {
            "pipelines": 42,
            "options": {"activation": ["'identity'", "'logistic'", "'tanh'"]},
        },
        "sklearn.neural_network.MLPRegressor": {
            "pipelines": 33,
            "options": {"activation": ["'identity'", "'logistic'", "'tanh'"]},
        },
        "sklearn.pipeline.FeatureUnion": {"pipelines": 16, "options": {}},
        "sklearn.pipeline.Pipeline": {"pipelines": 1147, "options": {}},
        "sklearn.preprocessing.Binarizer": {"pipelines": 78, "options": {"threshold": ["number"]}},
        "sklearn.preprocessing.FunctionTransformer": {
            "pipelines": 388,
            "options": {
                "accept_sparse": ["True"],
                "check_inverse": ["False"],
                "feature_names_out": ["'one-to-one'"],
            },
        },
        "sklearn.preprocessing.KBinsDiscretizer": {
            "pipelines": 40,
            "options": {
                "encode": ["'onehot-dense'", "'ordinal'"],
                "quantile_method": ["'linear'"],
                "strategy": ["'uniform'"],
            },
        },
        "sklearn.preprocessing.MaxAbsScaler": {"pipelines": 50, "options": {"clip": ["True"]}},
        "sklearn.preprocessing.MinMaxScaler": {
            "pipelines": 55,
            "options": {"clip": ["True"], "feature_range": ["numbers"]},
        },
        "sklearn.preprocessing.Normalizer": {
            "pipelines": 31,
            "options": {"norm": ["'l1'", "'max'"]},
        },
        "sklearn.preprocessing.OneHotEncoder": {
            "pipelines": 172,
            "options": {
                "drop": ["'first'", "'if_binary'"],
                "handle_unknown": ["'ignore'", "'infrequent_if_exist'"],
                "min_frequency": ["number"],
                "sparse_output": ["False"],
            },
        },
        "sklearn.preprocessing.OrdinalEncoder": {
            "pipelines": 251,
            "options": {
                "encoded_missing_value": ["number"],
                "handle_unknown": ["'use_encoded_value'"],
                "unknown_value": ["number"],
            },
        },
        "sklearn.preprocessing.PolynomialFeatures": {
            "pipelines": 51,
            "options": {
                "degree": ["number"],
                "include_bias": ["False"],
                "interaction_only": ["True"],
            },
        },
        "sklearn.preprocessing.PowerTransformer": {
            "pipelines": 28,
            "options": {"standardize": ["False"]},
        },
        "sklearn.preprocessing.QuantileTransformer": {"pipelines": 46, "options": {}},
        "sklearn.preprocessing.RobustScaler": {
            "pipelines": 46,
            "options": {"with_centering": ["False"], "with_scaling": ["False"]},
        },
        "sklearn.preprocessing.SplineTransformer": {
            "pipelines": 43,
            "options": {"degree": ["number"]},
        },
        "sklearn.preprocessing.StandardScaler": {
            "pipelines": 63,
            "options": {"with_mean": ["False"], "with_std": ["False"]},
        },
        "sklearn.preprocessing.TargetEncoder": {"pipelines": 116, "options": {}},
        "sklearn.svm.LinearSVC": {"pipelines": 36, "options": {"fit_intercept": ["False"]}},
        "sklearn.svm.LinearSVR": {"pipelines": 29, "options": {}},
        "sklearn.svm.NuSVC": {"pipelines": 34, "options": {"kernel": ["'linear'"]}},
        "sklearn.svm.NuSVR": {"pipelines": 20, "options": {"kernel": ["'linear'"]}},
        "sklearn.svm.OneClassSVM": {"pipelines": 21, "options": {"kernel": ["'linear'"]}},
        "sklearn.svm.SVC": {
            "pipelines": 43,
            "options": {
                "decision_function_shape": ["'ovo'"],
                "gamma": ["'auto'"],
                "kernel": ["'linear'", "'poly'", "'sigmoid'"],
            },
        },
        "sklearn.svm.SVR": {
            "pipelines": 29,
            "options": {"gamma": ["'auto'"], "kernel": ["'linear'", "'poly'"]},
        },
        "sklearn.tree.DecisionTreeClassifier": {"pipelines": 130, "options": {}},
        "sklearn.tree.DecisionTreeRegressor": {"pipelines": 155, "options": {}},
        "sklearn.tree.ExtraTreeClassifier": {"pipelines": 66, "options": {}},
        "sklearn.tree.ExtraTreeRegressor": {"pipelines": 87, "options": {}},
        "xgboost.XGBClassifier": {"pipelines": 23, "options": {"objective": ["'multi:softprob'"]}},
        "xgboost.XGBRegressor": {
            "pipelines": 52,
            "options": {
                "objective": [
                    "'count:poisson'",
                    "'reg:absoluteerror'",
                    "'reg:gamma'",
                    "'reg:tweedie'",
                ]
            },
        },
    },
}
