"""What a training job may ask of SageMaker and cannot have here: refused by name, with what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from clary.lifecycle import channels, images, source, training
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
}
_RESOURCES = {
    "InstanceGroups": _LOCAL + " Name one InstanceType, with InstanceCount 1.",
    "InstancePreferences": _LOCAL + " Name one InstanceType, with InstanceCount 1.",
    "KeepAlivePeriodInSeconds": "Warm pools are not needed: a job starts in under a second. Leave it out.",
    "TrainingPlanArn": "There are no training plans here.",
    "InstancePlacementConfig": _LOCAL,
    "SelectedInstanceType": "Name one InstanceType, with InstanceCount 1.",
    "SelectedInstanceCount": "Name one InstanceType, with InstanceCount 1.",
    "VolumeKmsKeyId": "There is no KMS here: encrypt the disk that Clary's home is on.",
}
_STOPPING = {
    "MaxPendingTimeInSeconds": "Leave it out.",
    "MaxWaitTimeInSeconds": "It goes with spot capacity, and there is none here. Leave it out.",
}
_SOURCE = {
    "AttributeNames": "It goes with augmented manifests. Leave it out.",
    "InstanceGroupNames": "All of a job runs on this machine. Leave it out.",
    "HubAccessConfig": "Copy the hub's content to a bucket and name that.",
}
_DEBUG = {
    "CollectionConfigurations": "Debugger saves no tensors here. Write them to /opt/ml/output/data.",
    "HookParameters": "Debugger saves no tensors here. Write them to /opt/ml/output/data.",
}
_PROFILER = {"ProfilingParameters": "There is no profiler. Pass disable_profiler=True to the SDK."}
_SWITCHES = (
    ("RemoteDebugConfig", "EnableRemoteDebug"),
    ("InfraCheckConfig", "EnableInfraCheck"),
    ("SessionChainingConfig", "EnableSessionTagChaining"),
)


def check(request: Body) -> None:
    """AwsError ValidationException naming the first member that cannot be honoured."""
    for refusal in _refusals(request):
        raise validation(refusal)


def _refusals(request: Body) -> Iterator[str]:
    yield from _named("", request, _MEMBERS)
    yield from _named("DebugHookConfig.", request.get("DebugHookConfig", {}), _DEBUG)
    yield from _named("ProfilerConfig.", request.get("ProfilerConfig", {}), _PROFILER)
    for member, switch in _SWITCHES:
        if request.get(member, {}).get(switch):
            yield f"{member}.{switch} is not built in Clary. Leave it out."
    yield from _named("StoppingCondition.", request.get("StoppingCondition", {}), _STOPPING)
    if "CheckpointConfig" in request:
        refuse(lambda: training.checkpoints(request["CheckpointConfig"]))
        refuse(lambda: channels.split(request["CheckpointConfig"]["S3Uri"]))
    yield from _resources(request.get("ResourceConfig", {}))
    if request["OutputDataConfig"].get("KmsKeyId"):
        yield "OutputDataConfig.KmsKeyId: " + _RESOURCES["VolumeKmsKeyId"]
    refuse(lambda: channels.split(request["OutputDataConfig"]["S3OutputPath"]))
    yield from _channels(request)
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


def _channels(request: Body) -> Iterator[str]:
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig", ())]
    if len(set(names)) < len(names):
        yield f"InputDataConfig: the ChannelNames must be unique: {', '.join(names)}"
    for channel in request.get("InputDataConfig", ()):
        yield from _channel(channel, request["AlgorithmSpecification"])


def _channel(channel: Body, algorithm: Body) -> Iterator[str]:
    name = f"InputDataConfig, channel {channel['ChannelName']}:"
    place = channel["DataSource"].get("S3DataSource")
    for member in channel["DataSource"].keys() - {"S3DataSource"}:
        yield f"{name} {member} is not built in Clary. Upload the data to S3, and give S3DataSource"
    if place is None:
        yield f"{name} S3DataSource is required"
        return
    yield from _named(f"{name} ", place, _SOURCE)
    refuse(lambda: channels.split(place["S3Uri"]))
    if place["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        yield f"{name} S3DataType {place['S3DataType']} is not built in Clary. Use S3Prefix or ManifestFile"
    if channel.get("InputMode", algorithm["TrainingInputMode"]) == "Pipe":
        yield f"{name} InputMode Pipe is not built in Clary. Use File or FastFile: files are linked"
    if channel.get("RecordWrapperType", "None") != "None":
        yield f"{name} RecordWrapperType RecordIO is not built in Clary. Use None"
    if channel.get("ShuffleConfig"):
        yield f"{name} ShuffleConfig is not built in Clary. Shuffle in the script"


def _algorithm(request: Body) -> Iterator[str]:
    algorithm = request["AlgorithmSpecification"]
    if "TrainingImage" not in algorithm or "AlgorithmName" in algorithm:
        yield "AlgorithmSpecification.TrainingImage is required: AlgorithmName is not built in Clary"
        return
    if algorithm.get("ContainerArguments") and not algorithm.get("ContainerEntrypoint"):
        yield "AlgorithmSpecification.ContainerArguments needs ContainerEntrypoint: the command to run"
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
