"""The Studio page as a person uses it, in a real browser, against a real Clary."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from studio.conftest import link

STUDIO = Path(__file__).parents[2] / "src" / "clary" / "studio"
REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
FIRST_PAGE_BYTES = 700_000


def test_a_link_signs_in_once(browser: Browser, clary: Any) -> None:
    address = link(clary)
    for attempt in range(2):
        found = browser.new_context().new_page()
        found.goto(address)
        if attempt == 0:
            expect(found.get_by_role("heading", name="Home")).to_be_visible()
            assert "token" not in found.url
        else:
            expect(found.get_by_text("clary link")).to_have_count(2)


def test_access_keys_sign_in_and_wrong_ones_do_not(browser: Browser, clary: Any) -> None:
    found = browser.new_context().new_page()
    found.goto(clary.url)
    keys = clary.credentials()
    found.get_by_label("Access key ID").fill(keys["access_key_id"])
    found.get_by_label("Secret access key").fill("wrong")
    found.get_by_role("button", name="Sign in").click()
    expect(found.get_by_text("does not match the signature")).to_be_visible()
    found.get_by_label("Secret access key").fill(keys["secret_access_key"])
    found.get_by_role("button", name="Sign in").click()
    expect(found.get_by_role("heading", name="Home")).to_be_visible()


def test_upload_preview_and_delete(page: Page, clary: Any, tmp_path: Path) -> None:
    clary.client("s3").create_bucket(Bucket="studio-files")
    page.goto(f"{clary.url}/#/s3/studio-files")
    path = tmp_path / "täble.csv"
    path.write_text("name,age\n<b>Ann</b>,7\n")
    page.locator("input[type=file]").set_input_files(str(path))
    page.get_by_role("link", name="täble.csv").click()
    expect(page.get_by_text("<b>Ann</b>")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("There is nothing here.")).to_be_visible()
    assert clary.client("s3").list_objects_v2(Bucket="studio-files")["KeyCount"] == 0


def test_models_and_the_call_as_code(page: Page, clary: Any) -> None:
    sagemaker = clary.client("sagemaker")
    clary.client("s3").create_bucket(Bucket="studio-models")
    clary.client("s3").put_object(Bucket="studio-models", Key="model.tar.gz", Body=b"x")
    sagemaker.create_model(
        ModelName="studio-model",
        PrimaryContainer={
            "Image": f"{REGISTRY}/sagemaker-xgboost:1.7-1",
            "ModelDataUrl": "s3://studio-models/model.tar.gz",
        },
        ExecutionRoleArn=clary.role,
    )
    page.goto(f"{clary.url}/#/models")
    page.get_by_role("link", name="studio-model").click()
    page.get_by_role("button", name="As code").click()
    expect(page.get_by_text("client.describe_model(")).to_be_visible()


def test_a_job_with_its_log_and_reason(page: Page, clary: Any) -> None:
    clary.client("sagemaker").create_training_job(
        TrainingJobName="studio-fails",
        AlgorithmSpecification={
            "TrainingImage": f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3",
            "TrainingInputMode": "File",
        },
        HyperParameters={
            "sagemaker_program": '"x.py"',
            "sagemaker_submit_directory": '"s3://studio-none/x.tar.gz"',
        },
        OutputDataConfig={"S3OutputPath": "s3://studio-none/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        RoleArn=clary.role,
    )
    page.goto(f"{clary.url}/#/jobs/training")
    page.get_by_role("link", name="studio-fails").click()
    expect(page.get_by_text("Why it failed")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("studio-none").first).to_be_visible()


def test_the_first_page_is_light() -> None:
    index = (STUDIO / "index.html").read_text()
    names = [part.partition('"')[0] for part in index.split('"/assets/')[1:]]
    names += [p.name for p in (STUDIO / "assets").glob("home-*.js")]
    assert names
    sizes = [len(gzip.compress((STUDIO / "assets" / name).read_bytes())) for name in names]
    assert sum(sizes) < FIRST_PAGE_BYTES
