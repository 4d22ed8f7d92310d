"""The types that the pages are written against are those of the server."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
from pathlib import Path

WEB = Path(__file__).resolve().parents[2] / "web"


def test_generated_types_are_those_of_the_server(server) -> None:  # type: ignore[no-untyped-def]
    loader = importlib.machinery.SourceFileLoader("make_types", str(WEB / "make-types"))
    spec = importlib.util.spec_from_loader("make_types", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    document = json.loads(server.get("/api/v1/openapi.json"))
    schemas = document["components"]["schemas"]
    unseen = sorted(name for name, schema in schemas.items() if "x-incomplete" in schema)
    assert unseen == [], "enums in these types must be CaseIterable"
    assert module.make(document) == (WEB / "src/api/generated.ts").read_text(), (
        "run web/make-types with this server's address"
    )
