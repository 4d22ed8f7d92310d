"""Rows to compare the original and the converted model on: the logged example first, then rows
drawn from it, or from what the signature allows. The same model always gets the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.inputs import ModelInput
from aloft_models.manifest import Tensor
from aloft_models.tensors import numpy_dtype

DRAWN = 200
SEED = 20130101


@dataclass(frozen=True)
class Rows:
    """`real` comes from the example (or is drawn where there is none); `more` is drawn."""

    real: Any
    more: Any


def rows_for(example: Any, model_input: ModelInput, model: Any) -> Rows | None:
    """None where neither an example nor a signature says what a row looks like."""
    chance = np.random.default_rng(SEED)
    if isinstance(example, pd.DataFrame) and len(example):
        table = _in_order(example, model_input)
        return Rows(table, _table_like(table, chance, text_categories(model)))
    if isinstance(example, np.ndarray) and example.ndim >= 1 and len(example):
        return Rows(example, _array_like(example, chance))
    if model_input.is_table:
        start = _table_from_signature(model_input, chance, text_categories(model))
        return Rows(start.head(5), start)
    if len(model_input.tensors) == 1 and model_input.tensors[0].datatype != "BYTES":
        drawn = _tensor_from_signature(model_input.tensors[0], chance)
        return Rows(drawn[:5], drawn)
    return None


def named_rows_for(example: Any, model_input: ModelInput) -> Rows | None:
    """The same for a model that takes several named tensors: dictionaries of arrays."""
    if not model_input.tensors or any(one.datatype == "BYTES" for one in model_input.tensors):
        return None
    chance = np.random.default_rng(SEED)
    if isinstance(example, dict) and all(one.name in example for one in model_input.tensors):
        real = {one.name: np.asarray(example[one.name]) for one in model_input.tensors}
        if len({array.shape[:1] for array in real.values()}) == 1 and all(
            array.ndim and len(array) for array in real.values()
        ):
            more = {name: _array_like(array, chance) for name, array in real.items()}
            return Rows(real, more)
    drawn = {one.name: _tensor_from_signature(one, chance) for one in model_input.tensors}
    return Rows({name: array[:5] for name, array in drawn.items()}, drawn)


def _tensor_from_signature(tensor: Tensor, chance: np.random.Generator) -> Any:
    """Whole numbers are drawn from 0 and 1: they are often places in a table."""
    shape = (DRAWN, *(size if size >= 0 else 8 for size in tensor.shape[1:]))
    dtype = numpy_dtype(tensor.datatype)
    if dtype.kind != "f":
        return chance.integers(0, 2, shape).astype(dtype)
    return _wide(chance, shape).astype(dtype)


def _in_order(example: pd.DataFrame, model_input: ModelInput) -> pd.DataFrame:
    """The columns of the signature, in its order and types."""
    table = example
    names = [column.name for column in model_input.columns if column.named]
    by_text = {str(name): name for name in table.columns}
    if names and set(names) <= set(by_text):
        table = table[[by_text[name] for name in names]].copy()
        kinds = {column.name: column for column in model_input.columns}
        for name in list(table.columns):
            dtype = table[name].dtype
            column = kinds[str(name)]
            if column.is_numeric and getattr(dtype, "kind", "O") in "biuf":
                table[name] = table[name].astype(numpy_dtype(column.datatype))
            elif not isinstance(dtype, pd.CategoricalDtype) and not column.is_numeric:
                table[name] = table[name].astype(object)
    return table.reset_index(drop=True)


def _table_like(
    table: pd.DataFrame, chance: np.random.Generator, categories: dict[str, list[Any]]
) -> pd.DataFrame:
    """Each column drawn by itself from the example's values and from between them."""
    columns = {}
    for name in table.columns:
        values = table[name]
        kind = getattr(values.dtype, "kind", "O")
        if kind == "f":
            columns[name] = _between(values.to_numpy(), chance, DRAWN).astype(values.dtype)
        elif kind in "iu":
            low, high = int(values.min()), int(values.max())
            columns[name] = chance.integers(low, high, DRAWN, endpoint=True).astype(values.dtype)
        else:
            known = categories.get(str(name))
            pool = list(values) + (known or [])
            picked = [pool[index] for index in chance.integers(0, len(pool), DRAWN)]
            columns[name] = pd.Series(picked, dtype=values.dtype if known is None else None)
    return pd.DataFrame(columns)[list(table.columns)]


