"""The Studio shows what an explained endpoint answers as bars."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from running import Clary

SCRIPT = b"""
def model_fn(model_dir):
    return None
def predict_fn(rows, model):
    return [[row[0] * 0.5 - row[1] * 0.25] for row in rows]
"""
BUCKET = "studio-explained"


@pytest.fixture
def explained(clary: Clary) -> Iterator[str]:
    """An endpoint that says 0.5 a - 0.25 b, explained against nothing at all."""
    s3, sagemaker = clary.client("s3"), clary.client("sagemaker")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(SCRIPT)
        tar.addfile(member, io.BytesIO(SCRIPT))
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=packed.getvalue())
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    container = {"Image": image, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    sagemaker.create_model(ModelName=BUCKET, PrimaryContainer=container, ExecutionRoleArn=clary.role)
    variant = {"VariantName": "AllTraffic", "ModelName": BUCKET}
    variant |= {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    config = {
        "InferenceConfig": {"FeatureHeaders": ["Age", "Hours"]},
        "ShapConfig": {"ShapBaselineConfig": {"ShapBaseline": "0,0"}},
        "EnableExplanations": "[0]>`0`",
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName=BUCKET,
        ProductionVariants=[variant],
        ExplainerConfig={"ClarifyExplainerConfig": config},
    )
    sagemaker.create_endpoint(EndpointName=BUCKET, EndpointConfigName=BUCKET)
    yield BUCKET
    sagemaker.delete_endpoint(EndpointName=BUCKET)
    sagemaker.delete_endpoint_config(EndpointConfigName=BUCKET)
    sagemaker.delete_model(ModelName=BUCKET)


def test_an_explained_answer_is_shown_as_bars(page: Page, clary: Clary, explained: str) -> None:
    page.goto(f"{clary.url}/#/endpoints/{explained}")
    page.get_by_role("button", name="application/x-text").click(timeout=30_000)
    page.get_by_role("option", name="text/csv").click()
    page.get_by_label("What to ask").fill("4,2\n1,4")
    page.get_by_role("button", name="Ask").click()
    bars = page.locator(".effects")
    expect(bars).to_have_count(1)
    assert bars.locator("span").all_inner_texts() == ["Age", "+2.00", "Hours", "-0.500"]
    up, down = bars.locator("rect.up"), bars.locator("rect.down")
    assert float(up.get_attribute("width") or 0) == 4 * float(down.get_attribute("width") or 0)
    expect(page.get_by_text("Record 2: not explained")).to_be_visible()
    page.get_by_role("button", name="The answer as it came").click()
    expect(page.get_by_text('"kernel_shap"')).to_be_visible()
