"""Runs a converted model, as the gateway will."""

from __future__ import annotations

from aloft_models.tensors import Array


def run(onnx_bytes: bytes, feeds: dict[str, Array]) -> dict[str, Array]:
    """All outputs by name, on one thread. Throws what ONNX Runtime throws."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))
