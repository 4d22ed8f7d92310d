"""A real browser against a real server with data that a real MLflow client logged."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from seed import Seeded, seed
from watched import Watched

# A busy machine draws slowly; what is awaited is awaited, not timed.
expect.set_options(timeout=30_000)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """Starts Debian's Chromium; Playwright's own browsers are not fetched."""
    path = os.environ.get("ALOFT_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.exit("chromium is missing: run `scripts/setup tests`", returncode=2)
    # One in a process: a second would find the loop of the first.
    with sync_playwright() as playwright:
        browsers: list[Browser] = []

        def start(*arguments: str) -> Browser:
            browsers.append(
                playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *arguments])
            )
            return browsers[-1]

        yield start
        for browser in browsers:
            browser.close()


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Browser:
    return launch()


@pytest.fixture(scope="module")
def seeded(server) -> Seeded:  # type: ignore[no-untyped-def]
    if not (ROOT / "web/dist/index.html").exists():
        pytest.exit("web/dist is missing: run `make web`", returncode=2)
    return seed(server.url)


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    contexts: list[BrowserContext] = []

    def make(width: int = 1440, theme: str = "light") -> BrowserContext:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,  # type: ignore[arg-type]
        )
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def watched(server, open_context: Callable[..., BrowserContext]) -> Iterator[Watched]:  # type: ignore[no-untyped-def]
    one = Watched(open_context(), server.url)
    yield one
    assert one.errors == []
    assert one.elsewhere == [], "nothing may be fetched from elsewhere"
