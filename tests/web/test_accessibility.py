"""What axe finds on each page, in both themes; and that no page is wider than a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext
from seed import Seeded
from watched import Watched

PAGES = {
    "home": "/",
    "experiments": "/experiments",
    "runs": "/experiments/{experiment}",
    "groups": "/experiments/{experiment}?group=params.booster",
    "run": "/runs/{run}",
    "curves": "/runs/{run}?tab=curves",
    "artifacts": "/runs/{run}?tab=artifacts&file=importance.csv",
    "compare": "/compare?runs={run},{other}",
    "models": "/models",
    "model": "/models/flight-delay",
    "version": "/models/flight-delay/versions/2",
    "jobs": "/jobs",
    "sweeps": "/sweeps",
    "deployments": "/deployments",
    "predictions": "/predictions",
    "settings": "/settings",
}


def address(name: str, seeded: Seeded) -> str:
    return PAGES[name].format(
        experiment=seeded.experiment, run=seeded.runs[0], other=seeded.runs[1]
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", sorted(PAGES))
def test_axe_finds_nothing_serious(
    server,  # type: ignore[no-untyped-def]
    seeded: Seeded,
    open_context: Callable[..., BrowserContext],
    name: str,
    theme: str,
) -> None:
    watched = Watched(open_context(theme=theme), server.url)
    page = watched.open(address(name, seeded))
    page.wait_for_load_state("domcontentloaded")
    page.wait_for_timeout(800)
    found = [
        f"{fault['id']}: {node['html'][:160]}"
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"][:3]
    ]
    assert found == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_no_page_is_wider_than_a_phone(
    server,  # type: ignore[no-untyped-def]
    seeded: Seeded,
    open_context: Callable[..., BrowserContext],
    name: str,
) -> None:
    watched = Watched(open_context(width=390), server.url)
    page = watched.open(address(name, seeded))
    page.wait_for_timeout(800)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert watched.errors == []
