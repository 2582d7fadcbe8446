"""Models: an image's name, a model archive and the environment of its workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.lifecycle import images
from clary.lifecycle.job_state import JobFailure
from clary.ports.objects import ObjectsError
from clary.ports.world import Call
from clary.resources.resource import Resource
from clary.services.sagemaker.inference import refuse
from clary.wire.errors import validation

MODEL = Resource("Model", "model")
_CONTAINER = (
    "ImageConfig",
    "AdditionalModelDataSources",
    "ModelPackageName",
    "InferenceSpecificationName",
    "MultiModelConfig",
    "ContainerMetricsConfig",
)
_SOURCE = ("ModelAccessConfig", "HubAccessConfig", "ManifestS3Uri", "ETag", "ManifestEtag")


def create_model(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse.members("CreateModel", request, "VpcConfig", "InferenceExecutionConfig")
    if len(request.get("Containers") or ()) > 1:
        raise validation("CreateModel: pipelines of several containers are not built in Clary; give one")
    if bool(request.get("PrimaryContainer")) == bool(request.get("Containers")):
        raise validation("CreateModel: give PrimaryContainer, or Containers with one entry, and not both")
    container = primary(request)
    _check(container)
    source = data_source(container)
    if source is not None:
        _check_data(call, source)
    return {"ModelArn": MODEL.create(call, {"EnableNetworkIsolation": False, **request}).arn}


def primary(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one container of a model's body."""
    found: Mapping[str, Any] = body.get("PrimaryContainer") or body["Containers"][0]
    return found


def data_source(container: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """ModelDataUrl or ModelDataSource in the second's form; None where the model has no data."""
    if container.get("ModelDataUrl"):
        return {
            "S3Uri": container["ModelDataUrl"],
            "S3DataType": "S3Object",
            "CompressionType": "Gzip",
        }
    source: Mapping[str, Any] = container.get("ModelDataSource") or {}
    return source.get("S3DataSource")


def _check(container: Mapping[str, Any]) -> None:
    refuse.members("CreateModel", container, *_CONTAINER)
    if container.get("Mode") == "MultiModel":
        raise validation(
            "CreateModel: Mode MultiModel is not built in Clary; create a model for each archive"
        )
    if container.get("ModelDataUrl") and container.get("ModelDataSource"):
        raise validation("CreateModel: give ModelDataUrl or ModelDataSource, not both")
    if not container.get("Image"):
        raise validation("CreateModel: the container needs an Image")
    try:
        images.runtime(container["Image"])
    except JobFailure as failure:
        raise validation(f"CreateModel: {failure}") from failure


def _check_data(call: Call, source: Mapping[str, Any]) -> None:
    """As AWS does: a model whose data is not there is not created."""
    refuse.members("CreateModel", source, *_SOURCE)
    uri, packed = source["S3Uri"], source["CompressionType"] == "Gzip"
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://"):
        raise validation(f"CreateModel: ModelDataUrl or S3Uri {uri} must have the form s3://bucket/key")
    if packed and source["S3DataType"] == "S3Prefix":
        raise validation(
            "CreateModel: CompressionType Gzip goes with S3DataType S3Object: one tar.gz archive"
        )
    try:
        if packed or source["S3DataType"] == "S3Object":
            call.world.objects.head(bucket, key)
            found = True
        else:
            found = bool(call.world.objects.list(bucket, key, limit=1).objects)
    except ObjectsError:
        found = False
    if not found:
        raise validation(
            f"Could not find model data at {uri}. Upload it first; DescribeTrainingJob names a job's "
            "model under ModelArtifacts"
        )
