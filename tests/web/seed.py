"""Real data for the pages: what an unmodified MLflow client logs, and names that try to do harm."""

from __future__ import annotations

import math
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

#: Would set the page's title if it ever ran.
SCRIPT = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
HOSTILE_NAMES = {
    "markup": SCRIPT,
    "long": "x" * 10_000,
    "right to left": "\u202eابدأ من هنا\u202c النموذج الأول",
    "emoji": "🚀🔥 run 👩‍🔬🏳️‍🌈",
}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000008000000080802000000"
    "4b6d29dc0000001649444154789c63fccf80153061151d3412cccc0c00"
    "0a1f0113c5b1e0720000000049454e44ae426082"
)


@dataclass
class Seeded:
    experiment: str
    hostile_experiment: str
    runs: list[str]
    hostile_runs: dict[str, str]
    model: str = "flight-delay"


def _train(client: MlflowClient, experiment: str, number: int, chance: random.Random) -> str:
    rate = round(10 ** chance.uniform(-2, -0.3), 5)
    depth = chance.randint(2, 10)
    run = client.create_run(experiment, run_name=f"trial-{number:02d}")
    run_id = run.info.run_id
    best = 0.62 + 0.09 * math.exp(-((math.log10(rate) + 1.1) ** 2)) + 0.004 * depth
    points = []
    for step in range(120):
        value = 0.5 + (best - 0.5) * (1 - math.exp(-step / 22)) + chance.gauss(0, 0.002)
        at = 1_700_000_000_000 + step * 1000
        points += [
            Metric("val_auc", value, at, step),
            Metric("train/loss", 0.69 * math.exp(-step / 40) + chance.uniform(0, 0.02), at, step),
            Metric("system/cpu_percent", 40 + 30 * chance.random(), at, step),
        ]
    client.log_batch(
        run_id,
        metrics=points,
        params=[
            Param("learning_rate", str(rate)),
            Param("max_depth", str(depth)),
            Param("booster", chance.choice(["gbtree", "dart"])),
        ],
        tags=[
            RunTag("mlflow.user", "ada"),
            RunTag("mlflow.source.name", "train.py"),
            RunTag("mlflow.source.git.commit", "8f14e45fceea167a5a36dedd4bea2543"),
            RunTag("team", "ground crew"),
        ],
    )
    data = Dataset("flights-2013-01", "a1b2c3d4", "local", "{}")
    client.log_inputs(run_id, [DatasetInput(data, [InputTag("mlflow.data.context", "train")])])
    client.set_terminated(run_id, "FAILED" if number % 9 == 4 else "FINISHED")
    return run_id


def _artifacts(client: MlflowClient, run_id: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "reports").mkdir()
        (folder / "notes.txt").write_text("three lines\nof text\nand an end")
        (folder / "metrics.json").write_text('{"auc": 0.71, "confusion": [[10, 2], [3, 9]]}')
        (folder / "importance.csv").write_text('feature,gain\n"wind, gusts",0.4\nhour,0.3\n')
        (folder / "pixel.png").write_bytes(PNG)
        (folder / "weights.bin").write_bytes(bytes(range(256)))
        (folder / "reports/report.html").write_text(f"<h1>Report</h1>{SCRIPT}")
        (folder / "reports/<b>odd & name.txt").write_text(SCRIPT)
        client.log_artifacts(run_id, str(folder))


def _hostile(client: MlflowClient) -> tuple[str, dict[str, str]]:
    experiment = client.create_experiment(SCRIPT[:300])
    runs = {}
    for what, name in HOSTILE_NAMES.items():
        run = client.create_run(experiment, run_name=name[:8000])
        client.set_tag(run.info.run_id, "note", name[:8000])
        client.set_tag(run.info.run_id, "mlflow.note.content", name[:8000])
        client.log_param(run.info.run_id, "payload", name[:6000])
        client.log_metric(run.info.run_id, "score", float("nan") if what == "emoji" else 1.0)
        client.set_terminated(run.info.run_id)
        runs[what] = run.info.run_id
    return experiment, runs


def seed(address: str, trials: int = 16) -> Seeded:
    """Logs an experiment with trials, one run still running, a model with versions and aliases."""
    mlflow.set_tracking_uri(address)
    client = MlflowClient(address)
    chance = random.Random(7)
    experiment = client.create_experiment("flights/train")
    runs = [_train(client, experiment, number, chance) for number in range(trials)]
    _artifacts(client, runs[0])
    live = client.create_run(experiment, run_name="still running")
    client.log_metric(live.info.run_id, "val_auc", 0.55, step=0)
    runs.append(live.info.run_id)

    client.create_registered_model("flight-delay", description="Later than 15 minutes?")
    for run_id in runs[:3]:
        source = f"mlflow-artifacts:/{experiment}/{run_id}/artifacts/model"
        client.create_model_version("flight-delay", source, run_id, description="from the sweep")
    client.set_registered_model_alias("flight-delay", "champion", "2")
    client.set_model_version_tag("flight-delay", "2", "aloft.parity", "1.2e-07")
    hostile_experiment, hostile_runs = _hostile(client)
    return Seeded(experiment, hostile_experiment, runs, hostile_runs)


if __name__ == "__main__":
    import sys

    print(seed(sys.argv[1]))
