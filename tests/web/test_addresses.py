"""The pages below a path of a proxy, under addresses that MLflow's clients print, and at none."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from playwright.sync_api import BrowserContext, expect
from proxy import Proxy
from seed import Seeded
from watched import Watched


@pytest.mark.parametrize("strips", [True, False])
def test_everything_works_below_a_path(
    make_server: Callable[..., object],
    open_context: Callable[..., BrowserContext],
    tmp_path: Path,
    strips: bool,
) -> None:
    prefix = "/team/aloft"
    options = [] if strips else ["--base-path", prefix]
    server = make_server("below", arguments=options)
    proxy = Proxy(server.url, prefix, strips=strips)  # type: ignore[attr-defined]
    try:
        client = mlflow.MlflowClient(proxy.url)
        experiment = client.create_experiment("below a path")
        run = client.create_run(experiment, run_name="the run below").info.run_id
        for step in range(3):
            client.log_metric(run, "loss", 1 / (step + 1), step=step)
        (tmp_path / "note.txt").write_text("a note")
        client.log_artifact(run, str(tmp_path / "note.txt"))

        # The program as well, and addresses that the server writes into answers.
        server.run("ps", "--server", proxy.url)  # type: ignore[attr-defined]
        folder = f"{experiment}/{run}/artifacts"
        upload = urllib.request.Request(
            f"{proxy.url}/api/2.0/mlflow-artifacts/mpu/create/{folder}",
            b'{"path": "big.bin", "num_parts": 2}',
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(upload, timeout=30) as answer:
            assert json.load(answer)["credentials"][0]["url"].startswith(proxy.url + "/")
        watched = Watched(open_context(), proxy.url)
        page = watched.open("/experiments")
        page.get_by_role("link", name="below a path").click()
        page.get_by_role("link", name="the run below").click()
        expect(page).to_have_url(f"{proxy.url}/runs/{run}")
        page.get_by_role("link", name=re.compile("Curves")).click()
        expect(page.locator("[data-lines='1']")).to_be_visible()
        page.reload()
        expect(page.locator("[data-lines='1']")).to_be_visible()
        page.get_by_role("link", name="Artifacts").click()
        page.get_by_role("button", name=re.compile("note.txt")).click()
        expect(page.get_by_text("a note")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        assert Path(download.value.path()).read_text() == "a note"
        page.goto(f"{proxy.url}/#/experiments/{experiment}/runs/{run}")
        expect(page.get_by_role("heading", level=1)).to_contain_text("the run below")
        assert watched.errors == [] and watched.elsewhere == []
        assert [path for path in proxy.outside if path != "/favicon.ico"] == []
    finally:
        proxy.stop()


def test_a_prefix_that_is_no_path_stands_in_no_page(server) -> None:  # type: ignore[no-untyped-def]
    for prefix in ['/x"><script>', "//evil.example", "/../x", "https://evil.example"]:
        request = urllib.request.Request(
            server.url + "/experiments",
            headers={"X-Forwarded-Prefix": prefix, "Accept": "text/html"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
        answer = json.loads(refused.value.read())
        assert refused.value.code == 400 and answer["error"]["code"] == "prefix_malformed"
        assert refused.value.headers["Content-Type"] == "application/json"


def test_addresses_that_clients_print_open_the_right_page(watched: Watched, seeded: Seeded) -> None:
    experiment, (first, second, *_) = seeded.experiment, seeded.runs
    both = urllib.parse.quote(json.dumps([first, second]))
    name = urllib.parse.quote(seeded.model)
    for address, ours in [
        (f"/#/experiments/{experiment}/runs/{first}", f"/runs/{first}"),
        (f"/experiments/{experiment}/runs/{first}", f"/runs/{first}"),
        (f"/#/experiments/{experiment}/runs/{first}/artifacts/reports", f"/runs/{first}?tab="),
        (f"/#/experiments/{experiment}/runs/{first}/model-metrics", f"/runs/{first}?tab=curves"),
        (f"/#/experiments/{experiment}", f"/experiments/{experiment}"),
        (f"/#/experiments/{experiment}/traces?x=1", f"/experiments/{experiment}"),
        (f"/#/models/{name}", f"/models/{name}"),
        (f"/#/models/{name}/versions/2", f"/models/{name}/versions/2"),
        ("/#/models", "/models"),
        (f"/#/compare-runs?runs={both}&experiments=%5B%22{experiment}%22%5D", "/compare?runs="),
        ("/#/", "/"),
    ]:
        watched.page.goto("about:blank")
        page = watched.open(address)
        expect(page).to_have_url(re.compile(re.escape(watched.base + ours)))
        expect(page.get_by_role("heading", name="No such page")).to_have_count(0)
    # Also where the page is there already.
    page = watched.open("/")
    page.evaluate(f"location.hash = '#/experiments/{experiment}/runs/{second}'")
    expect(page).to_have_url(f"{watched.base}/runs/{second}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("trial-01")


def test_a_logged_model_leads_to_its_run(watched: Watched, seeded: Seeded) -> None:
    run = seeded.runs[0]
    body = {"experiment_id": seeded.experiment, "name": "m", "source_run_id": run}
    request = urllib.request.Request(
        watched.base + "/api/2.0/mlflow/logged-models",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        model = json.load(answer)["model"]["info"]["model_id"]
    page = watched.open(f"/#/experiments/{seeded.experiment}/models/{model}")
    expect(page).to_have_url(f"{watched.base}/runs/{run}?tab=artifacts")


def test_an_unknown_address_shows_the_app(watched: Watched, seeded: Seeded) -> None:
    for address in ["/nowhere", "/prompt/x", "/#/nowhere/at/all", "/runs", "/runs/a/b"]:
        watched.page.goto("about:blank")
        page = watched.open(address)
        expect(page.get_by_role("heading", name="No such page")).to_be_visible()
        expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.get_by_role("link", name="Go home").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(watched.base + "/nowhere", timeout=30)
    assert refused.value.code == 404 and "route_not_found" in refused.value.read().decode()
