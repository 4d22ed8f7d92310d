"""Autologging of several libraries, and what the client logs by itself while a run goes on.

PyTorch Lightning and transformers are not tried: torch is too large for the tests' environment.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import lightgbm
import mlflow
import numpy as np
import pandas as pd
import pytest
from aloft_server import Server
from mlflow import MlflowClient
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV
from xgboost import XGBClassifier


@pytest.fixture
def client(server: Server) -> Iterator[MlflowClient]:
    mlflow.set_tracking_uri(server.url)
    yield MlflowClient(server.url)
    mlflow.disable_system_metrics_logging()
    while mlflow.active_run():
        mlflow.end_run()


@pytest.fixture
def experiment(client: MlflowClient) -> str:
    return str(mlflow.set_experiment(f"autolog-{uuid.uuid4().hex[:8]}").experiment_id)


@pytest.fixture(scope="module")
def cancer() -> tuple[pd.DataFrame, np.ndarray]:
    table, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    return table[:150], labels[:150].to_numpy()


def test_a_grid_search_over_xgboost_autologs_its_children(
    client: MlflowClient, experiment: str, cancer: tuple[pd.DataFrame, np.ndarray]
) -> None:
    mlflow.sklearn.autolog(max_tuning_runs=4)
    grid = {"max_depth": [1, 2], "learning_rate": [0.1, 0.5]}
    with mlflow.start_run() as parent:
        GridSearchCV(XGBClassifier(n_estimators=3), grid, cv=2).fit(*cancer)
    found = client.search_runs(
        [experiment], f"tags.mlflow.parentRunId = '{parent.info.run_id}'", order_by=["start_time"]
    )
    assert len(found) == 4
    depths = sorted(run.data.params["max_depth"] for run in found)
    assert depths == ["1", "1", "2", "2"]
    stored = client.get_run(parent.info.run_id)
    assert stored.data.params["best_max_depth"] in ("1", "2")
    assert "best_cv_score" in stored.data.metrics
    best = max(run.data.metrics["mean_test_score"] for run in found)
    assert stored.data.metrics["best_cv_score"] == pytest.approx(best)
    models = client.search_logged_models([experiment])
    assert models and all(model.status == "READY" for model in models)
    loaded = mlflow.pyfunc.load_model(models[0].model_uri)
    assert len(loaded.predict(cancer[0])) == len(cancer[1])


def test_lightgbm_autologs(
    client: MlflowClient, experiment: str, cancer: tuple[pd.DataFrame, np.ndarray]
) -> None:
    mlflow.lightgbm.autolog()
    data = lightgbm.Dataset(cancer[0], cancer[1])
    with mlflow.start_run() as run:
        lightgbm.train(
            {"objective": "binary", "verbose": -1, "num_leaves": 4},
            data,
            num_boost_round=5,
            valid_sets=[data],
        )
    stored = client.get_run(run.info.run_id)
    assert stored.data.params["num_leaves"] == "4"
    loss = client.get_metric_history(run.info.run_id, "training-binary_logloss")
    assert [point.step for point in loss] == list(range(5))
    assert stored.inputs.dataset_inputs and stored.outputs.model_outputs
    artifacts = {one.path for one in client.list_artifacts(run.info.run_id)}
    assert "feature_importance_gain.json" in artifacts or "feature_importance_gain.png" in artifacts


def test_system_metrics_arrive_while_the_run_goes_on(
    client: MlflowClient, experiment: str, server: Server
) -> None:
    mlflow.set_system_metrics_sampling_interval(0.1)
    mlflow.set_system_metrics_samples_before_logging(1)
    with mlflow.start_run(log_system_metrics=True) as run:
        server.wait_until(
            lambda: (
                len(client.get_metric_history(run.info.run_id, "system/cpu_utilization_percentage"))
                >= 2
            ),
            "two samples",
        )
    metrics = client.get_run(run.info.run_id).data.metrics
    assert metrics["system/system_memory_usage_megabytes"] > 0
