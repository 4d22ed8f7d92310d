"""Whether two trackers hold the same, as their own client reads it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from mlflow.entities import Run, ViewType
from mlflow.tracking import MlflowClient


def number(value: float) -> float | str:
    """NaN is itself; the tracker stores infinity as the largest number."""
    return "nan" if math.isnan(value) else value


def history(client: MlflowClient, run: str, key: str) -> list[tuple[Any, ...]]:
    points = client.get_metric_history(run, key)
    return sorted((p.timestamp, p.step, str(number(p.value))) for p in points)


def files(client: MlflowClient, run: str, folder: Path, path: str = "") -> dict[str, bytes]:
    """Every file of a run by its path."""
    found: dict[str, bytes] = {}
    for item in client.list_artifacts(run, path or None):
        if item.is_dir:
            found |= files(client, run, folder, item.path)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            local = client.download_artifacts(run, item.path, str(folder))
            found[item.path] = Path(local).read_bytes()
    return found


def facts(client: MlflowClient, run: Run) -> dict[str, Any]:
    return {
        "id": run.info.run_id,
        "name": run.info.run_name,
        "status": run.info.status,
        "start": run.info.start_time,
        "end": run.info.end_time,
        "user": run.info.user_id,
        "params": run.data.params,
        "tags": run.data.tags,
        "latest": {key: number(value) for key, value in run.data.metrics.items()},
        "points": {key: history(client, run.info.run_id, key) for key in run.data.metrics},
        "datasets": [
            (
                one.dataset.name, one.dataset.digest, one.dataset.source_type, one.dataset.source,
                one.dataset.schema, one.dataset.profile, {tag.key: tag.value for tag in one.tags},
            )
            for one in run.inputs.dataset_inputs
        ],
        "outputs": [(one.model_id, one.step) for one in (run.outputs.model_outputs or [])],
    }  # fmt: skip


def runs(client: MlflowClient, experiment: str) -> list[Run]:
    found = client.get_experiment_by_name(experiment)
    assert found is not None, experiment
    return list(client.search_runs([found.experiment_id], run_view_type=ViewType.ACTIVE_ONLY))


def logged_model(client: MlflowClient, model: str) -> dict[str, Any]:
    one = client.get_logged_model(model)
    return {
        "name": one.name,
        "type": one.model_type,
        "status": str(one.status),
        "run": one.source_run_id,
        "created": one.creation_timestamp,
        # Registering writes this one, with the versions that there are.
        "tags": one.tags,
        "params": one.params,
        "metrics": [
            (m.key, m.value, m.step, m.timestamp, m.run_id, m.dataset_name, m.dataset_digest)
            for m in one.metrics or []
        ],
    }


def model(client: MlflowClient, name: str) -> dict[str, Any]:
    one = client.get_registered_model(name)
    versions = [client.get_model_version(name, v) for v in version_numbers(client, name)]
    return {
        "description": one.description or "",
        "tags": one.tags,
        "aliases": {key: str(value) for key, value in one.aliases.items()},
        "created": one.creation_timestamp,
        "versions": [
            (
                v.version, v.current_stage, v.description or "", v.run_id or "", v.tags,
                v.creation_timestamp, sorted(v.aliases),
            )
            for v in versions
        ],
    }  # fmt: skip


def version_numbers(client: MlflowClient, name: str) -> list[str]:
    return sorted((v.version for v in client.search_model_versions(f"name = '{name}'")), key=int)
