"""What a training job may ask of SageMaker and cannot have here: refused by name, with what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from clary.lifecycle import images, source, training
from clary.lifecycle.job_state import JobFailure
from clary.ports.records import Body
from clary.wire.errors import validation

_LOCAL = "All of a job runs on this machine; leave it out."
_MEMBERS = {
    "VpcConfig": "There is no VPC here: jobs use this machine's network, or none (EnableNetworkIsolation).",
    "EnableManagedSpotTraining": "There is no spot capacity here. Leave it out.",
    "TensorBoardOutputConfig": "Write event files to /opt/ml/output/data instead.",
    "DebugRuleConfigurations": "Debugger rules are not built. Pass rules=[] or leave them out.",
    "ProfilerRuleConfigurations": "Profiler rules are not built. Pass disable_profiler=True to the SDK.",
    "ExperimentConfig": "Experiments are not built yet. Leave it out.",
    "RetryStrategy": "Jobs are run once. Leave it out, and create the job again where it fails.",
    "ServerlessJobConfig": "Serverless customisation is not built.",
    "MlflowConfig": "MLflow is not built.",
    "ModelPackageConfig": "The model registry is not built.",
    "SessionChainingConfig": "Session tags are not built. Leave it out.",
}
_RESOURCES = {
    "InstanceGroups": _LOCAL + " Name one InstanceType, with InstanceCount 1.",
    "InstancePreferences": _LOCAL + " Name one InstanceType, with InstanceCount 1.",
    "KeepAlivePeriodInSeconds": "Warm pools are not needed: a job starts in under a second. Leave it out.",
    "TrainingPlanArn": "There are no training plans here.",
    "InstancePlacementConfig": _LOCAL,
    "VolumeKmsKeyId": "There is no KMS here: encrypt the disk that Clary's home is on.",
}


def check(request: Body) -> None:
    """AwsError ValidationException naming the first member that cannot be honoured."""
    for refusal in _refusals(request):
        raise validation(refusal)


def _refusals(request: Body) -> Iterator[str]:
    yield from _named("", request, _MEMBERS)
    for member, switch in (
        ("RemoteDebugConfig", "EnableRemoteDebug"),
        ("InfraCheckConfig", "EnableInfraCheck"),
    ):
        if request.get(member, {}).get(switch):
            yield f"{member}.{switch} is not built in Clary. Leave it out."
    if request.get("StoppingCondition", {}).get("MaxPendingTimeInSeconds"):
        yield "StoppingCondition.MaxPendingTimeInSeconds is not built in Clary. Leave it out."
    if "CheckpointConfig" in request:
        refuse(lambda: training.checkpoints(request["CheckpointConfig"]))
    yield from _resources(request.get("ResourceConfig", {}))
    if request["OutputDataConfig"].get("KmsKeyId"):
        yield "OutputDataConfig.KmsKeyId: " + _RESOURCES["VolumeKmsKeyId"]
    for channel in request.get("InputDataConfig", ()):
        yield from _channel(channel, request["AlgorithmSpecification"])
    yield from _algorithm(request)


def _named(where: str, part: Body, members: dict[str, str]) -> Iterator[str]:
    for member, advice in members.items():
        if part.get(member):
            yield f"{where}{member} is not built in Clary. {advice}"


def _resources(resources: Body) -> Iterator[str]:
    yield from _named("ResourceConfig.", resources, _RESOURCES)
    if "InstanceType" not in resources:
        yield "ResourceConfig.InstanceType is required, such as ml.m5.large: it tells the cores to ask for"
    if resources.get("InstanceCount", 1) != 1:
        yield "ResourceConfig.InstanceCount must be 1: jobs on several machines are not built in Clary yet"


def _channel(channel: Body, algorithm: Body) -> Iterator[str]:
    name = f"InputDataConfig, channel {channel['ChannelName']}:"
    place = channel["DataSource"].get("S3DataSource")
    if place is None:
        yield f"{name} only S3DataSource is built in Clary. Upload the data to S3"
        return
    if place["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        yield f"{name} S3DataType {place['S3DataType']} is not built in Clary. Use S3Prefix or ManifestFile"
    if channel.get("InputMode", algorithm["TrainingInputMode"]) == "Pipe":
        yield f"{name} Pipe mode is not built in Clary. Use File or FastFile: files are linked, not copied"
    if channel.get("RecordWrapperType", "None") != "None":
        yield f"{name} RecordWrapperType RecordIO is not built in Clary. Use None"
    if channel.get("ShuffleConfig"):
        yield f"{name} ShuffleConfig is not built in Clary. Shuffle in the script"


def _algorithm(request: Body) -> Iterator[str]:
    algorithm = request["AlgorithmSpecification"]
    if "TrainingImage" not in algorithm:
        yield "AlgorithmSpecification.TrainingImage is required: AlgorithmName is not built in Clary"
        return
    if algorithm["TrainingInputMode"] == "Pipe" and not request.get("InputDataConfig"):
        yield "AlgorithmSpecification.TrainingInputMode Pipe is not built in Clary. Use File or FastFile"
    if algorithm.get("TrainingImageConfig"):
        yield "AlgorithmSpecification.TrainingImageConfig: Clary pulls no images. Leave it out"
    for definition in algorithm.get("MetricDefinitions", ()):
        try:
            re.compile(definition["Regex"])
        except re.error as error:
            yield f"MetricDefinitions {definition['Name']}: {definition['Regex']!r} is no Regex: {error}"
    yield from _runnable(algorithm, request.get("HyperParameters", {}))


def _runnable(algorithm: Body, hyperparameters: Body) -> Iterator[str]:
    builtin = refuse(lambda: training.is_builtin(algorithm, hyperparameters))
    script = source.program(hyperparameters)
    if builtin or algorithm.get("ContainerEntrypoint"):
        return
    if not script:
        name = images.repository(algorithm["TrainingImage"])
        yield (
            f"The image {name} needs a script: hyperparameters sagemaker_program and"
            " sagemaker_submit_directory (the SDK's entry_point and source_dir), or"
            " AlgorithmSpecification.ContainerEntrypoint"
        )
    elif script.startswith(("/", "-")) or ".." in script.split("/"):
        yield f"Hyperparameter sagemaker_program is {script!r}; it must be a path inside the source directory"


def refuse(found: Callable[[], Any]) -> Any:
    """The value, or the ValidationException that says why there is none."""
    try:
        return found()
    except JobFailure as failure:
        raise validation(str(failure)) from failure
