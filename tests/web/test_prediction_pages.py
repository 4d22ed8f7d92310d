"""Predictions found in the browser, walked back to their data, and asked again."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import mlflow
import numpy
import pandas
import pytest
import sklearn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from sklearn.linear_model import LogisticRegression
from watched import Watched

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@dataclass
class Answered:
    """A server whose deployment `demo` answered, and the identifiers of what it answered."""

    server: Any
    good: str
    refused: str
    example: object


def register_versions(address: str) -> None:
    mlflow.set_tracking_uri(address)
    mlflow.set_experiment("demo/train")
    values = numpy.random.default_rng(0).normal(size=(200, 3))
    table = pandas.DataFrame(values, columns=["age", "income", "visits"])
    answers = (table["age"] + table["income"] > 0).astype(int)
    for strength in (1.0, 0.05):
        with mlflow.start_run():
            mlflow.log_param("strength", strength)
            mlflow.log_metric("accuracy", 0.9)
            mlflow.log_input(mlflow.data.from_pandas(table, name="people"), context="training")
            model = LogisticRegression(C=strength).fit(table, answers)
            mlflow.sklearn.log_model(
                model,
                name="model",
                registered_model_name="demo",
                input_example=table[:3],
                # Finding them out by itself takes MLflow half a minute a model.
                pip_requirements=[f"scikit-learn=={sklearn.__version__}"],
            )


def ask(server: Any, path: str, body: bytes) -> str:
    """Asks the gateway; returns the identifier also of an answer that is a refusal."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(server.gateway_url + path, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return str(reply.headers["X-Aloft-Prediction-Id"])
    except urllib.error.HTTPError as refusal:
        return str(refusal.headers["X-Aloft-Prediction-Id"])


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, server_type: Any) -> Iterator[Answered]:
    folder = tmp_path_factory.mktemp("predictions")
    server = server_type(data=folder / "data", with_gateway=True).start()
    register_versions(server.url)
    manifests: list[dict[str, Any]] = []

    def is_ready(version: int) -> bool:
        reply = json.loads(server.get(f"/api/v1/models/demo/versions/{version}/servable") or "{}")
        assert reply.get("state") != "failed", reply
        if reply.get("state") == "ready":
            manifests.append(reply["manifest"])
        return bool(reply.get("state") == "ready")

    for version in (1, 2):
        server.wait_until(
            lambda number=version: is_ready(number), f"version {version}", seconds=400
        )
    server.run("deploy", "demo", "--model", "demo/1", "--at-once", "--wait")
    infer = "/v2/models/demo/infer"
    example = json.dumps(manifests[0]["example"]).encode()
    for _ in range(104):
        ask(server, infer, example)
    good = ask(server, infer, example)
    hostile = {
        "inputs": [{"name": HOSTILE, "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}]
    }
    refused = ask(server, infer, json.dumps(hostile).encode())
    for identifier in (good, refused):
        server.wait_until(
            lambda each=identifier: bool(server.get(f"/api/v1/predictions/{each}")), identifier
        )
    yield Answered(server, good, refused, manifests[0]["example"])
    server.stop()


def serious_faults(page: Page) -> list[str]:
    return [
        f"{fault['id']}: {node['html'][:160]}"
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"][:3]
    ]


def test_predictions_are_found_by_error_revision_time_and_id(
    answered: Answered, open_context: Callable[..., BrowserContext]
) -> None:
    watched = Watched(open_context(), answered.server.url)
    page = watched.open("/")
    page.keyboard.press("g")
    page.keyboard.press("p")
    table = page.get_by_role("table", name="Predictions")
    expect(table).to_contain_text(answered.good)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="Newest")).to_be_visible()
    expect(table).not_to_contain_text(answered.good)
    page.go_back()
    expect(table).to_contain_text(answered.good)

    page.get_by_label("Errors only").check()
    expect(table).not_to_contain_text(answered.good)
    expect(table).to_contain_text(answered.refused)
    page.get_by_label("Deployment", exact=True).select_option("demo")
    page.get_by_label("Revision", exact=True).select_option("1")
    page.get_by_label("Time", exact=True).select_option("Last hour")
    expect(table).to_contain_text(answered.refused)
    assert "deployment=demo&revision=1&time=1h" in page.url
    page.get_by_label("Time", exact=True).select_option("Between…")
    page.get_by_label("Until").fill("2020-01-01T10:00")
    expect(page.get_by_text("No prediction fits")).to_be_visible()
    page.get_by_role("link", name="Show all").click()

    page.keyboard.press("/")
    page.keyboard.type("abc")
    expect(page.get_by_text("28 hexadecimal digits")).to_be_visible()
    page.get_by_label("Find by id").fill(answered.good)
    expect(table.get_by_role("row")).to_have_count(2)
    table.get_by_role("link", name=answered.good).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(answered.good)
    assert watched.errors == []


