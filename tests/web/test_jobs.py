"""Jobs and sweeps in the browser: the queue, a log that follows, use over time, stop, run again."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect
from seed import HOSTILE_NAMES
from watched import Watched

PROJECT = """
project: demo
jobs:
  talk:
    run: python3 talk.py ${until}
    parameters: { until: stop }
    resources: { cpus: 1 }
  wide:
    run: sleep 600
    resources: { cpus: CORES }
  fail:
    run: sh -c 'echo about to fail; exit 3'
  raise:
    run: python3 -c 'raise ValueError("no rows in rows.csv")'
  train:
    run: python3 train.py ${x} ${rounds}
    parameters: { rounds: 9 }
    sweep:
      objective: maximize auc
      stop: { asha: { grace: 2, reduction: 2 } }
      trials: 8
      parallel: 2
      seed: 4
      space: { x: { uniform: [0, 1] } }
"""
#: Goes on until a file is there, burning a little and writing lines that try to do harm.
TALK = """
import pathlib, sys, time
for name in NAMES: print("hostile", name, flush=True)
for step in range(3000):
    print("line", step, flush=True)
    until = time.monotonic() + 0.05
    while time.monotonic() < until: pass
    time.sleep(0.05)
"""
TRAIN = """
import json, os, sys, time, urllib.request
x, rounds = float(sys.argv[1]), int(sys.argv[2])
for step in range(rounds):
    point = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "auc", "step": step, "timestamp": 1,
             "value": 1 - (x - 0.3) ** 2 - 1 / (step + 2)}
    request = urllib.request.Request(
        os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric",
        json.dumps(point).encode(), {"Content-Type": "application/json",
        "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]})
    urllib.request.urlopen(request, timeout=30).read()
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory, server_type) -> Iterator[object]:  # type: ignore[no-untyped-def]
    folder: Path = tmp_path_factory.mktemp("working")
    server = server_type(data=folder / "data").start()
    project = folder / "project"
    project.mkdir()
    (project / "aloft.yaml").write_text(PROJECT.replace("CORES", str(os.cpu_count() or 1)))
    (project / "talk.py").write_text(f"NAMES = {list(HOSTILE_NAMES.values())!r}\n{TALK}")
    (project / "train.py").write_text(TRAIN)
    server.run("apply", str(project / "aloft.yaml"))
    yield server
    server.stop()


def test_a_job_is_followed_stopped_and_run_again(
    working, open_context: Callable[..., BrowserContext]
) -> None:  # type: ignore[no-untyped-def]
    watched = Watched(open_context(), working.url)
    page = watched.open("/jobs")
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    working.run("run", "talk", "--project", "demo")
    # Nobody reloads: the live feed brings the job.
    page.get_by_role("link", name="talk").click()
    log = page.get_by_role("log")
    expect(log).to_contain_text("line 5")
    expect(log).to_contain_text("onerror")
    expect(log).to_contain_text("🚀")
    assert page.title() != "owned"
    assert page.locator("img[src='x']").count() == 0
    expect(log).to_contain_text("line 30")
    use = page.get_by_role("img", name="Memory over time")
    expect(use).to_have_attribute("data-lines", "1")
    # The newest value stands at the right end, however few there are.
    box = use.bounding_box()
    assert box is not None
    use.hover(position={"x": box["width"] - 18, "y": box["height"] / 2})
    expect(use.locator(".chart-tooltip")).to_contain_text(re.compile(r"\d MB"))
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("stopped")
    first = page.url
    page.get_by_role("button", name="Run again").click()
    expect(page).not_to_have_url(first)
    expect(page.get_by_role("log")).to_contain_text("line 2")
    # The run knows its job, and shows the same log.
    page.get_by_role("link", name=re.compile("^[0-9a-f]{12}$")).click()
    page.get_by_role("link", name="Log").click()
    expect(page.get_by_role("log")).to_contain_text("line 2")
    page.go_back()
    page.go_back()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    assert watched.errors == []


def test_the_queue_stands_in_its_order(
    working, open_context: Callable[..., BrowserContext]
) -> None:  # type: ignore[no-untyped-def]
    watched = Watched(open_context(), working.url)
    # Each takes the whole machine, so two of them wait in the order they came.
    made = [working.run("run", "wide", "--project", "demo").split()[0] for _ in range(3)]
    page = watched.open("/jobs?show=live")
    table = page.get_by_role("table", name="Jobs")
    rows = table.get_by_role("row").filter(has_text="wide")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("running")
    for place, job in ((0, made[0]), (1, made[1]), (2, made[2])):
        link = rows.nth(place).get_by_role("link", name="wide")
        expect(link).to_have_attribute("href", f"/jobs/{job}")
    expect(rows.nth(1)).to_contain_text("1st in line")
    expect(rows.nth(2)).to_contain_text("2nd in line")
    expect(rows.nth(1)).to_contain_text("processor cores")
    # The planner's order, not that of coming: a later one of higher priority goes first.
    urgent = working.run("run", "wide", "--project", "demo", "--priority", "3").split()[0]
    expect(rows.nth(1).get_by_role("link", name="wide")).to_have_attribute(
        "href", f"/jobs/{urgent}"
    )
    assert "1 of 3 in line: it asks for" in working.run("ps")
    assert "1 of 3 in line" in working.run("status")
    assert working.json("ps")["jobs"][0]["waitCode"] == "cpus"
    other = watched.page.context.new_page()
    other.goto(f"{working.url}/jobs/{made[2]}")
    expect(other.get_by_role("status").filter(has_text="in line")).to_contain_text(
        "3rd of 3 in line"
    )
    expect(other.get_by_role("status").filter(has_text="in line")).to_contain_text(
        "processor cores"
    )
    other.close()
    working.run("stop", urgent)
    expect(rows).to_have_count(3)
    for job in reversed(made):
        working.run("stop", job)
    expect(page.get_by_text("No job fits")).to_be_visible()
    assert watched.errors == []


def test_a_failure_needs_a_person_until_it_is_made_good(
    working, open_context: Callable[..., BrowserContext]
) -> None:  # type: ignore[no-untyped-def]
    watched = Watched(open_context(), working.url)
    working.run("run", "fail", "--project", "demo")
    page = watched.open("/")
    needs = page.locator("section").filter(has=page.get_by_role("heading", name="Needs a person"))
    # Building its environment takes a machine that is busy more than a minute.
    needs.get_by_role("link", name="fail").click(timeout=300_000)
    expect(page.get_by_role("alert")).to_contain_text("exited")
    expect(page.get_by_role("log")).to_contain_text("about to fail")
    assert watched.errors == []


def test_failures_say_why_and_stand_together(
    working, open_context: Callable[..., BrowserContext]
) -> None:  # type: ignore[no-untyped-def]
    watched = Watched(open_context(), working.url)
    for _ in range(2):
        working.run("run", "raise", "--project", "demo")
    page = watched.open("/")
    why = "ValueError: no rows in rows.csv"
    needs = page.locator("section").filter(has=page.get_by_role("heading", name="Needs a person"))
    expect(needs.get_by_role("listitem").filter(has_text="2 times")).to_contain_text(why)
    page = watched.open("/jobs?show=failed")
    alike = page.locator("section").filter(has=page.get_by_role("heading", name="What failed"))
    expect(alike.get_by_role("listitem").filter(has_text=why)).to_contain_text("2")
    alike.get_by_role("link", name="raise").click()
    expect(page.get_by_role("alert")).to_contain_text(why)
    assert watched.errors == []


def test_a_sweep_is_watched_and_its_trials_compared(
    working, open_context: Callable[..., BrowserContext]
) -> None:  # type: ignore[no-untyped-def]
    watched = Watched(open_context(), working.url)
    page = watched.open("/sweeps")
    working.run("sweep", "train", "--project", "demo")
    page.get_by_role("link", name="train").first.click()
    expect(page.get_by_role("img", name=re.compile("Objective by trial"))).to_be_visible()
    expect(page.get_by_role("list", name="Rungs")).to_contain_text("stopped")
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded", timeout=90_000)
    expect(page.get_by_role("table", name="Trials").get_by_title("the best so far")).to_be_visible()
    # What its chart shows is told below it, and can be hidden there.
    chart = page.get_by_role("img", name=re.compile("Objective by trial"))
    legend = page.get_by_role("list", name="Lines")
    shown = int(chart.get_attribute("data-lines") or "0")
    assert shown >= 2
    legend.get_by_role("button", name="ran to the end").click()
    expect(chart).to_have_attribute("data-lines", str(shown - 1))
    legend.get_by_role("button", name="ran to the end").click()
    expect(chart).to_have_attribute("data-lines", str(shown))
    chart.focus()
    page.keyboard.press("+")
    expect(chart).to_have_attribute("data-zoomed", re.compile(r"\d"))
    page.get_by_role("button", name="Show all").click()
    expect(chart).to_have_attribute("data-zoomed", "")
    page.get_by_role("link", name="Compare trials").click()
    expect(page.get_by_role("heading", name="Compare 8 runs")).to_be_visible()
    assert watched.errors == []


def test_a_sweep_is_stopped(working, open_context: Callable[..., BrowserContext]) -> None:  # type: ignore[no-untyped-def]
    watched = Watched(open_context(), working.url)
    started = working.json("sweep", "train", "--project", "demo")
    page = watched.open(f"/sweeps/{started['id']}")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("stopped", timeout=60_000)
    assert watched.errors == []
