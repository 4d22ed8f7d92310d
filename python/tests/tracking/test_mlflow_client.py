"""An unmodified mlflow client against a real server: what people's scripts do, call by call.

ALOFT_TEST_TRACKING_URI runs the same tests against another server of the protocol.
"""

from __future__ import annotations

import math
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from aloft_server import Server
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunStatus, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV


@pytest.fixture(scope="module")
def tracking_uri(request: pytest.FixtureRequest) -> str:
    other = os.environ.get("ALOFT_TEST_TRACKING_URI")
    if other:
        return other
    server: Server = request.getfixturevalue("server")
    return server.url


@pytest.fixture
def client(tracking_uri: str) -> Iterator[MlflowClient]:
    mlflow.set_tracking_uri(tracking_uri)
    yield MlflowClient(tracking_uri)
    while mlflow.active_run():
        mlflow.end_run()


def unique(word: str) -> str:
    return f"{word}-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def experiment(client: MlflowClient) -> str:
    name = unique("experiment")
    return str(mlflow.set_experiment(name).experiment_id)


@pytest.fixture(scope="module")
def cancer() -> tuple[pd.DataFrame, np.ndarray]:
    table, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    return table[:200], labels[:200].to_numpy()


# Experiments and runs.


def test_the_default_experiment_is_there(client: MlflowClient) -> None:
    default = client.get_experiment("0")
    assert default.name == "Default" and default.lifecycle_stage == "active"


def test_an_experiment_lives_is_deleted_and_comes_back(client: MlflowClient) -> None:
    name = unique("life")
    identifier = client.create_experiment(name, tags={"team": "delays"})
    with pytest.raises(MlflowException) as taken:
        client.create_experiment(name)
    assert taken.value.error_code == "RESOURCE_ALREADY_EXISTS"
    client.set_experiment_tag(identifier, "stage", "draft")
    client.rename_experiment(identifier, name + "-renamed")
    run = client.create_run(identifier)
    client.delete_experiment(identifier)
    assert client.get_experiment(identifier).lifecycle_stage == "deleted"
    assert client.search_runs([identifier]) == []
    client.restore_experiment(identifier)
    back = client.get_experiment(identifier)
    assert back.name == name + "-renamed" and back.tags == {"team": "delays", "stage": "draft"}
    assert [found.info.run_id for found in client.search_runs([identifier])] == [run.info.run_id]


def test_what_does_not_exist_is_said_so(client: MlflowClient) -> None:
    assert client.get_experiment_by_name(unique("none")) is None
    for call in (
        lambda: client.get_run("0" * 32),
        lambda: client.get_registered_model("none"),
        lambda: client.get_experiment("987654321"),
    ):
        with pytest.raises(MlflowException) as missing:
            call()
        assert missing.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_a_run_keeps_what_the_fluent_calls_log(client: MlflowClient, experiment: str) -> None:
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_param("depth", 3)
        mlflow.log_params({"rate": 0.1, "empty": ""})
        for step in range(5):
            mlflow.log_metric("auc", 0.5 + step / 10, step=step)
        mlflow.log_metrics({"loss": 0.25, "nan": math.nan}, step=4)
        mlflow.set_tags({"kind": "baseline", "mlflow.note.content": "Ünïcode ✈"})
    stored = client.get_run(run.info.run_id)
    assert stored.info.status == "FINISHED" and stored.info.end_time >= stored.info.start_time
    assert stored.info.run_name == "first" and stored.data.tags["mlflow.runName"] == "first"
    assert stored.data.params == {"depth": "3", "rate": "0.1", "empty": ""}
    assert stored.data.metrics["auc"] == 0.9 and stored.data.metrics["loss"] == 0.25
    assert math.isnan(stored.data.metrics["nan"])
    assert stored.data.tags["mlflow.note.content"] == "Ünïcode ✈"
    history = client.get_metric_history(run.info.run_id, "auc")
    assert [(point.step, point.value) for point in history] == [
        (step, 0.5 + step / 10) for step in range(5)
    ]


def test_latest_is_by_step_not_by_arrival(client: MlflowClient, experiment: str) -> None:
    run = client.create_run(experiment).info.run_id
    client.log_metric(run, "m", 1.0, timestamp=100, step=5)
    client.log_metric(run, "m", 2.0, timestamp=200, step=1)
    client.log_metric(run, "m", 3.0, timestamp=50, step=5)
    assert client.get_run(run).data.metrics["m"] == 1.0
    client.log_metric(run, "m", 1.0, timestamp=100, step=5)
    assert len(client.get_metric_history(run, "m")) == 3


