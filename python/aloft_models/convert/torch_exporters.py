"""PyTorch's exporters to ONNX: the one that traces, and since 2.5 the one on `torch.export`.

The newer one is tried first where its package `onnxscript` is installed: it notices where a module
decides by its numbers, which a trace would make a constant. What either makes is compared.
"""

from __future__ import annotations

import importlib.util
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aloft_models.convert import graph
from aloft_models.convert.failures import NotConvertible
from aloft_models.convert.torch_calls import Call
from aloft_models.tensors import Array, datatype_of

# Known to every PyTorch since 1.13; the newer exporter chooses its own.
TRACED_OPSET = 17


@dataclass(frozen=True)
class Exporter:
    """`options` are further arguments of `torch.onnx.export`."""

    name: str
    options: dict[str, Any]

    def __str__(self) -> str:
        return self.name

    def export(self, call: Call, feeds: dict[str, Array], scratch: Path) -> Any:
        """The raw graph of `call`, made with a few rows; throws whatever torch throws."""
        import onnx
        import torch

        target = scratch / "exported.onnx"
        tensors = call.tensors(feeds)
        names = list(call.named(*tensors))
        if len(set(names) | set(call.inputs)) < len(names) + len(call.inputs):
            raise NotConvertible("an output of the model has the name of an input")
        dynamo = self.options.get("dynamo", False)
        sizes = _dynamic_shapes(call) if dynamo else _dynamic_axes(call, names)
        with torch.no_grad():
            torch.onnx.export(
                call.flat(),
                tensors,
                str(target),
                input_names=list(call.inputs),
                output_names=names,
                **sizes,
                **self.options,
            )
        return onnx.load(str(target))


def available() -> list[Exporter]:
    """Those of the installed torch, best first."""
    import torch

    if "dynamo" not in inspect.signature(torch.onnx.export).parameters:
        return [Exporter("tracing exporter", {"opset_version": TRACED_OPSET})]
    traced = Exporter("tracing exporter", {"opset_version": TRACED_OPSET, "dynamo": False})
    if importlib.util.find_spec("onnxscript") is None:
        return [traced]
    return [Exporter("exporter on torch.export", {"dynamo": True, "verbose": False}), traced]


def advice() -> str:
    """What might help where nothing was exported: more than one exporter, if there is one."""
    import torch

    if len(available()) > 1 or "dynamo" not in inspect.signature(torch.onnx.export).parameters:
        return ""
    return "; PyTorch's newer exporter was not tried, since the package onnxscript is missing"


def _dynamic_axes(call: Call, outputs: list[str]) -> dict[str, Any]:
    return {"dynamic_axes": {name: {0: "rows"} for name in [*call.inputs, *outputs]}}


def _dynamic_shapes(call: Call) -> dict[str, Any]:
    """As `_dynamic_axes`, in the words of `torch.export`: by the parameter of `Call.flat`."""
    from torch.export import Dim

    rows = Dim("rows")
    return {"dynamic_shapes": {"tensors": tuple({0: rows} for _ in call.inputs)}}


def finish(made: Any, feeds: dict[str, Array]) -> None:
    """Puts back inputs that the module does not look at, in their order, and takes away where on
    the machine the module's source was."""
    from onnx import helper

    found = {value.name: value for value in made.graph.input}
    del made.graph.input[:]
    for name, array in feeds.items():
        missing = helper.make_tensor_value_info(
            name, graph.element_type(datatype_of(array.dtype)), ["rows", *array.shape[1:]]
        )
        made.graph.input.append(found.get(name, missing))
    for part in [made, made.graph, *made.graph.node, *made.graph.value_info, *made.functions]:
        _forget_places(part)
    for value in [*made.graph.input, *made.graph.output, *made.graph.initializer]:
        _forget_places(value)


def _forget_places(part: Any) -> None:
    if hasattr(part, "metadata_props"):
        del part.metadata_props[:]
    for node in getattr(part, "node", []) if not hasattr(part, "initializer") else []:
        _forget_places(node)
