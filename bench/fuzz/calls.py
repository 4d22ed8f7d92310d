"""Requests that are right, and what may be mutated in them: the seeds of each target."""

from __future__ import annotations

from typing import Any

API = "/api/2.0/mlflow/"

#: What the served model (X, FP32, [3, 2]) takes.
INFER: dict[str, Any] = {
    "id": "a",
    "inputs": [
        {"name": "X", "shape": [3, 2], "datatype": "FP32", "data": [1, 2, 3, 4, 5, 6]},
    ],
    "outputs": [{"name": "Y", "parameters": {"binary_data": False}}],
    "parameters": {"binary_data_output": False},
}

SCORING: list[dict[str, Any]] = [
    {"inputs": [[1, 2], [3, 4], [5, 6]]},
    {"instances": [{"X": [[1, 2], [3, 4], [5, 6]]}]},
    {"inputs": {"X": [[1, 2], [3, 4], [5, 6]]}},
    {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3, 4], [5, 6]]}},
    {"dataframe_split": {"columns": ["a"], "index": [0], "data": [["text"]]}},
    {"dataframe_records": [{"a": 1, "b": 2}, {"b": None}, {"a": "x"}]},
    {"inputs": [[1]], "params": {"temperature": 0.5}},
]

TABLES = [
    b"a,b\n1,2\n3,4\n5,6\n",
    b'\xef\xbb\xbf"a","b"\r\n"x, ""y""",\r\n',
    b"\n,,\n",
    b"a\n" * 50,
]


def tracking(run: str, experiment: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, body or query) of the tracking protocol."""
    posts = posts_of_runs(run, experiment) | posts_of_models(run, experiment)
    calls = [("POST", API + path, body) for path, body in posts.items()]
    calls += [("GET", API + path, query) for path, query in gets_of(run, experiment).items()]
    return calls + traces_of(experiment)


def posts_of_runs(run: str, experiment: str) -> dict[str, dict[str, Any]]:
    metric = {"key": "m", "value": 0.5, "timestamp": 1, "step": 0}
    return {
        "experiments/create": {"name": "fuzz", "tags": [{"key": "a", "value": "b"}]},
        "experiments/search": {
            "filter": "name LIKE 'f%' AND tags.`a` = 'b'",
            "order_by": ["name ASC"],
            "max_results": 5,
            "view_type": "ALL",
        },
        "experiments/set-experiment-tag": {"experiment_id": experiment, "key": "k", "value": "v"},
        "experiments/update": {"experiment_id": experiment, "new_name": "renamed"},
        "runs/create": {"experiment_id": experiment, "start_time": 1, "run_name": "r", "tags": []},
        "runs/update": {"run_id": run, "status": "FINISHED", "end_time": 2},
        "runs/search": {
            "experiment_ids": [experiment],
            "filter": "metrics.m > 0.1 and params.`p q` != 'x' and status IN ('RUNNING')",
            "order_by": ["metrics.m DESC", "attributes.start_time"],
            "max_results": 5,
        },
        "runs/log-metric": {"run_id": run, **metric},
        "runs/log-parameter": {"run_id": run, "key": "p", "value": "1"},
        "runs/set-tag": {"run_id": run, "key": "t", "value": "v"},
        "runs/delete-tag": {"run_id": run, "key": "t"},
        "runs/log-batch": {
            "run_id": run,
            "metrics": [metric, {**metric, "step": 1}],
            "params": [{"key": "p", "value": "1"}],
            "tags": [{"key": "t", "value": "v"}],
        },
        "runs/log-inputs": {
            "run_id": run,
            "datasets": [
                {
                    "tags": [{"key": "c", "value": "d"}],
                    "dataset": {
                        "name": "d",
                        "digest": "x",
                        "source_type": "local",
                        "source": "{}",
                        "schema": "{}",
                        "profile": "{}",
                    },
                }
            ],
        },
        "runs/log-model": {"run_id": run, "model_json": '{"artifact_path": "m", "flavors": {}}'},
    }


def posts_of_models(run: str, experiment: str) -> dict[str, dict[str, Any]]:
    return {
        "registered-models/create": {"name": "fuzz", "tags": [], "description": "d"},
        "model-versions/create": {"name": "m", "source": "runs:/x/model", "run_id": run},
        "registered-models/alias": {"name": "m", "alias": "a", "version": "1"},
        "model-versions/transition-stage": {
            "name": "m",
            "version": "1",
            "stage": "Staging",
            "archive_existing_versions": False,
        },
        "logged-models/search": {"experiment_ids": [experiment], "filter": "params.a = 'b'"},
        "logged-models": {"experiment_id": experiment, "name": "lm", "params": [], "tags": []},
        "webhooks": {
            "name": "w",
            "url": "https://example.com/",
            "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}],
        },
    }


def gets_of(run: str, experiment: str) -> dict[str, dict[str, Any]]:
    return {
        "experiments/get": {"experiment_id": experiment},
        "experiments/get-by-name": {"experiment_name": "fuzz"},
        "runs/get": {"run_id": run},
        "metrics/get-history": {"run_id": run, "metric_key": "m", "max_results": 5},
        "metrics/get-history-bulk-interval": {
            "run_ids": run,
            "metric_key": "m",
            "start_step": 0,
            "end_step": 9,
            "max_results": 10,
        },
        "artifacts/list": {"run_id": run, "path": "a"},
        "registered-models/get": {"name": "m"},
        "registered-models/search": {"filter": "name ILIKE '%m%'", "max_results": 5},
        "model-versions/search": {"filter": "name = 'm' and run_id IN ('x')"},
        "registered-models/alias": {"name": "m", "alias": "a"},
    }


def traces_of(experiment: str) -> list[tuple[str, str, dict[str, Any]]]:
    location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
    return [
        (
            "POST",
            "/api/3.0/mlflow/traces",
            {
                "trace": {
                    "trace_info": {
                        "trace_id": "tr-" + "0" * 32,
                        "trace_location": location,
                        "request_time": "2026-01-01T00:00:00Z",
                        "execution_duration": "1.5s",
                        "state": "OK",
                        "tags": {"t": "v"},
                    }
                }
            },
        ),
        (
            "POST",
            "/api/3.0/mlflow/traces/search",
            {"locations": [location], "filter": "tag.t RLIKE '(a|v)+'", "max_results": 5},
        ),
    ]
