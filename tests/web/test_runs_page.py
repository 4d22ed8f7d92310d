"""The table of runs: filters, columns, views and what is deleted, as a person uses them."""

from __future__ import annotations

import re
from collections.abc import Callable

import mlflow
from playwright.sync_api import BrowserContext, expect
from seed import Seeded
from watched import Watched


def test_runs_are_filtered_by_the_server_with_completion(watched: Watched, seeded: Seeded) -> None:
    page = watched.open(f"/experiments/{seeded.experiment}")
    expect(page.get_by_text("17 runs")).to_be_visible()
    field = page.get_by_role("combobox", name="Filter runs")
    field.click()
    field.type("val")
    page.get_by_role("option", name=re.compile("metrics.val_auc")).click()
    page.get_by_role("option", name=">", exact=True).click()
    field.type("0.71")
    field.press("Enter")
    expect(page).to_have_url(re.compile("filter=metrics.val_auc"))
    found = mlflow.MlflowClient().search_runs([seeded.experiment], "metrics.val_auc > 0.71")
    expect(page.get_by_text(f"{len(found)} runs")).to_be_visible()
    field.fill("nonsense ===")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("INVALID_PARAMETER_VALUE")


def test_runs_are_sorted_grouped_pinned_and_their_columns_chosen(
    watched: Watched, seeded: Seeded
) -> None:
    page = watched.open(f"/experiments/{seeded.experiment}")
    page.get_by_role("button", name="val_auc").click()
    expect(page.get_by_role("columnheader", name="val_auc")).to_have_attribute(
        "aria-sort", "descending"
    )
    best = mlflow.MlflowClient().search_runs([seeded.experiment], order_by=["metrics.val_auc DESC"])
    expect(page.locator("[aria-rowindex='2']")).to_contain_text(best[0].info.run_name or "")

    page.locator("[aria-rowindex='4']").hover()
    page.locator("[aria-rowindex='4']").get_by_role("button", name="Pin to the top").click()
    expect(page.locator("[aria-rowindex='2']")).to_contain_text(best[2].info.run_name or "")

    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="booster").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="booster")).to_have_count(0)

    page.get_by_label("Group by").select_option("params.booster")
    expect(page.get_by_role("button", name=re.compile("dart"))).to_be_visible()
    # The server counts: a group holds all of its runs, and shows them when it is opened.
    found = mlflow.MlflowClient().search_runs([seeded.experiment], "params.booster = 'dart'")
    group = page.get_by_role("button", name=re.compile("dart"))
    expect(group).to_contain_text(str(len(found)))
    expect(page.get_by_text("17 runs in 3 groups")).to_be_visible()
    group.click()
    expect(page.get_by_role("row").filter(has_text=found[0].info.run_name)).to_be_visible()
    # All of it is in the address: a colleague who opens it sees the same.
    page.reload()
    expect(page.get_by_role("button", name=re.compile("dart"))).to_be_visible()
    expect(page.get_by_role("columnheader", name="booster")).to_have_count(0)


def test_a_view_is_saved_for_everyone(
    watched: Watched, seeded: Seeded, open_context: Callable[..., BrowserContext]
) -> None:
    base = f"/experiments/{seeded.experiment}"
    page = watched.open(f"{base}?filter=metrics.val_auc > 0.7&order=metrics.val_auc DESC")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Save this view").click()
    page.get_by_label("Name of the view").fill("good ones")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="good ones").first).to_be_visible()
    # Somebody else, who knows nothing of it.
    other = Watched(open_context(), watched.base)
    theirs = other.open(base)
    theirs.get_by_role("button", name="Views").click()
    theirs.get_by_role("button", name="good ones", exact=True).click()
    expect(theirs.get_by_role("combobox", name="Filter runs")).to_have_value(
        "metrics.val_auc > 0.7"
    )
    theirs.get_by_role("button", name="good ones").first.click()
    theirs.get_by_role("button", name="Remove the view good ones").click()
    expect(theirs.get_by_text("Removed the view")).to_be_visible()
    assert other.errors == []


def test_values_are_completed(watched: Watched, seeded: Seeded) -> None:
    page = watched.open(f"/experiments/{seeded.experiment}")
    expect(page.get_by_role("columnheader", name="booster")).to_be_visible()
    field = page.get_by_role("combobox", name="Filter runs")
    field.press_sequentially("params.booster = 'd")
    page.get_by_role("option", name="dart").click()
    expect(field).to_have_value("params.booster = 'dart' ")
    field.press("Enter")
    expect(page).to_have_url(re.compile("filter="))
    expect(page.get_by_text("No run fits")).to_have_count(0)


def test_anything_is_reached_by_its_name(watched: Watched, seeded: Seeded) -> None:
    page = watched.open("/settings")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Go to")
    field.fill("flight")
    expect(page.get_by_role("option").filter(has_text="Experiment").first).to_be_visible()
    expect(page.get_by_role("option").filter(has_text="Model").first).to_be_visible()
    field.fill(seeded.runs[2])
    expect(page.get_by_role("option").filter(has_text="Run")).to_contain_text("trial-02")
    field.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("trial-02")


def test_runs_are_deleted_and_brought_back(watched: Watched, seeded: Seeded) -> None:
    page = watched.open(f"/experiments/{seeded.experiment}")
    row = page.get_by_role("row").filter(has_text="trial-09")
    row.get_by_role("checkbox").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("16 runs")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("17 runs")).to_be_visible()
