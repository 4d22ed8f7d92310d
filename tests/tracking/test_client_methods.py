"""Every public method of `MlflowClient`: exercised here, or listed with the reason why not.

The routes that the client calls meanwhile are written down, and each must stand in the page
docs/reference/mlflow-protocol.md. A newer client whose methods are not known here fails the test.
"""

from __future__ import annotations

import inspect
import io
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import requests
from aloft_server import ROOT, Server
from mlflow import MlflowClient
from mlflow.entities import (
    DatasetInput,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelParameter,
    Metric,
    Param,
    RunTag,
)
from mlflow.exceptions import MlflowException

PAGE = ROOT / "docs/reference/mlflow-protocol.md"

#: Methods that are not exercised, and why.
LEFT_OUT = {
    "log_figure": "needs matplotlib or plotly; it is log_artifact of a file",
    "refresh_mcp_server_version_tools": "calls an MCP server, and then routes that answer 404",
    "unlink_traces_from_run": "the client itself refuses it for servers other than Databricks",
}

#: Methods whose routes answer 404 here: the error names the route.
NOT_THERE: dict[str, tuple[Any, ...]] = {
    "create_dataset": ("d",),
    "get_dataset": ("d-1",),
    "delete_dataset": ("d-1",),
    "search_datasets": (["0"],),
    "set_dataset_tags": ("d-1", {"a": "b"}),
    "delete_dataset_tag": ("d-1", "a"),
    "add_dataset_to_experiments": ("d-1", ["0"]),
    "remove_dataset_from_experiments": ("d-1", ["0"]),
    "create_workspace": ("team",),
    "delete_workspace": ("team",),
    "get_workspace": ("team",),
    "list_workspaces": (),
    "update_workspace": ("team", "text"),
    "create_mcp_server": ("io.x/s",),
    "get_mcp_server": ("io.x/s",),
    "update_mcp_server": ("io.x/s", "name"),
    "delete_mcp_server": ("io.x/s",),
    "search_mcp_servers": (),
    "create_mcp_server_version": ({"name": "io.x/s", "version": "1", "description": "d"},),
    "get_mcp_server_version": ("io.x/s", "1"),
    "get_latest_mcp_server_version": ("io.x/s",),
    "get_mcp_server_version_by_alias": ("io.x/s", "a"),
    "update_mcp_server_version": ("io.x/s", "1", "active"),
    "delete_mcp_server_version": ("io.x/s", "1"),
    "search_mcp_server_versions": ("io.x/s",),
    "set_mcp_server_tag": ("io.x/s", "a", "b"),
    "delete_mcp_server_tag": ("io.x/s", "a"),
    "set_mcp_server_version_tag": ("io.x/s", "1", "a", "b"),
    "delete_mcp_server_version_tag": ("io.x/s", "1", "a"),
    "set_mcp_server_alias": ("io.x/s", "a", "1"),
    "delete_mcp_server_alias": ("io.x/s", "a"),
    "create_mcp_access_endpoint": ("io.x/s", "https://example.com"),
    "get_mcp_access_endpoint": ("io.x/s", "1"),
    "update_mcp_access_endpoint": ("io.x/s", "1", "https://example.com"),
    "delete_mcp_access_endpoint": ("io.x/s", "1"),
    "search_mcp_access_endpoints": (),
}

CALLED: set[str] = set()
ROUTES: set[tuple[str, str]] = set()


class Recorder:
    """A client that notes which of its methods were called."""

    def __init__(self, client: MlflowClient) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        CALLED.add(name)
        method: Callable[..., Any] = getattr(self.client, name)
        return method


@pytest.fixture(scope="module", autouse=True)
def routes() -> Iterator[None]:
    """Notes each request that the client sends."""
    send = requests.Session.request

    def noted(self: requests.Session, method: str, url: str, *args: Any, **named: Any) -> Any:
        parts = urllib.parse.urlsplit(url)
        if parts.hostname == "127.0.0.1":  # not what the client tells its makers
            ROUTES.add((method.upper(), parts.path))
        return send(self, method, url, *args, **named)

    patch = pytest.MonkeyPatch()
    patch.setattr(requests.Session, "request", noted)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def open_server(
    tmp_path_factory: pytest.TempPathFactory, server_type: type[Server]
) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("methods") / "data"
    one = server_type(data=data, arguments=["--webhooks-anywhere"]).start()
    yield one
    assert one.stop() == 0


