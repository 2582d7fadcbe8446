"""Processing jobs as a user runs them, over HTTP with boto3."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from jobs.conftest import PROCESSING_LOGS, SKLEARN, Jobs, wait

NOT_FOUND = r"\(ValidationException\).*: Could not find requested job with name: "


def request(jobs: Jobs, code: str, **further: Any) -> dict[str, Any]:
    """As the SDK's ScriptProcessor makes it."""
    name = f"processing-{uuid.uuid4().hex[:12]}"
    script = jobs.put(f"{name}/code/script.py", code)
    inputs = further.pop("inputs", [])
    outputs = further.pop("outputs", [])
    return {
        "ProcessingJobName": name,
        "RoleArn": jobs.clary.role,
        "ProcessingInputs": [_input("code", script, "/opt/ml/processing/input/code"), *inputs],
        "ProcessingOutputConfig": {"Outputs": outputs},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "AppSpecification": {
            "ImageUri": SKLEARN,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
            "ContainerArguments": ["--part", "0.2"],
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **further,
    }


def _input(name: str, uri: str, path: str) -> dict[str, Any]:
    place = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": place}


def _output(name: str, uri: str, path: str) -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}}


def run(jobs: Jobs, wanted: dict[str, Any]) -> dict[str, Any]:
    jobs.sagemaker.create_processing_job(**wanted)
    return end(jobs, wanted["ProcessingJobName"])


