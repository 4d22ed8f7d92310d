"""Asks this server and MLflow's own the same, good and wrong, and tells where the answers differ.

    bench/tracking/differential.py --mlflow .venv/bin/mlflow          # starts both, ends by itself
    bench/tracking/differential.py --only runs/log-metric --lines     # one call, every difference

Compared are the status, the error's code, its words and the whole answer, with identifiers and
times put aside. What is meant to differ is named in `differential_meant.py`, each with its reason.
The exit status is 1 where anything else differs.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import re
import sys
import tempfile
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))

from differential_calls import TRACE_INFO, V2, V3  # noqa: E402
from differential_cases import Ask, grid  # noqa: E402
from differential_meant import MEANT  # noqa: E402
from differential_searches import searches  # noqa: E402
from servers import free_port, running  # noqa: E402


@dataclass
class World:
    """One server with what the questions are about, made alike on both."""

    port: int
    names: dict[str, str] = field(default_factory=dict)
    connection: http.client.HTTPConnection | None = None
    serials: Any = field(default_factory=lambda: itertools.count(1))

    def send(self, ask: Ask) -> tuple[int, Any, str]:
        self.names["serial"] = f"{next(self.serials):032x}"
        path = self.fill(ask.path)
        if ask.query is not None:
            path += "?" + urllib.parse.urlencode([(k, self.fill(v)) for k, v in ask.query])
        body: bytes | None = None
        if ask.raw is not None:
            body = ask.raw.encode()
        elif ask.query is None:
            body = json.dumps(self.fill(ask.body)).encode()
        headers = {"Content-Type": ask.content_type} if body is not None else {}
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                self.connection.request(ask.method, path, body, headers)
                reply = self.connection.getresponse()
                data = reply.read()
                break
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
        text = data.decode(errors="replace")
        try:
            return reply.status, json.loads(text or "{}"), text
        except ValueError:
            return reply.status, None, text

    def fill(self, value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(r"\{(\w+)\}", lambda m: self.names.get(m[1], m[0]), value)
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        if isinstance(value, dict):
            return {key: self.fill(one) for key, one in value.items()}
        return value

    def make(self, method: str, path: str, body: dict[str, Any]) -> Any:
        status, answer, text = self.send(Ask(method, path, body=body))
        if status != 200:
            raise SystemExit(f"cannot prepare {path}: {status} {text[:300]}")
        return answer

    def experiment(self, name: str, title: str) -> None:
        tags = [{"key": "t", "value": "v"}]
        answer = self.make("POST", V2 + "experiments/create", {"name": title, "tags": tags})
        self.names[name] = answer["experiment_id"]

    def run(self, name: str, experiment: str, title: str) -> None:
        body = {
            "experiment_id": experiment,
            "user_id": "u",
            "run_name": title,
            "start_time": 5,
            "tags": [{"key": "t", "value": "v"}],
        }
        self.names[name] = self.make("POST", V2 + "runs/create", body)["run"]["info"]["run_id"]

    def logged(self, name: str, experiment: str) -> None:
        body = {
            "experiment_id": experiment,
            "name": "seeded",
            "model_type": "mt",
            "source_run_id": "{run}",
            "params": [{"key": "p", "value": "v"}],
            "tags": [{"key": "t", "value": "v"}],
        }
        answer = self.make("POST", V2 + "logged-models", body)
        self.names[name] = answer["model"]["info"]["model_id"]

    def model(self, name: str, title: str) -> None:
        self.names[name] = title
        tags = [{"key": "t", "value": "v"}]
        self.make("POST", V2 + "registered-models/create", {"name": title, "tags": tags})
        source = "mlflow-artifacts:/{experiment}/{run}/artifacts/m"
        body = {"name": title, "source": source, "run_id": "{run}", "tags": tags}
        self.make("POST", V2 + "model-versions/create", body)
        alias = {"name": title, "alias": "champ", "version": "1"}
        self.make("POST", V2 + "registered-models/alias", alias)

    def trace(self, name: str) -> None:
        self.names[name] = f"tr-{next(self.serials):030x}ff"
        info = {**TRACE_INFO, "trace_id": self.names[name]}
        self.make("POST", V3 + "traces", {"trace": {"trace_info": info}})

    def prepare(self) -> None:
        self.experiment("experiment", "grid")
        self.experiment("experiment2", "grid2")
        self.experiment("experiment_gone", "gone")
        self.make("POST", V2 + "experiments/delete", {"experiment_id": "{experiment_gone}"})
        self.names["trace_experiment"] = self.names["experiment"]
        self.run("run", "{experiment}", "seeded")
        points = [
            {"key": "m", "value": 0.5 * step, "timestamp": 10 + step, "step": step}
            for step in range(4)
        ]
        batch = {
            "run_id": "{run}",
            "metrics": points,
            "params": [{"key": "p", "value": "v"}],
        }
        self.make("POST", V2 + "runs/log-batch", batch)
        dataset = {"name": "d", "digest": "g", "source_type": "local", "source": "s"}
        context = [{"key": "mlflow.data.context", "value": "train"}]
        inputs = {"run_id": "{run}", "datasets": [{"tags": context, "dataset": dataset}]}
        self.make("POST", V2 + "runs/log-inputs", inputs)
        self.logged("logged", "{experiment}")
        metric = {"run_id": "{run}", **points[1], "model_id": "{logged}"}
        self.make(
            "POST", V2 + "runs/log-metric", {**metric, "dataset_name": "d", "dataset_digest": "g"}
        )
        self.model("model", "model")
        self.trace("trace")
        self.names["trace_experiment"] = self.names["experiment2"]

    def refresh(self, names: tuple[str, ...]) -> None:
        for name in names:
            serial = next(self.serials)
            if name in {"experiment2", "trace_experiment"}:
                self.experiment(name, f"fresh-{serial}")
            elif name == "run2":
                self.run(name, "{experiment2}", "fresh")
            elif name == "logged2":
                self.logged(name, "{experiment2}")
            elif name == "model2":
                self.model(name, f"fresh-{serial}")
            elif name == "trace2":
                self.trace(name)


TIMES = {"create_time", "last_update_time", "creation_timestamp", "last_updated_timestamp"}
IDENTIFIERS = re.compile(r"\b(m-|a-|tr-|d-)?[0-9a-f]{32}\b")
PLACES = re.compile(r"^.*/(?=(models/|traces/|ID/artifacts))")
# What only one of them tells, to nobody's harm: whose a version is, aliases in lists of versions.
EXTRA = {"workspace", "user_id", "aliases", "mlflow.trace.infoFinalized"}


def plain(value: Any, key: str = "") -> Any:
    """An answer without what differs from server to server: identifiers, times, names made up.

    What is empty is as good as absent: clients read both alike.
    """
    if isinstance(value, dict):
        members = {name: plain(one, name) for name, one in value.items() if name not in EXTRA}
        return {name: one for name, one in members.items() if one not in ("", [], {}, None, False)}
    if isinstance(value, list):
        items = [plain(one, key) for one in value]
        pairs = all(isinstance(one, dict) and "key" in one for one in items)
        return sorted(items, key=lambda one: str(one["key"])) if pairs else items
    if key.endswith(("time", "timestamp", "_ms")) and isinstance(value, int) and value > 10**11:
        return "TIME"
    if not isinstance(value, str):
        return value
    value = IDENTIFIERS.sub("ID", value)
    if key in TIMES:
        return "TIME"
    if key in {"artifact_uri", "artifact_location", "mlflow.artifactLocation"}:
        return PLACES.sub("", value)
    if key == "experiment_id":
        return "EXPERIMENT"
    if key == "next_page_token":
        return "TOKEN"
    return "RANDOM NAME" if re.fullmatch(r"[a-z]+-[a-z]+-\d{1,3}", value) else value


@dataclass
class Difference:
    ask: Ask
    kind: str
    ours: str
    theirs: str


Reply = tuple[int, Any, str]


def compared(ask: Ask, ours: Reply, theirs: Reply) -> Difference | None:
    (status, answer, text), (status2, answer2, text2) = ours, theirs

    def told(kind: str) -> Difference:
        return Difference(ask, kind, f"{status} {text[:400]}", f"{status2} {text2[:400]}")

    if status2 >= 500 and status < 500:
        return None  # a mistake of the user's, or none, which MLflow's server takes for its own
    if status == 400 and status2 == 200 and ask.is_other_type:
        return None  # MLflow drops what it cannot read and goes on with the rest
    if status == 415 and ask.content_type != "application/json":
        return None  # asked before any route, so that no web page gets in
    if status != status2:
        return told("status")
    if status < 400:
        spots = list(unlike(plain(answer), plain(answer2)))
        if not spots:
            return None
        (one, other) = (" ".join(part) for part in zip(*spots, strict=True))
        return Difference(ask, "answer", one[:600], other[:600])
    if not isinstance(answer, dict) or not isinstance(answer2, dict):
        return None
    code = answer2.get("error_code")
    if code is not None and answer.get("error_code") != code:
        return told("code")
    words = (str(answer.get("message")), str(answer2.get("message")))
    return None if ask.is_other_type or alike(*words) else told("words")


def unlike(ours: Any, theirs: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Where two answers differ, at most a handful."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in [*ours, *(name for name in theirs if name not in ours)]:
            yield from unlike(ours.get(name, ABSENT), theirs.get(name, ABSENT), f"{at}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from unlike(one, other, f"{at}[{index}]")
    elif ours != theirs:
        yield (f"{at}={short_json(ours)}", f"{at}={short_json(theirs)}")


ABSENT = "(absent)"


def short_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:120]


def alike(ours: str, theirs: str) -> bool:
    """Words that a client's pattern would find in both: MLflow adds hints and Python's words."""

    def short(text: str) -> str:
        text = IDENTIFIERS.sub("ID", text)
        text = re.sub(r"\w+\[\d+\]\.", "", text)  # where in a list is told by one alone
        text = re.split(
            r" See the API docs|  Hint:|Valid keys are|not one of|Valid ones are", text
        )[0]
        return re.sub(r"\W+", " ", text).strip()[:150]

    one, other = short(ours), short(theirs)
    return one.startswith(other) or other.startswith(one)


def meant(difference: Difference) -> str | None:
    for why, kind, pattern in MEANT:
        if difference.kind in kind and re.search(pattern, difference.ask.name):
            return why
    return None


def run(ours: int, theirs: int, arguments: argparse.Namespace) -> int:
    worlds = (World(ours), World(theirs))
    for world in worlds:
        world.prepare()
    counts: Counter[str] = Counter()
    found: list[Difference] = []
    for ask in itertools.chain(grid(), searches()):
        if arguments.only and not re.search(arguments.only, ask.name):
            continue
        for world in worlds:
            world.refresh(ask.fresh)
        answers = [world.send(ask) for world in worlds]
        difference = compared(ask, answers[0], answers[1])
        counts["asked"] += 1
        counts["answered by both" if answers[1][0] < 400 else "refused by mlflow"] += 1
        if difference is None:
            continue
        why = meant(difference)
        counts[f"meant: {why}" if why else f"different: {difference.kind}"] += 1
        if why is None:
            found.append(difference)
    for one in found if arguments.lines else found[:40]:
        print(f"{one.kind:7} {one.ask.name}\n    ours   {one.ours}\n    mlflow {one.theirs}")
    for name, count in sorted(counts.items()):
        print(f"{count:6} {name}")
    return 1 if found else 0


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    options.add_argument("--program", type=Path, default=ROOT / ".build/debug/aloft")
    options.add_argument("--mlflow", type=Path, default=ROOT / ".venv/bin/mlflow")
    options.add_argument("--only", help="a pattern of the questions to ask")
    options.add_argument("--lines", action="store_true", help="print every difference")
    arguments = options.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (port, other) = (free_port(), free_port())
        command = [str(arguments.program), "server", "--data", str(home / "aloft"), "--no-gateway"]
        command += ["--listen", f"127.0.0.1:{port}", "--log-level", "error"]
        stack.enter_context(running("aloft", command, port, home / "aloft.log"))
        command = [str(arguments.mlflow), "server", "--workers", "1", "--host", "127.0.0.1"]
        command += ["--port", str(other), "--backend-store-uri", f"sqlite:///{home}/mlflow.db"]
        command += ["--artifacts-destination", str(home / "artifacts")]
        quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        stack.enter_context(
            running("mlflow", command, other, home / "mlflow.log", environment=quiet)
        )
        return run(port, other, arguments)


if __name__ == "__main__":
    sys.exit(main())
