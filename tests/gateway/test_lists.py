"""Lists as botocore's own paginators walk them; filters, orders, and page tokens that somebody has bent."""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from clary.server import operations
from clary.wire import model, validate
from gateway.signed import Wire
from running import Clary, free_port

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
NAMES = [f"listed-{number}" for number in (3, 1, 4, 5, 9, 2, 6)]
ORDERED = sorted(NAMES)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clary]:
    """A Clary with seven of everything, made in the order of NAMES."""
    server = Clary(tmp_path_factory.mktemp("lists") / "home", free_port())
    server.start()
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    s3.create_bucket(Bucket="listed")
    s3.create_bucket(Bucket="outputs")
    for name in NAMES:
        fill(server, sagemaker, name)
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket="listed", Key=name, Body=b"x")
        s3.create_multipart_upload(Bucket="listed", Key=name)
    arn = sagemaker.describe_model(ModelName=NAMES[0])["ModelArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": name, "Value": "x"} for name in NAMES])
    at_rest(sagemaker)
    yield server
    server.stop()


def fill(house: Clary, sagemaker: Any, name: str) -> None:
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=house.role)
    variant = {
        "VariantName": "a",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=house.role,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["true"],
        },
        OutputDataConfig={"S3OutputPath": "s3://outputs/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=house.role,
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c", "echo again; false"]},
        ProcessingResources={"ClusterConfig": cluster},
    )


def at_rest(sagemaker: Any) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        rows = sagemaker.list_processing_jobs(MaxResults=100)["ProcessingJobSummaries"]
        rows += sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
        if not any("InProgress" in row.values() for row in rows):
            return
        time.sleep(0.1)
    raise AssertionError("the jobs never ended")


WALKS: dict[tuple[str, str], tuple[str, dict[str, Any], str]] = {
    ("sagemaker", "list_models"): ("Models", {}, "ModelName"),
    ("sagemaker", "list_endpoint_configs"): ("EndpointConfigs", {}, "EndpointConfigName"),
    ("sagemaker", "list_training_jobs"): ("TrainingJobSummaries", {}, "TrainingJobName"),
    ("sagemaker", "list_processing_jobs"): ("ProcessingJobSummaries", {}, "ProcessingJobName"),
    ("sagemaker", "list_tags"): ("Tags", {"ResourceArn": "model"}, "Key"),
    ("logs", "describe_log_streams"): (
        "logStreams",
        {"logGroupName": "/aws/sagemaker/ProcessingJobs"},
        "logStreamName",
    ),
    ("logs", "filter_log_events"): (
        "events",
        {"logGroupName": "/aws/sagemaker/ProcessingJobs", "filterPattern": "again"},
        "logStreamName",
    ),
    ("s3", "list_buckets"): ("Buckets", {"Prefix": "listed-"}, "Name"),
    ("s3", "list_objects"): ("Contents", {"Bucket": "listed"}, "Key"),
    ("s3", "list_objects_v2"): ("Contents", {"Bucket": "listed"}, "Key"),
    ("s3", "list_multipart_uploads"): ("Uploads", {"Bucket": "listed"}, "Key"),
}
ELSEWHERE = {
    ("sagemaker", "list_endpoints"),  # tests of serving have endpoints
    ("logs", "describe_log_groups"),  # there are as many as there are kinds of jobs
    ("s3", "list_parts"),  # tests of S3 upload parts
    ("iam", "list_roles"),  # two of them, below
    ("iam", "simulate_principal_policy"),
}


def test_every_paginator_of_what_is_built_is_walked() -> None:
    built = operations()
    found = set()
    for service in sorted({service for service, _ in built}):
        client = boto3.client(
            service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
        )
        found |= {
            (service, function)
            for function, name in client.meta.method_to_api_mapping.items()
            if (service, name) in built and client.can_paginate(function)
        }
    assert found == WALKS.keys() | ELSEWHERE


@pytest.mark.parametrize(("service", "function"), WALKS, ids=[f"{s}:{f}" for s, f in WALKS])
@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_every_row_comes_once(house: Clary, service: str, function: str, size: int) -> None:
    member, params, key = WALKS[service, function]
    client = house.client(service)
    if "ResourceArn" in params:
        params = {"ResourceArn": house.client("sagemaker").describe_model(ModelName=NAMES[0])["ModelArn"]}
    size = max(size, 50) if function == "list_tags" else size
    pages = list(client.get_paginator(function).paginate(**params, PaginationConfig={"PageSize": size}))
    rows = [row[key].partition("/")[0] for page in pages for row in page.get(member, [])]
    assert sorted(rows) == ORDERED
    assert all(len(page.get(member, [])) <= size for page in pages)


def test_roles_and_decisions_by_the_page(house: Clary) -> None:
    iam = house.client("iam")
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1}))
    assert [len(page["Roles"]) for page in pages] == [1, 1]
    asked = {"PolicySourceArn": house.role, "ActionNames": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]}
    pages = list(
        iam.get_paginator("simulate_principal_policy").paginate(**asked, PaginationConfig={"PageSize": 2})
    )
    assert [len(page["EvaluationResults"]) for page in pages] == [2, 1]


