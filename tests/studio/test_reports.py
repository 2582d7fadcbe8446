"""Clarify's reports in the Studio: one of them with its files, and two of them side by side."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from running import Clary, Story


@pytest.fixture(scope="module")
def second(story: Story, shared_clary: Clary) -> str:
    """The demo's analysis once more, asked otherwise: another seed, fewer samples, fewer metrics."""
    sagemaker, s3 = shared_clary.client("sagemaker"), shared_clary.client("s3")
    job = sagemaker.describe_processing_job(ProcessingJobName=story.clarify)
    inputs = {item["InputName"]: item for item in job["ProcessingInputs"]}
    bucket, _, key = inputs["analysis_config"]["S3Input"]["S3Uri"].removeprefix("s3://").partition("/")
    config: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    config["methods"]["shap"] |= {"seed": 8, "num_samples": 30}
    config["methods"]["post_training_bias"] = {"methods": ["DPPL", "DI"]}
    s3.put_object(Bucket=bucket, Key="again/analysis_config.json", Body=json.dumps(config).encode())
    inputs["analysis_config"]["S3Input"]["S3Uri"] = f"s3://{bucket}/again/analysis_config.json"
    outputs = job["ProcessingOutputConfig"]["Outputs"]
    outputs[0]["S3Output"]["S3Uri"] = f"s3://{bucket}/again/result"
    kept = ("AppSpecification", "ProcessingResources", "StoppingCondition", "RoleArn")
    sagemaker.create_processing_job(
        ProcessingJobName="clarify-again",
        ProcessingInputs=list(inputs.values()),
        ProcessingOutputConfig={"Outputs": outputs},
        **{name: job[name] for name in kept},
    )
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        status = sagemaker.describe_processing_job(ProcessingJobName="clarify-again")["ProcessingJobStatus"]
        if status not in ("InProgress", "Stopping"):
            break
        time.sleep(0.3)
    assert status == "Completed"
    return "clarify-again"


def test_a_report_comes_with_its_pdf_and_notebook(page: Page, clary: Clary, story: Story) -> None:
    page.goto(f"{clary.url}/#/reports/{story.clarify}")
    row = page.get_by_role("row", name="DPL Difference in Positive Proportions in Labels")
    expect(row).to_contain_text(" to ")
    expect(
        page.frame_locator("iframe.report").get_by_role("heading", name="The data", exact=True)
    ).to_be_visible()
    for button, start in (("PDF", b"%PDF"), ("Notebook", b"{")):
        with page.expect_download() as found:
            page.get_by_role("button", name=button).click()
        assert found.value.path().read_bytes().startswith(start)


def test_two_reports_side_by_side(page: Page, clary: Clary, story: Story, second: str) -> None:
    page.goto(f"{clary.url}/#/reports/{story.clarify}")
    page.get_by_role("button", name="Compare with").click()
    page.get_by_role("option", name=second).click()
    expect(page.get_by_role("heading", name="Two reports")).to_be_visible()
    equal = page.get_by_role("row", name="DPPL Difference in Positive Proportions in Predicted Labels")
    expect(equal).to_contain_text("0.0000")
    expect(equal).to_contain_text("overlap")
    expect(page.get_by_role("row", name="RD Recall Difference")).to_contain_text("\N{EN DASH}")
    slopes = page.get_by_role("img", name=f"Ranks of features: {story.clarify} and {second}")
    expect(slopes.locator("line")).to_have_count(14)
    expect(page.get_by_role("row", name="methods.shap.seed")).to_contain_text("7")
    expect(page.get_by_role("row", name="methods.shap.num_samples")).to_contain_text("30")
    expect(page.get_by_role("row", name="methods.report.title")).to_have_count(0)
