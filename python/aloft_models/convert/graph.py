"""The last touches on an ONNX graph: names and shapes of what goes in and out, stable bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onnx import ModelProto, TensorProto, helper

from aloft_models.manifest import Tensor

_ELEMENT_TYPES = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}
_DATATYPES = {element: name for name, element in _ELEMENT_TYPES.items()}


@dataclass(frozen=True)
class Output:
    """An output of the raw graph, the name to give it, and how many dimensions it shall have:
    2 keeps [-1, n], 1 makes [-1] of [-1, 1]. `column` picks one column instead."""

    source: str
    name: str
    dimensions: int
    width: int | None = None
    column: int | None = None
    # Labels that are true or false, which converters write as 1 and 0.
    is_boolean: bool = False


def element_type(datatype: str) -> int:
    """ONNX's number of a protocol datatype; throws KeyError where it has none."""
    return int(_ELEMENT_TYPES[datatype])


def datatype(value_info: Any) -> str:
    return _DATATYPES[value_info.type.tensor_type.elem_type]


def finish(model: ModelProto, outputs: Sequence[Output]) -> ModelProto:
    """Keeps the named outputs only, under their new names."""
    graph = model.graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in graph.output}
    taken = _names(graph)
    doubles = any(value.type.tensor_type.elem_type == TensorProto.DOUBLE for value in graph.input)
    del graph.output[:]
    for output in outputs:
        kind = kinds[output.source]
        source = output.source
        if output.column is not None:
            index = _constant(graph, taken, f"{output.name}_column", [output.column])
            picked = _fresh(taken, f"{output.name}_picked")
            graph.node.append(helper.make_node("Gather", [source, index], [picked], axis=1))
            source = picked
        if output.is_boolean and kind == TensorProto.INT64:
            kind = TensorProto.BOOL
            truth = _fresh(taken, f"{output.name}_truth")
            graph.node.append(helper.make_node("Cast", [source], [truth], to=kind))
            source = truth
        if doubles and kind in (TensorProto.DOUBLE, TensorProto.FLOAT):
            # Some converters say one and give the other.
            double = _fresh(taken, f"{output.name}_double")
            graph.node.append(helper.make_node("Cast", [source], [double], to=kind))
            source = double
        target = _fresh(taken, output.name)
        if output.dimensions == 1:
            flat = _constant(graph, taken, f"{output.name}_flat", [-1])
            graph.node.append(helper.make_node("Reshape", [source, flat], [target]))
            shape: list[str | int] = ["rows"]
        else:
            graph.node.append(helper.make_node("Identity", [source], [target]))
            shape = ["rows", output.width if output.width is not None else "columns"]
        graph.output.append(helper.make_tensor_value_info(target, kind, shape))
    _rename_outputs(graph, outputs)
    return model


def _rename_outputs(graph: Any, outputs: Sequence[Output]) -> None:
    """Gives the last nodes' results the names that clients see, moving away what has them."""
    wanted = {made.name: output.name for made, output in zip(graph.output, outputs, strict=True)}
    clashes = {name for made, name in wanted.items() if made != name}
    taken = _names(graph)
    renamed = {name: _fresh(taken, f"{name}_inner") for name in clashes}
    if clashes & {value.name for value in graph.input}:
        # An input has the name of an output: ONNX forbids it, so the output keeps its fresh name.
        for name in clashes & {value.name for value in graph.input}:
            renamed.pop(name)
            wanted = {made: new for made, new in wanted.items() if new != name}
    mapping = renamed | wanted
    for node in graph.node:
        for names in (node.input, node.output):
            for position, name in enumerate(names):
                if name in mapping:
                    names[position] = mapping[name]
    for value in [*graph.output, *graph.initializer, *graph.value_info]:
        value.name = mapping.get(value.name, value.name)


def _names(graph: Any) -> set[str]:
    names = {value.name for value in [*graph.input, *graph.output, *graph.initializer]}
    for node in graph.node:
        names.update(node.input)
        names.update(node.output)
    return names


def _fresh(taken: set[str], name: str) -> str:
    candidate, number = name, 1
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    taken.add(candidate)
    return candidate