LISTS = {
    "list_models": "ModelName",
    "list_endpoint_configs": "EndpointConfigName",
    "list_training_jobs": "TrainingJobName",
    "list_processing_jobs": "ProcessingJobName",
}


def rows(answer: dict[str, Any], key: str) -> list[str]:
    return [row[key] for row in next(value for value in answer.values() if isinstance(value, list))]


@pytest.mark.parametrize("function", LISTS)
def test_orders_and_filters(house: Clary, function: str) -> None:
    sagemaker, key = house.client("sagemaker"), LISTS[function]

    def ask(**params: Any) -> list[str]:
        return rows(getattr(sagemaker, function)(**params), key)

    assert ask() == NAMES[::-1]  # SageMaker's own default for these: the latest first
    assert ask(SortOrder="Ascending", SortBy="CreationTime") == NAMES
    assert ask(SortBy="Name", SortOrder="Ascending") == ORDERED
    assert ask(SortBy="Name", SortOrder="Descending") == ORDERED[::-1]
    assert ask(NameContains="ed-4") == ["listed-4"]
    assert ask(NameContains="nothing") == []
    times = {row[key]: row["CreationTime"] for row in _all(sagemaker, function)}
    assert set(ask(CreationTimeAfter=times["listed-5"])) >= {"listed-9", "listed-2", "listed-6"}
    assert "listed-4" not in ask(CreationTimeAfter=times["listed-9"])
    assert set(ask(CreationTimeBefore=times["listed-1"])) >= {"listed-3"}
    assert ask(CreationTimeBefore=0) == []


def _all(sagemaker: Any, function: str) -> list[dict[str, Any]]:
    answer = getattr(sagemaker, function)(MaxResults=100)
    return list(next(value for value in answer.values() if isinstance(value, list)))


def test_jobs_by_their_status(house: Clary) -> None:
    sagemaker = house.client("sagemaker")
    done = sagemaker.list_training_jobs(StatusEquals="Completed", SortBy="Status")
    assert len(done["TrainingJobSummaries"]) == len(NAMES)
    assert sagemaker.list_training_jobs(StatusEquals="Failed")["TrainingJobSummaries"] == []
    failed = sagemaker.list_processing_jobs(StatusEquals="Failed", LastModifiedTimeAfter=0)
    assert len(failed["ProcessingJobSummaries"]) == len(NAMES)
    with pytest.raises(ClientError, match="There are no warm pools here"):
        sagemaker.list_training_jobs(WarmPoolStatusEquals="InUse")


