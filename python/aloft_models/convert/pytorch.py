"""PyTorch modules to ONNX, where torch is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aloft_models.tensors import Array


def outputs(model: Any) -> Callable[[Any], dict[str, Array]]:
    """The module on one array of rows."""
    import torch

    def call(rows: Any) -> dict[str, Array]:
        model.eval()
        with torch.no_grad():
            answer = model(torch.from_numpy(np.ascontiguousarray(rows)))
        return {"output": answer.numpy()}

    return call
