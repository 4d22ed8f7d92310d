"""One server for all commands that show something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from world import World, make


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    one = make(tmp_path_factory.mktemp("world"))
    yield one
    assert one.server.stop() == 0
