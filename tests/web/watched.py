"""A page that remembers what went wrong in it."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page


class Watched:
    """A page whose errors fail the test."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.page: Page = context.new_page()
        self.base = base
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("request", self._request)
        self.page.set_default_timeout(60_000)

    def _console(self, message: object) -> None:
        # A sandboxed preview is stopped on purpose; refusals of the server are shown by the page.
        text = str(getattr(message, "text", ""))
        expected = "sandboxed" in text or text.startswith("Failed to load resource")
        if getattr(message, "type", "") == "error" and not expected:
            self.errors.append(text)

    def _request(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if not url.startswith((self.base, "data:", "blob:")):
            self.elsewhere.append(url)

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        self.page.wait_for_selector("h1")
        return self.page
