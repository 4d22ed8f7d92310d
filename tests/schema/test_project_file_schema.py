"""The published JSON Schema of `aloft.yaml` judges the shared samples as the parser does."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/reference/aloft-schema.json").read_text())
# `Tests/AloftProjectFileTests/SchemaTests.swift` gives the same files to the parser.
SAMPLES = sorted((ROOT / "Tests/Samples/project-files").glob("*.yaml"))
EXAMPLES = sorted((ROOT / "examples").glob("*/aloft.yaml"))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("sample", SAMPLES + EXAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_judged_as_its_name_says(sample: Path) -> None:
    document = yaml.safe_load(sample.read_text())
    errors = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(document))
    assert (not errors) == (not sample.name.startswith("invalid")), errors
