"""Open Inference Protocol tensors and numpy arrays."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aloft_models.missing import is_missing

Array = npt.NDArray[Any]

_NUMPY: dict[str, str] = {
    "BOOL": "?",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
_DATATYPES = {np.dtype(code): name for name, code in _NUMPY.items()}


class TensorError(ValueError):
    """Bytes or values that are not the tensor that they are said to be."""


def numpy_dtype(datatype: str) -> np.dtype[Any]:
    """The numpy type of a protocol datatype; BYTES elements are Python objects."""
    if datatype == "BYTES":
        return np.dtype(object)
    if datatype not in _NUMPY:
        raise TensorError(f"unknown datatype {datatype!r}")
    return np.dtype(_NUMPY[datatype])


def datatype_of(dtype: np.dtype[Any]) -> str:
    """The protocol datatype of a numpy type; text and objects are BYTES."""
    if dtype.kind in "OSUT":
        return "BYTES"
    if dtype.kind in "mM":
        return "BYTES"
    name = _DATATYPES.get(dtype.newbyteorder("<") if dtype.byteorder == ">" else dtype)
    if name is None:
        raise TensorError(f"values of type {dtype} have no datatype in the protocol")
    return name


def decode(datatype: str, shape: Sequence[int], data: bytes | memoryview) -> Array:
    """The array in `data`: little-endian, row-major; BYTES elements become `bytes`."""
    if any(not isinstance(size, int) or isinstance(size, bool) or size < 0 for size in shape):
        raise TensorError(f"shape {list(shape)} is not a list of sizes")
    count = math.prod(shape)
    if datatype == "BYTES":
        return _decode_bytes(data, count).reshape(shape)
    dtype = numpy_dtype(datatype)
    if len(data) != count * dtype.itemsize:
        raise TensorError(
            f"{datatype} of shape {list(shape)} takes {count * dtype.itemsize} bytes, "
            f"there are {len(data)}"
        )
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def _decode_bytes(data: bytes | memoryview, count: int) -> Array:
    view = memoryview(data)
    if count > len(view) // 4:
        raise TensorError(f"{len(view)} bytes are too few for {count} BYTES elements")
    elements = np.empty(count, dtype=object)
    position = 0
    for index in range(count):
        if position + 4 > len(view):
            raise TensorError(f"BYTES data ends before element {index}")
        (length,) = struct.unpack_from("<I", view, position)
        position += 4
        if position + length > len(view):
            raise TensorError(f"BYTES data ends inside element {index}")
        elements[index] = bytes(view[position : position + length])
        position += length
    if position != len(view):
        raise TensorError(f"BYTES data has {len(view) - position} bytes too many")
    return elements


def encode(array: Array) -> tuple[str, bytes]:
    """Datatype and bytes of an array; objects that are no text are written as JSON."""
    datatype = datatype_of(array.dtype)
    if datatype == "BYTES":
        parts = []
        for element in array.reshape(-1):
            text = element_bytes(element)
            parts.append(struct.pack("<I", len(text)) + text)
        return datatype, b"".join(parts)
    return datatype, np.ascontiguousarray(array, dtype=numpy_dtype(datatype)).tobytes()


def element_bytes(element: Any) -> bytes:
    """One BYTES element: text as UTF-8, nothing as empty, other objects as JSON."""
    if isinstance(element, bytes):
        return element
    if isinstance(element, str):
        return element.encode()
    if is_missing(element):
        return b""
    if isinstance(element, np.datetime64) or hasattr(element, "isoformat"):
        return str(element).encode()
    return json.dumps(element, default=_plain, ensure_ascii=False).encode()


def json_text(value: Any) -> str:
    """One value of a JSON column; nothing is null."""
    if is_missing(value):
        return "null"
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if hasattr(value, "model_dump"):
        return value.model_dump()
    return str(value)


def json_values(array: Array) -> list[Any]:
    """The flat row-major `data` of a request; NaN and infinity, which JSON lacks, are null."""
    values: list[Any] = []
    for element in array.reshape(-1):
        if isinstance(element, np.generic):
            element = element.item()
        if isinstance(element, float) and not math.isfinite(element):
            values.append(None)
        elif array.dtype.kind in "OSUT":
            values.append(element_bytes(element).decode(errors="replace"))
        else:
            values.append(element)
    return values
