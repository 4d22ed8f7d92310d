"""Webhooks made, tried, stopped and deleted in the browser; a real receiver takes the messages."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from mlflow import MlflowClient
from playwright.sync_api import BrowserContext, expect
from watched import Watched


class Receiver:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.taken: list[dict[str, object]] = []
        self.came = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.taken.append(json.loads(body))
                self.send_response(204)
                self.end_headers()
                receiver.came.set()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.http.shutdown()
    one.http.server_close()


def test_a_webhook_is_made_tried_stopped_and_deleted(
    make_server: Callable[..., object],
    receiver: Receiver,
    open_context: Callable[..., BrowserContext],
) -> None:
    server = make_server("hooks", arguments=["--webhooks-anywhere"])
    watched = Watched(open_context(), server.url)  # type: ignore[attr-defined]
    page = watched.open("/settings")
    expect(page.get_by_text("No webhooks")).to_be_visible()
    page.get_by_role("button", name="New webhook").click()
    page.get_by_label("Name", exact=True).fill("chat")
    page.get_by_label("Address").fill(receiver.url)
    page.get_by_label("A model is registered").check()
    page.get_by_role("dialog").get_by_role("button", name="Make webhook").click()
    row = page.get_by_role("table", name="Webhooks").get_by_role("row").filter(has_text="chat")
    expect(row).to_contain_text("a model is registered")
    row.get_by_role("button", name="Test").click()
    expect(page.get_by_text("chat answered 204")).to_be_visible()
    receiver.came.clear()
    MlflowClient(server.url).create_registered_model("told")  # type: ignore[attr-defined]
    assert receiver.came.wait(30)
    assert receiver.taken[-1]["entity"] == "registered_model"
    row.get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("disabled")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No webhooks")).to_be_visible()
    assert watched.errors == []


def test_a_private_address_is_refused_with_the_reason(
    make_server: Callable[..., object], open_context: Callable[..., BrowserContext]
) -> None:
    server = make_server("strict")
    watched = Watched(open_context(), server.url)  # type: ignore[attr-defined]
    page = watched.open("/settings")
    page.get_by_role("button", name="New webhook").click()
    page.get_by_label("Name", exact=True).fill("inside")
    page.get_by_label("Address").fill("https://127.0.0.1/hook")
    page.get_by_role("dialog").get_by_role("button", name="Make webhook").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(
        "INVALID_PARAMETER_VALUE"
    )
    assert watched.errors == []
