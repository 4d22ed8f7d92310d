"""Filters, orders and pages, good and wrong, of every search."""

from __future__ import annotations

from collections.abc import Iterator

from differential_calls import V2, V3
from differential_cases import Ask

RUN_FILTERS = """
metrics.m > 0|metrics.m>0|metrics.m = 0.5|metrics.m != 0.5|metrics.m >= -1e-3|metrics.m < 1E3
metrics.m > '0'|metrics.m LIKE 'a'|metrics.m = NaN|metrics.m = inf|metrics.none > 0
metrics."m" > 0|metrics.`m` > 0|metrics.'m' > 0|metric.m > 0|METRICS.m > 0
metrics.m > 0 AND metrics.m < 2|metrics.m > 0 and params.p = 'v'|metrics.m > 0 OR metrics.m < 2
NOT metrics.m > 0|(metrics.m > 0)|metrics.m > 0;|metrics.m == 0.5|metrics.m <> 0.5|metrics.m
metrics.m >|> 0|metrics. > 0|.m > 0|metrics.m > 0 AND|AND metrics.m > 0|metrics.m IS NULL
metrics.m IN (1)|metrics.m BETWEEN 0 AND 1|params.p = 'v'|params.p = "v"|params.p = v|params.p = 5
params.p != 'v'|params.p LIKE 'v%'|params.p ILIKE 'V'|params.p like 'v'|params.p > 'v'
params.p IN ('v')|params.p IS NULL|params.p IS NOT NULL|params.none IS NULL|parameter.p = 'v'
param.p = 'v'|parameters.p = 'v'|params.p = 'it''s'|params.p = 'x|params.p NOT LIKE 'v'
params.p RLIKE 'v'|params.`p q` = 'v'|tags.t = 'v'|tag.t = 'v'|tags.`t` = 'v'|tags."t" = 'v'
tags.'t' = 'v'|tags.mlflow.user = 'u'|tags.t IS NULL|tags.none IS NOT NULL|tags.t ILIKE '%V%'
tags.t = 1|tags.t < 'v'|attributes.status = 'RUNNING'|status = 'RUNNING'|status = 'running'
status LIKE 'RUN%'|status != 'FAILED'|attributes.run_id = '{run}'|run_id IN ('{run}', 'x')
run_id NOT IN ('x')|run_id IN ()|run_id IN ('x'|run_id IN ({run})|run_id IN 'x'
status IN ('RUNNING')|run_name = 'seeded'|attributes.`run name` = 'seeded'
attributes.run_name LIKE 'see%'|user_id = 'u'|artifact_uri LIKE '%artifacts'|start_time > 0
attributes.start_time >= 5|start_time = '5'|start_time LIKE '5'|created > 0|attributes.Created > 0
end_time > 0|lifecycle_stage = 'active'|experiment_id = '1'|attributes.none = 'x'|none.m > 0
run.status = 'RUNNING'|attr.status = 'RUNNING'|attribute.status = 'RUNNING'|dataset.name = 'd'
datasets.name = 'd'|dataset.digest = 'g'|dataset.context = 'train'|dataset.name IN ('d')
dataset.name LIKE 'd%'|dataset.none = 'x'|dataset.name = 5|dataset.name > 'd'|'a' = 'b'|1 = 1
"metrics.m" > 0|metrics.m > 0, params.p = 'v'|metrics.m > 0 AND (params.p = 'v')|metrics.m > 1 / 2
metrics.m > +1|metrics.m > -1|metrics.m > 1_000|metrics.m > 0x10|metrics.m > .5|model.name = 'x'
SELECT 1|metrics.m > 0 -- x|metrics.m > 0 /* x */|metrics.m >= 0 and status='RUNNING'
"""
RUN_ORDERS = """
metrics.m|metrics.m ASC|metrics.m DESC|metrics.m desc|metrics.m  DESC|metrics.m DOWN|params.p
tags.t|tags.`t` DESC|attributes.start_time|start_time DESC|attributes.status|status|run_id
end_time|artifact_uri|user_id|run_name|`run name`|attributes.`Run Name`|Created|created|none
attributes.none|dataset.name|none.x|metrics.|metrics|metrics.m, params.p|metrics.m ASC DESC
'metrics.m'|"metrics.m"|lifecycle_stage|experiment_id|metrics."m" DESC|metrics.'m'|duration|
"""
EXPERIMENT_FILTERS = """
name = 'grid'|attribute.name = 'grid'|attributes.name != 'grid'|name LIKE 'g%'|name ILIKE 'G%'
name > 'a'|name = 5|name IN ('grid')|experiment_id = '{experiment}'|experiment_id = 1
creation_time > 0|creation_time = 'x'|last_update_time >= 0|tags.t = 'v'|tag.t != 'v'
tags.t IS NULL|tags.none IS NULL|tags.t IS NOT NULL|lifecycle_stage = 'active'|params.p = 'x'
none = 'x'|name = 'a' OR name = 'b'|name =|name = 'grid' AND tags.t = 'v'|(name = 'grid')
name == 'grid'|artifact_location = 'x'|tags.`t` = 'v'
"""
EXPERIMENT_ORDERS = """
name|name DESC|experiment_id|creation_time|last_update_time DESC|none|tags.t|name DOWN|NAME
attribute.name|attributes.name DESC|name, experiment_id|`name`
"""
MODEL_FILTERS = """
name = '{model}'|name LIKE '{model}%'|name ILIKE '{model}'|name != 'x'|name IN ('{model}')
name > 'x'|name = 5|tags.t = 'v'|tag.t = 'v'|tags.`t` != 'x'|tags.t LIKE 'v%'|tags.t > 'v'
tags.t = 5|none = 'x'|version = '1'|name = '{model}' AND tags.t = 'v'|name = 'a' OR name = 'b'
name|attribute.name = 'x'|tags.t IS NULL|tags."mlflow.prompt.is_prompt" = 'true'|run_id = 'x'
name =
"""
MODEL_ORDERS = """
name|name DESC|timestamp|last_updated_timestamp DESC|creation_timestamp|none|name ASC NULLS LAST
Name|tags.t|`name`
"""
VERSION_FILTERS = """
name = '{model}'|name LIKE '{model}%'|name ILIKE 'x'|name IN ('{model}')|run_id = '{run}'
run_id IN ('{run}')|run_id IN ()|run_id != 'x'|source_path = 'x'|source_path LIKE '%'
version_number = 1|version_number > 0|version_number = '1'|version_number = 'x'
version_number = 1.5|version_number LIKE '1'|version_number IN ('1')|tags.t = 'v'|tags.t != 'x'
tags.none = 'x'|none = 'x'|name = 5|current_stage = 'None'|run_id IN ({run})
name = '{model}' AND version_number <= 1|name = 'a' OR name = 'b'|attributes.name = 'x'
version = '1'
"""
VERSION_ORDERS = """
name|version_number DESC|creation_timestamp|last_updated_timestamp|none|run_id|source_path|version
name ASC|version_number ASC, name
"""
LOGGED_FILTERS = """
name = 'seeded'|name != 'x'|name LIKE 's%'|name ILIKE 'S%'|name IN ('seeded')|name NOT IN ('x')
name > 'x'|model_id = '{logged}'|model_type = 'mt'|status = 'READY'|status = 'PENDING'
status = 'LOGGED_MODEL_READY'|source_run_id = '{run}'|creation_timestamp > 0|creation_time > 0
last_updated_timestamp >= 0|last_updated_time > 0|metrics.m > 0|metrics.m = 'x'|metrics.none > 0
params.p = 'v'|params.p != 'x'|params.p > 'x'|params.p = 5|tags.t = 'v'|tags.t LIKE 'v%'
tags.t IS NULL|params.p IS NOT NULL|none = 'x'|none.x = 'x'|name = 5|creation_timestamp = 'x'
name = 'a' OR name = 'b'|attributes.name = 'seeded'|experiment_id = '1'|tags.none != 'x'
artifact_uri LIKE '%'
"""
TRACE_FILTERS = """
tags.c = 'd'|tag.c = 'd'|tags.c != 'x'|tags.c LIKE 'd%'|tags.c ILIKE 'D'|tags.c RLIKE '^d$'
tags.c > 'd'|tags.c IS NULL|tags.none IS NULL|tags.c IS NOT NULL|metadata.a = 'b'
request_metadata.a = 'b'|metadata.a LIKE 'b'|status = 'OK'|attributes.status = 'OK'
trace.status = 'OK'|status = 'ok'|state = 'OK'|status IN ('OK', 'ERROR')|status != 'ERROR'
status LIKE 'O%'|timestamp_ms > 0|timestamp > 0|timestamp_ms = 'x'|execution_time_ms >= 250
execution_time > 0|trace.execution_time_ms < 300|name = 'x'|trace.name = 'x'|attributes.name = 'x'
run_id = '{run}'|attributes.run_id = 'x'|request_id = '{trace}'|trace_id = '{trace}'
trace.text LIKE '%q%'|trace.text = 'q'|trace.text ILIKE '%Q%'|span.name = 'x'|span.type = 'LLM'
span.status = 'OK'|span.attributes.x = 'y'|span.attributes.x LIKE '%y%'|span.name LIKE '%x%'
span.none = 'x'|feedback.q = 'x'|feedback.q > 1|expectation.q = 'x'|assessments.q = 'x'
prompt = 'a/1'|client_request_id = 'x'|session_id = 'x'|none = 'x'|none.x = 'y'|tags.c = 5|tags.c
tags.c = 'd' AND status = 'OK'|tags.c = 'd' OR status = 'OK'|end_time_ms > 0|feedback.q IS NULL
feedback.q IS NOT NULL|metadata.a IS NULL|user_id = 'x'|issue.id = 'x'
"""
TRACE_ORDERS = """
timestamp_ms|timestamp_ms DESC|timestamp ASC|timestamp|execution_time_ms|execution_time DESC
status|name|request_time|trace_id|request_id|tags.c|none|timestamp_ms DOWN|experiment_id
request_metadata.a|attributes.timestamp_ms
"""
COUNTS: tuple[object, ...] = (
    0,
    -1,
    1,
    101,
    501,
    1001,
    50_000,
    50_001,
    200_001,
    2**31,
    "x",
    "5",
    1.5,
    None,
    True,
)
TOKENS: tuple[object, ...] = (
    "",
    "garbage",
    "e30=",
    "eyJvZmZzZXQiOiAtMX0=",
    "eyJvZmZzZXQiOiAieCJ9",
    7,
    None,
)


