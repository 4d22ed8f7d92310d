"""A folder as one uncompressed tar whose bytes depend on nothing but the folder's contents."""

from __future__ import annotations

import tarfile
from pathlib import Path

# Written by the MLflow client beside a model that it fetches; no part of the model.
_NOT_THE_MODELS = {"registered_model_meta"}


def pack(folder: Path, target: Path) -> None:
    """Files in order of their paths; no times, owners or modes but whether a file is executable."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
            name = path.relative_to(folder).as_posix()
            if not path.is_file() or name in _NOT_THE_MODELS or "__pycache__" in path.parts:
                continue
            entry = tarfile.TarInfo(name)
            entry.size = path.stat().st_size
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as file:
                tar.addfile(entry, file)
