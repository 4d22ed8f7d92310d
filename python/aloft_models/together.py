"""Bodies of MLflow scoring that several callers sent, asked in one call of the model. For models
whose rows are independent: each caller gets what it would get alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd

from aloft_models.invocations import Invocations, read, type_of

Document = tuple[bytes | memoryview, str]
Outcome = bytes | Exception
_JSON = "application/json"
_WHOLE = 1 << 53


@dataclass(frozen=True)
class _Rows:
    """What a body holds: `key` is the same for bodies that may be asked together."""

    form: str
    key: Any
    rows: list[Any]
    # The columns of `dataframe_split`.
    columns: list[Any] | None = None


def answer_all(
    invocations: Invocations, documents: Sequence[Document], together: bool
) -> list[Outcome]:
    """The text for each body, or what it is refused with."""
    outcomes: list[Outcome | None] = [None] * len(documents)
    groups: dict[Any, list[tuple[int, _Rows]]] = {}
    for place, (body, content_type) in enumerate(documents):
        content_type = type_of(content_type)
        try:
            data = read(bytes(body), content_type)
            found = _rows(data) if together and content_type == _JSON else None
            if found is None:
                outcomes[place] = invocations.answer_read(data, content_type)
            else:
                groups.setdefault(found.key, []).append((place, found))
        except Exception as error:  # whatever a stranger's model raises
            outcomes[place] = error
    for group in groups.values():
        texts = _ask(invocations, [rows for _, rows in group]) if len(group) > 1 else None
        for number, (place, rows) in enumerate(group):
            try:
                outcomes[place] = (
                    texts[number]
                    if texts is not None
                    else invocations.answer_read(_body(rows.form, [rows]), _JSON)
                )
            except Exception as error:
                outcomes[place] = error
    return [one if one is not None else RuntimeError("not asked") for one in outcomes]


def _rows(data: Any) -> _Rows | None:
    """None for a body that is asked alone."""
    if not isinstance(data, dict) or len(data) != 1:
        return None
    form, table = next(iter(data.items()))
    columns = None
    if form == "dataframe_split":
        if not isinstance(table, dict) or set(table) != {"columns", "data"}:
            return None
        columns, table = table["columns"], table["data"]
        if not isinstance(columns, list):
            return None
    elif form not in ("dataframe_records", "instances", "inputs"):
        return None
    if not isinstance(table, list) or not table:
        return None
    key = _kinds(table)
    if key is None:
        return None
    try:
        whole = (form, None if columns is None else tuple(columns), key)
        hash(whole)
    except TypeError:
        return None
    return _Rows(form, whole, table, columns)


def _kinds(rows: list[Any]) -> Any:
    """The types of each column's values, by which pandas chooses those of columns; None where they
    are nested, or rows are not of one form."""
    first = rows[0]
    if isinstance(first, dict):
        names = tuple(first)
        if any(not isinstance(row, dict) or tuple(row) != names for row in rows):
            return None
        columns = zip(*(row.values() for row in rows), strict=True)
        kinds = tuple(_types(column) for column in columns)
        return None if None in kinds else (names, kinds)
    if isinstance(first, list):
        if any(not isinstance(row, list) or len(row) != len(first) for row in rows):
            return None
        kinds = tuple(_types(column) for column in zip(*rows, strict=True))
        return None if None in kinds else kinds
    return _types(rows)


def _types(column: Sequence[Any]) -> frozenset[type] | None:
    found = frozenset(map(type, column))
    if dict in found or list in found:
        return None
    # Beyond that whole numbers make a column of another type.
    if int in found and any(type(one) is int and abs(one) >= _WHOLE for one in column):
        return None
    return found


def _body(form: str, parts: Sequence[_Rows]) -> dict[str, Any]:
    rows = [row for part in parts for row in part.rows]
    if form == "dataframe_split":
        return {form: {"columns": parts[0].columns, "data": rows}}
    return {form: rows}


def _ask(invocations: Invocations, parts: Sequence[_Rows]) -> list[bytes] | None:
    """A text for each part; None where they must be asked one by one."""
    from mlflow.pyfunc.scoring_server import _parse_json_data, predictions_to_json

    scorer = invocations.scorer
    try:
        body = _body(parts[0].form, parts)
        parsed = _parse_json_data(body, scorer.metadata, scorer.metadata.get_input_schema())
        answer = scorer.invoke(parsed.data, None)
        counts = [len(part.rows) for part in parts]
        pieces = _split(answer, counts)
        if pieces is None:
            return None
        texts = []
        for piece in pieces:
            text = StringIO()
            predictions_to_json(piece, text)
            texts.append(text.getvalue().encode("utf-8", errors="surrogatepass"))
        return texts
    except Exception:  # one of them is at fault: each is told of its own
        return None


def _split(answer: Any, counts: Sequence[int]) -> list[Any] | None:
    """The answer's rows by part; None where it has not one for each."""
    if isinstance(answer, dict):
        columns = {name: _split(value, counts) for name, value in answer.items()}
        if not columns or any(
            pieces is None or isinstance(answer[name], dict) for name, pieces in columns.items()
        ):
            return None
        return [
            {name: pieces[place] for name, pieces in columns.items() if pieces is not None}
            for place in range(len(counts))
        ]
    if not isinstance(answer, pd.DataFrame | pd.Series | np.ndarray | list):
        return None
    if (isinstance(answer, np.ndarray) and answer.ndim == 0) or len(answer) != sum(counts):
        return None
    pieces, start = [], 0
    for count in counts:
        if isinstance(answer, pd.DataFrame | pd.Series):
            pieces.append(answer.iloc[start : start + count])
        else:
            pieces.append(answer[start : start + count])
        start += count
    return pieces
