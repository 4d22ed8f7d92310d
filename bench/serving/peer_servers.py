"""The servers that are measured: Aloft with its model deployed, and its peers with the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import onnx
from servers import Peer, free_port, running
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

INFER = "/v2/models/cancer/infer"


def train() -> tuple[Any, Any]:
    """The model, and the row whose answer is nearest to a coin toss: a wrong answer shows there."""
    rows, labels = load_breast_cancer(return_X_y=True)
    rows = rows.astype("float32")
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, labels)
    closeness = abs(model.predict_proba(rows)[:, 1] - 0.5)
    return model, rows[closeness.argmin() : closeness.argmin() + 1]


def body_for(row: Any, tensor: str) -> bytes:
    inputs = [{"name": tensor, "shape": [1, row.shape[1]], "datatype": "FP32"}]
    return json.dumps(
        {"inputs": [{**inputs[0], "data": [float(value) for value in row[0]]}]}
    ).encode()


def post(url: str, body: bytes) -> dict[str, Any]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return dict(json.loads(reply.read()))


@contextmanager
def aloft(
    program: Path, home: Path, model: Any, row: Any, grpc_port: int | None = None
) -> Iterator[tuple[Peer, Path]]:
    """A server with its gateway that serves the model; yields the gateway and the ONNX file."""
    port, gateway_port = free_port(), free_port()
    command = [str(program), "server", "--data", str(home / "aloft"), "--log-level", "error"]
    command += ["--listen", f"127.0.0.1:{port}", "--gateway", f"127.0.0.1:{gateway_port}"]
    if grpc_port is not None:
        command += ["--gateway-grpc", f"127.0.0.1:{grpc_port}"]
    with running("aloft", command, port, home / "aloft.log") as server:
        mlflow.set_tracking_uri(server.url)
        with mlflow.start_run():
            mlflow.sklearn.log_model(
                model, name="model", input_example=row, registered_model_name="cancer"
            )
        deploy = ["deploy", "cancer", "--model", "cancer/1", "--environment", "production"]
        subprocess.run(
            [str(program), *deploy, "--at-once", "--wait", "--server", server.url],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=600,
        )
        child = json.loads((home / "aloft/gateway/child.json").read_text())
        gateway = Peer("aloft", gateway_port, KnownProcess(child["process"]["processID"]))
        yield gateway, served_model(home / "aloft")


class KnownProcess:
    """A process that somebody else started: only its id is known."""

    def __init__(self, pid: int) -> None:
        self.pid = pid


def served_model(data: Path) -> Path:
    """The ONNX file that the gateway fetched: the largest file under its folder of models."""
    files = [path for path in (data / "blobs").rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.stat().st_size):
        try:
            onnx.checker.check_model(str(path))
            return path
        except Exception:
            continue
    raise SystemExit("the server holds no ONNX file: was the model converted?")


@contextmanager
def fastapi(home: Path, model: Path) -> Iterator[Peer]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "fastapi_app:app", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    environment = {"BENCH_MODEL": str(model), "PYTHONPATH": str(HERE / "peers")}
    with running("fastapi", command, port, home / "fastapi.log", environment=environment) as peer:
        yield peer


@contextmanager
def mlserver(
    home: Path,
    model: Path,
    grpc_port: int | None = None,
    more_settings: dict[str, Any] | None = None,
    threads: int = 1,
) -> Iterator[Peer]:
    port = free_port()
    folder = home / f"mlserver-{port}"
    folder.mkdir()
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": grpc_port or free_port()}
    settings |= {"metrics_port": free_port(), "parallel_workers": 0, "debug": False}
    (folder / "settings.json").write_text(json.dumps(settings))
    parameters = {"uri": str(model)}
    described: dict[str, Any] = {"name": "cancer", "implementation": "mlserver_runtime.OnnxRuntime"}
    described = {**described, "parameters": parameters, **(more_settings or {})}
    (folder / "model-settings.json").write_text(json.dumps(described))
    command = [str(Path(sys.executable).with_name("mlserver")), "start", str(folder)]
    environment = {"PYTHONPATH": str(HERE / "peers"), "BENCH_THREADS": str(threads)}
    ready = "/v2/models/cancer/ready"
    with running("mlserver", command, port, home / "mlserver.log", ready, environment) as peer:
        yield peer


def own_python(peer: str) -> Path:
    """The interpreter of a peer whose requirements do not go with the others'."""
    return ROOT / f".runtime/bench-{peer}/bin/python"


@contextmanager
def litserve(home: Path, model: Path) -> Iterator[Peer]:
    port = free_port()
    command = [str(own_python("litserve")), str(HERE / "peers/litserve_app.py"), str(port)]
    environment = {"BENCH_MODEL": str(model)}
    with running("litserve", command, port, home / "litserve.log", "/health", environment) as peer:
        yield peer


@contextmanager
def bentoml(home: Path, model: Path) -> Iterator[Peer]:
    port = free_port()
    command = [str(own_python("bentoml").with_name("bentoml")), "serve", "bentoml_service:Cancer"]
    command += ["--port", str(port), "--host", "127.0.0.1", "--working-dir", str(HERE / "peers")]
    environment = {
        "BENCH_MODEL": str(model),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(home / "bento"),
    }
    with running("bentoml", command, port, home / "bentoml.log", "/livez", environment) as peer:
        yield peer


@contextmanager
def mlflow_serve(home: Path, model: Any) -> Iterator[Peer]:
    """`mlflow models serve` of the scikit-learn model itself, as people use it."""
    port = free_port()
    folder = home / "mlflow-model"
    mlflow.sklearn.save_model(model, str(folder), serialization_format="cloudpickle")
    python = own_python("mlflow")
    command = [str(python), "-m", "mlflow", "models", "serve", "--model-uri", str(folder)]
    command += ["--port", str(port), "--env-manager", "local", "--workers", "1"]
    environment = {"PATH": f"{python.parent}:{os.environ['PATH']}"}
    with running("mlflow", command, port, home / "mlflow.log", "/ping", environment) as peer:
        yield peer


@contextmanager
def nginx(home: Path, answer: bytes, core: int | None = None) -> Iterator[Peer]:
    """A static answer of the same size, as the ceiling of what HTTP takes here; on this core only
    where one is given."""
    port = free_port()
    text = answer.decode().replace("'", "")
    configuration = home / "nginx.conf"
    configuration.write_text(
        f"daemon off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/nginx.log;"
        "events { worker_connections 256; } http { access_log off; keepalive_requests 100000000;"
        f" client_body_temp_path {home}/nginx-body; server {{ listen 127.0.0.1:{port};"
        f" location / {{ default_type application/json; return 200 '{text}'; }} }} }}"
    )
    command = [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(configuration)]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    with running("nginx-static", command, port, home / "nginx.out", "/") as peer:
        yield peer
