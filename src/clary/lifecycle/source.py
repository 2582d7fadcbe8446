"""Script mode's sources: the hyperparameters that name them, and their way into /opt/ml/code."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

from clary.lifecycle.channels import bring, head
from clary.lifecycle.job_state import JobFailure
from clary.ports.objects import Objects

PROGRAM = "sagemaker_program"
DIRECTORY = "sagemaker_submit_directory"


def decoded(hyperparameters: Mapping[str, str], name: str) -> str:
    """A value that the SDK encodes as JSON and others write plainly."""
    value = hyperparameters.get(name, "")
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if isinstance(found, str) else value


def program(hyperparameters: Mapping[str, str]) -> str:
    """The user's script; empty where this is not script mode."""
    return decoded(hyperparameters, PROGRAM)


def unpack(objects: Objects, hyperparameters: Mapping[str, str], ml: Path) -> None:
    """Bring the source archive to ml/code. JobFailure where there is none, or the script is not in it."""
    where, code = decoded(hyperparameters, DIRECTORY), ml / "code"
    if where.startswith("s3://"):
        archive = ml.parent / "sourcedir.tar.gz"
        bring(objects, head(objects, where), archive)
        extract(archive, code, where)
        archive.unlink()
    elif where.startswith("/opt/ml/"):
        _from_channel(ml / where.removeprefix("/opt/ml/"), code, where)
    else:
        raise JobFailure(
            f"ClientError: hyperparameter {DIRECTORY} is {where!r}; it must be the s3:// URI of a tar.gz, or"
            " a path of a channel below /opt/ml/input/data"
        )
    script = program(hyperparameters)
    if not (code / script).is_file() or not (code / script).resolve().is_relative_to(code.resolve()):
        found = ", ".join(sorted(path.name for path in code.iterdir())[:10]) or "nothing"
        raise JobFailure(
            f"ClientError: the script {script!r} ({PROGRAM}) is not in the source archive {where};"
            f" it holds {found}"
        )


def _from_channel(path: Path, code: Path, where: str) -> None:
    if path.is_dir():
        shutil.copytree(path, code, dirs_exist_ok=True)
    elif path.is_file():
        extract(path, code, where)
    else:
        raise JobFailure(f"ClientError: {DIRECTORY} is {where}, but no channel brings that path")


def extract(archive: Path, folder: Path, where: str) -> None:
    """Unpack a tar.gz; nothing lands outside `folder`."""
    try:
        with tarfile.open(archive, "r:*") as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise JobFailure(f"ClientError: the source archive {where} is not a tar.gz: {error}") from error


def read_list(path: Path) -> list[str]:
    try:
        found: list[str] = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return []
    return found
