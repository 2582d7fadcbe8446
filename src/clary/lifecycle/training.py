"""Training jobs: what goes into /opt/ml, what runs there, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from clary.lifecycle import environments, job, job_environment, outputs, source
from clary.lifecycle.channels import Source, materialise, read_text, resume_from, write_json
from clary.lifecycle.images import Runtime, runtime
from clary.lifecycle.job_metrics import final_metrics
from clary.lifecycle.job_state import (
    JobFailure,
    JobKind,
    Prepared,
    log_stream,
    private,
)
from clary.ports.records import Body, Record
from clary.ports.runner import Program
from clary.ports.world import World

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
DEFAULT_MAX_RUNTIME = 86_400
CHECKPOINTS = "/opt/ml/checkpoints"
_ML = "/opt/ml/"
_OWN_INTERPRETER = ".venv"


def instance_type(record: Record) -> str:
    return str(record.body["ResourceConfig"]["InstanceType"])


def max_runtime(record: Record) -> int:
    return int(record.body.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME))


def prepare(world: World, record: Record, ml: Path) -> Prepared:
    """Directories, configuration files, channels, the script's sources."""
    for name in ("input/config", "input/data", "model", "output/data", "code"):
        (ml / name).mkdir(parents=True)
    body = record.body
    outputs.need_bucket(world.objects, body["OutputDataConfig"]["S3OutputPath"])
    for folder, uri in mirrored(record, ml):
        resume_from(world.objects, uri, folder)
    channels = body.get("InputDataConfig", ())
    _write_config(record, ml, channels)
    job_environment.write_resources(world, record, ml, instance_type(record))
    linked = [c["ChannelName"] for c in channels if _bring(world, c, ml, body["AlgorithmSpecification"])]
    write_json(ml.parent / "linked.json", linked)
    hyperparameters = body.get("HyperParameters", {})
    if source.program(hyperparameters):
        source.unpack(world.objects, hyperparameters, ml)
        return Prepared(ml / "code")
    if body["AlgorithmSpecification"].get("ContainerEntrypoint"):
        environments.make(ml / _OWN_INTERPRETER)
    return Prepared()


def _write_config(record: Record, ml: Path, channels: list[Body]) -> None:
    config = ml / "input" / "config"
    body = record.body
    mode = body["AlgorithmSpecification"]["TrainingInputMode"]
    write_json(config / "hyperparameters.json", body.get("HyperParameters", {}))
    write_json(config / "inputdataconfig.json", {c["ChannelName"]: _channel(c, mode) for c in channels})
    write_json(config / "resourceconfig.json", job_environment.resource_config(instance_type(record)))
    if "DebugHookConfig" in body:
        write_json(config / "debughookconfig.json", body["DebugHookConfig"])


def _channel(channel: Body, mode: str) -> dict[str, str]:
    found = {
        "TrainingInputMode": channel.get("InputMode", mode),
        "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
            "S3DataDistributionType", "FullyReplicated"
        ),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    return found | ({"ContentType": channel["ContentType"]} if "ContentType" in channel else {})


def _bring(world: World, channel: Body, ml: Path, algorithm: Body) -> bool:
    place = channel["DataSource"]["S3DataSource"]
    mode = channel.get("InputMode", algorithm["TrainingInputMode"])
    wanted = Source(
        place["S3Uri"], place["S3DataType"], channel.get("CompressionType", "None"), mode != "FastFile"
    )
    target = ml / "input" / "data" / channel["ChannelName"]
    try:
        return materialise(world.objects, wanted, target, world.runner.separates())
    except JobFailure as failure:
        raise JobFailure(f"{failure} (channel {channel['ChannelName']!r})") from failure


