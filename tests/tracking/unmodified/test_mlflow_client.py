"""Experiments and runs, as an unmodified mlflow client sees them."""

from __future__ import annotations

import math
import time

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunStatus, RunTag, ViewType
from mlflow.exceptions import MlflowException
from unique_names import unique


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
