"""Unpacks a model's archive, which strangers made: so much and no more, and nothing special."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 64 << 30
MOST_ENTRIES = 500_000
#: A compressed archive may become so many times its own length, and in any case `FREE_BYTES`.
RATIO = 100
FREE_BYTES = 64 << 20


class UnpackError(ValueError):
    """Why an archive is not unpacked."""


class _Bounded:
    """A file that ends with an error once more than `most` bytes were read from it."""

    def __init__(self, file: BinaryIO | gzip.GzipFile, most: int) -> None:
        self._file = file
        self._left = most
        self._most = most

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._left -= len(data)
        if self._left < 0:
            raise UnpackError(
                f"the archive unpacks to more than {self._most >> 20} MiB, which is as much as may "
                "come out of it"
            )
        return data


def unpack(path: Path, folder: Path, *, most: int = MOST_BYTES) -> None:
    """Plain tar or gzip; files, folders and links that stay inside `folder`.

    Raises `UnpackError`; what came before the entry at fault stays.
    """
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if is_gzip:
            most = min(most, max(FREE_BYTES, path.stat().st_size * RATIO))
        stream = _Bounded(gzip.GzipFile(fileobj=file) if is_gzip else file, most)
        try:
            with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[call-overload]
                tar.extractall(folder, members=_checked(tar), filter="data")
        except (tarfile.TarError, EOFError, OSError) as error:
            raise UnpackError(f"the archive cannot be unpacked: {error}") from error


def _checked(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for count, member in enumerate(tar):
        if count >= MOST_ENTRIES:
            raise UnpackError(f"the archive holds more than {MOST_ENTRIES} files")
        if member.issparse() or not (
            member.isreg() or member.isdir() or member.issym() or member.islnk()
        ):
            raise UnpackError(
                f"{member.name[:300]!r} is a device, a pipe or a sparse file; only files, folders "
                "and links are unpacked"
            )
        yield member
