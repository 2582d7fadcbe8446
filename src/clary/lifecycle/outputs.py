"""What a job leaves behind: directories become archives or objects in S3."""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from clary.lifecycle.channels import split
from clary.lifecycle.job_state import JobFailure
from clary.ports.objects import Objects

COMPRESS_LEVEL = 3
"""gzip: a model archive is dominated by numbers, where higher levels cost much and win little."""


def need_bucket(objects: Objects, uri: str) -> None:
    """JobFailure where there is no bucket for what a job will make: better before its work than after."""
    bucket, _ = split(uri)
    if objects.bucket(bucket) is None:
        raise JobFailure(
            f"ClientError: Data upload failed: NoSuchBucket (404): there is no bucket {bucket!r} (in {uri})."
            " Create it first"
        )


def is_empty(folder: Path) -> bool:
    return folder.is_symlink() or next(files(folder), None) is None


def archive(objects: Objects, folder: Path, uri: str) -> str:
    """Upload a directory's content as one tar.gz to `uri`; answers it. Links in it stay links."""
    bucket, key = split(uri)
    with tempfile.TemporaryDirectory(dir=folder.parents[1]) as scratch:
        packed = Path(scratch, "archive.tar.gz")
        with tarfile.open(packed, "w:gz", compresslevel=COMPRESS_LEVEL) as tar:
            for entry in sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else ():
                tar.add(entry, arcname=entry.name, filter=_owned_by_nobody)
        objects.put_file(bucket, key, packed)
    return uri


def upload(objects: Objects, folder: Path, uri: str) -> int:
    """Upload a directory's files below `uri`, each under its relative path; how many."""
    found = list(files(folder))
    for file in found:
        upload_file(objects, folder, file, uri)
    return len(found)


def upload_file(objects: Objects, folder: Path, file: Path, uri: str) -> None:
    """Upload one file of a directory that stands for `uri`."""
    bucket, prefix = split(uri)
    prefix = prefix.rstrip("/") + "/" if prefix else ""
    objects.put_file(bucket, prefix + file.relative_to(folder).as_posix(), file)


def files(folder: Path) -> Iterator[Path]:
    """Regular files in order of path. A link may lead out of the job, so it is not followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(place, name)
            if file.is_file() and not file.is_symlink():
                yield file


def _owned_by_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        return None  # a socket or a device is no part of a model
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
