"""What the tests of aloft_models share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_autologging_of_others() -> Iterator[None]:
    """What one test logs by itself is off for the next tests of the same process."""
    yield
    utilities = sys.modules.get("mlflow.utils.autologging_utils")
    for settings in getattr(utilities, "AUTOLOGGING_INTEGRATIONS", {}).values():
        settings["disable"] = True
