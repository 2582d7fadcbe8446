"""Training jobs as a user runs them, over HTTP with boto3."""

from __future__ import annotations

import itertools
import time
import zipfile
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from jobs.conftest import SKLEARN, TRAINING_LOGS, Jobs, wait


def test_script_mode_from_data_to_model(jobs: Jobs) -> None:
    data = jobs.put("data/train/a.csv", "1,2\n3,4\n").removesuffix("a.csv")
    script = """
import json, os, sys
print(json.dumps({k: v for k, v in os.environ.items() if k.startswith("SM_")}))
print(sys.argv[1:], open(os.environ["SM_CHANNEL_TRAIN"] + "/a.csv").read().split())
for loss in (0.5, 0.25):
    print(f"loss={loss}; acc=nothing")
open(os.path.join(os.environ["SM_MODEL_DIR"], "model.txt"), "w").write("weights")
os.makedirs(os.environ["SM_OUTPUT_DATA_DIR"] + "/plots")
open(os.environ["SM_OUTPUT_DATA_DIR"] + "/plots/roc.txt", "w").write("curve")
"""
    definitions = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}, {"Name": "acc", "Regex": "acc=(.*)"}]
    request = jobs.script(
        script,
        hyperparameters={"lr": "0.1", "name": '"adam"', "plain": "words here", "deep": '{"a": 1}'},
        algorithm={"MetricDefinitions": definitions},
        InputDataConfig=[jobs.channel("train", data)],
        Environment={"MINE": "yes"},
    )
    found = jobs.run(request)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    assert found["SecondaryStatus"] == "Completed"
    name = request["TrainingJobName"]
    model = found["ModelArtifacts"]["S3ModelArtifacts"]
    assert model == f"s3://{jobs.bucket}/out/{name}/output/model.tar.gz"
    assert jobs.unpacked(model) == {"model.txt": b"weights"}
    assert jobs.unpacked(model.replace("model.tar", "output.tar")) == {"plots/roc.txt": b"curve"}
    metric = found["FinalMetricDataList"]
    assert [(each["MetricName"], each["Value"]) for each in metric] == [("loss", 0.25)]
    assert (
        found["TrainingStartTime"] - timedelta(seconds=1)
        <= metric[0]["Timestamp"]
        <= found["TrainingEndTime"]
    )
    log = jobs.log(name)
    assert "['--deep', 'a=1', '--lr', '0.1', '--name', 'adam', '--plain', 'words here'] ['1,2', '3,4']" in log


def test_status_transitions_have_times_and_follow_each_other(jobs: Jobs) -> None:
    found = jobs.run(jobs.script("print('x')"))
    steps = found["SecondaryStatusTransitions"]
    assert [each["Status"] for each in steps] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    for before, after in itertools.pairwise(steps):
        assert before["StartTime"] <= before["EndTime"] == after["StartTime"]
        assert before["StatusMessage"]
    assert found["CreationTime"] <= found["TrainingStartTime"] <= found["TrainingEndTime"]
    assert found["BillableTimeInSeconds"] >= 1


def test_the_sm_contract(jobs: Jobs) -> None:
    data = jobs.put("contract/train/a.csv", "1\n")
    script = "import json, os; print('ENV', json.dumps({k: v for k, v in os.environ.items()}))"
    request = jobs.script(
        script,
        hyperparameters={"lr": "0.1"},
        InputDataConfig=[jobs.channel("train", data, ContentType="text/csv")],
    )
    jobs.run(request)
    import json

    line = next(each for each in jobs.log(request["TrainingJobName"]) if each.startswith("ENV "))
    found: dict[str, str] = json.loads(line.removeprefix("ENV "))
    root = found["SM_MODEL_DIR"].removesuffix("/model")
    expected = {
        "SM_CHANNEL_TRAIN": f"{root}/input/data/train",
        "SM_CHANNELS": '["train"]',
        "SM_CURRENT_HOST": "algo-1",
        "SM_CURRENT_INSTANCE_TYPE": "ml.m5.large",
        "SM_HOSTS": '["algo-1"]',
        "SM_HPS": '{"lr":0.1}',
        "SM_HP_LR": "0.1",
        "SM_INPUT_CONFIG_DIR": f"{root}/input/config",
        "SM_INPUT_DIR": f"{root}/input",
        "SM_LOG_LEVEL": "20",
        "SM_MODULE_NAME": "train",
        "SM_NUM_GPUS": "0",
        "SM_OUTPUT_DATA_DIR": f"{root}/output/data",
        "SM_OUTPUT_DIR": f"{root}/output",
        "SM_USER_ARGS": '["--lr","0.1"]',
        "SM_USER_ENTRY_POINT": "train.py",
        "TRAINING_JOB_NAME": request["TrainingJobName"],
        "AWS_ENDPOINT_URL": jobs.clary.url,
        "AWS_REGION": "us-east-1",
        "OMP_NUM_THREADS": found["SM_NUM_CPUS"],
    }
    assert {name: found.get(name) for name in expected} == expected
    config = json.loads(found["SM_INPUT_DATA_CONFIG"])["train"]
    assert config["ContentType"] == "text/csv"
    training = json.loads(found["SM_TRAINING_ENV"])
    assert training["hyperparameters"] == {"lr": 0.1}
    assert training["channel_input_dirs"] == {"train": f"{root}/input/data/train"}
    assert training["job_name"] == request["TrainingJobName"]


