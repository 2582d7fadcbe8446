"""Training jobs: create, describe, list, stop, update, delete."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from clary.lifecycle import training
from clary.lifecycle.images import Runtime, runtime
from clary.lifecycle.instances import job_cores
from clary.lifecycle.job_state import FINAL, new_body
from clary.lifecycle.xgboost_metrics import DEFINITIONS
from clary.ports.records import Body, NotFound, Record
from clary.ports.world import Call
from clary.resources.resource import Resource
from clary.services.sagemaker.training import refused
from clary.wire.errors import AwsError, validation


def _view(call: Call, record: Record) -> Body:
    """Members that every answer must have."""
    artifacts = record.body.get("ModelArtifacts", {"S3ModelArtifacts": ""})
    return {"ModelArtifacts": artifacts, "ProfilingStatus": "Disabled"}


def _at_rest(record: Record) -> None:
    if record.status not in FINAL:
        raise AwsError(
            "ResourceInUse",
            f"Training job {record.name} is {record.status}. Stop it first, and wait for its end.",
        )


TRAINING_JOB = Resource(
    kind="TrainingJob",
    path="training-job",
    view=_view,
    before_delete=_at_rest,
    ignored_filters={
        "WarmPoolStatusEquals": "There are no warm pools here.",
        "TrainingPlanArnEquals": "There are no training plans here.",
    },
    not_found="Requested resource not found.",
    taken=(
        "Training job names must be unique within an AWS account and region, and a training job with this"
        " name already exists ({arn})"
    ),
)


def create_training_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refused.check(request)
    _check_isolation(call, request)
    body = _completed(request)
    cores = job_cores(body["ResourceConfig"]["InstanceType"], call.world.cores)
    start = new_body(training.KIND, datetime.now(UTC), cores)
    record = TRAINING_JOB.create(call, body, "InProgress", **start)
    call.world.wake(record.kind, record.name)
    return {"TrainingJobArn": record.arn}


def stop_training_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    name = request["TrainingJobName"]
    record = TRAINING_JOB.get(call, name, "StopTrainingJob")
    if record.status in FINAL:
        raise validation(f"The request was rejected because the training job is in status {record.status}.")
    try:
        training.stop(call.world, name)
    except NotFound as error:
        raise TRAINING_JOB.missing(call, name, "StopTrainingJob") from error
    return {}


def update_training_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """AWS can change a running job's profiler, warm pool and remote debugging; none of these is built."""
    TRAINING_JOB.get(call, request["TrainingJobName"], "UpdateTrainingJob")
    wanted = sorted(request.keys() - {"TrainingJobName"})
    if request.get("ProfilerConfig", {}).get("DisableProfiler") and wanted == ["ProfilerConfig"]:
        return {"TrainingJobArn": TRAINING_JOB.arn(call, request["TrainingJobName"])}  # it never profiles
    named = ", ".join(wanted) or "nothing"
    raise validation(
        f"UpdateTrainingJob with {named}: only ProfilerConfig.DisableProfiler can be set in Clary"
    )


def _check_isolation(call: Call, request: Body) -> None:
    if call.world.runner.separates():
        return
    reason = call.world.runner.isolation()
    algorithm = request["AlgorithmSpecification"]
    words = [*algorithm.get("ContainerEntrypoint", ()), *algorithm.get("ContainerArguments", ())]
    if request.get("EnableNetworkIsolation"):
        raise validation(f"EnableNetworkIsolation needs bubblewrap on this machine ({reason})")
    if any("/opt/ml" in word for word in words):
        raise validation(
            "AlgorithmSpecification.ContainerEntrypoint names /opt/ml: that needs bubblewrap on this machine"
            f" ({reason})"
        )


def _completed(request: Body) -> Body:
    """The request with what AWS fills in."""
    algorithm = request["AlgorithmSpecification"]
    if runtime(algorithm["TrainingImage"]) is Runtime.XGBOOST and training.is_builtin(
        algorithm, request.get("HyperParameters", {})
    ):
        known = {item["Name"] for item in algorithm.get("MetricDefinitions", ())}
        further = [item for item in DEFINITIONS if item["Name"] not in known]
        algorithm = algorithm | {"MetricDefinitions": [*algorithm.get("MetricDefinitions", ()), *further]}
    stopping = {"MaxRuntimeInSeconds": training.DEFAULT_MAX_RUNTIME} | request.get("StoppingCondition", {})
    switches = (
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
    )
    return {
        **dict.fromkeys(switches, False),
        **request,
        "AlgorithmSpecification": {"EnableSageMakerMetricsTimeSeries": False, **algorithm},
        # Always there in AWS's answers, and the SDK's attach() reads it.
        "OutputDataConfig": {"KmsKeyId": "", **request["OutputDataConfig"]},
        "StoppingCondition": stopping,
    }
