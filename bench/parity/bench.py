"""Fits random pipelines, converts them, and compares what they answer on rows that the converter
has not seen. A line of JSON a pipeline; at the end what was proved.

    bench/parity/run --first 0 --count 10000 --workers 2 --lines .runtime/parity.jsonl
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "python")]

# Rows that the converter has not seen may be this many times its limit apart before it counts.
SLACK = 3.0
UNSEEN = 7_777_777


def _end_fits() -> None:
    """LIBSVM has no end of its own where nothing is left to gain: some of these fits took hours."""
    from sklearn.svm._base import BaseLibSVM

    fit = BaseLibSVM.fit
    if fit.__name__ == "bounded":
        return

    def bounded(self: Any, *arguments: Any, **others: Any) -> Any:
        limit, self.max_iter = self.max_iter, 100_000 if self.max_iter == -1 else self.max_iter
        try:
            return fit(self, *arguments, **others)
        finally:
            self.max_iter = limit

    BaseLibSVM.fit = bounded


def run(seed: int) -> dict[str, Any]:
    """What came of the pipeline of this number."""
    import numpy as np
    import pipelines
    from aloft_models.convert import original, proved
    from aloft_models.convert.conversion import convert_original
    from aloft_models.convert.failures import NotConvertible

    proved.TRUST_ALL = True  # what is proved is to be found out
    _end_fits()
    began = time.process_time()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            trial = pipelines.trial(seed)
        except Exception as error:  # a combination that makes no sense to fit
            return {"seed": seed, "state": "not fitted", "reason": f"{error}"[:200]}
        line: dict[str, Any] = {"seed": seed, "facets": sorted(proved.facets(trial.model))}
        example = trial.rows[:5]
        try:
            source = original.of_estimator(_flavor(trial.model), trial.model)
            servable = convert_original(source, example, pipelines.input_of(example))
            line["state"] = "onnx"
            line["real"] = _real(servable.manifest)
            line["rows"] = servable.manifest.parity_rows
            wrong = _unseen(servable, source, trial.rows, seed)
            if wrong is not None:
                line |= {"state": "wrong", "row": wrong}
        except NotConvertible as refusal:
            if str(refusal).startswith("the original does not answer its own input example"):
                return line | {"state": "not fitted", "reason": str(refusal)[:200]}
            line |= {"state": "python", "reason": str(refusal)[:400]}
        except Exception as error:  # a fault of the converter itself
            line |= {"state": "fault", "reason": f"{type(error).__name__}: {error}"[:400]}
    line["seconds"] = round(time.process_time() - began, 2)
    return line


def _flavor(model: Any) -> str:
    module = type(model).__module__.split(".")[0]
    return module if module in ("xgboost", "lightgbm") else "sklearn"


def _real(manifest: Any) -> str:
    return "FP64" if any(one.datatype == "FP64" for one in manifest.inputs) else "FP32"


def _unseen(servable: Any, source: Any, fitted: Any, seed: int) -> str | None:
    """The first row that is answered otherwise: of the rows that it was fitted on, and of dangerous
    ones made from other numbers."""
    import numpy as np
    from aloft_models.convert.asking import answers
    from aloft_models.convert.conversion import LIMIT, converted_answers, looser
    from aloft_models.convert.dangerous import dangerous
    from aloft_models.convert.judging import describe, judge
    from aloft_models.convert.rows import Rows
    from aloft_models.missing import missing_text

    chance = np.random.default_rng(seed + UNSEEN)
    picked = np.sort(chance.choice(len(fitted), min(len(fitted), 100), replace=False))
    more = fitted.iloc[picked] if hasattr(fitted, "iloc") else fitted[picked]
    rows = dangerous(
        Rows(more, more), source.model, missing_text(source.model), seed + UNSEEN, least=1200
    )
    expected = answers(source.outputs, rows, source.label)
    kept, found, other = converted_answers(servable, rows, expected)
    if other is not None:
        return f"only one refuses {describe(rows, other)}"
    limit = LIMIT * SLACK * looser(fitted)
    verdict = judge(kept, found, lambda: _ties(source, rows, kept), limit)
    return None if verdict.row is None else f"{describe(rows, verdict.row)}: {verdict.said}"


def _ties(source: Any, rows: Any, kept: Any) -> Any:
    from aloft_models.convert.asking import take

    return source.ties(take(rows.rows, kept.answered)) if source.ties is not None else None


def lines(first: int, count: int, workers: int, until: float) -> Iterator[dict[str, Any]]:
    with ProcessPoolExecutor(workers) as pool:
        step = workers * 16
        for start in range(first, first + count, step):
            if time.time() > until:
                return
            yield from pool.map(run, range(start, min(start + step, first + count)))


def _swept() -> int:
    import pipelines

    return len(pipelines.sweep())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=600.0, help="end after so long")
    parser.add_argument("--lines", type=Path, help="add a line of JSON a pipeline to this file")
    parser.add_argument("--sweep", action="store_true", help="each kind with each option first")
    parser.add_argument("--table", action="store_true", help="write what was proved, from --lines")
    options = parser.parse_args()
    import proof

    if not options.table:
        done = []
        until = time.time() + options.minutes * 60
        first = -_swept() if options.sweep else options.first
        for line in lines(first, options.count, options.workers, until):
            done.append(line)
            text = json.dumps(line, ensure_ascii=False)
            if options.lines:
                with options.lines.open("a") as file:
                    file.write(text + "\n")
            elif line["state"] in ("wrong", "fault"):
                print(text, flush=True)
        print(proof.summary(done))
        return 1 if any(line["state"] in ("wrong", "fault") for line in done) else 0
    known = proof.read(options.lines)
    proof.write_table(known)
    print(proof.summary(known))
    return 0


if __name__ == "__main__":
    sys.exit(main())
