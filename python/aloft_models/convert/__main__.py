"""`python -m aloft_models.convert --model-uri models:/NAME/VERSION --server URL`"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from pathlib import Path

from aloft_models.convert.failures import ConversionFailed, NotConvertible, in_short
from aloft_models.convert.servable import Servable


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m aloft_models.convert", description=__doc__)
    made.add_argument("--model-uri", required=True, help="models:/NAME/VERSION, or a folder")
    made.add_argument("--server", help="where to hand the result to")
    made.add_argument("--output", type=Path, help="write the result to this folder instead")
    made.add_argument(
        "--parity-limit",
        type=float,
        help="how much numbers may differ, in parts of their size (default 1e-5; PyTorch 1e-3)",
    )
    return made


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if (options.server is None) == (options.output is None):
        parser().error("give either --server or --output")
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("aloft").setLevel(logging.INFO)
    try:
        _convert(options)
    except ConversionFailed as failure:
        print(f"conversion failed: {failure}", file=sys.stderr)
        return 1
    return 0


def _convert(options: argparse.Namespace) -> None:
    from aloft_models.convert.upload import digest_and_size, upload

    with tempfile.TemporaryDirectory(prefix="aloft-convert-") as temporary:
        scratch = Path(temporary)
        folder = _fetch(options.model_uri, options.server, scratch)
        servable = _servable(folder, options.parity_limit, scratch)
        manifest = servable.manifest
        if options.output is not None:
            _write(options.output, servable)
            digest = digest_and_size(servable.content)[0]
        else:
            name, version = _name_and_version(options.model_uri)
            token = os.environ.get("ALOFT_TOKEN")
            digest = upload(options.server, token, name, version, servable)
        said = f"parity {manifest.parity:.3g}" if manifest.parity is not None else manifest.reason
        print(f"{options.model_uri}: {manifest.runtime} {digest[:12]}, {said}", file=sys.stderr)


def _servable(folder: Path, limit: float | None, scratch: Path) -> Servable:
    """Only a model that is to be converted needs the converters, whose import takes seconds."""
    from aloft_models.convert.onnx_file import only_file, servable_of_file, servable_of_folder
    from aloft_models.mlflow_model import open_folder

    plain = folder if folder.is_file() else only_file(folder)
    if plain is not None:
        return Servable(*servable_of_file(plain))
    try:
        opened = open_folder(folder)
    except Exception as error:
        raise ConversionFailed(in_short(error)) from error
    if "onnx" in opened.flavors:
        try:
            return Servable(*servable_of_folder(opened))
        except NotConvertible:
            pass  # said below
    from aloft_models.convert.conversion import convert_folder

    return convert_folder(opened, limit, scratch)


def _fetch(uri: str, server: str | None, scratch: Path) -> Path:
    if ":" not in uri:
        return Path(uri)
    import mlflow

    if server is not None and "MLFLOW_TRACKING_URI" not in os.environ:
        mlflow.set_tracking_uri(server)
    target = scratch / "model"
    try:
        source = _source(uri)
        if source.endswith(".onnx"):
            return _fetch_file(source, target)
        return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(target)))
    except ConversionFailed:
        raise
    except Exception as error:
        raise ConversionFailed(f"{uri} cannot be fetched: {in_short(error)}") from error


def _source(uri: str) -> str:
    """Where a registered version's files are; anything else is its own source."""
    import mlflow

    if not uri.startswith("models:/"):
        return uri
    version = mlflow.MlflowClient().get_model_version(*_name_and_version(uri))
    return str(version.source)


def _fetch_file(source: str, target: Path) -> Path:
    """A version whose source is a file, not a folder: the file, and the weights beside it."""
    import mlflow

    from aloft_models.convert.onnx_file import weights_beside

    def fetch(uri: str) -> Path:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(target)))

    file = fetch(source)
    for name in weights_beside(file):
        fetch(f"{source.rpartition('/')[0]}/{name}")
    return file


def _name_and_version(uri: str) -> tuple[str, str]:
    parts = uri.removeprefix("models:/").split("/")
    if not uri.startswith("models:/") or len(parts) != 2 or not all(parts):
        raise ConversionFailed(f"{uri} is no registered version: write models:/NAME/VERSION")
    return parts[0], parts[1]


def _write(target: Path, servable: Servable) -> None:
    import json
    import shutil

    target.mkdir(parents=True, exist_ok=True)
    (target / "manifest.json").write_text(json.dumps(servable.manifest.as_json(), indent=2) + "\n")
    if isinstance(servable.content, bytes):
        (target / "model.onnx").write_bytes(servable.content)
    else:
        shutil.copy(servable.content, target / "model.tar")


if __name__ == "__main__":
    sys.exit(main())
