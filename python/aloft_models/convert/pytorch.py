"""PyTorch modules to ONNX through PyTorch's own exporter, where torch is installed."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.convert import graph, parity, torch_exporters
from aloft_models.convert.example import EXAMPLE_ROWS, request
from aloft_models.convert.failures import ConversionFailed, NotConvertible, in_short
from aloft_models.convert.rows import Rows, named_rows_for, rows_for
from aloft_models.convert.session import run
from aloft_models.convert.torch_calls import Call
from aloft_models.inputs import UNNAMED, ModelInput
from aloft_models.manifest import ServableManifest
from aloft_models.mlflow_model import ModelFolder
from aloft_models.tensors import Array, numpy_dtype

log = logging.getLogger("aloft.convert")
# Numbers that all drawn rows together may hold: images are drawn in smaller numbers.
DRAWN_ELEMENTS = 4_000_000
# How many rows the original is also asked one by one.
ROWS_ALONE = 16


def load(folder: ModelFolder) -> Any:
    """The module, on the CPU wherever it was trained; throws ConversionFailed."""
    try:
        import mlflow.pytorch

        return mlflow.pytorch.load_model(str(folder.path), device="cpu", map_location="cpu")
    except Exception as error:  # whatever unpickling a stranger's model throws
        raise ConversionFailed(f"the model cannot be loaded: {in_short(error)}") from error


def convert(
    folder: ModelFolder, module: Any, limit: float, scratch: Path
) -> tuple[ServableManifest, bytes]:
    """The module's graph, compared with it; throws NotConvertible where it cannot be had."""
    model_input = folder.model_input()
    real, more = _feeds(folder, model_input)
    call = Call(module, tuple(real), folder.output_names())
    feeds, expected = _answers(call, real, more)
    _refuse_neighbours(call, feeds, expected, limit)
    problems: list[str] = []
    closest: float | None = None
    for exporter in torch_exporters.available():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = exporter.export(call, _rows(feeds, 2), scratch)
            torch_exporters.finish(made, feeds)
            content = graph.stable_bytes(made)
            difference = _difference(content, feeds, expected, limit)
        except Exception as error:  # the exporters throw anything at what they do not know
            # The newer exporter wraps what happened in advice on how to report it.
            problem = in_short(error.__cause__ or error)
            log.info("%s: %s", exporter, problem)
            problems.append(problem)
            continue
        log.info("%s: parity %.3g", exporter, difference)
        if difference <= limit:
            return _manifest(made, model_input, real, expected, difference), content
        closest = difference if closest is None else min(closest, difference)
    name = type(module).__name__
    if closest is not None:
        raise NotConvertible(
            f"the converted {name} differs from the original by {closest:.3g}, more than {limit:g}"
        )
    raise NotConvertible(f"{name} cannot be converted: {problems[-1]}{torch_exporters.advice()}")


def _feeds(
    folder: ModelFolder, model_input: ModelInput
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The example's rows and the drawn ones, as the module is called with them."""
    example = folder.example()
    rows: Rows | None = rows_for(example, model_input, None)
    if rows is None:
        rows = named_rows_for(example, model_input)
    if rows is None:
        raise NotConvertible(
            "the model has neither a signature nor an input example, so a conversion cannot be "
            "compared with it; log it with input_example="
        )
    real, more = (_arrays(model_input, part) for part in (rows.real, rows.more))
    elements = sum(array[:1].size for array in more.values())
    return real, _rows(more, max(8, DRAWN_ELEMENTS // max(1, elements)))


def _arrays(model_input: ModelInput, rows: Any) -> dict[str, Array]:
    if isinstance(rows, pd.DataFrame):
        try:  # as MLflow's own scoring does it
            return {UNNAMED: np.ascontiguousarray(rows.to_numpy(dtype=np.float32))}
        except (TypeError, ValueError) as error:
            raise NotConvertible("the model takes a table with other than numbers") from error
    kinds = {tensor.name: tensor.datatype for tensor in model_input.tensors}
    if not isinstance(rows, Mapping):
        rows = {next(iter(kinds)) if len(kinds) == 1 else UNNAMED: rows}
    if "BYTES" in kinds.values():
        raise NotConvertible("the model takes text")
    return {
        name: np.ascontiguousarray(
            values, dtype=numpy_dtype(kinds[name]) if name in kinds else values.dtype
        )
        for name, values in rows.items()
    }


def _answers(
    call: Call, real: dict[str, Array], more: dict[str, Array]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The rows to compare on and the original's answers: the drawn rows too, if it takes them."""
    both = {name: np.concatenate([real[name], more[name]]) for name in real}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return both, call.answer(both)
        except Exception as error:  # a row that was drawn need not make sense to the model
            log.info("the model does not take drawn rows (%s)", in_short(error))
        try:
            return real, call.answer(real)
        except NotConvertible:
            raise
        except Exception as error:
            raise NotConvertible(
                f"the original does not answer its own input example: {in_short(error)}"
            ) from error


def _refuse_neighbours(
    call: Call, feeds: dict[str, Array], expected: dict[str, Array], limit: float
) -> None:
    """Throws NotConvertible where the original itself answers a row otherwise when it comes alone,
    as where a module decides by a sum over the batch: a trace would keep one way for all."""
    count = len(next(iter(feeds.values())))
    for place in range(0, count, max(1, count // ROWS_ALONE)):
        alone = call.answer({name: array[place : place + 1] for name, array in feeds.items()})
        beside = {name: array[place : place + 1] for name, array in expected.items()}
        if parity.largest_difference(beside, alone) > limit:
            raise NotConvertible(
                "the model's answer to a row depends on the rows that come with it"
            )


def _difference(
    content: bytes, feeds: dict[str, Array], expected: dict[str, Array], limit: float
) -> float:
    """Over all rows at once, and with a batch of one: the graph must not have learnt a size."""
    largest = 0.0
    for count in (len(next(iter(feeds.values()))), 1):
        wanted = {name: array[:count] for name, array in expected.items()}
        found = run(content, _rows(feeds, count))
        if any(found[name].shape != array.shape for name, array in wanted.items()):
            raise NotConvertible(f"the graph answers {count} rows in another shape")
        largest = max(largest, parity.largest_difference(wanted, found))
    return largest


def _rows(feeds: dict[str, Array], count: int) -> dict[str, Array]:
    """The first rows, repeated where there are fewer than two of two."""
    if count == 2 and len(next(iter(feeds.values()))) == 1:
        return {name: np.repeat(array, 2, axis=0) for name, array in feeds.items()}
    return {name: array[:count] for name, array in feeds.items()}


def _manifest(
    made: Any,
    model_input: ModelInput,
    real: dict[str, Array],
    expected: dict[str, Array],
    difference: float,
) -> ServableManifest:
    return ServableManifest(
        runtime="onnx",
        inputs=graph.tensors_of(made.graph.input),
        outputs=graph.tensors_of(made.graph.output),
        public_inputs=model_input.protocol_tensors() or None,
        columns=[column.name for column in model_input.columns] or None,
        predict_output=next(iter(expected)) if len(expected) == 1 else None,
        parity=difference,
        parity_rows=len(next(iter(expected.values()))),
        example=request(_rows(real, EXAMPLE_ROWS)),
    )
