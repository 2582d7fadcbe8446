"""Clarify as both SDKs ask for it: what lies in S3 afterwards, checked by arithmetic on the same table."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from running import Clary
from sdk.script import Script
from sdk.test_v2 import trained

pytestmark = pytest.mark.timeout(600)
Scripts = dict[str, Script]
BOTH = [("v2_clarify", "v2/clarify/both", 1.0), ("v3_deploy", "v3/clarify/both", 0.5)]
"""Script, where its results are, and how its model was trained."""


def results(clary: Clary, prefix: str) -> dict[str, bytes]:
    s3, bucket = clary.client("s3"), f"sagemaker-us-east-1-{clary.account}"
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")["Contents"]
    keys = [item["Key"] for item in found]
    return {
        key.removeprefix(f"{prefix}/"): s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys
    }


def metrics(analysis: dict[str, Any], part: str) -> dict[str, float]:
    (facet,) = analysis[part]["facets"]["sex"]
    return {metric["name"]: metric["value"] for metric in facet["metrics"]}


@pytest.mark.parametrize(("script", "prefix", "inverse_penalty"), BOTH)
def test_bias_and_explanation(
    scripts: Scripts, watched: Clary, tables: Path, script: str, prefix: str, inverse_penalty: float
) -> None:
    scripts[script].end()
    found = results(watched, prefix)
    analysis = json.loads(found["analysis.json"])
    table = pd.read_csv(tables / "explained.csv")
    women = table["sex"] == 1
    before = metrics(analysis, "pre_training_bias_metrics")
    assert before["CI"] == pytest.approx((len(table) - 2 * women.sum()) / len(table))
    assert before["DPL"] == pytest.approx(table["target"][~women].mean() - table["target"][women].mean())
    model, *_ = trained(tables, inverse_penalty)
    features = table.drop(columns="target")
    probability = model.predict_proba(features.to_numpy())[:, 1]
    yes = probability > 0.5
    after = metrics(analysis, "post_training_bias_metrics")
    assert after["DPPL"] == pytest.approx(yes[~women].mean() - yes[women].mean())
    explained = analysis["explanations"]["kernel_shap"]["label0"]
    assert list(explained["global_shap_values"]) == features.columns.tolist()
    local = pd.read_csv(io.BytesIO(found["explanations_shap/out.csv"]))
    sums = explained["expected_value"] + local.filter(regex="_label0$").sum(axis=1)
    assert sums.to_numpy() == pytest.approx(probability, abs=1e-6)


@pytest.mark.parametrize("prefix", [prefix for _, prefix, _ in BOTH] + ["v2/clarify/before"])
def test_reports(scripts: Scripts, watched: Clary, prefix: str) -> None:
    scripts["v2_clarify"].end()
    scripts["v3_deploy"].end()
    found = results(watched, prefix)
    written = {"analysis.json", "analysis_config.json", "report.html", "report.ipynb", "report.pdf"}
    assert written <= found.keys()
    page = found["report.html"].decode()
    assert page.lstrip().lower().startswith("<!doctype html") and "DPL" in page
    notebook = nbformat.reads(found["report.ipynb"].decode(), as_version=4)
    nbformat.validate(notebook)
    assert "facet" in "".join(cell["source"] for cell in notebook["cells"]).lower()


def test_the_job_is_told_as_it_goes(scripts: Scripts) -> None:
    script = scripts["v2_clarify"]
    assert "Measured post-training bias." in script.end()
    assert script.told("job").startswith("v2-both Completed s3://")
    assert script.told("parts") == (
        "['explanations', 'mitigation', 'post_training_bias_metrics', 'pre_training_bias_metrics', 'version']"
    )
