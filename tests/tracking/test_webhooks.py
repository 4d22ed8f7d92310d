"""Webhooks by the unmodified client: told of each change, signed, tried again, durable."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aloft_server import Server, free_port
from mlflow import MlflowClient
from mlflow.entities.webhook import WebhookEvent
from mlflow.exceptions import MlflowException

SECRET = "a secret of this test"


class Receiver:
    """Takes deliveries on a port of its own; answers with `status`, which a test may change."""

    def __init__(self, port: int = 0) -> None:
        self.status = 200
        self.deliveries: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.status
                receiver.deliveries.append(
                    {"status": status, "headers": dict(self.headers), "body": body}
                )
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/hook"

    def taken(self) -> list[dict[str, Any]]:
        """What was taken, as JSON."""
        return [json.loads(one["body"]) for one in self.deliveries if one["status"] == 200]

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


@pytest.fixture
def open_server(make_server: Callable[..., Server]) -> Server:
    return make_server(arguments=["--webhooks-anywhere"])


def every_event() -> list[str]:
    return [
        "registered_model.created",
        "model_version.created",
        "model_version_tag.set",
        "model_version_tag.deleted",
        "model_version_alias.created",
        "model_version_alias.deleted",
        "prompt.created",
        "prompt_version.created",
        "prompt_tag.set",
        "prompt_tag.deleted",
        "prompt_version_tag.set",
        "prompt_version_tag.deleted",
        "prompt_alias.created",
        "prompt_alias.deleted",
    ]


def test_a_webhook_lives(open_server: Server, receiver: Receiver) -> None:
    client = MlflowClient(open_server.url)
    made = client.create_webhook(
        "ci", receiver.url, ["registered_model.created"], description="tells CI", secret=SECRET
    )
    assert made.status == "ACTIVE" and made.url == receiver.url and made.description == "tells CI"
    assert made.secret is None, "the secret is never told"
    assert [str(event) for event in made.events] == ["registered_model.created"]
    found = client.get_webhook(made.webhook_id)
    assert found.name == "ci" and found.creation_timestamp == made.creation_timestamp
    second = client.create_webhook("other", receiver.url, ["model_version.created"])
    listed = client.list_webhooks(max_results=1)
    assert len(listed) == 1 and listed.token
    rest = client.list_webhooks(max_results=1, page_token=listed.token)
    assert {hook.webhook_id for hook in [*listed, *rest]} == {made.webhook_id, second.webhook_id}
    changed = client.update_webhook(made.webhook_id, name="ci2", status="DISABLED")
    assert (changed.name, changed.status, changed.url) == ("ci2", "DISABLED", receiver.url)
    client.delete_webhook(made.webhook_id)
    with pytest.raises(MlflowException) as gone:
        client.get_webhook(made.webhook_id)
    assert gone.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    result = client.test_webhook(second.webhook_id)
    assert result.success and result.response_status == 200
    assert receiver.taken()[-1]["data"]["version"] == "1"
    receiver.status = 500
    refused = client.test_webhook(second.webhook_id, WebhookEvent.from_str("prompt.created"))
    assert not refused.success and refused.response_status == 500


def test_each_change_of_the_registry_is_told_and_signed(
    open_server: Server, receiver: Receiver
) -> None:
    client = MlflowClient(open_server.url)
    client.create_webhook("all", receiver.url, every_event(), secret=SECRET)
    client.create_registered_model("flights", tags={"team": "delays"}, description="late or not")
    version = client.create_model_version("flights", "mlflow-artifacts:/0/x/artifacts/m").version
    client.set_model_version_tag("flights", version, "checked", "yes")
    client.delete_model_version_tag("flights", version, "checked")
    client.set_registered_model_alias("flights", "champion", version)
    client.delete_registered_model_alias("flights", "champion")
    client.create_prompt("greeting", tags={"tone": "kind"})
    client.create_prompt_version("greeting", "Hello {{name}}!", tags={"by": "ann"})
    client.set_prompt_tag("greeting", "tone", "warm")
    client.delete_prompt_tag("greeting", "tone")
    client.set_prompt_version_tag("greeting", "1", "ok", "yes")
    client.delete_prompt_version_tag("greeting", "1", "ok")
    client.set_prompt_alias("greeting", "live", 1)
    client.delete_prompt_alias("greeting", "live")
    open_server.wait_until(lambda: len(receiver.taken()) >= 14, "every delivery")

    told = {f"{one['entity']}.{one['action']}": one["data"] for one in receiver.taken()}
    assert sorted(told) == sorted(every_event()) and len(receiver.taken()) == 14
    assert told["registered_model.created"] == {
        "name": "flights",
        "tags": {"team": "delays"},
        "description": "late or not",
    }
    assert told["model_version.created"]["source"] == "mlflow-artifacts:/0/x/artifacts/m"
    assert told["model_version.created"]["version"] == "1"
    assert told["model_version_tag.set"] == {
        "name": "flights",
        "version": "1",
        "key": "checked",
        "value": "yes",
    }
    assert told["model_version_alias.deleted"] == {"name": "flights", "alias": "champion"}
    assert told["prompt.created"]["tags"] == {"tone": "kind"}
    assert told["prompt_version.created"]["template"] == "Hello {{name}}!"
    assert told["prompt_version.created"]["tags"] == {"by": "ann"}
    ids = {one["headers"]["X-MLflow-Delivery-Id"] for one in receiver.deliveries}
    assert len(ids) == 14
    for one in receiver.deliveries:
        headers = one["headers"]
        signed = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.".encode()
        code = hmac.new(SECRET.encode(), signed + one["body"], hashlib.sha256).digest()
        assert headers["X-MLflow-Signature"] == "v1," + base64.b64encode(code).decode()
    assert SECRET not in open_server.log.read_text()


def test_a_failing_receiver_is_asked_again_and_holds_up_nobody(
    open_server: Server, receiver: Receiver
) -> None:
    client = MlflowClient(open_server.url)
    failing = Receiver()
    failing.status = 503
    try:
        client.create_webhook("failing", failing.url, ["registered_model.created"])
        client.create_webhook("good", receiver.url, ["registered_model.created"])
        client.create_registered_model("one")
        open_server.wait_until(lambda: len(receiver.taken()) == 1, "the good receiver")
        open_server.wait_until(lambda: len(failing.deliveries) >= 2, "a second attempt")
        failing.status = 200
        open_server.wait_until(lambda: len(failing.taken()) == 1, "the attempt that is taken")
        ids = {one["headers"]["X-MLflow-Delivery-Id"] for one in failing.deliveries}
        bodies = {one["body"] for one in failing.deliveries}
        assert len(ids) == 1 and len(bodies) == 1, "a repeat is known as one"
    finally:
        failing.close()


def test_what_was_not_yet_told_survives_a_kill(open_server: Server) -> None:
    client = MlflowClient(open_server.url)
    port = free_port()  # nobody listens there yet
    client.create_webhook("late", f"http://127.0.0.1:{port}/", ["registered_model.created"])
    names = [f"model-{number}" for number in range(5)]
    for name in names:
        client.create_registered_model(name)
    open_server.kill()
    late = Receiver(port)
    try:
        open_server.start()
        open_server.wait_until(
            lambda: {one["data"]["name"] for one in late.taken()} == set(names),
            "what was owed from before the kill",
        )
    finally:
        late.close()


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://example.com/hook", "scheme"),
        ("ftp://example.com/hook", "scheme"),
        ("https://127.0.0.1/hook", "non-public"),
        ("https://[::1]/hook", "non-public"),
        ("https://[::ffff:10.0.0.1]/hook", "non-public"),
        ("https://192.168.1.1/hook", "non-public"),
        ("https://169.254.169.254/latest/meta-data", "non-public"),
        ("https://0x7f.1/hook", "non-public"),
        ("https://localhost/hook", "non-public"),
        ("https://no-such-host.invalid/hook", "not known"),
        ("https:///hook", "hostname"),
        ("https://user:word@example.com/hook", "password"),
        ("not a url", "URL"),
    ],
)
def test_addresses_inside_the_network_are_refused(server: Server, url: str, word: str) -> None:
    with pytest.raises(MlflowException) as refused:
        MlflowClient(server.url).create_webhook("x", url, ["registered_model.created"])
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert word in str(refused.value) and "user:word" not in str(refused.value)


def test_what_no_webhook_may_be_is_refused(server: Server) -> None:
    client = MlflowClient(server.url)
    for name in ("", "-x", "x" * 64, "two words"):
        with pytest.raises(MlflowException) as refused:
            client.create_webhook(name, "https://1.1.1.1/", ["registered_model.created"])
        assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
