"""Asks a server of the tracking protocol, and reads what it refuses."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class Caller:
    """Asks a server without a client in between."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers: dict[str, str] = {}

    def ask(
        self, method: str, path: str, body: object = None, /, **query: object
    ) -> tuple[int, dict[str, Any]]:
        if query:
            path += "?" + urllib.parse.urlencode(query, doseq=True)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path,
            data,
            {"Content-Type": "application/json"} if data is not None else {},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                (status, text, self.headers) = (reply.status, reply.read(), dict(reply.headers))
        except urllib.error.HTTPError as error:
            (status, text) = (error.code, error.read())
        return status, json.loads(text or b"{}")

    def refused(
        self, words: str, method: str, path: str, body: object = None, /, **query: object
    ) -> None:
        status, answer = self.ask(method, path, body, **query)
        assert status in {400, 404}, answer
        assert words in answer["message"], answer
