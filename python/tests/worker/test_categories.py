"""Boosters that were fitted on `category` columns of numbers: a request has no way to mark them."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import lightgbm
import mlflow
import numpy as np
import pandas as pd
import pytest
import xgboost
from aloft_models.worker.model import load

TABLE = pd.DataFrame(
    {
        "x": np.arange(80.0),
        "c": pd.Categorical([1, 2, 3, 4] * 20),
        "t": pd.Categorical(["a", "b"] * 40),
    }
)
TRUTH = TABLE.c.astype(float) ** 2 + (TABLE.t == "a")


def booster(name: str) -> tuple[Any, Any]:
    if name == "lightgbm":
        made = lightgbm.LGBMRegressor(n_estimators=9, min_child_samples=2, verbose=-1, n_jobs=1)
        return mlflow.lightgbm, made
    made = xgboost.XGBRegressor(n_estimators=9, enable_categorical=True, n_jobs=1)
    return mlflow.xgboost, made


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
@pytest.mark.parametrize("columns", [["x", "c"], ["x", "c", "t"]])
def test_numbers_become_categories_again(name: str, columns: list[str], tmp_path: Path) -> None:
    flavor, model = booster(name)
    rows = TABLE[columns]
    model.fit(rows, TRUTH)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flavor.save_model(
            model, str(tmp_path / "model"), input_example=rows.head(3), pip_requirements=[name]
        )
    served = load(tmp_path / "model")
    data = [[row[column] for column in columns] for row in rows.head(6).to_dict("records")]
    body = json.dumps({"dataframe_split": {"columns": columns, "data": data}}).encode()
    (answer,) = served.invoke([(memoryview(body), "application/json")], False)
    assert isinstance(answer, bytes), answer
    found = json.loads(answer)["predictions"]
    np.testing.assert_allclose(found, model.predict(rows.head(6)), rtol=1e-6)
