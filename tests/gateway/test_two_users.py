"""Several people at once: one of them wins, the others are told, and nothing is left half done."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
USERS = 8


def at_once(*calls: Callable[[], Any]) -> list[str]:
    """What each got: `ok`, or an error's code."""
    found: list[str] = []
    start = threading.Barrier(len(calls))

    def one(call: Callable[[], Any]) -> None:
        start.wait()
        try:
            call()
            found.append("ok")
        except ClientError as error:
            found.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=one, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.fixture(scope="module")
def users(clary: Any) -> list[Any]:
    return [clary.client("sagemaker", retries=0) for _ in range(USERS)]


@pytest.fixture(scope="module")
def bucket(clary: Any) -> str:
    clary.client("s3").create_bucket(Bucket="two-users")
    return "two-users"


def name() -> str:
    return f"both-{uuid.uuid4().hex[:12]}"


def training(clary: Any, bucket: str, named: str, seconds: float = 0) -> dict[str, Any]:
    return {
        "TrainingJobName": named,
        "RoleArn": clary.role,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sleep", str(seconds)],
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def processing(clary: Any, bucket: str, named: str, seconds: float = 0) -> dict[str, Any]:
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    return {
        "ProcessingJobName": named,
        "RoleArn": clary.role,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["sleep", str(seconds)]},
        "ProcessingResources": {"ClusterConfig": cluster},
    }


def model(clary: Any, bucket: str, named: str) -> dict[str, Any]:
    return {"ModelName": named, "PrimaryContainer": {"Image": IMAGE}, "ExecutionRoleArn": clary.role}


