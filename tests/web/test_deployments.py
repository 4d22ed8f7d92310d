"""A model on its way to production, steered in the browser while requests come in."""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import numpy
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from sklearn.linear_model import LogisticRegression
from watched import Watched


def register_versions(address: str) -> None:
    mlflow.set_tracking_uri(address)
    mlflow.set_experiment("demo/train")
    chance = numpy.random.default_rng(0)
    rows = chance.normal(size=(200, 4))
    answers = (rows[:, 0] + rows[:, 1] > 0).astype(int)
    for strength in (1.0, 0.1):
        with mlflow.start_run():
            model = LogisticRegression(C=strength).fit(rows, answers)
            mlflow.sklearn.log_model(
                model, name="model", registered_model_name="demo", input_example=rows[:3]
            )


def serious_faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [fault["id"] for fault in found if fault["impact"] in ("serious", "critical")]


class Stream:
    """Requests without a pause, until it is ended."""

    def __init__(self, gateway: str, body: object) -> None:
        self.address = f"{gateway}/v2/models/demo/infer"
        self.body = json.dumps(body).encode()
        self.failed: list[str] = []
        self.sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        headers = {"Content-Type": "application/json"}
        while not self._stop.is_set():
            try:
                request = urllib.request.Request(self.address, self.body, headers)
                urllib.request.urlopen(request, timeout=60).read()
                self.sent += 1
            except OSError as error:
                self.failed.append(str(error))
            time.sleep(0.005)

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture(scope="module")
def flying(
    tmp_path_factory: pytest.TempPathFactory, server_type
) -> Iterator[tuple[object, object]]:  # type: ignore[no-untyped-def]
    """A server whose deployment `demo` has version 1 in production; and a request for it."""
    folder: Path = tmp_path_factory.mktemp("flying")
    server = server_type(data=folder / "data", with_gateway=True).start()
    register_versions(server.url)
    servable: dict[str, object] = {}

    def is_ready(version: int) -> bool:
        reply = json.loads(server.get(f"/api/v1/models/demo/versions/{version}/servable") or "{}")
        servable.update(reply)
        assert reply.get("state") != "failed", reply
        return reply.get("state") == "ready"

    for version in (2, 1):
        server.wait_until(
            lambda number=version: is_ready(number), f"version {version}", seconds=400
        )
    server.run("deploy", "demo", "--model", "demo/1", "--at-once", "--wait")
    manifest = servable["manifest"]
    assert isinstance(manifest, dict)
    yield server, manifest["example"]
    server.stop()


