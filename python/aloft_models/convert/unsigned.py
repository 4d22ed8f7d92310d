"""What a model takes that was logged with neither a signature nor an example: estimators know how
many features they were fitted on, and often their names."""

from __future__ import annotations

from typing import Any

from aloft_models.convert.rows import text_categories
from aloft_models.inputs import UNNAMED, Column, ModelInput
from aloft_models.manifest import Tensor


def input_of(model: Any) -> ModelInput:
    """Empty where the model does not know either."""
    names = getattr(model, "feature_names_in_", None)
    if names is not None and len(names) and all(isinstance(name, str) for name in names):
        texts = text_categories(model)
        return ModelInput(
            columns=tuple(Column(name, "string" if name in texts else "double") for name in names)
        )
    count = getattr(model, "n_features_in_", None)
    if isinstance(count, int) and count > 0:
        return ModelInput(tensors=(Tensor(UNNAMED, "FP64", (-1, count)),))
    return ModelInput()
