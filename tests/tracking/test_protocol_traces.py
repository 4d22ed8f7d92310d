"""What MLflow's own clients and tests read of traces: spellings, texts, links, expectations."""

from __future__ import annotations

from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import SpanEvent
from mlflow.entities.trace_data import TraceData
from protocol_caller import Caller

V2 = "/api/2.0/mlflow/"
AJAX = "/ajax-api/2.0/mlflow/"


def test_spans_are_spelled_as_clients_read_them(caller: Caller, traced: None) -> None:
    with mlflow.start_span(name="spelled") as span:
        span.set_attributes({"fruit": "apple", "number": 3, "deep": {"list": [1, 2.5, None, "é"]}})
        span.add_event(SpanEvent("event", timestamp=99999, attributes={"foo": "bar"}))
    mlflow.flush_trace_async_logging()
    path = "/api/3.0/mlflow/traces/get"
    one = caller.ask("GET", path, trace_id=span.trace_id)[1]["trace"]["spans"][0]
    assert {"key": "fruit", "value": {"string_value": "apple"}} in one["attributes"]
    assert {"key": "number", "value": {"int_value": 3}} in one["attributes"]
    assert one["start_time_unix_nano"] == span.start_time_ns
    assert one["events"][0]["time_unix_nano"] == 99999

    path = AJAX + "get-trace-artifact"
    kept = caller.ask("GET", path, request_id=span.trace_id)[1]
    assert caller.headers["Content-Disposition"] == "attachment; filename=traces.json"
    assert TraceData.from_dict(kept).spans[0].to_dict() == span.to_dict()
    status, answer = caller.ask("GET", path)
    assert (status, answer["error_code"]) == (400, "BAD_REQUEST")
    assert 'must include the "request_id" query parameter' in answer["message"]


def test_the_text_of_traces_is_what_people_wrote(client: MlflowClient, traced: None) -> None:
    experiment = client.create_experiment("texts of traces")
    for name, attributes in (("one", {"a": "value 1"}), ("two", {"b": "I like it"})):
        span = client.start_trace(name=name, experiment_id=experiment)
        span.set_attributes(attributes)
        client.end_trace(span.trace_id)
    mlflow.flush_trace_async_logging()

    def found(text: str) -> int:
        text = f"trace.text LIKE '%{text}%'"
        return len(client.search_traces(locations=[experiment], filter_string=text))

    assert (found("value"), found("like"), found("stringValue"), found("t")) == (1, 1, 0, 2)


def test_a_link_to_a_run_waits_for_its_trace(
    caller: Caller, client: MlflowClient, traced: None
) -> None:
    experiment = client.create_experiment("links of traces")
    run = client.create_run(experiment).info.run_id
    span = client.start_trace(name="late", experiment_id=experiment)
    body = {"run_id": run, "trace_ids": [span.trace_id]}
    assert caller.ask("POST", V2 + "traces/link-to-run", body) == (200, {})
    client.end_trace(span.trace_id)
    mlflow.flush_trace_async_logging()
    linked = f"attribute.run_id = '{run}'"
    found = client.search_traces(locations=[experiment], filter_string=linked)
    assert [trace.info.trace_id for trace in found] == [span.trace_id]


def test_expectations_that_are_no_plain_value_come_as_text(caller: Caller, traced: None) -> None:
    with mlflow.start_span(name="expected") as span:
        pass
    mlflow.flush_trace_async_logging()
    path = f"/api/3.0/mlflow/traces/{span.trace_id}/assessments"

    def kept(value: object) -> dict[str, Any]:
        source = {"source_type": "CODE", "source_id": "x"}
        assessment = {"assessment_name": "e", "source": source, "expectation": {"value": value}}
        answer = caller.ask("POST", path, {"assessment": assessment})[1]["assessment"]
        again = caller.ask("GET", f"{path}/{answer['assessment_id']}")[1]["assessment"]
        assert again["expectation"] == answer["expectation"]
        return dict(answer["expectation"])

    assert kept(7) == {"value": 7}
    text = {"serialization_format": "JSON_FORMAT", "value": '{"a": 1, "b": [true, null]}'}
    assert kept({"a": 1, "b": [True, None]}) == {"serialized_value": text}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (
            "odd?key",
            "Invalid value \"odd?key\" for parameter 'key' supplied: Names may only contain",
        ),
        ("../", "This name would resolve to '..'"),
        ("a//b", "This name would resolve to 'a/b'"),
        ("k" * 251, "'key' exceeds the maximum length of 250 characters"),
    ],
)
def test_tags_of_traces_have_the_names_of_tags(
    caller: Caller, traced: None, key: str, words: str
) -> None:
    with mlflow.start_span(name="tagged") as span:
        pass
    mlflow.flush_trace_async_logging()
    path = f"/api/3.0/mlflow/traces/{span.trace_id}/tags"
    caller.refused(words, "PATCH", path, {"key": key, "value": "v"})


def test_an_assessment_stays_of_its_kind(caller: Caller, traced: None) -> None:
    with mlflow.start_span(name="assessed") as span:
        pass
    mlflow.flush_trace_async_logging()
    made = mlflow.log_feedback(trace_id=span.trace_id, name="good", value=1)
    path = f"/api/3.0/mlflow/traces/{span.trace_id}/assessments/{made.assessment_id}"
    body = {"assessment": {"expectation": {"value": 1}}, "update_mask": "expectation"}
    words = "Cannot update expectation value on a Feedback assessment."
    caller.refused(words, "PATCH", path, body)
