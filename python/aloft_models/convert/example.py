"""The example that a servable carries: a few rows, as the Open Inference Protocol asks for them."""

from __future__ import annotations

from typing import Any

from aloft_models.tensors import Array, datatype_of, json_values

EXAMPLE_ROWS = 5


def request(feeds: dict[str, Array]) -> dict[str, Any]:
    """An Open Inference Protocol request body."""
    return {
        "inputs": [
            {
                "name": name,
                "shape": list(array.shape),
                "datatype": datatype_of(array.dtype),
                "data": json_values(array),
            }
            for name, array in feeds.items()
        ]
    }
