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
    "pipelines": 1925,
    "onnx": 1262,
    "not_proved": [
        "sklearn.decomposition.PCA",
        "sklearn.ensemble.BaggingClassifier",
        "sklearn.ensemble.StackingRegressor",
        "sklearn.feature_extraction.text.CountVectorizer analyzer='char'",
        "sklearn.feature_extraction.text.TfidfVectorizer stop_words='english'",
        "sklearn.feature_extraction.text.TfidfVectorizer sublinear_tf=True",
        "sklearn.gaussian_process.GaussianProcessRegressor",
        "sklearn.impute.KNNImputer",
        "sklearn.naive_bayes.GaussianNB",
        "sklearn.naive_bayes.MultinomialNB",
        "sklearn.neighbors.KNeighborsClassifier",
        "xgboost.XGBRegressor objective='reg:absoluteerror'",
    ],
    "wrong": 0,
    "estimators": {
        "lightgbm.LGBMClassifier": {"pipelines": 21, "options": {"boosting_type": ["'dart'"]}},
        "lightgbm.LGBMRegressor": {
            "pipelines": 47,
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
        "sklearn.calibration.CalibratedClassifierCV": {"pipelines": 4, "options": {}},
        "sklearn.cluster.KMeans": {"pipelines": 23, "options": {}},
        "sklearn.cluster.MiniBatchKMeans": {"pipelines": 20, "options": {}},
        "sklearn.compose.ColumnTransformer": {
            "pipelines": 432,
            "options": {"remainder": ["'passthrough'"]},
        },
        "sklearn.cross_decomposition.PLSRegression": {"pipelines": 14, "options": {}},
        "sklearn.decomposition.IncrementalPCA": {"pipelines": 20, "options": {}},
        "sklearn.decomposition.TruncatedSVD": {"pipelines": 33, "options": {}},
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": {"pipelines": 6, "options": {}},
        "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis": {
            "pipelines": 15,
            "options": {},
        },
        "sklearn.ensemble.AdaBoostClassifier": {"pipelines": 12, "options": {}},
        "sklearn.ensemble.AdaBoostRegressor": {"pipelines": 16, "options": {"loss": ["'square'"]}},
        "sklearn.ensemble.BaggingRegressor": {"pipelines": 14, "options": {}},
        "sklearn.ensemble.ExtraTreesClassifier": {"pipelines": 19, "options": {}},
        "sklearn.ensemble.ExtraTreesRegressor": {"pipelines": 22, "options": {}},
        "sklearn.ensemble.GradientBoostingClassifier": {"pipelines": 20, "options": {}},
        "sklearn.ensemble.GradientBoostingRegressor": {
            "pipelines": 18,
            "options": {"loss": ["'absolute_error'", "'huber'"]},
        },
        "sklearn.ensemble.IsolationForest": {"pipelines": 14, "options": {}},
        "sklearn.ensemble.RandomForestClassifier": {"pipelines": 26, "options": {}},
        "sklearn.ensemble.RandomForestRegressor": {"pipelines": 22, "options": {}},
        "sklearn.ensemble.StackingClassifier": {
            "pipelines": 10,
            "options": {"passthrough": ["True"]},
        },
        "sklearn.ensemble.VotingClassifier": {"pipelines": 4, "options": {"voting": ["'soft'"]}},
        "sklearn.ensemble.VotingRegressor": {"pipelines": 11, "options": {}},
        "sklearn.ensemble.gradient_boosting.HistGradientBoostingClassifier": {
            "pipelines": 25,
            "options": {"categorical_features": ["list"]},
        },
        "sklearn.ensemble.gradient_boosting.HistGradientBoostingRegressor": {
            "pipelines": 44,
            "options": {
                "categorical_features": ["list"],
                "loss": ["'absolute_error'", "'gamma'", "'poisson'"],
            },
        },
        "sklearn.feature_extraction.text.CountVectorizer": {
            "pipelines": 63,
            "options": {
                "binary": ["True"],
                "lowercase": ["False"],
                "ngram_range": ["numbers"],
                "stop_words": ["'english'"],
            },
        },
        "sklearn.feature_extraction.text.TfidfVectorizer": {
            "pipelines": 42,
            "options": {
                "analyzer": ["'char'"],
                "binary": ["True"],
                "lowercase": ["False"],
                "ngram_range": ["numbers"],
                "norm": ["'l1'", "None"],
                "smooth_idf": ["False"],
                "use_idf": ["False"],
            },
        },
        "sklearn.feature_selection.SelectKBest": {"pipelines": 28, "options": {}},
        "sklearn.feature_selection.SelectPercentile": {"pipelines": 10, "options": {}},
        "sklearn.feature_selection.VarianceThreshold": {"pipelines": 24, "options": {}},
        "sklearn.impute.SimpleImputer": {
            "pipelines": 153,
            "options": {
                "add_indicator": ["True"],
                "missing_values": ["'?'"],
                "strategy": ["'constant'", "'median'", "'most_frequent'"],
            },
        },
        "sklearn.linear_model.ARDRegression": {
            "pipelines": 20,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.BayesianRidge": {
            "pipelines": 18,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.ElasticNet": {
            "pipelines": 24,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.HuberRegressor": {
            "pipelines": 14,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.Lars": {"pipelines": 14, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.Lasso": {"pipelines": 14, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.LassoLars": {
            "pipelines": 22,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.LinearRegression": {
            "pipelines": 148,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.LogisticRegression": {
            "pipelines": 39,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.OrthogonalMatchingPursuit": {
            "pipelines": 18,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.Perceptron": {
            "pipelines": 11,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.QuantileRegressor": {"pipelines": 14, "options": {}},
        "sklearn.linear_model.RANSACRegressor": {"pipelines": 18, "options": {}},
        "sklearn.linear_model.Ridge": {"pipelines": 20, "options": {"fit_intercept": ["False"]}},
        "sklearn.linear_model.RidgeCV": {"pipelines": 13, "options": {}},
        "sklearn.linear_model.RidgeClassifier": {
            "pipelines": 17,
            "options": {"fit_intercept": ["False"]},
        },
        "sklearn.linear_model.SGDClassifier": {
            "pipelines": 24,
            "options": {"fit_intercept": ["False"], "loss": ["'log_loss'", "'perceptron'"]},
        },
        "sklearn.linear_model.SGDRegressor": {"pipelines": 16, "options": {"penalty": ["'l1'"]}},
        "sklearn.linear_model.TheilSenRegressor": {"pipelines": 10, "options": {}},
        "sklearn.linear_model.glm.GammaRegressor": {"pipelines": 19, "options": {}},
        "sklearn.linear_model.glm.PoissonRegressor": {"pipelines": 16, "options": {}},
        "sklearn.linear_model.glm.TweedieRegressor": {
            "pipelines": 26,
            "options": {"link": ["'log'"], "power": ["number", "zero"]},
        },
        "sklearn.model_selection.GridSearchCV": {"pipelines": 36, "options": {}},
        "sklearn.multiclass.OneVsRestClassifier": {"pipelines": 7, "options": {}},
        "sklearn.multioutput.MultiOutputClassifier": {"pipelines": 9, "options": {}},
        "sklearn.multioutput.MultiOutputRegressor": {"pipelines": 25, "options": {}},
        "sklearn.naive_bayes.BernoulliNB": {"pipelines": 23, "options": {"binarize": ["number"]}},
        "sklearn.naive_bayes.ComplementNB": {"pipelines": 34, "options": {"norm": ["True"]}},
        "sklearn.neural_network.MLPClassifier": {
            "pipelines": 28,
            "options": {"activation": ["'identity'", "'logistic'", "'tanh'"]},
        },
        "sklearn.neural_network.MLPRegressor": {
            "pipelines": 22,
            "options": {"activation": ["'identity'", "'logistic'", "'tanh'"]},
        },
        "sklearn.pipeline.FeatureUnion": {"pipelines": 9, "options": {}},
        "sklearn.pipeline.Pipeline": {"pipelines": 633, "options": {}},
        "sklearn.preprocessing.Binarizer": {"pipelines": 25, "options": {"threshold": ["number"]}},
        "sklearn.preprocessing.FunctionTransformer": {
            "pipelines": 261,
            "options": {
                "accept_sparse": ["True"],
                "check_inverse": ["False"],
                "feature_names_out": ["'one-to-one'"],
            },
        },
        "sklearn.preprocessing.MaxAbsScaler": {"pipelines": 22, "options": {"clip": ["True"]}},
        "sklearn.preprocessing.MinMaxScaler": {
            "pipelines": 25,
            "options": {"clip": ["True"], "feature_range": ["numbers"]},
        },
        "sklearn.preprocessing.Normalizer": {
            "pipelines": 25,
            "options": {"norm": ["'l1'", "'max'"]},
        },
        "sklearn.preprocessing.OneHotEncoder": {
            "pipelines": 65,
            "options": {
                "drop": ["'first'", "'if_binary'"],
                "handle_unknown": ["'ignore'"],
                "min_frequency": ["number"],
                "sparse_output": ["False"],
            },
        },
        "sklearn.preprocessing.OrdinalEncoder": {
            "pipelines": 169,
            "options": {
                "encoded_missing_value": ["number"],
                "handle_unknown": ["'use_encoded_value'"],
                "unknown_value": ["number"],
            },
        },
        "sklearn.preprocessing.PolynomialFeatures": {
            "pipelines": 27,
            "options": {
                "degree": ["number"],
                "include_bias": ["False"],
                "interaction_only": ["True"],
            },
        },
        "sklearn.preprocessing.PowerTransformer": {
            "pipelines": 10,
            "options": {"standardize": ["False"]},
        },
        "sklearn.preprocessing.QuantileTransformer": {"pipelines": 22, "options": {}},
        "sklearn.preprocessing.RobustScaler": {
            "pipelines": 25,
            "options": {"with_centering": ["False"], "with_scaling": ["False"]},
        },
        "sklearn.preprocessing.StandardScaler": {
            "pipelines": 25,
            "options": {"with_mean": ["False"], "with_std": ["False"]},
        },
        "sklearn.preprocessing.TargetEncoder": {"pipelines": 56, "options": {}},
        "sklearn.svm.LinearSVC": {"pipelines": 12, "options": {"fit_intercept": ["False"]}},
        "sklearn.svm.LinearSVR": {"pipelines": 15, "options": {}},
        "sklearn.svm.NuSVC": {"pipelines": 9, "options": {"kernel": ["'linear'"]}},
        "sklearn.svm.NuSVR": {"pipelines": 14, "options": {"kernel": ["'linear'"]}},
        "sklearn.svm.SVC": {
            "pipelines": 13,
            "options": {
                "decision_function_shape": ["'ovo'"],
                "gamma": ["'auto'"],
                "kernel": ["'linear'", "'poly'", "'sigmoid'"],
            },
        },
        "sklearn.svm.SVR": {
            "pipelines": 13,
            "options": {"gamma": ["'auto'"], "kernel": ["'linear'"]},
        },
        "sklearn.tree.DecisionTreeClassifier": {"pipelines": 81, "options": {}},
        "sklearn.tree.DecisionTreeRegressor": {"pipelines": 113, "options": {}},
        "sklearn.tree.ExtraTreeClassifier": {"pipelines": 44, "options": {}},
        "sklearn.tree.ExtraTreeRegressor": {"pipelines": 52, "options": {}},
        "xgboost.XGBClassifier": {"pipelines": 11, "options": {"objective": ["'multi:softprob'"]}},
        "xgboost.XGBRegressor": {
            "pipelines": 39,
            "options": {"objective": ["'count:poisson'", "'reg:gamma'", "'reg:tweedie'"]},
        },
    },
}
