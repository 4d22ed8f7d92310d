"""The table of what is proved, and the bench that makes it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from aloft_models.convert import proved
from aloft_models.convert.failures import NotConvertible
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench/parity"))
import proof

import bench


@pytest.fixture(autouse=True)
def consulting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proved, "TRUST_ALL", False)


def test_the_table_is_of_these_packages_and_of_this_bench() -> None:
    """Else: bench/parity/run --lines FILE, then bench/parity/run --table --lines FILE."""
    table = proved.table()
    assert table["with"] == proof.versions()
    assert table["bench"] == proof.digest()
    assert table["wrong"] == 0
    assert len(table["estimators"]) >= 40


def test_what_is_proved_passes() -> None:
    proved.check(make_pipeline(StandardScaler(), LogisticRegression(C=3, max_iter=7)))
    proved.check(RandomForestClassifier(max_depth=3, random_state=1))


def test_an_estimator_that_is_not_proved_is_named() -> None:
    class Own(LogisticRegression):
        """A stranger's."""

    with pytest.raises(NotConvertible, match=r"the conversion of .*\.Own is not proved"):
        proved.check(Own())


def test_an_option_that_is_not_proved_is_named() -> None:
    model = make_pipeline(FunctionTransformer(np.log1p), LogisticRegression())
    with pytest.raises(NotConvertible, match="FunctionTransformer with func=log1p is not proved"):
        proved.check(model)


@pytest.mark.parametrize("first", [0, 100_000])
def test_random_pipelines_are_right_or_not_converted(first: int) -> None:
    """A few of the thousands that the bench tries, some of which it has not tried."""
    lines = [bench.run(seed) for seed in range(first, first + 3)]
    assert [line for line in lines if line["state"] in ("wrong", "fault")] == []
    assert any(line["state"] == "onnx" for line in lines)
