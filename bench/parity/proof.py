"""What the lines of the bench prove: a summary, and the table that the converter consults."""

from __future__ import annotations

import hashlib
import importlib
import json
import pprint
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parents[2] / "python/aloft_models/convert/proved_table.py"
# An estimator that fewer conversions were right with is not proved; an option needs one.
LEAST = 1
PACKAGES = ("sklearn", "xgboost", "lightgbm", "skl2onnx", "onnxmltools", "onnxruntime")


def read(path: Path) -> list[dict[str, Any]]:
    """The last line of each pipeline."""
    found: dict[int, dict[str, Any]] = {}
    for text in path.read_text().splitlines():
        line = json.loads(text)
        found[line["seed"]] = line
    return list(found.values())


def table(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Estimators and options that were converted often enough and never answered wrongly."""
    right: Counter[str] = Counter()
    for line in lines:
        if line["state"] == "onnx":
            right.update(line["facets"])
    guilty = culprits(lines, right)
    estimators: dict[str, dict[str, Any]] = {}
    for facet, count in sorted(right.items()):
        name, _, option = facet.partition(" ")
        if not option and count >= LEAST and name not in guilty:
            estimators.setdefault(name, {"pipelines": count, "options": {}})["pipelines"] = count
    options: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for facet in sorted(right):
        name, _, option = facet.partition(" ")
        if option and name in estimators and facet not in guilty:
            key, _, value = option.partition("=")
            options[name][key].append(value)
    for name, known in options.items():
        estimators[name]["options"] = {key: sorted(values) for key, values in known.items()}
    fitted = [line for line in lines if line["state"] != "not fitted"]
    return {
        "with": versions(),
        "bench": digest(),
        "pipelines": len(fitted),
        "onnx": sum(line["state"] == "onnx" for line in fitted),
        "not_proved": sorted(guilty),
        "wrong": sum(
            line["state"] == "wrong"
            and all(
                facet not in guilty and facet.partition(" ")[0] in estimators
                for facet in line["facets"]
            )
            for line in fitted
        ),
        "estimators": estimators,
    }


def culprits(lines: list[dict[str, Any]], right: Counter[str]) -> set[str]:
    """The estimators and options that explain the wrong answers: they are not proved.

    Again and again the one that is wrong most often, for how often it was tried, until each wrong
    answer has one. Beside those each estimator that was wrong twice and in one of twenty pipelines,
    unless an option explains all of its wrong answers.
    """
    wrong = [set(line["facets"]) for line in lines if line["state"] == "wrong"]
    tried = Counter(right)
    for facets in wrong:
        tried.update(facets)
    guilty: set[str] = set()
    while unexplained := [facets for facets in wrong if not facets & guilty]:
        counts = Counter(facet for facets in unexplained for facet in facets)
        guilty.add(min(counts, key=lambda facet: (-counts[facet] / tried[facet], facet)))
    options = {facet for facet in guilty if " " in facet}
    counts = Counter(facet for facets in wrong if not facets & options for facet in facets)
    times = Counter(facet for facets in wrong for facet in facets)
    for facet in counts:
        if " " not in facet and times[facet] > 1 and times[facet] / tried[facet] >= 0.05:
            guilty.add(facet)
    return guilty


def of_supported_kinds(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pipelines of which each estimator and option is converted somewhere in these lines."""
    known = {facet for line in lines if line["state"] == "onnx" for facet in line["facets"]}
    return [
        line for line in lines if line["state"] != "not fitted" and set(line["facets"]) <= known
    ]


def versions() -> dict[str, str]:
    """Of the packages that conversions are made with here."""
    return {name: str(importlib.import_module(name).__version__) for name in PACKAGES}


def write_table(lines: list[dict[str, Any]]) -> None:
    text = pprint.pformat(table(lines), width=98, sort_dicts=False, compact=True)
    TABLE.write_text(
        '"""What conversions are proved: made by bench/parity, not by hand."""\n\n'
        f"from typing import Any\n\nTABLE: dict[str, Any] = {text}\n"
    )
    ruff = Path(sys.executable).parent / "ruff"
    subprocess.run([str(ruff), "format", "--quiet", str(TABLE)], check=True)


def digest() -> str:
    """Of what the random pipelines are made of: another bench proves other things."""
    here = Path(__file__).resolve().parent
    content = b"".join((here / name).read_bytes() for name in ("kinds.py", "pipelines.py"))
    return hashlib.sha256(content).hexdigest()


def summary(lines: list[dict[str, Any]]) -> str:
    states = Counter(line["state"] for line in lines)
    fitted = sum(states.values()) - states["not fitted"]
    supported = states["onnx"] + states["wrong"]
    said = [
        f"{fitted} pipelines fitted ({states['not fitted']} combinations made no sense)",
        f"{states['onnx']} on ONNX and right ({states['onnx'] / max(1, fitted):.0%})",
        f"{states['wrong']} wrong in silence, {states['fault']} faults of the converter",
        f"{states['python']} served by Python, with the reason",
    ]
    known = of_supported_kinds(lines)
    right = sum(line["state"] == "onnx" for line in known)
    said.append(
        f"{right} of {len(known)} of supported kinds on ONNX and right "
        f"({right / max(1, len(known)):.0%})"
    )
    rows = sum(line.get("rows") or 0 for line in lines)
    seconds = sum(line.get("seconds") or 0 for line in lines)
    said.append(f"{rows} rows compared before, {1300 * supported} and more after, {seconds:.0f} s")
    estimators = {facet for line in lines for facet in line.get("facets", []) if " " not in facet}
    served = {
        facet
        for line in lines
        if line["state"] == "onnx"
        for facet in line["facets"]
        if " " not in facet
    }
    said.append(f"{len(served)} of {len(estimators)} estimators on ONNX")
    return "\n".join(said)
