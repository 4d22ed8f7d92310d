"""Why a model was not converted."""

from __future__ import annotations


class NotConvertible(Exception):
    """ONNX cannot express the model, or not exactly enough; the message is for its owner."""


class ConversionFailed(Exception):
    """Nothing can serve the model: it cannot be fetched or loaded; the message says why."""


def in_short(error: BaseException) -> str:
    """The kind of an error and the first line of its message, for a sentence."""
    if isinstance(error, NotConvertible | ConversionFailed):
        return str(error)
    text = str(error).strip()
    line = text.splitlines()[0].strip() if text else ""
    if len(line) > 300:
        line = line[:297] + "..."
    return f"{type(error).__name__}: {line}" if line else type(error).__name__
