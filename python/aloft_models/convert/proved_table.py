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
    "bench": "7340d77d26fb633696e9e4f604bc21ac056f6ef7b80c598252269c05ddd5ebfb",
    "pipelines": 586,
    "onnx": 490,
    "not_proved": ["sklearn.neighbors.KNeighborsClassifier"],
    "wrong": 0,
    "estimators": {
        "lightgbm.LGBMClassifier": {"pipelines": 7, "options": {}},
        "lightgbm.LGBMRegressor": {
            "pipelines": 16,
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
        "sklearn.calibration.CalibratedClassifierCV": {"pipelines": 1, "options": {}},
        "sklearn.cluster.KMeans": {"pipelines": 5, "options": {}},
        "sklearn.cluster.MiniBatchKMeans": {"pipelines": 4, "options": {}},
        "sklearn.compose.ColumnTransformer": {
            "pipelines": 92,
            "options": {"remainder": ["'passthrough'"]},
        },
        "sklearn.cross_decomposition.PLSRegression": {"pipelines": 2, "options": {}},
        "sklearn.decomposition.IncrementalPCA": {"pipelines": 1, "options": {}},
        "sklearn.decomposition.PCA": {"pipelines": 8, "options": {"whiten": ["True"]}},
        "sklearn.decomposition.TruncatedSVD": {"pipelines": 5, "options": {}},
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": {"pipelines": 2, "options": {}},
        "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis": {
            "pipelines": 1,
            "options": {},
        },
        "sklearn.ensemble.AdaBoostClassifier": {"pipelines": 1, "options": {}},
        "sklearn.ensemble.AdaBoostRegressor": {"pipelines": 3, "options": {"loss": ["'square'"]}},
        "sklearn.ensemble.BaggingClassifier": {"pipelines": 5, "options": {}},
        "sklearn.ensemble.BaggingRegressor": {"pipelines": 5, "options": {}},
        "sklearn.ensemble.ExtraTreesClassifier": {"pipelines": 8, "options": {}},
        "sklearn.ensemble.ExtraTreesRegressor": {"pipelines": 11, "options": {}},
        "sklearn.ensemble.GradientBoostingClassifier": {"pipelines": 9, "options": {}},
        "sklearn.ensemble.GradientBoostingRegressor": {
            "pipelines": 9,
            "options": {"loss": ["'absolute_error'", "'huber'"]},
        },
        "sklearn.ensemble.IsolationForest": {"pipelines": 3, "options": {}},
        "sklearn.ensemble.RandomForestClassifier": {"pipelines": 11, "options": {}},
        "sklearn.ensemble.RandomForestRegressor": {"pipelines": 12, "options": {}},
        "sklearn.ensemble.StackingClassifier": {
            "pipelines": 2,
            "options": {"passthrough": ["True"]},
        },
        "sklearn.ensemble.StackingRegressor": {"pipelines": 4, "options": {}},
        "sklearn.ensemble.VotingClassifier": {"pipelines": 1, "options": {"voting": ["'soft'"]}},
        "sklearn.ensemble.VotingRegressor": {"pipelines": 1, "options": {}},
        "sklearn.ensemble.gradient_boosting.HistGradientBoostingClassifier": {
            "pipelines": 10,
            "options": {"categorical_features": ["list"]},
        },
        "sklearn.ensemble.gradient_boosting.HistGradientBoostingRegressor": {
            "pipelines": 17,
            "options": {
                "categorical_features": ["list"],
                "loss": ["'absolute_error'", "'gamma'", "'poisson'"],
            },
        },
        "sklearn.feature_extraction.text.CountVectorizer": {
            "pipelines": 19,
            "options": {
                "analyzer": ["'char'"],
                "binary": ["True"],
                "lowercase": ["False"],
                "ngram_range": ["numbers"],
                "stop_words": ["'english'"],
            },
        },
        "sklearn.feature_extraction.text.TfidfVectorizer": {
            "pipelines": 24,
            "options": {
                "binary": ["True"],
                "lowercase": ["False"],
                "ngram_range": ["numbers"],
                "norm": ["'l1'", "None"],
                "smooth_idf": ["False"],
                "stop_words": ["'english'"],
                "use_idf": ["False"],
            },
        },
        "sklearn.feature_selection.SelectKBest": {"pipelines": 6, "options": {}},
        "sklearn.feature_selection.SelectPercentile": {"pipelines": 1, "options": {}},
        "sklearn.feature_selection.VarianceThreshold": {"pipelines": 2, "options": {}},
        "sklearn.gaussian_process.GaussianProcessRegressor": {
            "pipelines": 3,
            "options": {"normalize_y": ["True"]},
        },
        "sklearn.impute.SimpleImputer": {
            "pipelines": 26,
            "options": {
                "add_indicator": ["True"],
                "missing_values": ["'?'"],
                "strategy": ["'constant'", "'median'", "'most_frequent'"],
            },
        },
        "sklearn.linear_model.ARDRegression": {
            "pipelines": 5,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.BayesianRidge": {
            "pipelines": 3,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.ElasticNet": {
            "pipelines": 12,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.HuberRegressor": {
            "pipelines": 4,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.Lars": {"pipelines": 4, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.Lasso": {"pipelines": 5, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.LassoLars": {"pipelines": 6, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.LinearRegression": {
            "pipelines": 125,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.LogisticRegression": {
            "pipelines": 15,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.OrthogonalMatchingPursuit": {
            "pipelines": 6,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.Perceptron": {
            "pipelines": 3,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.QuantileRegressor": {"pipelines": 3, "options": {}},
        "sklearn.linear_model.RANSACRegressor": {"pipelines": 2, "options": {}},
        "sklearn.linear_model.Ridge": {"pipelines": 6, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.RidgeCV": {"pipelines": 4, "options": {}},
        "sklearn.linear_model.RidgeClassifier": {
            "pipelines": 5,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.SGDClassifier": {
            "pipelines": 7,
            "options": {"fit_intercept": ["False"], "loss": ["'log_loss'", "'perceptron'"]},
        },
        "sklearn.linear_model.SGDRegressor": {"pipelines": 3, "options": {"penalty": ["'l1'"]}},
        "sklearn.linear_model.TheilSenRegressor": {"pipelines": 1, "options": {}},
        "sklearn.linear_model.glm.GammaRegressor": {"pipelines": 6, "options": {}},
        "sklearn.linear_model.glm.PoissonRegressor": {"pipelines": 4, "options": {}},
        "sklearn.linear_model.glm.TweedieRegressor": {
            "pipelines": 7,
            "options": {"link": ["'log'"], "power": ["number", "zero"]},
        },
        "sklearn.model_selection.GridSearchCV": {"pipelines": 1, "options": {}},
        "sklearn.multiclass.OneVsRestClassifier": {"pipelines": 1, "options": {}},
        "sklearn.multioutput.MultiOutputClassifier": {"pipelines": 3, "options": {}},
        "sklearn.multioutput.MultiOutputRegressor": {"pipelines": 5, "options": {}},
        "sklearn.naive_bayes.BernoulliNB": {"pipelines": 9, "options": {"binarize": ["number"]}},
        "sklearn.naive_bayes.ComplementNB": {"pipelines": 6, "options": {"norm": ["True"]}},
        "sklearn.naive_bayes.GaussianNB": {"pipelines": 8, "options": {}},
        "sklearn.naive_bayes.MultinomialNB": {"pipelines": 6, "options": {}},
        "sklearn.neural_network.MLPClassifier": {
            "pipelines": 8,
            "options": {"activation": ["'identity'", "'logistic'", "'tanh'"]},
        },
        "sklearn.neural_network.MLPRegressor": {
            "pipelines": 10,
            "options": {"activation": ["'identity'", "'logistic'", "'tanh'"]},
        },
        "sklearn.pipeline.FeatureUnion": {"pipelines": 1, "options": {}},
        "sklearn.pipeline.Pipeline": {"pipelines": 162, "options": {}},
        "sklearn.preprocessing.Binarizer": {"pipelines": 5, "options": {"threshold": ["number"]}},
        "sklearn.preprocessing.FunctionTransformer": {
            "pipelines": 79,
            "options": {
                "accept_sparse": ["True"],
                "check_inverse": ["False"],
                "feature_names_out": ["'one-to-one'"],
            },
        },
        "sklearn.preprocessing.MaxAbsScaler": {"pipelines": 4, "options": {}},
        "sklearn.preprocessing.MinMaxScaler": {
            "pipelines": 7,
            "options": {"clip": ["True"], "feature_range": ["numbers"]},
        },
        "sklearn.preprocessing.Normalizer": {
            "pipelines": 6,
            "options": {"norm": ["'l1'", "'max'"]},
        },
        "sklearn.preprocessing.OneHotEncoder": {
            "pipelines": 13,
            "options": {
                "drop": ["'first'", "'if_binary'"],
                "handle_unknown": ["'ignore'"],
                "sparse_output": ["False"],
            },
        },
        "sklearn.preprocessing.OrdinalEncoder": {
            "pipelines": 23,
            "options": {
                "encoded_missing_value": ["number"],
                "handle_unknown": ["'use_encoded_value'"],
                "unknown_value": ["number"],
            },
        },
        "sklearn.preprocessing.PolynomialFeatures": {
            "pipelines": 7,
            "options": {
                "degree": ["number"],
                "include_bias": ["False"],
                "interaction_only": ["True"],
            },
        },
        "sklearn.preprocessing.QuantileTransformer": {"pipelines": 4, "options": {}},
        "sklearn.preprocessing.RobustScaler": {
            "pipelines": 10,
            "options": {"with_centering": ["False"], "with_scaling": ["False"]},
        },
        "sklearn.preprocessing.StandardScaler": {
            "pipelines": 7,
            "options": {"with_mean": ["False"], "with_std": ["False"]},
        },
        "sklearn.preprocessing.TargetEncoder": {"pipelines": 7, "options": {}},
        "sklearn.svm.LinearSVC": {"pipelines": 3, "options": {}},
        "sklearn.svm.LinearSVR": {"pipelines": 2, "options": {}},
        "sklearn.svm.NuSVC": {"pipelines": 2, "options": {"kernel": ["'linear'"]}},
        "sklearn.svm.NuSVR": {"pipelines": 3, "options": {"kernel": ["'linear'"]}},
        "sklearn.svm.SVC": {
            "pipelines": 7,
            "options": {"decision_function_shape": ["'ovo'"], "kernel": ["'linear'"]},
        },
        "sklearn.svm.SVR": {
            "pipelines": 6,
            "options": {"gamma": ["'auto'"], "kernel": ["'linear'"]},
        },
        "sklearn.tree.DecisionTreeClassifier": {"pipelines": 28, "options": {}},
        "sklearn.tree.DecisionTreeRegressor": {"pipelines": 48, "options": {}},
        "sklearn.tree.ExtraTreeClassifier": {"pipelines": 17, "options": {}},
        "sklearn.tree.ExtraTreeRegressor": {"pipelines": 23, "options": {}},
        "xgboost.XGBClassifier": {"pipelines": 5, "options": {"objective": ["'multi:softprob'"]}},
        "xgboost.XGBRegressor": {
            "pipelines": 10,
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