@pytest.fixture
def client(open_server: Server) -> Any:
    mlflow.set_tracking_uri(open_server.url)
    return Recorder(MlflowClient(open_server.url))


def test_experiments(client: Any) -> None:
    experiment = client.create_experiment("methods", tags={"a": "1"})
    assert client.get_experiment(experiment).name == "methods"
    assert client.get_experiment_by_name("methods").experiment_id == experiment
    client.set_experiment_tag(experiment, "b", "2")
    client.delete_experiment_tag(experiment, "a")
    assert client.get_experiment(experiment).tags["b"] == "2"
    client.rename_experiment(experiment, "methods2")
    assert [one.name for one in client.search_experiments(filter_string="name = 'methods2'")]
    client.delete_experiment(experiment)
    client.restore_experiment(experiment)


def test_runs(client: Any, tmp_path: Path) -> None:
    parent = client.create_run("0", run_name="parent").info.run_id
    run = client.create_run("0", tags={"mlflow.parentRunId": parent}).info.run_id
    client.log_metric(run, "m", 1.5, step=2)
    client.log_param(run, "p", 1)
    client.log_batch(run, [Metric("m", 2.5, 1 << 42, 3)], [Param("q", "2")], [RunTag("t", "1")])
    client.set_tag(run, "u", "2")
    client.delete_tag(run, "u")
    assert [point.value for point in client.get_metric_history(run, "m")] == [1.5, 2.5]
    assert client.get_parent_run(run).info.run_id == parent
    frame = mlflow.data.from_pandas(pd.DataFrame({"x": [1, 2]}), name="frame")
    client.log_inputs(run, [DatasetInput(frame._to_mlflow_entity(), [])])
    client.update_run(run, name="renamed")
    client.set_terminated(run)
    stored = client.get_run(run)
    assert stored.info.run_name == "renamed" and stored.info.status == "FINISHED"
    assert stored.inputs.dataset_inputs[0].dataset.name == "frame"
    assert {one.info.run_id for one in client.search_runs(["0"], "metrics.m > 2")} == {run}
    client.delete_run(run)
    client.restore_run(run)


def test_artifacts(client: Any, tmp_path: Path) -> None:
    run = client.create_run("0").info.run_id
    (tmp_path / "a.txt").write_text("a")
    client.log_artifact(run, str(tmp_path / "a.txt"))
    client.log_artifacts(run, str(tmp_path), "folder")
    client.log_dict(run, {"a": 1}, "d.json")
    client.log_text(run, "text", "t.txt")
    client.log_stream(run, io.BytesIO(b"stream"), "s.bin")
    client.log_table(run, {"x": [1, 2], "y": ["a", "b"]}, "table.json")
    try:
        client.log_image(run, np.zeros((2, 2, 3), dtype=np.uint8), "i.png")
    except ImportError:
        LEFT_OUT["log_image"] = "needs Pillow; it is log_artifact of a file"
    assert list(client.load_table("0", "table.json", run_ids=[run])["x"]) == [1, 2]
    names = {one.path for one in client.list_artifacts(run)}
    assert {"a.txt", "folder", "d.json", "t.txt", "s.bin", "table.json"} <= names
    target = client.download_artifacts(run, "folder", str(tmp_path / ""))
    assert (Path(target) / "a.txt").read_text() == "a"


def test_logged_models(client: Any, tmp_path: Path) -> None:
    run = client.create_run("0").info.run_id
    model = client.create_logged_model("0", name="m", source_run_id=run, params={"depth": "3"})
    identifier = model.model_id
    client.log_model_params(identifier, {"more": "1"})
    client.set_logged_model_tags(identifier, {"a": "1", "b": "2"})
    client.delete_logged_model_tag(identifier, "a")
    (tmp_path / "MLmodel").write_text("flavors: {}")
    client.log_model_artifact(identifier, str(tmp_path / "MLmodel"))
    client.log_model_artifacts(identifier, str(tmp_path), "sub")
    client.finalize_logged_model(identifier, "READY")
    found = client.get_logged_model(identifier)
    assert found.status == "READY" and found.tags == {"b": "2"}
    assert found.params == {"depth": "3", "more": "1"}
    assert {one.path for one in client.list_logged_model_artifacts(identifier)} == {
        "MLmodel",
        "sub",
    }
    client.log_outputs(run, [LoggedModelOutput(identifier, 0)])
    client.log_inputs(run, models=[LoggedModelInput(identifier)])
    assert client.search_logged_models(["0"], "name = 'm'")[0].model_id == identifier
    assert LoggedModelParameter("depth", "3").key == "depth"
    client.delete_logged_model(identifier)


