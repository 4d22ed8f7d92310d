"""Nothing is lost while models change: a tenth of what `bench/serving/soak` runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from soak import Soak, register

FIXTURES = Path(__file__).resolve().parents[2] / ".runtime/fixtures"


def test_no_request_is_lost_while_revisions_come_and_go_and_the_control_plane_is_killed(
    make_server: Callable[..., Any],
) -> None:
    server = make_server(with_gateway=True)
    register(server, "soak", [FIXTURES / "constant-1.onnx", FIXTURES / "constant-2.onnx"])
    soak = Soak(server, "soak")
    soak.run(requests=100_000, cycles=10, kills=2)

    assert soak.load.failures == []
    assert soak.load.answered >= 100_000
    assert soak.late_answers() == {}
    assert soak.kills >= 2
    assert soak.moves["aborted"] >= 3
    assert soak.moves["rolled back"] >= 3
