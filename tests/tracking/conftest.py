"""What tests of the tracking protocol share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from protocol_caller import Caller


@pytest.fixture(scope="module")
def caller(server: Any) -> Caller:
    return Caller(server.url)


@pytest.fixture(scope="module")
def client(server: Any) -> MlflowClient:
    return MlflowClient(server.url)


@pytest.fixture(scope="module")
def run(client: MlflowClient) -> Any:
    return client.create_run(client.create_experiment("words")).info


@pytest.fixture
def traced(server: Any) -> Iterator[None]:
    """Traces go to the server."""
    mlflow.set_tracking_uri(server.url)
    yield
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
