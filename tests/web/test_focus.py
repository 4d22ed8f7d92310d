"""The tab key goes through a page in the order in which it is read, and one sees where it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect
from seed import Seeded
from test_accessibility import PAGES, address
from watched import Watched

#: Keys pressed on a page: past its navigation and head, into what it shows.
TABS = 24
#: Says of the focused element whether it comes after the one before, is there, and is marked.
LOOK = """() => {
    const element = document.activeElement, before = window.before;
    window.before = element;
    if (element === null || element === document.body) return "end";
    const name = `${element.tagName} ${(element.ariaLabel ?? element.textContent).slice(0, 40)}`;
    const follows = before === undefined
        || (before.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
    if (!follows) return `${name} stands before what had the focus`;
    const {width, height} = element.getBoundingClientRect();
    if (width === 0 || height === 0) return `${name} cannot be seen`;
    const {outlineStyle, outlineWidth} = getComputedStyle(element);
    const isMarked = outlineStyle !== "none" && outlineWidth !== "0px";
    return isMarked ? "ok" : `${name} does not look focused`;
}"""


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_tab_key_follows_the_reading_order(
    server,  # type: ignore[no-untyped-def]
    seeded: Seeded,
    open_context: Callable[..., BrowserContext],
    name: str,
) -> None:
    page = Watched(open_context(), server.url).open(address(name, seeded))
    expect(page.locator("[aria-busy]")).to_have_count(0)
    seen: list[str] = []
    for _ in range(TABS):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(LOOK))
        if seen[-1] == "end":
            break
    assert [each for each in seen if each not in ("ok", "end")] == []
    # The link past the navigation, the brand and ten places to go to are on every page.
    assert seen.count("ok") > 11
