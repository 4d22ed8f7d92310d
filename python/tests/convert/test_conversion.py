"""Real models, logged by MLflow, converted and compared."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
import zoo
from aloft_models.convert.__main__ import main
from aloft_models.convert.conversion import convert_folder
from aloft_models.convert.servable import Servable
from aloft_models.convert.session import run
from aloft_models.mlflow_model import open_folder
from aloft_models.scoring import load_scorer
from aloft_models.tensors import numpy_dtype
from mlflow.models import infer_signature
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder


def log_model(
    folder: Path,
    model: Any,
    rows: Any,
    flavor: str,
    example: bool = True,
    signature: bool = True,
    **more: Any,
) -> Path:
    """Writes an MLflow model as `log_model` would."""
    if flavor == "sklearn":
        more.setdefault("serialization_format", "cloudpickle")
    if example:
        more["input_example"] = rows[:5]
    getattr(mlflow, flavor).save_model(
        model,
        str(folder),
        signature=infer_signature(rows) if signature else None,
        pip_requirements=["mlflow-skinny"],
        **more,
    )
    return folder


def convert(folder: Path, scratch: Path, limit: float | None = None) -> Servable:
    return convert_folder(open_folder(folder), limit, scratch)


def answers(servable: Servable) -> dict[str, Any]:
    """What ONNX Runtime answers to the manifest's own example, sent as a client would."""
    assert isinstance(servable.content, bytes)
    assert servable.manifest.example is not None
    feeds = {
        entry["name"]: np.array(
            [np.nan if value is None else value for value in entry["data"]],
            dtype=numpy_dtype(entry["datatype"]),
        ).reshape(entry["shape"])
        for entry in servable.manifest.example["inputs"]
    }
    return run(servable.content, feeds)


@pytest.mark.parametrize("name", zoo.CONVERTIBLE)
def test_a_model_becomes_onnx_that_answers_alike(name: str, tmp_path: Path) -> None:
    kind = zoo.CONVERTIBLE[name]
    model, rows = kind.train()
    servable = convert(log_model(tmp_path / "model", model, rows, kind.flavor), tmp_path)
    manifest = servable.manifest
    assert manifest.runtime == "onnx", manifest.reason
    assert manifest.parity is not None
    assert manifest.parity < 2e-5
    assert manifest.parity_rows is not None
    assert manifest.parity_rows >= 2000
    assert manifest.compared is not None
    assert manifest.compared.covered
    assert len(manifest.inputs) == kind.inputs
    found = answers(servable)
    assert list(found) == [output.name for output in manifest.outputs]
    assert manifest.predict_output in found
    for output in manifest.outputs:
        assert found[output.name].ndim == len(output.shape)
        assert len(found[output.name]) == 5
        assert all(
            declared in (-1, size)
            for declared, size in zip(output.shape, found[output.name].shape, strict=True)
        )


def test_columns_keep_their_names_and_order(tmp_path: Path) -> None:
    model, rows = zoo.CONVERTIBLE["HistGradientBoosting category columns"].train()
    manifest = convert(log_model(tmp_path / "model", model, rows, "sklearn"), tmp_path).manifest
    assert [tensor.as_json() for tensor in manifest.inputs] == [
        {"name": "delay", "datatype": "FP64", "shape": [-1, 1]},
        {"name": "distance", "datatype": "INT64", "shape": [-1, 1]},
        {"name": "ratio", "datatype": "FP64", "shape": [-1, 1]},
        {"name": "carrier", "datatype": "BYTES", "shape": [-1, 1]},
        {"name": "dest (code)", "datatype": "BYTES", "shape": [-1, 1]},
        {"name": "weekend", "datatype": "BOOL", "shape": [-1, 1]},
    ]
    assert manifest.columns == list(rows.columns)


def test_numbers_are_one_input_and_know_their_columns(tmp_path: Path) -> None:
    model, rows = zoo.CONVERTIBLE["HistGradientBoosting"].train()
    manifest = convert(log_model(tmp_path / "model", model, rows, "sklearn"), tmp_path).manifest
    assert manifest.inputs[0].as_json() == {"name": "input", "datatype": "FP64", "shape": [-1, 30]}
    assert manifest.columns == list(rows.columns)
    assert [tensor.as_json() for tensor in manifest.outputs] == [
        {"name": "label", "datatype": "INT64", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]},
    ]
    assert manifest.predict_output == "label"


