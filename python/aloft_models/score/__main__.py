"""`python -m aloft_models.score --model NAME --version N --server URL --input PATH --output DIR`"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from aloft_models.score.failures import ScoringFailed

DEFAULT_PART_ROWS = 50_000


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m aloft_models.score", description=__doc__)
    made.add_argument("--model", required=True, help="the registered model's name")
    made.add_argument("--version", required=True, type=int)
    made.add_argument("--server", required=True, help="where the model comes from")
    made.add_argument("--input", required=True, type=Path, help="a file, or a folder of them")
    made.add_argument("--output", required=True, type=Path, help="a folder for the results")
    made.add_argument("--format", choices=("parquet", "csv", "jsonl"), help="else the input's")
    made.add_argument("--part-rows", type=int, default=DEFAULT_PART_ROWS)
    return made


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        _score(options)
    except ScoringFailed as failure:
        print(f"scoring failed: {failure}", file=sys.stderr)
        return 1
    return 0


def _score(options: argparse.Namespace) -> None:
    from aloft_models.score.model import fetch
    from aloft_models.score.tables import input_files
    from aloft_models.score.work import Plan, score

    if options.part_rows < 1:
        raise ScoringFailed(f"--part-rows {options.part_rows}: expected 1 or more")
    files = input_files(options.input)
    with tempfile.TemporaryDirectory(prefix="aloft-score-") as scratch:
        token = os.environ.get("ALOFT_TOKEN")
        scorer = fetch(options.server, token, options.model, options.version, Path(scratch))
        plan = Plan(
            options.model, options.version, files, options.output, options.part_rows, options.format
        )
        rows = score(plan, scorer, lambda text: print(text, flush=True))
    print(
        f"{options.model}/{options.version} ({scorer.digest[:12]}): {rows} rows in "
        f"{options.output}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
