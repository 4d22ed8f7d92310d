"""`/invocations` of Python models is MLflow's, byte for byte: over a grid of signatures, bodies and
answers, beside MLflow's own `scoring_server.invocations` on the same model."""

from __future__ import annotations

import warnings
from pathlib import Path

import mlflow
import pytest
from aloft_models.worker.model import load
from aloft_models.worker.server import Served, _failure
from scoring_grid import Kind, Outcome, answers_asked, compare, kinds, save

KINDS = kinds()
STATUS = {
    "invalid_request": 400,
    "invalid_body": 400,
    "model_failed": 400,
    "wrong_type": 415,
    "answer_unwritable": 500,
}


def outcome(result: bytes | Exception) -> Outcome:
    if isinstance(result, bytes):
        return Outcome(200, result.decode())
    failure = _failure(result)
    return Outcome(STATUS[failure["code"]], failure["message"])


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def folder(kind: Kind, tmp_path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return save(kind, tmp_path)


@pytest.fixture
def served(folder: Path) -> Served:
    return load(folder)


def test_the_worker_answers_as_mlflow(kind: Kind, folder: Path, served: Served) -> None:
    def ask(body: bytes, content_type: str) -> Outcome:
        return outcome(served.invoke([(memoryview(body), content_type)], False)[0])

    count, said = compare(kind, mlflow.pyfunc.load_model(str(folder)), ask)
    assert count == len(kind.bodies) + len(answers_asked(kind))
    assert not said, f"{len(said)} of {count} differ:\n" + "\n".join(said[:20])


def test_together_each_gets_what_it_gets_alone(kind: Kind, served: Served) -> None:
    """Twice all, one behind the other: there is something to put together for each."""
    documents = [(memoryview(body), content_type) for body, content_type in kind.bodies]
    alone = [outcome(served.invoke([one], False)[0]) for one in documents]
    together = [outcome(one) for one in served.invoke([*documents, *documents], True)]
    for body, wanted, found in zip(documents * 2, alone * 2, together, strict=True):
        assert found == wanted, bytes(body[0])[:200]
