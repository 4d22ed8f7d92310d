"""`aloft runs` and `aloft models` show what an mlflow client logged."""

from __future__ import annotations

import mlflow
from aloft_server import Server
from mlflow import MlflowClient


def test_runs_are_listed_filtered_and_shown(server: Server) -> None:
    client = MlflowClient(server.url)
    experiment = client.create_experiment("flights/train")
    runs = []
    for score in (0.61, 0.72):
        run = client.create_run(experiment, run_name=f"depth-{score}").info.run_id
        client.log_metric(run, "val_auc", score)
        client.log_param(run, "max_depth", "6")
        runs.append(run)
    table = server.run(
        "runs", "--experiment", "flights/train", "--order-by", "metrics.val_auc DESC"
    )
    assert table.index("0.72") < table.index("0.61")
    found = server.json("runs", "--filter", "metrics.val_auc > 0.7")
    assert [run["info"]["runID"] for run in found] == [runs[1]]  # type: ignore[union-attr]
    assert "max_depth" in server.run("runs", "show", runs[0])
    assert "did you mean 'flights/train'" in server.run(
        "runs", "--experiment", "flights/trian", status=1
    )
    assert "Invalid" in server.run("runs", "--filter", "nothing.a = 'b'", status=1)
    assert "not found" in server.run("runs", "show", "none", status=1)


def test_a_run_is_found_by_the_begin_of_its_identifier(server: Server) -> None:
    client = MlflowClient(server.url)
    experiment = client.create_experiment("prefixes")
    runs = [client.create_run(experiment).info.run_id for _ in range(18)]
    assert runs[0] in server.run("runs", "show", runs[0][:12])
    first = next(run[0] for run in runs if sum(other[0] == run[0] for other in runs) > 1)
    told = server.run("runs", "show", first, status=1)
    assert f"several runs begin with {first}" in told and "write more of it" in told
    assert "not found" in server.run("runs", "show", "%", status=1)


def test_numbers_without_bounds_are_printed_as_such(server: Server) -> None:
    client = MlflowClient(server.url)
    run = client.create_run(client.create_experiment("numbers")).info.run_id
    long = "1" + "0" * 399
    client.log_metric(run, "most", float("inf"))
    client.log_metric(run, "least", float("-inf"))
    client.log_metric(run, "none", float("nan"))
    client.log_metric(run, "large", 1e300)
    client.log_param(run, "long", long)
    client.log_param(run, "beyond", "1e400")
    shown = {line.split()[1]: line for line in server.run("runs", "show", run).splitlines()}
    for key, text in [
        ("most", "Infinity"), ("least", "-Infinity"), ("none", "NaN"), ("large", "1e+300"),
        ("long", long), ("beyond", "1e400"),
    ]:  # fmt: skip
        assert text in shown[key].split(), shown[key][:200]
    table = server.run("runs", "--experiment", "numbers", "--metric", "most", "--metric", "large")
    assert " Infinity " in table and " 1e+300 " in table


def test_models_are_listed_and_shown(server: Server) -> None:
    mlflow.set_tracking_uri(server.url)
    client = MlflowClient(server.url)
    client.create_registered_model("flight-delay", description="Late or not")
    for _ in range(2):
        client.create_model_version("flight-delay", "mlflow-artifacts:/0/x")
    client.set_registered_model_alias("flight-delay", "champion", "2")
    assert "champion=2" in server.run("models")
    shown = server.run("models", "show", "flight-delay")
    assert "Late or not" in shown and "champion" in shown
    versions = server.json("models", "show", "flight-delay")["versions"]  # type: ignore[index]
    assert [version["source"] for version in versions] == ["mlflow-artifacts:/0/x"] * 2
    assert "not found" in server.run("models", "show", "none", status=1)
