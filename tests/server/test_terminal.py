"""Texts of strangers on a terminal: shown, not obeyed."""

from __future__ import annotations

import json
import urllib.request

from aloft_server import Server

NAME = "evil\x1b]0;title\x07\u202egnp\x9b31m"


def test_control_characters_of_names_are_written_out(server: Server) -> None:
    body = json.dumps({"experiment_id": "0", "start_time": 1, "run_name": NAME}).encode()
    request = urllib.request.Request(f"{server.url}/api/2.0/mlflow/runs/create", body)
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request, timeout=30).close()

    table = server.run("runs", "list")
    assert r"evil\u{1b}]0;title\u{7}\u{202e}gnp\u{9b}31m" in table
    error = server.run("logs", "none\x1b[31m", status=1)
    assert r"none\u{1b}[31m" in error
    text = server.run("runs", "list", "--json")
    for shown in (table, error, text):
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(shown)
    # JSON stays JSON: programs read the name as it is.
    assert json.loads(text)[0]["info"]["runName"] == NAME
