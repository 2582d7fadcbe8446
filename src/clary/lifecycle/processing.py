"""Processing jobs: inputs and outputs at the paths that the request names, any entry point in between."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from clary.lifecycle import environments, job, job_environment, outputs, source
from clary.lifecycle.channels import Source, materialise, read_text, write_json
from clary.lifecycle.images import Runtime, runtime
from clary.lifecycle.job_state import JobFailure, JobKind, Prepared
from clary.ports.records import Body, Record
from clary.ports.runner import Program
from clary.ports.world import World

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
DEFAULT_MAX_RUNTIME = 86_400
_OWN_INTERPRETER = ".venv"
_ML = "/opt/ml/"


def instance_type(record: Record) -> str:
    return str(record.body["ProcessingResources"]["ClusterConfig"]["InstanceType"])


def max_runtime(record: Record) -> int:
    return int(record.body.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME))


def prepare(world: World, record: Record, ml: Path) -> Prepared:
    """Configuration files, inputs at their LocalPath, empty directories for the outputs."""
    write_json(ml / "config" / "processingjobconfig.json", _config(record))
    write_json(ml / "config" / "resourceconfig.json", job_environment.resource_config(instance_type(record)))
    job_environment.write_resources(world, record, ml, instance_type(record))
    (ml / "output").mkdir()
    linked = [
        str(inside(item["S3Input"]["LocalPath"]))
        for item in record.body.get("ProcessingInputs", ())
        if _bring(world, item, ml)
    ]
    write_json(ml.parent / "linked.json", linked)
    for item in _outputs(record):
        outputs.need_bucket(world.objects, item["S3Output"]["S3Uri"])
        (ml / inside(item["S3Output"]["LocalPath"])).mkdir(parents=True, exist_ok=True)
    environments.make(ml / _OWN_INTERPRETER)
    return Prepared()


def _config(record: Record) -> Body:
    """The request as the container finds it."""
    members = (
        "ProcessingInputs", "ProcessingOutputConfig", "ProcessingResources", "AppSpecification",
        "Environment", "NetworkConfig", "RoleArn", "StoppingCondition",
    )  # fmt: skip
    found = {name: record.body[name] for name in members if name in record.body}
    return {"ProcessingJobArn": record.arn, "ProcessingJobName": record.name, **found}


def _bring(world: World, item: Body, ml: Path) -> bool:
    place = item["S3Input"]
    wanted = Source(place["S3Uri"], place["S3DataType"], place.get("S3CompressionType", "None"))
    try:
        target = ml / inside(place["LocalPath"])
        return materialise(world.objects, wanted, target, world.runner.separates())
    except JobFailure as failure:
        raise JobFailure(f"{failure} (input {item['InputName']!r})") from failure


def inside(path: str) -> Path:
    """A LocalPath relative to /opt/ml; JobFailure for one that lies elsewhere."""
    parts = Path(path).parts
    if not path.startswith(_ML) or ".." in parts or len(parts) < 4:
        raise JobFailure(f"LocalPath {path!r} must lie below /opt/ml/processing")
    return Path(*parts[3:])


def program(world: World, record: Record, ml: Path) -> Program:
    variables = {
        "PROCESSING_JOB_NAME": record.name,
        "PROCESSING_JOB_ARN": record.arn,
        "SAGEMAKER_REGION": world.region,
        **record.body.get("Environment", {}),
    }
    own = job_environment.Own(
        argv=job_environment.seen_from_inside(world, ml, _argv(world, record)),
        variables=variables,
        read_only=[ml / path for path in source.read_list(ml.parent / "linked.json")],
        interpreter=_OWN_INTERPRETER,
    )
    return job_environment.program(world, KIND, record, ml, own)


def _argv(world: World, record: Record) -> list[str]:
    application = record.body["AppSpecification"]
    arguments = list(application.get("ContainerArguments", ()))
    if entry := application.get("ContainerEntrypoint"):
        return [*entry, *arguments]
    if runtime(application["ImageUri"]) is Runtime.CLARIFY:
        return [environments.python(world.home, None), "-m", "clary.containers.clarify", *arguments]
    raise JobFailure("AppSpecification.ContainerEntrypoint is required for this image")


def collect(world: World, record: Record, ml: Path, fine: bool) -> Body:
    """Upload the outputs (of a failed job too, as SageMaker does) and read the program's message."""
    for item in _outputs(record):
        place = item["S3Output"]
        folder = ml / inside(place["LocalPath"])
        if folder.resolve() == (ml.resolve() / inside(place["LocalPath"])):
            outputs.upload(world.objects, folder, place["S3Uri"])
    message = read_text(ml / "output" / "message", 1024).strip()
    return {"ExitMessage": message} if message else {}


def mirrored(record: Record, ml: Path) -> list[tuple[Path, str]]:
    """Outputs in Continuous mode."""
    places = [item["S3Output"] for item in _outputs(record)]
    return [
        (ml / inside(place["LocalPath"]), place["S3Uri"])
        for place in places
        if place["S3UploadMode"] == "Continuous"
    ]


def _outputs(record: Record) -> list[Body]:
    found: list[Body] = record.body.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return found


def failure(ml: Path) -> str:
    return read_text(ml / "output" / "failure") or read_text(ml / "output" / "message", 1024)


KIND = JobKind(
    kind="ProcessingJob",
    log_group=LOG_GROUP,
    start_member="ProcessingStartTime",
    end_member="ProcessingEndTime",
    instance_type=instance_type,
    max_runtime=max_runtime,
    prepare=prepare,
    program=program,
    collect=collect,
    mirrored=mirrored,
    failure=failure,
    transitions=False,
)


step = partial(job.step, KIND)
stop = partial(job.stop, KIND)
resume = partial(job.resume, KIND)