def test_a_job_calls_clary_with_its_role(jobs: Jobs) -> None:
    request = jobs.script("import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])")
    jobs.run(request)
    name = request["TrainingJobName"]
    assert f"arn:aws:sts::{jobs.clary.account}:assumed-role/ClaryExecutionRole/{name}" in jobs.log(name)


def test_a_shell_script_is_an_entry_point_too(jobs: Jobs) -> None:
    files = {"go.sh": 'echo "args: $@" > "$SM_MODEL_DIR/out"; pwd'}
    request = jobs.script("", files=files, hyperparameters={"sagemaker_program": '"go.sh"', "a": "1"})
    found = jobs.run(request)
    assert jobs.unpacked(found["ModelArtifacts"]["S3ModelArtifacts"])["out"] == b"args: -a 1\n"


def test_requirements_are_installed_once(jobs: Jobs) -> None:
    files = {
        "requirements.txt": "./tiny_pure-1.0-py3-none-any.whl\n",
        "tiny_pure-1.0-py3-none-any.whl": _wheel(),
    }
    script = "import tiny_pure, numpy, sys; print('tiny', tiny_pure.ANSWER, sys.prefix)"
    first, second = jobs.script(script, files=files), jobs.script(script, files=files)
    assert jobs.run(first)["TrainingJobStatus"] == "Completed"
    started = time.monotonic()
    assert jobs.run(second)["TrainingJobStatus"] == "Completed"
    logs = [
        [line for line in jobs.log(each["TrainingJobName"]) if line.startswith("tiny 42")]
        for each in (first, second)
    ]
    assert logs[0] == logs[1] != []
    assert time.monotonic() - started < 5
    assert any("Successfully installed tiny" in line for line in jobs.log(first["TrainingJobName"]))
    assert not any("installed" in line for line in jobs.log(second["TrainingJobName"]))


def test_requirements_that_cannot_be_installed_fail_the_job_with_pips_words(jobs: Jobs) -> None:
    found = jobs.run(jobs.script("", files={"requirements.txt": "./not-there-1.0-py3-none-any.whl\n"}))
    assert found["TrainingJobStatus"] == "Failed"
    assert "pip could not install requirements.txt" in found["FailureReason"]
    assert "not-there" in found["FailureReason"]


def test_a_crash_is_told_with_its_place(jobs: Jobs) -> None:
    found = jobs.run(jobs.script("def fit():\n    raise ValueError('eta must be positive')\nfit()\n"))
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"] == (
        "AlgorithmError: ValueError: eta must be positive (train.py, line 2, in fit), exit code: 1"
    )
    assert found["SecondaryStatusTransitions"][-1]["StatusMessage"] == found["FailureReason"]


def test_a_failure_file_is_the_reason(jobs: Jobs) -> None:
    code = (
        "import os, sys; open(os.environ['SM_OUTPUT_DIR'] + '/failure', 'w').write('no labels'); sys.exit(4)"
    )
    assert jobs.run(jobs.script(code))["FailureReason"] == "AlgorithmError: no labels, exit code: 4"


