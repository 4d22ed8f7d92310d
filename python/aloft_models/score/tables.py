"""Files of rows: Parquet, CSV, JSON lines, read and written part by part."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aloft_models.score.cells import Written
from aloft_models.score.failures import ScoringFailed
from aloft_models.tensors import Array

Format = Literal["parquet", "csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("parquet", "csv", "jsonl")
_ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


@dataclass(frozen=True)
class Rows:
    """Some rows in their order, by column. `first` is the number of the first in its file."""

    first: int
    columns: dict[str, list[Any]]

    @property
    def count(self) -> int:
        return len(next(iter(self.columns.values()), []))


def format_of(path: Path) -> Format | None:
    return _ENDINGS.get(path.suffix.lower())


def input_files(path: Path) -> list[Path]:
    """The file, or those of a folder that hold rows, by name."""
    if path.is_file():
        if format_of(path) is None:
            raise ScoringFailed(f"{path}: expected a name that ends with {', '.join(_ENDINGS)}")
        return [path]
    if not path.is_dir():
        raise ScoringFailed(f"{path}: there is no such file or folder")
    found = sorted(one for one in path.iterdir() if one.is_file() and format_of(one))
    if not found:
        raise ScoringFailed(f"{path} holds no file that ends with {', '.join(_ENDINGS)}")
    return found


def read(path: Path, size: int, skip: int) -> Iterator[Rows]:
    """Parts of `size` rows; the last may be shorter. The first `skip` parts are passed over."""
    try:
        match format_of(path):
            case "parquet":
                yield from _parquet(path, size, skip)
            case "csv":
                yield from _parts(_csv_records(path), size, skip)
            case _:
                yield from _parts(_json_records(path), size, skip)
    except (OSError, pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        raise ScoringFailed(f"{path} cannot be read: {error}") from error


def _parquet(path: Path, size: int, skip: int) -> Iterator[Rows]:
    with pq.ParquetFile(path) as file:
        # Batches end with row groups; parts must not.
        waiting: list[pa.RecordBatch] = []
        held, part = 0, 0
        for batch in file.iter_batches(batch_size=min(size, 65536)):
            waiting.append(batch)
            held += batch.num_rows
            while held >= size:
                table = pa.Table.from_batches(waiting)
                if part >= skip:
                    yield Rows(part * size, table.slice(0, size).to_pydict())
                waiting, held, part = table.slice(size).to_batches(), held - size, part + 1
        if held and part >= skip:
            yield Rows(part * size, pa.Table.from_batches(waiting).to_pydict())


def _parts(records: Iterator[tuple[list[str], list[Any]]], size: int, skip: int) -> Iterator[Rows]:
    columns: dict[str, list[Any]] = {}
    row = 0
    for names, values in records:
        part, place = divmod(row, size)
        row += 1
        if part < skip:
            continue
        if place == 0:
            columns = {}
        for name, value in zip(names, values, strict=True):
            # A column that comes later was missing in the rows before.
            columns.setdefault(name, [None] * place).append(value)
        for column in columns.values():
            if len(column) == place:
                column.append(None)
        if place == size - 1:
            yield Rows(part * size, columns)
    if row % size and row // size >= skip:
        yield Rows(row // size * size, columns)


def _csv_records(path: Path) -> Iterator[tuple[list[str], list[Any]]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        header = next(reader, None)
        if not header:
            raise ScoringFailed(f"{path} has no header line with the names of the columns")
        if len(set(header)) != len(header):
            raise ScoringFailed(f"{path}: two columns of the header have the same name")
        for index, record in enumerate(record for record in reader if record):
            if len(record) != len(header):
                raise ScoringFailed(
                    f"{path}, row {index}: {len(record)} fields; the header has {len(header)}"
                )
            yield header, [Written(value) for value in record]


def _json_records(path: Path) -> Iterator[tuple[list[str], list[Any]]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise ScoringFailed(f"{path}, line {number}: {error}") from error
            if not isinstance(record, dict):
                raise ScoringFailed(f"{path}, line {number}: expected an object")
            yield list(record), list(record.values())


def write(path: Path, form: Format, rows: Rows, outputs: dict[str, Array]) -> None:
    """The rows with what the model said of each, whole or not at all."""
    columns: dict[str, list[Any]] = {
        name: [str(value) if isinstance(value, Written) else value for value in values]
        for name, values in rows.columns.items()
    }
    for name, array in outputs.items():
        columns[name if name not in columns else f"output_{name}"] = _listed(array)
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        if form == "parquet":
            pq.write_table(pa.table(columns), file)
        else:
            file.write(_text(columns, form).encode())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def _listed(array: Array) -> list[Any]:
    if array.ndim > 1 and all(size == 1 for size in array.shape[1:]):
        array = array.reshape(len(array))
    values = array.tolist()
    if array.dtype == object:
        return [value.decode() if isinstance(value, bytes) else value for value in values]
    return values  # type: ignore[no-any-return]


def _text(columns: dict[str, list[Any]], form: Format) -> str:
    import io

    records = zip(*columns.values(), strict=True)
    target = io.StringIO()
    if form == "jsonl":
        for record in records:
            line = dict(zip(columns, record, strict=True))
            target.write(json.dumps(line, default=_plain, ensure_ascii=False) + "\n")
        return target.getvalue()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(columns)
    for record in records:
        writer.writerow(
            json.dumps(value, default=_plain) if isinstance(value, list | dict) else value
            for value in record
        )
    return target.getvalue()


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)


def sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
