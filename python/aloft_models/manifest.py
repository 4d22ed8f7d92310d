"""What a converted model is and how to call it: the JSON that the gateway reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from aloft_models.missing import MARK
from aloft_models.tensors import Array

# Farther from zero than this is infinity.
DOUBLE_LIMIT = float(np.finfo(np.float64).max)
Runtime = Literal["onnx", "python"]


@dataclass(frozen=True)
class Tensor:
    """One named tensor; `shape` has -1 for a dimension that varies, and the first is the batch."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


@dataclass(frozen=True)
class Refused:
    """Values that the original refuses, with its words. `missing`: none; `beyond`: farther from
    zero than `limit`; `unknown`: a text that is none of `known`, for which `{value}` stands in the
    words. `columns` are places within the input, None all of them."""

    input: str
    values: Literal["missing", "beyond", "unknown"]
    message: str
    columns: list[int] | None = None
    limit: float | None = None
    known: list[str] | None = None

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Compared:
    """On which rows original and conversion were compared: their digest, how many of them both
    refuse, and what they cover, a phrase each."""

    digest: str
    refused: int
    covered: list[str]


@dataclass(frozen=True)
class Batch:
    """Whether rows of several callers may share a call of a Python model (`rows` or `off`), on how
    many rows that was tried, and why not."""

    mode: Literal["rows", "off"]
    rows: int
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class ServableManifest:
    """Written by the converter, stored with the model version, read by the gateway."""

    runtime: Runtime
    inputs: list[Tensor]
    outputs: list[Tensor]
    # What clients send: the inputs of the model's signature, however it is run; None where those
    # are `inputs`.
    public_inputs: list[Tensor] | None = None
    # The columns of the table that the model was trained on, in order.
    columns: list[str] | None = None
    # The output which the original's `predict` answers with.
    predict_output: str | None = None
    # Where `predict` answers with all outputs by name: `outputs` always, `rows` a table as a table.
    predict_all: Literal["outputs", "rows"] | None = None
    # Largest difference between original and converted outputs; see `convert.parity`.
    parity: float | None = None
    parity_rows: int | None = None
    compared: Compared | None = None
    # What stands for missing text in BYTES inputs; None where missing and empty are one.
    missing_text: str | None = None
    refuses: list[Refused] | None = None
    # Why a Python worker serves it.
    reason: str | None = None
    batch: Batch | None = None
    # One Open Inference Protocol request body with a few real rows.
    example: dict[str, Any] | None = field(default=None, compare=False)

    def as_json(self) -> dict[str, Any]:
        """Optional fields that are not set are left out."""
        result: dict[str, Any] = {
            "runtime": self.runtime,
            "inputs": [tensor.as_json() for tensor in self.inputs],
            "outputs": [tensor.as_json() for tensor in self.outputs],
        }
        public = self.public_inputs
        optional = {
            "public_inputs": [tensor.as_json() for tensor in public] if public else None,
            "columns": self.columns,
            "predict_output": self.predict_output,
            "predict_all": self.predict_all,
            "parity": self.parity,
            "parity_rows": self.parity_rows,
            "compared": vars(self.compared) if self.compared else None,
            "missing_text": self.missing_text,
            "refuses": [one.as_json() for one in self.refuses] if self.refuses else None,
            "reason": self.reason,
            "batch": self.batch.as_json() if self.batch else None,
            "example": self.example,
        }
        return result | {key: value for key, value in optional.items() if value is not None}


def refused_rows(found: Sequence[Refused], feeds: dict[str, Array]) -> Array:
    """Which rows the rules refuse: what the gateway does, done here to judge it."""
    count = len(next(iter(feeds.values())))
    result = np.zeros(count, dtype=bool)
    for rule in found:
        values = feeds[rule.input].reshape(count, -1)
        if rule.columns is not None:
            values = values[:, rule.columns]
        if rule.values == "beyond" and values.dtype.kind == "f":
            hit = np.abs(values.astype(np.float64)) > (rule.limit or DOUBLE_LIMIT)
        elif rule.values == "missing":
            hit = np.isnan(values) if values.dtype.kind == "f" else values == MARK
        elif rule.values == "unknown":
            hit = ~np.isin(values.astype(str), [*(rule.known or []), MARK])
        else:
            continue
        result |= np.asarray(hit, dtype=bool).any(axis=1)
    return result
