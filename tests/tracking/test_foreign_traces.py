"""Traces by other means: the export of OpenTelemetry, and the calls of old clients."""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.request
import uuid
import zlib
from collections.abc import Callable

import pytest
from aloft_server import Server
from mlflow import MlflowClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@pytest.fixture
def client(server: Server) -> MlflowClient:
    return MlflowClient(server.url)


@pytest.fixture
def experiment(client: MlflowClient) -> str:
    return str(client.create_experiment(f"foreign-traces-{uuid.uuid4().hex[:8]}"))


def export(server: Server, body: bytes, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(
        server.url + "/v1/traces",
        body,
        {name.replace("_", "-"): value for name, value in headers.items()},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_spans_of_another_opentelemetry_client_make_a_trace(
    client: MlflowClient, server: Server, experiment: str
) -> None:
    message = ExportTraceServiceRequest()
    exported = message.resource_spans.add()
    for key in ("service.name", "telemetry.sdk.name", "mlflow.trace.spansLocation", "odd?key"):
        exported.resource.attributes.add(key=key).value.string_value = "shop"
    span = exported.scope_spans.add().spans.add()
    span.trace_id, span.span_id = bytes(range(16)), bytes(range(8))
    span.name, span.start_time_unix_nano, span.end_time_unix_nano = "GET /", 10**18, 10**18 + 5**9
    for key in ("session.id", "mlflow.traceTag.team"):
        attribute = span.attributes.add(key=key)
        attribute.value.string_value = "red"
    headers = {"Content_Type": "application/x-protobuf", "x_mlflow_experiment_id": experiment}
    assert export(server, message.SerializeToString(), **headers) == (200, b"")
    trace = client.get_trace("tr-" + bytes(range(16)).hex())
    assert trace.info.request_time == 10**12 and trace.info.state == "OK"
    assert trace.info.tags["team"] == "red" and trace.info.tags["mlflow.traceName"] == "GET /"
    assert trace.info.tags["service.name"] == "shop"
    assert trace.info.tags["mlflow.trace.spansLocation"] == "TRACKING_STORE"
    assert not {"telemetry.sdk.name", "odd?key"} & set(trace.info.tags)
    assert trace.info.trace_metadata["mlflow.trace.session"] == "red"
    assert trace.data.spans[0].name == "GET /"
    as_json = {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "ab" * 16,
                                "spanId": "cd" * 8,
                                "name": "from JSON",
                                "startTimeUnixNano": "1000000000",
                                "newer": 1,
                            }
                        ]
                    }
                ]
            }
        ]
    }
    headers["Content_Type"] = "application/json"
    assert export(server, json.dumps(as_json).encode(), **headers)[0] == 200
    assert client.get_trace("tr-" + "ab" * 16).data.spans[0].name == "from JSON"


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_collectors_send_spans_packed(
    client: MlflowClient,
    server: Server,
    experiment: str,
    coding: str,
    pack: Callable[[bytes], bytes],
) -> None:
    message = ExportTraceServiceRequest()
    spans = message.resource_spans.add().scope_spans.add().spans
    trace = uuid.uuid4()
    for number in range(2000):
        span = spans.add(trace_id=trace.bytes, span_id=number.to_bytes(8, "big"), name="alike")
        span.start_time_unix_nano, span.end_time_unix_nano = 10**18 + number, 10**18 + 10**6
        if number:
            span.parent_span_id = bytes(8)
    packed = pack(message.SerializeToString())
    assert len(packed) * 8 < message.ByteSize()
    headers = {"Content_Type": "application/x-protobuf", "x_mlflow_experiment_id": experiment}
    assert export(server, packed, Content_Encoding=coding, **headers) == (200, b"")
    assert len(client.get_trace(f"tr-{trace.hex}").data.spans) == 2000


def test_what_is_no_export_is_refused(server: Server, experiment: str) -> None:
    protobuf = {"Content_Type": "application/x-protobuf", "x_mlflow_experiment_id": experiment}
    short = ExportTraceServiceRequest()
    short.resource_spans.add().scope_spans.add().spans.add(trace_id=b"1", span_id=b"2")
    for body, headers, expected in [
        (b"\xff\xff\xff", protobuf, 400),
        (b"", protobuf, 400),
        (short.SerializeToString(), protobuf, 422),
        (b"{", protobuf | {"Content_Type": "application/json"}, 400),
        (b"{}", protobuf | {"Content_Type": "text/plain"}, 400),
        (b"", {"Content_Type": "application/x-protobuf"}, 422),
        (b"", protobuf | {"x_mlflow_experiment_id": "none"}, 400),
        (b"\x1f\x8b", protobuf | {"Content_Encoding": "gzip"}, 400),
        (b"plain", protobuf | {"Content_Encoding": "deflate"}, 400),
        (b"", protobuf | {"Content_Encoding": "br"}, 400),
        (gzip.compress(bytes(33 << 20), 1), protobuf | {"Content_Encoding": "gzip"}, 400),
    ]:
        status, answer = export(server, body, **headers)
        assert status == expected, (body[:100], headers, answer)
        assert json.loads(answer)["error_code"] == "INVALID_PARAMETER_VALUE"
    unknown = protobuf | {"x_mlflow_experiment_id": "987654"}
    assert export(server, short.SerializeToString(), **unknown)[0] == 422
    good = ExportTraceServiceRequest()
    good.resource_spans.add().scope_spans.add().spans.add(trace_id=b"1" * 16, span_id=b"2" * 8)
    assert export(server, good.SerializeToString(), **unknown)[0] == 404


def test_an_old_client_starts_and_ends_a_trace(server: Server, experiment: str) -> None:
    def call(method: str, path: str, body: object | None = None) -> dict[str, object]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{server.url}/api/2.0/mlflow/{path}",
            data,
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            return dict(json.loads(reply.read()))

    started = call(
        "POST",
        "traces",
        {
            "experiment_id": experiment,
            "timestamp_ms": 1000,
            "request_metadata": [{"key": "a", "value": "1"}],
            "tags": [{"key": "mlflow.traceName", "value": "old"}],
        },
    )["trace_info"]
    assert isinstance(started, dict) and started["status"] == "IN_PROGRESS"
    trace = started["request_id"]
    ended = call(
        "PATCH", f"traces/{trace}", {"timestamp_ms": 1250, "status": "OK", "request_id": trace}
    )["trace_info"]
    assert isinstance(ended, dict) and ended["execution_time_ms"] == 250
    assert call("GET", f"traces/{trace}/info")["trace_info"] == ended
    listed = call("GET", f"traces?experiment_ids={experiment}&filter=name%20%3D%20%27old%27")
    assert listed["traces"] == [ended]