def test_a_job_that_hangs_is_stopped_at_its_max_runtime_and_keeps_its_model(jobs: Jobs) -> None:
    code = "import os, time; open(os.environ['SM_MODEL_DIR'] + '/m', 'w').write('half'); time.sleep(60)"
    found = jobs.run(jobs.script(code, seconds=1))
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert jobs.unpacked(found["ModelArtifacts"]["S3ModelArtifacts"]) == {"m": b"half"}


def test_stop_lets_a_job_save_and_ends_it(jobs: Jobs) -> None:
    code = (
        "import os, signal, sys, time\n"
        "def term(*_):\n    open(os.environ['SM_MODEL_DIR'] + '/m', 'w').write('saved'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, term); print('ready', flush=True); time.sleep(60)"
    )
    name = jobs.train(jobs.script(code))
    jobs.logged(name, "ready")
    jobs.sagemaker.stop_training_job(TrainingJobName=name)
    assert jobs.describe(name)["TrainingJobStatus"] in ("Stopping", "Stopped")
    found = jobs.end(name)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert jobs.unpacked(found["ModelArtifacts"]["S3ModelArtifacts"]) == {"m": b"saved"}
    with pytest.raises(ClientError, match="in status Stopped"):
        jobs.sagemaker.stop_training_job(TrainingJobName=name)


def test_what_does_not_fit_waits_and_says_so(jobs: Jobs) -> None:
    large: dict[str, Any] = {
        "ResourceConfig": {"InstanceType": "ml.m5.24xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
    }
    first = jobs.train(jobs.script("import time; print('up', flush=True); time.sleep(60)", **large))
    jobs.logged(first, "up")
    waiting, leaving = (jobs.train(jobs.script("print('mine')", **large)) for _ in range(2))
    wait(lambda: jobs.describe(leaving)["SecondaryStatus"] == "Pending")
    told = jobs.describe(waiting)["SecondaryStatusTransitions"][-1]["StatusMessage"]
    assert "Waiting for capacity" in told
    assert first in told
    jobs.sagemaker.stop_training_job(TrainingJobName=leaving)
    assert jobs.end(leaving, 5)["TrainingJobStatus"] == "Stopped"
    assert "TrainingStartTime" not in jobs.describe(leaving)
    jobs.sagemaker.stop_training_job(TrainingJobName=first)
    assert jobs.end(first)["TrainingJobStatus"] == "Stopped"
    assert jobs.end(waiting)["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://no-such-bucket-here/x", ["NoSuchBucket", "s3://no-such-bucket-here/x", "'train'"]),
        ("s3://{bucket}/no/such/prefix", ["No S3 objects found", "/no/such/prefix", "'train'"]),
    ],
)
def test_missing_data_fails_the_job_and_names_it(jobs: Jobs, uri: str, said: list[str]) -> None:
    channels = [jobs.channel("train", uri.format(bucket=jobs.bucket))]
    found = jobs.run(jobs.script("print('never')", InputDataConfig=channels))
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("ClientError: Data download failed")
    assert all(word in found["FailureReason"] for word in said)


def test_a_missing_source_a_broken_one_and_one_without_the_script(jobs: Jobs) -> None:
    request = jobs.script("print('x')")
    broken = jobs.put("broken.tar.gz", "this is no archive")
    cases = {
        f"s3://{jobs.bucket}/nothing.tar.gz": "nothing.tar.gz",
        broken: "is not a tar.gz",
    }
    for where, words in cases.items():
        changed = {**request["HyperParameters"], "sagemaker_submit_directory": f'"{where}"'}
        again = {**request, "TrainingJobName": f"x-{abs(hash(where))}", "HyperParameters": changed}
        assert words in jobs.run(again)["FailureReason"]
    found = jobs.run(jobs.script("", hyperparameters={"sagemaker_program": '"other.py"'}))
    assert "the script 'other.py'" in found["FailureReason"]
    assert "it holds train.py" in found["FailureReason"]


def test_a_missing_output_bucket_fails_the_job_before_its_work(jobs: Jobs) -> None:
    request = jobs.script("print('x')", OutputDataConfig={"S3OutputPath": "s3://no-such-bucket-here/out"})
    found = jobs.run(request)
    assert found["TrainingJobStatus"] == "Failed"
    assert "Data upload failed" in found["FailureReason"]
    # It is told before the work, not after it.
    assert jobs.log(request["TrainingJobName"]) == []


