"""ONNX files that are served as they are: what the manifest says of them, and what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import onnx
import pandas as pd
import pytest
from aloft_models.convert.__main__ import main
from aloft_models.convert.conversion import convert_folder
from aloft_models.convert.failures import ConversionFailed
from aloft_models.convert.onnx_file import only_file, servable_of_file, weights_beside
from aloft_models.convert.servable import Servable
from aloft_models.convert.session import run
from aloft_models.mlflow_model import open_folder
from mlflow.models import infer_signature
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

REQUIREMENTS = ["onnx", "onnxruntime"]


def graph_of(*nodes: Any, inputs: Any, outputs: Any, weights: Any = ()) -> onnx.ModelProto:
    graph = helper.make_graph(list(nodes), "g", inputs, outputs, list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def value(name: str, kind: int, shape: Any) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def matrix(width: int = 3) -> onnx.ModelProto:
    """Rows times a matrix of weights that MLflow keeps in a file of their own."""
    weights = np.arange(width * 1000, dtype=np.float32).reshape(width, 1000)
    return graph_of(
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        inputs=[value("x", TensorProto.FLOAT, ["rows", width])],
        outputs=[value("y", TensorProto.FLOAT, ["rows", 1000])],
        weights=[numpy_helper.from_array(weights, "w")],
    )


def logged(folder: Path, model: onnx.ModelProto, **options: Any) -> Servable:
    options.setdefault("pip_requirements", REQUIREMENTS)
    mlflow.onnx.save_model(model, str(folder / "model"), **options)
    return convert_folder(open_folder(folder / "model"), None, folder)


def test_a_logged_file_is_one_blob_with_its_weights(tmp_path: Path) -> None:
    made = logged(tmp_path, matrix())
    assert any(one.suffix == ".data" for one in (tmp_path / "model").iterdir())
    manifest = made.manifest
    assert manifest.runtime == "onnx"
    assert [(one.name, one.datatype, one.shape) for one in manifest.inputs] == [
        ("x", "FP32", (-1, 3))
    ]
    assert manifest.predict_all == "rows"
    assert isinstance(made.content, bytes)
    assert run(made.content, {"x": np.ones((1, 3), np.float32)})["y"][0, 0] == 3000
    # The same file gives the same blob.
    assert logged(tmp_path / "again", matrix()).content == made.content


def test_the_signature_names_columns_and_says_how_scoring_answers(tmp_path: Path) -> None:
    table = pd.DataFrame(np.ones((7, 3)), columns=["a", "b", "c"])
    columns = logged(tmp_path / "1", matrix(), signature=infer_signature(table)).manifest
    assert (columns.columns, columns.predict_all) == (["a", "b", "c"], "rows")
    tensors = infer_signature({"x": np.ones((2, 3), np.float32)})
    manifest = logged(tmp_path / "2", matrix(), signature=tensors).manifest
    assert (manifest.columns, manifest.predict_all) == (None, "outputs")


def test_a_logged_example_is_kept(tmp_path: Path) -> None:
    example = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    manifest = logged(tmp_path, matrix(), input_example={"x": example}).manifest
    assert manifest.example is not None
    assert manifest.example["inputs"][0]["data"] == [1, 2, 3, 4, 5, 6]


def test_an_example_that_the_model_does_not_take_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConversionFailed, match="its own input example"):
        logged(tmp_path, matrix(), input_example={"x": np.ones((2, 5), np.float32)})


def test_scalars_texts_and_open_dimensions_are_as_the_file_has_them(tmp_path: Path) -> None:
    model = graph_of(
        helper.make_node("Mul", ["x", "by"], ["y"]),
        helper.make_node("Identity", ["words"], ["same"]),
        inputs=[
            value("x", TensorProto.DOUBLE, ["n", None, "w"]),
            value("by", TensorProto.DOUBLE, []),
            value("words", TensorProto.STRING, ["n"]),
        ],
        outputs=[
            value("y", TensorProto.DOUBLE, ["n", None, "w"]),
            value("same", TensorProto.STRING, ["n"]),
        ],
    )
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    manifest, content = servable_of_file(path)
    assert content == path.read_bytes()
    assert [one.shape for one in manifest.inputs] == [(-1, -1, -1), (), (-1,)]
    assert [one.datatype for one in manifest.outputs] == ["FP64", "BYTES"]
    assert manifest.example is not None
    assert [one["shape"] for one in manifest.example["inputs"]] == [[1, 1, 1], [], [1]]


def test_maps_are_served_by_python_and_the_reason_says_why(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    fitted = LogisticRegression().fit(rows, (rows[:, 0] > 0).astype(int))
    made = logged(
        tmp_path,
        to_onnx(fitted, rows[:1], target_opset=17),
        input_example=rows[:2],
        pip_requirements=REQUIREMENTS,
    )
    assert made.manifest.runtime == "python"
    assert "seq(map(int64,tensor(float)))" in str(made.manifest.reason)


def test_a_plain_file_is_converted_from_a_folder_and_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    onnx.save_model(
        matrix(), str(folder / "net.onnx"), save_as_external_data=True, location="net.weights",
        size_threshold=0,
    )  # fmt: skip
    assert only_file(folder) == folder / "net.onnx"
    assert weights_beside(folder / "net.onnx") == ["net.weights"]
    for given in (folder, folder / "net.onnx"):
        target = tmp_path / "made"
        assert main(["--model-uri", str(given), "--output", str(target)]) == 0
        answer = run((target / "model.onnx").read_bytes(), {"x": np.ones((1, 3), np.float32)})
        assert answer["y"][0, 0] == 3000
    (folder / "net.weights").unlink()
    with pytest.raises(ConversionFailed, match=r"weights of net\.onnx"):
        servable_of_file(folder / "net.onnx")


def test_what_is_no_onnx_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    assert main(["--model-uri", str(tmp_path), "--output", str(tmp_path / "made")]) == 1
    assert "model.onnx" in capsys.readouterr().err
    (tmp_path / "other.onnx").write_bytes(b"")
    assert main(["--model-uri", str(tmp_path), "--output", str(tmp_path / "made")]) == 1
    assert "MLmodel" in capsys.readouterr().err
