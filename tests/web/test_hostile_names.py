"""Names and files that try to do harm neither break a page nor run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect
from seed import HOSTILE_NAMES, Seeded
from watched import Watched


def unharmed(watched: Watched) -> None:
    page = watched.page
    assert page.title() != "owned"
    assert page.locator("img[src='x']").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it overflows"


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("what", sorted(HOSTILE_NAMES))
def test_a_run_with_such_a_name(
    server,  # type: ignore[no-untyped-def]
    seeded: Seeded,
    open_context: Callable[..., BrowserContext],
    what: str,
    width: int,
) -> None:
    watched = Watched(open_context(width), server.url)
    page = watched.open(f"/runs/{seeded.hostile_runs[what]}")
    expect(page.get_by_role("table", name="Parameters")).to_contain_text(HOSTILE_NAMES[what][:50])
    unharmed(watched)
    assert watched.errors == []


def test_lists_of_such_names(watched: Watched, seeded: Seeded) -> None:
    everything = ",".join(seeded.hostile_runs.values())
    for path in (
        "/",
        "/experiments",
        f"/experiments/{seeded.hostile_experiment}",
        f"/experiments/{seeded.hostile_experiment}?columns=tags.note,params.payload&group=tags.note",
        f"/compare?runs={everything}",
    ):
        page = watched.open(path)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
        unharmed(watched)


def test_a_logged_page_runs_no_script(watched: Watched, seeded: Seeded) -> None:
    page = watched.open(f"/runs/{seeded.runs[0]}?tab=artifacts&file=reports%2Freport.html")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Report")).to_be_visible()
    page.wait_for_timeout(500)
    assert frame.locator("body").evaluate("document.title") != "owned"
    assert page.title() != "owned"
    sandbox = page.locator("iframe").get_attribute("sandbox")
    assert sandbox == "", "the frame may do nothing"
    watched.errors.clear()  # the browser reports what the policy stopped