def test_a_new_answer_appears_by_itself(
    answered: Answered, open_context: Callable[..., BrowserContext]
) -> None:
    watched = Watched(open_context(), answered.server.url)
    page = watched.open("/predictions")
    table = page.get_by_role("table", name="Predictions")
    expect(table).to_contain_text(answered.good)
    new = ask(answered.server, "/v2/models/demo/infer", json.dumps(answered.example).encode())
    expect(table).to_contain_text(new)
    assert watched.errors == []


def test_one_is_walked_back_to_its_data_and_asked_again_of_another_version(
    answered: Answered, open_context: Callable[..., BrowserContext]
) -> None:
    watched = Watched(open_context(), answered.server.url)
    page = watched.open(f"/predictions/{answered.good}")
    walk = page.get_by_role("list", name="From the answer back to the data")
    for text in ("demo r1", "demo v1", "demo/train", "people"):
        expect(walk).to_contain_text(text)
    expect(page.get_by_text('"outputs"').first).to_be_visible()
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("No difference")).to_be_visible()
    page.get_by_label("Version to ask").select_option("2")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("Largest difference")).to_be_visible()
    expect(page.get_by_role("heading", name="Then, v1")).to_be_visible()
    expect(page.get_by_role("heading", name="Now, v2")).to_be_visible()
    assert "version=2" in page.url
    assert serious_faults(page) == []
    walk.get_by_role("link", name=re.compile("demo v1")).click()
    expect(page.get_by_role("list", name="From data to deployment")).to_be_visible()
    page.go_back()
    walk.get_by_role("link", name="demo r1").click()
    # The navigation has a link of the same name, which is there before the page is.
    page.get_by_role("main").get_by_role("link", name="Predictions", exact=True).click()
    expect(page.get_by_label("Deployment", exact=True)).to_have_value("demo")
    assert watched.errors == []


def test_what_was_asked_is_text_also_where_it_tries_to_be_a_script(
    answered: Answered, open_context: Callable[..., BrowserContext]
) -> None:
    watched = Watched(open_context(), answered.server.url)
    page = watched.open(f"/predictions/{answered.refused}")
    expect(page.get_by_role("alert")).to_contain_text("The model has no input")
    expect(page.get_by_text("onerror=").first).to_be_visible()
    assert page.title() != "owned"
    assert page.locator("img[src='x']").count() == 0
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text(re.compile("No difference|Answered differently"))).to_be_visible()
    assert page.title() != "owned"
    unknown = watched.open(f"/predictions/{'0' * 28}")
    expect(unknown.get_by_role("alert")).to_contain_text("prediction")
    assert watched.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_both_pages_can_be_read_by_everyone_also_on_a_phone(
    answered: Answered, open_context: Callable[..., BrowserContext], width: int, theme: str
) -> None:
    watched = Watched(open_context(width=width, theme=theme), answered.server.url)
    page = watched.open("/predictions")
    expect(page.get_by_role("table", name="Predictions")).to_contain_text(answered.good)
    shown = [
        "/predictions",
        *(f"/predictions/{each}" for each in (answered.good, answered.refused)),
    ]
    for path in shown:
        page = watched.open(path)
        expect(page.locator("[aria-busy]")).to_have_count(0)
        assert serious_faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert watched.errors == []


def test_an_answer_given_in_a_rollout_names_its_step(
    answered: Answered, open_context: Callable[..., BrowserContext]
) -> None:
    server = answered.server
    server.run("deploy", "demo", "--model", "demo/2")
    body = json.dumps(answered.example).encode()
    found: list[str] = []

    def is_in_a_step() -> bool:
        for _ in range(10):
            ask(server, "/v2/models/demo/infer", body)
        listed = json.loads(server.get("/api/v1/predictions?deployment=demo&limit=20") or "{}")
        items = listed.get("predictions", [])
        found.extend(each["id"] for each in items if each.get("rolloutStep") is not None)
        return bool(found)

    server.wait_until(is_in_a_step, "an answer in a step of the rollout")
    watched = Watched(open_context(), server.url)
    page = watched.open(f"/predictions/{found[0]}")
    walk = page.get_by_role("list", name="From the answer back to the data")
    expect(walk).to_contain_text("Rollout step 1")
    expect(page.get_by_role("heading", name="Rollout step 1")).to_be_visible()
    expect(page.get_by_role("table", name=re.compile("Evidence at"))).to_be_visible()
    assert serious_faults(page) == []
    assert watched.errors == []
