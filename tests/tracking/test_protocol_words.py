"""What MLflow's own clients and tests read: words of refusals, spellings, small shapes."""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from protocol_caller import Caller

V2 = "/api/2.0/mlflow/"
AJAX = "/ajax-api/2.0/mlflow/"


def test_an_invalid_path_is_named_alone(caller: Caller, run: Any) -> None:
    for path, query in (
        (V2 + "artifacts/list", {"run_id": run.run_id}),
        ("/get-artifact", {"run_id": run.run_id}),
        ("/model-versions/get-artifact", {"name": "none", "version": 1}),
    ):
        status, answer = caller.ask("GET", path, path="../out", **query)
        assert (status, answer["message"]) == (400, "Invalid path")


def test_requests_for_many_metrics_say_what_is_missing(caller: Caller) -> None:
    bulk = AJAX + "metrics/get-history-bulk"
    caller.refused("GetMetricHistoryBulk request must specify at least one", "GET", bulk, x=1)
    caller.refused(
        "GetMetricHistoryBulk request must specify a metric_key", "GET", bulk, run_id="a"
    )
    many = [f"id{number}" for number in range(101)]
    words = "GetMetricHistoryBulk request cannot specify more than 100"
    caller.refused(words, "GET", bulk, run_id=many, metric_key="k")
    assert caller.ask("GET", bulk, run_id="none", metric_key="k") == (200, {"metrics": []})
    assert caller.ask("GET", bulk, run_id="none", metric_key="k", max_results=-1)[0] == 200

    stretch = AJAX + "metrics/get-history-bulk-interval"
    one = {"run_ids": "a", "metric_key": "k"}
    caller.refused(
        "Missing value for required parameter 'run_ids'.", "GET", stretch, metric_key="k"
    )
    words = "GetMetricHistoryBulkInterval request must specify at most 100 run_ids."
    caller.refused(words, "GET", stretch, run_ids=many, metric_key="k")
    caller.refused("must be between 1 and 2500", "GET", stretch, **one, max_results=0)
    words = "end_step must be greater than start_step. "
    caller.refused(words, "GET", stretch, **one, start_step=1, end_step=0)
    caller.refused("both must be specified.", "GET", stretch, **one, start_step=1)


def test_searches_of_datasets_say_what_is_missing(caller: Caller) -> None:
    path = AJAX + "experiments/search-datasets"
    caller.refused(
        "SearchDatasets request must specify at least one experiment_id.", "POST", path, {}
    )
    many = {"experiment_ids": ["1"] * 21}
    caller.refused("SearchDatasets request cannot specify more than 20", "POST", path, many)
    words = "Invalid experiment ID 'x'. Experiment ID must be a valid integer."
    caller.refused(words, "POST", path, {"experiment_ids": ["x"]})
    caller.refused(words, "POST", V2 + "runs/search", {"experiment_ids": ["x"]})
    caller.refused(words, "GET", V2 + "experiments/get", experiment_id="x")


