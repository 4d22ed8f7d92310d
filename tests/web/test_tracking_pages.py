"""What people do with runs on the pages: find what was deleted, come back, look into them."""

from __future__ import annotations

import json
import math
import re
import socket
import time
from collections.abc import Callable

import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, RunTag
from playwright.sync_api import BrowserContext, Page, expect
from watched import Watched

MINUTE = 60_000


@pytest.fixture(scope="module")
def client(server) -> MlflowClient:  # type: ignore[no-untyped-def]
    return MlflowClient(server.url)


def choose(page: Page, label: str, value: str) -> None:
    page.get_by_label(label, exact=True).select_option(value)


def test_deleted_runs_and_experiments_come_back(watched: Watched, client: MlflowClient) -> None:
    experiment = client.create_experiment("with one that is gone")
    gone = client.create_run(experiment, run_name="gone run").info.run_id
    client.create_run(experiment, run_name="kept run")
    client.delete_run(gone)
    page = watched.open(f"/experiments/{experiment}")
    expect(page.get_by_role("link", name="kept run")).to_be_visible()
    choose(page, "Which runs", "deleted")
    expect(page).to_have_url(re.compile("stage=deleted"))
    expect(page.get_by_role("link", name="gone run")).to_be_visible()
    expect(page.get_by_role("link", name="kept run")).to_have_count(0)
    page.get_by_role("checkbox", name="Select row 1").click()
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_text("No run is deleted")).to_be_visible()
    assert client.get_run(gone).info.lifecycle_stage == "active"

    client.delete_experiment(experiment)
    page = watched.open("/experiments")
    choose(page, "Which experiments", "deleted")
    page.get_by_role("button", name="Restore with one that is gone").click()
    expect(page.get_by_text("No experiment is deleted")).to_be_visible()
    assert client.get_experiment(experiment).lifecycle_stage == "active"


def test_an_alias_is_taken_away_and_put_back(watched: Watched, client: MlflowClient) -> None:
    client.create_registered_model("aliased")
    client.create_model_version("aliased", "mlflow-artifacts:/0/x/artifacts/m")
    client.set_registered_model_alias("aliased", "champion", "1")
    page = watched.open("/models/aliased")
    page.get_by_role("button", name="Remove the alias champion").click()
    expect(page.get_by_text("Removed the alias champion.")).to_be_visible()
    assert client.get_registered_model("aliased").aliases == {}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Remove the alias champion")).to_be_visible()


def test_nested_runs_are_seen_as_such(watched: Watched, client: MlflowClient) -> None:
    experiment = client.create_experiment("nested")
    parent = client.create_run(experiment, run_name="the parent").info.run_id
    tags = {"mlflow.parentRunId": parent}
    child = client.create_run(experiment, run_name="the child", tags=tags).info.run_id
    page = watched.open(f"/experiments/{experiment}")
    expect(page.locator("[aria-rowindex='2']")).to_contain_text("the parent")
    below = page.locator("[aria-rowindex='3']")
    expect(below).to_contain_text("the child")
    expect(below.get_by_label("child of the run above")).to_be_visible()
    page.get_by_role("link", name="the parent").click()
    family = page.get_by_role("list", name="Nested runs")
    family.get_by_role("link", name="the child").click()
    expect(page).to_have_url(re.compile(child))
    page.get_by_role("list", name="Nested runs").get_by_role("link", name="the parent").click()
    expect(page).to_have_url(re.compile(parent))


