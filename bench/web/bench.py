"""Measures the web interface in a real Chromium, and MLflow's own on the same runs beside it.

    bench/web/run                 # makes its own virtual environment, builds the release program
    bench/web/run --runs 10000    # a shorter one
    bench/web/run --only live --minutes 60

Prints one JSON line a measurement: what, which server, value, unit, how many times. A time is that
from the key or click until two frames after the page shows the answer. The browser's cache is empty
for what is called cold.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

sys.path[:0] = [str(HERE.parent), str(HERE)]
import fill  # noqa: E402
import live  # noqa: E402
from servers import Peer, free_port, running  # noqa: E402

#: Resolves after the frame that shows what the page just did.
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
#: Milliseconds from `act` until `holds` is true and painted, all inside the page: no round trips.
TIMED = """async ([act, holds]) => {
    const start = performance.now();
    await eval(act);
    while (!eval(holds)) {
        if (performance.now() - start > 120000) throw new Error("never came: " + holds);
        await new Promise(done => requestAnimationFrame(done));
    }
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    return performance.now() - start;
}"""
#: Sets a field's text as typing does.
TYPE = """(() => {
    const field = document.querySelector("[data-search]");
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    set.call(field, %s);
    field.dispatchEvent(new Event("input", {bubbles: true}));
    return new Promise(done => setTimeout(() => {
        field.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
        done();
    }, 0));
})()"""


def report(what: str, server: str, values: list[float], unit: str, **facts: Any) -> None:
    line = {
        "bench": "web", "what": what, "server": server,
        "value": round(statistics.median(values), 1), "unit": unit, "times": len(values),
        "most": round(max(values), 1),
    }  # fmt: skip
    print(json.dumps({**line, **facts}), flush=True)


def timed(page: Page, act: str, holds: str) -> float:
    return float(page.evaluate(TIMED, [act, holds]))


def opened(browser: Browser, address: str, selector: str) -> tuple[float, Page]:
    """Milliseconds from the address to `selector` in a browser that knows nothing yet."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True).new_page()
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(selector, timeout=180_000)
    page.evaluate(PAINTED)
    return (time.perf_counter() - start) * 1000, page


def first_page(browser: Browser, aloft: Peer) -> None:
    times = []
    for _ in range(5):
        took, page = opened(browser, aloft.url + "/", "h1")
        times.append(took)
        page.context.close()
    report("first page usable, cold", aloft.name, times, "ms", bound=1000)
    page = browser.new_context(bypass_csp=True).new_page()
    page.goto(aloft.url + "/")
    page.wait_for_selector("h1")
    for what, member in (
        ("bytes of the first page", "decodedBodySize"),
        ("bytes sent for it", "transferSize"),
    ):
        kilobytes = page.evaluate(
            """member => performance.getEntriesByType("resource")
            .filter(({name}) => /[.](js|css)$/.test(name))
            .reduce((sum, entry) => sum + entry[member], 0) / 1000""",
            member,
        )
        report(what, aloft.name, [kilobytes], "kB", bound=300)
    page.context.close()


