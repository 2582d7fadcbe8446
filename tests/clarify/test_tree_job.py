"""A job for built-in XGBoost reads SHAP values from the trees, where they add up to the score."""

from __future__ import annotations

import io
import json
import tarfile
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from clary import clarify
from running import Clary

BUCKET = "tree-jobs"
REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
CLARIFY = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"
RNG = np.random.default_rng(3)
ROWS = pd.DataFrame(RNG.normal(size=(300, 4)).round(3), columns=list("abcd"))
LABEL = (ROWS["a"] * ROWS["b"] + ROWS["c"] > 0).astype(int)
HEADERS = ["y", *ROWS.columns]
BASELINE = [[0.0, 0.1, 0.2, 0.3]]


@pytest.fixture(scope="module")
def booster(clary: Clary) -> xgboost.Booster:
    """A model of built-in XGBoost, its data in S3."""
    settings = {"objective": "binary:logistic", "max_depth": 3}
    trained = xgboost.train(settings, xgboost.DMatrix(ROWS.to_numpy(), LABEL), 15)
    s3, sagemaker = clary.client("s3"), clary.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    data = ROWS.assign(y=LABEL)[HEADERS].to_csv(index=False, header=False)
    s3.put_object(Bucket=BUCKET, Key="data/rows.csv", Body=data.encode())
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        body = bytes(trained.save_raw("ubj"))
        member = tarfile.TarInfo("xgboost-model")
        member.size = len(body)
        tar.addfile(member, io.BytesIO(body))
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=packed.getvalue())
    image = f"{REGISTRY}/sagemaker-xgboost:1.7-1"
    container = {"Image": image, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    sagemaker.create_model(ModelName="trees", ExecutionRoleArn=clary.role, PrimaryContainer=container)
    return trained


def explained(clary: Clary, name: str, use_logit: bool) -> tuple[dict[str, Any], pd.DataFrame, str]:
    """analysis.json, out.csv and the log of a job."""
    config = {
        "dataset_type": "text/csv",
        "headers": HEADERS,
        "label": "y",
        "methods": {"shap": {"baseline": BASELINE, "use_logit": use_logit}, "report": {"name": "report"}},
        "predictor": {"model_name": "trees", "instance_type": "ml.m5.large", "initial_instance_count": 1},
    }
    s3, sagemaker = clary.client("s3"), clary.client("sagemaker")
    s3.put_object(Bucket=BUCKET, Key=f"{name}/analysis_config.json", Body=json.dumps(config).encode())
    result = {"S3Uri": f"s3://{BUCKET}/{name}/result", "LocalPath": "/opt/ml/processing/output"}
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=clary.role,
        AppSpecification={"ImageUri": CLARIFY},
        ProcessingInputs=[
            given("analysis_config", f"{name}/analysis_config.json", "config"),
            given("dataset", "data/rows.csv", "data"),
        ],
        ProcessingOutputConfig={
            "Outputs": [{"OutputName": "analysis_result", "S3Output": result | {"S3UploadMode": "EndOfJob"}}]
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    )
    job = sagemaker.describe_processing_job(ProcessingJobName=name)
    deadline = time.monotonic() + 120
    while job["ProcessingJobStatus"] in ("InProgress", "Stopping") and time.monotonic() < deadline:
        time.sleep(0.2)
        job = sagemaker.describe_processing_job(ProcessingJobName=name)
    assert job["ProcessingJobStatus"] == "Completed", job
    logs = clary.client("logs")
    group = "/aws/sagemaker/ProcessingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
    events = logs.get_log_events(
        logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
    )["events"]

    def read(key: str) -> bytes:
        body: bytes = s3.get_object(Bucket=BUCKET, Key=f"{name}/result/{key}")["Body"].read()
        return body

    local = pd.read_csv(io.BytesIO(read("explanations_shap/out.csv")))
    said = "\n".join(event["message"] for event in events)
    report = read("report.html").decode()
    assert ("read exactly from the model" in report) == use_logit
    return json.loads(read("analysis.json")), local, said


def given(name: str, key: str, folder: str) -> dict[str, Any]:
    source = {"S3Uri": f"s3://{BUCKET}/{key}", "LocalPath": f"/opt/ml/processing/input/{folder}"}
    return {"InputName": name, "S3Input": source | {"S3DataType": "S3Prefix", "S3InputMode": "File"}}


@pytest.mark.parametrize("use_logit", [True, False])
def test_a_jobs_values_mean_the_same_by_trees_and_by_coalitions(
    clary: Clary, booster: xgboost.Booster, use_logit: bool
) -> None:
    found, local, said = explained(clary, f"trees-{str(use_logit).lower()}", use_logit)
    settings = clarify.Shap(baseline=BASELINE, use_logit=use_logit)
    expected = clarify.explain(
        ROWS, lambda f: booster.predict(xgboost.DMatrix(f.to_numpy(dtype=float))), settings
    )
    assert local.to_numpy() == pytest.approx(expected.values[:, :, 0], abs=2e-4)
    shap = found["explanations"]
    assert shap["kernel_shap"]["label0"]["expected_value"] == pytest.approx(expected.expected[0], abs=1e-4)
    if use_logit:
        assert shap["shap_method"] == "tree_shap"
        assert "Read the SHAP values of 300 rows from the model's trees." in said
    else:
        assert shap["shap_method"] == "kernel_shap"
        assert "(binary:logistic) do not add up to the explained score" in said
