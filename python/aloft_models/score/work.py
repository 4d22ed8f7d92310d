"""Scores files part by part into a folder, and goes on where an earlier attempt ended.

A part is a number of rows of one input file, the same rows in every attempt; its result lands whole
under a name that says which part it is. `scoring.json` says what the folder holds: an attempt with
another model, other files or other parts is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aloft_models.score.cells import feeds
from aloft_models.score.failures import ScoringFailed
from aloft_models.score.model import Scorer
from aloft_models.score.tables import Format, Rows, format_of, read, sync_folder, write

RECORD = "scoring.json"
# Rows that the model is asked for in one call.
_CALL_ROWS = 4096


@dataclass(frozen=True)
class Plan:
    """What is scored with what."""

    model: str
    version: int
    files: list[Path]
    output: Path
    part_rows: int
    form: Format | None = None

    def record(self, scorer: Scorer) -> dict[str, Any]:
        """What must be the same in every attempt."""
        return {
            "model": self.model,
            "version": self.version,
            "digest": scorer.digest,
            "runtime": scorer.runtime,
            "predict_output": scorer.predict_output,
            "part_rows": self.part_rows,
            "format": self.form,
            "inputs": [
                {
                    "path": str(path),
                    "bytes": path.stat().st_size,
                    "modified": path.stat().st_mtime_ns,
                }
                for path in self.files
            ],
        }


def score(plan: Plan, scorer: Scorer, tell: Callable[[str], None]) -> int:
    """Returns the rows that the folder holds at the end."""
    plan.output.mkdir(parents=True, exist_ok=True)
    known = _begin(plan, scorer)
    if known.get("complete"):
        tell(f"all {known['rows']} rows are scored already")
        return int(known["rows"])
    parts: list[dict[str, Any]] = []
    for number, path in enumerate(plan.files):
        parts += _score_file(plan, scorer, number, path, tell)
    rows = sum(int(part["rows"]) for part in parts)
    _write_record(
        plan.output, plan.record(scorer) | {"parts": parts, "rows": rows, "complete": True}
    )
    return rows


def _begin(plan: Plan, scorer: Scorer) -> dict[str, Any]:
    wanted = plan.record(scorer)
    path = plan.output / RECORD
    if not path.exists():
        if any(plan.output.glob("part-*")):
            raise ScoringFailed(f"{plan.output} holds parts of something else; take another folder")
        _write_record(plan.output, wanted)
        return wanted
    try:
        known: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise ScoringFailed(f"{path} is damaged: {error}") from error
    for key, value in wanted.items():
        if known.get(key) != value:
            raise ScoringFailed(
                f"{plan.output} holds results with another {key}; take another folder, or remove it"
            )
    return known


def _score_file(
    plan: Plan, scorer: Scorer, number: int, path: Path, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    form = plan.form or format_of(path) or "jsonl"

    def target(part: int) -> Path:
        return plan.output / f"part-{number:04d}-{part:06d}.{form}"

    done = 0
    while target(done).exists():
        done += 1
    if done:
        tell(f"{path.name}: going on after {done} parts that are there")
    # The last part that is there may be the file's last and short: only whole ones are passed over
    # unread, so the rows that it holds are counted by reading them.
    parts = [_part(target(part), plan.part_rows) for part in range(done - 1)]
    for rows in read(path, plan.part_rows, skip=max(0, done - 1)):
        place = target(rows.first // plan.part_rows)
        if not place.exists():
            write(place, form, rows, _outputs(scorer, rows))
        parts.append(_part(place, rows.count))
        tell(f"{path.name}: {rows.first + rows.count} rows, {len(parts)} parts")
    return parts


def _part(path: Path, rows: int) -> dict[str, Any]:
    return {"file": path.name, "rows": rows}


def _outputs(scorer: Scorer, rows: Rows) -> dict[str, Any]:
    import numpy as np

    answers: list[dict[str, Any]] = []
    for begin in range(0, rows.count, _CALL_ROWS):
        columns = {
            name: values[begin : begin + _CALL_ROWS] for name, values in rows.columns.items()
        }
        made = feeds(
            scorer.inputs, scorer.columns, columns, rows.first + begin, scorer.missing_text
        )
        scorer.refuse(made, rows.first + begin)
        count = min(_CALL_ROWS, rows.count - begin)
        answer = scorer.run(made)
        for name, array in answer.items():
            if array.ndim == 0 or len(array) != count:
                raise ScoringFailed(
                    f'output "{name}" has the shape {list(array.shape)} for {count} rows: this '
                    "model does not answer row by row"
                )
        answers.append(answer)
    return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def _write_record(folder: Path, record: dict[str, Any]) -> None:
    path = folder / RECORD
    temporary = path.with_name(f".{RECORD}.part")
    with temporary.open("w") as file:
        json.dump(record, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(folder)