def test_registry(client: Any) -> None:
    client.create_registered_model("reg", tags={"a": "1"}, description="text")
    client.update_registered_model("reg", "more text")
    client.set_registered_model_tag("reg", "b", "2")
    client.delete_registered_model_tag("reg", "a")
    source = "mlflow-artifacts:/0/x/artifacts/m"
    version = client.create_model_version("reg", source).version
    client.update_model_version("reg", version, "a version")
    client.set_model_version_tag("reg", version, "c", "3")
    client.delete_model_version_tag("reg", version, "c")
    client.set_registered_model_alias("reg", "best", version)
    assert client.get_model_version_by_alias("reg", "best").version == version
    client.delete_registered_model_alias("reg", "best")
    assert client.get_model_version("reg", version).description == "a version"
    assert client.get_model_version_download_uri("reg", version) == source
    assert "Staging" in client.get_model_version_stages("reg", version)
    client.transition_model_version_stage("reg", version, "Staging")
    assert [one.version for one in client.get_latest_versions("reg", ["Staging"])] == [version]
    assert [one.name for one in client.search_registered_models("name = 'reg'")] == ["reg"]
    assert len(client.search_model_versions("name = 'reg'")) == 1
    copied = client.copy_model_version(f"models:/reg/{version}", "reg-copy")
    assert copied.name == "reg-copy" and copied.source == f"models:/reg/{version}"
    client.rename_registered_model("reg-copy", "reg-renamed")
    assert client.get_registered_model("reg").tags == {"b": "2"}
    client.delete_model_version("reg-renamed", "1")
    client.delete_registered_model("reg-renamed")


def test_prompts(client: Any) -> None:
    client.create_prompt("p", description="d", tags={"a": "1"})
    version = client.create_prompt_version("p", "Hello {{name}}")
    second = client.register_prompt("p", "Hi {{name}}", commit_message="shorter")
    assert (int(version.version), int(second.version)) == (1, 2)
    client.set_prompt_tag("p", "b", "2")
    client.delete_prompt_tag("p", "b")
    client.set_prompt_version_tag("p", "1", "c", "3")
    client.delete_prompt_version_tag("p", "1", "c")
    client.set_prompt_alias("p", "live", 2)
    assert client.get_prompt_version_by_alias("p", "live").template == "Hi {{name}}"
    assert client.load_prompt("prompts:/p@live").template == "Hi {{name}}"
    assert client.get_prompt("p").description == "d"
    assert client.get_prompt_version("p", 1).template == "Hello {{name}}"
    assert client.parse_prompt_uri("prompts:/p/1") == ("p", "1")
    assert "p" in {one.name for one in client.search_prompts()}
    try:
        client.search_prompt_versions("p")
    except MlflowException as refused:  # the client asks for Unity Catalog there
        assert refused.error_code in (
            "INVALID_PARAMETER_VALUE",
            "NOT_IMPLEMENTED",
            "INTERNAL_ERROR",
        )
    run = client.create_run("0").info.run_id
    client.link_prompt_version_to_run(run, second)
    assert '"version": "2"' in client.get_run(run).data.tags["mlflow.linkedPrompts"]
    # What older clients wrote, and this one still reads.
    client.set_prompt_version_tag("p", "2", "mlflow.prompt.associatedRunIds", run)
    assert [one.version for one in client.list_logged_prompts(run)] == [2]
    client.detach_prompt_from_run(run, "prompts:/p/2")
    model = client.create_logged_model("0", name="with prompt").model_id
    client.link_prompt_version_to_model("p", "2", model)
    client.delete_prompt_alias("p", "live")
    client.delete_prompt_version("p", "1")
    client.delete_prompt_version("p", "2")
    client.delete_prompt("p")


