"""The flights example: its tables hold only what was known when an aircraft left."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples/flights"))

import prepare


@pytest.fixture(scope="module")
def departures() -> pd.DataFrame:
    return prepare.read_departures(prepare.package_data())


@pytest.fixture(scope="module")
def weather() -> pd.DataFrame:
    return prepare.read_weather(prepare.package_data())


def test_no_departure_sees_weather_that_was_not_known_yet(
    departures: pd.DataFrame, weather: pd.DataFrame
) -> None:
    joined = prepare.join_weather(departures, weather)
    assert len(joined) == len(departures) == 327_346
    known = joined["known_at"].notna()
    assert known.mean() > 0.99
    assert (joined.loc[known, "known_at"] <= joined.loc[known, "left_at"]).all()


def test_the_latest_known_observation_of_the_same_airport_is_taken() -> None:
    left = pd.Timestamp("2013-01-01 12:30", tz="UTC")
    flights = pd.DataFrame({"origin": ["JFK", "EWR", "LGA"], "left_at": [left] * 3})
    hours = [left.floor("h") - pd.Timedelta(hours=back) for back in (9, 1, 0)]
    rows = [
        {"origin": "JFK", "known_at": hours[1], "temp": 1.0},
        {"origin": "JFK", "known_at": hours[2], "temp": 2.0},
        {"origin": "JFK", "known_at": hours[2] + pd.Timedelta(hours=1), "temp": 3.0},
        {"origin": "EWR", "known_at": hours[1], "temp": 4.0},
        {"origin": "LGA", "known_at": hours[0], "temp": 5.0},
    ]
    weather = pd.DataFrame(rows).sort_values("known_at")
    joined = prepare.join_weather(flights, weather).set_index("origin")
    assert joined.loc["JFK", "temp"] == 2.0
    assert joined.loc["EWR", "temp"] == 4.0
    assert np.isnan(joined.loc["LGA", "temp"])  # older than six hours


def test_names_that_the_first_month_did_not_have_get_minus_one() -> None:
    flights = pd.DataFrame(
        {
            "month": [1, 1, 1, 2],
            "carrier": ["UA", "UA", "AA", "ZZ"],
            "origin": ["JFK"] * 4,
            "dest": ["LAX", "SFO", "SFO", "SFO"],
        }
    )
    coded, names = prepare.encode(flights, [1, 2])
    assert names["carrier"] == ["UA", "AA"]
    assert coded["carrier"].tolist() == [0.0, 0.0, 1.0, -1.0]
    assert coded["dest"].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_late_means_more_than_fifteen_minutes(departures: pd.DataFrame) -> None:
    assert (departures["late"] == (departures["arr_delay"] > 15)).all()
    assert not {"arr_delay", "arr_time", "air_time"} & set(prepare.FEATURES)
