"""Aloft's helpers for models: the converter to ONNX (`aloft_models.convert`) and the worker that
serves what ONNX cannot express (`aloft_models.worker`). Training scripts never import it."""

__version__ = "0.2.0"
