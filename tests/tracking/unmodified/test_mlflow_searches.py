"""Searches of an unmodified mlflow client."""

from __future__ import annotations

import time

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from unique_names import unique


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
