"""Bodies for a model of three numbers, in every form that MLflow takes, and broken ones."""

from __future__ import annotations

import json
from typing import Any

Body = tuple[bytes, str]
JSON, CSV = "application/json", "text/csv"
NAMES = ["x", "n", "y"]
ROW = {"x": 1.5, "n": 2, "y": -0.25}


def json_bodies(*bodies: Any) -> list[Body]:
    return [(json.dumps(body).encode(), JSON) for body in bodies]


def csv_bodies(*bodies: str) -> list[Body]:
    return [(body.encode(), CSV) for body in bodies]


def split(columns: list[Any], *rows: list[Any], **more: Any) -> dict[str, Any]:
    return {"dataframe_split": {"columns": columns, "data": list(rows), **more}}


def number_bodies() -> list[Body]:
    return _number_splits() + _number_records() + _number_inputs() + _number_csv() + _number_odd()


def _number_splits() -> list[Body]:
    names = NAMES
    return json_bodies(
        split(names, [1.5, 2, 0.5], [-2, 3, 0]),
        split(names, [1, 2, 3]),
        split(["y", "more", "n", "x"], [0.5, "a", 7, 0.1]),
        split(names, [1.5, 2, 0.5], index=[7]),
        split(names[:2], [1.5, 2]),
        split(names, [1.5, 2]),
        split(names, [None, 2, 1.5]),
        split(names, [1.5, None, 1.5]),
        split(names, [1.5, 2.5, 1]),
        split(names, [1.5, 2.0, 1]),
        split(names, ["1.5", 2, 1]),
        split(names, [1.5, "2", 1]),
        split(names, ["a", 2, 1]),
        split(names, [True, 2, 1]),
        split(names, [1.5, True, 1]),
        split(names, [[1.5], 2, 1]),
        split(names, [{"a": 1}, 2, 1]),
        split(names, [1e400, 2, 1]),
        split(names, [float("nan"), 2, 1]),
        split(names, [1.5, 2**70, 1]),
        split([*names, "x"], [1.5, 2, 1, 4]),
        split([0, 1, 2], [1.5, 2, 1]),
        {"dataframe_split": {"columns": names}},
        {"dataframe_split": {"columns": names, "rows": []}},
        {"dataframe_split": []},
        {"dataframe_split": None},
        {"dataframe_split": {"columns": "x", "data": [[1]]}},
    )


def _number_records() -> list[Body]:
    row = ROW
    return json_bodies(
        {"dataframe_records": [row, {**row, "x": 3}]},
        {"dataframe_records": [{**row, "more": [1]}]},
        {"dataframe_records": [row, {"x": 1}]},
        {"dataframe_records": [{"x": 1, "n": 2}]},
        {"dataframe_records": [{**row, "n": None}]},
        {"dataframe_records": [{**row, "n": 2.0}]},
        {"dataframe_records": row},
        {"dataframe_records": []},
        {"dataframe_records": [1, 2]},
        {"dataframe_records": [[1, 2, 3]]},
        {"dataframe_records": "x"},
        {"dataframe_records": None},
        {"instances": [row, row]},
        {"instances": [{**row, "x": None}]},
        {"instances": [1.5, 2, 1]},
        {"instances": {"x": [1.5], "n": [2], "y": [1.0]}},
        {"instances": []},
    )