def _parts(text: str) -> list[str]:
    return [part for line in text.strip("\n").split("\n") for part in line.split("|")]


def _posts(
    path: str, base: dict[str, object], filters: str, orders: str, field: str = "filter"
) -> Iterator[Ask]:
    for one in _parts(filters):
        yield Ask("POST", path, body={**base, field: one}, label=f"filter {one}")
    for one in _parts(orders):
        yield Ask("POST", path, body={**base, "order_by": [one]}, label=f"order {one}")
    for count in COUNTS:
        yield Ask("POST", path, body={**base, "max_results": count}, label=f"max {count!r}")
    for token in TOKENS:
        yield Ask("POST", path, body={**base, "page_token": token}, label=f"token {token!r}")


def _gets(path: str, filters: str, orders: str) -> Iterator[Ask]:
    for one in _parts(filters):
        yield Ask("GET", path, query=[("filter", one)], label=f"filter {one}")
    for one in _parts(orders):
        query = [("filter", "name = '{model}'"), ("order_by", one)]
        yield Ask("GET", path, query=query, label=f"order {one}")
    for count in COUNTS:
        query = [("filter", "name = '{model}'"), ("max_results", str(count))]
        yield Ask("GET", path, query=query, label=f"max {count!r}")
    for token in TOKENS:
        query = [("filter", "name = '{model}'"), ("page_token", str(token))]
        yield Ask("GET", path, query=query, label=f"token {token!r}")


