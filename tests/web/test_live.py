"""What others change comes to the pages that show it, without a reload and without polling."""

from __future__ import annotations

import json
import re
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

import mlflow
from aloft_server import Server
from mlflow import MlflowClient
from playwright.sync_api import BrowserContext, Page, Request, expect
from seed import Seeded
from watched import Watched


class Asked:
    """The requests of a page that ask the server for data, from when this is made."""

    def __init__(self, page: Page) -> None:
        self.paths: list[str] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.resource_type == "fetch":
            self.paths.append(re.sub(r"^https?://[^/]+|\?.*", "", request.url))


def test_experiments_made_elsewhere_appear(watched: Watched, seeded: Seeded) -> None:
    page = watched.open("/experiments")
    expect(page.get_by_role("link", name="flights/train")).to_be_visible()
    MlflowClient().create_experiment("made elsewhere")
    expect(page.get_by_role("link", name="made elsewhere")).to_be_visible()


def test_what_is_said_of_a_model_elsewhere_appears(watched: Watched, seeded: Seeded) -> None:
    page = watched.open(f"/models/{seeded.model}/versions/1")
    expect(page.get_by_text("models:/flight-delay/1").first).to_be_visible()
    client = MlflowClient()
    client.update_model_version(seeded.model, "1", description="said elsewhere")
    expect(page.get_by_text("said elsewhere")).to_be_visible()
    client.set_model_version_tag(seeded.model, "1", "reviewed", "by grace")
    expect(page.get_by_text("by grace")).to_be_visible()
    page = watched.open(f"/models/{seeded.model}")
    expect(page.get_by_text("Later than 15 minutes?")).to_be_visible()
    client.update_registered_model(seeded.model, description="told anew")
    expect(page.get_by_text("told anew")).to_be_visible()
    client.set_registered_model_alias(seeded.model, "passing", "1")
    row = page.get_by_role("row").filter(has_text="Version 1")
    expect(row).to_contain_text("passing")
    client.delete_registered_model_alias(seeded.model, "passing")
    expect(row).not_to_contain_text("passing")


def test_a_view_saved_elsewhere_appears(
    watched: Watched, seeded: Seeded, open_context: Callable[..., BrowserContext]
) -> None:
    base = f"/experiments/{seeded.experiment}"
    page = watched.open(base)
    page.get_by_role("button", name="Views").click()
    expect(page.get_by_text("Keep this filter")).to_be_visible()
    other = Watched(open_context(), watched.base).open(f"{base}?order=metrics.val_auc DESC")
    other.get_by_role("button", name="Views").click()
    other.get_by_role("button", name="Save this view").click()
    other.get_by_label("Name of the view").fill("theirs")
    other.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="theirs", exact=True)).to_be_visible()


def test_a_webhook_made_elsewhere_appears(
    make_server: Callable[..., Server], open_context: Callable[..., BrowserContext]
) -> None:
    server = make_server("told", arguments=["--webhooks-anywhere"])
    watched = Watched(open_context(), server.url)
    page = watched.open("/settings")
    expect(page.get_by_text("No webhooks")).to_be_visible()
    body = {
        "name": "pager",
        "url": "http://127.0.0.1:9/hook",
        "events": [{"entity": "MODEL_VERSION", "action": "CREATED"}],
    }
    request = urllib.request.Request(
        server.url + "/api/2.0/mlflow/webhooks",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).read()
    expect(page.get_by_role("table", name="Webhooks")).to_contain_text("pager")
    assert watched.errors == []


def test_files_appear_while_a_run_logs_them(watched: Watched, seeded: Seeded) -> None:
    live = seeded.runs[-1]
    page = watched.open(f"/runs/{live}?tab=artifacts")
    expect(page.get_by_text("No artifacts")).to_be_visible()
    client = mlflow.MlflowClient()
    with tempfile.TemporaryDirectory() as name:
        for file in ("first.txt", "second.txt"):
            (Path(name) / file).write_text(file)
            client.log_artifact(live, str(Path(name) / file))
            tree = page.get_by_role("navigation", name="Artifacts")
            expect(tree.get_by_role("button", name=file)).to_be_visible()


def test_a_page_where_nothing_happens_asks_for_nothing(
    make_server: Callable[..., Server], open_context: Callable[..., BrowserContext]
) -> None:
    server = make_server("still")
    client = MlflowClient(server.url)
    experiment = client.create_experiment("quiet")
    run = client.create_run(experiment, run_name="done").info.run_id
    client.set_terminated(run)
    client.create_registered_model("quiet")
    pages: dict[str, tuple[Watched, Asked]] = {}
    for path in (
        "/experiments",
        f"/experiments/{experiment}",
        f"/runs/{run}",
        f"/runs/{run}?tab=artifacts",
        "/models",
        "/models/quiet",
        "/jobs",
        "/sweeps",
        "/predictions",
        "/settings",
    ):
        # A context of its own: a browser has six connections to a server for all windows together.
        watched = Watched(open_context(), server.url)
        page = watched.open(path)
        expect(page.locator("[aria-busy]")).to_have_count(0)
        pages[path] = (watched, Asked(page))
    watched.page.wait_for_timeout(2000)
    for _, asked in pages.values():
        asked.paths.clear()
    # Longer than between two questions of any page: what is looked for is that none comes.
    watched.page.wait_for_timeout(6000)
    for path, (watched, asked) in pages.items():
        assert asked.paths == [], path
        assert watched.errors == []


HIDE = """() => {
    const hidden = {get: () => "hidden", configurable: true};
    Object.defineProperty(document, "visibilityState", hidden);
    document.dispatchEvent(new Event("visibilitychange"));
}"""
SHOW = """() => {
    delete document.visibilityState;
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_live_figures_are_asked_for_only_while_they_are_seen(
    watched: Watched, seeded: Seeded
) -> None:
    page = watched.open("/deployments")
    with page.expect_request(lambda request: "/api/v1/traffic" in request.url):
        pass
    page.evaluate(HIDE)
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.wait_for_timeout(1000)
    asked = Asked(page)
    page.wait_for_timeout(6000)
    assert asked.paths == []
    with page.expect_request(lambda request: "/api/v1/traffic" in request.url):
        page.evaluate(SHOW)


def test_many_windows_do_not_use_up_the_browsers_connections(
    server: Server, seeded: Seeded, open_context: Callable[..., BrowserContext]
) -> None:
    context = open_context()

    def opened() -> Page:
        page = Watched(context, server.url).open("/experiments")
        expect(page.get_by_role("link", name="flights/train")).to_be_visible()
        return page

    # Six connections are all that a browser makes to one server.
    let_go: list[Request] = []
    hidden = [opened() for _ in range(5)]
    for page in hidden:
        page.on("requestfailed", lambda request: let_go.append(request))
        page.evaluate(HIDE)
    for page in hidden:
        while not any(request.frame.page == page for request in let_go):
            page.wait_for_timeout(200)
    for _ in range(3):
        opened()
    # What changed while nobody saw it is there once somebody does.
    MlflowClient().create_experiment("made unseen")
    page.evaluate(SHOW)
    expect(page.get_by_role("link", name="made unseen")).to_be_visible()
