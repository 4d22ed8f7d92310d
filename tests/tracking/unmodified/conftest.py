"""An unmodified mlflow client against a real server: what people's scripts do, call by call.

ALOFT_TEST_TRACKING_URI runs the same tests against another server of the protocol.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import mlflow
import numpy as np
import pandas as pd
import pytest
from aloft_server import Server
from mlflow import MlflowClient
from sklearn.datasets import load_breast_cancer
from unique_names import unique


@pytest.fixture(scope="module")
def tracking_uri(request: pytest.FixtureRequest) -> str:
    other = os.environ.get("ALOFT_TEST_TRACKING_URI")
    if other:
        return other
    server: Server = request.getfixturevalue("server")
    return server.url


@pytest.fixture
def client(tracking_uri: str) -> Iterator[MlflowClient]:
    mlflow.set_tracking_uri(tracking_uri)
    yield MlflowClient(tracking_uri)
    while mlflow.active_run():
        mlflow.end_run()


@pytest.fixture
def experiment(client: MlflowClient) -> str:
    name = unique("experiment")
    return str(mlflow.set_experiment(name).experiment_id)


@pytest.fixture(scope="module")
def cancer() -> tuple[pd.DataFrame, np.ndarray]:
    table, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    return table[:200], labels[:200].to_numpy()
