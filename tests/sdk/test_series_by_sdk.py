"""Explanations of forecasts as SDK 2 asks for them: a user's forecaster, checked by its coefficients."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import numpy as np
import pytest

from quarters import quarters, records
from running import Clary
from sdk.script import SCRIPTS, Script

pytestmark = pytest.mark.timeout(600)
OUTPUT = "v2/series/explained"
VALUES = "asymmetric_shapley_value/fine_grained_chronological/out.jsonl"


def user_script() -> Any:
    spec = importlib.util.spec_from_file_location("forecaster", SCRIPTS / "source" / "forecaster.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_job_writes_what_clarify_writes(scripts: dict[str, Script]) -> None:
    script = scripts["v2_series"]
    assert "Explained 3 of 3 items." in script.end()
    assert script.told("job") == "v2-series Completed"
    assert script.told("files") == str(
        ["analysis.json", "analysis_config.json", VALUES, "report.html", "report.ipynb", "report.pdf"]
    )
    assert script.told("values at").endswith(f"/{OUTPUT}/{VALUES}")
    assert script.told("values at").startswith("s3://sagemaker-")


def test_the_values_are_the_coefficients_times_what_differs_from_the_baseline(
    scripts: dict[str, Script], watched: Clary
) -> None:
    scripts["v2_series"].end()
    user, bucket = user_script(), f"sagemaker-us-east-1-{watched.account}"
    body = watched.client("s3").get_object(Bucket=bucket, Key=f"{OUTPUT}/{VALUES}")["Body"].read()
    items = {item["item_id"]: item for item in map(json.loads, body.decode().splitlines())}
    assert list(items) == ["1981", "1990", "2008"]
    weights = user.fitted(quarters()).coef_
    known = [record["unemp"] for record in records() if record["turn"] == "2008"]
    parts = [part for part in items["2008"]["explanations"] if part.get("feature_name") == "unemployment"]
    expected = np.zeros((len(known), 4))
    lags = len(known) - user.LAGS
    expected[lags:] = weights[:, : user.LAGS].T * (np.array(known) - np.mean(known))[lags:, None]
    assert np.array([part["scores"] for part in parts]) == pytest.approx(expected, abs=1e-9)
    (era,) = [part for part in items["2008"]["explanations"] if part["feature_name"] == "era"]
    assert "timestamp" not in era
    assert era["scores"] == pytest.approx(weights[:, -1])
    for item in items.values():
        total = np.sum([part["scores"] for part in item["explanations"]], axis=0) + item["offset"]
        assert total == pytest.approx(np.array(item["forecast"]))