def test_a_param_keeps_its_value(client: MlflowClient, experiment: str) -> None:
    run = client.create_run(experiment).info.run_id
    client.log_param(run, "depth", 3)
    client.log_param(run, "depth", 3)
    with pytest.raises(MlflowException) as changed:
        client.log_param(run, "depth", 4)
    assert changed.value.error_code == "INVALID_PARAMETER_VALUE"
    assert client.get_run(run).data.params == {"depth": "3"}


def test_a_batch_is_all_or_nothing(client: MlflowClient, experiment: str) -> None:
    run = client.create_run(experiment).info.run_id
    now = int(time.time() * 1000)
    client.log_batch(
        run,
        metrics=[Metric("loss", 1 / (step + 1), now + step, step) for step in range(900)],
        params=[Param(f"p{number}", str(number)) for number in range(50)],
        tags=[RunTag("source", "batch")],
    )
    stored = client.get_run(run)
    assert len(stored.data.params) == 50 and stored.data.metrics["loss"] == 1 / 900
    assert len(client.get_metric_history(run, "loss")) == 900
    with pytest.raises(MlflowException):
        client.log_batch(run, params=[Param("new", "1"), Param("p1", "other")])
    assert "new" not in client.get_run(run).data.params


def test_a_history_of_many_points_comes_whole(client: MlflowClient, experiment: str) -> None:
    run = client.create_run(experiment).info.run_id
    for batch in range(30):
        client.log_batch(
            run,
            metrics=[
                Metric("loss", float(step), 1000 + step, step)
                for step in range(batch * 1000, batch * 1000 + 1000)
            ],
        )
    history = client.get_metric_history(run, "loss")
    assert [point.step for point in history] == list(range(30_000))


def test_a_run_is_renamed_ended_deleted_and_restored(client: MlflowClient, experiment: str) -> None:
    run = client.create_run(experiment, run_name="old").info.run_id
    client.update_run(run, name="new")
    assert client.get_run(run).data.tags["mlflow.runName"] == "new"
    client.set_tag(run, "gone", "1")
    client.delete_tag(run, "gone")
    assert "gone" not in client.get_run(run).data.tags
    client.set_terminated(run, status="FAILED", end_time=123456)
    ended = client.get_run(run).info
    assert (ended.status, ended.end_time) == ("FAILED", 123456)
    client.delete_run(run)
    assert client.get_run(run).info.lifecycle_stage == "deleted"
    with pytest.raises(MlflowException):
        client.set_tag(run, "late", "1")
    deleted = client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)
    assert [found.info.run_id for found in deleted] == [run]
    client.restore_run(run)
    assert len(client.search_runs([experiment])) == 1


def test_nested_runs_and_status(client: MlflowClient, experiment: str) -> None:
    with mlflow.start_run() as parent, mlflow.start_run(nested=True) as child:
        pass
    assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id
    with pytest.raises(RuntimeError), mlflow.start_run() as failing:
        raise RuntimeError("the script failed")
    assert client.get_run(failing.info.run_id).info.status == RunStatus.to_string(RunStatus.FAILED)


def test_async_logging_arrives(client: MlflowClient, experiment: str) -> None:
    with mlflow.start_run() as run:
        futures = [
            mlflow.log_metric("async", step, step=step, synchronous=False) for step in range(200)
        ]
        for future in futures:
            assert future is not None
            future.wait()
    assert len(client.get_metric_history(run.info.run_id, "async")) == 200


# Search.


@pytest.fixture(scope="module")
def flock(tracking_uri: str) -> tuple[str, dict[str, str]]:
    """Six runs that differ in everything a search can ask for: experiment, name -> run id."""
    client = MlflowClient(tracking_uri)
    experiment = client.create_experiment(unique("flock"))
    ids: dict[str, str] = {}
    for number, name in enumerate(["ada", "bob", "Cleo", "dan", "eve", "fay"]):
        run = client.create_run(
            experiment,
            start_time=1000 + number,
            run_name=name,
            tags={"team": "red" if number % 2 else "blue"},
        ).info.run_id
        ids[name] = run
        if number < 5:
            client.log_metric(run, "auc", number / 10, step=1)
        client.log_metric(run, "val.loss", -number, step=1)
        client.log_param(run, "depth", number)
        if number == 3:
            client.log_param(run, "a b", "with space")
            client.set_tag(run, "dotted.tag.name", "x")
        client.set_terminated(run, "FINISHED" if number < 4 else "FAILED", end_time=5000 + number)
    return experiment, ids


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("metrics.auc > 0.1", "Cleo dan eve"),
        ("metric.auc >= 0.1 and metrics.auc < 0.4", "bob Cleo dan"),
        ("metrics.auc != 0.2", "ada bob dan eve"),
        ("metrics.`val.loss` <= -3e0", "dan eve fay"),
        ("metrics.val.loss = -1", "bob"),
        ("params.depth = '3'", "dan"),
        ("params.depth != '3'", "ada bob Cleo eve fay"),
        ("param.depth LIKE '%'", "ada bob Cleo dan eve fay"),
        ('params."a b" = "with space"', "dan"),
        ("params.`a b` IS NOT NULL", "dan"),
        ("params.`a b` IS NULL", "ada bob Cleo eve fay"),
        ("tags.team = 'red'", "bob dan fay"),
        ("tag.team != 'red' AND tags.team ILIKE 'BL%'", "ada Cleo eve"),
        ("tags.dotted.tag.name = 'x'", "dan"),
        ("attributes.status = 'FAILED'", "eve fay"),
        ("status != 'FAILED'", "ada bob Cleo dan"),
        ("run_name LIKE '_a_'", "dan fay"),
        ("attribute.run_name ILIKE 'C%'", "Cleo"),
        ("attributes.`Run name` = 'ada'", "ada"),
        ("start_time >= 1004", "eve fay"),
        ("attributes.end_time < 5001", "ada"),
        ("", "ada bob Cleo dan eve fay"),
    ],
)
def test_search_with_every_operator(
    client: MlflowClient, flock: tuple[str, dict[str, str]], query: str, expected: str
) -> None:
    experiment, _ = flock
    found = client.search_runs([experiment], query, order_by=["attributes.start_time ASC"])
    assert [run.info.run_name for run in found] == expected.split()