def written(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


BENT = [
    "x", "é", "", "AAAA", "{}", "[" * 6000, written([]), written(1), written(None), written({"a": 1}),
    written("a" * 20), written(["Model", "created", True, "1", "a", "b"]), written([["a"], {}, None, 1, 2]),
    base64.urlsafe_b64encode(b"[" * 6000).decode(), base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]  # fmt: skip


@pytest.mark.parametrize("function", LISTS)
def test_page_tokens_that_were_bent(house: Clary, function: str) -> None:
    wire, sagemaker = Wire(house), house.client("sagemaker")
    operation = sagemaker.meta.method_to_api_mapping[function]
    good = getattr(sagemaker, function)(MaxResults=2)["NextToken"]
    kind, sort, descending, value, name = json.loads(base64.urlsafe_b64decode(good))
    bent = [
        written([kind, sort, descending, wrong, name])
        for wrong in (1, "x", "9" * 30, None, ["1"], {"a": 1}, "\ud800", "²", 1e99)
    ]
    bent += [written([kind, sort, descending, value, wrong]) for wrong in (1, None, "\ud800", "a\0b", [])]
    bent += [
        written(["Other", sort, descending, value, name]),
        written([kind, "name", descending, value, name]),
    ]
    for token in [*BENT, *bent]:
        answer = wire.json("sagemaker", f"SageMaker.{operation}", json.dumps({"NextToken": token}))
        if token == "":
            assert answer.status == 200  # as no token
            continue
        error = answer.read_as("json")["Error"]
        assert (answer.status, error["Code"]) == (400, "ValidationException"), token
        assert "nexttoken" in error["Message"].lower()
    with pytest.raises(ClientError, match="belongs to another list, SortBy or SortOrder"):
        getattr(sagemaker, function)(NextToken=good, SortBy="Name")
    for token in (good, written([kind, sort, descending, "-5", "~"])):
        assert "ResponseMetadata" in getattr(sagemaker, function)(NextToken=token)


@pytest.mark.parametrize("function", ["describe_log_groups", "describe_log_streams", "filter_log_events"])
def test_page_tokens_of_logs_that_were_bent(house: Clary, function: str) -> None:
    wire, logs = Wire(house), house.client("logs")
    operation = logs.meta.method_to_api_mapping[function]
    params = {} if function == "describe_log_groups" else {"logGroupName": "/aws/sagemaker/ProcessingJobs"}
    further = [written(["x", -1]), written(["x", "0"]), written(["x", True]), written(["x", 2**70])]
    for token in [*BENT, *further]:
        body = json.dumps({**params, "nextToken": token})
        answer = wire.json("logs", f"Logs_20140328.{operation}", body)
        error = answer.read_as("json")["Error"]
        assert (answer.status, error["Code"]) == (400, "InvalidParameterException"), token
    for token in ("f/99999999999999999999999999999999999999999999999999999999", "b/0", "f/0"):
        stream = logs.describe_log_streams(**params or {"logGroupName": "/aws/sagemaker/ProcessingJobs"})
        found = logs.get_log_events(
            logGroupName="/aws/sagemaker/ProcessingJobs",
            logStreamName=stream["logStreams"][0]["logStreamName"],
            nextToken=token,
        )
        assert isinstance(found["events"], list)


@pytest.mark.parametrize("token", ["-1", "²", "1" * 30, "x", "1.5"])
def test_page_tokens_of_tags_and_roles_that_were_bent(house: Clary, token: str) -> None:
    arn = house.client("sagemaker").describe_model(ModelName=NAMES[0])["ModelArn"]
    with pytest.raises(ClientError, match="Invalid NextToken"):
        house.client("sagemaker").list_tags(ResourceArn=arn, NextToken=token)
    with pytest.raises(ClientError, match=r"ValidationError.*marker|Invalid Marker"):
        house.client("iam").list_roles(Marker=token)


ANSWERS = {
    "ListModels": {},
    "ListEndpointConfigs": {},
    "ListTrainingJobs": {},
    "ListProcessingJobs": {},
    "DescribeModel": {"ModelName": NAMES[0]},
    "DescribeEndpointConfig": {"EndpointConfigName": NAMES[0]},
    "DescribeTrainingJob": {"TrainingJobName": NAMES[0]},
    "DescribeProcessingJob": {"ProcessingJobName": NAMES[0]},
}


@pytest.mark.parametrize("operation", ANSWERS)
def test_answers_fit_their_shape(house: Clary, operation: str) -> None:
    """All required members, and every value in its enum, pattern and range."""
    answer = Wire(house).json("sagemaker", f"SageMaker.{operation}", json.dumps(ANSWERS[operation]))
    shape = model.operation("sagemaker", operation).output_shape
    assert answer.status == 200
    found = answer.read_as("json", shape)
    del found["ResponseMetadata"]
    validate.check(found, shape)


def test_describe_tells_what_was_asked_for(house: Clary) -> None:
    sagemaker = house.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=NAMES[0])
    assert job["ResourceConfig"] == {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    assert job["RoleArn"] == house.role
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    steps = job["SecondaryStatusTransitions"]
    assert [step["Status"] for step in steps][::4] == ["Starting", "Completed"]
    assert all(a["EndTime"] == b["StartTime"] for a, b in itertools.pairwise(steps))
    assert (
        job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"] <= job["LastModifiedTime"]
    )
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] >= 1
    artifacts = f"s3://outputs/out/{NAMES[0]}/output/model.tar.gz"
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": artifacts}
    assert job["EnableNetworkIsolation"] is job["EnableManagedSpotTraining"] is False
    failed = sagemaker.describe_processing_job(ProcessingJobName=NAMES[0])
    assert failed["ProcessingJobStatus"] == "Failed"
    assert "again" in failed["FailureReason"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=NAMES[0])
    assert config["ProductionVariants"][0]["InitialVariantWeight"] == 1.0
    assert config["EnableNetworkIsolation"] is False
    made = sagemaker.describe_model(ModelName=NAMES[0])
    assert (made["PrimaryContainer"], made["EnableNetworkIsolation"]) == ({"Image": IMAGE}, False)


def test_every_waiter_of_what_is_built_ends(house: Clary) -> None:
    built, waited = operations(), set()
    for service in sorted({service for service, _ in built}):
        client = house.client(service)
        for name in client.waiter_names:
            waiter = client.get_waiter(name)
            if (
                service,
                waiter.config.operation,
            ) in built and name not in WAITED_ELSEWHERE:
                waiter.wait(**WAITS[name], WaiterConfig={"Delay": 0.1, "MaxAttempts": 3})
                waited.add(name)
    assert waited == WAITS.keys()


WAITED_ELSEWHERE = ("endpoint_in_service", "processing_job_completed_or_stopped")  # in test_two_users
WAITS = {
    "training_job_completed_or_stopped": {"TrainingJobName": NAMES[0]},
    "endpoint_deleted": {"EndpointName": "never-there"},
    "bucket_exists": {"Bucket": "listed"},
    "bucket_not_exists": {"Bucket": "never-there"},
    "object_exists": {"Bucket": "listed", "Key": NAMES[0]},
    "object_not_exists": {"Bucket": "listed", "Key": "never-there"},
    "role_exists": {"RoleName": "ClaryExecutionRole"},
}