def program(world: World, record: Record, ml: Path) -> Program:
    variables = {
        "TRAINING_JOB_NAME": record.name,
        "TRAINING_JOB_ARN": record.arn,
        "SAGEMAKER_REGION": world.region,
        **record.body.get("Environment", {}),
    }
    own = job_environment.Own(
        argv=_argv(world, record, ml),
        variables=variables,
        read_only=[ml / "input" / "data" / name for name in source.read_list(ml.parent / "linked.json")],
        interpreter=_OWN_INTERPRETER if (ml / _OWN_INTERPRETER).exists() else "",
    )
    return job_environment.program(world, KIND, record, ml, own)


def _argv(world: World, record: Record, ml: Path) -> list[str]:
    algorithm = record.body["AlgorithmSpecification"]
    if source.program(record.body.get("HyperParameters", {})):
        python = environments.python(world.home, private(record).get("Environment"))
        return [python, "-m", "clary.containers.training"]
    if algorithm.get("ContainerEntrypoint"):
        words = [*algorithm["ContainerEntrypoint"], *algorithm.get("ContainerArguments", ())]
        return job_environment.seen_from_inside(world, ml, words)
    python = environments.python(world.home, None)
    return [python, "-m", "clary.containers.training_xgboost"]


def collect(world: World, record: Record, ml: Path, fine: bool) -> Body:
    """model.tar.gz unless it failed, output.tar.gz where output/data is not empty, the last metrics."""
    target = f"{record.body['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{record.name}/output"
    packed = record.body["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP"
    found: Body = {}
    for folder, uri in mirrored(record, ml):
        outputs.upload(world.objects, folder, uri)
    if not outputs.is_empty(ml / "output" / "data"):
        _keep(world, ml / "output" / "data", f"{target}/output", packed)
    if fine:
        where = _keep(world, ml / "model", f"{target}/model", packed)
        found["ModelArtifacts"] = {"S3ModelArtifacts": where}
    metrics = final_metrics(world.logs.file(LOG_GROUP, log_stream(record)), _definitions(record))
    return found | ({"FinalMetricDataList": metrics} if metrics else {})


def _keep(world: World, folder: Path, target: str, packed: bool) -> str:
    if packed:
        return outputs.archive(world.objects, folder, f"{target}.tar.gz")
    outputs.upload(world.objects, folder, target)
    return f"{target}/"


def _definitions(record: Record) -> list[Mapping[str, Any]]:
    algorithm = record.body["AlgorithmSpecification"]
    return list(algorithm.get("MetricDefinitions", ()))


def mirrored(record: Record, ml: Path) -> list[tuple[Path, str]]:
    """The checkpoints' directory and their place in S3."""
    wanted = record.body.get("CheckpointConfig")
    if not wanted:
        return []
    return [(ml / checkpoints(wanted).removeprefix(_ML), wanted["S3Uri"])]


def checkpoints(config: Body) -> str:
    """The LocalPath of a CheckpointConfig; JobFailure for one outside /opt/ml."""
    path = str(config.get("LocalPath") or CHECKPOINTS)
    if not path.startswith(_ML) or ".." in path.split("/"):
        raise JobFailure(f"CheckpointConfig.LocalPath {path!r} must lie below /opt/ml")
    return path


def failure(ml: Path) -> str:
    return read_text(ml / "output" / "failure")


def is_builtin(algorithm: Body, hyperparameters: Mapping[str, str]) -> bool:
    """Whether a request means the built-in XGBoost; JobFailure for an image that nothing here stands for."""
    found = runtime(algorithm["TrainingImage"])
    own = source.program(hyperparameters) or algorithm.get("ContainerEntrypoint")
    return found is Runtime.XGBOOST and not own


KIND = JobKind(
    kind="TrainingJob",
    log_group=LOG_GROUP,
    start_member="TrainingStartTime",
    end_member="TrainingEndTime",
    instance_type=instance_type,
    max_runtime=max_runtime,
    prepare=prepare,
    program=program,
    collect=collect,
    mirrored=mirrored,
    failure=failure,
    transitions=True,
)

step = partial(job.step, KIND)
stop = partial(job.stop, KIND)
resume = partial(job.resume, KIND)
