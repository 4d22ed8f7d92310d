"""Traces by the unmodified client: exported, read, searched, tagged, assessed, deleted."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator

import mlflow
import pytest
from aloft_server import Server
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, SpanType, Trace
from mlflow.exceptions import MlflowException


@pytest.fixture
def client(server: Server) -> Iterator[MlflowClient]:
    mlflow.set_tracking_uri(server.url)
    yield MlflowClient(server.url)
    while mlflow.active_run():
        mlflow.end_run()


@pytest.fixture
def experiment(client: MlflowClient) -> str:
    return str(mlflow.set_experiment(f"traces-{uuid.uuid4().hex[:8]}").experiment_id)


@mlflow.trace(span_type=SpanType.TOOL)
def add(x: int, y: int) -> int:
    return x + y


@mlflow.trace(name="answer", attributes={"kind": "sum"})
def answer(x: int, fails: bool = False) -> int:
    with mlflow.start_span("look up", span_type=SpanType.RETRIEVER) as span:
        span.set_inputs({"query": f"Zürich {x}"})
        span.set_outputs(["one", "two"])
        span.set_attribute("documents", 2)
    if fails:
        raise ValueError("no answer")
    return add(x, 1)


def traced(x: int = 1, *, fails: bool = False) -> str:
    """Makes one trace and returns its id once the server has it."""
    if fails:
        with pytest.raises(ValueError):
            answer(x, fails=True)
    else:
        answer(x)
    mlflow.flush_trace_async_logging()
    return str(mlflow.get_last_active_trace_id())


def test_a_trace_comes_back_whole(client: MlflowClient, experiment: str) -> None:
    trace = mlflow.get_trace(traced(41))
    assert trace is not None
    assert trace.info.experiment_id == experiment and trace.info.state == "OK"
    assert json.loads(trace.info.request_preview)["x"] == 41
    assert trace.info.response_preview == "42"
    assert trace.info.execution_duration >= 0
    spans = {span.name: span for span in trace.data.spans}
    assert sorted(spans) == ["add", "answer", "look up"]
    root = spans["answer"]
    assert root.parent_id is None and root.attributes["kind"] == "sum"
    assert spans["add"].parent_id == root.span_id and spans["add"].span_type == "TOOL"
    assert spans["look up"].inputs == {"query": "Zürich 41"}
    assert spans["look up"].outputs == ["one", "two"]
    assert spans["look up"].attributes["documents"] == 2
    assert spans["add"].start_time_ns <= spans["add"].end_time_ns
    assert trace.info.tags["mlflow.trace.spansLocation"] == "TRACKING_STORE"
    assert trace.info.tags["mlflow.traceName"] == "answer"


def test_a_failure_keeps_its_exception(client: MlflowClient, experiment: str) -> None:
    trace = mlflow.get_trace(traced(fails=True))
    assert trace is not None and trace.info.state == "ERROR"
    root = next(span for span in trace.data.spans if span.parent_id is None)
    assert root.status.status_code == "ERROR" and "no answer" in root.status.description
    assert root.events[0].name == "exception"


def test_tags_are_set_and_deleted(client: MlflowClient, experiment: str) -> None:
    trace = traced()
    mlflow.set_trace_tag(trace, "team", "delays")
    client.set_trace_tag(trace, "team", "red")
    assert mlflow.get_trace(trace).info.tags["team"] == "red"  # type: ignore[union-attr]
    mlflow.delete_trace_tag(trace, "team")
    assert "team" not in mlflow.get_trace(trace).info.tags  # type: ignore[union-attr]
    with pytest.raises(MlflowException) as missing:
        client.delete_trace_tag(trace, "team")
    assert missing.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    with pytest.raises(MlflowException) as unknown:
        client.set_trace_tag("tr-" + "0" * 32, "a", "b")
    assert unknown.value.error_code == "RESOURCE_DOES_NOT_EXIST"


@pytest.fixture(scope="module")
def flock(server: Server) -> tuple[str, dict[str, str], str]:
    """Four traces that differ in what a search can ask for: experiment, name -> id, a run."""
    mlflow.set_tracking_uri(server.url)
    experiment = str(mlflow.set_experiment(f"flock-{uuid.uuid4().hex[:8]}").experiment_id)
    ids = {"ada": traced(1), "bob": traced(2)}
    ids["cleo"] = traced(3, fails=True)
    with mlflow.start_run() as run:
        ids["dan"] = traced(4)
    for name, trace in ids.items():
        mlflow.set_trace_tag(trace, "who", name)
    mlflow.set_trace_tag(ids["ada"], "odd key", "x")
    mlflow.log_feedback(trace_id=ids["ada"], name="good", value=True)
    mlflow.log_feedback(trace_id=ids["bob"], name="score", value=0.25)
    mlflow.log_feedback(trace_id=ids["cleo"], name="score", value=0.75)
    mlflow.log_expectation(trace_id=ids["dan"], name="sum", value="five")
    with mlflow.start_span("another name") as span:
        span.set_attribute("deep", "inside")
    mlflow.flush_trace_async_logging()
    ids["eve"] = str(mlflow.get_last_active_trace_id())
    mlflow.set_trace_tag(ids["eve"], "who", "eve")
    MlflowClient(server.url).link_traces_to_run([ids["bob"]], run.info.run_id)
    return experiment, ids, run.info.run_id


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "ada bob cleo dan eve"),
        ("status = 'ERROR'", "cleo"),
        ("trace.status != 'ERROR'", "ada bob dan eve"),
        ("attributes.status IN ('ERROR', 'IN_PROGRESS')", "cleo"),
        ("tags.who = 'ada'", "ada"),
        ("tag.who LIKE '%a%'", "ada dan"),
        ("tags.who RLIKE '^(ada|b.b)$'", "ada bob"),
        ("tag.who RLIKE 'A'", ""),
        ("tag.who RLIKE '(?i)^[A-D]'", "ada bob cleo dan"),
        ("name RLIKE '^answer$' AND tags.who RLIKE 'o'", "bob cleo"),
        ("status RLIKE '^ERR'", "cleo"),
        ("span.name RLIKE '^look\\s+up$' AND span.status RLIKE '.'", "ada bob cleo dan"),
        ("span.attributes.kind RLIKE '^s.m$'", "ada bob cleo dan"),
        ("metadata.`mlflow.sourceRun` RLIKE '^[0-9a-f]{32}$'", "dan"),
        ("tags.`odd key` IS NOT NULL", "ada"),
        ("tags.`odd key` IS NULL", "bob cleo dan eve"),
        ("name = 'answer'", "ada bob cleo dan"),
        ("trace.name ILIKE 'ANOTHER%'", "eve"),
        ("timestamp_ms > 0 AND tags.who = 'bob'", "bob"),
        ("trace.timestamp_ms < 0", ""),
        ("execution_time_ms >= 0", "ada bob cleo dan eve"),
        ("end_time > 1000", "ada bob cleo dan eve"),
        ("span.name = 'add'", "ada bob dan"),
        ("span.type = 'TOOL' AND span.name = 'add'", "ada bob dan"),
        ("span.type = 'TOOL' AND span.name = 'answer'", ""),
        ("span.status = 'ERROR'", "cleo"),
        ("span.attributes.deep = 'inside'", "eve"),
        ("span.attributes.kind LIKE 's%'", "ada bob cleo dan"),
        ("span.content LIKE '%Zürich 3%'", "cleo"),
        ("trace.text LIKE '%Zürich 2%'", "bob"),
        ("feedback.good = 'true'", "ada"),
        ("feedback.score > 0.5", "cleo"),
        ("feedback.score <= '0.25'", "bob"),
        ("feedback.score IS NOT NULL", "bob cleo"),
        ("feedback.score IS NULL", "ada dan eve"),
        ("expectation.sum = 'five'", "dan"),
        ("expectation.sum RLIKE '^f.*e$'", "dan"),
        ("feedback.score RLIKE '5$'", "bob cleo"),
        ("feedback.good LIKE 't%'", "ada"),
        ("metadata.`mlflow.sourceRun` IS NOT NULL", "dan"),
    ],
)
def test_search(
    client: MlflowClient, flock: tuple[str, dict[str, str], str], query: str, expected: str
) -> None:
    experiment, ids, _ = flock
    names = {trace: name for name, trace in ids.items()}
    found = client.search_traces(
        locations=[experiment], filter_string=query, order_by=["timestamp ASC"]
    )
    assert sorted(names[trace.info.trace_id] for trace in found) == expected.split()


def test_search_by_run_id_and_pages(
    client: MlflowClient, flock: tuple[str, dict[str, str], str]
) -> None:
    experiment, ids, run = flock
    by_run = client.search_traces(locations=[experiment], filter_string=f"run_id = '{run}'")
    assert {trace.info.trace_id for trace in by_run} == {ids["dan"], ids["bob"]}
    by_id = client.search_traces(
        locations=[experiment], filter_string=f"request_id = '{ids['ada']}'"
    )
    assert [trace.info.trace_id for trace in by_id] == [ids["ada"]]
    seen: list[str] = []
    token = None
    while True:
        page = client.search_traces(
            locations=[experiment], max_results=2, order_by=["timestamp_ms DESC"], page_token=token
        )
        seen += [trace.info.trace_id for trace in page]
        assert all(isinstance(trace, Trace) and trace.data.spans for trace in page)
        token = page.token
        if not token:
            break
    assert seen == [ids[name] for name in ("eve", "dan", "cleo", "bob", "ada")]
    table = mlflow.search_traces(locations=[experiment], return_type="pandas")
    assert len(table) == 5


@pytest.mark.parametrize(
    "query",
    [
        "status > 'OK'",
        "timestamp = 'x'",
        "tags.who = 3",
        "nothing = 'x'",
        "planet.name = 'x'",
        "span.content = 'x'",
        "span.color = 'x'",
        "feedback.score > 'many'",
        "prompt LIKE 'a'",
        "status = 'OK' OR status = 'ERROR'",
        "tags.who RLIKE 'a(b'",
        "tags.who RLIKE '(a)\\1'",
        "tags.who RLIKE 5",
        "tags.who RLIKE '((a{100}){100}){100}'",
        "feedback.correct RLIKE '(a'",
        "feedback.correct IN ('a', 'b')",
        "timestamp_ms RLIKE 'a'",
    ],
)
def test_what_cannot_be_asked_is_said_so(client: MlflowClient, experiment: str, query: str) -> None:
    with pytest.raises(MlflowException) as refused:
        client.search_traces(locations=[experiment], filter_string=query)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_assessments_live(client: MlflowClient, experiment: str) -> None:
    trace = traced()
    source = AssessmentSource(source_type="HUMAN", source_id="ann")
    made = mlflow.log_feedback(
        trace_id=trace,
        name="faithful",
        value={"score": 0.5, "why": ["a", "b"]},
        source=source,
        rationale="half of it",
        metadata={"round": "1"},
    )
    found = mlflow.get_assessment(trace, made.assessment_id)
    assert found.feedback.value == {"score": 0.5, "why": ["a", "b"]}
    assert found.source.source_id == "ann" and found.rationale == "half of it"
    assert found.metadata["round"] == "1" and found.valid
    again = mlflow.override_feedback(
        trace_id=trace, assessment_id=made.assessment_id, value=0.9, rationale="more"
    )
    old = mlflow.get_assessment(trace, made.assessment_id)
    assert again.overrides == made.assessment_id and not old.valid
    expected = mlflow.log_expectation(trace_id=trace, name="sum", value={"x": 2}, source=source)
    changed = mlflow.update_assessment(
        trace_id=trace,
        assessment_id=expected.assessment_id,
        assessment=mlflow.entities.Expectation(name="total", value=3),
    )
    assert (changed.name, changed.expectation.value) == ("total", 3)
    # What is known of it already stays, but for what is said anew.
    for told, known in (
        ({"round": "2", "by": "ann"}, {"round": "2", "by": "ann"}),
        ({"by": "bob"}, {"round": "2", "by": "bob"}),
    ):
        marked = mlflow.entities.Feedback(name="faithful", value=1, metadata=told)
        mlflow.update_assessment(
            trace_id=trace, assessment_id=again.assessment_id, assessment=marked
        )
        found = mlflow.get_assessment(trace, again.assessment_id)
        assert found.metadata == known and found.rationale == "more"
    listed = mlflow.get_trace(trace).info.assessments  # type: ignore[union-attr]
    assert {one.name for one in listed} == {"faithful", "total"} and len(listed) == 3
    mlflow.delete_assessment(trace, again.assessment_id)
    assert mlflow.get_assessment(trace, made.assessment_id).valid
    with pytest.raises(MlflowException) as gone:
        mlflow.get_assessment(trace, again.assessment_id)
    assert gone.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_an_assessment_of_a_session_is_one_of_each_of_its_traces(
    client: MlflowClient, experiment: str
) -> None:
    @mlflow.trace
    def turn(session: str) -> None:
        mlflow.update_current_trace(metadata={"mlflow.trace.session": session})

    names: dict[str, str] = {}
    for name in ("a1", "a2", "b1", "b2"):
        turn(name[0])
        mlflow.flush_trace_async_logging()
        names[str(mlflow.get_last_active_trace_id())] = name
    ids = {name: trace for trace, name in names.items()}
    of_session = {"mlflow.trace.session": "a"}
    mlflow.log_feedback(trace_id=ids["a1"], name="pleased", value="yes", metadata=of_session)
    mlflow.log_feedback(trace_id=ids["b1"], name="pleased", value="no")
    for query, expected in [
        ("feedback.pleased = 'yes'", ["a1", "a2"]),
        ("feedback.pleased != 'no'", ["a1", "a2"]),
        ("feedback.pleased RLIKE '^(yes|no)$'", ["a1", "a2", "b1"]),
        ("feedback.pleased IS NOT NULL", ["a1", "a2", "b1"]),
        ("feedback.pleased IS NULL", ["b2"]),
        ("expectation.pleased IS NULL", ["a1", "a2", "b1", "b2"]),
    ]:
        found = client.search_traces(
            locations=[experiment], filter_string=query, order_by=["timestamp"]
        )
        assert sorted(names[trace.info.trace_id] for trace in found) == expected, query


@pytest.mark.parametrize("comparison", ["LIKE 'a%'", "RLIKE 'a'", "!= 'a/1'"])
def test_a_prompt_is_searched_by_its_version_alone(
    client: MlflowClient, experiment: str, comparison: str
) -> None:
    words = (
        f"Invalid comparator '{comparison.split()[0]}' for prompts filter. Only '=' is supported"
    )
    with pytest.raises(MlflowException, match=words):
        client.search_traces(locations=[experiment], filter_string=f"prompt {comparison}")


def test_traces_are_deleted(client: MlflowClient, experiment: str) -> None:
    first, second, third = traced(1), traced(2), traced(3)
    assert client.delete_traces(experiment, trace_ids=[second, "tr-unknown"]) == 1
    with pytest.raises(MlflowException):
        client.get_trace(second)
    now = int(time.time() * 1000) + 1000
    assert client.delete_traces(experiment, max_timestamp_millis=now, max_traces=1) == 1
    left = client.search_traces(locations=[experiment])
    assert [trace.info.trace_id for trace in left] == [third] and first != third
    assert client.delete_traces(experiment, max_timestamp_millis=now) == 1


def test_a_trace_by_hand_and_its_link_to_a_prompt(client: MlflowClient, experiment: str) -> None:
    prompt = client.register_prompt("greeting-" + experiment, "Hello {{name}}")
    root = client.start_trace("by hand", inputs={"a": 1}, tags={"t": "1"}, experiment_id=experiment)
    child = client.start_span("child", trace_id=root.trace_id, parent_id=root.span_id)
    client.end_span(root.trace_id, child.span_id, outputs="x")
    client.end_trace(root.trace_id, outputs="done", status="OK")
    mlflow.flush_trace_async_logging()
    client.link_prompt_versions_to_trace([prompt], root.trace_id)
    trace = client.get_trace(root.trace_id)
    assert {span.name for span in trace.data.spans} == {"by hand", "child"}
    assert trace.info.tags["t"] == "1"
    found = client.search_traces(
        locations=[experiment], filter_string=f"prompt = '{prompt.name}/{prompt.version}'"
    )
    assert [one.info.trace_id for one in found] == [root.trace_id]


def test_odd_values_spoil_nobody_elses_search(server: Server, experiment: str) -> None:
    def call(version: str, path: str, body: str) -> tuple[int, dict[str, object]]:
        request = urllib.request.Request(
            f"{server.url}/api/{version}/mlflow/{path}",
            body.encode(),
            {"Content-Type": "application/json"},
            method="PATCH" if path.endswith("/tags") else "POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    trace = traced()
    for value in ("no JSON", "7", '["a", 1, null]', '[{"name": 5}]'):
        tag = json.dumps({"key": "mlflow.linkedPrompts", "value": value})
        assert call("2.0", f"traces/{trace}/tags", tag)[0] == 200
        where = f'"locations": [{{"mlflow_experiment": {{"experiment_id": "{experiment}"}}}}]'
        found = call("3.0", "traces/search", f"""{{{where}, "filter": "prompt = 'a/1'"}}""")
        assert found == (200, {}), value
    for value in ("1e999", '"x"', "[[1]]", "null", "-0.0", '"\\ud83d\\ude00"'):
        feedback = f'{{"assessment": {{"assessment_name": "n", "feedback": {{"value": {value}}}}}}}'
        assert call("3.0", f"traces/{trace}/assessments", feedback)[0] in (200, 400)
        query = f"""{{{where}, "filter": "feedback.n > 1 AND feedback.n != 'y'"}}"""
        assert call("3.0", "traces/search", query)[0] == 200
    for time_ms in (2**63 - 1, -(2**63), 10**18):
        body = json.dumps({"experiment_id": experiment, "timestamp_ms": time_ms})
        assert call("2.0", "traces", body)[0] == 400
    assert MlflowClient(server.url).get_trace(trace).info.trace_id == trace


def test_what_was_exported_survives_a_kill(make_server: Callable[..., Server]) -> None:
    server = make_server()
    mlflow.set_tracking_uri(server.url)
    mlflow.set_experiment("killed")
    traces = [traced(number) for number in range(3)]
    mlflow.set_trace_tag(traces[0], "kept", "yes")
    mlflow.log_feedback(trace_id=traces[1], name="good", value=True)
    server.kill()
    server.start()
    found = [MlflowClient(server.url).get_trace(trace) for trace in traces]
    assert [len(trace.data.spans) for trace in found] == [3, 3, 3]
    assert found[0].info.tags["kept"] == "yes" and found[1].info.assessments[0].name == "good"