def searches() -> Iterator[Ask]:
    runs: dict[str, object] = {"experiment_ids": ["{experiment}"]}
    yield from _posts(V2 + "runs/search", runs, RUN_FILTERS, RUN_ORDERS)
    yield from _posts(
        V2 + "experiments/search",
        {"max_results": 9, "filter": "name = 'grid'"},
        EXPERIMENT_FILTERS,
        EXPERIMENT_ORDERS,
    )
    yield from _gets(V2 + "registered-models/search", MODEL_FILTERS, MODEL_ORDERS)
    yield from _gets(V2 + "model-versions/search", VERSION_FILTERS, VERSION_ORDERS)
    yield from _posts(V2 + "logged-models/search", runs, LOGGED_FILTERS, "")
    for name in (
        "name",
        "creation_timestamp",
        "creation_time",
        "last_updated_timestamp",
        "metrics.m",
        "params.p",
        "tags.t",
        "none",
        "model_id",
        "status",
        "experiment_id",
        "source_run_id",
        "model_type",
        "",
    ):
        order = [{"field_name": name, "ascending": True}]
        yield Ask(
            "POST",
            V2 + "logged-models/search",
            body={**runs, "order_by": order},
            label=f"order {name}",
        )
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{experiment}"}}
    yield from _posts(V3 + "traces/search", {"locations": [place]}, TRACE_FILTERS, TRACE_ORDERS)
