"""Pages of other places, in a real browser that reaches a server without tokens: from another
origin, and by a name that resolves to loopback. They start nothing and read nothing."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aloft_server import Server
from playwright.sync_api import Browser, Page

NAME = "rebound.example"

#: Sends what needs no preflight, to the server and its gateway, and says what it could read.
ATTACK = """
async ({ server, gateway, mark }) => {
    const read = [];
    const job = JSON.stringify({ command: `touch ${mark}` });
    const send = async (url, options) => {
        try {
            const reply = await fetch(url, options);
            if (reply.type !== "opaque" && reply.ok) read.push(url + " " + await reply.text());
        } catch (error) { /* The browser says no more of a refused request. */ }
    };
    const experiment = '{"name":"foreign"}';
    const form = "application/x-www-form-urlencoded";
    for (const type of ["text/plain", form, "multipart/form-data; boundary=b"]) {
        const headers = { "Content-Type": type };
        const simple = { method: "POST", mode: "no-cors", credentials: "include", headers };
        await send(server + "/api/v1/jobs", { ...simple, body: job });
        await send(server + "/api/v1/tokens", { ...simple, body: '{"name":"foreign"}' });
        for (const api of ["/api", "/ajax-api"])
            await send(
                server + api + "/2.0/mlflow/experiments/create", { ...simple, body: experiment });
    }
    // A blob without a type sends none.
    await send(server + "/api/v1/jobs", { method: "POST", mode: "no-cors", body: new Blob([job]) });
    navigator.sendBeacon(server + "/api/v1/jobs", job);
    await send(gateway + "/v2/repository/models/m/unload", { method: "POST", mode: "no-cors" });
    await send(gateway + "/v2/repository/models/m/unload", { method: "POST" });
    // These are asked for first.
    const json = { method: "POST", headers: { "Content-Type": "application/json" }, body: job };
    await send(server + "/api/v1/jobs", json);
    await send(server + "/api/v1/project-files", { ...json, method: "PUT" });
    const artifact = "/api/2.0/mlflow-artifacts/artifacts/0/foreign";
    await send(server + artifact, { method: "PUT", body: "x" });
    const first = "/api/2.0/mlflow/experiments/get?experiment_id=0";
    const pages = ["/", "/api/v1/jobs", "/api/v1/events", first];
    for (const path of pages) await send(server + path, {});
    for (const path of ["/v2", "/v2/models", "/metrics"]) await send(gateway + path, {});
    return read;
}
"""

FORM = """
({ server, mark }) => {
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", enctype: "text/plain", action: server + "/api/v1/jobs" });
    const field = document.createElement("input");
    field.name = `{"command":"touch ${mark}","name":"a`;
    field.value = '"}';
    form.append(field);
    document.body.append(form);
    form.submit();
}
"""


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a gateway, and without tokens."""
    one = Server(data=tmp_path_factory.mktemp("foreign") / "data", with_gateway=True)
    one.start()
    yield one
    assert one.stop() == 0


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server of somebody else's pages on this machine."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "index.html").write_text("<!doctype html><title>foreign</title><body></body>")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as pages:
        thread = threading.Thread(target=pages.serve_forever, daemon=True)
        thread.start()
        yield pages.server_port
        pages.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def misled(launch: Callable[..., Browser]) -> Browser:
    """A browser whose name service points a foreign name at this machine."""
    return launch(f"--host-resolver-rules=MAP {NAME} 127.0.0.1")


def nothing_happened(server: Server, mark: Path) -> None:
    assert json.loads(server.get("/api/v1/jobs"))["jobs"] == []
    assert "foreign" not in server.get("/api/v1/tokens").decode()
    found = server.get("/api/2.0/mlflow/experiments/get-by-name?experiment_name=foreign")
    assert found == b"", "an experiment was made"
    assert server.get("/api/2.0/mlflow-artifacts/artifacts/0/foreign") == b""
    assert not mark.exists()


def attack(page: Page, server: Server, host: str, mark: Path) -> list[str]:
    places = {
        "server": f"http://{host}:{server.port}",
        "gateway": f"http://{host}:{server.gateway_port}",
        "mark": str(mark),
    }
    return list(page.evaluate(ATTACK, places))


@pytest.mark.parametrize("page_host", ["127.0.0.1", NAME])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_origin_starts_and_reads_nothing(
    open_server: Server, foreign: int, misled: Browser, tmp_path: Path, page_host: str, host: str
) -> None:
    mark = tmp_path / "mark"
    page = misled.new_page()
    page.goto(f"http://{page_host}:{foreign}/")
    assert attack(page, open_server, host, mark) == []
    with page.expect_navigation() as submitted:
        page.evaluate(FORM, {"server": f"http://{host}:{open_server.port}", "mark": str(mark)})
    assert submitted.value.status == 403
    page.close()
    nothing_happened(open_server, mark)


def test_a_name_that_resolves_to_loopback_opens_nothing(
    open_server: Server, misled: Browser, tmp_path: Path
) -> None:
    """DNS rebinding: for the browser the page and the server are then of one origin."""
    mark = tmp_path / "mark"
    page = misled.new_page()
    for port in (open_server.port, open_server.gateway_port):
        reply = page.goto(f"http://{NAME}:{port}/health")
        assert reply is not None and reply.status == 421
        assert f"--host {NAME}" in reply.text()
        assert attack(page, open_server, NAME, mark) == []
    page.close()
    nothing_happened(open_server, mark)