def end(jobs: Jobs, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = jobs.sagemaker.describe_processing_job(ProcessingJobName=name)
        return dict(found) if found["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return dict(wait(look))


def test_inputs_go_in_and_outputs_come_out(jobs: Jobs) -> None:
    data = jobs.put("raw/a.csv", "1\n2\n")
    code = """
import json, os, sys
job = json.load(open("/opt/ml/config/processingjobconfig.json"))
hosts = json.load(open("/opt/ml/config/resourceconfig.json"))["hosts"]
role = json.load(open("/opt/ml/metadata/resource-metadata.json"))["ExecutionRoleArn"]
print(sys.argv[1:], job["AppSpecification"]["ContainerArguments"], hosts, role, os.environ["MINE"])
rows = open("/opt/ml/processing/input/raw/a.csv").read().split()
os.makedirs("/opt/ml/processing/train/deep")
open("/opt/ml/processing/train/deep/b.csv", "w").write(rows[0])
os.symlink("/etc/passwd", "/opt/ml/processing/train/stolen")
open("/opt/ml/output/message", "w").write("all good")
"""
    target = f"s3://{jobs.bucket}/processed/train"
    wanted = request(
        jobs, code,
        inputs=[_input("raw", data, "/opt/ml/processing/input/raw")],
        outputs=[_output("train", target, "/opt/ml/processing/train")],
        Environment={"MINE": "yes"},
    )  # fmt: skip
    found = run(jobs, wanted)
    assert found["ProcessingJobStatus"] == "Completed", found.get("FailureReason")
    assert found["ExitMessage"] == "all good"
    assert found["ProcessingStartTime"] <= found["ProcessingEndTime"]
    assert found["ProcessingResources"] == wanted["ProcessingResources"]
    log = jobs.log(wanted["ProcessingJobName"], PROCESSING_LOGS)
    assert log == [f"['--part', '0.2'] ['--part', '0.2'] ['algo-1'] {jobs.clary.role} yes"]
    keys = jobs.s3.list_objects_v2(Bucket=jobs.bucket, Prefix="processed/")["Contents"]
    assert [each["Key"] for each in keys] == ["processed/train/deep/b.csv"]


def test_a_continuous_output_is_there_while_the_job_runs(jobs: Jobs) -> None:
    code = "import time; open('/opt/ml/processing/o/part', 'w').write('1'); time.sleep(60)"
    output = _output("o", f"s3://{jobs.bucket}/live", "/opt/ml/processing/o")
    output["S3Output"]["S3UploadMode"] = "Continuous"
    wanted = request(jobs, code, outputs=[output])
    jobs.sagemaker.create_processing_job(**wanted)
    name = wanted["ProcessingJobName"]
    wait(lambda: jobs.s3.list_objects_v2(Bucket=jobs.bucket, Prefix="live/").get("Contents"), 15)
    found = jobs.sagemaker.describe_processing_job(ProcessingJobName=name)
    assert found["ProcessingJobStatus"] == "InProgress"
    jobs.sagemaker.stop_processing_job(ProcessingJobName=name)
    end(jobs, name)


def test_a_crash_a_stop_and_a_time_limit(jobs: Jobs) -> None:
    found = run(jobs, request(jobs, "import nothing_like_this"))
    assert found["ProcessingJobStatus"] == "Failed"
    assert "ModuleNotFoundError: No module named 'nothing_like_this'" in found["FailureReason"]
    assert "script.py, line 1" in found["FailureReason"]

    hang = request(jobs, "import time; print('up', flush=True); time.sleep(60)")
    jobs.sagemaker.create_processing_job(**hang)
    jobs.logged(hang["ProcessingJobName"], "up", PROCESSING_LOGS)
    jobs.sagemaker.stop_processing_job(ProcessingJobName=hang["ProcessingJobName"])
    assert end(jobs, hang["ProcessingJobName"])["ProcessingJobStatus"] == "Stopped"

    late = run(
        jobs, request(jobs, "import time; time.sleep(60)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    )
    assert late["ProcessingJobStatus"] == "Stopped"
    assert "ran longer than 1 seconds" in late["FailureReason"]


def test_network_isolation(jobs: Jobs) -> None:
    code = f"import urllib.request; urllib.request.urlopen('{jobs.clary.url}', timeout=3)"
    wanted = request(jobs, code, NetworkConfig={"EnableNetworkIsolation": True})
    try:
        found = run(jobs, wanted)
    except ClientError as refused:
        assert "bubblewrap" in str(refused)
        return
    assert found["ProcessingJobStatus"] == "Failed"
    assert "URLError" in found["FailureReason"]


def test_pip_in_a_processing_job_does_not_touch_clarys_environment(jobs: Jobs) -> None:
    code = (
        "import subprocess, sys, sysconfig\n"
        "print(sys.prefix, sysconfig.get_path('purelib'))\n"
        "subprocess.run([sys.executable, '-m', 'pip', '--version'], check=True)"
    )
    wanted = request(jobs, code)
    found = run(jobs, wanted)
    assert found["ProcessingJobStatus"] == "Completed", found["FailureReason"]
    assert jobs.log(wanted["ProcessingJobName"], PROCESSING_LOGS)[0].startswith(
        "/opt/ml/.venv /opt/ml/.venv/lib"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"AppSpecification": {"ImageUri": SKLEARN}}, "ContainerEntrypoint is required"),
        ({"AppSpecification": {"ImageUri": "x/unknown:1", "ContainerEntrypoint": ["ls"]}}, "No runtime"),
        ({"ProcessingInputs": [_input("a", "s3://b/k", "/etc/here")]}, "must lie below /opt/ml/processing"),
        ({"ProcessingInputs": [_input("a", "s3://b/k", "/opt/ml/../../etc")]}, "must lie below"),
        ({"ProcessingOutputConfig": {"Outputs": [{"OutputName": "o", "S3Output": {
            "S3Uri": "s3://b/k", "LocalPath": "/opt/ml/processing/o", "S3UploadMode": "EndOfJob"},
            "AppManaged": True}]}}, "AppManaged"),
        ({"ProcessingResources": {"ClusterConfig": {
            "InstanceCount": 3, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}}},
         "InstanceCount must be 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_by_name(jobs: Jobs, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError, match=said) as refused:
        jobs.sagemaker.create_processing_job(**{**request(jobs, ""), **change})
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_an_unknown_job_and_a_job_that_runs(jobs: Jobs) -> None:
    with pytest.raises(ClientError, match=NOT_FOUND):
        jobs.sagemaker.describe_processing_job(ProcessingJobName="not-there")
    with pytest.raises(ClientError, match=NOT_FOUND):
        jobs.sagemaker.stop_processing_job(ProcessingJobName="not-there")
    wanted = request(jobs, "print('x')")
    run(jobs, wanted)
    rows = jobs.sagemaker.list_processing_jobs(NameContains=wanted["ProcessingJobName"])
    assert [row["ProcessingJobStatus"] for row in rows["ProcessingJobSummaries"]] == ["Completed"]
    jobs.sagemaker.delete_processing_job(ProcessingJobName=wanted["ProcessingJobName"])
    with pytest.raises(ClientError, match=NOT_FOUND):
        jobs.sagemaker.describe_processing_job(ProcessingJobName=wanted["ProcessingJobName"])
