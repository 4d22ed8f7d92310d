"""What a page that is updated all day keeps: its heap, its nodes, its process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fill import Connection
from playwright.sync_api import Browser, Page

#: Curves of the run, and points logged to each of them in one second.
CURVES, POINTS_A_SECOND = 6, 50
#: Seconds between two readings.
PAUSE = 30.0

Report = Callable[..., None]


class Reader:
    """Reads what a page holds, after its garbage was collected."""

    def __init__(self, browser: Browser, page: Page) -> None:
        self.tools = page.context.new_cdp_session(page)
        self.tools.send("HeapProfiler.enable")
        self.tools.send("Performance.enable")
        self.system = browser.new_browser_cdp_session()

    def read(self) -> dict[str, float]:
        self.tools.send("HeapProfiler.collectGarbage")
        answer = self.tools.send("Performance.getMetrics")
        metrics: dict[str, float] = {each["name"]: each["value"] for each in answer["metrics"]}
        return {
            "heap_mb": round(metrics["JSHeapUsedSize"] / 1e6, 2),
            "nodes": metrics["Nodes"],
            "listeners": metrics["JSEventListeners"],
            "resident_mb": round(self._resident(), 1),
        }

    def _resident(self) -> float:
        """Megabytes of the browser's page processes."""
        processes: list[dict[str, Any]] = self.system.send("SystemInfo.getProcessInfo")[
            "processInfo"
        ]
        kilobytes = 0
        for process in processes:
            if process["type"] == "renderer":
                status = Path(f"/proc/{process['id']}/status").read_text()
                line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
                kilobytes += int(line.split()[1])
        return kilobytes / 1024


def live_page(
    browser: Browser, address: str, port: int, place: str, minutes: float, report: Report
) -> None:
    """A run's curves while it logs, faster than anybody does."""
    connection = Connection(port)
    body = {"experiment_id": place, "run_name": "live", "start_time": 1}
    run = connection.post("runs/create", body)["run"]["info"]["run_id"]
    page = browser.new_context(bypass_csp=True).new_page()
    page.goto(f"{address}/runs/{run}?tab=curves")
    reader = Reader(browser, page)
    began = time.monotonic()
    step, readings, next_reading = 0, [], began + PAUSE
    while time.monotonic() < began + minutes * 60:
        due = int((time.monotonic() - began) * POINTS_A_SECOND) - step
        for _ in range(min(due, 150)):
            step += 1
            metrics = [
                {"key": f"m{index}", "value": step % 97, "timestamp": step * 20, "step": step}
                for index in range(CURVES)
            ]
            connection.post("runs/log-batch", {"run_id": run, "metrics": metrics})
        page.wait_for_timeout(500)
        if time.monotonic() >= next_reading:
            next_reading += PAUSE
            held = reader.read()
            readings.append(held)
            minute = round((time.monotonic() - began) / 60, 1)
            report("live page", "aloft", [held["heap_mb"]], "MB", minute=minute, points=6 * step,
                   charts=page.locator(".line-chart").count(), **held)  # fmt: skip
    tenth = max(1, len(readings) // 6)
    for name, unit in (("heap_mb", "MB"), ("nodes", ""), ("listeners", ""), ("resident_mb", "MB")):
        values = [each[name] for each in readings]
        # What loads in the first minutes is not growth.
        early = statistics.median(values[tenth : 2 * tenth] or values)
        report(f"{name} of a live page, last sixth", "aloft", values[-tenth:], unit,
               minutes=minutes, second_sixth=early, points=6 * step)  # fmt: skip
    page.context.close()
