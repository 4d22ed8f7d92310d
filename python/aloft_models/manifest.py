"""What a converted model is and how to call it: the JSON that the gateway reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

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
class ServableManifest:
    """Written by the converter, stored with the model version, read by the gateway."""

    runtime: Runtime
    inputs: list[Tensor]
    outputs: list[Tensor]
    # The columns of the table that the model was trained on, in order.
    columns: list[str] | None = None
    # The output which the original's `predict` answers with.
    predict_output: str | None = None
    # Largest difference between original and converted outputs; see `convert.parity`.
    parity: float | None = None
    parity_rows: int | None = None
    # Why a Python worker serves it.
    reason: str | None = None
    # One Open Inference Protocol request body with a few real rows.
    example: dict[str, Any] | None = field(default=None, compare=False)

    def as_json(self) -> dict[str, Any]:
        """Optional fields that are not set are left out."""
        result: dict[str, Any] = {
            "runtime": self.runtime,
            "inputs": [tensor.as_json() for tensor in self.inputs],
            "outputs": [tensor.as_json() for tensor in self.outputs],
        }
        optional = {
            "columns": self.columns,
            "predict_output": self.predict_output,
            "parity": self.parity,
            "parity_rows": self.parity_rows,
            "reason": self.reason,
            "example": self.example,
        }
        return result | {key: value for key, value in optional.items() if value is not None}
