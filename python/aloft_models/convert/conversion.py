"""From a model's folder to a servable: tries the layouts in turn, compares, decides."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aloft_models.convert import (
    attempts,
    graph,
    onnx_file,
    original,
    parity,
    proved,
    python_model,
    pytorch,
    refusals,
    unsigned,
)
from aloft_models.convert.asking import Answers, answers, take
from aloft_models.convert.dangerous import Dangerous, dangerous
from aloft_models.convert.example import EXAMPLE_ROWS, request
from aloft_models.convert.failures import NotConvertible, in_short
from aloft_models.convert.judging import describe, judge
from aloft_models.convert.layout import Layout, layouts_for
from aloft_models.convert.rows import rows_for
from aloft_models.convert.servable import Servable
from aloft_models.convert.session import run
from aloft_models.inputs import ModelInput
from aloft_models.manifest import Compared, Refused, ServableManifest, Tensor, refused_rows
from aloft_models.missing import MARK, missing_text
from aloft_models.mlflow_model import ModelFolder
from aloft_models.tensors import Array

log = logging.getLogger("aloft.convert")
# How much numbers may differ, in parts of their size: what 32-bit floats leave of a sum.
LIMIT = 1e-5
PYTORCH_LIMIT = 1e-3


def convert_folder(folder: ModelFolder, limit: float | None, scratch: Path) -> Servable:
    """ONNX if that answers as the original does, else the folder for the Python worker. `limit`
    None takes the kind's own.

    Throws ConversionFailed where the model cannot be loaded or does not answer at all."""
    flavor = original.flavor_of(folder)
    model_input = folder.model_input()
    if "onnx" in folder.flavors:
        return _own_onnx(folder, scratch)
    if flavor is None:
        kinds = ", ".join(sorted(set(folder.flavors) - {"python_function"})) or "a Python function"
        reason = f"the model is {kinds}, for which there is no conversion to ONNX"
        return python_model.servable(folder, reason, scratch)
    if flavor == "pytorch":
        return _pytorch(folder, limit or PYTORCH_LIMIT, scratch)
    model = original.load_native(folder, flavor)
    if not model_input.is_known:
        model_input = unsigned.input_of(model)
    try:
        source = original.of_model(folder, flavor, model)
        made = convert_original(source, folder.example(), model_input, limit or LIMIT)
        if folder.model_input().is_known or len(made.manifest.inputs) > 1:
            return made
        # As the Python worker would be sent it.
        public = folder.served_input(model).protocol_tensors()
        return replace(made, manifest=replace(made.manifest, public_inputs=public))
    except NotConvertible as refusal:
        log.warning("no ONNX: %s", refusal)
        return python_model.servable(folder, str(refusal), scratch)


def _own_onnx(folder: ModelFolder, scratch: Path) -> Servable:
    try:
        return Servable(*onnx_file.servable_of_folder(folder))
    except NotConvertible as refusal:
        log.warning("not in the gateway's runtime: %s", refusal)
        return python_model.servable(folder, str(refusal), scratch)


def _pytorch(folder: ModelFolder, limit: float, scratch: Path) -> Servable:
    module = pytorch.load(folder)
    try:
        return Servable(*pytorch.convert(folder, module, limit, scratch))
    except NotConvertible as refusal:
        log.warning("no ONNX: %s", refusal)
        return python_model.servable(folder, str(refusal), scratch)


def convert_original(
    source: original.Original, example: Any, model_input: ModelInput, limit: float = LIMIT
) -> Servable:
    """ONNX that answers as the original; throws NotConvertible, with the reason, where none
    does."""
    rows = rows_for(example, model_input, source.model)
    if rows is None:
        raise NotConvertible(
            "the model has neither a signature nor an input example, so a conversion cannot be "
            "compared with it; log it with input_example="
        )
    layouts = layouts_for(model_input, rows.real)
    if not layouts:
        raise NotConvertible("the model takes values that are neither numbers nor text columns")
    proved.check(source.model)
    try:
        sample = source.outputs(take(rows.real, slice(0, EXAMPLE_ROWS)))
    except Exception as error:
        raise NotConvertible(
            f"the original does not answer its own input example: {in_short(error)}"
        ) from error
    comparison: _Comparison | None = None
    problems: list[str] = []
    for attempt in attempts.attempts(source, layouts, rows.real, sample):
        layout = attempt.layout
        try:
            content = attempt.content()
            if comparison is None:  # asking the original takes longest
                danger = dangerous(rows, source.model, missing_text(source.model))
                expected = answers(source.outputs, danger, source.label)
                comparison = _Comparison(source, danger, expected, limit * looser(rows.real))
            found = comparison.compare(content, layout)
        except Exception as error:  # the converters throw anything at what they do not know
            problem = in_short(error)
            log.info("%s: %s", layout, problem)
            if problem not in problems:
                problems.append(problem)
            continue
        log.info("%s: parity %.3g over %d rows", layout, found.parity, len(comparison.rows.rows))
        return _servable(found, comparison, len(rows.real), model_input)
    said = [problem for problem in problems if problem.startswith(_DIFFERS)]
    if said:
        raise NotConvertible(f"the converted {_kind(source.model)} {said[0]}")
    raise NotConvertible(f"{_kind(source.model)} cannot be converted: {problems[0]}")


def looser(rows: Any) -> float:
    """Who trained on 32-bit floats has an original that computes with them: its own last digits are
    as good as any."""
    dtypes = list(rows.dtypes) if hasattr(rows, "dtypes") else [rows.dtype]
    reals = [dtype for dtype in dtypes if getattr(dtype, "kind", "O") == "f"]
    return 10.0 if reals and all(dtype.itemsize <= 4 for dtype in reals) else 1.0


_DIFFERS = "differs from the original"


@dataclass(frozen=True)
class _Found:
    """A conversion that answers as the original."""

    content: bytes
    layout: Layout
    refuses: list[Refused]
    parity: float


@dataclass(frozen=True)
class _Comparison:
    source: original.Original
    rows: Dangerous
    expected: Answers
    limit: float

    def compare(self, content: bytes, layout: Layout) -> _Found:
        """Throws NotConvertible, naming the row, where the answers differ, and whatever ONNX
        Runtime throws."""
        rules = refusals.rules(self.rows, self.expected.refused, layout, self._refuses)
        kept, found, other = _answers(content, rules, layout, self.rows, self.expected)
        if other is not None:
            said = self.expected.refused.get(other, "the conversion would, the original answers")
            self._differs(other, f"only one refuses it: {said}")
        verdict = judge(kept, found, lambda: self._ties(kept), self.limit)
        if verdict.row is not None:
            self._differs(verdict.row, str(verdict.said))
        difference = parity.largest_difference(kept.outputs, found)
        return _Found(content, layout, rules, difference)

    def _refuses(self, row: Any) -> bool:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                self.source.outputs(row)
            except Exception:  # a stranger's model may raise anything
                return True
        return False

    def _differs(self, row: int, said: str) -> None:
        raise NotConvertible(f"{_DIFFERS} on the row {describe(self.rows, row)}: {said}")

    def _ties(self, kept: Answers) -> Array | None:
        if self.source.ties is None:
            return None
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return self.source.ties(take(self.rows.rows, kept.answered))


def converted_answers(
    servable: Servable, rows: Dangerous, expected: Answers
) -> tuple[Answers, dict[str, Array], int | None]:
    """What a servable that runs as ONNX answers to these rows; see `_answers`."""
    assert isinstance(servable.content, bytes)
    assert servable.layout is not None
    rules = servable.manifest.refuses or []
    return _answers(servable.content, rules, servable.layout, rows, expected)


def _answers(
    content: bytes, rules: list[Refused], layout: Layout, rows: Dangerous, expected: Answers
) -> tuple[Answers, dict[str, Array], int | None]:
    """The original's answers that are to be compared, the converted model's to the same rows, and
    the first row that only one of them refuses, if there is one."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        feeds = layout.feeds(rows.rows)
    refused = np.zeros(len(rows.rows), dtype=bool)
    refused[list(expected.refused)] = True
    here = refused_rows(rules, feeds)
    # A number that 32 bits do not hold may be refused as infinite where the original answers.
    beyond = here & ~refused & layout.overflows(rows.rows, feeds)
    other = np.flatnonzero((here & ~beyond) != refused)
    if len(other):
        return expected, {}, int(other[0])
    kept = expected.without(beyond)
    return kept, run(content, {name: one[kept.answered] for name, one in feeds.items()}), None


