"""The gateway that the tests of the protocols share."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_models import ALL, save
from protocol_gateway import Gateway, fixture, limited_gateway


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all tests of the protocols: an identity of every datatype, a classifier, two
    revisions that say which answered, a slow model, and the models of `made_models`."""
    folder = tmp_path_factory.mktemp("gateway")
    one = Gateway(folder=folder / "data")
    for name, graph in ALL.items():
        one.deploy(name, (save(graph(), folder / f"{name}.onnx"), 100), predict_all="rows")
    one.deploy("identity", (fixture("identity.onnx"), 100))
    one.deploy("typed", (fixture("identity-typed.onnx"), 100))
    one.deploy("brain", (fixture("identity-brain.onnx"), 100))
    columns = [f"c{index}" for index in range(30)]
    one.deploy("cancer", (fixture("cancer-logreg.onnx"), 100), columns=columns)
    one.deploy("split", (fixture("constant-1.onnx"), 50), (fixture("constant-2.onnx"), 50))
    one.deploy("slow", (fixture("slow.onnx"), 100))
    one.start()
    yield one
    assert one.stop() == 0


@pytest.fixture(scope="session")
def cancer() -> dict[str, Any]:
    """Rows of the classifier's data, and what the runtime itself answers on them."""
    return dict(json.loads(fixture("cancer.json").read_text()))


@pytest.fixture(scope="module")
def strict_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that takes a mebibyte at most and waits a second for what is to come."""
    folder = tmp_path_factory.mktemp("strict") / "data"
    with limited_gateway(folder, "--request-timeout", "1") as one:
        yield one
