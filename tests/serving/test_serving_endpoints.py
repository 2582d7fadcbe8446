"""Endpoints as boto3 sees them: deploy, invoke, exchange, crash, restart, take down."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError
from serving_house import BUCKET, SKLEARN, TIMES, Serving, archive, kill_workers, worker_pids

VARIANT = {"VariantName": "v", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
ASYNC = {"OutputConfig": {"S3OutputPath": "s3://a/b"}}
SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
NOWHERE = f"s3://{BUCKET}/none"


@pytest.fixture(scope="module")
def serving(clary: Any) -> Iterator[Serving]:
    found = Serving(clary)
    yield found
    # Workers outlive the server, so they would outlive the tests too.
    for endpoint in found.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]:
        found.delete(endpoint["EndpointName"])


@pytest.fixture(scope="module")
def doubling(serving: Serving) -> str:
    """An endpoint in service."""
    serving.times("doubling", 2)
    serving.deploy("doubling")
    return "doubling"


def error(call: Any, *arguments: Any, **members: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **members)
    return dict(caught.value.response)


def test_describe_and_invoke(serving: Serving, doubling: str) -> None:
    found = serving.sagemaker.describe_endpoint(EndpointName=doubling)
    variant = found["ProductionVariants"][0]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)
    assert "VariantStatus" not in variant
    assert not {"FailureReason", "PendingDeploymentSummary", "DataCaptureConfig"} & found.keys()
    answer = serving.runtime.invoke_endpoint(
        EndpointName=doubling, ContentType="text/csv", Accept="text/csv", Body="1,2\n3,4"
    )
    assert answer["Body"].read() == b"2.0,4.0\n6.0,8.0\n"
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/csv", "AllTraffic")
    assert serving.ask(doubling, "1,2", TargetVariant="AllTraffic") == "[[2.0, 4.0]]"


def test_describe_model_and_config_leave_out_what_is_not_set(serving: Serving, doubling: str) -> None:
    model = serving.sagemaker.describe_model(ModelName=doubling)
    assert model["PrimaryContainer"]["Image"] == SKLEARN
    assert not {"VpcConfig", "Containers", "InferenceExecutionConfig"} & model.keys()
    config = serving.sagemaker.describe_endpoint_config(EndpointConfigName=doubling)
    assert config["ProductionVariants"][0]["ModelName"] == doubling
    assert "DataCaptureConfig" not in config
    names = [m["EndpointName"] for m in serving.sagemaker.list_endpoints(NameContains="doubl")["Endpoints"]]
    assert names == [doubling]


def test_model_error_carries_what_the_model_said(serving: Serving, doubling: str) -> None:
    found = error(serving.ask, doubling, "8,1")
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == ("ModelError", 424)
    assert found["OriginalStatusCode"] == 500
    assert found["OriginalMessage"] == "KeyError: 'no such review' (inference.py, line 8)"
    assert f"log-group:/aws/sagemaker/Endpoints/{doubling}" in found["LogStreamArn"]
    assert 'Received server error (500) from primary with message "KeyError' in found["Error"]["Message"]


def test_client_errors_of_the_model_keep_their_status(serving: Serving, doubling: str) -> None:
    assert error(serving.ask, doubling, "x", ContentType="image/png")["OriginalStatusCode"] == 415
    assert error(serving.ask, doubling, "1,2", Accept="image/png")["OriginalStatusCode"] == 406
    found = error(serving.ask, doubling, "1,b")
    assert "record 1, column 2: 'b' is not a number" in found["OriginalMessage"]
    assert "Received client error (400)" in found["Error"]["Message"]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"EndpointName": "nowhere"}, "Endpoint nowhere of account"),
        ({"TargetVariant": "other"}, "has no variant other; it has AllTraffic"),
        ({"TargetModel": "a.tar.gz"}, "TargetModel is not built in Clary"),
        ({"InferenceComponentName": "part"}, "InferenceComponentName is not built in Clary"),
    ],
)
def test_invocations_that_are_refused(
    serving: Serving, doubling: str, members: dict[str, str], words: str
) -> None:
    found = error(serving.runtime.invoke_endpoint, **{"EndpointName": doubling, "Body": b"1", **members})
    assert found["Error"]["Code"] == "ValidationError"
    assert words in found["Error"]["Message"]


def test_large_bodies(serving: Serving, doubling: str) -> None:
    row = "1" + ",1" * 999
    answer = json.loads(serving.ask(doubling, "\n".join([row] * 1000)))
    assert np.shape(answer) == (1000, 1000)
    found = error(serving.ask, doubling, b"1" * (25 * 1024 * 1024 + 1))
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_what_is_missing_or_there_already_is_said(serving: Serving, doubling: str) -> None:
    sagemaker = serving.sagemaker
    variant = {
        "VariantName": "v",
        "ModelName": "no",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    found = error(sagemaker.create_endpoint_config, EndpointConfigName="bad", ProductionVariants=[variant])
    assert 'Could not find model "arn:aws:sagemaker:' in found["Error"]["Message"]
    found = error(sagemaker.create_endpoint, EndpointName="bad", EndpointConfigName="bad")
    assert "Could not find endpoint configuration" in found["Error"]["Message"]
    for call in (sagemaker.describe_endpoint, sagemaker.delete_endpoint):
        found = error(call, EndpointName="bad")
        assert found["Error"]["Code"] == "ValidationException"
        assert "Could not find endpoint" in found["Error"]["Message"]
    found = error(sagemaker.create_endpoint, EndpointName=doubling, EndpointConfigName=doubling)
    assert "Cannot create already existing endpoint" in found["Error"]["Message"]
    found = error(serving.times, doubling, 2)
    assert "Cannot create already existing model" in found["Error"]["Message"]
    assert serving.ask(doubling) == "[[2.0, 4.0]]"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"PrimaryContainer": {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/none"}},
            "Could not find model",
        ),
        ({"PrimaryContainer": {"Image": SKLEARN, "ModelDataUrl": "https://a/b"}}, "form s3://bucket/key"),
        ({"PrimaryContainer": {"Image": "me/mine:1"}}, "No runtime in Clary stands for the image"),
        ({"PrimaryContainer": {"Image": SKLEARN, "Mode": "MultiModel"}}, "MultiModel is not built"),
        ({"PrimaryContainer": {"ModelPackageName": "p"}}, "ModelPackageName is not built"),
        ({"Containers": [{"Image": SKLEARN}] * 2}, "pipelines of several containers are not built"),
        ({}, "give PrimaryContainer"),
        (
            {
                "PrimaryContainer": {"Image": SKLEARN},
                "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
            },
            "VpcConfig is not built",
        ),
    ],
)
def test_models_that_are_refused(serving: Serving, members: dict[str, Any], words: str) -> None:
    found = error(serving.sagemaker.create_model, ModelName="refused", **members)
    assert found["Error"]["Code"] == "ValidationException"
    assert words in found["Error"]["Message"]


@pytest.mark.parametrize(
    ("variant", "further", "words"),
    [
        (
            {"ServerlessConfig": SERVERLESS},
            {},
            "ServerlessConfig is not built",
        ),
        ({"InitialVariantWeight": 0.0}, {}, "InitialVariantWeight at least must be more than 0"),
        ({}, {"KmsKeyId": "key"}, "KmsKeyId is not built"),
        (
            {},
            {"AsyncInferenceConfig": ASYNC},
            "AsyncInferenceConfig",
        ),
        (
            {},
            {
                "DataCaptureConfig": {
                    "EnableCapture": True,
                    "InitialSamplingPercentage": 100,
                    "DestinationS3Uri": "s3://a/b",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            "DataCaptureConfig is not built",
        ),
    ],
)
def test_configurations_that_are_refused(
    serving: Serving, doubling: str, variant: dict[str, Any], further: dict[str, Any], words: str
) -> None:
    fixed = {
        "VariantName": "v",
        "ModelName": doubling,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    found = error(
        serving.sagemaker.create_endpoint_config,
        EndpointConfigName="refused",
        ProductionVariants=[fixed | variant],
        **further,
    )
    assert found["Error"]["Code"] == "ValidationException"
    assert words in found["Error"]["Message"]


def climbing_archive() -> bytes:
    return archive({"../../outside": "x"})


def linked_archive() -> bytes:
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w:gz") as tar:
        member = tarfile.TarInfo("model.joblib")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    return found.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("no-archive", b"this is no archive", "Unable to extract model data archive"),
        (
            "cut-archive",
            archive({"model.joblib": bytes(range(256)) * 400})[:200],
            "Unable to extract model data",
        ),
        ("climbing", climbing_archive(), "not a plain file or folder below the archive's root"),
        ("linked", linked_archive(), "not a plain file or folder below the archive's root"),
        ("empty", archive({"readme": "?"}), "It has: readme"),
        (
            "raising",
            archive({"code/inference.py": "def model_fn(d):\n    raise OSError('weights are gone')\n"}),
            "OSError: weights are gone (model/code/inference.py, line 2, in model_fn)",
        ),
    ],
)
def test_an_endpoint_that_cannot_start_fails_with_the_reason(
    serving: Serving, name: str, data: bytes, words: str
) -> None:
    serving.model(name, data)
    serving.config(name, {"VariantName": "AllTraffic", "ModelName": name})
    serving.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    found = serving.settled(name)
    assert found["EndpointStatus"] == "Failed"
    assert words in found["FailureReason"]
    assert "is not in service: it is Failed" in error(serving.ask, name)["Error"]["Message"]
    serving.delete(name)


def test_data_that_vanished_after_the_model_was_made(serving: Serving) -> None:
    serving.times("vanished", 1)
    serving.config("vanished", {"VariantName": "AllTraffic", "ModelName": "vanished"})
    serving.s3.delete_object(Bucket=BUCKET, Key="vanished/model.tar.gz")
    serving.sagemaker.create_endpoint(EndpointName="vanished", EndpointConfigName="vanished")
    reason = serving.settled("vanished")["FailureReason"]
    assert f"Could not find model data at s3://{BUCKET}/vanished/model.tar.gz" in reason


def test_update_exchanges_the_workers_without_a_failed_call(serving: Serving) -> None:
    serving.times("one", 1)
    serving.times("ten", 10)
    serving.deploy("one")
    serving.config("ten", {"VariantName": "AllTraffic", "ModelName": "ten"})
    answers, stop = [], threading.Event()

    def keep_asking() -> None:
        while not stop.is_set():
            answers.append(serving.ask("one", "1,1"))

    asking = threading.Thread(target=keep_asking)
    asking.start()
    serving.sagemaker.update_endpoint(EndpointName="one", EndpointConfigName="ten")
    found = serving.sagemaker.describe_endpoint(EndpointName="one")
    assert found["EndpointStatus"] == "Updating"
    assert found["PendingDeploymentSummary"]["EndpointConfigName"] == "ten"
    in_progress = error(serving.sagemaker.update_endpoint, EndpointName="one", EndpointConfigName="one")
    assert "Cannot update in-progress endpoint" in in_progress["Error"]["Message"]
    found = serving.settled("one")
    time.sleep(2)
    stop.set()
    asking.join()
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "ten")
    assert set(answers) == {"[[1.0, 1.0]]", "[[10.0, 10.0]]"}
    assert answers == sorted(answers)
    assert len(worker_pids("one")) == 1
    serving.delete("one")


def test_a_failed_update_goes_back_and_says_why(serving: Serving) -> None:
    serving.times("steady", 3)
    serving.deploy("steady")
    serving.model("broken", archive({"code/inference.py": "import no_such_library\n"}))
    serving.config("broken", {"VariantName": "AllTraffic", "ModelName": "broken"})
    serving.sagemaker.update_endpoint(EndpointName="steady", EndpointConfigName="broken")
    found = serving.settled("steady")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "steady")
    assert "update to broken failed and was rolled back" in found["FailureReason"]
    assert "No module named 'no_such_library'" in found["FailureReason"]
    assert serving.ask("steady") == "[[3.0, 6.0]]"
    serving.delete("steady")


def test_variants_share_the_traffic_by_weight(serving: Serving) -> None:
    serving.times("half-a", 1)
    serving.times("half-b", 5)
    serving.config(
        "halves",
        {"VariantName": "a", "ModelName": "half-a", "InitialVariantWeight": 1},
        {"VariantName": "b", "ModelName": "half-b", "InitialVariantWeight": 1},
    )
    serving.sagemaker.create_endpoint(EndpointName="halves", EndpointConfigName="halves")
    assert serving.settled("halves")["EndpointStatus"] == "InService"
    found = [serving.ask("halves", "1") for _ in range(60)]
    # With equal shares fewer than 10 of 60 have a chance of one in ten million.
    assert min(found.count("[[1.0]]"), found.count("[[5.0]]")) >= 10
    assert serving.ask("halves", "1", TargetVariant="b") == "[[5.0]]"
    serving.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="halves", DesiredWeightsAndCapacities=[{"VariantName": "a", "DesiredWeight": 0}]
    )
    weights = [v["CurrentWeight"] for v in serving.settled("halves")["ProductionVariants"]]
    assert weights == [0.0, 1.0]
    assert {serving.ask("halves", "1") for _ in range(20)} == {"[[5.0]]"}
    strange = [{"VariantName": "c", "DesiredWeight": 1}]
    call = serving.sagemaker.update_endpoint_weights_and_capacities
    found_error = error(call, EndpointName="halves", DesiredWeightsAndCapacities=strange)
    assert "no variant 'c'" in found_error["Error"]["Message"]
    serving.delete("halves")


def test_capacity_goes_up_and_down_and_is_told_truly(serving: Serving) -> None:
    serving.times("many", 1)
    serving.deploy("many")

    def scale(count: int) -> dict[str, Any]:
        wish = [{"VariantName": "AllTraffic", "DesiredInstanceCount": count}]
        serving.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="many", DesiredWeightsAndCapacities=wish
        )
        return dict(serving.settled("many")["ProductionVariants"][0])

    variant = scale(1000)
    assert variant["DesiredInstanceCount"] == 1000
    assert variant["CurrentInstanceCount"] == len(worker_pids("many")) < 1000
    assert "instances asked for are run: this machine has" in variant["VariantStatus"][0]["StatusMessage"]
    assert scale(1)["CurrentInstanceCount"] == 1
    assert serving.ask("many") == "[[1.0, 2.0]]"
    for _ in range(100):
        if len(worker_pids("many")) == 1:
            break
        time.sleep(0.05)
    assert len(worker_pids("many")) == 1
    serving.delete("many")


@pytest.mark.skipif(os.cpu_count() == 1, reason="needs two workers, and one core has one")
def test_a_busy_worker_is_passed_over(serving: Serving) -> None:
    code = TIMES.format(factor=1).replace("os._exit(3)", "time.sleep(3)")
    serving.model("busy", archive({"code/inference.py": code}))
    serving.deploy("busy", InitialInstanceCount=2)
    slow = threading.Thread(target=serving.ask, args=("busy", "9"))
    slow.start()
    time.sleep(0.3)
    started = time.monotonic()
    for _ in range(20):
        serving.ask("busy", "1")
    assert time.monotonic() - started < 2
    slow.join()
    serving.delete("busy")


def test_a_killed_worker_is_started_again_and_the_endpoint_tells(serving: Serving) -> None:
    serving.times("mortal", 4)
    serving.deploy("mortal")
    assert len(kill_workers("mortal")) == 1
    # No retries in this client: the call itself waits for the new worker.
    assert serving.ask("mortal") == "[[4.0, 8.0]]"
    found = serving.settled("mortal")
    message = found["ProductionVariants"][0]["VariantStatus"][0]["StatusMessage"]
    assert found["EndpointStatus"] == "InService"
    assert "A worker ended once in the last ten minutes" in message
    assert "killed by SIGKILL" in message
    serving.delete("mortal")


def test_a_worker_that_ends_during_a_call_is_a_model_error(serving: Serving) -> None:
    serving.times("suicidal", 4)
    serving.deploy("suicidal")
    found = error(serving.ask, "suicidal", "9,1")
    assert (found["Error"]["Code"], found["OriginalStatusCode"]) == ("ModelError", 0)
    assert "The worker ended while it had the request" in found["OriginalMessage"]
    assert serving.ask("suicidal", "2") == "[[8.0]]"
    serving.delete("suicidal")


def test_a_worker_that_always_crashes_fails_the_endpoint(serving: Serving) -> None:
    serving.times("hopeless", 4)
    serving.deploy("hopeless")
    place = serving.clary.home / "endpoints" / "hopeless" / "1" / "AllTraffic" / "ml" / "model" / "code"
    (place / "inference.py").write_text("raise SystemError('the disk is broken')\n")
    kill_workers("hopeless")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = serving.sagemaker.describe_endpoint(EndpointName="hopeless")
        if found["EndpointStatus"] == "Failed":
            break
        time.sleep(0.2)
    assert "its worker ended 5 times in ten minutes" in found["FailureReason"]
    assert "SystemError: the disk is broken" in found["FailureReason"]
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 0
    serving.delete("hopeless")


def test_a_worker_that_hangs_is_replaced(serving: Serving) -> None:
    serving.times("frozen", 4)
    serving.deploy("frozen")
    (pid,) = worker_pids("frozen")
    mark = serving.clary.home / "endpoints" / "frozen" / "1" / "AllTraffic" / "0.answered"
    os.kill(pid, signal.SIGSTOP)
    # A minute without an answer has passed.
    os.utime(mark, (time.time() - 61, time.time() - 61))
    for _ in range(200):
        if worker_pids("frozen") not in ([], [pid]):
            break
        time.sleep(0.05)
    assert serving.ask("frozen") == "[[4.0, 8.0]]"
    message = serving.settled("frozen")["ProductionVariants"][0]["VariantStatus"][0]["StatusMessage"]
    assert "A worker ended once" in message
    serving.delete("frozen")


def test_an_isolated_model_has_no_network(serving: Serving) -> None:
    port = int(serving.clary.url.rpartition(":")[2])
    code = f"""
