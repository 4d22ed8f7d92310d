"""From a reply back to the data that trained the model: with a real server, gateway and models."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy
import pandas
import pytest
from sklearn.linear_model import LogisticRegression

COLUMNS = ["age", "income", "visits", "debt"]
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def rows(count: int, seed: int = 0) -> pandas.DataFrame:
    values = numpy.random.default_rng(seed).normal(size=(count, len(COLUMNS)))
    return pandas.DataFrame(values, columns=COLUMNS)


def register_versions(address: str) -> None:
    mlflow.set_tracking_uri(address)
    mlflow.set_experiment("demo/train")
    table = rows(300)
    answers = (table["age"] + table["income"] > 0).astype(int)
    for strength in (1.0, 0.05):
        with mlflow.start_run():
            mlflow.log_param("strength", strength)
            mlflow.log_input(mlflow.data.from_pandas(table, name="people"), context="training")
            model = LogisticRegression(C=strength).fit(table, answers)
            mlflow.sklearn.log_model(
                model, name="model", registered_model_name="demo", input_example=table[:3]
            )
    mlflow.MlflowClient().set_registered_model_alias("demo", "champion", "1")


@pytest.fixture(scope="module")
def flying(tmp_path_factory: pytest.TempPathFactory, server_type: Any) -> Iterator[Any]:
    """A server whose deployment `demo` has version 1 in production, with a gateway beside it."""
    server = server_type(
        data=tmp_path_factory.mktemp("predictions") / "data", with_gateway=True
    ).start()
    register_versions(server.url)

    def is_ready(version: int) -> bool:
        reply = json.loads(server.get(f"/api/v1/models/demo/versions/{version}/servable") or "{}")
        assert reply.get("state") != "failed", reply
        return bool(reply.get("state") == "ready")

    for version in (1, 2):
        server.wait_until(
            lambda number=version: is_ready(number), f"version {version}", seconds=400
        )
    server.run("deploy", "demo", "--model", "demo@champion", "--at-once", "--wait")
    yield server
    server.stop()


def ask(server: Any, body: bytes, kind: str = "application/json", trace: str = "") -> Any:
    """Returns the identifier, the reply's headers and the reply."""
    headers = {"Content-Type": kind, **({"traceparent": trace} if trace else {})}
    request = urllib.request.Request(
        f"{server.gateway_url}/deployments/demo/invocations", body, headers
    )
    with urllib.request.urlopen(request, timeout=20) as reply:
        return reply.headers["X-Aloft-Prediction-Id"], reply.headers, json.loads(reply.read())


def scoring_body(table: pandas.DataFrame) -> bytes:
    return json.dumps({"dataframe_split": table.to_dict(orient="split")}).encode()


