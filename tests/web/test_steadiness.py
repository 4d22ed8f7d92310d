"""Nothing moves under the reader's eyes, neither while a page loads nor when something changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mlflow import MlflowClient
from playwright.sync_api import BrowserContext, Page, expect
from seed import Seeded
from test_accessibility import PAGES, address
from watched import Watched

#: More than this is felt as a jump.
BOUND = 0.1
#: Collects what moved, and what it was.
OBSERVE = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
        if (entry.hadRecentInput) continue;
        const what = entry.sources.map(({node}) => node instanceof Element
            ? `${node.tagName}.${node.className} ${(node.textContent ?? "").slice(0, 40)}` : "?");
        window.shifts.push({at: entry.startTime, value: entry.value, what});
    }
}).observe({type: "layout-shift", buffered: true});
"""
#: The worst burst, as browsers count it: no pause over a second, five seconds at most.
WORST = """() => {
    let worst = 0, sum = 0, first = 0, last = -Infinity;
    for (const {at, value} of window.shifts) {
        if (at - last > 1000 || at - first > 5000) [sum, first] = [0, at];
        sum += value;
        last = at;
        worst = Math.max(worst, sum);
    }
    return worst;
}"""


def observed(context: BrowserContext, base: str) -> Watched:
    watched = Watched(context, base)
    watched.page.add_init_script(OBSERVE)
    return watched


def settle(page: Page) -> None:
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.evaluate(
        """() => new Promise((done) => {
            let frames = 0;
            const next = () => (frames++ < 30 ? requestAnimationFrame(next) : done());
            next();
        })"""
    )


def assert_steady(page: Page) -> None:
    settle(page)
    assert page.evaluate(WORST) < BOUND, page.evaluate("window.shifts")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_stands_still_while_it_loads(
    server,  # type: ignore[no-untyped-def]
    seeded: Seeded,
    open_context: Callable[..., BrowserContext],
    name: str,
    width: int,
) -> None:
    watched = observed(open_context(width), server.url)
    assert_steady(watched.open(address(name, seeded)))
    assert watched.errors == []


def test_pages_stand_still_while_a_run_logs(
    server,  # type: ignore[no-untyped-def]
    seeded: Seeded,
    open_context: Callable[..., BrowserContext],
) -> None:
    live = seeded.runs[-1]
    client = MlflowClient()
    curves = observed(open_context(), server.url)
    curves.open(f"/runs/{live}?tab=curves")
    overview = observed(open_context(), server.url)
    overview.open(f"/runs/{live}")
    table = observed(open_context(), server.url)
    table.open(f"/experiments/{seeded.experiment}")
    home = observed(open_context(), server.url)
    home.open("/")
    for watched in (curves, overview, table, home):
        settle(watched.page)
    for step in range(1, 6):
        client.log_metric(live, "val_auc", 0.6 + step / 10, step=step)
        client.log_metric(live, f"later/{step}", step, step=step)
        expect(
            overview.page.get_by_role("table", name="Metrics").get_by_text(f"later/{step}")
        ).to_be_visible()
        client.create_run(seeded.experiment, run_name=f"came later {step}")
        expect(home.page.get_by_role("link", name=f"came later {step}").first).to_be_visible()
        expect(table.page.get_by_role("link", name=f"came later {step}")).to_be_visible()
    for watched in (curves, overview, table, home):
        assert_steady(watched.page)
        assert watched.errors == []


def test_choosing_another_page_moves_nothing_afterwards(
    server,  # type: ignore[no-untyped-def]
    seeded: Seeded,
    open_context: Callable[..., BrowserContext],
) -> None:
    watched = observed(open_context(), server.url)
    page = watched.open("/")
    settle(page)
    for name in ("Experiments", "Models", "Jobs", "Sweeps", "Deployments", "Predictions"):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        assert_steady(page)
