"""What the gateway needs to serve a model with the Python worker."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aloft_models.answers import named_outputs
from aloft_models.convert.archive import pack
from aloft_models.convert.failures import ConversionFailed, in_short
from aloft_models.convert.rows import rows_for
from aloft_models.feeds import feeds_for
from aloft_models.inputs import ModelInput
from aloft_models.manifest import ServableManifest, Tensor
from aloft_models.missing import MARK
from aloft_models.mlflow_model import ModelFolder
from aloft_models.scoring import Scorer, load_scorer
from aloft_models.tensors import datatype_of

if TYPE_CHECKING:
    from aloft_models.convert.conversion import Servable

log = logging.getLogger("aloft.convert")


def servable(folder: ModelFolder, model_input: ModelInput, reason: str, scratch: Path) -> Servable:
    """Asks the model for an answer to its own example, as the worker will; throws ConversionFailed
    where it cannot be loaded or does not answer."""
    from aloft_models.convert.conversion import EXAMPLE_ROWS, Servable, request

    score = _load(folder)
    rows = rows_for(folder.example(), model_input, None)
    example: dict[str, Any] | None = None
    outputs: list[Tensor] = []
    if rows is not None:
        feeds = feeds_for(model_input, rows.real[:EXAMPLE_ROWS])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = named_outputs(score(model_input.rows(feeds, score.texts), {}))
        except Exception as error:
            raise ConversionFailed(
                f"the model does not answer its own input example: {in_short(error)}"
            ) from error
        outputs = [
            Tensor(name, datatype_of(array.dtype), (-1, *array.shape[1:]))
            for name, array in answer.items()
        ]
        example = request(feeds)
    archive = scratch / "model.tar"
    pack(folder.path, archive)
    columns = [column.name for column in model_input.columns] or None
    texts = [column for column in model_input.columns if not column.is_numeric]
    manifest = ServableManifest(
        runtime="python",
        inputs=model_input.protocol_tensors(),
        outputs=outputs,
        columns=columns,
        predict_output=outputs[0].name if len(outputs) == 1 else None,
        missing_text=MARK if any(one.kind != "json" for one in texts) else None,
        reason=reason,
        example=example,
    )
    return Servable(manifest, archive)


def _load(folder: ModelFolder) -> Scorer:
    try:
        return load_scorer(folder)
    except Exception as error:
        raise ConversionFailed(f"the model cannot be loaded: {in_short(error)}") from error
