"""PyTorch modules, logged by MLflow, converted by PyTorch's exporter and compared. `.venv` holds no
torch: `scripts/setup torch` makes an environment on Debian's, and says how to run this in it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from aloft_models.convert import torch_exporters
from aloft_models.convert.conversion import convert_folder
from aloft_models.convert.servable import Servable
from aloft_models.convert.session import run
from aloft_models.mlflow_model import open_folder
from mlflow.models import ModelSignature, infer_signature

torch = pytest.importorskip("torch", reason="torch is not installed: scripts/setup torch")
CHANCE = np.random.default_rng(1)
ROWS = CHANCE.normal(size=(5, 4)).astype(np.float32)


class TwoInputs(torch.nn.Module):  # type: ignore[misc,name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(20, 8)
        self.last = torch.nn.Linear(12, 3)

    def forward(self, numbers: Any, words: Any) -> Any:
        logits = self.last(torch.cat([numbers, self.words(words).mean(1)], 1))
        return {"logits": logits, "chances": logits.softmax(1)}


class Recurrent(torch.nn.Module):  # type: ignore[misc,name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(30, 8)
        self.cell = torch.nn.GRU(8, 6, batch_first=True)
        self.last = torch.nn.Linear(6, 1)

    def forward(self, words: Any) -> Any:
        found, _ = self.cell(self.words(words))
        return self.last(found[:, -1]).squeeze(1)


class ScoreAndClass(torch.nn.Module):  # type: ignore[misc,name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.last = torch.nn.Linear(4, 2)

    def forward(self, rows: Any) -> Any:
        scores = self.last(rows)
        return scores, scores.argmax(1)


class DecidesByItsNumbers(torch.nn.Module):  # type: ignore[misc,name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.last = torch.nn.Linear(4, 1)

    def forward(self, rows: Any) -> Any:
        return self.last(rows) if rows.sum() > 0 else -3 * self.last(rows)


class MixesRows(torch.nn.Module):  # type: ignore[misc,name-defined]
    def forward(self, rows: Any) -> Any:
        return rows.mean()


def layers() -> Any:
    """Answers otherwise while it is trained: with dropout and the batch's own statistics."""
    made = torch.nn.Sequential(
        torch.nn.Linear(4, 8),
        torch.nn.BatchNorm1d(8),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.5),
        torch.nn.Linear(8, 2),
    )
    made(torch.randn(50, 4))
    return made


def picture_layers() -> Any:
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )


def log_module(folder: Path, module: Any, example: Any, signature: Any = None) -> Path:
    more: dict[str, Any] = {}
    if "serialization_format" in inspect.signature(mlflow.pytorch.save_model).parameters:
        more["serialization_format"] = "pickle"
    if not isinstance(example, dict):  # MLflow itself asks PyTorch models with one array only
        more["input_example"] = example
    mlflow.pytorch.save_model(
        module,
        str(folder),
        signature=signature or infer_signature(example),
        pip_requirements=["torch"],
        **more,
    )
    return folder


def convert(folder: Path, module: Any, example: Any, signature: Any = None) -> Servable:
    torch.manual_seed(2)
    logged = log_module(folder / "model", module, example, signature)
    return convert_folder(open_folder(logged), 1e-3, folder)


def tensors(described: Any) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(one.name, one.datatype, one.shape) for one in described]


@pytest.mark.parametrize(
    ("make", "example", "inputs", "outputs"),
    [
        (layers, ROWS, [("input", "FP32", (-1, 4))], [("output", "FP32", (-1, 2))]),
        (
            layers,
            pd.DataFrame(ROWS, columns=list("abcd")),
            [("input", "FP32", (-1, 4))],
            [("output", "FP32", (-1, 2))],
        ),
        (
            picture_layers,
            CHANCE.normal(size=(3, 3, 16, 16)).astype(np.float32),
            [("input", "FP32", (-1, 3, 16, 16))],
            [("output", "FP32", (-1, 4))],
        ),
        (
            Recurrent,
            CHANCE.integers(0, 30, (4, 7)),
            [("input", "INT64", (-1, 7))],
            [("output", "FP32", (-1,))],
        ),
        (
            TwoInputs,
            {"numbers": ROWS, "words": CHANCE.integers(0, 2, (5, 3))},
            [("numbers", "FP32", (-1, 4)), ("words", "INT64", (-1, 3))],
            [("logits", "FP32", (-1, 3)), ("chances", "FP32", (-1, 3))],
        ),
        (
            ScoreAndClass,
            ROWS,
            [("input", "FP32", (-1, 4))],
            [("output_0", "FP32", (-1, 2)), ("output_1", "INT64", (-1,))],
        ),
        (
            lambda: torch.jit.script(layers()),
            ROWS,
            [("input", "FP32", (-1, 4))],
            [("output", "FP32", (-1, 2))],
        ),
    ],
    ids=["array", "table", "pictures", "words", "two inputs", "two outputs", "scripted"],
)
def test_a_module_becomes_onnx_that_answers_alike(
    make: Any, example: Any, inputs: Any, outputs: Any, tmp_path: Path
) -> None:
    servable = convert(tmp_path, make(), example)
    manifest = servable.manifest
    assert manifest.runtime == "onnx", manifest.reason
    assert manifest.parity is not None
    assert manifest.parity < 1e-5
    assert tensors(manifest.inputs) == inputs
    assert tensors(manifest.outputs) == outputs
    if isinstance(example, pd.DataFrame):
        assert manifest.columns == list("abcd")


def test_names_of_the_signature_are_kept(tmp_path: Path) -> None:
    signature = infer_signature({"measured": ROWS}, {"risk": ROWS[:, :2]})
    assert isinstance(signature, ModelSignature)
    servable = convert(tmp_path, layers(), {"measured": ROWS}, signature)
    assert [one.name for one in servable.manifest.inputs] == ["measured"]
    assert [one.name for one in servable.manifest.outputs] == ["risk"]
    assert servable.manifest.predict_output == "risk"
    assert isinstance(servable.content, bytes)
    for count in (1, 3):  # the batch varies
        assert run(servable.content, {"measured": ROWS[:count]})["risk"].shape == (count, 2)


def test_the_same_module_gives_the_same_bytes_without_places_of_the_machine(
    tmp_path: Path,
) -> None:
    module = layers()
    made = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        made.append(convert(folder, module, ROWS).content)
    assert made[0] == made[1]
    assert isinstance(made[0], bytes)
    assert b"/torch_calls.py" not in made[0]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (DecidesByItsNumbers, "the rows that come with it"),
        (MixesRows, "does not answer row by row"),
    ],
)
def test_a_module_that_onnx_cannot_express_goes_to_the_python_worker(
    make: Any, reason: str, tmp_path: Path
) -> None:
    manifest = convert(tmp_path, make(), ROWS).manifest
    assert manifest.runtime == "python"
    assert reason in str(manifest.reason)


def test_a_missing_package_of_the_newer_exporter_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def export(*_: Any, dynamo: bool = True) -> None: ...

    monkeypatch.setattr(torch.onnx, "export", export)
    monkeypatch.setattr(torch_exporters.importlib.util, "find_spec", lambda name: None)
    assert [str(one) for one in torch_exporters.available()] == ["tracing exporter"]
    assert "onnxscript is missing" in torch_exporters.advice()
