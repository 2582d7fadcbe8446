"""The Studio's pages of what the main job left: live jobs, charts, the report, an endpoint that is asked."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from running import Clary, Story

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SLOW = """
import sys, time
for step in range(400):
    print(f"loss={1 / (step + 1):.4f};", flush=True)
    time.sleep(0.1)
"""


def test_home_shows_what_ran(page: Page, clary: Clary, story: Story) -> None:
    page.reload()
    newest = clary.client("sagemaker").list_training_jobs(SortBy="CreationTime", SortOrder="Descending")
    name = newest["TrainingJobSummaries"][0]["TrainingJobName"]
    expect(page.get_by_role("link", name=name).first).to_be_visible()
    expect(page.locator(f'a[href="#/reports/{story.clarify}"]')).to_be_visible()


def test_a_trained_model_has_charts_a_log_and_its_archive(page: Page, clary: Clary, story: Story) -> None:
    page.goto(f"{clary.url}/#/jobs/training")
    page.get_by_role("link", name=story.xgboost).click()
    expect(page.get_by_text("validation:auc: 0.9")).to_be_visible()
    expect(page.locator("svg.chart path, svg.chart polyline").first).to_be_visible()
    expect(page.locator(".log")).to_contain_text("[59]")
    expect(page.get_by_role("link", name="model.tar.gz")).to_be_visible()


def test_the_report_opens_in_the_page(page: Page, clary: Clary, story: Story) -> None:
    page.goto(f"{clary.url}/#/reports")
    page.get_by_role("link", name=story.clarify).click()
    inside = page.frame_locator("iframe.report")
    expect(inside.get_by_role("heading", name="Who earns more than 50K?")).to_be_visible()
    expect(page.get_by_role("row", name="DPL Difference in Positive Proportions in Labels")).to_be_visible()
    frame = page.locator("iframe.report")
    assert frame.get_attribute("sandbox") == "", "a report may not run scripts as the Studio"


@pytest.fixture
def running(clary: Clary) -> Iterator[str]:
    """A job that goes on until it is stopped."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("slow.py")
        member.size = len(SLOW)
        tar.addfile(member, io.BytesIO(SLOW.encode()))
    s3, sagemaker = clary.client("s3"), clary.client("sagemaker")
    s3.create_bucket(Bucket="studio-live")
    s3.put_object(Bucket="studio-live", Key="sourcedir.tar.gz", Body=packed.getvalue())
    name = "studio-live"
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
        },
        HyperParameters={
            "sagemaker_program": '"slow.py"',
            "sagemaker_submit_directory": '"s3://studio-live/sourcedir.tar.gz"',
        },
        OutputDataConfig={"S3OutputPath": "s3://studio-live/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 120},
        RoleArn=clary.role,
    )
    yield name
    if sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress":
        sagemaker.stop_training_job(TrainingJobName=name)


def test_a_running_job_is_live_and_stops(page: Page, clary: Clary, running: str) -> None:
    page.goto(f"{clary.url}/#/jobs/training/{running}")
    expect(page.locator(".log")).to_contain_text("loss=0.2500;", timeout=20_000)
    expect(page.get_by_text("InProgress")).to_be_visible()
    before = page.locator(".log").inner_text().count("loss=")
    time.sleep(2.5)
    assert page.locator(".log").inner_text().count("loss=") > before, "the log goes on by itself"
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped", exact=True).first).to_be_visible(timeout=20_000)


@pytest.fixture
def deployed(clary: Clary, story: Story) -> Iterator[str]:
    sagemaker = clary.client("sagemaker")
    variant = {"VariantName": "AllTraffic", "ModelName": story.xgboost}
    variant |= {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="studio-try", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="studio-try", EndpointConfigName="studio-try")
    yield "studio-try"
    sagemaker.delete_endpoint_config(EndpointConfigName="studio-try")


def test_an_endpoint_is_asked_and_stopped(page: Page, clary: Clary, deployed: str) -> None:
    page.goto(f"{clary.url}/#/endpoints")
    page.get_by_role("link", name=deployed).click()
    page.get_by_role("button", name="application/x-text").click(timeout=30_000)
    page.get_by_role("option", name="text/csv").click()
    page.get_by_label("What to ask").fill("39,4,77516,9,13,2,0,1,4,1,2174,0,40,38")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_text("by AllTraffic")).to_be_visible()
    answer = float(page.locator("pre.code").first.inner_text())
    assert 0 <= answer <= 1
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_role("link", name=deployed)).to_have_count(0, timeout=20_000)


def test_names_from_outside_are_text(page: Page, clary: Any) -> None:
    s3 = clary.client("s3")
    s3.create_bucket(Bucket="studio-odd")
    for key in ("<img src=x onerror=alert(1)>.txt", "a/b c+%41/ü.txt", "a//b.txt"):
        s3.put_object(Bucket="studio-odd", Key=key, Body=b"<script>document.title = 'taken'</script>")
    page.goto(f"{clary.url}/#/s3/studio-odd")
    page.get_by_role("link", name="<img src=x onerror=alert(1)>.txt").click()
    expect(page.get_by_text("document.title")).to_be_visible()
    assert page.title() == "Clary Studio"
    page.goto(f"{clary.url}/#/s3/studio-odd")
    page.get_by_role("link", name="a/").click()
    page.get_by_role("link", name="b c+%41/").click()
    page.get_by_role("link", name="ü.txt").click()
    expect(page.get_by_text("document.title")).to_be_visible()


def test_sign_out_forgets_the_credentials(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Access key ID")).to_be_visible()
    assert "secret" not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])").lower()
