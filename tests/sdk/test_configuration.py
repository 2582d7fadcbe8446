"""The SDKs' own configuration file, by which `clary run` switches their telemetry off."""

from __future__ import annotations

from pathlib import Path

import pytest

from running import Clary
from sdk.script import Script, by_run, environment, python

CHECKS = """
import importlib, jsonschema, sys
from jsonschema import validators

looked, find = [], validators.validator_for
validators.validator_for = lambda *given, **named: looked.append(1) or find(*given, **named)
check = importlib.import_module(sys.argv[1]).validate_sagemaker_config
good = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
check(good)
first = len(looked)
for _ in range(10):
    check(dict(good))
print("looked:", first > 0, len(looked) - first)
for _ in range(2):
    try:
        check(good | {"SageMaker": 1})
    except jsonschema.ValidationError as error:
        print("refused", error.message)
"""


@pytest.mark.parametrize(
    ("generation", "module"), [("v2", "sagemaker.config.config"), ("v3", "sagemaker.core.config.config")]
)
def test_it_is_checked_once_and_not_at_every_call(
    watched: Clary, tmp_path: Path, generation: str, module: str
) -> None:
    command = by_run(watched, [python(generation), "-c", CHECKS, module])
    script = Script.start(command, environment(watched, tmp_path), tmp_path)
    assert script.told("looked") == "True 0"
    assert script.text().count("refused 1 is not of type") == 2