import socket
def model_fn(d):
    return socket.socket().connect_ex(("127.0.0.1", {port}))
def predict_fn(rows, model):
    return [model]
"""
    for name, isolated in (("open", False), ("isolated", True)):
        serving.s3.put_object(Bucket=BUCKET, Key="net.tar.gz", Body=archive({"code/inference.py": code}))
        container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/net.tar.gz"}
        serving.sagemaker.create_model(
            ModelName=name, PrimaryContainer=container, EnableNetworkIsolation=isolated
        )
        serving.deploy(name)
    assert serving.ask("open") == "[0]"
    assert serving.ask("isolated") != "[0]"
    for name in ("open", "isolated"):
        serving.delete(name)


def test_model_data_that_is_not_packed(serving: Serving) -> None:
    serving.s3.put_object(Bucket=BUCKET, Key="loose/code/inference.py", Body=TIMES.format(factor=4).encode())
    uncompressed = {"S3Uri": f"s3://{BUCKET}/loose/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {"Image": SKLEARN, "ModelDataSource": {"S3DataSource": uncompressed}}
    serving.sagemaker.create_model(ModelName="loose", PrimaryContainer=container)
    serving.deploy("loose")
    assert serving.ask("loose") == "[[4.0, 8.0]]"
    serving.delete("loose")


def test_source_archive_of_a_training_job(serving: Serving) -> None:
    code = "import parts\ndef model_fn(d): return parts.FACTOR\ndef predict_fn(rows, m): return rows * m\n"
    source = archive({"train.py": code, "parts.py": "FACTOR = 11\n"})
    serving.s3.put_object(Bucket=BUCKET, Key="job/source/sourcedir.tar.gz", Body=source)
    serving.model(
        "trained",
        archive({"anything": "x"}),
        SAGEMAKER_PROGRAM="train.py",
        SAGEMAKER_SUBMIT_DIRECTORY=f"s3://{BUCKET}/job/source/sourcedir.tar.gz",
    )
    serving.deploy("trained")
    assert serving.ask("trained", "2") == "[[22.0]]"
    serving.delete("trained")


def test_an_update_may_keep_weights_and_counts(serving: Serving) -> None:
    serving.times("kept", 1)
    serving.deploy("kept", InitialVariantWeight=3)
    serving.config("fresh", {"VariantName": "AllTraffic", "ModelName": "kept", "InitialVariantWeight": 8})
    update = serving.sagemaker.update_endpoint
    update(EndpointName="kept", EndpointConfigName="fresh", RetainAllVariantProperties=True)
    assert serving.settled("kept")["ProductionVariants"][0]["CurrentWeight"] == 3
    update(
        EndpointName="kept",
        EndpointConfigName="fresh",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )
    assert serving.settled("kept")["ProductionVariants"][0]["CurrentWeight"] == 8
    serving.delete("kept")


def test_logs_of_an_endpoint(serving: Serving, doubling: str) -> None:
    logs = serving.clary.client("logs")
    group = f"/aws/sagemaker/Endpoints/{doubling}"
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert stream["logStreamName"].startswith("AllTraffic/")
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert "serving a script inference.py" in events[0]["message"]


def test_deleted_while_it_is_created(serving: Serving) -> None:
    serving.model("slow", archive({"code/inference.py": "import time\ntime.sleep(60)\n"}))
    serving.config("slow", {"VariantName": "AllTraffic", "ModelName": "slow"})
    serving.sagemaker.create_endpoint(EndpointName="slow", EndpointConfigName="slow")
    assert "is not in service: it is Creating" in error(serving.ask, "slow")["Error"]["Message"]
    for _ in range(100):
        if worker_pids("slow"):
            break
        time.sleep(0.05)
    serving.delete("slow")


def test_builtin_xgboost(serving: Serving) -> None:
    rows = np.random.default_rng(1).normal(size=(50, 3))
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, rows[:, 0]), 3)
    data = archive({"xgboost-model": bytes(booster.save_raw("ubj"))})
    serving.model("boosted", data)
    serving.deploy("boosted")
    body = "\n".join(",".join(map(str, row)) for row in rows[:5])
    found = [float(value) for value in serving.ask("boosted", body).split(",")]
    assert found == pytest.approx(booster.predict(xgboost.DMatrix(rows[:5])).tolist())
    serving.delete("boosted")


def tiny_wheel() -> bytes:
    """A package that needs no index."""
    info = "servingtiny-1.0.dist-info"
    files = {
        "servingtiny.py": "FACTOR = 6\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: servingtiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]))
    return found.getvalue()


def test_requirements_are_installed(serving: Serving) -> None:
    files = {
        "code/inference.py": "from servingtiny import FACTOR\n" + TIMES.replace("{factor}", "FACTOR"),
        "code/requirements.txt": "./servingtiny-1.0-py3-none-any.whl\n",
        "code/servingtiny-1.0-py3-none-any.whl": tiny_wheel(),
    }
    serving.model("needy", archive(files))
    serving.deploy("needy")
    assert serving.ask("needy") == "[[6.0, 12.0]]"
    serving.delete("needy")


@pytest.mark.parametrize("moment", [0.0, 0.2])
def test_a_server_killed_while_it_deploys_goes_on(own_clary: Any, moment: float) -> None:
    serving = Serving(own_clary)
    serving.times("cut", 7)
    serving.config("cut", {"VariantName": "AllTraffic", "ModelName": "cut"})
    serving.sagemaker.create_endpoint(EndpointName="cut", EndpointConfigName="cut")
    time.sleep(moment)
    own_clary.kill()
    own_clary.start()
    assert serving.settled("cut")["EndpointStatus"] == "InService"
    assert serving.ask("cut") == "[[7.0, 14.0]]"
    serving.sagemaker.update_endpoint(EndpointName="cut", EndpointConfigName="cut")
    time.sleep(moment)
    own_clary.kill()
    own_clary.start()
    assert serving.ask("cut") == "[[7.0, 14.0]]"
    assert serving.settled("cut")["EndpointStatus"] == "InService"
    serving.sagemaker.delete_endpoint(EndpointName="cut")
    time.sleep(moment)
    own_clary.kill()
    own_clary.start()
    for _ in range(200):
        if not worker_pids("cut") and not serving.sagemaker.list_endpoints()["Endpoints"]:
            break
        time.sleep(0.05)
    assert (worker_pids("cut"), serving.sagemaker.list_endpoints()["Endpoints"]) == ([], [])


def test_workers_outlive_the_server(own_clary: Any) -> None:
    serving = Serving(own_clary)
    serving.times("lasting", 7)
    serving.deploy("lasting")
    before = worker_pids("lasting")
    own_clary.kill()
    own_clary.start()
    # The very first call after the start: the endpoint is known, its worker is found while the call waits.
    assert serving.ask("lasting") == "[[7.0, 14.0]]"
    assert worker_pids("lasting") == before
    assert serving.settled("lasting")["EndpointStatus"] == "InService"
    own_clary.kill()
    kill_workers("lasting")
    own_clary.start()
    assert serving.ask("lasting") == "[[7.0, 14.0]]"
    serving.delete("lasting")
