"""Every route of /api/v1 as the sources declare it: what bodies it takes, and from whom."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from aloft_server import ROOT, Server
from test_scopes import job_token, make_token

SHIPPING = "post /api/v1/gateways/{gateway}/predictions/{log}/{segment}/{offset}"
#: Routes that read the body or write the answer themselves, and the type of their bodies: one that
#: is not here fails below, so that whoever adds one decides.
RAW: dict[str, str | None] = {
    "get /api/v1/openapi.json": None,
    "get /api/v1/events/stream": None,
    "put /api/v1/blobs/{digest}": "application/octet-stream",
    "get /api/v1/blobs/{digest}": None,
    "head /api/v1/blobs/{digest}": None,
    "post /api/v1/imports/runs": "application/x-ndjson",
    SHIPPING: "application/octet-stream",
    "post /api/v1/predictions/{prediction}": "application/json",
    "post /api/v1/session": "application/json",
    "delete /api/v1/session": None,
}
#: Whose tokens may ask for these, whatever the thing.
SCOPES = {
    "greet": {"job", "gateway"},
    "manage": set(),
    "follow": {"gateway"},
}


class Route(NamedTuple):
    method: str
    path: str
    action: str
    isRaw: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def filled(self) -> str:
        return re.sub(
            r"\{[a-z]+\}", "x", self.path.replace("{digest}", "a" * 64).replace("{version}", "1")
        )


def routes() -> list[Route]:
    found: dict[str, Route] = {}
    paths: dict[str, str] = {}
    for file in (ROOT / "Sources/AloftWire").rglob("*.swift"):
        for block in re.split(r"\n(?=package enum )", file.read_text()):
            name = re.match(r"package enum (\w+)", block)
            path = re.search(r'static let path =\s*"(/api/v1/[^"]+)"', block)
            if not name or not path:
                continue
            paths[name[1]] = path[1]
            method = re.search(r"static let method = EndpointMethod\.(\w+)", block)
            action = re.search(r"static let action = Action\.(\w+)", block)
            if method and action and f"{name[1]}: Endpoint" in block:
                route = Route(method[1], path[1], action[1], False)
                found[str(route)] = route
    for file in (ROOT / "Sources/AloftAPI/Routes").rglob("*.swift"):
        text = file.read_text()
        local = {name: paths[of] for name, of in re.findall(r"let (\w+) = (\w+)\.path\b", text)}
        for method, path, action in re.findall(r"\.raw\(\s*\.(\w+),\s*([^,]+),\s*\.(\w+)", text):
            where = path.strip('"') if path.startswith('"') else local.get(path)
            where = where or paths[path.removesuffix(".path")]
            if where.startswith("/api/v1/"):
                route = Route(method, where, action, True)
                found[str(route)] = route
    return sorted(found.values())


class Asker:
    """A server that asks for tokens, and one of each kind."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.tokens = {"user": make_token(server, "ann")}
        self.tokens["job"] = job_token(server, self.tokens["user"], "routes")[1]
        self.tokens["gateway"] = (server.data / "gateway/token").read_text().strip()

    def status(self, route: Route, who: str | None, kind: str | None = None) -> tuple[int, str]:
        headers = {} if who is None else {"Authorization": f"Bearer {self.tokens[who]}"}
        body = None
        if kind is not None:
            headers["Content-Type"], body = kind, b"[]"
        request = urllib.request.Request(
            self.server.url + route.filled, body, headers, method=route.method.upper()
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                # A stream of events does not end.
                return reply.status, ""
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text)["error"]["code"] if text else ""


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    folder: Path = tmp_path_factory.mktemp("routes")
    server = Server(data=folder / "data", arguments=["--auth"], with_gateway=True).start()
    try:
        token = server.data / "gateway/token"
        server.wait_until(token.exists, "the gateway's token")
        yield (one := Asker(server))
        for job in json.loads(server_get(one, "/api/v1/jobs?live=true"))["jobs"]:
            stop = Route("post", f"/api/v1/jobs/{job['id']}/stop", "manage", False)
            one.status(stop, "user", "application/json")
    finally:
        assert server.stop() == 0


def server_get(asker: Asker, path: str) -> bytes:
    headers = {"Authorization": f"Bearer {asker.tokens['user']}"}
    request = urllib.request.Request(asker.server.url + path, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return bytes(reply.read())


def test_all_routes_are_known(asker: Asker) -> None:
    known = routes()
    assert {str(route) for route in known if route.isRaw} == RAW.keys()
    document = json.loads(server_get(asker, "/api/v1/openapi.json"))
    described = {
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith("/api/v1/")
    }
    assert described == {str(route) for route in known if not route.isRaw}
    assert len(described) > 40


def test_no_route_reads_what_a_page_can_send(asker: Asker) -> None:
    for route in routes():
        if route.method in ("get", "head"):
            continue
        expected = RAW.get(str(route), "application/json") or "application/json"
        for kind in ("text/plain", "multipart/form-data; boundary=b", "application/x-other"):
            assert asker.status(route, "user", kind) == (415, "content_type_unsupported"), route
        if expected != "application/json" or not route.isRaw:
            other = "application/json" if expected != "application/json" else "application/zip"
            assert asker.status(route, "user", other)[0] == 415, (route, other)
        # Nothing is changed: the body is a list, which none of these takes.
        assert asker.status(route, "user", expected)[0] != 415, route


def test_no_route_is_open_to_strangers_or_to_tokens_of_others(asker: Asker) -> None:
    for route in routes():
        kind = None if route.method in ("get", "head") else RAW.get(str(route), "application/json")
        status, code = asker.status(route, None, kind)
        if route.action == "greet":
            assert status != 403, route
            continue
        assert status == 401, (route, status, code)
        for who in ("job", "gateway"):
            status, code = asker.status(route, who, kind)
            if who in SCOPES.get(route.action, set()):
                assert status not in (401, 403), (route, who, status)
            elif route.action in SCOPES or route.path.count("{"):
                assert status in (403, 404), (route, who, status, code)
            if route.action in SCOPES and who not in SCOPES[route.action]:
                assert (status, code) in ((403, "token_not_allowed"), (403, "")), (route, who, code)
