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
    "pipelines": 632,
    "onnx": 569,
    "not_proved": [],
    "wrong": 0,
    "estimators": {
        "lightgbm.LGBMClassifier": {"pipelines": 11, "options": {"boosting_type": ["'dart'"]}},
        "lightgbm.LGBMRegressor": {
            "pipelines": 18,
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
            "pipelines": 4,
            "options": {"method": ["'isotonic'"]},
        },
        "sklearn.cluster.KMeans": {"pipelines": 4, "options": {}},
        "sklearn.cluster.MiniBatchKMeans": {"pipelines": 1, "options": {}},
        "sklearn.compose.ColumnTransformer": {
            "pipelines": 109,
            "options": {"remainder": ["'passthrough'"]},
        },
        "sklearn.cross_decomposition.PLSRegression": {"pipelines": 3, "options": {}},
        "sklearn.decomposition.IncrementalPCA": {"pipelines": 1, "options": {}},
        "sklearn.decomposition.PCA": {"pipelines": 9, "options": {"whiten": ["True"]}},
        "sklearn.decomposition.TruncatedSVD": {"pipelines": 6, "options": {}},
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": {"pipelines": 4, "options": {}},
        "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis": {
            "pipelines": 6,
            "options": {},
        },
        "sklearn.ensemble.AdaBoostClassifier": {"pipelines": 2, "options": {}},
        "sklearn.ensemble.AdaBoostRegressor": {"pipelines": 4, "options": {"loss": ["'square'"]}},
        "sklearn.ensemble.BaggingClassifier": {"pipelines": 7, "options": {}},
        "sklearn.ensemble.BaggingRegressor": {"pipelines": 6, "options": {}},
        "sklearn.ensemble.ExtraTreesClassifier": {"pipelines": 9, "options": {}},
        "sklearn.ensemble.ExtraTreesRegressor": {"pipelines": 9, "options": {}},
        "sklearn.ensemble.GradientBoostingClassifier": {"pipelines": 10, "options": {}},
        "sklearn.ensemble.GradientBoostingRegressor": {
            "pipelines": 9,
            "options": {"loss": ["'absolute_error'", "'huber'"]},
        },
        "sklearn.ensemble.IsolationForest": {"pipelines": 3, "options": {}},
        "sklearn.ensemble.RandomForestClassifier": {"pipelines": 11, "options": {}},
        "sklearn.ensemble.RandomForestRegressor": {"pipelines": 11, "options": {}},
        "sklearn.ensemble.StackingClassifier": {
            "pipelines": 2,
            "options": {"passthrough": ["True"]},
        },
        "sklearn.ensemble.StackingRegressor": {"pipelines": 3, "options": {}},
        "sklearn.ensemble.VotingClassifier": {"pipelines": 2, "options": {"voting": ["'soft'"]}},
        "sklearn.ensemble.VotingRegressor": {"pipelines": 3, "options": {}},
        "sklearn.ensemble.gradient_boosting.HistGradientBoostingClassifier": {
            "pipelines": 13,
            "options": {"categorical_features": ["list"]},
        },
        "sklearn.ensemble.gradient_boosting.HistGradientBoostingRegressor": {
            "pipelines": 14,
            "options": {
                "categorical_features": ["list"],
                "loss": ["'absolute_error'", "'gamma'", "'poisson'"],
            },
        },
        "sklearn.feature_extraction.text.CountVectorizer": {
            "pipelines": 19,
            "options": {
                "binary": ["True"],
                "lowercase": ["False"],
                "ngram_range": ["numbers"],
                "stop_words": ["'english'"],
            },
        },
        "sklearn.feature_extraction.text.TfidfVectorizer": {
            "pipelines": 27,
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
        "sklearn.feature_selection.SelectKBest": {"pipelines": 6, "options": {}},
        "sklearn.feature_selection.SelectPercentile": {"pipelines": 6, "options": {}},
        "sklearn.feature_selection.VarianceThreshold": {"pipelines": 5, "options": {}},
        "sklearn.impute.SimpleImputer": {
            "pipelines": 33,
            "options": {
                "add_indicator": ["True"],
                "missing_values": ["'?'"],
                "strategy": ["'constant'", "'median'", "'most_frequent'"],
            },
        },
        "sklearn.linear_model.ARDRegression": {
            "pipelines": 4,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.BayesianRidge": {
            "pipelines": 6,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.ElasticNet": {
            "pipelines": 10,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.HuberRegressor": {
            "pipelines": 7,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.Lars": {"pipelines": 6, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.Lasso": {"pipelines": 5, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.LassoLars": {"pipelines": 6, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.LinearRegression": {
            "pipelines": 145,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.LogisticRegression": {
            "pipelines": 22,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.OrthogonalMatchingPursuit": {
            "pipelines": 3,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.Perceptron": {
            "pipelines": 7,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.QuantileRegressor": {"pipelines": 4, "options": {}},
        "sklearn.linear_model.RANSACRegressor": {"pipelines": 3, "options": {}},
        "sklearn.linear_model.Ridge": {"pipelines": 8, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.RidgeCV": {"pipelines": 3, "options": {}},
        "sklearn.linear_model.RidgeClassifier": {
            "pipelines": 7,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.SGDClassifier": {
            "pipelines": 10,
            "options": {
                "fit_intercept": ["False"],
                "loss": ["'log_loss'", "'modified_huber'", "'perceptron'"],
            },
        },
        "sklearn.linear_model.SGDRegressor": {"pipelines": 4, "options": {"penalty": ["'l1'"]}},
        "sklearn.linear_model.TheilSenRegressor": {"pipelines": 3, "options": {}},
        "sklearn.linear_model.glm.GammaRegressor": {"pipelines": 5, "options": {}},
        "sklearn.linear_model.glm.PoissonRegressor": {"pipelines": 6, "options": {}},
        "sklearn.linear_model.glm.TweedieRegressor": {
            "pipelines": 9,
            "options": {"link": ["'log'"], "power": ["number", "zero"]},
        },
        "sklearn.model_selection.FixedThresholdClassifier": {
            "pipelines": 2,
            "options": {"threshold": ["number"]},
        },
        "sklearn.model_selection.GridSearchCV": {"pipelines": 7, "options": {}},
        "sklearn.model_selection.TunedThresholdClassifierCV": {"pipelines": 1, "options": {}},
        "sklearn.multiclass.OneVsRestClassifier": {"pipelines": 1, "options": {}},
        "sklearn.multioutput.MultiOutputClassifier": {"pipelines": 2, "options": {}},
        "sklearn.multioutput.MultiOutputRegressor": {"pipelines": 2, "options": {}},
        "sklearn.naive_bayes.BernoulliNB": {"pipelines": 8, "options": {"binarize": ["number"]}},
        "sklearn.naive_bayes.ComplementNB": {"pipelines": 9, "options": {"norm": ["True"]}},
        "sklearn.naive_bayes.GaussianNB": {"pipelines": 9, "options": {}},
        "sklearn.naive_bayes.MultinomialNB": {"pipelines": 6, "options": {}},
        "sklearn.neural_network.MLPClassifier": {
            "pipelines": 9,
            "options": {"activation": ["'identity'", "'logistic'", "'tanh'"]},
        },
        "sklearn.neural_network.MLPRegressor": {
            "pipelines": 8,
            "options": {"activation": ["'identity'", "'logistic'", "'tanh'"]},
        },
        "sklearn.pipeline.FeatureUnion": {"pipelines": 6, "options": {}},
        "sklearn.pipeline.Pipeline": {"pipelines": 208, "options": {}},
        "sklearn.preprocessing.Binarizer": {"pipelines": 11, "options": {"threshold": ["number"]}},
        "sklearn.preprocessing.FunctionTransformer": {
            "pipelines": 79,
            "options": {
                "accept_sparse": ["True"],
                "check_inverse": ["False"],
                "feature_names_out": ["'one-to-one'"],
            },
        },
        "sklearn.preprocessing.KBinsDiscretizer": {
            "pipelines": 14,
            "options": {
                "encode": ["'onehot-dense'", "'ordinal'"],
                "quantile_method": ["'linear'"],
                "strategy": ["'uniform'"],
            },
        },
        "sklearn.preprocessing.MaxAbsScaler": {"pipelines": 9, "options": {"clip": ["True"]}},
        "sklearn.preprocessing.MinMaxScaler": {
            "pipelines": 8,
            "options": {"clip": ["True"], "feature_range": ["numbers"]},
        },
        "sklearn.preprocessing.Normalizer": {
            "pipelines": 6,
            "options": {"norm": ["'l1'", "'max'"]},
        },
        "sklearn.preprocessing.OneHotEncoder": {
            "pipelines": 15,
            "options": {
                "drop": ["'first'", "'if_binary'"],
                "handle_unknown": ["'ignore'", "'infrequent_if_exist'"],
                "min_frequency": ["number"],
                "sparse_output": ["False"],
            },
        },
        "sklearn.preprocessing.OrdinalEncoder": {
            "pipelines": 25,
            "options": {
                "encoded_missing_value": ["number"],
                "handle_unknown": ["'use_encoded_value'"],
                "unknown_value": ["number"],
            },
        },
        "sklearn.preprocessing.PolynomialFeatures": {
            "pipelines": 12,
            "options": {
                "degree": ["number"],
                "include_bias": ["False"],
                "interaction_only": ["True"],
            },
        },
        "sklearn.preprocessing.PowerTransformer": {
            "pipelines": 5,
            "options": {"standardize": ["False"]},
        },
        "sklearn.preprocessing.QuantileTransformer": {"pipelines": 9, "options": {}},
        "sklearn.preprocessing.RobustScaler": {
            "pipelines": 12,
            "options": {"with_centering": ["False"], "with_scaling": ["False"]},
        },
        "sklearn.preprocessing.SplineTransformer": {
            "pipelines": 5,
            "options": {"degree": ["number"]},
        },
        "sklearn.preprocessing.StandardScaler": {
            "pipelines": 10,
            "options": {"with_mean": ["False"], "with_std": ["False"]},
        },
        "sklearn.preprocessing.TargetEncoder": {"pipelines": 13, "options": {}},
        "sklearn.svm.LinearSVC": {"pipelines": 7, "options": {"fit_intercept": ["False"]}},
        "sklearn.svm.LinearSVR": {"pipelines": 3, "options": {}},
        "sklearn.svm.NuSVC": {"pipelines": 7, "options": {"kernel": ["'linear'"]}},
        "sklearn.svm.NuSVR": {"pipelines": 5, "options": {"kernel": ["'linear'"]}},
        "sklearn.svm.OneClassSVM": {"pipelines": 7, "options": {"kernel": ["'linear'"]}},
        "sklearn.svm.SVC": {
            "pipelines": 9,
            "options": {
                "decision_function_shape": ["'ovo'"],
                "gamma": ["'auto'"],
                "kernel": ["'linear'", "'poly'", "'sigmoid'"],
            },
        },
        "sklearn.svm.SVR": {
            "pipelines": 8,
            "options": {"gamma": ["'auto'"], "kernel": ["'linear'", "'poly'"]},
        },
        "sklearn.tree.DecisionTreeClassifier": {"pipelines": 31, "options": {}},
        "sklearn.tree.DecisionTreeRegressor": {"pipelines": 48, "options": {}},
        "sklearn.tree.ExtraTreeClassifier": {"pipelines": 17, "options": {}},
        "sklearn.tree.ExtraTreeRegressor": {"pipelines": 20, "options": {}},
        "xgboost.XGBClassifier": {"pipelines": 6, "options": {"objective": ["'multi:softprob'"]}},
        "xgboost.XGBRegressor": {
            "pipelines": 11,
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
