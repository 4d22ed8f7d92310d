"""From a model's folder to a servable: tries the layouts in turn, compares, decides."""

from __future__ import annotations

import logging
import math
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.convert import (
    boosters,
    estimators,
    graph,
    original,
    parity,
    python_model,
    pytorch,
    unsigned,
)
from aloft_models.convert.failures import NotConvertible, in_short
from aloft_models.convert.layout import Layout, layouts_for
from aloft_models.convert.rows import Rows, rows_for
from aloft_models.convert.session import run
from aloft_models.inputs import ModelInput
from aloft_models.manifest import ServableManifest, Tensor
from aloft_models.mlflow_model import ModelFolder
from aloft_models.tensors import Array, datatype_of, json_values

log = logging.getLogger("aloft.convert")
EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class Servable:
    """What the gateway is to serve: the bytes of its blob, or the file that holds them."""

    manifest: ServableManifest
    content: bytes | Path


def convert_folder(folder: ModelFolder, limit: float, scratch: Path) -> Servable:
    """ONNX if that is possible within the limit, else the folder for the Python worker.

    Throws ConversionFailed where the model cannot be loaded or does not answer at all."""
    flavor = original.flavor_of(folder)
    model_input = folder.model_input()
    if flavor is None:
        kinds = ", ".join(sorted(set(folder.flavors) - {"python_function"})) or "a Python function"
        reason = f"the model is {kinds}, for which there is no conversion to ONNX"
        return python_model.servable(folder, model_input, reason, scratch)
    if flavor == "pytorch":
        return _pytorch(folder, limit, scratch)
    source = original.load(folder, flavor)
    if not model_input.is_known:
        model_input = unsigned.input_of(source.model)
    try:
        asked = replace(source, outputs=lambda rows: source.outputs(folder.native(rows)))
        return _onnx(folder, asked, model_input, limit)
    except NotConvertible as refusal:
        log.warning("no ONNX: %s", refusal)
        if not folder.model_input().is_known:
            model_input = unsigned.plain(model_input)
        return python_model.servable(folder, model_input, str(refusal), scratch)


def _pytorch(folder: ModelFolder, limit: float, scratch: Path) -> Servable:
    module = pytorch.load(folder)
    try:
        return Servable(*pytorch.convert(folder, module, limit, scratch))
    except NotConvertible as refusal:
        log.warning("no ONNX: %s", refusal)
        return python_model.servable(folder, folder.model_input(), str(refusal), scratch)


def _onnx(
    folder: ModelFolder, source: original.Original, model_input: ModelInput, limit: float
) -> Servable:
    rows = rows_for(folder.example(), model_input, source.model)
    if rows is None:
        raise NotConvertible(
            "the model has neither a signature nor an input example, so a conversion cannot be "
            "compared with it; log it with input_example="
        )
    real, expected = _answers(source, rows)
    best: tuple[float, Layout] | None = None
    problems: list[str] = []
    for layout in layouts_for(model_input, real):
        try:
            content, difference = _attempt(source, layout, real, expected, limit)
        except Exception as error:  # the converters throw anything at what they do not know
            problem = in_short(error)
            log.info("%s: %s", layout, problem)
            if problem not in problems:
                problems.append(problem)
            continue
        log.info("%s: parity %.3g over %d rows", layout, difference, len(real))
        if difference <= limit:
            return _servable(content, layout, source, model_input, real, len(rows.real), difference)
        if best is None or difference < best[0]:
            best = (difference, layout)
    if best is not None:
        raise NotConvertible(
            f"the converted {_kind(source.model)} differs from the original by {_number(best[0])}, "
            f"more than {limit:g}"
        )
    if problems:
        raise NotConvertible(f"{_kind(source.model)} cannot be converted: {problems[0]}")
    raise NotConvertible("the model takes values that are neither numbers nor text columns")


def _answers(source: original.Original, rows: Rows) -> tuple[Any, dict[str, Array]]:
    """The rows to compare on and the original's answers: the drawn rows too, if it takes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            both = _joined(rows.real, rows.more)
            return both, source.outputs(both)
        except Exception as error:  # a row that was drawn need not make sense to the model
            log.info("the model does not take drawn rows (%s)", in_short(error))
        try:
            return rows.real, source.outputs(rows.real)
        except Exception as error:
            raise NotConvertible(
                f"the original does not answer its own input example: {in_short(error)}"
            ) from error


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, pd.DataFrame):
        joined = pd.concat([first, second], ignore_index=True)
        for name in first.columns:
            if isinstance(first[name].dtype, pd.CategoricalDtype):
                joined[name] = joined[name].astype(object)
        return joined
    return np.concatenate([first, second])


def _attempt(
    source: original.Original, layout: Layout, rows: Any, expected: dict[str, Array], limit: float
) -> tuple[bytes, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if boosters.is_booster(source):
            made = boosters.convert(source, layout, expected)
        else:
            made = estimators.convert(source.model, layout, expected)
    content = graph.stable_bytes(made)
    return content, parity.largest_difference(expected, run(content, layout.feeds(rows)), limit)


def _servable(
    content: bytes,
    layout: Layout,
    source: original.Original,
    model_input: ModelInput,
    rows: Any,
    real_count: int,
    difference: float,
) -> Servable:
    import onnx

    made = onnx.load_from_string(content)
    feeds = layout.feeds(rows[: min(real_count, EXAMPLE_ROWS)])
    columns = [column.name for column in layout.columns] or None
    manifest = ServableManifest(
        runtime="onnx",
        inputs=graph.tensors_of(made.graph.input),
        outputs=graph.tensors_of(made.graph.output),
        columns=columns,
        predict_output=source.predict_output,
        parity=difference,
        parity_rows=len(rows),
        example=request(feeds),
    )
    return Servable(manifest, content)


def request(feeds: dict[str, Array]) -> dict[str, Any]:
    """An Open Inference Protocol request body."""
    return {
        "inputs": [
            {
                "name": name,
                "shape": list(array.shape),
                "datatype": datatype_of(array.dtype),
                "data": json_values(array),
            }
            for name, array in feeds.items()
        ]
    }


def _kind(model: Any) -> str:
    name = type(original.final_step(model)).__name__
    return name if not hasattr(model, "steps") else f"pipeline ending in {name}"


def _number(value: float) -> str:
    return "a whole label" if math.isinf(value) else f"{value:.3g}"


__all__ = ["Servable", "Tensor", "convert_folder", "request"]
