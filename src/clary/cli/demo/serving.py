"""The demo's endpoints: a model made of an archive, asked, and taken down again."""

from __future__ import annotations

import json
from typing import Any

from clary.cli.demo.jobs import SOURCE, Clients, DemoError

HUB_IMAGE = (
    "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-inference:2.6.0-cpu-py312-ubuntu22.04"
)


def script_model(clients: Clients, name: str, archive: str, image: str) -> None:
    environment = {
        "SAGEMAKER_PROGRAM": SOURCE.name,
        "SAGEMAKER_SUBMIT_DIRECTORY": clients.uri("source/sourcedir.tar.gz"),
    }
    _model(clients, name, {"Image": image, "ModelDataUrl": archive, "Environment": environment})


def plain_model(clients: Clients, name: str, archive: str, image: str) -> None:
    _model(clients, name, {"Image": image, "ModelDataUrl": archive})


def _model(clients: Clients, name: str, container: dict[str, Any]) -> None:
    clients.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=clients.role)


def deploy(clients: Clients, name: str) -> None:
    """An endpoint of the model's own name; DemoError with its FailureReason if it does not come up."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    clients.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    waiter = clients.sagemaker.get_waiter("endpoint_in_service")
    try:
        waiter.wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    except Exception as error:
        reason = clients.sagemaker.describe_endpoint(EndpointName=name).get("FailureReason", error)
        raise DemoError(f"Endpoint {name}: {reason}") from error


def ask(clients: Clients, name: str, body: str, content_type: str, accept: str) -> str:
    answer = clients.runtime.invoke_endpoint(
        EndpointName=name, Body=body.encode(), ContentType=content_type, Accept=accept
    )
    return str(answer["Body"].read().decode())


def ask_text(clients: Clients, name: str, text: str) -> tuple[str, float]:
    """The label of a text and its probability."""
    found = json.loads(ask(clients, name, text, "application/x-text", "application/json;verbose"))
    return found["predicted_label"], max(found["probabilities"])


def take_down(clients: Clients, name: str) -> None:
    clients.sagemaker.delete_endpoint(EndpointName=name)
    clients.sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    clients.sagemaker.delete_endpoint_config(EndpointConfigName=name)
