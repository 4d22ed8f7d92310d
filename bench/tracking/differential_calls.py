"""The calls that both servers are asked, each with a good body."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

V2 = "/api/2.0/mlflow/"
V3 = "/api/3.0/mlflow/"
AJAX = "/ajax-api/2.0/mlflow/"


@dataclass
class Endpoint:
    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    fresh: tuple[str, ...] = ()
    in_query: bool = False


TAG = [{"key": "k", "value": "v"}]
METRIC = {"key": "m", "value": 0.5, "timestamp": 12, "step": 3}
DATASET = {
    "tags": [{"key": "mlflow.data.context", "value": "train"}],
    "dataset": {"name": "d", "digest": "g", "source_type": "local", "source": "s", "schema": "c"},
}
SOURCE = "mlflow-artifacts:/{experiment}/{run}/artifacts/model"
TRACE_INFO = {
    "trace_id": "tr-{serial}",
    "trace_location": {
        "type": "MLFLOW_EXPERIMENT",
        "mlflow_experiment": {"experiment_id": "{trace_experiment}"},
    },
    "request_time": "2026-01-02T03:04:05.678Z",
    "execution_duration": "0.250s",
    "state": "OK",
    "trace_metadata": {"a": "b"},
    "tags": {"c": "d"},
    "request_preview": "q",
    "response_preview": "r",
}
FEEDBACK = {
    "assessment_name": "quality",
    "source": {"source_type": "HUMAN", "source_id": "somebody"},
    "feedback": {"value": 0.5},
    "rationale": "since",
    "metadata": {"a": "b"},
}

ENDPOINTS = [
    Endpoint("POST", V2 + "experiments/create", {"name": "e-{serial}", "tags": TAG}),
    Endpoint("GET", V2 + "experiments/get", {"experiment_id": "{experiment}"}, in_query=True),
    Endpoint("GET", V2 + "experiments/get-by-name", {"experiment_name": "grid"}, in_query=True),
    Endpoint(
        "POST",
        V2 + "experiments/search",
        {"max_results": 1, "view_type": "ALL", "filter": "name = 'grid'", "order_by": ["name"]},
    ),
    Endpoint(
        "POST",
        V2 + "experiments/update",
        {"experiment_id": "{experiment2}", "new_name": "n-{serial}"},
        fresh=("experiment2",),
    ),
    Endpoint(
        "POST",
        V2 + "experiments/delete",
        {"experiment_id": "{experiment2}"},
        fresh=("experiment2",),
    ),
    Endpoint("POST", V2 + "experiments/restore", {"experiment_id": "{experiment_gone}"}),
    Endpoint(
        "POST",
        V2 + "experiments/set-experiment-tag",
        {"experiment_id": "{experiment2}", "key": "k", "value": "v"},
        fresh=("experiment2",),
    ),
    Endpoint(
        "POST",
        V2 + "experiments/delete-experiment-tag",
        {"experiment_id": "{experiment2}", "key": "t"},
        fresh=("experiment2",),
    ),
    Endpoint("POST", AJAX + "experiments/search-datasets", {"experiment_ids": ["{experiment}"]}),
    Endpoint(
        "POST",
        V2 + "runs/create",
        {
            "experiment_id": "{experiment2}",
            "user_id": "u",
            "run_name": "n",
            "start_time": 7,
            "tags": TAG,
        },
    ),
    Endpoint("GET", V2 + "runs/get", {"run_id": "{run}", "run_uuid": "{run}"}, in_query=True),
    Endpoint(
        "POST",
        V2 + "runs/update",
        {"run_id": "{run2}", "status": "FINISHED", "end_time": 9, "run_name": "z"},
        fresh=("run2",),
    ),
    Endpoint("POST", V2 + "runs/delete", {"run_id": "{run2}"}, fresh=("run2",)),
    Endpoint("POST", V2 + "runs/restore", {"run_id": "{run2}"}, fresh=("run2",)),
    Endpoint("POST", V2 + "runs/log-metric", {"run_id": "{run2}", **METRIC}, fresh=("run2",)),
    Endpoint(
        "POST",
        V2 + "runs/log-parameter",
        {"run_id": "{run2}", "key": "k", "value": "v"},
        fresh=("run2",),
    ),
    Endpoint(
        "POST", V2 + "runs/set-tag", {"run_id": "{run2}", "key": "k", "value": "v"}, fresh=("run2",)
    ),
    Endpoint("POST", V2 + "runs/delete-tag", {"run_id": "{run2}", "key": "t"}, fresh=("run2",)),
    Endpoint(
        "POST",
        V2 + "runs/log-batch",
        {"run_id": "{run2}", "metrics": [METRIC], "params": TAG, "tags": TAG},
        fresh=("run2",),
    ),
    Endpoint(
        "POST",
        V2 + "runs/log-inputs",
        {"run_id": "{run2}", "datasets": [DATASET], "models": [{"model_id": "{logged}"}]},
        fresh=("run2",),
    ),
    Endpoint(
        "POST",
        V2 + "runs/outputs",
        {"run_id": "{run2}", "models": [{"model_id": "{logged}", "step": 1}]},
        fresh=("run2",),
    ),
    Endpoint(
        "POST",
        V2 + "runs/search",
        {
            "experiment_ids": ["{experiment}"],
            "filter": "metrics.m > 0",
            "run_view_type": "ACTIVE_ONLY",
            "max_results": 5,
            "order_by": ["metrics.m DESC"],
        },
    ),
    Endpoint(
        "GET",
        V2 + "metrics/get-history",
        {"run_id": "{run}", "metric_key": "m", "max_results": "2"},
        in_query=True,
    ),
    Endpoint(
        "GET",
        AJAX + "metrics/get-history-bulk",
        {"run_id": "{run}", "metric_key": "m", "max_results": "3"},
        in_query=True,
    ),
    Endpoint(
        "GET",
        AJAX + "metrics/get-history-bulk-interval",
        {
            "run_ids": "{run}",
            "metric_key": "m",
            "start_step": "0",
            "end_step": "9",
            "max_results": "4",
        },
        in_query=True,
    ),
    Endpoint("GET", V2 + "artifacts/list", {"run_id": "{run}", "path": ""}, in_query=True),
    Endpoint(
        "POST",
        V2 + "logged-models",
        {
            "experiment_id": "{experiment2}",
            "name": "lm",
            "model_type": "t",
            "source_run_id": "{run}",
            "params": TAG,
            "tags": TAG,
        },
    ),
    Endpoint("GET", V2 + "logged-models/{logged}", in_query=True),
    Endpoint("GET", V2 + "logged-models/m-unknown", in_query=True),
    Endpoint(
        "PATCH",
        V2 + "logged-models/{logged2}",
        {"model_id": "{logged2}", "status": "LOGGED_MODEL_READY"},
        fresh=("logged2",),
    ),
    Endpoint("DELETE", V2 + "logged-models/{logged2}", fresh=("logged2",)),
    Endpoint("DELETE", V2 + "logged-models/m-unknown"),
    Endpoint("PATCH", V2 + "logged-models/{logged2}/tags", {"tags": TAG}, fresh=("logged2",)),
    Endpoint("DELETE", V2 + "logged-models/{logged2}/tags/t", fresh=("logged2",)),
    Endpoint("DELETE", V2 + "logged-models/{logged2}/tags/none", fresh=("logged2",)),
    Endpoint(
        "POST",
        V2 + "logged-models/{logged2}/params",
        {"model_id": "{logged2}", "params": [{"key": "kk", "value": "v"}]},
        fresh=("logged2",),
    ),
    Endpoint(
        "POST",
        V2 + "logged-models/search",
        {
            "experiment_ids": ["{experiment}"],
            "filter": "name = 'seeded'",
            "datasets": [{"dataset_name": "d", "dataset_digest": "g"}],
            "max_results": 3,
            "order_by": [{"field_name": "creation_timestamp", "ascending": False}],
        },
    ),
    Endpoint(
        "POST",
        V2 + "registered-models/create",
        {"name": "r-{serial}", "description": "d", "tags": TAG},
    ),
    Endpoint("GET", V2 + "registered-models/get", {"name": "{model}"}, in_query=True),
    Endpoint(
        "POST",
        V2 + "registered-models/rename",
        {"name": "{model2}", "new_name": "q-{serial}"},
        fresh=("model2",),
    ),
    Endpoint(
        "PATCH",
        V2 + "registered-models/update",
        {"name": "{model2}", "description": "d"},
        fresh=("model2",),
    ),
    Endpoint("DELETE", V2 + "registered-models/delete", {"name": "{model2}"}, fresh=("model2",)),
    Endpoint(
        "GET",
        V2 + "registered-models/search",
        {"filter": "name = '{model}'", "max_results": "2", "order_by": "name"},
        in_query=True,
    ),
    Endpoint(
        "POST",
        V2 + "registered-models/get-latest-versions",
        {"name": "{model}", "stages": ["None"]},
    ),
    Endpoint(
        "POST",
        V2 + "registered-models/set-tag",
        {"name": "{model2}", "key": "k", "value": "v"},
        fresh=("model2",),
    ),
    Endpoint(
        "DELETE",
        V2 + "registered-models/delete-tag",
        {"name": "{model2}", "key": "t"},
        fresh=("model2",),
    ),
    Endpoint(
        "POST",
        V2 + "registered-models/alias",
        {"name": "{model2}", "alias": "a", "version": "1"},
        fresh=("model2",),
    ),
    Endpoint(
        "DELETE",
        V2 + "registered-models/alias",
        {"name": "{model2}", "alias": "champ"},
        fresh=("model2",),
    ),
    Endpoint(
        "GET", V2 + "registered-models/alias", {"name": "{model}", "alias": "champ"}, in_query=True
    ),
    Endpoint(
        "POST",
        V2 + "model-versions/create",
        {
            "name": "{model2}",
            "source": SOURCE,
            "run_id": "{run}",
            "tags": TAG,
            "run_link": "l",
            "description": "d",
            "model_id": "{logged2}",
        },
        fresh=("model2", "logged2"),
    ),
    Endpoint("GET", V2 + "model-versions/get", {"name": "{model}", "version": "1"}, in_query=True),
    Endpoint(
        "PATCH",
        V2 + "model-versions/update",
        {"name": "{model2}", "version": "1", "description": "d"},
        fresh=("model2",),
    ),
    Endpoint(
        "DELETE",
        V2 + "model-versions/delete",
        {"name": "{model2}", "version": "1"},
        fresh=("model2",),
    ),
    Endpoint(
        "POST",
        V2 + "model-versions/transition-stage",
        {
            "name": "{model2}",
            "version": "1",
            "stage": "Staging",
            "archive_existing_versions": True,
        },
        fresh=("model2",),
    ),
    Endpoint(
        "GET",
        V2 + "model-versions/search",
        {"filter": "name = '{model}'", "max_results": "2", "order_by": "version_number"},
        in_query=True,
    ),
    Endpoint(
        "GET",
        V2 + "model-versions/get-download-uri",
        {"name": "{model}", "version": "1"},
        in_query=True,
    ),
    Endpoint(
        "POST",
        V2 + "model-versions/set-tag",
        {"name": "{model2}", "version": "1", "key": "k", "value": "v"},
        fresh=("model2",),
    ),
    Endpoint(
        "DELETE",
        V2 + "model-versions/delete-tag",
        {"name": "{model2}", "version": "1", "key": "t"},
        fresh=("model2",),
    ),
    Endpoint(
        "POST", V3 + "traces", {"trace": {"trace_info": TRACE_INFO}}, fresh=("trace_experiment",)
    ),
    Endpoint("GET", V3 + "traces/{trace}", in_query=True),
    Endpoint("GET", V3 + "traces/tr-unknown", in_query=True),
    Endpoint("GET", V3 + "traces/get", {"trace_id": "{trace}"}, in_query=True),
    Endpoint("GET", V3 + "traces/batchGet", {"trace_ids": "{trace}"}, in_query=True),
    Endpoint(
        "POST",
        V3 + "traces/search",
        {
            "locations": [
                {
                    "type": "MLFLOW_EXPERIMENT",
                    "mlflow_experiment": {"experiment_id": "{experiment}"},
                }
            ],
            "filter": "tags.c = 'd'",
            "max_results": 2,
            "order_by": ["timestamp_ms DESC"],
        },
    ),
    Endpoint("PATCH", V3 + "traces/{trace2}/tags", {"key": "k", "value": "v"}, fresh=("trace2",)),
    Endpoint("DELETE", V3 + "traces/{trace2}/tags", {"key": "c"}, fresh=("trace2",)),
    Endpoint(
        "POST", V3 + "traces/{trace2}/assessments", {"assessment": FEEDBACK}, fresh=("trace2",)
    ),
    Endpoint("GET", V3 + "traces/{trace}/assessments/a-unknown", in_query=True),
    Endpoint("DELETE", V3 + "traces/{trace}/assessments/a-unknown"),
    Endpoint(
        "POST",
        V3 + "traces/delete-traces",
        {"experiment_id": "{trace_experiment}", "request_ids": ["{trace2}"]},
        fresh=("trace2",),
    ),
    Endpoint(
        "POST",
        V2 + "traces/link-to-run",
        {"trace_ids": ["{trace}"], "run_id": "{run}"},
    ),
]