def _between(values: Any, chance: np.random.Generator, count: int) -> Any:
    """Half are values themselves; half lie between two of them, or a little outside."""
    flat = values.reshape(-1).astype(np.float64)
    one, other = chance.choice(flat, count), chance.choice(flat, count)
    share = chance.uniform(-0.2, 1.2, count)
    mixed = one + (other - one) * share
    return np.where(chance.random(count) < 0.5, one, mixed)


def _array_like(example: Any, chance: np.random.Generator) -> Any:
    if example.dtype.kind == "f":
        columns = (
            [_between(example[:, index], chance, DRAWN) for index in range(example.shape[1])]
            if example.ndim == 2
            else []
        )
        if columns:
            return np.column_stack(columns).astype(example.dtype)
    picked = example[chance.integers(0, len(example), DRAWN)]
    if example.dtype.kind in "f":
        picked = picked + chance.normal(0, 0.1, picked.shape).astype(example.dtype)
    return picked


def _wide(chance: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Normal numbers of several magnitudes, since nothing says which one is right."""
    scale = chance.choice([0.1, 1.0, 10.0, 100.0], (shape[0], *[1] * (len(shape) - 1)))
    return chance.normal(0, 1, shape) * scale


def _table_from_signature(
    model_input: ModelInput, chance: np.random.Generator, categories: dict[str, list[Any]]
) -> pd.DataFrame:
    columns: dict[Any, Any] = {}
    for column in model_input.columns:
        kind = column.datatype
        name = column.name if column.named else 0
        if kind in ("FP32", "FP64"):
            columns[name] = _wide(chance, (DRAWN,)).astype(numpy_dtype(kind))
        elif kind in ("INT32", "INT64"):
            columns[name] = chance.integers(-50, 100, DRAWN).astype(numpy_dtype(kind))
        elif kind == "BOOL":
            columns[name] = chance.random(DRAWN) < 0.5
        elif column.kind == "string":
            pool = categories.get(column.name) or ["a", "b", "some words of text"]
            columns[name] = [pool[index] for index in chance.integers(0, len(pool), DRAWN)]
        else:
            columns[name] = ["2013-01-01"] * DRAWN
    return pd.DataFrame(columns)


def text_categories(model: Any) -> dict[str, list[Any]]:
    """Column → the text categories that an encoder inside the model knows."""
    found: dict[str, list[Any]] = {}
    for part, names in parts_of(model, None):
        values = getattr(part, "categories_", None)
        names = getattr(part, "feature_names_in_", names)
        if isinstance(values, list) and names is not None and len(names) == len(values):
            for name, known in zip(names, values, strict=True):
                texts = [value for value in known if isinstance(value, str)]
                if texts:
                    found[str(name)] = texts
    return found


def parts_of(model: Any, names: Any) -> Iterator[tuple[Any, Any]]:
    """The model and all models inside it, with the columns that each is given where known."""
    yield model, names
    for attribute in ("best_estimator_", "_preprocessor"):
        inner = getattr(model, attribute, None)
        if inner is not None:
            yield from parts_of(inner, names)
    for step in getattr(model, "steps", []):
        yield from parts_of(step[1], names)
    for entry in getattr(model, "transformers_", []):
        columns = list(entry[2]) if isinstance(entry[2], list | tuple | np.ndarray) else None
        yield from parts_of(entry[1], columns)
