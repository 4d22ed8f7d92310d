"""ONNX files that people made themselves: served as they are, in the gateway's own runtime."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from aloft_models.convert.example import EXAMPLE_ROWS, request
from aloft_models.convert.failures import ConversionFailed, NotConvertible, in_short
from aloft_models.manifest import ServableManifest, Tensor
from aloft_models.mlflow_model import ModelFolder
from aloft_models.tensors import Array, numpy_dtype

log = logging.getLogger("aloft.convert")
# What one file may hold: protobuf takes no more.
MOST_BYTES = (1 << 31) - 1
# An example stands in the manifest as text, so only a small one is kept.
EXAMPLE_ELEMENTS = 4096
# Sizes tried for the open dimensions behind the first, of a model that has no example.
SIZES = (1, 8, 32, 64, 224, 256, 512, 1024)
# No larger request is made up to try a model with.
TRIED_ELEMENTS = 1 << 21
_DATATYPES = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(bfloat16)": "BF16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}


def only_file(folder: Path) -> Path | None:
    """The ONNX file of a folder that is no MLflow model and holds one."""
    if (folder / "MLmodel").is_file():
        return None
    found = sorted(path for path in folder.glob("*.onnx") if path.is_file())
    return found[0] if len(found) == 1 else None


def servable_of_file(path: Path) -> tuple[ServableManifest, bytes]:
    """Of a plain file: what it takes and gives is what it says. Throws ConversionFailed."""
    try:
        return _servable(path, None)
    except NotConvertible as refusal:
        raise ConversionFailed(str(refusal)) from refusal


def servable_of_folder(folder: ModelFolder) -> tuple[ServableManifest, bytes]:
    """Of a model that `mlflow.onnx` logged; throws NotConvertible where the gateway's runtime
    cannot serve it."""
    return _servable(_file_of(folder), folder)


def _file_of(folder: ModelFolder) -> Path:
    name = folder.flavors["onnx"].get("data", "model.onnx")
    path = (folder.path / str(name)).resolve()
    if not path.is_relative_to(folder.path.resolve()) or not path.is_file():
        raise ConversionFailed(f"the model's file {name!r} is not in its folder")
    return path


def _servable(path: Path, folder: ModelFolder | None) -> tuple[ServableManifest, bytes]:
    content = whole_bytes(path)
    session = _session(content)
    inputs = [_tensor(value) for value in session.get_inputs()]
    outputs = [_tensor(value) for value in session.get_outputs()]
    columns = _columns(folder, inputs)
    manifest = ServableManifest(
        runtime="onnx",
        inputs=inputs,
        outputs=outputs,
        columns=columns,
        predict_all=_predict_all(folder),
        example=_example(session, folder, inputs, columns),
    )
    return manifest, content


def whole_bytes(path: Path) -> bytes:
    """The file with the weights that lie beside it; throws ConversionFailed where one is missing,
    NotConvertible where they are too many for one file."""
    import onnx

    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # whatever protobuf throws at what is no model
        raise ConversionFailed(f"{path.name} is no ONNX file: {in_short(error)}") from error
    if not _is_external(model):
        return path.read_bytes()
    weights = sum(one.stat().st_size for one in path.parent.rglob("*") if one.is_file())
    if weights > MOST_BYTES:
        raise NotConvertible(
            f"the model and its weights take {weights:,} bytes; one ONNX file holds at most 2 GiB"
        )
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except Exception as error:  # a file that is missing, too short or outside the folder
        raise ConversionFailed(f"the weights of {path.name}: {in_short(error)}") from error
    return bytes(model.SerializeToString(deterministic=True))


def weights_beside(path: Path) -> list[str]:
    """Names of the files beside this one that hold its weights; throws ConversionFailed where one
    is not beside it."""
    import onnx
    from onnx.external_data_helper import ExternalDataInfo, _get_all_tensors, uses_external_data

    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # whatever protobuf throws at what is no model
        raise ConversionFailed(f"{path.name} is no ONNX file: {in_short(error)}") from error
    tensors = [one for one in _get_all_tensors(model) if uses_external_data(one)]
    names = sorted({ExternalDataInfo(one).location for one in tensors})
    for name in names:
        if "/" in name or name in ("", ".", ".."):
            raise ConversionFailed(f"the weights {name!r} do not lie beside {path.name}")
    return names


def _is_external(model: Any) -> bool:
    from onnx.external_data_helper import _get_all_tensors, uses_external_data

    return any(uses_external_data(tensor) for tensor in _get_all_tensors(model))


def _session(content: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # operators of other domains, damage: the runtime says it
        raise NotConvertible(f"ONNX Runtime cannot load the model: {in_short(error)}") from error


def _tensor(value: Any) -> Tensor:
    """An input or output as the runtime has it; dimensions without a size are open."""
    datatype = _DATATYPES.get(value.type)
    if datatype is None:
        raise NotConvertible(
            f'"{value.name}" is a {value.type}, for which the inference protocol has no word'
            + (" (scikit-learn: convert with zipmap off)" if "map(" in value.type else "")
        )
    sizes = (size if isinstance(size, int) and size >= 0 else -1 for size in value.shape or ())
    return Tensor(value.name, datatype, tuple(sizes))


def _columns(folder: ModelFolder | None, inputs: list[Tensor]) -> list[str] | None:
    """Names of a table's columns, where the signature has them and the file takes as many."""
    if folder is None:
        return None
    columns = [column.name for column in folder.model_input().columns if column.named]
    if not columns:
        return None
    if len(inputs) == 1:
        shape = inputs[0].shape
        fits = len(shape) == 2 and shape[1] in (-1, len(columns))
        return columns if fits or (len(shape) < 2 and len(columns) == 1) else None
    return columns if {one.name for one in inputs} <= set(columns) else None