def test_large_channels_are_linked_and_cannot_be_written(jobs: Jobs) -> None:
    data = jobs.put("big/a.bin", b"x" * (17 << 20))
    code = "import os; p = os.environ['SM_CHANNEL_TRAIN'] + '/a.bin'; print(os.path.getsize(p)); open(p, 'w')"
    request = jobs.script(code, InputDataConfig=[jobs.channel("train", data)])
    found = jobs.run(request)
    assert str(17 << 20) in jobs.log(request["TrainingJobName"])
    body = jobs.s3.get_object(Bucket=jobs.bucket, Key="big/a.bin")["Body"].read()
    assert body == b"x" * (17 << 20)
    if found["TrainingJobStatus"] == "Failed":
        assert "Read-only file system" in found["FailureReason"]


def test_gzip_manifest_and_fast_file(jobs: Jobs) -> None:
    import gzip

    packed = jobs.put("gz/a.csv.gz", gzip.compress(b"one\n"))
    jobs.put("many/b.csv", "two\n")
    jobs.put("many/deep/c.csv", "three\n")
    manifest = jobs.put("list.manifest", f'[{{"prefix": "s3://{jobs.bucket}/many/"}}, "b.csv", "deep/c.csv"]')
    by_manifest = jobs.channel("listed", manifest)
    by_manifest["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
    channels = [
        jobs.channel("packed", packed, CompressionType="Gzip"),
        by_manifest,
        jobs.channel("fast", f"s3://{jobs.bucket}/many", InputMode="FastFile"),
    ]
    code = (
        "import os, pathlib\n"
        "for name in ('PACKED', 'LISTED', 'FAST'):\n"
        "    root = pathlib.Path(os.environ['SM_CHANNEL_' + name])\n"
        "    files = sorted(root.rglob('*.csv'))\n"
        "    print(name, [(str(p.relative_to(root)), p.read_text().strip()) for p in files])"
    )
    request = jobs.script(code, InputDataConfig=channels)
    jobs.run(request)
    log = jobs.log(request["TrainingJobName"])
    assert "PACKED [('a.csv', 'one')]" in log
    assert "LISTED [('b.csv', 'two'), ('deep/c.csv', 'three')]" in log
    assert "FAST [('b.csv', 'two'), ('deep/c.csv', 'three')]" in log


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["s-1"]}}, "VpcConfig"),
        ({"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}},
         "InstanceCount"),
        ({"AlgorithmSpecification": {"TrainingImage": SKLEARN, "TrainingInputMode": "Pipe"},
          "InputDataConfig": [{"ChannelName": "a", "DataSource": {"S3DataSource": {
              "S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}}]}, "InputMode Pipe"),
        ({"AlgorithmSpecification": {"TrainingImage": "123.dkr.ecr.x/mine:1", "TrainingInputMode": "File"}},
         "No runtime in Clary"),
        ({"HyperParameters": {}}, "needs a script"),
        ({"AlgorithmSpecification": {"TrainingImage": SKLEARN, "TrainingInputMode": "File",
                                     "MetricDefinitions": [{"Name": "a", "Regex": "("}]}}, "is no Regex"),
        ({"EnableManagedSpotTraining": True}, "EnableManagedSpotTraining"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_by_name(jobs: Jobs, change: dict[str, Any], said: str) -> None:
    request = {**jobs.script("print('x')"), **change}
    with pytest.raises(ClientError) as refused:
        jobs.sagemaker.create_training_job(**request)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert said in str(refused.value)


def test_checkpoints_go_to_s3_and_a_new_job_finds_them(jobs: Jobs) -> None:
    code = (
        "import os; p = '/epoch'; d = os.environ['SM_MODEL_DIR'].replace('model', 'checkpoints')\n"
        "n = int(open(d + p).read()) if os.path.exists(d + p) else 0\n"
        "print('resumed at', n); open(d + p, 'w').write(str(n + 1)); raise SystemExit(n == 0)"
    )
    config = {"S3Uri": f"s3://{jobs.bucket}/checkpoints/mine"}
    first, second = (jobs.script(code, CheckpointConfig=config) for _ in range(2))
    assert jobs.run(first)["TrainingJobStatus"] == "Failed"
    assert jobs.run(second)["TrainingJobStatus"] == "Completed"
    assert "resumed at 1" in jobs.log(second["TrainingJobName"])


def test_a_name_is_taken_once_and_free_after_delete(jobs: Jobs) -> None:
    request = jobs.script("import time; time.sleep(0.5)")
    name = jobs.train(request)
    with pytest.raises(jobs.sagemaker.exceptions.ResourceInUse):
        jobs.train(request)
    with pytest.raises(jobs.sagemaker.exceptions.ResourceInUse):
        jobs.sagemaker.delete_training_job(TrainingJobName=name)
    jobs.end(name)
    jobs.sagemaker.delete_training_job(TrainingJobName=name)
    with pytest.raises(ClientError, match=r"\(ValidationException\).*: Requested resource not found\.$"):
        jobs.describe(name)
    assert jobs.run(request)["TrainingJobStatus"] == "Completed"
    assert jobs.log(name)


@pytest.mark.parametrize("odd", ["$time", "$$time", "$", "ключ", "a b"])
def test_hyperparameters_come_back_as_they_were_given(jobs: Jobs, odd: str) -> None:
    given = {odd: "2026-11-24T00:00:00+00:00"}
    found = jobs.run(jobs.request(HyperParameters=given, algorithm={"ContainerEntrypoint": ["/bin/true"]}))
    assert (found["TrainingJobStatus"], found["HyperParameters"]) == ("Completed", given)


def test_lists_and_waiters(jobs: Jobs) -> None:
    prefix = "listed-job"
    for i in range(3):
        jobs.sagemaker.create_training_job(**{**jobs.script("print(1)"), "TrainingJobName": f"{prefix}-{i}"})
    for i in range(3):
        jobs.sagemaker.get_waiter("training_job_completed_or_stopped").wait(
            TrainingJobName=f"{prefix}-{i}", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
    pages = jobs.sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains=prefix, SortBy="Name", SortOrder="Ascending", StatusEquals="Completed",
        PaginationConfig={"PageSize": 2},
    )  # fmt: skip
    found = [row for page in pages for row in page["TrainingJobSummaries"]]
    assert [row["TrainingJobName"] for row in found] == [f"{prefix}-{i}" for i in range(3)]
    assert all(row["TrainingEndTime"] for row in found)


def test_an_entry_point_of_a_container(jobs: Jobs) -> None:
    """As the third SDK's ModelTrainer runs its drivers: a shell script in a channel, /opt/ml hard-coded."""
    data = jobs.put(
        "drivers/go.sh",
        "set -e\ncd /opt/ml/input/data/sm_drivers\nchmod +x go.sh\n"
        "python3 -c 'import clary, sys; print(sys.prefix)'\n"
        "command -v pip3\npip3 --version\necho done > /opt/ml/model/m\n",
    )
    request = jobs.request(
        algorithm={
            "ContainerEntrypoint": ["/bin/bash"],
            "ContainerArguments": [
                "-c",
                "chmod +x /opt/ml/input/data/sm_drivers/go.sh && /opt/ml/input/data/sm_drivers/go.sh",
            ],
        },
        InputDataConfig=[jobs.channel("sm_drivers", data.removesuffix("go.sh"))],
    )
    found = jobs.run(request)
    assert found["TrainingJobStatus"] == "Completed", found["FailureReason"]
    assert jobs.log(request["TrainingJobName"])[0] == "/opt/ml/.venv"
    assert jobs.unpacked(found["ModelArtifacts"]["S3ModelArtifacts"]) == {"m": b"done\n"}


def test_the_log_is_there_while_the_job_runs(jobs: Jobs) -> None:
    name = jobs.train(
        jobs.script("import time\nfor i in range(3): print('line', i, flush=True)\ntime.sleep(30)")
    )
    jobs.logged(name, "line 2")
    assert jobs.describe(name)["TrainingJobStatus"] == "InProgress"
    stream = jobs.logs.describe_log_streams(logGroupName=TRAINING_LOGS, logStreamNamePrefix=f"{name}/")
    assert len(stream["logStreams"]) == 1
    jobs.sagemaker.stop_training_job(TrainingJobName=name)
    jobs.end(name)


def _wheel() -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        wheel.writestr("tiny_pure.py", "ANSWER = 42\n")
        wheel.writestr(
            "tiny_pure-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny_pure\nVersion: 1.0\n"
        )
        wheel.writestr(
            "tiny_pure-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("tiny_pure-1.0.dist-info/RECORD", "")
    return packed.getvalue()
