"""What is not built says so by its name, in the protocol of whoever asks."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from clary.server import operations
from gateway.requests_of_models import Maker, Unmakeable

BUILT = operations()
SPOKEN = (
    "sagemaker", "s3", "iam", "logs", "sts", "sagemaker-runtime", "sagemaker-featurestore-runtime",
    "sagemaker-metrics", "sagemaker-a2i-runtime", "sagemaker-edge",
)  # fmt: skip
OTHERS = (
    ("ecr", "describe_repositories", {}),
    ("ec2", "describe_subnets", {}),
    ("athena", "list_work_groups", {}),
    ("events", "list_rules", {}),
    ("scheduler", "list_schedules", {}),
    ("pricing", "describe_services", {}),
    ("resourcegroupstaggingapi", "get_resources", {}),
    ("cloudwatch", "list_metrics", {}),
    ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "sagemaker"}),
    ("stepfunctions", "list_state_machines", {}),
    ("lambda", "list_functions", {}),
    ("sqs", "list_queues", {}),
    ("sns", "list_topics", {}),
    ("dynamodb", "list_tables", {}),
    ("kms", "list_keys", {}),
    ("secretsmanager", "list_secrets", {}),
    ("ssm", "describe_parameters", {}),
    ("cloudformation", "list_stacks", {}),
    ("route53", "list_hosted_zones", {}),
    ("cloudfront", "list_distributions", {}),
    ("glue", "get_databases", {}),
    ("redshift", "describe_clusters", {}),
    ("emr", "list_clusters", {}),
    ("efs", "describe_file_systems", {}),
    ("servicecatalog", "list_portfolios", {}),
    ("service-quotas", "list_services", {}),
    ("bedrock", "list_foundation_models", {}),
    ("elbv2", "describe_load_balancers", {}),
    ("apigateway", "get_rest_apis", {}),
    ("batch", "describe_job_queues", {}),
    ("codecommit", "list_repositories", {}),
    ("lakeformation", "list_resources", {}),
)


def client(clary: Any, service: str) -> Any:
    found = clary.credentials()
    config = Config(retries={"max_attempts": 0}, parameter_validation=False, inject_host_prefix=False)
    return boto3.client(
        service,
        endpoint_url=clary.url,
        region_name="us-east-1",
        aws_access_key_id=found["access_key_id"],
        aws_secret_access_key=found["secret_access_key"],
        config=config,
    )


def written(shape: Any, value: Any) -> Any:
    """A made value with bytes where boto3 wants bytes."""
    if shape.type_name == "structure":
        return {name: written(shape.members[name], item) for name, item in value.items()}
    if shape.type_name == "list":
        return [written(shape.member, item) for item in value]
    return b"abc" if shape.type_name == "blob" else value


@pytest.mark.parametrize("service", SPOKEN)
def test_every_other_operation_of_a_service_that_is_spoken(clary: Any, service: str) -> None:
    speaker, maker, refused = client(clary, service), Maker(1), 0
    for function, name in speaker.meta.method_to_api_mapping.items():
        shape = speaker.meta.service_model.operation_model(name).input_shape
        if (service, name) in BUILT:
            continue
        try:
            params = written(shape, maker.structure(shape, 0)) if shape else {}
        except Unmakeable:
            params = {}
        if service == "s3" and "Bucket" in params:
            params["Bucket"] = "some-bucket"
        try:
            with pytest.raises(ClientError) as error:
                getattr(speaker, function)(**params)
        except ParamValidationError:
            continue
        found = error.value.response
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 501, (name, found)
        assert " is not built in Clary" in found["Error"]["Message"]
        # Twins of S3 are the same on the wire; S3 Express and Object Lambda are services of their own.
        twins = (name, f"{name}Configuration", "GET /", f"POST /{name}")
        assert found["Error"]["Message"].partition(" is not")[0].partition(":")[2] in twins, (name, found)
        refused += 1
    assert refused


@pytest.mark.parametrize(("service", "function", "params"), OTHERS, ids=[name for name, *_ in OTHERS])
def test_an_operation_of_another_service(
    clary: Any, service: str, function: str, params: dict[str, Any]
) -> None:
    speaker = client(clary, service)
    with pytest.raises(ClientError) as error:
        getattr(speaker, function)(**params)
    found, name = error.value.response, speaker.meta.method_to_api_mapping[function]
    assert (found["ResponseMetadata"]["HTTPStatusCode"], found["Error"]["Code"]) == (501, "NotImplemented")
    assert f":{name} is not built in Clary" in found["Error"]["Message"]
    assert found["ResponseMetadata"]["RequestId"]


def test_a_service_of_no_name(clary: Any) -> None:
    from gateway.signed import Wire

    wire = Wire(clary)
    for headers, words in (
        ({"X-Amz-Target": "Coffee.Make"}, "coffee:Make is not built"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "coffee:Brew is not built"),
        ({}, "coffee:POST / is not built"),
    ):
        answer = wire.signed("coffee", "POST", "/", b"Action=Brew", headers)
        assert (answer.status, words in answer.text) == (501, True), answer.text


def test_the_cbor_protocol_is_answered_in_cbor(clary: Any) -> None:
    from gateway.signed import Wire

    path = "/service/GraniteServiceVersion20100801/operation/GetMetricData"
    headers = {"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
    for service in ("monitoring", "logs"):
        answer = Wire(clary).signed(service, "POST", path, b"\xa0", headers)
        error = answer.read_as("smithy-rpc-v2-cbor")["Error"]
        assert (answer.status, error["Code"]) == (501, "NotImplemented")
        assert "GetMetricData is not built" in error["Message"]
