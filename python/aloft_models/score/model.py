"""The servable of a registered version: the same file that gateways serve."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import requests

from aloft_models.manifest import Refused, Tensor, refused_rows
from aloft_models.score.failures import ScoringFailed
from aloft_models.tensors import Array
from aloft_models.unpack import UnpackError, unpack

_TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Scorer:
    """Asks a model for some rows at a time."""

    digest: str
    runtime: str
    inputs: list[Tensor]
    columns: list[str] | None
    predict_output: str | None
    run: Callable[[dict[str, Array]], dict[str, Array]]
    # What stands for missing text; the empty text where the model does not tell them apart.
    missing_text: str = ""
    # What the original of a converted model refuses.
    refuses: Sequence[Refused] = ()

    def refuse(self, feeds: dict[str, Array], row: int) -> None:
        """Throws ScoringFailed for the first row that the original would refuse, with its words."""
        for rule in self.refuses:
            places = np.flatnonzero(refused_rows([rule], feeds))
            if len(places):
                raise ScoringFailed(f"row {row + int(places[0])}: {rule.message}")


def fetch(server: str, token: str | None, model: str, version: int, scratch: Path) -> Scorer:
    """Fetches the version's servable and opens it."""
    session = requests.Session()
    if token:
        session.headers["Authorization"] = f"Bearer {token}"
    server = server.rstrip("/")
    servable = _get(
        session, f"{server}/api/v1/models/{quote(model, safe='')}/versions/{version}/servable"
    ).json()
    if servable.get("state") != "ready":
        raise ScoringFailed(f"{model}/{version} cannot be scored: it is {servable.get('state')}")
    digest, manifest = servable["digest"], servable["manifest"]
    path = scratch / "model"
    _download(session, f"{server}/api/v1/blobs/{digest}", digest, path)
    inputs = [
        Tensor(tensor["name"], tensor["datatype"], tuple(tensor["shape"]))
        for tensor in manifest["inputs"]
    ]
    runtime = manifest["runtime"]
    run = _onnx(path) if runtime == "onnx" else _python(path, scratch / "unpacked")
    return Scorer(
        digest,
        runtime,
        inputs,
        manifest.get("columns"),
        manifest.get("predict_output"),
        run,
        manifest.get("missing_text") or "",
        [Refused(**rule) for rule in manifest.get("refuses") or []],
    )


def _get(session: requests.Session, url: str, **options: Any) -> requests.Response:
    try:
        reply = session.get(url, timeout=_TIMEOUT_SECONDS, **options)
    except requests.RequestException as error:
        raise ScoringFailed(f"{url} cannot be reached: {error}") from error
    if not reply.ok:
        raise ScoringFailed(f"{url} answered {reply.status_code}: {reply.text[:500]}")
    return reply


def _download(session: requests.Session, url: str, digest: str, path: Path) -> None:
    hasher = hashlib.sha256()
    with _get(session, url, stream=True) as reply, path.open("wb") as file:
        for piece in reply.iter_content(1 << 20):
            hasher.update(piece)
            file.write(piece)
    if hasher.hexdigest() != digest:
        raise ScoringFailed(f"{url} has other bytes than its digest says")


def _onnx(path: Path) -> Callable[[dict[str, Array]], dict[str, Array]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # As the gateway: sums in the same order, so the same answers.
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def run(feeds: dict[str, Array]) -> dict[str, Array]:
        return dict(zip(names, session.run(names, feeds), strict=True))

    return run


def _python(path: Path, folder: Path) -> Callable[[dict[str, Array]], dict[str, Array]]:
    from aloft_models.worker.model import load

    try:
        unpack(path, folder)
    except UnpackError as error:
        raise ScoringFailed(str(error)) from error
    served = load(folder)

    def run(feeds: dict[str, Array]) -> dict[str, Array]:
        return served.predict(feeds, {})

    return run
