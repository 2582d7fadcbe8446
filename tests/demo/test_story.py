"""The main job end to end: what `clary demo` leaves behind, seen by other clients."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from running import Clary, Story

PRE = {"CI", "DPL", "KL", "JS", "LP", "TVD", "KS", "CDDL"}
POST = {"DPPL", "DI", "DCA", "DCR", "SD", "RD", "DAR", "DRR", "AD", "TE", "CDDPL", "FT", "GE"}
FEATURES = 14


@pytest.fixture
def place(clary: Clary) -> tuple[Any, str]:
    return clary.client("s3"), f"sagemaker-us-east-1-{clary.account}"


def test_every_step_says_what_came_of_it(story: Story) -> None:
    assert "48,842 rows" in story.printed
    assert '"I love this banana slicer": positive' in story.printed
    assert "test_accuracy=" in story.printed, "the training log streams by"
    assert "Where to look" in story.printed


def test_both_models_landed_in_s3(story: Story, clary: Clary, place: tuple[Any, str]) -> None:
    s3, bucket = place
    for name, member in ((story.sklearn, "model.joblib"), (story.xgboost, "xgboost-model")):
        job = clary.client("sagemaker").describe_training_job(TrainingJobName=name)
        key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
        packed = io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        with tarfile.open(fileobj=packed) as tar:
            assert member in tar.getnames()
        metrics = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
        auc = metrics.get("test:auc", metrics.get("validation:auc"))
        assert auc is not None and auc > 0.9


def test_clarifys_files_are_laid_out_as_clarify_does(story: Story, place: tuple[Any, str]) -> None:
    s3, bucket = place
    prefix = f"clary-demo/{story.clarify}/result/"
    keys = {
        o["Key"].removeprefix(prefix) for o in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    }
    assert {"analysis.json", "report.html", "report.ipynb", "report.pdf"} <= keys
    assert {"explanations_shap/out.csv", "explanations_shap/baseline.csv"} <= keys
    analysis = json.loads(s3.get_object(Bucket=bucket, Key=prefix + "analysis.json")["Body"].read())
    for stage, names in (("pre_training_bias_metrics", PRE), ("post_training_bias_metrics", POST)):
        (facet,) = analysis[stage]["facets"]["Sex"]
        assert facet["value_or_threshold"] == "Female"
        assert {m["name"] for m in facet["metrics"]} == names
        missing = {m["name"] for m in facet["metrics"] if m["value"] is None}
        assert missing <= {"FT"}, "the flip test needs numbers, and the census has words"
    explained = analysis["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    assert len(explained) == FEATURES
    body = s3.get_object(Bucket=bucket, Key=prefix + "explanations_shap/out.csv")["Body"].read()
    local = pd.read_csv(io.BytesIO(body))
    assert local.shape == (5000, 1 + FEATURES)
    assert (local["row"].iloc[0], local["row"].iloc[-1]) == (0, 48_841), "rows of the whole census"


def test_the_printed_link_opens_the_report(story: Story) -> None:
    with urllib.request.urlopen(story.report_url) as answer:
        page = answer.read().decode()
    assert "Who earns more than 50K?" in page


def test_the_endpoints_are_gone(story: Story, clary: Clary) -> None:
    assert clary.client("sagemaker").list_endpoints(NameContains="demo-")["Endpoints"] == []


def test_the_demo_without_a_clary_says_what_to_do(clary: Clary, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "clary.cli", "demo", "--home", str(tmp_path)]
    done = subprocess.run(command, env=clary.environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "clary up" in done.stderr and "Traceback" not in done.stderr


def test_a_demo_that_cannot_serve_fails(clary: Clary, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "clary.cli", "demo", "--serve", "--once", "--port", str(clary.port)]
    done = subprocess.run(
        [*command, "--home", str(tmp_path / "home")],
        env=clary.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "cannot listen" in done.stderr