def test_runs_that_are_each_others_parents_are_all_listed(
    watched: Watched, client: MlflowClient
) -> None:
    experiment = client.create_experiment("in a circle")
    one, two = (client.create_run(experiment, run_name=name).info.run_id for name in "ab")
    client.set_tag(one, "mlflow.parentRunId", two)
    client.set_tag(two, "mlflow.parentRunId", one)
    page = watched.open(f"/experiments/{experiment}")
    expect(page.get_by_text("2 runs")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(3)


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"mlflow_colspec": [{"type": "double", "name": "age", "required": True}]}, "age"),
        (
            {
                "mlflow_tensorspec": {
                    "features": '[{"type": "tensor", "name": "pixels", '
                    '"tensor-spec": {"dtype": "uint8", "shape": [-1, 28, 28]}}]',
                    "targets": None,
                }
            },
            "[-1,28,28]",
        ),
    ],
)
def test_what_was_logged_of_the_data_is_shown(
    watched: Watched, client: MlflowClient, schema: object, word: str
) -> None:
    run = client.create_run("0", run_name="with data").info.run_id
    source = json.dumps({"uri": "/data/owners.csv"})
    profile = json.dumps({"num_rows": 48_151})
    data = Dataset("owners", f"digest of {word}"[:36], "local", source, json.dumps(schema), profile)
    client.log_inputs(run, [DatasetInput(data, [InputTag("mlflow.data.context", "training")])])
    page = watched.open(f"/runs/{run}")
    for text in (word, "48,151", "/data/owners.csv", "training"):
        expect(page.get_by_text(text).first).to_be_visible()


def test_columns_are_those_of_all_runs(watched: Watched, client: MlflowClient) -> None:
    experiment = client.create_experiment("many runs")
    oldest = client.create_run(experiment, run_name="oldest", start_time=1000).info.run_id
    client.log_metric(oldest, "rare_metric", 1)
    client.log_param(oldest, "rare_param", 1)
    for number in range(205):
        client.create_run(experiment, run_name=f"n{number}")
    page = watched.open(f"/experiments/{experiment}")
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("rare_param").click()
    page.get_by_label("rare_metric").click()
    expect(page.get_by_role("columnheader", name="rare_metric")).to_be_visible()

    # A plain word finds names; coming back finds what was chosen and where one was.
    page.keyboard.press("Escape")
    field = page.get_by_role("combobox", name="Filter runs")
    field.fill("N20")
    field.press("Enter")
    expect(page.get_by_text("6 runs")).to_be_visible()
    page.goto(f"{watched.base}/experiments/{experiment}")
    table = page.get_by_role("table", name="Runs")
    page.get_by_role("checkbox", name="Select row 2", exact=True).click()
    table.evaluate("(box) => { box.scrollTop = 3000; }")
    row = page.get_by_role("link", name="n120", exact=True)
    row.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("n120")
    page.go_back()
    expect(page.get_by_text("1 selected")).to_be_visible()
    expect(row).to_be_visible()
    assert abs(table.evaluate("(box) => box.scrollTop") - 3000) < 50


def test_a_logged_figure_runs_on_request_and_reaches_nothing(
    watched: Watched, client: MlflowClient, server: object, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    figure = tmp_path / "figure.html"
    address = server.url  # type: ignore[attr-defined]
    figure.write_text(f"""<h1 id=h>still</h1><script>
        document.getElementById('h').textContent = 'drawn';
        const say = (what) => {{
            const p = document.createElement('p'); p.textContent = what; document.body.append(p);
        }};
        try {{ parent.document.title = 'taken'; }} catch (error) {{ say('no page'); }}
        try {{ document.cookie; say('cookie'); }} catch (error) {{ say('no cookie'); }}
        fetch('{address}/version').then(() => say('network'), () => say('no network'));
    </script>""")
    run = client.create_run("0").info.run_id
    client.log_artifact(run, str(figure))
    watched.errors = Ignoring()
    page = watched.open(f"/runs/{run}?tab=artifacts&file=figure.html")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("still")).to_be_visible()
    page.get_by_role("button", name="Run its scripts").click()
    for text in ("drawn", "no page", "no cookie", "no network"):
        expect(frame.get_by_text(text, exact=True)).to_be_visible()
    assert page.title() != "taken"
    page.get_by_role("button", name="Stop its scripts").click()
    expect(frame.get_by_text("still")).to_be_visible()
    # Opened by itself it is no page of this server.
    own = f"{watched.base}/ajax-api/aloft/artifacts/frame?run_uuid={run}&path=figure.html"
    answer = page.request.get(own)
    assert answer.status == 403 and "text/html" not in answer.headers["content-type"]


