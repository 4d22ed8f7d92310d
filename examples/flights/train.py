"""Trains a gradient-boosted classifier: will this departure arrive more than 15 minutes late?

Learns from January, validates on February. Logs with plain mlflow.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import xgboost
from mlflow.models import infer_signature
from sklearn.metrics import roc_auc_score


def load_months(experiment: str, *names: str) -> list[pd.DataFrame]:
    """The tables that the latest finished run of `experiment` prepared."""
    runs = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string="attributes.status = 'FINISHED'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
        output_format="list",
    )
    if not runs:
        raise SystemExit(
            f"no finished run in the experiment {experiment}: run the job prepare first"
        )
    with tempfile.TemporaryDirectory() as folder:
        return [
            pd.read_parquet(
                mlflow.artifacts.download_artifacts(
                    run_id=runs[0].info.run_id,
                    artifact_path=f"months/{name}.parquet",
                    dst_path=folder,
                )
            )
            for name in names
        ]


class LogValidation(xgboost.callback.TrainingCallback):
    """Logs the validation AUC while the model grows."""

    def __init__(self, table: xgboost.DMatrix, labels: pd.Series, every: int) -> None:
        self.table = table
        self.labels = labels
        self.every = every

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: dict) -> bool:
        if (epoch + 1) % self.every == 0:
            auc = roc_auc_score(self.labels, model.predict(self.table))
            mlflow.log_metric("val_auc", auc, step=epoch + 1)
            print(f"round {epoch + 1}: val_auc {auc:.5f}", flush=True)
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--max-depth", type=int, default=4)
    parser.add_argument("--min-child-weight", type=float, default=5)
    parser.add_argument("--subsample", type=float, default=0.9)
    parser.add_argument("--rounds", type=int, default=120)
    parser.add_argument(
        "--data", default="flights/prepare", help="the experiment with the prepared months"
    )
    arguments = parser.parse_args()

    train, validation = load_months(arguments.data, "2013-01", "2013-02")
    features = [column for column in train.columns if column != "late"]
    with mlflow.start_run():
        mlflow.log_params({key: value for key, value in vars(arguments).items() if key != "data"})
        mlflow.log_input(
            mlflow.data.from_pandas(train, name="2013-01", targets="late"), context="training"
        )
        mlflow.log_input(
            mlflow.data.from_pandas(validation, name="2013-02", targets="late"),
            context="validation",
        )
        model = xgboost.XGBClassifier(
            n_estimators=arguments.rounds,
            learning_rate=arguments.learning_rate,
            max_depth=arguments.max_depth,
            min_child_weight=arguments.min_child_weight,
            subsample=arguments.subsample,
            tree_method="hist",
            n_jobs=1,
            random_state=0,
            callbacks=[
                LogValidation(xgboost.DMatrix(validation[features]), validation["late"], every=5)
            ],
        )
        model.fit(train[features], train["late"], verbose=False)
        scores = model.predict_proba(validation[features])[:, 1]
        mlflow.log_metric(
            "val_auc", roc_auc_score(validation["late"], scores), step=arguments.rounds
        )
        mlflow.log_metric("val_brier", float(np.mean((scores - validation["late"]) ** 2)))
        model.set_params(callbacks=None)
        example = validation[features].head(20)
        mlflow.xgboost.log_model(
            model,
            name="model",
            signature=infer_signature(example, model.predict(example)),
            input_example=example,
            pip_requirements=str(Path(__file__).with_name("requirements.txt")),
        )


if __name__ == "__main__":
    main()
