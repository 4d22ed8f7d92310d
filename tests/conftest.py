"""Servers for all tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aloft_server import Server


@pytest.fixture(scope="module", autouse=True)
def no_experiment_of_others() -> None:
    """What another file's tests set as the active experiment is not on this file's server."""
    fluent = sys.modules.get("mlflow.tracking.fluent")
    if fluent is not None:
        fluent._active_experiment_id = None  # type: ignore[attr-defined]
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)


@pytest.fixture(autouse=True)
def no_autologging_of_others() -> Iterator[None]:
    """What one test logs by itself is off for the next tests of the same process.

    `mlflow.autolog(disable=True)` leaves on what a flavor's own `autolog` switched on.
    """
    yield
    utilities = sys.modules.get("mlflow.utils.autologging_utils")
    for settings in getattr(utilities, "AUTOLOGGING_INTEGRATIONS", {}).values():
        settings["disable"] = True


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Makes servers that are stopped when the test ends."""
    servers: list[Server] = []

    def make(name: str = "data", **options: object) -> Server:
        server = Server(data=tmp_path / name, **options)  # type: ignore[arg-type]
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        if server.process is not None and server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server without a gateway for all tests of a file."""
    one = Server(data=tmp_path_factory.mktemp("server") / "data").start()
    yield one
    assert one.stop() == 0


@pytest.fixture(scope="session")
def server_type() -> type[Server]:
    """For tests that make servers of their own and keep them for a whole file."""
    return Server