def runs_table(browser: Browser, aloft: Peer, place: str, count: int) -> None:
    times, page = [], None
    for _ in range(3):
        if page is not None:
            page.context.close()
        took, page = opened(browser, f"{aloft.url}/experiments/{place}", "[aria-rowindex='2'] a")
        times.append(took)
    assert page is not None
    report("runs table, cold", aloft.name, times, "ms", runs=count)
    first = "document.querySelector(\"[aria-rowindex='2']\")?.textContent"
    sorts = []
    for index in range(6):
        column = ["score", "learning_rate", "loss"][index // 2]
        before = json.dumps(page.evaluate(first))
        button = f"document.querySelector(\"button[title='Sort by {column}']\").click()"
        sorts.append(timed(page, button, f"{first} !== {before} && {first} !== undefined"))
    report("sort to paint", aloft.name, sorts, "ms", runs=count, bound=200)
    page.goto(f"{aloft.url}/experiments/{place}")
    page.wait_for_selector("[aria-rowindex='2'] a")
    filters = []
    for text in [
        "metrics.score > 0.85", "params.depth = '7'", "tags.team = 'team-3'",
        "metrics.score > 0.8 AND params.depth = '4'", "attributes.run_name LIKE '%0042%'",
    ]:  # fmt: skip
        before = json.dumps(page.evaluate(first))
        filters.append(
            timed(page, TYPE % json.dumps(text), f"{first} !== {before} && {first} !== undefined")
        )
    report("filter to paint", aloft.name, filters, "ms", runs=count, bound=200)
    page.goto(f"{aloft.url}/experiments/{place}")
    page.wait_for_selector("[aria-rowindex='2'] a")
    scrolls = []
    for index in range(1, 21):
        row = index * 60 + 2
        scroll = f"document.querySelector('.vtable-scroll').scrollTop = {row * 36}"
        seen = f"document.querySelector(\"[aria-rowindex='{row}']\") !== null"
        scrolls.append(timed(page, scroll, f"({scroll}, {seen})"))
    report("scroll to paint", aloft.name, scrolls, "ms", runs=count, bound=200)
    page.context.close()


def comparison(browser: Browser, aloft: Peer, runs: list[str], points: int) -> None:
    times, page = [], None
    for _ in range(3):
        if page is not None:
            page.context.close()
        took, page = opened(
            browser, f"{aloft.url}/compare?runs={','.join(runs)}", ".line-chart[data-lines]"
        )
        times.append(took)
    assert page is not None
    report("first chart of a comparison", aloft.name, times, "ms", runs=len(runs),
           points_a_run=points, bound=1000)  # fmt: skip
    plot = page.locator(".line-chart").first
    box = plot.bounding_box()
    assert box is not None
    page.evaluate(
        """() => { window.frames_ = []; let last = performance.now();
        const look = now => { window.frames_.push(now - last); last = now;
            if (!window.stopped_) requestAnimationFrame(look); };
        requestAnimationFrame(look); }"""
    )
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(
            box["x"] + box["width"] / 2 + (step % 30) * 4 - 60, box["y"] + box["height"] / 2
        )
    page.mouse.up()
    page.keyboard.up("Shift")
    frames = page.evaluate("window.stopped_ = true, window.frames_")[2:]
    report("frame while panning", aloft.name, frames, "ms", runs=len(runs), bound=60,
           p95=round(sorted(frames)[int(len(frames) * 0.95)], 1))  # fmt: skip
    slider(page, aloft, len(runs))
    page.context.close()


#: Sets the slider as a hand does, once a frame: milliseconds that each step keeps the page
#: busy until its frame is drawn, and from the last step until what is drawn is the server's answer.
SLIDE = """async () => {
    const field = document.querySelector("input[type=range]");
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    const frame = () => new Promise(done => requestAnimationFrame(done));
    const steps = [];
    await frame();
    for (let step = 1; step <= 40; step++) {
        let opened = 0;
        const drawn = frame().then(() => { opened = performance.now(); });
        const begin = performance.now();
        set.call(field, String(0.02 * step));
        field.dispatchEvent(new Event("input", {bubbles: true}));
        const changed = performance.now() - begin;
        await drawn;
        // Behind what the page itself does in this frame.
        await new Promise(done => { const {port1, port2} = new MessageChannel();
            port1.onmessage = done; port2.postMessage(null); });
        steps.push(changed + performance.now() - opened);
    }
    const last = performance.now();
    while (document.querySelector(".line-chart[data-interim]")) {
        if (performance.now() - last > 60000) throw new Error("the answer never came");
        await frame();
    }
    return {steps, exact: performance.now() - last};
}"""


def slider(page: Page, aloft: Peer, count: int) -> None:
    found = page.evaluate(SLIDE)
    steps = sorted(found["steps"])
    report("step of the smoothing slider", aloft.name, steps, "ms", runs=count, bound=16,
           p95=round(steps[int(len(steps) * 0.95)], 1))  # fmt: skip
    report("exact after the last step", aloft.name, [found["exact"]], "ms", runs=count)


def side_by_side(browser: Browser, aloft: Peer, mlflow: Peer, database: Path, count: int) -> None:
    """The same question on the same runs: the table, then a filter, in both interfaces."""
    places = {}
    for peer in (aloft, mlflow):
        places[peer.name] = fill.experiment(peer.port, "beside")
    fill.many_runs(aloft.port, places["aloft"], count)
    fill.into_mlflow(database, places["mlflow"], count)
    names = "text=trial-"
    for peer in (aloft, mlflow):
        fragment = "/" if peer is aloft else "/#/"
        address = f"{peer.url}{fragment}experiments/{places[peer.name]}"
        if peer is mlflow:
            address += "/runs"
        times, filtered = [], []
        for _ in range(3):
            took, page = opened(browser, address, names)
            times.append(took)
            field = page.get_by_placeholder("metrics").first
            start = time.perf_counter()
            field.fill("metrics.score > 0.85 and params.depth = '7'")
            if peer is mlflow:
                page.keyboard.press("Escape")
            before = page.locator(names).first.text_content()
            field.press("Enter")
            page.wait_for_function(
                "before => { const all = [...document.querySelectorAll('a')].filter(a =>"
                " a.textContent.startsWith('trial-')); return all.length > 0 &&"
                " all[0].textContent !== before }",
                arg=before, timeout=120_000,
            )  # fmt: skip
            page.evaluate(PAINTED)
            filtered.append((time.perf_counter() - start) * 1000)
            page.context.close()
        report("runs seen, cold", peer.name, times, "ms", runs=count)
        report("filter answered", peer.name, filtered, "ms", runs=count)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--beside", type=int, default=10_000, help="runs for both interfaces")
    parser.add_argument("--minutes", type=float, default=3, help="of live updates")
    parser.add_argument(
        "--only", default="first,compare,live,table", help="parts, with commas; also unwatched"
    )
    parser.add_argument("--mlflow", default="", help="the mlflow program; empty leaves it out")
    options = parser.parse_args()
    program = os.environ.get("ALOFT_PROGRAM", str(ROOT / ".build/release/aloft"))
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("ALOFT_CHROMIUM") or shutil.which("chromium"),
            args=["--no-sandbox", "--enable-precise-memory-info"],
        )
        print(json.dumps({
            "bench": "web", "what": "machine", "cpus": os.cpu_count(),
            "system": platform.platform(), "browser": browser.version,
            "program": Path(program).parent.name,
        }), flush=True)  # fmt: skip
        port = free_port()
        command = [program, "server", "--data", str(folder / "aloft"), "--no-gateway",
                   "--listen", f"127.0.0.1:{port}"]  # fmt: skip
        with running("aloft", command, port, folder / "aloft.log") as aloft:
            parts = set(options.only.split(","))
            if "first" in parts:
                first_page(browser, aloft)
            place = fill.experiment(port, "curves")
            if "compare" in parts:
                comparison(browser, aloft, fill.curves(port, place, 200, 10_000), 10_000)
            if "live" in parts:
                live.live_page(browser, aloft.url, port, place, options.minutes, report)
            if "unwatched" in parts:
                live.unwatched_page(aloft.url, port, place, options.minutes, report)
            if "table" in parts:
                place = fill.experiment(port, "many")
                began = time.monotonic()
                fill.many_runs(port, place, options.runs)
                report("filling", "aloft", [time.monotonic() - began], "s", runs=options.runs)
                runs_table(browser, aloft, place, options.runs)
        if options.mlflow:
            beside(browser, folder, program, options)
        browser.close()
    return 0


def beside(browser: Browser, folder: Path, program: str, options: argparse.Namespace) -> None:
    ports = (free_port(), free_port())
    ours = [program, "server", "--data", str(folder / "beside"), "--no-gateway",
            "--listen", f"127.0.0.1:{ports[0]}"]  # fmt: skip
    theirs = [options.mlflow, "server", "--workers", "1", "--port", str(ports[1]),
              "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
              "--artifacts-destination", str(folder / "mlflow")]  # fmt: skip
    with (
        running("aloft", ours, ports[0], folder / "beside.log") as aloft,
        running("mlflow", theirs, ports[1], folder / "mlflow.log") as mlflow,
    ):
        side_by_side(browser, aloft, mlflow, folder / "mlflow.db", options.beside)


if __name__ == "__main__":
    sys.exit(main())
