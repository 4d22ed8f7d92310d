"""Inputs, artifacts, autologging and models, as an unmodified mlflow client logs them."""

from __future__ import annotations

import os
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from unique_names import unique


def test_datasets_are_inputs(
    client: MlflowClient, experiment: str, cancer: tuple[pd.DataFrame, np.ndarray]
) -> None:
    table, _ = cancer
    dataset = mlflow.data.from_pandas(table, name="cancer")
    with mlflow.start_run() as run:
        mlflow.log_input(dataset, context="training")
        mlflow.log_input(dataset, context="training")
    inputs = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert [(item.dataset.name, item.dataset.digest) for item in inputs] == [
        ("cancer", dataset.digest)
    ]
    found = client.search_runs(
        [experiment], "dataset.name = 'cancer' AND dataset.context = 'training'"
    )
    assert [item.info.run_id for item in found] == [run.info.run_id]


def test_artifacts_go_and_come_back(client: MlflowClient, experiment: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "empty.txt").write_bytes(b"")
    (folder / "deep" / "er" / "with space & ümlaut.bin").write_bytes(os.urandom(3_000_000))
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(folder), "results")
        mlflow.log_text("hello", "notes/hello.txt")
        mlflow.log_dict({"a": [1, 2]}, "notes/a.json")
    identifier = run.info.run_id
    assert [item.path for item in client.list_artifacts(identifier)] == ["notes", "results"]
    listed = {item.path: item.file_size for item in client.list_artifacts(identifier, "results")}
    assert listed.keys() == {"results/deep", "results/empty.txt"}
    assert listed["results/deep"] is None and not listed["results/empty.txt"]
    back = Path(client.download_artifacts(identifier, "results", str(tmp_path)))
    for path in folder.rglob("*"):
        if path.is_file():
            assert (back / path.relative_to(folder)).read_bytes() == path.read_bytes()
    assert mlflow.artifacts.load_text(f"runs:/{identifier}/notes/hello.txt") == "hello"
    with pytest.raises(Exception, match=r".*"):
        client.download_artifacts(identifier, "results/none.txt", str(tmp_path))


def test_grid_search_autologs(
    client: MlflowClient, experiment: str, cancer: tuple[pd.DataFrame, np.ndarray]
) -> None:
    table, labels = cancer
    mlflow.sklearn.autolog(max_tuning_runs=4)
    search = GridSearchCV(LogisticRegression(solver="liblinear"), {"C": [0.1, 1.0]}, cv=2)
    with mlflow.start_run() as run:
        search.fit(table, labels)
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{run.info.run_id}'")
    assert {child.data.params["C"] for child in children} == {"0.1", "1.0"}
    stored = client.get_run(run.info.run_id)
    assert stored.data.metrics["best_cv_score"] == pytest.approx(search.best_score_)
    models = mlflow.search_logged_models([experiment], output_format="list")
    assert models and all(model.status == "READY" for model in models)


def test_xgboost_autologs(
    client: MlflowClient, experiment: str, cancer: tuple[pd.DataFrame, np.ndarray]
) -> None:
    import xgboost

    table, labels = cancer
    mlflow.xgboost.autolog()
    matrix = xgboost.DMatrix(table, label=labels)
    with mlflow.start_run() as run:
        xgboost.train(
            {"objective": "binary:logistic", "max_depth": 2},
            matrix,
            num_boost_round=5,
            evals=[(matrix, "train")],
            verbose_eval=False,
        )
    assert len(client.get_metric_history(run.info.run_id, "train-logloss")) == 5
    assert client.get_run(run.info.run_id).data.params["max_depth"] == "2"


def test_a_model_is_logged_registered_aliased_and_loaded(
    client: MlflowClient, experiment: str, cancer: tuple[pd.DataFrame, np.ndarray]
) -> None:
    table, labels = cancer
    name = unique("model")
    model = LogisticRegression(solver="liblinear").fit(table, labels)
    with mlflow.start_run() as run:
        mlflow.log_metric("val_auc", 0.9)
        info = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(table, model.predict(table)),
            input_example=table[:3],
            registered_model_name=name,
        )
    versions = client.search_model_versions(f"name = '{name}'")
    assert [(int(version.version), version.status) for version in versions] == [(1, "READY")]
    assert versions[0].run_id == run.info.run_id
    client.set_registered_model_alias(name, "champion", "1")
    assert client.get_model_version_by_alias(name, "champion").run_id == run.info.run_id
    loaded = mlflow.sklearn.load_model(f"models:/{name}@champion")
    assert (loaded.predict(table) == model.predict(table)).all()
    assert (mlflow.pyfunc.load_model(info.model_uri).predict(table) == model.predict(table)).all()
    mlflow.register_model(info.model_uri, name)
    assert int(client.get_registered_model(name).latest_versions[0].version) == 2
    latest = mlflow.sklearn.load_model(f"models:/{name}/latest")
    assert (latest.coef_ == model.coef_).all()


def test_registry_calls(client: MlflowClient) -> None:
    name = unique("registry")
    client.create_registered_model(name, tags={"owner": "ann"}, description="first")
    with pytest.raises(MlflowException) as taken:
        client.create_registered_model(name)
    assert taken.value.error_code == "RESOURCE_ALREADY_EXISTS"
    run = client.create_run("0").info
    for _ in range(2):
        client.create_model_version(name, f"{run.artifact_uri}/model", run.run_id)
    client.update_model_version(name, "2", description="second")
    client.set_model_version_tag(name, "2", "checked", "yes")
    client.set_registered_model_tag(name, "stage", "draft")
    client.set_registered_model_alias(name, "challenger", "2")
    version = client.get_model_version(name, "2")
    assert (version.description, version.tags, version.aliases) == (
        "second",
        {"checked": "yes"},
        ["challenger"],
    )
    assert client.search_model_versions("tags.checked = 'yes'")[0].name == name
    model = client.get_registered_model(name)
    assert model.tags == {"owner": "ann", "stage": "draft"} and model.aliases == {"challenger": "2"}
    client.transition_model_version_stage(name, "1", "Staging")
    assert int(client.get_latest_versions(name, ["Staging"])[0].version) == 1
    client.delete_model_version_tag(name, "2", "checked")
    client.delete_registered_model_tag(name, "stage")
    client.delete_registered_model_alias(name, "challenger")
    with pytest.raises(MlflowException) as missing:
        client.get_model_version_by_alias(name, "challenger")
    assert missing.value.error_code == "INVALID_PARAMETER_VALUE"
    client.delete_model_version(name, "1")
    renamed = name + "-renamed"
    client.rename_registered_model(name, renamed)
    found = client.search_registered_models(f"name = '{renamed}'")
    assert [model.name for model in found] == [renamed]
    assert client.search_registered_models(f"name LIKE '{name}%' AND tags.owner = 'ann'")
    client.delete_registered_model(renamed)
    assert client.search_registered_models(f"name = '{renamed}'") == []


def test_prompts_are_kept_apart_from_models(client: MlflowClient) -> None:
    name = unique("prompt")
    mlflow.genai.register_prompt(name=name, template="Say hello to {{name}}.")
    loaded = mlflow.genai.load_prompt(f"prompts:/{name}/1")
    assert loaded.template == "Say hello to {{name}}."
    assert client.search_registered_models(f"name = '{name}'") == []