def test_search_by_a_list_of_ids(client: MlflowClient, flock: tuple[str, dict[str, str]]) -> None:
    experiment, ids = flock
    listed = f"('{ids['bob']}', '{ids['eve']}')"
    inside = client.search_runs([experiment], f"run_id IN {listed}", order_by=["start_time"])
    assert [run.info.run_name for run in inside] == ["bob", "eve"]
    outside = client.search_runs([experiment], f"run_id NOT IN {listed}", order_by=["start_time"])
    assert [run.info.run_name for run in outside] == ["ada", "Cleo", "dan", "fay"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["metrics.auc DESC"], "eve dan Cleo bob ada fay"),
        (["metrics.auc ASC"], "ada bob Cleo dan eve fay"),
        (["tags.team", "start_time DESC"], "eve Cleo ada fay dan bob"),
        (["params.depth DESC"], "fay eve dan Cleo bob ada"),
        ([], "fay eve dan Cleo bob ada"),
        (["status DESC", "metrics.`val.loss`"], "dan Cleo bob ada fay eve"),
    ],
)
def test_order(
    client: MlflowClient, flock: tuple[str, dict[str, str]], order: list[str], expected: str
) -> None:
    experiment, _ = flock
    found = client.search_runs([experiment], order_by=order)
    assert [run.info.run_name for run in found] == expected.split()


def test_pages_join_to_the_whole(client: MlflowClient, flock: tuple[str, dict[str, str]]) -> None:
    experiment, _ = flock
    names: list[str] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment], order_by=["metrics.auc DESC"], max_results=2, page_token=token
        )
        names += [run.info.run_name for run in page]
        token = page.token
        if not token:
            break
    assert names == ["eve", "dan", "Cleo", "bob", "ada", "fay"]


@pytest.mark.parametrize(
    "query",
    [
        "metrics.auc > '0.1'",
        "params.depth = 3",
        "params.depth > '3'",
        "nonsense.key = 'x'",
        "lifecycle_stage = 'active'",
        "metrics.auc > 0.1 OR metrics.auc < 0",
        "(metrics.auc > 0.1)",
        "metrics.auc >",
        "metrics.auc == 1",
        "status = 'FINISHED'; status = 'FAILED'",
        "tags.team IN ('red'",
        "'" * 51,
    ],
)
def test_a_query_that_is_wrong_is_refused_at_once(
    client: MlflowClient, flock: tuple[str, dict[str, str]], query: str
) -> None:
    experiment, _ = flock
    began = time.monotonic()
    with pytest.raises(MlflowException) as refused:
        client.search_runs([experiment], query)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert time.monotonic() - began < 30, "the client retried a 5xx"


def test_search_experiments(client: MlflowClient) -> None:
    word = unique("searchable")
    for suffix in ("a", "b", "c"):
        client.create_experiment(f"{word}-{suffix}", tags={"suffix": suffix})
    found = client.search_experiments(filter_string=f"name LIKE '{word}%'", order_by=["name DESC"])
    assert [experiment.name[-1] for experiment in found] == ["c", "b", "a"]
    tagged = client.search_experiments(filter_string=f"tags.suffix = 'b' AND name LIKE '{word}%'")
    assert [experiment.name[-1] for experiment in tagged] == ["b"]


# Inputs, artifacts, autologging.


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


# Models.


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
