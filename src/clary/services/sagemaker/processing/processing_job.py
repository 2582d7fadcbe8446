"""Processing jobs: create, describe, list, stop, delete."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from clary.lifecycle import processing
from clary.lifecycle.channels import split
from clary.lifecycle.images import Runtime, runtime
from clary.lifecycle.instances import job_cores
from clary.lifecycle.job_state import FINAL, JobFailure, new_body
from clary.ports.records import Body, NotFound, Record
from clary.ports.world import Call
from clary.resources.resource import Resource
from clary.wire.errors import AwsError, validation

_KMS = "There is no KMS here: encrypt the disk that Clary's home is on."


def _at_rest(record: Record) -> None:
    if record.status not in FINAL:
        raise AwsError(
            "ResourceInUse",
            f"Processing job {record.name} is {record.status}. Stop it first, and wait for its end.",
        )


PROCESSING_JOB = Resource(
    kind="ProcessingJob",
    path="processing-job",
    before_delete=_at_rest,
    not_found="Could not find requested job with name: {name}",
    taken=(
        "Job name must be unique within an AWS account and region, and a job with this name already exists"
        " ({arn})"
    ),
)


def create_processing_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    for refusal in _refusals(call, request):
        raise validation(refusal)
    body = {"StoppingCondition": {"MaxRuntimeInSeconds": processing.DEFAULT_MAX_RUNTIME}, **request}
    cores = job_cores(body["ProcessingResources"]["ClusterConfig"]["InstanceType"], call.world.cores)
    start = new_body(processing.KIND, datetime.now(UTC), cores)
    record = PROCESSING_JOB.create(call, body, "InProgress", **start)
    call.world.wake(record.kind, record.name)
    return {"ProcessingJobArn": record.arn}


def stop_processing_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    name = request["ProcessingJobName"]
    record = PROCESSING_JOB.get(call, name, "StopProcessingJob")
    if record.status in FINAL:
        raise validation(f"The request was rejected because the processing job is in status {record.status}.")
    try:
        processing.stop(call.world, name)
    except NotFound as error:
        raise PROCESSING_JOB.missing(call, name, "StopProcessingJob") from error
    return {}


def _refusals(call: Call, request: Body) -> Iterator[str]:
    if request.get("ExperimentConfig"):
        yield "ExperimentConfig is not built in Clary yet. Leave it out."
    yield from _network(call, request.get("NetworkConfig", {}))
    yield from _cluster(request["ProcessingResources"]["ClusterConfig"])
    inputs = request.get("ProcessingInputs", ())
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", ())
    for item in inputs:
        yield from _input(item)
    for item in outputs:
        yield from _output(item)
    yield from _unique("ProcessingInputs: the InputNames", [item["InputName"] for item in inputs])
    yield from _unique("ProcessingInputs: the LocalPaths", [item["S3Input"]["LocalPath"] for item in inputs])
    yield from _unique("ProcessingOutputConfig: the OutputNames", [item["OutputName"] for item in outputs])
    if request.get("ProcessingOutputConfig", {}).get("KmsKeyId"):
        yield f"ProcessingOutputConfig.KmsKeyId is not built in Clary. {_KMS}"
    yield from _application(request["AppSpecification"])


def _network(call: Call, network: Body) -> Iterator[str]:
    if network.get("VpcConfig"):
        yield "NetworkConfig.VpcConfig is not built in Clary: jobs use this machine's network, or none."
    if network.get("EnableNetworkIsolation") and not call.world.runner.separates():
        yield f"EnableNetworkIsolation needs bubblewrap on this machine ({call.world.runner.isolation()})"


def _cluster(cluster: Body) -> Iterator[str]:
    where = "ProcessingResources.ClusterConfig"
    if cluster.get("InstanceCount", 1) != 1:
        yield f"{where}.InstanceCount must be 1: jobs on several machines are not built in Clary yet"
    if "InstanceType" not in cluster:
        yield f"{where}.InstanceType is required, such as ml.m5.large: it says how many cores a job asks for"
    for member in ("InstancePreferences", "SelectedInstanceType", "SelectedInstanceCount"):
        if cluster.get(member):
            yield f"{where}.{member} is not built in Clary. Name one InstanceType, with InstanceCount 1."
    if cluster.get("VolumeKmsKeyId"):
        yield f"{where}.VolumeKmsKeyId is not built in Clary. {_KMS}"


def _input(item: Body) -> Iterator[str]:
    name = f"ProcessingInputs, {item['InputName']}:"
    place = item.get("S3Input")
    for member in ("AppManaged", "DatasetDefinition"):
        if item.get(member):
            yield f"{name} {member} is not built in Clary. Upload the data to S3, and give S3Input"
    if place is None:
        yield f"{name} S3Input is required"
        return
    if place.get("S3InputMode", "File") != "File":
        yield f"{name} S3InputMode Pipe is not built in Clary. Use File: large files are linked, not copied"
    yield from _local_path(name, place)


def _output(item: Body) -> Iterator[str]:
    name = f"ProcessingOutputConfig, {item['OutputName']}:"
    place = item.get("S3Output")
    for member in ("AppManaged", "FeatureStoreOutput"):
        if item.get(member):
            yield f"{name} {member} is not built in Clary. Give S3Output"
    if place is None:
        yield f"{name} S3Output is required"
        return
    yield from _local_path(name, place)


def _unique(what: str, values: list[str]) -> Iterator[str]:
    if len(set(values)) < len(values):
        yield f"{what} must be unique: {', '.join(values)}"


def _local_path(name: str, place: Body) -> Iterator[str]:
    if not place.get("LocalPath"):
        yield f"{name} LocalPath is required"
        return
    try:
        processing.inside(place["LocalPath"])
        split(place["S3Uri"])
    except JobFailure as failure:
        yield f"{name} {failure}"


def _application(application: Body) -> Iterator[str]:
    try:
        found = runtime(application["ImageUri"])
    except JobFailure as failure:
        yield str(failure)
        return
    if found is not Runtime.CLARIFY and not application.get("ContainerEntrypoint"):
        yield (
            "AppSpecification.ContainerEntrypoint is required for this image: the command to run, such as"
            ' ["python3", "/opt/ml/processing/input/code/script.py"]'
        )