def _predict_all(folder: ModelFolder | None) -> Literal["outputs", "rows"]:
    """MLflow's own scoring gives all outputs by name; to a table it gives one, unless the signature
    made arrays of it before."""
    schema = folder.description.get_input_schema() if folder is not None else None
    return "outputs" if schema is not None and schema.is_tensor_spec() else "rows"


def _example(
    session: Any, folder: ModelFolder | None, inputs: list[Tensor], columns: list[str] | None
) -> dict[str, Any] | None:
    logged = folder.example() if folder is not None else None
    feeds = _logged_feeds(logged, inputs) if logged is not None else None
    if feeds is not None:
        try:
            session.run(None, feeds)
        except Exception as error:
            raise ConversionFailed(
                f"the model does not answer its own input example: {in_short(error)}"
            ) from error
        first = {
            name: array[:EXAMPLE_ROWS] if array.ndim else array for name, array in feeds.items()
        }
        if _answers(session, first):
            feeds = first
    else:
        feeds = _made_up(session, inputs)
    if feeds is None or sum(array.size for array in feeds.values()) > EXAMPLE_ELEMENTS:
        return None
    return request(feeds)


def _logged_feeds(example: Any, inputs: list[Tensor]) -> dict[str, Array] | None:
    """The logged example as MLflow's own scoring feeds it; None where it is no such thing."""
    if isinstance(example, pd.DataFrame):
        if len(inputs) == 1:
            named: dict[str, Any] = {inputs[0].name: example.to_numpy()}
        else:
            named = {str(name): example[name].to_numpy() for name in example}
    elif isinstance(example, dict):
        named = example
    elif isinstance(example, np.ndarray) and len(inputs) == 1:
        named = {inputs[0].name: example}
    else:
        return None
    if any(one.name not in named or one.datatype == "BF16" for one in inputs):
        return None
    try:
        return {
            one.name: np.asarray(named[one.name]).astype(numpy_dtype(one.datatype))
            for one in inputs
        }
    except (TypeError, ValueError):
        return None


def _made_up(session: Any, inputs: list[Tensor]) -> dict[str, Array] | None:
    """Zeros in the first sizes that the model answers; None where it answers none of them."""
    if any(one.datatype == "BF16" for one in inputs):
        return None
    values = session.get_inputs()
    # Dimensions of one name have one size, and the first is mostly how many rows there are.
    rows = {value.shape[0] for value in values if value.shape and isinstance(value.shape[0], str)}
    for size in SIZES:
        shapes = {
            value.name: tuple(
                length
                if isinstance(length, int) and length >= 0
                else (1 if place == 0 or length in rows else size)
                for place, length in enumerate(value.shape or ())
            )
            for value in values
        }
        if sum(map(math.prod, shapes.values())) > TRIED_ELEMENTS:
            return None
        feeds = {one.name: _zeros(one, shapes[one.name]) for one in inputs}
        if _answers(session, feeds):
            return feeds
        if not any(-1 in one.shape[1:] for one in inputs):
            return None
    return None


def _zeros(tensor: Tensor, shape: tuple[int, ...]) -> Array:
    if tensor.datatype == "BYTES":
        return np.full(shape, "", dtype=object)
    return np.zeros(shape, dtype=numpy_dtype(tensor.datatype))


def _answers(session: Any, feeds: dict[str, Array]) -> bool:
    try:
        session.run(None, feeds)
    except Exception as error:  # sizes that were made up need not make sense
        log.info("the model does not take the sizes tried: %s", in_short(error))
        return False
    return True
