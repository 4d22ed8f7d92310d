"""A model in a folder as MLflow writes it: its description, what it takes and its example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import Model

from aloft_models.answers import outputs_of
from aloft_models.categories import as_category
from aloft_models.inputs import UNNAMED, ModelInput, from_example, from_signature, from_type_hint
from aloft_models.manifest import Tensor


@dataclass(frozen=True)
class ModelFolder:
    """What the file `MLmodel` says."""

    path: Path
    description: Any

    @property
    def flavors(self) -> dict[str, Any]:
        return dict(self.description.flavors)

    def example(self) -> Any:
        """The logged input example: a table, an array, a dictionary of arrays, or None."""
        try:
            example = self.description.load_input_example(str(self.path))
        except Exception:  # a foreign file of any kind: requests may still be answered
            return None
        if self.has_type_hint():
            return example
        if isinstance(example, list) and all(isinstance(value, str) for value in example):
            return pd.DataFrame({0: np.array(example, dtype=object)})
        if isinstance(example, pd.Series):
            return example.to_frame(name=0)
        return example

    def example_parameters(self) -> dict[str, Any] | None:
        """The parameters that the example was logged with."""
        try:
            found = self.description.load_input_example_params(str(self.path))
        except (AttributeError, OSError, ValueError, KeyError):
            return None
        return found if isinstance(found, dict) else None

    def serving_input(self) -> str | None:
        """The body of a scoring request that MLflow made of the example."""
        path = self.path / "serving_input_example.json"
        try:
            return path.read_text() if path.is_file() else None
        except (OSError, ValueError):
            return None

    def native(self, rows: Any, categories: Sequence[int] = ()) -> Any:
        """Rows as the model's own library wants them, where a table of text is not enough: boosters
        want their category columns marked, of numbers too (`categories`, by place), scikit-learn
        wants a bare list of texts as a list."""
        if not isinstance(rows, pd.DataFrame):
            return rows
        if "sklearn" in self.flavors and list(rows.columns) == [0]:
            return rows[0].tolist()
        if "xgboost" in self.flavors or "lightgbm" in self.flavors:
            texts = [name for name in rows if rows[name].dtype.kind in "OSUT"]
            marked = rows.astype(dict.fromkeys(texts, "category"))
            for name in (rows.columns[place] for place in categories if place < rows.shape[1]):
                if name not in texts:
                    marked[name] = as_category(rows[name])
            return marked
        return rows

    def needs_native(self) -> bool:
        """Whether MLflow's own scoring, which hands over a plain table, cannot ask this model."""
        columns = self.model_input().columns
        texts = [column for column in columns if column.kind == "string"]
        boosted = "xgboost" in self.flavors or "lightgbm" in self.flavors
        return bool(texts) and (boosted or ("sklearn" in self.flavors and not columns[0].named))

    def parameters(self) -> set[str]:
        """Names of the parameters that `predict` takes beside the rows."""
        schema = self.description.get_params_schema()
        return {spec.name for spec in schema.params} if schema is not None else set()

    def model_input(self) -> ModelInput:
        """From the signature, else from the example, else empty: takes anything."""
        schema = self.description.get_input_schema()
        if schema is not None and schema.inputs:
            if self.has_type_hint():
                return from_type_hint(schema)
            return from_signature(schema)
        return from_example(self.example())

    def has_type_hint(self) -> bool:
        """Whether MLflow made the signature of a type hint, and hands the model a plain list."""
        known = getattr(self.description, "_is_signature_from_type_hint", None)
        return bool(known()) if known is not None else False

    def served_input(self, model: Any) -> ModelInput:
        """What the Python worker takes: also of a model that says nothing, which gets what scoring
        makes of `inputs`. `model` is the library's own, where there is one."""
        known = self.model_input()
        if known.is_known:
            return known
        count = getattr(model, "n_features_in_", None)
        if isinstance(count, int) and count > 0:
            return ModelInput(tensors=(Tensor(UNNAMED, "FP64", (-1, count)),))
        return ModelInput(items="json")

    def outputs(self) -> list[Tensor]:
        """What the signature says that the model answers; empty where it does not."""
        schema = self.description.get_output_schema()
        return outputs_of(schema) if schema is not None and schema.inputs else []

    def output_names(self) -> tuple[str, ...]:
        """The names that the signature gives to what the model answers; empty without names."""
        schema = self.description.get_output_schema()
        if schema is None or any(spec.name is None for spec in schema.inputs):
            return ()
        return tuple(str(spec.name) for spec in schema.inputs)


def open_folder(path: Path) -> ModelFolder:
    """Reads `MLmodel`; throws FileNotFoundError where there is none."""
    if not (path / "MLmodel").is_file():
        raise FileNotFoundError(f"{path} holds no MLmodel file, so it is no MLflow model")
    return ModelFolder(path, Model.load(str(path)))
