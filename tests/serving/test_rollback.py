"""A candidate that fails goes back by itself, and says on what that rests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper
from soak import BODY, MANIFEST, Soak, call, register, wait_until

FIXTURES = Path(__file__).resolve().parents[2] / ".runtime/fixtures"


def make_fragile(path: Path) -> None:
    """Answers where the first number is 0, and fails in the runtime where it is anything else."""
    graph = helper.make_graph(
        [
            helper.make_node("Slice", ["x", "zeros", "ones"], ["corner"]),
            helper.make_node("Cast", ["corner"], ["index"], to=TensorProto.INT64),
            helper.make_node("Gather", ["table", "index"], ["found"]),
            helper.make_node("ReduceSum", ["found"], ["y"], keepdims=0),
        ],
        "fragile",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])],
        [
            helper.make_tensor("zeros", TensorProto.INT64, [2], [0, 0]),
            helper.make_tensor("ones", TensorProto.INT64, [2], [1, 1]),
            helper.make_tensor("table", TensorProto.FLOAT, [1], [1.0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def test_a_candidate_that_fails_is_rolled_back_by_itself(
    make_server: Callable[..., Any], tmp_path: Path
) -> None:
    make_fragile(tmp_path / "fragile.onnx")
    zeros = {"inputs": [{**BODY["inputs"][0], "data": [0, 0]}]}
    server = make_server(with_gateway=True)
    files = [FIXTURES / "constant-1.onnx", tmp_path / "fragile.onnx"]
    register(server, "soak", files, {**MANIFEST, "example": zeros})
    soak = Soak(server, "soak")
    soak.begin()
    soak.load.start()
    try:
        wait_until(lambda: soak.load.answered > 500, "a baseline")
        candidate = soak.deploy(2)
        revision = f"{server.url}/api/v1/deployments/soak/revisions/{candidate}"
        wait_until(lambda: call(revision)["state"] == "aborted", "the candidate to be aborted")
        wait_until(lambda: candidate not in soak.weights(), "its drain")
        failed = len(soak.load.failures)
        answered = soak.load.answered
        wait_until(lambda: soak.load.answered > answered + 500, "more answers")
    finally:
        soak.load.end()

    shown = call(revision)
    assert "errors: 100%" in shown["reason"]
    step = shown["rollout"]["steps"][0]
    assert step["verdict"] == "aborted"
    errors = next(one for one in step["comparisons"] if one["what"] == "errors")
    assert errors["isWorse"]
    assert errors["log10Evidence"] >= errors["log10Needed"]
    # Those in flight at the drain may still have been counted after it was seen.
    assert len(soak.load.failures) <= failed + soak.load.connections
    assert all("model_failed" in failure for failure in soak.load.failures)
    assert soak.load.failed_between is not None
    first, last = soak.load.failed_between
    print(f"failures from the first to the last: {last - first:.2f} s")
