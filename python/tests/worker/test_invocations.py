"""What a body of MLflow scoring may make of memory is looked at before anything is made of it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from aloft_models.invocations import Refused, read, type_of
from aloft_models.together import _kinds


def sparse(form: str) -> bytes:
    """Some hundred kilobytes that pandas makes a hundred million cells of."""
    names = [f"c{place}" for place in range(10_000)]
    row = dict.fromkeys(names, 1)
    bodies: dict[str, Any] = {
        "dataframe_records": [row, *[{}] * 10_000],
        "instances": [row, *[{}] * 10_000],
        "inputs": {**row, "long": [1] * 20_000},
        "dataframe_split": {"columns": names, "data": [[1]] * 20_000},
    }
    return json.dumps({form: bodies[form]}).encode()


@pytest.mark.parametrize("form", ["dataframe_records", "instances", "inputs", "dataframe_split"])
def test_a_table_that_leaves_most_out_is_refused(form: str) -> None:
    with pytest.raises(Refused, match="leaves most of its values out"):
        read(sparse(form), "application/json")


def test_so_is_such_csv() -> None:
    body = ",".join(f"c{place}" for place in range(10_000)) + "\n1" * 20_000
    with pytest.raises(Refused, match="leaves most of its values out"):
        read(body.encode(), "text/csv")


def test_nor_do_carriage_returns_or_an_index_hide_it() -> None:
    names = [f"c{place}" for place in range(2_000)]
    body = ",".join(names) + "\r1" * 20_000
    with pytest.raises(Refused, match="leaves most of its values out"):
        read(body.encode(), "text/csv")
    split = {"columns": names, "index": [0] * 100_000, "data": []}
    with pytest.raises(Refused, match="leaves most of its values out"):
        read(json.dumps({"dataframe_split": split}).encode(), "application/json")


@pytest.mark.parametrize("wrapped", [False, True])
def test_one_long_text_among_many_short_ones_is_refused(wrapped: bool) -> None:
    texts = ["x" * 2_000, *[""] * 60_000]
    body = json.dumps({"inputs": {"a": texts} if wrapped else texts}).encode()
    with pytest.raises(Refused, match="characters"):
        read(body, "application/json")
    some = ["a text of usual length " * 20] * 5_000 + ["longer " * 300]
    assert read(json.dumps({"inputs": some}).encode(), "application/json")["inputs"] == some


def test_more_lists_than_memory_is_for_are_refused() -> None:
    begin = time.process_time()
    with pytest.raises(Refused, match="lists and objects"):
        read(b'{"inputs":[' + b"[]," * (5 << 20) + b"[]]}", "application/json")
    assert time.process_time() - begin < 10


def test_full_tables_are_taken_whatever_their_size() -> None:
    rows = [[place % 10] * 20 for place in range(60_000)]
    body = json.dumps({"dataframe_split": {"columns": list("abcdefghijklmnopqrst"), "data": rows}})
    assert len(read(body.encode(), "application/json")["dataframe_split"]["data"]) == 60_000


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("", "application/json"),
        ("application/x-www-form-urlencoded", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json; charset=utf-8"),
        ("text/csv", "text/csv"),
    ],
)
def test_what_clients_say_by_themselves_is_json(given: str, taken: str) -> None:
    assert type_of(given) == taken


def test_rows_are_joined_only_where_their_columns_are_alike() -> None:
    assert _kinds([[1, "a"], [2, "b"]]) == _kinds([[3, ""]])
    assert _kinds([[1, "a"]]) != _kinds([[1.5, "a"]])
    assert _kinds([[None, "a"], [1.5, "a"]]) != _kinds([[1.5, "a"]])
    assert _kinds([[True]]) != _kinds([[1]])
    assert _kinds([[[1]]]) is None
    assert _kinds([[1 << 60]]) is None
    assert _kinds([[1], [1, 2]]) is None
    assert _kinds([{"a": 1}, {"b": 1}]) is None