def config(clary: Any, bucket: str, named: str) -> dict[str, Any]:
    variant = {
        "VariantName": "a",
        "ModelName": "two-users",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    return {"EndpointConfigName": named, "ProductionVariants": [variant]}


@pytest.fixture(scope="module", autouse=True)
def one_model(clary: Any, users: list[Any]) -> None:
    users[0].create_model(**model(clary, "", "two-users"))
    users[0].create_endpoint_config(**config(clary, "", "two-users"))


@pytest.mark.parametrize(
    ("make", "function", "code"),
    [
        (training, "create_training_job", "ResourceInUse"),
        (processing, "create_processing_job", "ResourceInUse"),
        (model, "create_model", "ValidationException"),
        (config, "create_endpoint_config", "ValidationException"),
    ],
)
def test_one_name_is_given_once(
    clary: Any, users: list[Any], bucket: str, make: Any, function: str, code: str
) -> None:
    for _ in range(3):
        wanted = make(clary, bucket, name())
        got = at_once(*(partial(getattr(user, function), **wanted) for user in users))
        assert Counter(got) == {"ok": 1, code: USERS - 1}


def test_one_endpoint_is_created_and_deleted_once(clary: Any, users: list[Any]) -> None:
    named = name()
    create = [
        partial(user.create_endpoint, EndpointName=named, EndpointConfigName="two-users") for user in users
    ]
    assert Counter(at_once(*create)) == {"ok": 1, "ValidationException": USERS - 1}
    # Deleting what is being deleted is no mistake; when it is gone, it is.
    got = at_once(*(partial(user.delete_endpoint, EndpointName=named) for user in users))
    assert set(got) <= {"ok", "ValidationException"} and "ok" in got
    users[0].get_waiter("endpoint_deleted").wait(
        EndpointName=named, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    with pytest.raises(ClientError, match='Could not find endpoint "arn:aws:sagemaker'):
        users[0].delete_endpoint(EndpointName=named)


def test_one_model_is_deleted_once(clary: Any, users: list[Any], bucket: str) -> None:
    for _ in range(3):
        named = name()
        users[0].create_model(**model(clary, bucket, named))
        got = at_once(*(partial(user.delete_model, ModelName=named) for user in users))
        assert Counter(got) == {"ok": 1, "ValidationException": USERS - 1}


@pytest.mark.parametrize("kind", ["training", "processing"])
def test_a_job_is_stopped_by_all_and_deleted_by_one(
    clary: Any, users: list[Any], bucket: str, kind: str
) -> None:
    named, member = name(), f"{kind.capitalize()}JobName"
    make = {"training": training, "processing": processing}[kind]
    getattr(users[0], f"create_{kind}_job")(**make(clary, bucket, named, 50))
    got = at_once(*(partial(getattr(user, f"stop_{kind}_job"), **{member: named}) for user in users))
    # Who comes when it has stopped already is told so.
    assert set(got) <= {"ok", "ValidationException"}
    assert "ok" in got
    users[0].get_waiter(f"{kind}_job_completed_or_stopped").wait(
        **{member: named}, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    found = getattr(users[0], f"describe_{kind}_job")(**{member: named})
    assert found[f"{kind.capitalize()}JobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="status Stopped"):
        getattr(users[0], f"stop_{kind}_job")(**{member: named})
    got = at_once(*(partial(getattr(user, f"delete_{kind}_job"), **{member: named}) for user in users))
    assert Counter(got) == {"ok": 1, "ValidationException": USERS - 1}


def test_a_job_is_deleted_while_it_is_created(clary: Any, users: list[Any], bucket: str) -> None:
    creator, deleter, stopper, tagger = users[:4]
    for _ in range(5):
        named = name()
        arn = f"arn:aws:sagemaker:us-east-1:{clary.account}:training-job/{named}"
        got = at_once(
            partial(creator.create_training_job, **training(clary, bucket, named)),
            partial(deleter.delete_training_job, TrainingJobName=named),
            partial(stopper.stop_training_job, TrainingJobName=named),
            partial(tagger.add_tags, ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}]),
        )
        assert set(got) <= {"ok", "ValidationException", "ResourceInUse"}
        assert "ok" in got
        creator.get_waiter("training_job_completed_or_stopped").wait(
            TrainingJobName=named, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        deleter.delete_training_job(TrainingJobName=named)
    assert "Traceback" not in clary.log()


def test_an_endpoint_is_updated_by_one(clary: Any, users: list[Any], own_config: str) -> None:
    named = name()
    users[0].create_endpoint(EndpointName=named, EndpointConfigName=own_config)
    users[0].get_waiter("endpoint_in_service").wait(
        EndpointName=named, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    got = at_once(
        *(partial(user.update_endpoint, EndpointName=named, EndpointConfigName=own_config) for user in users)
    )
    assert Counter(got) == {"ok": 1, "ValidationException": USERS - 1}
    users[0].delete_endpoint(EndpointName=named)
    with pytest.raises(ClientError, match=r"Cannot update in-progress endpoint|Could not find endpoint"):
        users[1].update_endpoint(EndpointName=named, EndpointConfigName=own_config)


@pytest.fixture
def own_config(clary: Any, bucket: str, users: list[Any]) -> str:
    """A model that answers, and its configuration."""
    from serving.serving_house import archive

    named = name()
    script = "def model_fn(folder):\n    return 1\n\ndef predict_fn(rows, model):\n    return rows\n"
    clary.client("s3").put_object(Bucket=bucket, Key=named, Body=archive({"code/inference.py": script}))
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{named}"}
    users[0].create_model(ModelName=named, PrimaryContainer=container, ExecutionRoleArn=clary.role)
    wanted = config(clary, bucket, named)
    wanted["ProductionVariants"][0]["ModelName"] = named
    users[0].create_endpoint_config(**wanted)
    return named


def test_a_crowd_is_served(clary: Any, users: list[Any], bucket: str) -> None:
    """Reads go on while others write."""
    end, counted = time.monotonic() + 2, Counter[str]()

    def write(user: Any) -> None:
        while time.monotonic() < end:
            named = name()
            user.create_model(**model(clary, bucket, named))
            user.delete_model(ModelName=named)
            counted["writes"] += 1

    def read(user: Any) -> None:
        while time.monotonic() < end:
            user.list_models(NameContains="both-", MaxResults=5)
            user.describe_model(ModelName="two-users")
            counted["reads"] += 1

    calls = [partial(write if number % 2 else read, user) for number, user in enumerate(users)]
    assert Counter(at_once(*calls)) == {"ok": USERS}
    assert min(counted["writes"], counted["reads"]) > 10
