"""Which estimators, with which options, are known to be converted right.

`proved_table` is made by `bench/parity`, which fits, converts and compares thousands of random
pipelines. What is not in it is not converted on hope: rows can show that a conversion is wrong, not
that it is right.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from aloft_models.convert.failures import NotConvertible
from aloft_models.missing import parts

# The bench itself finds out what is proved.
TRUST_ALL = False

# What matters while a model is fitted, or to what it is made of, and not to how it answers.
_FITTING = """
    C alpha alpha_1 alpha_2 base_score batch_size beta_1 beta_2 bootstrap cache_size
    callbacks categories ccp_alpha class_prior class_weight colsample_bylevel
    colsample_bynode colsample_bytree compute_score contamination copy copy_X copy_X_train
    criterion cv device dual early_stopping early_stopping_rounds eps epsilon error_score
    estimator estimator_params estimators eta0 eval_metric fill_value final_estimator
    fit_path fit_prior flatten_transform force_alpha grow_policy hidden_layer_sizes
    importance_type init init_size interaction_cst intercept_scaling iterated_power jitter
    k l1_ratio l2_regularization lambda_1 lambda_2 leaf_size learning_rate
    learning_rate_init max_bin max_bins max_cat_threshold max_cat_to_onehot max_delta_step
    max_depth max_df max_features max_fun max_iter max_leaf_nodes max_leaves
    max_no_improvement max_samples max_subpopulation max_trials memory metric_params
    min_child_samples min_child_weight min_df min_impurity_decrease min_samples
    min_samples_leaf min_samples_split min_split_gain min_sum_hessian_in_leaf
    min_weight_fraction_leaf momentum monotonic_cst n_bins n_clusters n_components
    n_estimators n_init n_iter_no_change n_jobs n_knots n_neighbors n_nonzero_coefs
    n_oversamples n_quantiles n_restarts_optimizer n_subsamples n_thresholds
    nesterovs_momentum nu num_leaves num_parallel_tree oob_score optimizer param_grid
    percentile positive power_iteration_normalizer power_t pre_dispatch precompute priors
    quantile quantile_range random_state reassignment_ratio refit reg_alpha reg_lambda
    reg_param regressor residual_threshold return_train_score sampling_method
    scale_pos_weight score_func scoring selection shrinkage shuffle smooth solver
    sparse_threshold steps stop_n_inliers stop_probability stop_score stopping_criterion
    store_covariance store_cv_results subsample subsample_for_bin subsample_freq
    svd_solver target_type thresholds tol transformer_list transformers tree_method
    updater validate_parameters validation_fraction var_smoothing verbose
    verbose_feature_names_out verbosity vocabulary warm_start zero_order
"""
FITTING = frozenset(_FITTING.split())


def check(model: Any) -> None:
    """Throws NotConvertible for the first estimator or option that is not proved."""
    if TRUST_ALL:
        return
    known = table()["estimators"]
    for part in _whose_own(model):
        name = name_of(part)
        if name not in known:
            raise NotConvertible(f"the conversion of {name} is not proved")
        options = known[name]["options"]
        for option, value in options_of(part):
            if value not in options.get(option, ()):
                raise NotConvertible(
                    f"the conversion of {name} with {option}={value} is not proved"
                )


def table() -> dict[str, Any]:
    """What is proved, and with what it was found out."""
    from aloft_models.convert.proved_table import TABLE

    return TABLE


def facets(model: Any) -> set[str]:
    """The estimators in a model, and the options that matter: `NAME`, `NAME OPTION=VALUE`."""
    found = set()
    for part in _whose_own(model):
        name = name_of(part)
        found.add(name)
        found.update(f"{name} {option}={value}" for option, value in options_of(part))
    return found


def _whose_own(model: Any) -> Iterator[Any]:
    """The estimators that somebody chose: not those that an estimator makes for itself. A native
    booster has no options, only an objective; its converter names those that it knows."""
    inner = {id(part._preprocessor) for part in parts(model) if hasattr(part, "_preprocessor")}
    hidden = {id(part) for one in parts(model) if id(one) in inner for part in parts(one)}
    return (part for part in parts(model) if hasattr(part, "get_params") and id(part) not in hidden)


def name_of(part: Any) -> str:
    """`sklearn.ensemble.RandomForestClassifier`: without modules that only the library knows."""
    modules = [one for one in type(part).__module__.split(".") if not one.startswith("_")]
    if modules[0] in ("xgboost", "lightgbm"):
        modules = modules[:1]
    return ".".join([*modules, type(part).__name__])


def options_of(part: Any) -> Iterator[tuple[str, str]]:
    """Options that are not the default and matter to how a model answers; numbers are all alike."""
    try:
        defaults = inspect.signature(type(part)).parameters
    except (TypeError, ValueError):
        return
    try:
        given = part.get_params(deep=False)
    except Exception:  # an estimator of another library
        return
    for name, value in sorted(given.items()):
        if name in FITTING or name not in defaults:
            continue
        default = defaults[name].default
        if value is default or hasattr(value, "get_params"):
            continue
        if type(value) is type(default) and repr(value) == repr(default):
            continue
        yield name, _said(value)


def _said(value: Any) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return repr(value)
    if isinstance(value, float) and value != value:
        return "nan"
    if isinstance(value, int | float):
        return "zero" if value == 0 else "number"
    if isinstance(value, tuple) and all(isinstance(one, int | float) for one in value):
        return "numbers"
    if isinstance(value, list | dict):
        return type(value).__name__
    return getattr(value, "__name__", type(value).__name__)