def _servable(
    found: _Found, comparison: _Comparison, real_count: int, model_input: ModelInput
) -> Servable:
    import onnx

    rows, expected = comparison.rows, comparison.expected
    layout = found.layout
    made = onnx.load_from_string(found.content)
    first = [int(row) for row in expected.answered if row < real_count] or [0]
    feeds = layout.feeds(take(rows.rows, first[:EXAMPLE_ROWS]))
    inputs = graph.tensors_of(made.graph.input)
    manifest = ServableManifest(
        runtime="onnx",
        inputs=inputs,
        outputs=graph.tensors_of(made.graph.output),
        public_inputs=model_input.protocol_tensors() or None,
        columns=[column.name for column in layout.columns] or None,
        predict_output=comparison.source.predict_output,
        parity=found.parity,
        parity_rows=len(rows.rows),
        compared=Compared(rows.digest(), len(expected.refused), rows.covered),
        missing_text=MARK if any(one.datatype == "BYTES" for one in inputs) else None,
        refuses=found.refuses or None,
        example=request(feeds),
    )
    return Servable(manifest, found.content, layout)


def _kind(model: Any) -> str:
    name = type(original.final_step(model)).__name__
    return name if not hasattr(model, "steps") else f"pipeline ending in {name}"


__all__ = ["Servable", "Tensor", "convert_folder", "request"]
