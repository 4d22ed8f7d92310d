"""Cells, parts and resuming, without a server."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from aloft_models.manifest import Tensor
from aloft_models.score.cells import BadCell, Written, element, feeds
from aloft_models.score.failures import ScoringFailed
from aloft_models.score.model import Scorer
from aloft_models.score.tables import FORMATS, Rows, input_files, read
from aloft_models.score.work import Plan, score

MATRIX = [Tensor("x", "FP32", (-1, 2))]


def sums(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {"sum": arrays["x"].sum(axis=1), "both": arrays["x"]}


def scorer(digest: str = "d" * 64) -> Scorer:
    return Scorer(digest, "onnx", MATRIX, ["a", "b"], "sum", sums)


@pytest.mark.parametrize(
    ("datatype", "value", "expected"),
    [
        ("FP32", Written("1.5"), 1.5),
        ("FP64", Written("TRUE"), 1.0),
        ("FP64", True, 1.0),
        ("INT64", Written("9007199254740993"), 9007199254740993),
        ("INT64", Written("3.0"), 3),
        ("INT8", 4.0, 4),
        ("BOOL", Written("false"), False),
        ("BYTES", None, ""),
        ("BYTES", Written("x"), "x"),
    ],
)
def test_a_cell_becomes_what_the_model_takes(
    datatype: str, value: object, expected: object
) -> None:
    assert element(datatype, value) == expected


@pytest.mark.parametrize("text", ["", "NA", "null", "None"])
def test_what_is_missing_is_no_number(text: str) -> None:
    assert np.isnan(element("FP32", Written(text)))
    assert np.isnan(element("FP32", None))


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("FP32", Written("1_000")),
        ("FP32", Written("many")),
        ("FP32", "1"),
        ("INT64", 1.5),
        ("INT64", None),
        ("INT8", 200),
        ("BOOL", 2),
        ("BYTES", 3),
    ],
)
def test_a_cell_that_is_not_of_the_type_is_refused(datatype: str, value: object) -> None:
    with pytest.raises((BadCell, ValueError, OverflowError)):
        element(datatype, value)


def test_columns_go_by_name_into_one_matrix_or_an_input_each() -> None:
    columns: dict[str, list[object]] = {"b": [2, 4], "a": [1, 3], "other": ["x", "y"]}
    assert feeds(MATRIX, ["a", "b"], columns, 0)["x"].tolist() == [[1, 2], [3, 4]]
    each = [Tensor("a", "INT64", (-1, 1)), Tensor("b", "FP32", (-1,))]
    made = feeds(each, None, columns, 0)
    assert made["a"].tolist() == [[1], [3]]
    assert made["b"].tolist() == [2, 4]
    with pytest.raises(ScoringFailed, match='lacks the column\\(s\\) "c"'):
        feeds(MATRIX, ["a", "c"], columns, 0)
    with pytest.raises(ScoringFailed, match='column "a", row 8'):
        feeds(MATRIX, ["a", "b"], {"a": [1, "x"], "b": [1, 2]}, 7)


def table_of(count: int) -> pd.DataFrame:
    return pd.DataFrame({"a": np.arange(count) * 1.0, "b": np.arange(count) * 2.0})


def written(folder: Path, form: str, count: int) -> Path:
    path = folder / f"in.{form}"
    table = table_of(count)
    match form:
        case "parquet":
            table.to_parquet(path, row_group_size=7)
        case "csv":
            table.to_csv(path, index=False)
        case _:
            table.to_json(path, orient="records", lines=True)
    return path


def parts_of(path: Path, size: int, skip: int) -> list[Rows]:
    return list(read(path, size, skip))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 40])
def test_parts_are_the_same_rows_wherever_one_begins(tmp_path: Path, form: str, count: int) -> None:
    path = written(tmp_path, form, count)
    whole = parts_of(path, 10, 0)
    assert [rows.count for rows in whole] == [10] * (count // 10) + [count % 10] * (count % 10 > 0)
    for skip in range(len(whole) + 1):
        assert parts_of(path, 10, skip) == whole[skip:]


class Killed(Exception):
    pass


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kills_after", range(5))
def test_an_attempt_goes_on_where_the_one_before_ended(
    tmp_path: Path, form: str, kills_after: int
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    written(folder, form, 25)
    table_of(12).to_parquet(folder / "more.parquet")
    plan = Plan("m", 1, input_files(folder), tmp_path / "out", 10)
    calls = 0

    def dying(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        nonlocal calls
        calls += 1
        if calls > kills_after:
            raise Killed
        return sums(arrays)

    with pytest.raises(Killed):
        score(plan, Scorer("d" * 64, "onnx", MATRIX, ["a", "b"], "sum", dying), lambda _: None)
    assert score(plan, scorer(), lambda _: None) == 37
    record = json.loads((tmp_path / "out" / "scoring.json").read_text())
    assert [part["rows"] for part in record["parts"]] == [10, 10, 5, 10, 2]
    frames = []
    for part in record["parts"]:
        path = tmp_path / "out" / part["file"]
        match path.suffix:
            case ".parquet":
                frames.append(pd.read_parquet(path))
            case ".csv":
                frames.append(pd.read_csv(path))
            case _:
                frames.append(pd.read_json(path, lines=True))
    result = pd.concat(frames, ignore_index=True)
    expected = pd.concat([table_of(25), table_of(12)], ignore_index=True)
    assert result["a"].tolist() == expected["a"].tolist()
    assert result["sum"].tolist() == (expected["a"] + expected["b"]).tolist()
    assert not list((tmp_path / "out").glob(".*.part"))


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    plan = Plan("m", 1, [written(tmp_path, "csv", 12)], tmp_path / "out", 10)
    score(plan, scorer(), lambda _: None)
    for other, wrong in [
        (Plan("m", 2, plan.files, plan.output, 10), "another version"),
        (Plan("m", 1, plan.files, plan.output, 9), "another part_rows"),
        (Plan("m", 1, plan.files, plan.output, 10, "jsonl"), "another format"),
    ]:
        with pytest.raises(ScoringFailed, match=wrong):
            score(other, scorer(), lambda _: None)
    with pytest.raises(ScoringFailed, match="another digest"):
        score(plan, scorer("e" * 64), lambda _: None)


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("x.csv", "", "no header line"),
        ("x.csv", "a,a\n1,2\n", "the same name"),
        ("x.csv", "a,b\n1\n", "row 0: 1 fields"),
        ("x.csv", 'a,b\n"1,2\n', "cannot be read"),
        ("x.jsonl", "[1]\n", "line 1: expected an object"),
        ("x.jsonl", '{"a": 1}\n{"a"\n', "line 2"),
        ("x.parquet", "PAR1", "cannot be read"),
    ],
)
def test_a_damaged_file_is_named_with_its_place(
    tmp_path: Path, name: str, text: str, wrong: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ScoringFailed, match=wrong):
        parts_of(path, 10, 0)


def test_what_holds_no_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScoringFailed, match="no such file or folder"):
        input_files(tmp_path / "none")
    with pytest.raises(ScoringFailed, match="holds no file"):
        input_files(tmp_path)
