"""What a page that is updated all day keeps: its heap, its nodes, its process."""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import tempfile
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


class Logger:
    """Logs to a run as time passes."""

    def __init__(self, port: int, place: str) -> None:
        self.connection = Connection(port)
        body = {"experiment_id": place, "run_name": "live", "start_time": 1}
        self.run: str = self.connection.post("runs/create", body)["run"]["info"]["run_id"]
        self.began = time.monotonic()
        self.step = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def catch_up(self) -> None:
        for _ in range(min(int(self.seconds * POINTS_A_SECOND) - self.step, 150)):
            self.step += 1
            metrics = [
                {"key": f"m{index}", "value": self.step % 97, "timestamp": self.step * 20,
                 "step": self.step}
                for index in range(CURVES)
            ]  # fmt: skip
            self.connection.post("runs/log-batch", {"run_id": self.run, "metrics": metrics})


def live_page(
    browser: Browser, address: str, port: int, place: str, minutes: float, report: Report
) -> None:
    """A run's curves while it logs, faster than anybody does."""
    logger = Logger(port, place)
    page = browser.new_context(bypass_csp=True).new_page()
    page.goto(f"{address}/runs/{logger.run}?tab=curves")
    reader = Reader(browser, page)
    readings: list[dict[str, float]] = []
    while logger.seconds < minutes * 60:
        logger.catch_up()
        page.wait_for_timeout(500)
        if logger.seconds >= (len(readings) + 1) * PAUSE:
            held = reader.read()
            readings.append(held)
            report("live page", "aloft", [held["heap_mb"]], "MB",
                   minute=round(logger.seconds / 60, 1), points=CURVES * logger.step,
                   charts=page.locator(".line-chart").count(), **held)  # fmt: skip
    sixth = max(1, len(readings) // 6)
    for name, unit in (("heap_mb", "MB"), ("nodes", ""), ("listeners", ""), ("resident_mb", "MB")):
        values = [each[name] for each in readings]
        # What loads in the first minutes is not growth.
        early = statistics.median(values[sixth : 2 * sixth] or values)
        report(f"{name} of a live page, last sixth", "aloft", values[-sixth:], unit,
               minutes=minutes, second_sixth=early, points=CURVES * logger.step)  # fmt: skip
    page.context.close()


def unwatched_page(address: str, port: int, place: str, minutes: float, report: Report) -> None:
    """The same page's process without a debugger, which keeps every answer that the page read."""
    logger = Logger(port, place)
    program = os.environ.get("ALOFT_CHROMIUM") or shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory() as profile:
        browser = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--remote-debugging-port=0",
             f"--user-data-dir={profile}", f"{address}/runs/{logger.run}?tab=curves"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        readings: list[float] = []
        try:
            while logger.seconds < minutes * 60:
                logger.catch_up()
                time.sleep(0.5)
                if logger.seconds >= (len(readings) + 1) * PAUSE:
                    readings.append(_largest_page(browser.pid))
                    report("unwatched page", "aloft", readings[-1:], "MB",
                           minute=round(logger.seconds / 60, 1))  # fmt: skip
        finally:
            os.killpg(browser.pid, signal.SIGTERM)
            browser.wait()
    sixth = max(1, len(readings) // 6)
    early = statistics.median(readings[sixth : 2 * sixth] or readings)
    report("resident_mb of an unwatched page, last sixth", "aloft", readings[-sixth:], "MB",
           minutes=minutes, second_sixth=early, points=CURVES * logger.step)  # fmt: skip


def _largest_page(group: int) -> float:
    """Megabytes of the largest page process of a browser: its spare one shows nothing."""
    sizes = [0]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) != group:
                continue
            if b"--type=renderer" not in (folder / "cmdline").read_bytes():
                continue
            status = (folder / "status").read_text()
        except OSError:
            continue
        sizes += [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")]
    return round(max(sizes) / 1024, 1)
