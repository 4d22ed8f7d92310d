"""Wrong input is refused where it was typed, with words that help, and nothing typed is lost."""

from __future__ import annotations

import re

from aloft_server import Server
from playwright.sync_api import expect
from seed import Seeded
from watched import Watched


def test_a_wrong_filter_says_where_and_stays(watched: Watched, seeded: Seeded) -> None:
    page = watched.open(f"/experiments/{seeded.experiment}")
    field = page.get_by_role("combobox", name="Filter runs")
    field.fill("metrics.val_auc >")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("INVALID_PARAMETER_VALUE")
    expect(field).to_have_value("metrics.val_auc >")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("metrics.val_auc > 0")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_token_of_a_taken_name_is_refused(watched: Watched) -> None:
    page = watched.open("/settings")
    name = page.get_by_label("Name of a new token")
    name.fill("grace")
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_text("it is shown once")).to_be_visible()
    secret = page.locator(".code-box").first.text_content()
    for wrong in ("grace", "   ", "x" * 1000):
        name.fill(wrong)
        page.get_by_role("button", name="Make token").click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(name).to_have_value(wrong)
    # The secret that was just made is not lost by a mistake after it.
    assert page.locator(".code-box").first.text_content() == secret
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("No tokens")).to_be_visible()


def test_a_wrong_webhook_keeps_what_was_typed(watched: Watched) -> None:
    page = watched.open("/settings")
    page.get_by_role("button", name="New webhook").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("two words")
    dialog.get_by_label("Address").fill("https://example.com/hook")
    dialog.get_by_label("Secret").fill("shared")
    dialog.get_by_role("button", name="Make webhook").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Webhook name 'two words' is invalid")
    dialog.get_by_label("A version is registered").uncheck()
    dialog.get_by_role("button", name="Make webhook").click()
    expect(dialog.get_by_role("alert")).to_contain_text("at least one thing")
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("two words")
    expect(dialog.get_by_label("Address")).to_have_value("https://example.com/hook")
    expect(dialog.get_by_label("Secret")).to_have_value("shared")


def test_a_wrong_alias_and_name_are_refused_in_their_windows(
    watched: Watched, seeded: Seeded
) -> None:
    page = watched.open(f"/models/{seeded.model}")
    page.get_by_role("button", name="Set alias").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Alias").fill("v3")
    dialog.get_by_role("button", name="Set alias").click()
    expect(dialog.get_by_role("alert")).to_contain_text("reserved")
    expect(dialog.get_by_label("Alias")).to_have_value("v3")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page = watched.open(f"/experiments/{seeded.experiment}?order=metrics.val_auc DESC")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Save this view").click()
    dialog.get_by_label("Name of the view").fill("what? <b>")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Name of the view")).to_have_value("what? <b>")


def test_half_an_id_and_a_wrong_time_are_said(server: Server, watched: Watched) -> None:
    page = watched.open("/predictions?id=12ab")
    expect(page.get_by_text("28 hexadecimal digits")).to_be_visible()
    expect(page.get_by_label("Find by id")).to_have_value("12ab")
    page = watched.open("/predictions?time=between&since=nonsense")
    expect(page.get_by_role("alert")).to_contain_text("since")
    expect(page.get_by_role("group", name="Filters")).to_be_visible()
    page = watched.open("/predictions?before=nonsense")
    expect(page.get_by_role("alert")).to_contain_text("before")


def test_the_keyboard_keeps_to_a_window_and_comes_back_from_it(
    watched: Watched, seeded: Seeded
) -> None:
    page = watched.open(f"/runs/{seeded.runs[2]}")
    opener = page.get_by_role("button", name="Rename")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    for _ in range(8):
        page.keyboard.press("Tab")
        # The browser's own bar may come between; never the page behind.
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name=re.compile("Keyboard"))).to_be_visible()