def _constant(graph: Any, taken: set[str], name: str, values: list[int]) -> str:
    unique = _fresh(taken, name)
    graph.initializer.append(helper.make_tensor(unique, TensorProto.INT64, [len(values)], values))
    return unique


def name_inputs(model: ModelProto, names: Sequence[str]) -> None:
    """Gives the inputs, in order, the names that clients know: the converters change those that
    are no identifiers."""
    graph = model.graph
    if len(graph.input) != len(names):
        raise ValueError(f"the graph has {len(graph.input)} inputs for {len(names)} columns")
    taken = _names(graph)
    given = {value.name: name for value, name in zip(graph.input, names, strict=True)}
    inner = {
        name: _fresh(taken, f"{name}_inner")
        for made, name in given.items()
        if name != made and name in taken
    }
    mapping = inner | {made: name for made, name in given.items() if made != name}
    for node in graph.node:
        for position, name in enumerate(node.input):
            node.input[position] = mapping.get(name, name)
        for position, name in enumerate(node.output):
            node.output[position] = inner.get(name, name)
    for value, name in zip(graph.input, names, strict=True):
        value.name = name
    for value in [*graph.output, *graph.initializer]:
        value.name = inner.get(value.name, value.name)


def plain_lowercase(model: ModelProto) -> None:
    """Text is put into lower case in a locale that every machine has."""
    for node in model.graph.node:
        if node.op_type == "StringNormalizer":
            kept = [attribute for attribute in node.attribute if attribute.name != "locale"]
            del node.attribute[:]
            node.attribute.extend([*kept, helper.make_attribute("locale", "C.UTF-8")])


def gather_inputs(model: ModelProto, name: str, element: str) -> None:
    """Replaces the inputs, each a column, by one input [-1, columns] that is split among them."""
    graph = model.graph
    columns = [value.name for value in graph.input]
    taken = _names(graph)
    kind = _ELEMENT_TYPES[element]
    head = []
    parts = []
    for value in graph.input:
        wanted = value.type.tensor_type.elem_type
        part = value.name
        if wanted != kind:
            part = _fresh(taken, f"{value.name}_raw")
            head.append(helper.make_node("Cast", [part], [value.name], to=wanted))
        parts.append(part)
    whole = _fresh(taken, name)
    sizes = _constant(graph, taken, f"{name}_sizes", [1] * len(columns))
    head.insert(0, helper.make_node("Split", [whole, sizes], parts, axis=1))
    _prepend(graph, head)
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info(whole, kind, ["rows", len(columns)]))


def cast_inputs(model: ModelProto, elements: dict[str, str]) -> None:
    """Lets inputs have other element types than the graph wants; they are cast at the door."""
    graph = model.graph
    taken = _names(graph)
    head = []
    for value in graph.input:
        element = elements.get(value.name)
        wanted = value.type.tensor_type.elem_type
        if element is None or _ELEMENT_TYPES[element] == wanted:
            continue
        inner = _fresh(taken, f"{value.name}_cast")
        for node in graph.node:
            for position, name in enumerate(node.input):
                if name == value.name:
                    node.input[position] = inner
        head.append(helper.make_node("Cast", [value.name], [inner], to=wanted))
        value.type.tensor_type.elem_type = _ELEMENT_TYPES[element]
    _prepend(graph, head)


def _prepend(graph: Any, head: list[Any]) -> None:
    body = list(graph.node)
    del graph.node[:]
    graph.node.extend([*head, *body])


def tensors_of(values: Any) -> list[Tensor]:
    """The protocol's description of graph inputs or outputs."""
    return [
        Tensor(
            value.name,
            datatype(value),
            tuple(
                -1
                if position == 0 or not size.HasField("dim_value") or size.dim_value < 0
                else int(size.dim_value)
                for position, size in enumerate(value.type.tensor_type.shape.dim)
            ),
        )
        for value in values
    ]


def stable_bytes(model: ModelProto) -> bytes:
    """The file's bytes; the same model gives the same bytes on every machine."""
    model.graph.name = "model"
    model.producer_name = "aloft"
    model.producer_version = ""
    model.doc_string = ""
    model.graph.doc_string = ""
    for position, node in enumerate(model.graph.node):
        node.doc_string = ""
        node.name = f"{node.op_type}_{position}"
    return bytes(model.SerializeToString(deterministic=True))