def _number_inputs() -> list[Body]:
    row = ROW
    return json_bodies(
        {"inputs": {"x": [1.5, 2], "n": [1, 2], "y": [0.5, 1]}},
        {"inputs": {"x": [1.5, 2], "n": [1], "y": [0.5]}},
        {"inputs": {"x": [1.5], "n": [1]}},
        {"inputs": {"x": [1.5], "n": [1], "y": [1.0], "more": [1]}},
        {"inputs": {"x": 1.5, "n": 1, "y": 2.5}},
        {"inputs": {"x": 1.5, "n": [1, 2], "y": 2.5}},
        {"inputs": {"x": [[1.5]], "n": [[1]], "y": [[1.0]]}},
        {"inputs": [row]},
        {"inputs": [1.5, 2, 1]},
        {"inputs": []},
        {"inputs": 3},
        {"inputs": "x"},
        {"inputs": None},
        {},
        [row],
        "text",
        None,
        7,
        {"rows": [row]},
        {"dataframe_records": [row], "inputs": [row]},
        {"dataframe_records": [row], "rows": []},
        {"dataframe_records": [row], "signature_name": "x"},
        {"dataframe_records": [row], "params": {}},
        {"dataframe_records": [row], "params": {"level": 1}},
        {"dataframe_records": [row], "params": None},
        {"dataframe_records": [row], "params": [1]},
        {"dataframe_records": [row], "params": "a"},
    )


def _number_csv() -> list[Body]:
    return csv_bodies(
        "x,n,y\n1.5,2,0.5\n2,3,1\n",
        "\ufeffx,n,y\n1.5,2,0.5\n",
        " x,n,y\n 1.5, 2,0.5\n\n  \n3,4,1",
        "x, n, y\n1.5,2,0.5\n",
        "x,n,y\r\n1.5,2,0.5\r\n",
        "x,n,y\r1.5,2,0.5\r",
        '"x","n","y"\n"1.5","2","0.5"\n',
        "y,n,x,more\n1,7,0.5,a\n",
        "x,n,y\n,2,1\n",
        "x,n,y\nNA,2,1\n",
        "x,n,y\n1.5,,1\n",
        "x,n,y\n1.5,2.0,1\n",
        "x,n,y\n1.5,2.5,1\n",
        "x,n,y\na,2,1\n",
        "x,n,y\n1.5,2\n",
        "x,n\n1.5,2\n",
        "1.5,2,1\n",
        "",
        "\n",
        "x,n,y\n1e3,2,-1E-2\n",
        "x,n,y\n0x10,2,1\n",
        "x,n,y\ninf,2,1\n",
        "x,n,y\n1_000,2,1\n",
        "x,n,y\nTrue,2,1\n",
        "x,n,y\n1.5,2,1\n\n\n",
        "x,x,n,y\n1.5,9,2,1\n",
        '"x,n,y\n1.5,2,1\n',
    )


def _number_odd() -> list[Body]:
    names = NAMES
    return [
        (b"{", JSON),
        (b"", JSON),
        (b"\xff\xfe", JSON),
        (b"\xef\xbb\xbf" + json.dumps(split(names, [1.5, 2, 1])).encode(), JSON),
        (b'{"inputs": ' + b"[" * 3000, JSON),
        (json.dumps(split(names, [1.5, 2, 1])).encode() + b" x", JSON),
        (b'{"dataframe_split": {"columns": ["x","n","y"], "data": [[1.5,2,1],]}}', JSON),
        (b'{"dataframe_split": {"columns": ["x","n","y"], "data": [[01,2,1]]}}', JSON),
        (json.dumps(split(names, [1.5, 2, 1])).encode(), "application/json; charset=utf-8"),
        (json.dumps(split(names, [1.5, 2, 1])).encode(), "application/json; charset=latin-1"),
        (json.dumps(split(names, [1.5, 2, 1])).encode(), "application/json; format=split"),
        (json.dumps(split(names, [1.5, 2, 1])).encode(), "text/plain"),
        (json.dumps(split(names, [1.5, 2, 1])).encode(), "application/xml"),
        (json.dumps(split(names, [1.5, 2, 1])).encode(), "application/vnd.apache.parquet"),
        (b"x,n,y\n1.5,2,1\n", "text/csv; charset=utf-8"),
        (b"x,n,y\n1.5,2,1\n", "text/csv; header=absent"),
        (b"x,n,y\n1.5,2,1\n", JSON),
    ]
