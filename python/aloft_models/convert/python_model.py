"""What the gateway needs to serve a model with the Python worker."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

from aloft_models.answers import named_outputs, tensors_of
from aloft_models.convert import independence
from aloft_models.convert.archive import pack
from aloft_models.convert.example import request
from aloft_models.convert.failures import ConversionFailed, in_short
from aloft_models.convert.rows import rows_for
from aloft_models.convert.servable import Servable
from aloft_models.examples import answer_to, some_rows
from aloft_models.feeds import feeds_for
from aloft_models.inputs import ModelInput
from aloft_models.manifest import ServableManifest, Tensor
from aloft_models.missing import MARK
from aloft_models.mlflow_model import ModelFolder
from aloft_models.scoring import Scorer, load_scorer

log = logging.getLogger("aloft.convert")


def servable(folder: ModelFolder, reason: str, scratch: Path) -> Servable:
    """Asks the model for an answer to its own example, as the worker will; throws ConversionFailed
    where it cannot be loaded or does not answer."""
    scorer = _load(folder)
    served = folder.served_input(scorer.model)
    outputs = folder.outputs()
    example = folder.example()
    request_body: dict[str, Any] | None = None
    if example is not None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = answer_to(folder, scorer, example)
        except Exception as error:
            raise ConversionFailed(
                f"the model does not answer its own input example: {in_short(error)}"
            ) from error
        outputs = tensors_of(named_outputs(answer))
        request_body, _ = _asked(served, example, scorer)
    elif (rows := rows_for(None, served, None)) is not None:
        # These are made up: the model need not answer them.
        request_body, seen = _asked(served, rows.real, scorer)
        outputs = outputs or seen
    batch = independence.of_model(folder, served, scorer)
    log.info("rows of several callers in one call: %s", batch.reason or f"{batch.rows} are alike")
    archive = scratch / "model.tar"
    pack(folder.path, archive)
    columns = [column.name for column in served.columns] or None
    texts = [column for column in served.columns if not column.is_numeric]
    manifest = ServableManifest(
        runtime="python",
        inputs=served.protocol_tensors(),
        outputs=outputs,
        columns=columns,
        predict_output=outputs[0].name if len(outputs) == 1 else None,
        missing_text=MARK if any(one.kind != "json" for one in texts) else None,
        reason=reason,
        batch=batch,
        example=request_body,
    )
    return Servable(manifest, archive)


def _asked(
    served: ModelInput, rows: Any, scorer: Scorer
) -> tuple[dict[str, Any] | None, list[Tensor]]:
    """The rows as a request of the inference protocol, which the model is warmed up with, and the
    outputs of its answer; nothing where they have no such form or the model does not answer it."""
    try:
        feeds = feeds_for(served, some_rows(rows))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = scorer(served.rows(feeds, scorer.texts), {})
        return request(feeds), tensors_of(named_outputs(answer))
    except Exception as error:  # only a courtesy: requests of scoring are answered
        log.info("no example for the inference protocol: %s", in_short(error))
        return None, []


def _load(folder: ModelFolder) -> Scorer:
    try:
        return load_scorer(folder)
    except Exception as error:
        raise ConversionFailed(f"the model cannot be loaded: {in_short(error)}") from error