def test_what_can_be_no_run_is_not_found(caller: Caller) -> None:
    for name in ("é", "a b", "-1", "x" * 300):
        status, answer = caller.ask("GET", V2 + "runs/get", run_id=name)
        assert (status, answer["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
        history = caller.ask("GET", V2 + "metrics/get-history", run_id=name, metric_key="k")
        assert history == (200, {})


def test_fields_that_must_be_there(caller: Caller, run: Any) -> None:
    words = "Missing value for required parameter"
    experiment = {"experiment_id": run.experiment_id}
    caller.refused(f"{words} 'new_name'", "POST", V2 + "experiments/update", experiment)
    caller.refused(f"{words} 'models'", "POST", V2 + "runs/outputs", {"run_id": run.run_id})
    body = {"run_id": run.run_id}
    caller.refused(f"{words} 'trace_ids'", "POST", V2 + "traces/link-to-run", body)


def test_limits_and_names_in_the_words_of_clients(caller: Caller, run: Any) -> None:
    search = V2 + "runs/search"
    runs = {"experiment_ids": [run.experiment_id]}
    told = "for parameter 'max_results' supplied. It must be"
    caller.refused(f"{told} a positive integer", "POST", search, {**runs, "max_results": 0})
    caller.refused(f"{told} at most 50000", "POST", search, {**runs, "max_results": 50_001})
    words = "Invalid page token, could not base64-decode"
    caller.refused(words, "POST", search, {**runs, "page_token": "!"})
    order = {**runs, "order_by": ["metrics.m DOWN"]}
    words = "Invalid ordering key in order_by clause 'metrics.m DOWN'."
    caller.refused(words, "POST", search, order)
    param = {"run_id": run.run_id, "value": "v"}
    words = "spaces ( ), colon(:) and slashes (/)."
    caller.refused(words, "POST", V2 + "runs/log-parameter", {**param, "key": "a#b"})
    words = "This name would resolve to 'b'"
    caller.refused(words, "POST", V2 + "runs/log-parameter", {**param, "key": "a/../b"})


def test_head_answers_as_get_does(caller: Caller, client: MlflowClient, run: Any) -> None:
    client.create_registered_model("headed")
    client.create_model_version("headed", f"{run.artifact_uri}/m", run.run_id)
    model = client.create_logged_model(run.experiment_id).model_id
    for path in (
        f"experiments/get?experiment_id={run.experiment_id}",
        "experiments/get-by-name?experiment_name=words",
        "experiments/search?max_results=1",
        f"runs/get?run_id={run.run_id}",
        f"metrics/get-history?run_id={run.run_id}&metric_key=k",
        f"metrics/get-history-bulk-interval?run_ids={run.run_id}&metric_key=k",
        f"artifacts/list?run_id={run.run_id}",
        f"logged-models/{model}",
        "registered-models/get?name=headed",
        "registered-models/search?max_results=1",
        "model-versions/get?name=headed&version=1",
        "model-versions/search?max_results=1",
    ):
        assert caller.ask("GET", V2 + path)[0] == 200, path
        length = caller.headers["Content-Length"]
        assert caller.ask("HEAD", V2 + path) == (200, {}), path
        assert caller.headers["Content-Length"] == length, path


def test_metrics_and_params_are_named_as_clients_name_them(caller: Caller, run: Any) -> None:
    metric = {"run_id": run.run_id, "value": 1, "timestamp": 1}
    path = V2 + "runs/log-metric"
    long = "k" * 251
    caller.refused("'Metric name' exceeds the maximum", "POST", path, {**metric, "key": long})
    words = "Invalid value \"a#b\" for parameter 'name' supplied"
    caller.refused(words, "POST", path, {**metric, "key": "a#b"})
    batch = {"run_id": run.run_id, "metrics": [{"key": "a#b", "value": 1, "timestamp": 1}]}
    caller.refused("parameter 'metrics[0].name' supplied", "POST", V2 + "runs/log-batch", batch)
    param = {"run_id": run.run_id, "key": long, "value": "v"}
    path = V2 + "runs/log-parameter"
    caller.refused("'Param key' exceeds the maximum length of 250", "POST", path, param)
    words = "Invalid value \"a b\" for parameter 'run_id' supplied"
    caller.refused(words, "POST", V2 + "runs/log-inputs", {"run_id": "a b"})


def test_a_run_is_made_with_any_names_of_tags(client: MlflowClient, run: Any) -> None:
    made = client.create_run(run.experiment_id, tags={"a#b": "1", "c/../d": "2"})
    assert client.get_run(made.info.run_id).data.tags.items() >= {("a#b", "1"), ("c/../d", "2")}
    model = client.create_logged_model(run.experiment_id, params={"a?b": "1"}, tags={"c#d": "2"})
    kept = client.get_logged_model(model.model_id)
    assert (kept.params, kept.tags) == ({"a?b": "1"}, {"c#d": "2"})


@pytest.mark.parametrize(
    ("filter", "words"),
    [
        ("metrics.m > '0'", "Expected numeric value type for metric. Found '0'"),
        (
            "start_time = 'x'",
            "Expected numeric value type for numeric attribute: start_time. Found",
        ),
        (
            "params.p = 5",
            "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 5",
        ),
        ("tags.t = 5", "Expected a quoted string value for tag (e.g. 'my-value'). Got value 5"),
        ("status = 5", "Expected a quoted string value for attributes. Got value 5"),
        ("dataset.none = 'x'", "Invalid dataset key 'none' specified. Valid keys are"),
        ("none = 'x'", "Invalid attribute key 'none' specified. Valid keys are"),
        ("none.m > 0", "Invalid entity type 'none'. Valid values are ['metric', 'parameter', "),
        ("tags.t < 'v'", "Invalid comparator '<' not one of"),
        ("params.p = v", "unidentified quote types used for string value v."),
        ("metrics.m = NaN", "Expected numeric value type for metric. Found NaN"),
        ("run_id IN ()", "expected a non-empty list of string values, but got empty list"),
        ("run_id IN (1)", "but got different type in list"),
        ("run_id IN ('a',,'b')", "expected a non-empty list of string values, but got ill-formed"),
        ("run_id IN (", "Invalid clause(s) in filter string"),
        ("run_id LIKE", "Invalid clause(s) in filter string"),
        ("metrics.m IS NULL", "is only supported for tags and params, not for 'metric' 'm'"),
    ],
)
def test_faults_of_filters(caller: Caller, run: Any, filter: str, words: str) -> None:
    body = {"experiment_ids": [run.experiment_id], "filter": filter}
    caller.refused(words, "POST", V2 + "runs/search", body)


@pytest.mark.parametrize("list_of", ["('{}',)", "('none', '{}',)", "('{}')"])
def test_a_list_may_end_as_python_ends_it(caller: Caller, run: Any, list_of: str) -> None:
    filter = "run_id IN " + list_of.format(run.run_id)
    body = {"experiment_ids": [run.experiment_id], "filter": filter}
    runs = caller.ask("POST", V2 + "runs/search", body)[1]["runs"]
    assert [found["info"]["run_id"] for found in runs] == [run.run_id]


def test_faults_of_the_registry(caller: Caller, client: MlflowClient, run: Any) -> None:
    client.create_registered_model("worded")
    place = f"{run.artifact_uri}/m"
    client.create_model_version("worded", place, run.run_id)
    words = "Invalid model name 'a/b'. Names cannot contain '/' or ':'."
    caller.refused(words, "POST", V2 + "registered-models/create", {"name": "a/b"})
    caller.refused(words, "GET", V2 + "registered-models/get", name="a/b")
    words = "Missing value for required parameter 'name'"
    caller.refused(words, "POST", V2 + "registered-models/create", {"name": " "})
    words = "Model Version (name=none, version=1) not found"
    caller.refused(words, "GET", V2 + "model-versions/get", name="none", version=1)
    words = "Invalid Model Version stage: odd. Value must be one of"
    body = {"name": "worded", "version": "1", "stage": "odd"}
    caller.refused(words, "POST", V2 + "model-versions/transition-stage", body)
    alias = V2 + "registered-models/alias"
    one = {"name": "worded", "version": "1"}
    words = "Invalid alias name: 'a b'. Names may only contain alphanumerics"
    caller.refused(words, "POST", alias, {**one, "alias": "a b"})
    caller.refused(words, "GET", alias, name="worded", alias="a b")
    words = "'latest' alias name (case insensitive) is reserved."
    caller.refused(words, "POST", alias, {**one, "alias": "Latest"})
    caller.refused("Version alias name 'v1' is reserved.", "POST", alias, {**one, "alias": "v1"})
    words = "Names may only contain"
    tag = {"name": "worded", "key": "a#b", "value": "v"}
    caller.refused(words, "POST", V2 + "registered-models/set-tag", tag)
    create = V2 + "registered-models/create"
    prompt = {"tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}
    assert caller.ask("POST", create, {"name": "prompted", **prompt})[0] == 200
    words = "Tried to create a registered model with name 'prompted', but the name is already"
    caller.refused(words, "POST", create, {"name": "prompted"})
    words = "Tried to create a prompt with name 'worded', but the name is already taken by a"
    caller.refused(words, "POST", create, {"name": "worded", **prompt})
    words = "Prompt (name=prompted) already exists"
    caller.refused(words, "POST", create, {"name": "prompted", **prompt})
    words = "Invalid order by key 'none' specified."
    caller.refused(words, "GET", V2 + "registered-models/search", order_by="none")


def test_too_long_a_prompt_is_called_so(client: MlflowClient) -> None:
    with pytest.raises(mlflow.MlflowException, match="Prompt text exceeds max length of 100000"):
        client.register_prompt("long-worded", "x" * 100_001)
    assert client.get_prompt("long-worded") is None


@pytest.mark.parametrize("place", ["http://host#/abc", "http://host/;..%2F..%2Fetc", "a;b"])
def test_places_of_experiments_that_are_no_folder(caller: Caller, place: str) -> None:
    words = "'artifact_location' URL can't include fragments or params."
    body = {"name": f"placed {place}", "artifact_location": place}
    caller.refused(words, "POST", V2 + "experiments/create", body)


def test_old_clients_write_an_object_as_a_text(caller: Caller, run: Any) -> None:
    body = json.dumps({"run_id": run.run_id, "key": "twice", "value": "written"})
    assert caller.ask("POST", V2 + "runs/set-tag", body) == (200, {})
    body = json.dumps({"run_id": run.run_id, "params": [{"key": "twice", "value": "too"}]})
    assert caller.ask("POST", V2 + "runs/log-batch", body) == (200, {})
    data = caller.ask("GET", V2 + "runs/get", run_id=run.run_id)[1]["run"]["data"]
    assert {"key": "twice", "value": "written"} in data["tags"]
    assert data["params"] == [{"key": "twice", "value": "too"}]
    words = "The request body must be a JSON object."
    caller.refused(words, "POST", V2 + "runs/set-tag", json.dumps(body))
    caller.refused("cannot be read as JSON", "POST", V2 + "runs/set-tag", "no JSON")


def test_a_versions_description_leaves_the_models_time(client: MlflowClient, run: Any) -> None:
    client.create_registered_model("timed")
    client.create_model_version("timed", f"{run.artifact_uri}/m", run.run_id)
    before = client.get_registered_model("timed").last_updated_timestamp
    deadline = time.monotonic() + 10
    while time.time() * 1000 <= before + 1:
        assert time.monotonic() < deadline
    client.update_model_version("timed", "1", "described")
    assert client.get_registered_model("timed").last_updated_timestamp == before
    assert client.get_model_version("timed", "1").last_updated_timestamp > before


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("/some/where", "To use a local path as a model version source"),
        ("file:///tmp/x", "To use a local path as a model version source"),
        ("file://1.2.3.4/x", "is not a valid remote uri"),
        ("mlflow-artifacts:/a/../b", "If supplying a source as an http, https,"),
        ("s3://a/..%2f..%2fb", "If supplying a source as an http, https,"),
        ("mlflow-artifacts:/a%00", "If supplying a source as an http, https,"),
    ],
)
def test_places_that_no_version_may_have(
    caller: Caller, client: MlflowClient, run: Any, source: str, words: str
) -> None:
    if not client.search_registered_models("name = 'placed'"):
        client.create_registered_model("placed")
    body = {"name": "placed", "source": source, "run_id": run.run_id}
    caller.refused(words, "POST", V2 + "model-versions/create", body)


def test_versions_are_noted_on_their_logged_model(client: MlflowClient, run: Any) -> None:
    client.create_registered_model("noted")
    model = client.create_logged_model(run.experiment_id)
    for _ in range(2):
        client.create_model_version("noted", model.artifact_location, model_id=model.model_id)
    noted = client.get_logged_model(model.model_id).tags["mlflow.modelVersions"]
    assert noted == '[{"name": "noted", "version": 1}, {"name": "noted", "version": 2}]'
    with pytest.raises(mlflow.exceptions.MlflowException, match="No tag with key 'none' found for"):
        client.delete_logged_model_tag(model.model_id, "none")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.txt", "text/plain"),
        ("MLmodel", "text/plain"),
        ("a.json", "text/plain"),
        ("a.csv", "text/plain"),
        ("a.ipynb", "text/plain"),
        ("a.tar.gz", "application/x-tar"),
        ("a.mp4", "video/mp4"),
        ("a.pkl", "application/octet-stream"),
        ("a.css", "text/css"),
        ("a b.html", "text/html"),
        ("dog+step+20.png", "image/png"),
    ],
)
def test_files_say_their_kind_and_name(caller: Caller, run: Any, name: str, kind: str) -> None:
    query = {"run_uuid": run.run_id, "path": name}
    assert caller.ask("POST", AJAX + "upload-artifact", {}, **query)[0] == 200
    assert caller.ask("GET", "/get-artifact", **query)[0] == 200
    assert caller.headers["Content-Type"] == kind
    written = f'"{name}"' if " " in name else name
    assert caller.headers["Content-Disposition"] == f"attachment; filename={written}"


def test_uploads_say_what_is_missing(caller: Caller, run: Any) -> None:
    path = AJAX + "upload-artifact"
    caller.refused("Request must specify run_uuid.", "POST", path, {})
    caller.refused("Request must specify path.", "POST", path, {}, run_uuid=run.run_id)
    caller.refused("Invalid path", "POST", path, {}, run_uuid=run.run_id, path="../a")
    query = {"run_uuid": run.run_id, "path": "a"}
    caller.refused("Request must specify data.", "POST", path, None, **query)
    large = "x" * (10 << 20)
    words = "Artifact size is too large. Max size is 10MB."
    caller.refused(words, "POST", path, large, **query)
    # Clients name no type.
    address = f"{caller.url}{path}?{urllib.parse.urlencode(query)}"
    host = urllib.parse.urlsplit(caller.url).netloc
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.request("POST", address.removeprefix(caller.url), b"hello")
    assert connection.getresponse().status == 200
    connection.close()
