"""Every page and its main actions, as a person uses them."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable

import mlflow
import pytest
from mlflow.entities import Metric
from playwright.sync_api import BrowserContext, Route, expect
from seed import Seeded
from watched import Watched


def test_an_empty_server_says_what_to_do_first(
    make_server: Callable[..., object], open_context: Callable[..., BrowserContext]
) -> None:
    server = make_server("empty")
    page = open_context().new_page()
    page.goto(server.url)  # type: ignore[attr-defined]
    expect(page.get_by_role("heading", name="Welcome to Aloft")).to_be_visible()
    expect(page.get_by_text("aloft sweep train")).to_be_visible()
    page.goto(server.url + "/models")  # type: ignore[attr-defined]
    expect(page.get_by_text("No models yet")).to_be_visible()


def test_home_shows_the_latest_runs(watched: Watched, seeded: Seeded) -> None:
    page = watched.open("/")
    expect(page.get_by_role("heading", name="Latest runs")).to_be_visible()
    expect(page.get_by_role("heading", name="Running now")).to_be_visible()
    page.get_by_role("link", name="still running").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("still running")
    page.go_back()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


def test_an_experiment_is_found_and_opened(watched: Watched, seeded: Seeded) -> None:
    page = watched.open("/experiments")
    expect(page.get_by_role("link", name="flights/train")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("flights")
    expect(page).to_have_url(re.compile("find=flights"))
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="flights/train").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("flights/train")


def test_a_run_shows_what_was_logged(watched: Watched, seeded: Seeded) -> None:
    page = watched.open(f"/runs/{seeded.runs[0]}")
    expect(page.get_by_role("table", name="Parameters")).to_contain_text("learning_rate")
    expect(page.get_by_role("table", name="Metrics")).to_contain_text("val_auc")
    expect(page.get_by_text("flights-2013-01")).to_be_visible()
    expect(page.get_by_text("8f14e45fceea167a5a36dedd4bea2543")).to_be_visible()
    expect(page.get_by_text("by ada")).to_be_visible()
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("trial-zero")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("trial-zero")
    assert mlflow.get_run(seeded.runs[0]).info.run_name == "trial-zero"


def test_curves_follow_a_run_while_it_is_logged(watched: Watched, seeded: Seeded) -> None:
    live = seeded.runs[-1]
    page = watched.open(f"/runs/{live}?tab=curves")
    chart = page.get_by_role("img", name=re.compile("val_auc"))
    expect(chart).to_have_attribute("data-lines", "1")
    client = mlflow.MlflowClient()
    for step in range(1, 6):
        client.log_metric(live, "val_auc", 0.55 + step / 100, step=step)
    client.log_metric(live, "fresh", 1.0, step=1)
    expect(page.get_by_role("img", name=re.compile("fresh"))).to_be_visible()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 16, box["y"] + 12)
    expect(chart).to_contain_text("0.6")


def test_artifacts_are_previewed(watched: Watched, seeded: Seeded) -> None:
    page = watched.open(f"/runs/{seeded.runs[0]}?tab=artifacts")
    tree = page.get_by_role("navigation", name="Artifacts")
    tree.get_by_role("button", name="importance.csv").click()
    expect(page.get_by_role("cell", name="wind, gusts")).to_be_visible()
    tree.get_by_role("button", name="metrics.json").click()
    expect(page.get_by_text('"confusion"')).to_be_visible()
    tree.get_by_role("button", name="notes.txt").click()
    expect(page.get_by_text("of text")).to_be_visible()
    tree.get_by_role("button", name="pixel.png").click()
    expect(page.get_by_role("img", name="Artifact pixel.png")).to_be_visible()
    tree.get_by_role("button", name="weights.bin").click()
    expect(page.get_by_text("No preview for this kind of file")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == bytes(range(256))


def test_runs_are_compared(watched: Watched, seeded: Seeded) -> None:
    page = watched.open(f"/experiments/{seeded.experiment}")
    for name in ("trial-01", "trial-02", "trial-03"):
        page.get_by_role("row").filter(has_text=name).get_by_role("checkbox").click()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Compare 3 runs")
    chart = page.get_by_role("img", name=re.compile("val_auc by step"))
    expect(chart).to_have_attribute("data-lines", "3")
    expect(page.get_by_role("img", name=re.compile("Parallel coordinates of 3"))).to_be_visible()
    differences = page.get_by_role("region", name="Differences")
    expect(differences.get_by_text("params.learning_rate")).to_be_visible()
    page.get_by_label("Smoothing").fill("0.8")
    expect(chart).to_have_attribute("data-lines", "6")


def test_runs_are_points_of_a_scatter_chart(watched: Watched, seeded: Seeded) -> None:
    client = mlflow.MlflowClient()
    runs = [client.get_run(run) for run in seeded.runs[:8]]
    ids = ",".join(seeded.runs[:8])
    page = watched.open(f"/compare?runs={ids}&x=params.learning_rate&y=metrics.val_auc")
    page.get_by_role("heading", name="Scatter").scroll_into_view_if_needed()
    chart = page.get_by_role("img", name="metrics.val_auc by params.learning_rate")
    expect(chart).to_have_attribute("data-lines", "1")
    chart.scroll_into_view_if_needed()
    # The lowest point stands near the bottom, where its rate is between the ends of all rates.
    worst = min(runs, key=lambda run: run.data.metrics["val_auc"])
    rates = [float(run.data.params["learning_rate"]) for run in runs]
    share = (float(worst.data.params["learning_rate"]) - min(rates)) / (max(rates) - min(rates))
    box = chart.bounding_box()
    assert box is not None
    left, right = box["x"] + 70, box["x"] + box["width"] - 14
    tip = chart.locator(".chart-tooltip")
    across = 70 + (0.03 + 0.94 * share) * (right - left)
    chart.hover(position={"x": across, "y": box["height"] - 55})
    expect(tip).to_contain_text(worst.info.run_name or "")
    expect(tip).to_contain_text(f"{worst.data.metrics['val_auc']:.5g}")
    # A box chooses a part of both axes, a double click shows everything again.
    page.mouse.move(left + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(right - 40, box["y"] + box["height"] / 2, steps=3)
    page.mouse.up()
    expect(chart).to_have_attribute("data-zoomed", re.compile(r"^\S+ \S+ \S+ \S+$"))
    chart.dblclick()
    expect(chart).to_have_attribute("data-zoomed", "")
    # Texts stand beside each other by their names.
    page.get_by_label("Horizontal", exact=True).select_option("params.booster")
    chart = page.get_by_role("img", name="metrics.val_auc by params.booster")
    expect(chart).to_have_attribute("data-lines", "1")
    assert page.locator("script[src*='charts-']").count() == 0


def test_a_curve_is_looked_into(watched: Watched, seeded: Seeded) -> None:
    # Long enough that the server sends only some of its points.
    client = mlflow.MlflowClient()
    run = client.create_run(seeded.hostile_experiment, run_name="long").info.run_id
    for first in range(0, 4000, 1000):
        client.log_batch(
            run, [Metric("long", step % 97, step, step) for step in range(first, first + 1000)]
        )
    page = watched.open(f"/compare?runs={run},{seeded.runs[0]}&metrics=long")
    chart = page.get_by_role("img", name="long by step")
    expect(chart).to_have_attribute("data-lines", "1")
    # Smoothed by the server, of all points.
    with page.expect_request(lambda request: '"smoothing":0.5' in (request.post_data or "")):
        page.get_by_label("Smoothing").fill("0.5")
    expect(chart).to_have_attribute("data-lines", "2")
    expect(chart).not_to_have_attribute("data-interim", "true")
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    with page.expect_request(
        lambda request: "aloft/curves" in request.url and "start_step" in (request.post_data or "")
    ):
        page.mouse.move(box["x"] + box["width"] * 0.4, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=3)
        page.mouse.up()
    expect(chart).to_have_attribute("data-zoomed", re.compile(r"\d"))
    page.get_by_role("button", name="Show all").click()
    expect(chart).to_have_attribute("data-zoomed", "")
    # The same with keys alone.
    chart.focus()
    page.keyboard.press("+")
    expect(chart).to_have_attribute("data-zoomed", re.compile(r"\d"))
    page.keyboard.press("0")
    expect(chart).to_have_attribute("data-zoomed", "")


def test_a_long_curve_follows_the_slider_at_once(watched: Watched, seeded: Seeded) -> None:
    """While the server smooths all points, the line already stands about there."""
    client = mlflow.MlflowClient()
    run = client.create_run(seeded.hostile_experiment, run_name="follows").info.run_id
    for first in range(0, 4000, 1000):
        client.log_batch(
            run, [Metric("follows", step % 89, step, step) for step in range(first, first + 1000)]
        )
    page = watched.open(f"/compare?runs={run},{seeded.runs[0]}&metrics=follows")
    chart = page.get_by_role("img", name="follows by step")
    expect(chart).to_have_attribute("data-lines", "1")
    # The answer is held back: what is seen by then is not the server's.
    held: list[Route] = []
    page.route("**/aloft/curves", lambda route: held.append(route))
    page.get_by_label("Smoothing").fill("0.5")
    expect(chart).to_have_attribute("data-lines", "2")
    expect(chart).to_have_attribute("data-interim", "true")
    page.unroute("**/aloft/curves")
    for route in held:
        route.continue_()
    expect(chart).not_to_have_attribute("data-interim", "true")


def test_brushing_an_axis_chooses_runs(watched: Watched, seeded: Seeded) -> None:
    page = watched.open(f"/compare?runs={','.join(seeded.runs[:8])}")
    # Charts above it are there, so that nothing moves while the pointer does.
    expect(page.locator(".line-chart[data-lines='8']").first).to_be_visible()
    axis = page.get_by_role("img", name=re.compile("Parallel coordinates")).locator("g.axis").last
    axis.evaluate("element => element.scrollIntoView({block: 'center'})")
    box = axis.locator("rect").last.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 14, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + 14, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    expect(page.get_by_text(re.compile(r"^\d of 8$"))).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_text(re.compile(r"^\d of 8$"))).to_have_count(0)


def test_an_alias_is_moved_and_moved_back(watched: Watched, seeded: Seeded) -> None:
    page = watched.open("/models")
    page.get_by_role("link", name="flight-delay").click()
    expect(page.get_by_role("row").filter(has_text="Version 2")).to_contain_text("champion")
    page.get_by_role("button", name="Set alias").click()
    page.get_by_label("Version", exact=True).select_option("3")
    page.get_by_role("dialog").get_by_role("button", name="Set alias").click()
    expect(page.get_by_role("row").filter(has_text="Version 3")).to_contain_text("champion")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("row").filter(has_text="Version 2")).to_contain_text("champion")
    page.get_by_role("link", name="Version 2").click()
    expect(page.get_by_text("models:/flight-delay/2").first).to_be_visible()
    page.get_by_role("link", name=seeded.runs[1]).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("trial-01")


def test_tokens_are_made_shown_once_and_revoked(watched: Watched) -> None:
    page = watched.open("/settings")
    page.get_by_label("Name of a new token").fill("ada@laptop")
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_text("it is shown once")).to_be_visible()
    page.reload()
    expect(page.get_by_text("it is shown once")).to_have_count(0)
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("No tokens")).to_be_visible()


def test_the_keyboard_goes_everywhere(watched: Watched, seeded: Seeded) -> None:
    page = watched.open("/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Go to Experiments")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
    table = page.get_by_role("table", name="Experiments")
    table.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/experiments/\w+"))


@pytest.mark.parametrize(
    "path", ["/nowhere/at/all", "/runs/0000", "/models/none", "/experiments/999999"]
)
def test_what_is_not_there_is_said(watched: Watched, seeded: Seeded, path: str) -> None:
    reply = watched.page.goto(watched.base + path)
    assert reply is not None
    if path.startswith("/nowhere"):
        assert reply.status == 404
        watched.errors.clear()
        return
    expect(watched.page.get_by_role("alert")).to_contain_text("RESOURCE_DOES_NOT_EXIST")
    watched.errors.clear()  # the browser reports each 404


def test_what_is_not_there_has_a_heading_and_a_way_back(watched: Watched, seeded: Seeded) -> None:
    page = watched.open("/jobs/none")
    expect(page.get_by_role("alert")).to_contain_text("job_not_found")
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    page = watched.open("/compare?runs=x,y")
    expect(page.get_by_text("None of these runs is here")).to_be_visible()
    page = watched.open(f"/compare?runs={seeded.runs[0]},x")
    expect(page.get_by_role("alert")).to_contain_text("runs_missing")
    expect(page.get_by_role("img", name="val_auc by step")).to_be_visible()


def test_a_server_with_tokens_asks_for_one(
    make_server: Callable[..., object], open_context: Callable[..., BrowserContext]
) -> None:
    server = make_server("guarded", arguments=["--auth"])
    made = server.run("token", "create", "ada", "--data", str(server.data))  # type: ignore[attr-defined]
    secret = made.split()[-1]
    page = open_context().new_page()
    page.goto(server.url)  # type: ignore[attr-defined]
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("token_unknown")
    page.get_by_label("Token").fill(secret)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Welcome to Aloft")).to_be_visible()
    assert page.evaluate("document.cookie") == "", "scripts must not see the token"


def test_a_lost_server_is_said_and_found_again(
    make_server: Callable[..., object], open_context: Callable[..., BrowserContext]
) -> None:
    server = make_server("lost")
    page = open_context().new_page()
    page.goto(server.url)  # type: ignore[attr-defined]
    expect(page.get_by_role("heading", name="Welcome to Aloft")).to_be_visible()
    server.kill()  # type: ignore[attr-defined]
    expect(page.get_by_text("The connection to the server is lost")).to_be_visible(timeout=15_000)
    # What is asked for meanwhile says so, and comes by itself when the server is there.
    page.keyboard.press("g")
    page.keyboard.press("j")
    expect(page.get_by_role("alert")).to_contain_text("unreachable")
    server.start()  # type: ignore[attr-defined]
    expect(page.get_by_text("The connection to the server is lost")).to_have_count(
        0, timeout=20_000
    )
    expect(page.get_by_text("No jobs yet")).to_be_visible()


def test_the_address_of_a_page_holds_odd_names(watched: Watched, seeded: Seeded) -> None:
    name = urllib.parse.quote("reports/<b>odd & name.txt", safe="")
    page = watched.open(f"/runs/{seeded.runs[0]}?tab=artifacts&file={name}")
    expect(page.get_by_role("region", name="Preview")).to_contain_text("onerror")