def test_a_rollout_is_watched_paused_promoted_and_rolled_back(
    flying: tuple[object, object], open_context: Callable[..., BrowserContext]
) -> None:
    server, example = flying
    watched = Watched(open_context(), server.url)  # type: ignore[attr-defined]
    page = watched.open("/deployments")
    page.get_by_role("link", name="demo", exact=True).click()
    expect(page.get_by_text("Revision 1", exact=True)).to_be_visible()

    stream = Stream(server.gateway_url, example)  # type: ignore[attr-defined]
    try:
        server.run("deploy", "demo", "--model", "demo/2")  # type: ignore[attr-defined]
        # Nobody reloads: the live feed brings the new revision and its evidence.
        expect(page.get_by_role("heading", name="Rollout of revision 2")).to_be_visible()
        expect(page.get_by_role("table", name=re.compile("Evidence at"))).to_be_visible()
        for action, then in (("Pause", "Resume"), ("Resume", "Pause")):
            page.get_by_role("button", name=action, exact=True).click()
            page.get_by_role("dialog").get_by_role("button", name=action).click()
            expect(page.get_by_role("button", name=then, exact=True)).to_be_visible()
        rates = page.get_by_role("table", name="Rates by revision")
        expect(rates.get_by_role("row").filter(has_text="demo v1")).to_contain_text(
            re.compile(r"ms.*ms.*ms")
        )
        chart = page.get_by_role("img", name="Requests a second by revision")
        expect(chart).to_have_attribute("data-lines", "2")
        # One place tells the values of all revisions.
        box = chart.bounding_box()
        assert box is not None
        chart.hover(position={"x": box["width"] - 30, "y": 20})
        expect(chart.locator(".chart-tooltip")).to_contain_text(re.compile(r"/s r1.*/s r2"))
        assert serious_faults(page) == []
        page.get_by_role("button", name="Promote", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Give").click()
        expect(page.get_by_role("img", name="revision 2: 100%")).to_be_visible()
        page.get_by_role("button", name="Roll back", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
        expect(page.get_by_role("img", name="revision 1: 100%")).to_be_visible()
    finally:
        stream.end()
    assert stream.failed == []
    assert stream.sent > 50
    page.get_by_role("link", name=re.compile("History")).click()
    expect(page.get_by_role("table", name="Revisions")).to_contain_text("rolled back")
    assert watched.errors == []


def test_a_version_tells_how_it_came_about_and_where_it_serves(
    flying: tuple[object, object], open_context: Callable[..., BrowserContext]
) -> None:
    server, _ = flying
    watched = Watched(open_context(), server.url)  # type: ignore[attr-defined]
    page = watched.open("/models/demo")
    row = page.get_by_role("row").filter(has_text="Version 1")
    expect(row).to_contain_text("production")
    row.get_by_role("link", name="Version 1").click()
    walk = page.get_by_role("list", name="From data to deployment")
    expect(walk).to_contain_text("ONNX")
    expect(walk).to_contain_text("Deployment, production")
    expect(page.get_by_text(re.compile(r"over \d,?\d{3} rows"))).to_be_visible()
    assert serious_faults(page) == []
    walk.get_by_role("link", name="demo", exact=True).click()
    expect(page.get_by_role("heading", name="Live traffic")).to_be_visible()
    assert watched.errors == []


def test_a_deployment_is_asked_in_the_browser(
    flying: tuple[object, object], open_context: Callable[..., BrowserContext]
) -> None:
    server, _ = flying
    watched = Watched(open_context(), server.url)  # type: ignore[attr-defined]
    page = watched.open("/deployments/demo?tab=try")
    # What is no number is not sent as null, and the page says where.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else 0)
    for wrong in ("not a number", "", "1e999", "0x10"):
        page.get_by_label("x0").fill(wrong)
        page.get_by_role("button", name="Ask").click()
        expect(page.get_by_role("alert")).to_contain_text("One field")
        expect(page.get_by_label("x0")).to_have_attribute("aria-invalid", "true")
    assert not [url for url in asked if "/predictions/" in url]
    page.get_by_label("x0").fill("5")
    # Programs are told of the gateway beside this server, wherever it listens.
    expect(page.get_by_text(f"export ALOFT_GATEWAY={server.gateway_url}")).to_be_visible()  # type: ignore[attr-defined]
    page.get_by_role("button", name="Ask").click()
    answer = page.locator("section").filter(has=page.get_by_role("heading", name="Answer"))
    expect(answer).to_contain_text('"outputs"')
    page.get_by_label("As JSON").check()
    page.get_by_label("Body").fill('{"inputs": [{"name": "input", "shape": [1, 3]}]}')
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("alert")).to_be_visible()


def refuse(address: str, body: bytes, status: int) -> None:
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    assert refused.value.code == status


def test_what_is_refused_stands_beside_what_failed(
    flying: tuple[object, object], open_context: Callable[..., BrowserContext]
) -> None:
    server, example = flying
    gateway = server.gateway_url  # type: ignore[attr-defined]
    watched = Watched(open_context(), server.url)  # type: ignore[attr-defined]
    page = watched.open("/deployments/demo")
    for _ in range(300):
        refuse(f"{gateway}/v2/models/demo/infer", b'{"inputs": []}', 400)
    for _ in range(30):
        refuse(f"{gateway}/v2/models/dmeo/infer", json.dumps(example).encode(), 404)
    rates = page.get_by_role("table", name="Rates by revision")
    expect(rates.get_by_role("columnheader", name="Refused")).to_be_visible()
    # Beside what other tests asked lately; nothing failed.
    cells = rates.get_by_role("row").filter(has_text="demo v").first.locator("td, th")
    expect(cells.nth(4)).to_have_text(re.compile(r"^[1-9][\d.]*%$"))
    expect(cells.nth(3)).to_have_text("0%")
    page = watched.open("/deployments")
    none = page.get_by_role("group", name="Requests to no revision")
    expect(none).to_contain_text("to a model that is not there dmeo")
    page = watched.open("/")
    needs = page.locator("section").filter(has=page.get_by_role("heading", name="Needs a person"))
    expect(needs).to_contain_text("demo in production refuses requests")
    assert serious_faults(page) == []
    assert watched.errors == []


def test_the_conversion_is_a_job_with_its_log(
    flying: tuple[object, object], open_context: Callable[..., BrowserContext]
) -> None:
    server, _ = flying
    watched = Watched(open_context(), server.url)  # type: ignore[attr-defined]
    page = watched.open("/jobs")
    page.get_by_role("link", name="convert").first.click()
    expect(page.get_by_role("log")).to_contain_text("parity")
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded")
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("stopped")
    assert watched.errors == []
