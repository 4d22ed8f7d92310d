"""Archives that strangers made: what may not come out does not."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from aloft_models.unpack import UnpackError, unpack


def _archive(path: Path, fill: Callable[[tarfile.TarFile], None]) -> Path:
    with tarfile.open(path, "w") as tar:
        fill(tar)
    return path


def _add(tar: tarfile.TarFile, name: str, data: bytes = b"x", **facts: object) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    for fact, value in facts.items():
        setattr(entry, fact, value)
    tar.addfile(entry, io.BytesIO(data) if entry.isreg() else None)


def test_a_model_is_unpacked(tmp_path: Path) -> None:
    def fill(tar: tarfile.TarFile) -> None:
        _add(tar, "MLmodel", b"flavors: {}")
        _add(tar, "data/model.pkl", b"\0" * 100_000)

    plain = _archive(tmp_path / "model.tar", fill)
    unpack(plain, tmp_path / "plain")
    assert (tmp_path / "plain/MLmodel").read_bytes() == b"flavors: {}"
    packed = tmp_path / "model.tar.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    unpack(packed, tmp_path / "packed")
    assert (tmp_path / "packed/data/model.pkl").stat().st_size == 100_000


def test_little_that_becomes_much_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "bomb.tar.gz"
    head = tarfile.TarInfo("zeros")
    head.size = 100 << 20
    with gzip.open(packed, "wb", compresslevel=1) as file:
        file.write(head.tobuf())
        for _ in range(100):
            file.write(bytes(1 << 20))
        file.write(bytes(1024))
    with pytest.raises(UnpackError, match="more than 64 MiB"):
        unpack(packed, tmp_path / "out")


@pytest.mark.parametrize(
    "facts",
    [
        {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5, "size": 0},
        {"type": tarfile.FIFOTYPE, "size": 0},
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd", "size": 0},
        {"type": tarfile.LNKTYPE, "linkname": "../secret", "size": 0},
    ],
    ids=["device", "pipe", "link", "hard link"],
)
def test_what_is_special_is_refused(tmp_path: Path, facts: dict[str, object]) -> None:
    path = _archive(tmp_path / "a.tar", lambda tar: _add(tar, "a", **facts))
    with pytest.raises(UnpackError):
        unpack(path, tmp_path / "out")
    assert not (tmp_path / "out/a").is_symlink()
    assert not (tmp_path / "out/a").exists()