def wait_for(server: Any, identifier: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def is_there() -> bool:
        reply = server.get(f"/api/v1/predictions/{identifier}")
        found.update(json.loads(reply) if reply else {})
        return bool(found)

    server.wait_until(is_there, f"prediction {identifier}", seconds=60)
    return found


def test_a_prediction_is_explained_back_to_its_data(flying: Any) -> None:
    identifier, headers, answered = ask(flying, scoring_body(rows(2, seed=1)), trace=TRACE)
    assert headers["traceparent"].split("-")[1] == TRACE.split("-")[1]
    found = wait_for(flying, identifier)
    assert json.loads(found["response"]["text"]) == answered
    walk = found["walk"]
    assert walk["revision"]["number"] == 1
    assert walk["version"]["version"] == 1
    assert walk["version"]["aliases"] == ["champion"]
    assert walk["run"]["params"] == {"strength": "1.0"}
    assert walk["datasets"][0]["name"] == "people"
    assert walk["datasets"][0]["context"] == "training"
    assert walk["code"]["source"]
    assert found["prediction"]["traceID"] == TRACE.split("-")[1]
    text = flying.run("explain", identifier)
    for word in (identifier, "demo/1", "champion", "strength=1.0", "people", walk["run"]["id"]):
        assert word in text
    assert flying.json("explain", identifier) == found


def test_predictions_are_listed_by_deployment_error_and_page(flying: Any) -> None:
    request = urllib.request.Request(
        f"{flying.gateway_url}/deployments/demo/invocations",
        b'{"instances": [["x"]]}',
        {"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    identifier = refused.value.headers["X-Aloft-Prediction-Id"]
    wait_for(flying, identifier)
    errors = flying.json("predictions", "demo", "--errors")
    assert [item["id"] for item in errors["predictions"]] == [identifier]
    assert errors["predictions"][0]["status"] == 400
    assert identifier in flying.run("predictions", "demo", "--revision", "1", "--errors")
    assert "revision 9" in flying.run("predictions", "demo", "--revision", "9", status=1)
    assert "deployment" in flying.run("predictions", "nothing", status=1)
    assert "28 hexadecimal digits" in flying.run("explain", "nonsense", status=1)


@pytest.mark.parametrize("kind", ["application/json", "text/csv"])
def test_replay_gives_the_same_on_the_same_version_and_shows_the_difference_on_another(
    flying: Any, kind: str
) -> None:
    table = rows(5, seed=2)
    body = scoring_body(table) if kind != "text/csv" else table.to_csv(index=False).encode()
    identifier, _, _ = ask(flying, body, kind)
    wait_for(flying, identifier)
    same = flying.json("replay", identifier)
    assert same["isEqual"], same
    assert same["versionAfter"] == 1
    assert "none in" in flying.run("replay", identifier)

    infer = urllib.request.Request(
        f"{flying.gateway_url}/v2/models/demo/infer", example(flying), {}, method="POST"
    )
    with urllib.request.urlopen(infer, timeout=20) as reply:
        inferred = reply.headers["X-Aloft-Prediction-Id"]
    wait_for(flying, inferred)
    other = flying.json("replay", inferred, "--version", "2")
    assert not other["isEqual"]
    assert other["versionAfter"] == 2
    assert 0 < other["largest"]["size"] <= 1
    assert "largest" in flying.run("replay", inferred, "--version", "2")
    # The other version has no traffic by it.
    assert json.loads(flying.get("/api/v1/deployments/demo"))["deployment"]["live"]["version"] == 1
    assert "version 77" in flying.run("replay", inferred, "--version", "77", status=1)


def example(server: Any) -> bytes:
    servable = json.loads(server.get("/api/v1/models/demo/versions/1/servable"))
    return json.dumps(servable["manifest"]["example"]).encode()


def test_predictions_outlive_a_killed_server_and_count_once(flying: Any) -> None:
    before = total(flying)
    body = scoring_body(rows(1, seed=3))
    identifiers = [ask(flying, body)[0] for _ in range(40)]
    flying.kill()
    identifiers += [ask(flying, body)[0] for _ in range(40)]
    flying.start()
    identifiers += [ask(flying, body)[0] for _ in range(40)]
    wait_for(flying, identifiers[-1])
    flying.kill()
    flying.start()
    flying.wait_until(lambda: total(flying) >= before + 120, "all predictions", seconds=60)
    assert total(flying) == before + 120
    listed = flying.json("predictions", "demo", "--limit", "1000")["predictions"]
    names = [item["id"] for item in listed]
    assert len(names) == len(set(names))
    assert set(identifiers) <= set(names)


def total(server: Any) -> int:
    reply = server.get("/api/v1/predictions?limit=1")
    return int(json.loads(reply)["storage"]["records"]) if reply else -1


# Scoring


def score_command(server: Any, source: Path, target: Path, part_rows: int) -> list[str]:
    return [
        *(sys.executable, "-m", "aloft_models.score", "--model", "demo", "--version", "1"),
        *("--server", server.url, "--input", str(source), "--output", str(target)),
        *("--part-rows", str(part_rows)),
    ]


def read_parts(folder: Path) -> pandas.DataFrame:
    parts = sorted(folder.glob("part-*.parquet"))
    return pandas.concat([pandas.read_parquet(part) for part in parts], ignore_index=True)


def test_scoring_that_was_killed_goes_on_and_gives_what_the_gateway_gives(
    flying: Any, tmp_path: Path
) -> None:
    source, target = tmp_path / "people.parquet", tmp_path / "scores"
    table = rows(60_000, seed=4)
    table["id"] = range(len(table))
    table.to_parquet(source, row_group_size=7_000)
    first = subprocess.Popen(score_command(flying, source, target, 500), cwd=tmp_path)
    deadline = time.monotonic() + 120
    while len(list(target.glob("part-*"))) < 5:
        assert first.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(first.pid, signal.SIGKILL)
    first.wait(timeout=60)
    assert len(list(target.glob("part-*"))) < 120

    said = flying.run(
        *("score", "demo@champion", "--input", str(source), "--output", str(target)),
        *("--part-rows", "500", "--follow"),
    )
    assert "going on after" in said
    result = read_parts(target)
    assert result["id"].tolist() == list(range(60_000))
    record = json.loads((target / "scoring.json").read_text())
    assert record["complete"] and record["rows"] == 60_000
    servable = json.loads(flying.get("/api/v1/models/demo/versions/1/servable"))
    assert record["digest"] == servable["digest"]

    _, _, online = ask(flying, scoring_body(table[COLUMNS][:300]))
    assert result[record["predict_output"]][:300].tolist() == online["predictions"]

    # Once it is complete nothing is done again, and other rows are refused.
    again = subprocess.run(
        score_command(flying, source, target, 500), capture_output=True, text=True
    )
    assert again.returncode == 0 and "scored already" in again.stdout
    table[:10].to_parquet(source)
    other = subprocess.run(
        score_command(flying, source, target, 500), capture_output=True, text=True
    )
    assert other.returncode == 1 and "another inputs" in other.stderr


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_every_format_is_scored_alike(flying: Any, tmp_path: Path, form: str) -> None:
    table = rows(40, seed=5)
    source = tmp_path / "in"
    source.mkdir()
    for number, part in enumerate((table[:25], table[25:])):
        path = source / f"{number}.{form}"
        if form == "csv":
            part.to_csv(path, index=False)
        else:
            part.to_json(path, orient="records", lines=True, double_precision=15)
    done = subprocess.run(
        score_command(flying, source, tmp_path / "out", 10), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    read = pandas.read_csv if form == "csv" else lambda path: pandas.read_json(path, lines=True)
    parts = sorted((tmp_path / "out").glob(f"part-*.{form}"))
    assert len(parts) == 3 + 2
    result = pandas.concat([read(part) for part in parts], ignore_index=True)
    record = json.loads((tmp_path / "out" / "scoring.json").read_text())
    _, _, online = ask(flying, scoring_body(table))
    assert result[record["predict_output"]].tolist() == online["predictions"]


def test_a_wrong_table_or_model_is_refused_with_its_reason(flying: Any, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("age,income\n1,2\n")
    done = subprocess.run(
        score_command(flying, source, tmp_path / "out", 10), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert 'lacks the column(s) "visits", "debt"' in done.stderr
    source.write_text("age,income,visits,debt\n1,2,3,4\n1,2,many,4\n")
    done = subprocess.run(
        score_command(flying, source, tmp_path / "out2", 10), capture_output=True, text=True
    )
    assert 'column "visits", row 1' in done.stderr
    arguments = ("--input", str(source), "--output", str(tmp_path / "out3"))
    assert "no alias" in flying.run("score", "demo@nobody", *arguments, status=1)
    assert "expected parquet" in flying.run(
        "score", "demo@champion", *arguments, "--format", "xls", status=1
    )
