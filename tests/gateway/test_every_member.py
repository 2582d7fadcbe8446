"""Every member of a Create or Update request is honoured or refused by its name: none is passed over."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from clary.wire import model
from gateway.requests_of_models import Maker, Unmakeable
from gateway.signed import Wire

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
NOWHERE = "s3://no-such-bucket-here/x"
TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "HyperParameters": {"sagemaker_program": "a.py", "sagemaker_submit_directory": NOWHERE},
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": NOWHERE}},
        }
    ],
    "OutputDataConfig": {"S3OutputPath": NOWHERE},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
PROCESSING = {
    "ProcessingInputs": [
        {
            "InputName": "code",
            "S3Input": {"S3Uri": NOWHERE, "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"},
        }
    ],
    "ProcessingOutputConfig": {
        "Outputs": [
            {
                "OutputName": "out",
                "S3Output": {
                    "S3Uri": NOWHERE,
                    "LocalPath": "/opt/ml/processing/out",
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    },
    "ProcessingResources": {
        "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    },
    "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
}
MODEL = {"PrimaryContainer": {"Image": IMAGE}}
CONFIG = {
    "ProductionVariants": [
        {
            "VariantName": "one",
            "ModelName": "every-member",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
    ]
}
BASES = {
    "CreateTrainingJob": TRAINING,
    "CreateProcessingJob": PROCESSING,
    "CreateModel": MODEL,
    "CreateEndpointConfig": CONFIG,
}
# What a request may ask for beside its base, and gets; and what is nothing to do on one machine:
# a share of the data among one instance, a licence that the script's own model asks for, metrics that are
# kept anyway, encryption between one container, the size of a volume and a download where all is on one disk.
ACCEPTED = {
    "CreateTrainingJob": {
        "AlgorithmSpecification.MetricDefinitions",
        "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries",
        "AlgorithmSpecification.ContainerEntrypoint",
        "InputDataConfig.DataSource.S3DataSource.S3DataDistributionType",
        "InputDataConfig.DataSource.S3DataSource.ModelAccessConfig",
        "InputDataConfig.ContentType",
        "InputDataConfig.CompressionType",
        "InputDataConfig.RecordWrapperType",
        "OutputDataConfig.CompressionType",
        "Tags",
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "Environment",
    },
    "CreateProcessingJob": {
        "ProcessingInputs.S3Input.S3DataDistributionType",
        "ProcessingInputs.S3Input.S3CompressionType",
        "StoppingCondition",
        "AppSpecification.ContainerArguments",
        "Environment",
        "Tags",
    },
    "CreateModel": {
        "PrimaryContainer.ContainerHostname",
        "PrimaryContainer.Mode",
        "PrimaryContainer.Environment",
        "Tags",
        "EnableNetworkIsolation",
    },
    "CreateEndpointConfig": {
        "ProductionVariants.InitialVariantWeight",
        "ProductionVariants.VolumeSizeInGB",
        "ProductionVariants.ModelDataDownloadTimeoutInSeconds",
        "ProductionVariants.ContainerStartupHealthCheckTimeoutInSeconds",
        "Tags",
        "EnableNetworkIsolation",
    },
}


def further(shape: Any, value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every member that the model has and a request has not, at every depth of the request."""
    if shape.type_name == "list":
        yield from further(shape.member, value[0], (*path, 0))
    if shape.type_name != "structure":
        return
    for name, member in shape.members.items():
        if name in value:
            yield from further(member, value[name], (*path, name))
        else:
            yield (*path, name), member


def names(value: Any) -> list[str]:
    """The members of a value: an error may name one of them."""
    if isinstance(value, list):
        return [name for item in value for name in names(item)]
    if isinstance(value, dict):
        return [name for key, item in value.items() for name in (key, *names(item))]
    return []


def placed(base: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    found = copy.deepcopy(base)
    place: Any = found
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return found


@pytest.mark.parametrize("operation", BASES)
def test_honoured_or_refused_by_name(clary: Any, operation: str) -> None:
    wire, maker = Wire(clary), Maker(1, wishes=True)
    shape = model.operation("sagemaker", operation).input_shape
    name_member = operation.removeprefix("Create") + "Name"
    sagemaker = clary.client("sagemaker")
    if operation == "CreateEndpointConfig":
        sagemaker.create_model(ModelName="every-member", ExecutionRoleArn=clary.role, **MODEL)
    kept = set()
    for path, member in further(shape, BASES[operation]):
        if path[-1] in (name_member, "RoleArn", "ExecutionRoleArn") and len(path) == 1:
            continue
        try:
            value = maker.value(member, 1.0, 3)
        except Unmakeable:
            continue
        request = placed(BASES[operation], path, value)
        request[name_member] = f"every-{uuid.uuid4().hex[:12]}"
        if "RoleArn" in shape.members:
            request["RoleArn"] = clary.role
        answer = wire.json("sagemaker", f"SageMaker.{operation}", json.dumps(request))
        told = answer.read_as("json").get("Error", {}).get("Message", "")
        if answer.status == 200:
            kept.add(".".join(str(step) for step in path if isinstance(step, str)))
        else:
            assert any(name.lower() in told.lower() for name in (path[-1], *names(value))), (path, told)
    assert kept == ACCEPTED[operation]
