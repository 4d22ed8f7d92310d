"""scikit-learn models, and others that follow its manners, to ONNX."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from onnx import ModelProto

from aloft_models.convert import double_steps, graph, repairs
from aloft_models.convert.layout import Layout
from aloft_models.convert.original import final_step
from aloft_models.convert.rows import parts_of
from aloft_models.inputs import UNNAMED
from aloft_models.missing import MARK, is_missing, missing_text, parts
from aloft_models.tensors import Array

# A text that is never sent.
_NEVER = MARK + MARK
# Old enough for every ONNX Runtime of the last years.
TARGET = {"": 18, "ai.onnx.ml": 3}


def convert(model: Any, layout: Layout, expected: dict[str, Array]) -> ModelProto:
    """The finished graph; throws whatever skl2onnx throws at what it cannot express."""
    from skl2onnx import convert_sklearn

    register()
    model = _prepared(model)
    options: dict[int, dict[str, Any]] = _word_options(model)
    if _has_zipmap(model):
        options[id(model)] = {"zipmap": False}
    made = convert_sklearn(
        model,
        name="model",
        initial_types=layout.initial_types(),
        target_opset=TARGET,
        options=options or None,
    )
    return shape_ends(made, layout, expected)


def shape_ends(made: ModelProto, layout: Layout, expected: dict[str, Array]) -> ModelProto:
    """Gives inputs and outputs the names and shapes that clients see."""
    graph.plain_lowercase(made)
    if layout.by_name or not layout.single:
        graph.name_inputs(made, [column.name for column in layout.columns])
    if layout.single and layout.by_name:
        graph.gather_inputs(made, UNNAMED, layout.real)
    elif not layout.single:
        wanted = {column.name: layout.outer(column) for column in layout.columns}
        graph.cast_inputs(made, wanted)
    sources = [value.name for value in made.graph.output]
    outputs = [
        graph.Output(
            source,
            name,
            array.ndim,
            array.shape[1] if array.ndim == 2 else None,
            is_boolean=array.dtype.kind == "b",
        )
        for source, (name, array) in zip(sources, expected.items(), strict=False)
    ]
    return graph.finish(made, outputs)


def _prepared(model: Any) -> Any:
    """What a finished search found, without settings that ONNX has no word for: those that matter
    to `transform` only. Missing text is what stands for it in tensors."""
    from sklearn.impute import SimpleImputer

    if hasattr(model, "best_estimator_"):
        model = model.best_estimator_
    copied = copy.deepcopy(model)
    form = missing_text(model)
    for part, _ in parts_of(copied, None):
        if getattr(part, "flatten_transform", False):
            part.flatten_transform = False
        if isinstance(part, SimpleImputer) and part.statistics_.dtype.kind == "O":
            if is_missing(part.missing_values):
                # What stands for missing text, unless that is the other of None and NaN here.
                same = (part.missing_values is None) == (form is None)
                part.missing_values = MARK if same else _NEVER
        elif isinstance(getattr(part, "categories_", None), list):
            # Encoders give None a code as any other category, NaN one of its own.
            part.aloft_none_is_category = form is None
            part.categories_ = [_marked(known) for known in part.categories_]
        if type(getattr(part, "intercept_", None)) is float:  # converters expect numpy's
            part.intercept_ = np.float64(part.intercept_)
    return copied


def _marked(known: Any) -> Any:
    """Categories with the mark for the one that is missing text."""
    if known.dtype != object or not any(isinstance(value, str) for value in known):
        return known
    return np.array([MARK if is_missing(value) else value for value in known], dtype=object)


def _word_options(model: Any) -> dict[int, dict[str, Any]]:
    """Words as scikit-learn cuts them: two letters or more, of any alphabet."""
    return {
        id(part): {"tokenexp": r"[\p{L}\p{N}_]{2,}"}
        for part in parts(model)
        if getattr(part, "token_pattern", None) == r"(?u)\b\w\w+\b"
        and getattr(part, "analyzer", None) == "word"
        and getattr(part, "tokenizer", None) is None
    }


def _has_zipmap(model: Any) -> bool:
    final = final_step(model)
    if type(final).__name__ == "LinearSVC":
        return True
    return hasattr(final, "classes_") and hasattr(model, "predict_proba")


_registered: set[str] = set()


def register() -> None:
    """Teaches skl2onnx the models of XGBoost and LightGBM where they are installed."""
    if "done" in _registered:
        return
    _registered.add("done")
    repairs.apply()
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    try:
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
        from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier, XGBRFRegressor

        for kind in (XGBClassifier, XGBRFClassifier):
            update_registered_converter(kind, f"Aloft{kind.__name__}",
                calculate_linear_classifier_output_shapes, convert_xgboost,
                options=options, overwrite=True)  # fmt: skip
        for kind in (XGBRegressor, XGBRFRegressor):
            update_registered_converter(kind, f"Aloft{kind.__name__}",
                calculate_linear_regressor_output_shapes, convert_xgboost,
                overwrite=True)  # fmt: skip
    except ImportError:
        pass
    try:
        from aloft_models.convert import lightgbm_steps

        lightgbm_steps.register()
    except ImportError:
        pass
    double_steps.apply()


def without_feature_names(model: Any) -> Any:
    """A copy of an XGBoost model whose features are numbered, as its converter wants them."""
    bare = copy.deepcopy(model)
    booster = bare.get_booster() if hasattr(bare, "get_booster") else bare
    booster.feature_names = None
    booster.feature_types = None
    return bare