@pytest.mark.parametrize("encoder", ["onnx", "python"])
def test_clients_send_what_the_signature_says_however_it_is_run(
    encoder: str, tmp_path: Path
) -> None:
    rows = pd.DataFrame(
        {"city": list("abcabcabcd") * 8, "income": np.linspace(1, 80, 80), "age": range(80)}
    )
    final = LogisticRegression(max_iter=1000) if encoder == "onnx" else KNeighborsClassifier()
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough"), final
    ).fit(rows, rows.income > 40)
    servable = convert(log_model(tmp_path / "m", model, rows, "sklearn"), tmp_path)
    manifest = servable.manifest
    assert manifest.runtime == encoder
    told = [
        (one.name, one.datatype, one.shape) for one in manifest.public_inputs or manifest.inputs
    ]
    assert told == [
        ("city", "BYTES", (-1, 1)),
        ("income", "FP64", (-1, 1)),
        ("age", "INT64", (-1, 1)),
    ]
    if encoder == "onnx":
        assert {one.datatype for one in manifest.inputs} == {"BYTES", "FP64", "INT64"}
        assert [one["name"] for one in manifest.as_json()["public_inputs"]] == [
            "city",
            "income",
            "age",
        ]


def test_a_table_of_numbers_is_told_by_its_columns(tmp_path: Path) -> None:
    rows = pd.DataFrame({"a": np.linspace(0, 1, 60), "b": np.arange(60)})
    model = LogisticRegression().fit(rows, rows.a > 0.5)
    manifest = convert(log_model(tmp_path / "m", model, rows, "sklearn"), tmp_path).manifest
    assert [(one.name, one.shape) for one in manifest.inputs] == [("input", (-1, 2))]
    assert manifest.public_inputs is not None
    assert [(one.name, one.datatype) for one in manifest.public_inputs] == [
        ("a", "FP64"),
        ("b", "INT64"),
    ]


def test_a_category_never_seen_goes_where_the_original_sends_it(tmp_path: Path) -> None:
    model, rows = zoo.CONVERTIBLE["HistGradientBoosting category columns"].train()
    servable = convert(log_model(tmp_path / "model", model, rows, "sklearn"), tmp_path)
    table = rows.head(20).assign(carrier="ZZ")
    feeds = {
        tensor.name: table[tensor.name].to_numpy(dtype=numpy_dtype(tensor.datatype)).reshape(-1, 1)
        for tensor in servable.manifest.inputs
    }
    assert isinstance(servable.content, bytes)
    found = run(servable.content, feeds)["probabilities"]
    assert np.abs(found - model.predict_proba(table)).max() < 1e-6


def test_every_training_row_agrees_to_the_last_threshold(tmp_path: Path) -> None:
    """Values that stand exactly on a threshold are the ones that rounding could send astray."""
    model, rows = zoo.CONVERTIBLE["HistGradientBoosting"].train()
    servable = convert(log_model(tmp_path / "model", model, rows, "sklearn"), tmp_path)
    assert isinstance(servable.content, bytes)
    found = run(servable.content, {"input": rows.to_numpy()})["probabilities"]
    assert np.abs(found - model.predict_proba(rows)).max() < 1e-6


@pytest.mark.parametrize("name", ["HistGradientBoosting", "XGBClassifier", "RandomForest"])
def test_the_same_model_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    kind = zoo.CONVERTIBLE[name]
    folder = log_model(tmp_path / "model", *kind.train(), kind.flavor)
    assert convert(folder, tmp_path).content == convert(folder, tmp_path).content


def test_without_an_example_rows_are_drawn_from_the_signature(tmp_path: Path) -> None:
    model, rows = zoo.CONVERTIBLE["LogisticRegression, one-hot, scaler"].train()
    folder = log_model(tmp_path / "model", model, rows, "sklearn", example=False)
    manifest = convert(folder, tmp_path).manifest
    assert manifest.runtime == "onnx"
    assert manifest.parity_rows is not None
    assert manifest.example is not None


@pytest.mark.parametrize(
    "name", ["RandomForest", "RandomForest on arrays", "HistGradientBoosting category columns"]
)
def test_without_signature_and_example_the_model_itself_is_asked(name: str, tmp_path: Path) -> None:
    kind = zoo.CONVERTIBLE[name]
    model, rows = kind.train()
    folder = log_model(tmp_path / "model", model, rows, kind.flavor, example=False, signature=False)
    manifest = convert(folder, tmp_path).manifest
    assert manifest.runtime == "onnx", manifest.reason
    assert len(manifest.inputs) == kind.inputs
    assert manifest.example is not None


def test_a_text_model_logged_with_a_list_takes_text(tmp_path: Path) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts = ["good film", "bad film", "good play", "awful play", "good Buch"]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 0, 1, 0, 1])
    manifest = convert(log_model(tmp_path / "model", model, texts, "sklearn"), tmp_path).manifest
    assert manifest.runtime == "onnx", manifest.reason
    assert manifest.inputs[0].as_json() == {"name": "input", "datatype": "BYTES", "shape": [-1, 1]}


