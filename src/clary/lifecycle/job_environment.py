"""The environment variables and the resource files that every job's program finds."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import clary
from clary.lifecycle import environments
from clary.lifecycle.channels import write_json
from clary.lifecycle.instances import machine_cores, machine_memory_mib, memory_mib
from clary.lifecycle.job_state import JobKind, log_stream, network, private, program_id
from clary.ports.records import Record
from clary.ports.runner import Program
from clary.ports.world import World
from clary.settings.environment import sdk_environment

HOST = "algo-1"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS",
            "POLARS_MAX_THREADS", "RAYON_NUM_THREADS")  # fmt: skip
SPARE_SECONDS = 3600
"""Credentials outlive the longest run by this, for the way there and back."""


@dataclass(frozen=True, slots=True)
class Own:
    """What a job's program has of its own; `interpreter` is a private environment below /opt/ml."""

    argv: list[str]
    variables: dict[str, str]
    read_only: list[Path]
    interpreter: str = ""


def program(world: World, kind: JobKind, record: Record, ml: Path, own: Own) -> Program:
    """The Program of a job."""
    cores = min(int(private(record)["Cores"]), machine_cores(), world.cores)
    variables = _variables(world, record, kind.max_runtime(record), cores) | own.variables
    if own.interpreter:
        inside = Path("/opt/ml") if world.runner.separates() else ml
        variables["PATH"] = f"{inside / own.interpreter / 'bin'}{os.pathsep}{variables['PATH']}"
    return Program(
        id=program_id(record),
        argv=own.argv,
        root=ml,
        log=world.logs.file(kind.log_group, log_stream(record)),
        environment=variables,
        read_only=own.read_only,
        network=network(record),
        cpus=float(cores),
        memory_mib=min(memory_mib(kind.instance_type(record)), machine_memory_mib()),
    )


def _variables(world: World, record: Record, seconds: int, cores: int) -> dict[str, str]:
    own = Path(environments.python(world.home, private(record).get("Environment"))).parent
    variables = sdk_environment(world.home, world.url) | {
        "AWS_REGION": world.region,
        "AWS_DEFAULT_REGION": world.region,
        "PATH": os.pathsep.join((str(own), os.environ.get("PATH", os.defpath))),
        "CLARY_CPUS": str(cores),
        **dict.fromkeys(_THREADS, str(cores)),
    }
    code = str(Path(clary.__file__).resolve().parent.parent)
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, (variables.get("PYTHONPATH", ""), code)))
    if network(record):
        found = world.identity.assume(record.body["RoleArn"], record.name[:64], seconds + SPARE_SECONDS)
        variables |= {
            "AWS_ACCESS_KEY_ID": found.access_key_id,
            "AWS_SECRET_ACCESS_KEY": found.secret_access_key,
            "AWS_SESSION_TOKEN": found.session_token,
        }
    return variables


def write_resources(world: World, record: Record, ml: Path, instance_type: str) -> None:
    """config/resourceconfig.json is the caller's; this is what the SDK reads the role from."""
    metadata = {
        "ResourceArn": record.arn,
        "ResourceName": record.name,
        "ExecutionRoleArn": record.body["RoleArn"],
        "Region": world.region,
        "InstanceType": instance_type,
        "Platform": platform.platform(),
    }
    write_json(ml / "metadata" / "resource-metadata.json", metadata)


def resource_config(instance_type: str) -> dict[str, object]:
    """One host, as the training toolkit and the drivers of the SDK expect it."""
    group = {"instance_group_name": "homogeneousCluster", "instance_type": instance_type, "hosts": [HOST]}
    return {
        "current_host": HOST,
        "current_instance_type": instance_type,
        "current_group_name": "homogeneousCluster",
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": "lo",
    }


def seen_from_inside(world: World, ml: Path, argv: list[str]) -> list[str]:
    """Without a private /opt/ml, arguments that name it are turned to the job's own directory."""
    if world.runner.separates():
        return argv
    return [str(ml) + word.removeprefix("/opt/ml") if _in_ml(word) else word for word in argv]


def _in_ml(word: str) -> bool:
    return word == "/opt/ml" or word.startswith("/opt/ml/")