def test_traces(client: Any) -> None:
    root = client.start_trace("t", inputs={"a": 1}, experiment_id="0")
    span = client.start_span("s", trace_id=root.trace_id, parent_id=root.span_id)
    client.end_span(root.trace_id, span.span_id, outputs=2)
    client.end_trace(root.trace_id, outputs=3)
    mlflow.flush_trace_async_logging()
    assert {one.name for one in client.get_trace(root.trace_id).data.spans} == {"t", "s"}
    client.set_trace_tag(root.trace_id, "a", "1")
    client.delete_trace_tag(root.trace_id, "a")
    run = client.create_run("0").info.run_id
    client.link_traces_to_run([root.trace_id], run)
    prompt = client.register_prompt("traced", "Hello {{name}}")
    client.link_prompt_versions_to_trace([prompt], root.trace_id)
    found = client.search_traces(locations=["0"], filter_string=f"run_id = '{run}'")
    assert [one.info.trace_id for one in found] == [root.trace_id]
    assert client.delete_traces("0", trace_ids=[root.trace_id]) == 1


def test_webhooks(client: Any, open_server: Server) -> None:
    made = client.create_webhook("w", open_server.url + "/health", ["registered_model.created"])
    assert client.get_webhook(made.webhook_id).name == "w"
    assert [one.name for one in client.list_webhooks()] == ["w"]
    assert client.update_webhook(made.webhook_id, status="DISABLED").status == "DISABLED"
    assert not client.test_webhook(made.webhook_id).success  # /health takes no POST
    client.delete_webhook(made.webhook_id)


@pytest.mark.parametrize("method", sorted(NOT_THERE))
def test_what_is_not_there_is_said_so(client: Any, method: str) -> None:
    with pytest.raises(Exception) as refused:
        getattr(client, method)(*NOT_THERE[method])
    error = refused.value
    assert isinstance(error, MlflowException | NotImplementedError), error
    if isinstance(error, MlflowException):
        assert error.error_code in ("ENDPOINT_NOT_FOUND", "FEATURE_DISABLED", "NOT_IMPLEMENTED"), (
            error.error_code,
            error,
        )


def test_the_store_uri_of_workspaces(client: Any, open_server: Server) -> None:
    assert client.get_workspace_store_uri() == open_server.url


def listed() -> list[tuple[str, re.Pattern[str], str]]:
    """Method, pattern of the path, and state of each route on the page."""
    rows = re.findall(r"^\| `(\w+) (\S+)` \| ([^|]+) \|", PAGE.read_text(), re.M)
    found = []
    for method, path, state in rows:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
        found.append((method, re.compile(pattern.replace(r"\*\*", ".+") + "$"), state))
    return found


def test_each_route_on_the_page_that_is_not_there_answers_so(open_server: Server) -> None:
    gone = [
        (method, path)
        for method, path in re.findall(r"^\| `(\w+) (\S+)` \| answers 404", PAGE.read_text(), re.M)
    ]
    assert len(gone) > 10
    for method, path in gone:
        request = urllib.request.Request(
            open_server.url + re.sub(r"[{}]", "", path),
            b"{}" if method != "GET" else None,
            {"Content-Type": "application/json"},
            method=method,
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        assert refused.value.code == 404, (method, path)
        assert json.loads(refused.value.read())["error_code"] == "ENDPOINT_NOT_FOUND"


def test_zz_no_method_and_no_route_was_forgotten() -> None:
    """Last in this file: what the tests above have called is complete."""
    methods = {
        name
        for name, _ in inspect.getmembers(MlflowClient, inspect.isfunction)
        if not name.startswith("_")
    }
    forgotten = methods - CALLED - set(LEFT_OUT)
    assert not forgotten, f"neither exercised nor listed with a reason: {sorted(forgotten)}"
    assert set(LEFT_OUT) <= methods, "a method that is left out is no longer there"
    page = [(method, pattern) for method, pattern, state in listed()]
    unknown = {
        (method, path)
        for method, path in ROUTES
        if path not in ("/version", "/health")
        and not any(method == one and pattern.match(path) for one, pattern in page)
    }
    absent = re.compile(r"/api/3\.0/mlflow/(datasets|workspaces|mcp-|mcp/)|/graphql")
    unexpected = sorted(one for one in unknown if not absent.search(one[1]))
    assert not unexpected, f"routes that the page does not name: {unexpected}"