@pytest.mark.parametrize("flavor", ["xgboost", "lightgbm"])
def test_boosters_with_category_columns_are_served_by_python_and_right(
    flavor: str, tmp_path: Path
) -> None:
    """MLflow's own scoring loses that a column is a category; single rows must still be right."""
    rows, target = zoo.categories(), zoo.departures()[1]
    model = zoo.XGB(enable_categorical=True) if flavor == "xgboost" else zoo.LGBM()
    model.fit(rows, target)
    folder = log_model(tmp_path / "model", model, rows, flavor)
    manifest = convert(folder, tmp_path).manifest
    assert manifest.runtime == "python"
    assert manifest.reason is not None
    assert manifest.reason.endswith(("a booster with text columns", "is not proved"))
    score = load_scorer(open_folder(folder))
    plain = zoo.departures()[0]
    found = [int(score(plain.iloc[[row]], {})[0]) for row in range(60)]
    assert found == model.predict(rows.head(60)).tolist()


def test_predict_proba_is_what_scoring_answers_where_it_was_logged_so(tmp_path: Path) -> None:
    model, rows = zoo.CONVERTIBLE["RandomForest"].train()
    folder = log_model(
        tmp_path / "model", model, rows, "sklearn", pyfunc_predict_fn="predict_proba"
    )
    assert convert(folder, tmp_path).manifest.predict_output == "probabilities"


def test_a_conversion_that_differs_too_much_is_refused(tmp_path: Path) -> None:
    model, rows = zoo.CONVERTIBLE["GradientBoosting"].train()
    folder = log_model(tmp_path / "model", model, rows, "sklearn")
    manifest = convert(folder, tmp_path, limit=1e-14).manifest
    assert manifest.runtime == "python"
    assert manifest.parity is None
    assert manifest.reason is not None
    assert "differs from the original on the row {mean radius: " in manifest.reason
    assert "probabilities [" in manifest.reason


def test_a_flavor_without_a_conversion_is_served_by_python_with_its_name(tmp_path: Path) -> None:
    """As CatBoost's own, which nothing here converts."""
    model, rows = zoo.CONVERTIBLE["RandomForest"].train()
    log_model(tmp_path / "model", model, rows, "sklearn")
    said = tmp_path / "model/MLmodel"
    known = yaml.safe_load(said.read_text())
    known["flavors"]["catboost"] = known["flavors"].pop("sklearn")
    said.write_text(yaml.safe_dump(known))
    manifest = convert(tmp_path / "model", tmp_path).manifest
    assert manifest.runtime == "python"
    assert manifest.reason == "the model is catboost, for which there is no conversion to ONNX"


def test_what_onnx_cannot_express_is_served_by_python(tmp_path: Path) -> None:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    rows, target = zoo.cancer()
    model = make_pipeline(FunctionTransformer(np.log1p), Ridge()).fit(rows, target)
    servable = convert(log_model(tmp_path / "model", model, rows, "sklearn"), tmp_path)
    manifest = servable.manifest
    assert manifest.runtime == "python"
    assert manifest.reason is not None
    assert "FunctionTransformer with func=log1p is not proved" in manifest.reason
    assert manifest.outputs[0].as_json() == {
        "name": "prediction", "datatype": "FP64", "shape": [-1]
    }  # fmt: skip
    assert manifest.example is not None
    assert isinstance(servable.content, Path)
    with tarfile.open(servable.content) as tar:
        assert "MLmodel" in tar.getnames()
        assert {entry.mtime for entry in tar} == {0}


CUSTOM = """
import mlflow


class Custom(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["x"].to_numpy() + 1


mlflow.models.set_model(Custom())
"""


def log_custom(folder: Path, source: str = CUSTOM) -> Path:
    import pandas as pd

    code = folder / "custom.py"
    code.write_text(source)
    example = pd.DataFrame({"x": [1.0, 2.0]})
    mlflow.pyfunc.save_model(
        str(folder / "model"),
        python_model=str(code),
        signature=infer_signature(example),
        input_example=example,
        pip_requirements=["mlflow-skinny"],
    )
    return folder / "model"


def test_the_command_writes_manifest_and_archive_of_a_custom_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = log_custom(tmp_path)
    assert main(["--model-uri", str(folder), "--output", str(tmp_path / "out")]) == 0
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["runtime"] == "python"
    assert manifest["reason"].startswith("the model is a Python function")
    assert manifest["inputs"] == [{"name": "x", "datatype": "FP64", "shape": [-1, 1]}]
    assert manifest["predict_output"] == "prediction"
    assert (tmp_path / "out/model.tar").exists()
    assert "python" in capsys.readouterr().err


def test_a_model_that_cannot_be_loaded_fails_with_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = log_custom(tmp_path)
    (folder / "custom.py").write_text("import not_installed_here\n")
    assert main(["--model-uri", str(folder), "--output", str(tmp_path / "out")]) == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("conversion failed: the model cannot be loaded: ")
    assert "not_installed_here" in last


def test_a_folder_without_a_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--model-uri", str(tmp_path), "--output", str(tmp_path / "out")]) == 1
    assert "holds no MLmodel file" in capsys.readouterr().err
