"""Answers a body of MLflow scoring with MLflow's own code: its parsing, its checks, its JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aloft_models.scoring import Scorer

# A table of so many cells is always taken; a larger one must have said a part of them.
_FREE_CELLS = 1 << 20
_CELLS_PER_BYTE = 4
# Characters that a list of texts may take as an array, each as long as the longest.
_FREE_CHARACTERS = 1 << 22
_CHARACTERS_PER_BYTE = 8
# Each takes some hundred bytes once it is read, however short it is.
_MOST_LISTS = 4 << 20
_MOST_WORDS = 2000


class Refused(Exception):
    """The body is not what the model takes, in MLflow's words."""


class WrongType(Exception):
    """The content type is none that MLflow scoring reads."""


class Unwritable(Exception):
    """The model answered what no JSON can say."""


@dataclass(frozen=True)
class Invocations:
    """One model behind `mlflow.pyfunc.scoring_server`."""

    scorer: Scorer

    def answer(self, body: bytes | memoryview, content_type: str) -> bytes:
        """The text that MLflow answers; throws Refused, WrongType, Unwritable, and whatever the
        model itself raises."""
        content_type = type_of(content_type)
        return self.answer_read(read(bytes(body), content_type), content_type)

    def answer_read(self, data: Any, content_type: str) -> bytes:
        """The same for what `read` made of the body."""
        from mlflow.exceptions import MlflowException
        from mlflow.pyfunc import scoring_server

        asked = _Asked(self.scorer)
        try:
            answered = scoring_server.invocations(
                data, content_type, asked, self.scorer.metadata.get_input_schema()
            )
        except MlflowException as error:
            if asked.failure is not None:
                raise asked.failure from error
            raise Refused(_shortened(error.message)) from error
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            if asked.has_answered:
                raise Unwritable(f"its answer cannot be written as JSON: {error}") from error
            raise Refused(
                f"Invalid input. {type(error).__name__}: {error}"[:_MOST_WORDS]
            ) from error
        if answered.status != 200:
            raise WrongType(str(answered.response)[:_MOST_WORDS])
        return str(answered.response).encode("utf-8", errors="surrogatepass")


class _Asked:
    """The model as MLflow's function sees it. Keeps what the model raises, which that hides."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.metadata = scorer.metadata
        self.failure: BaseException | None = None
        self.has_answered = False

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        from mlflow.exceptions import MlflowException

        try:
            answer = self._scorer.invoke(data, params)
        except MlflowException:
            raise
        except Exception as error:
            self.failure = error
            raise
        self.has_answered = True
        return answer


def serve_as_mlflow() -> None:
    """Says to MLflow, as its own server does, that models are asked from outside."""
    os.environ["_MLFLOW_IS_IN_SERVING_ENVIRONMENT"] = "true"


def type_of(given: str) -> str:
    """JSON where the caller says nothing, or what curl and urllib say by themselves."""
    essence = given.split(";")[0].strip().lower()
    if essence in ("", "application/x-www-form-urlencoded"):
        return "application/json"
    return essence + given[len(given.split(";")[0]) :]


def read(body: bytes, content_type: str) -> Any:
    """The body, or for JSON the object that it is; throws Refused where its table would take much
    more than its text. What cannot be read is left to MLflow to say."""
    essence = content_type.split(";")[0]
    if essence == "text/csv":
        # pandas ends lines at either.
        head = body.split(b"\n", 1)[0].split(b"\r", 1)[0]
        _check_cells(head.count(b",") + 1, body.count(b"\n") + body.count(b"\r"), len(body))
        return body
    if essence != "application/json":
        return body
    if body.count(b"[") + body.count(b"{") > _MOST_LISTS:
        raise Refused(
            f"The body has more than {_MOST_LISTS} lists and objects. Send fewer at once."
        )
    try:
        data = json.loads(body)
    except RecursionError as error:
        raise Refused("Invalid input. The JSON is nested too deeply.") from error
    except ValueError:
        return body
    if not isinstance(data, dict):
        return body
    for key in ("dataframe_records", "instances", "inputs"):
        _check_table(data.get(key), len(body))
    split = data.get("dataframe_split")
    if isinstance(split, dict):
        columns = split.get("columns")
        width = len(columns) if isinstance(columns, list | dict) else 0
        _check_table(split.get("data"), len(body), width)
        index = split.get("index")
        _check_cells(width, len(index) if isinstance(index, list | dict) else 0, len(body))
    return data


def _check_table(value: Any, size: int, columns: int = 0) -> None:
    if isinstance(value, list) and value:
        if any(isinstance(one, dict) for one in value):
            names: set[str] = set()
            for one in value:
                if isinstance(one, dict):
                    names.update(one)
            columns = max(columns, len(names))
        widest = max((len(one) for one in value if isinstance(one, list)), default=1)
        _check_cells(max(columns, widest), len(value), size)
        _check_texts(value, size)
    elif isinstance(value, dict):
        longest = max(
            (len(one) for one in value.values() if isinstance(one, list | dict)), default=1
        )
        _check_cells(len(value), longest, size)
        for one in value.values():
            if isinstance(one, list):
                _check_texts(one, size)


def _check_texts(values: list[Any], size: int) -> None:
    """NumPy keeps each text of a list in as many places as the longest takes."""
    longest = max((len(one) for one in values if isinstance(one, str)), default=0)
    if longest * len(values) > max(_FREE_CHARACTERS, _CHARACTERS_PER_BYTE * size):
        raise Refused(
            f"The longest of {len(values)} texts has {longest} characters, and a list of texts "
            f"takes that much for each, in a body of {size} bytes. Send it alone."
        )


def _check_cells(columns: int, rows: int, size: int) -> None:
    if columns * rows > max(_FREE_CELLS, _CELLS_PER_BYTE * size):
        raise Refused(
            f"The table leaves most of its values out: {rows} rows of {columns} columns, in a body "
            f"of {size} bytes. Send fewer rows at once."
        )


def _shortened(words: str) -> str:
    """MLflow repeats the whole input before it says what is wrong: both ends tell."""
    if len(words) <= _MOST_WORDS:
        return words
    return words[: _MOST_WORDS // 2] + " … " + words[-_MOST_WORDS // 2 :]