def test_nothing_leaves_the_frame_of_a_logged_page(
    watched: Watched, client: MlflowClient, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    """WebRTC, hints, frames within and where it goes: no policy of content stops them."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        socket.create_server(("127.0.0.1", 0)) as streams,
    ):
        datagrams.bind(("127.0.0.1", 0))
        stun, web = datagrams.getsockname()[1], streams.getsockname()[1]
        away = f"http://127.0.0.1:{web}"
        (tmp_path / "figure.html").write_text(f"""<!doctype html>
            <link rel=preconnect href="{away}"><link rel=dns-prefetch href="{away}">
            <h1 id=h>still</h1><script>
            const say = (what) => {{
                const p = document.createElement('p'); p.textContent = what;
                document.body.append(p);
            }};
            for (const rel of ['preconnect', 'dns-prefetch', 'prefetch', 'prerender']) {{
                const link = document.createElement('link');
                link.rel = rel; link.href = '{away}/' + rel; document.head.append(link);
            }}
            try {{
                const servers = [{{ urls: 'stun:127.0.0.1:{stun}' }}];
                const call = new RTCPeerConnection({{ iceServers: servers }});
                call.createDataChannel('x');
                call.onicegatheringstatechange = () => {{
                    if (call.iceGatheringState === 'complete') say('gathered');
                }};
                call.setLocalDescription();
            }} catch (error) {{ say('gathered'); }}
            const inner = document.createElement('iframe');
            inner.srcdoc = '<script>location = "{away}/inner"</' + 'script>';
            document.body.append(inner);
            addEventListener('click', () => {{ location = '{away}/gone?' + document.title; }});
        </script>""")
        run = client.create_run("0").info.run_id
        client.log_artifact(run, str(tmp_path / "figure.html"))
        watched.errors = Ignoring()
        page = watched.open(f"/runs/{run}?tab=artifacts&file=figure.html")
        page.get_by_role("button", name="Run its scripts").click()
        frame = page.frame_locator("iframe").first
        expect(frame.get_by_text("gathered", exact=True)).to_be_visible()
        frame.get_by_text("still").click()
        expect(frame.get_by_text("still")).to_have_count(0)
        for listener in (datagrams, streams):
            listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            datagrams.recv(1)
        with pytest.raises(BlockingIOError):
            streams.accept()
        # It may be asked for, and is refused.
        watched.elsewhere = [url for url in watched.elsewhere if not url.startswith(away)]


class Ignoring(list[str]):
    """Refusals of a frame's policy are what is asked for here."""

    def append(self, text: str) -> None:
        if "Content Security Policy" not in text and "Blocked" not in text:
            super().append(text)


def test_a_run_whose_client_died_is_marked(watched: Watched, client: MlflowClient) -> None:
    experiment = client.create_experiment("left alone")
    old = int(time.time() * 1000) - 39 * MINUTE
    dead = client.create_run(experiment, run_name="dead", start_time=old).info.run_id
    alive = client.create_run(experiment, run_name="alive", start_time=old).info.run_id
    client.log_metric(alive, "loss", 1.0)
    job = client.create_run(
        experiment, run_name="a job's", start_time=old, tags={"aloft.job": "j1"}
    ).info.run_id
    page = watched.open(f"/runs/{dead}")
    expect(page.get_by_text("stale", exact=True)).to_be_visible()
    expect(page.get_by_text("its client may have died")).to_be_visible()
    expect(page.get_by_text("running for")).to_have_count(0)
    for run in (alive, job):
        page = watched.open(f"/runs/{run}")
        expect(page.get_by_text("running for")).to_be_visible()
    page = watched.open(f"/experiments/{experiment}")
    expect(page.get_by_role("row").filter(has_text="dead").get_by_label("stale")).to_be_visible()


def curve(client: MlflowClient, run: str, key: str, values: list[float], *, at: int = 0) -> None:
    client.log_batch(
        run, [Metric(key, value, at + step * 1000, step) for step, value in enumerate(values)]
    )


def test_curves_show_what_is_no_number_and_lone_points(
    watched: Watched, client: MlflowClient
) -> None:
    now = int(time.time() * 1000)
    run = client.create_run("0", start_time=now - 60_000).info.run_id
    nan, inf = math.nan, math.inf
    curve(client, run, "odd", [1, nan, 2, nan, 3, inf, -inf, 2], at=now - 30_000)
    page = watched.open(f"/runs/{run}?tab=curves")
    chart = page.get_by_role("img", name="odd by step")
    expect(chart).to_have_attribute("data-marks", "4")
    # The axis fits the numbers: 3 stands near the top, not at the bottom below the greatest double.
    chart.hover()
    assert colored_rows(page, "odd by step") > 0.5
    # Settings stand in the address, and are there again.
    choose(page, "Horizontal axis", "relative")
    page.get_by_label("Logarithmic").click()
    page.get_by_role("slider").fill("0.5")
    expect(page).to_have_url(re.compile(r"axis=relative.*scale=log.*smoothing=0\.5|smoothing=0\.5"))
    page.reload()
    chart = page.get_by_role("img", name="odd by relative")
    expect(chart).to_have_attribute("data-lines", "2")
    expect(page.get_by_label("Logarithmic")).to_be_checked()
    expect(page.get_by_role("slider")).to_have_value("0.5")


def colored_rows(page: Page, chart: str) -> float:
    """The share of a chart's height from its lowest to its highest coloured pixel."""
    return page.evaluate(
        """(name) => {
        const canvas = document.querySelector(`[aria-label="${name}"] canvas`);
        const { width, height } = canvas;
        const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
        let low = Infinity, high = -Infinity;
        for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {
            const at = (y * width + x) * 4;
            const rgb = [data[at], data[at + 1], data[at + 2]];
            if (data[at + 3] > 100 && Math.max(...rgb) - Math.min(...rgb) > 60) {
                low = Math.min(low, y); high = Math.max(high, y);
            }
        }
        return (high - low) / height;
    }""",
        chart,
    )


def test_compare_opens_with_what_matters_in_constant_colours(
    watched: Watched, client: MlflowClient
) -> None:
    experiment = client.create_experiment("to compare")
    long = "validation/mean_average_precision_at_fifty"
    runs = []
    for number in range(20):
        run = client.create_run(experiment, run_name=f"c{number}").info.run_id
        for key, value in (("epoch", 3), ("learning_rate", 0.1), ("val_loss", number), (long, 1)):
            client.log_metric(run, key, value)
        client.log_param(run, "depth", number)
        runs.append(run)
    page = watched.open(f"/compare?runs={','.join(runs)}")
    # What judges comes first: not the epoch.
    expect(page.get_by_role("button", name="Remove val_loss")).to_be_visible()
    expect(page.get_by_role("button", name="Remove epoch")).to_have_count(0)
    expect(page.locator(".axis-name", has_text=long)).to_have_count(1)
    colors = legend(page)
    assert len(set(colors.values())) == 20
    some = watched.open(f"/compare?runs={','.join(reversed(runs[5:9]))}")
    assert legend(some).items() <= colors.items() or len(set(legend(some).values())) == 4


def legend(page: Page) -> dict[str, str]:
    expect(page.locator(".legend li").first).to_be_visible()
    return dict(
        page.locator(".legend li").evaluate_all(
            "(all) => all.filter((x) => x.querySelector('a')).map((x) => "
            "[x.querySelector('a').textContent, x.querySelector('rect').getAttribute('fill')])"
        )
    )


def test_menus_stay_inside_a_phone(
    open_context: Callable[..., BrowserContext], client: MlflowClient, server: object
) -> None:
    experiment = client.create_experiment("on a phone")
    run = client.create_run(experiment, run_name="r").info.run_id
    client.log_batch(run, [Metric("a" * 60, 1, 1, 1)], [], [RunTag("t", "v")])
    one = Watched(open_context(width=390), server.url)  # type: ignore[attr-defined]
    page = one.open(f"/experiments/{experiment}")
    for name in ("Columns", "Views"):
        page.get_by_role("button", name=name, exact=True).click()
        box = page.locator(".menu-panel").bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.keyboard.press("Escape")
    assert one.errors == []
