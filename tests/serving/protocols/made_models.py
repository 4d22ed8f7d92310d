"""Small ONNX models that a test makes for itself."""

from __future__ import annotations

from pathlib import Path

from onnx import ModelProto, TensorProto, helper


def save(graph: object, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model_of(graph).SerializeToString())
    return path


def model_of(graph: object) -> ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def scaled() -> object:
    """A matrix times a scalar, and the sum of it, a scalar."""
    return helper.make_graph(
        [
            helper.make_node("Mul", ["x", "by"], ["scaled"]),
            helper.make_node("ReduceSum", ["scaled"], ["sum"], keepdims=0),
        ],
        "scaled",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 2]),
            helper.make_tensor_value_info("by", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("scaled", TensorProto.FLOAT, ["rows", 2]),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, []),
        ],
    )


def cube() -> object:
    """Four open dimensions but one, and a text beside it; each comes back as it went in."""
    return helper.make_graph(
        [
            helper.make_node("Identity", ["x"], ["cube"]),
            helper.make_node("Identity", ["words"], ["texts"]),
        ],
        "cube",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "h", "w", 1]),
            helper.make_tensor_value_info("words", TensorProto.STRING, ["n", "m"]),
        ],
        [
            helper.make_tensor_value_info("cube", TensorProto.FLOAT, ["n", "h", "w", 1]),
            helper.make_tensor_value_info("texts", TensorProto.STRING, ["n", "m"]),
        ],
    )


def columns() -> object:
    """A column of whole numbers and one of real ones, added; and one of texts as it is."""
    return helper.make_graph(
        [
            helper.make_node("Cast", ["age"], ["years"], to=TensorProto.DOUBLE),
            helper.make_node("Add", ["years", "income"], ["total"]),
            helper.make_node("Identity", ["city"], ["town"]),
        ],
        "columns",
        [
            helper.make_tensor_value_info("age", TensorProto.INT32, ["n", 1]),
            helper.make_tensor_value_info("income", TensorProto.DOUBLE, ["n", 1]),
            helper.make_tensor_value_info("city", TensorProto.STRING, ["n", 1]),
        ],
        [
            helper.make_tensor_value_info("total", TensorProto.DOUBLE, ["n", 1]),
            helper.make_tensor_value_info("town", TensorProto.STRING, ["n", 1]),
        ],
    )


def any_shape() -> object:
    """One input that says no shape at all."""
    return helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "any",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )


def words() -> object:
    """One text in, the same out."""
    return helper.make_graph(
        [helper.make_node("Identity", ["text"], ["same"])],
        "words",
        [helper.make_tensor_value_info("text", TensorProto.STRING, ["n"])],
        [helper.make_tensor_value_info("same", TensorProto.STRING, ["n"])],
    )


ALL = {
    "scaled": scaled,
    "cube": cube,
    "columns": columns,
    "any-shape": any_shape,
    "words": words,
}
