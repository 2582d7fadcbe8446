"""A variant's files: its model and source archives, unpacked where its workers see them."""

from __future__ import annotations

import os
import shutil
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clary.lifecycle import channels, environments
from clary.lifecycle.endpoint_state import Variant
from clary.lifecycle.job_state import JobFailure
from clary.ports.objects import ObjectsError
from clary.ports.world import World

READY = "ready"
OPT_ML = "/opt/ml/"


def prepare(
    world: World, variant: Variant, place: Path, explainer: Mapping[str, Any] | None = None
) -> str | None:
    """Fill `<place>/ml` once; answers the key of the Python environment that its code asks for.

    JobFailure where the data is not there or is not what it should be.
    """
    mark = place / READY
    if not mark.exists():
        shutil.rmtree(place, ignore_errors=True)
        ml = place / "ml"
        for folder in ("model", "run", "input", "output"):
            (ml / folder).mkdir(parents=True)
        _model(world, variant, ml / "model")
        _source(world, variant, ml)
        if explainer:
            _explainer(world, explainer, ml / "input" / "explainer")
        code = code_folder(variant, ml)
        _finish(mark, (environments.key(code) if code.is_dir() else None) or "")
    return environment(place)


def environment(place: Path) -> str | None:
    """The key of the Python environment that a variant's code asks for; None also before it is prepared."""
    return channels.read_text(place / READY) or None


def code_folder(variant: Variant, ml: Path) -> Path:
    """Where the inference script lies, as SAGEMAKER_SUBMIT_DIRECTORY says."""
    submitted = variant.environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "").removeprefix("file://")
    if submitted.startswith("s3://"):
        return ml / "code"
    return ml / submitted.removeprefix(OPT_ML) if submitted.startswith(OPT_ML) else ml / "model" / "code"


def unpack(archive: Path, folder: Path, name: str) -> None:
    """A tar.gz into a folder; JobFailure for anything but plain files and folders below it."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            free = shutil.disk_usage(folder).free
            for member in tar:
                target = _inside(folder, member, name)
                free -= member.size
                if free < 0:
                    raise JobFailure(f"ClientError: There is no room on the disk to unpack {name}")
                if member.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                _write(tar, member, target)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise JobFailure(
            f"ClientError: Unable to extract model data archive for {name}: it must be a gzip-compressed tar "
            f"file, made with `tar -czf model.tar.gz -C <folder> .` ({type(error).__name__}: {error})"
        ) from error


def _finish(mark: Path, text: str) -> None:
    """The mark is there, whole, when all files are on the disk: neither a kill nor a power cut parts them."""
    for file in (path for path in mark.parent.rglob("*") if path.is_file()):
        with file.open("rb") as content:
            os.fsync(content.fileno())
    fresh = mark.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(mark)


def _model(world: World, variant: Variant, folder: Path) -> None:
    source = variant.source
    if source is None:
        return
    uri = str(source["S3Uri"])
    if source["CompressionType"] == "Gzip":
        _fetch_archive(world, uri, folder, "model")
        return
    channels.materialise(world.objects, channels.Source(uri), folder, sandbox=False)


def _source(world: World, variant: Variant, ml: Path) -> None:
    uri = variant.environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if uri.startswith("s3://"):
        (ml / "code").mkdir()
        _fetch_archive(world, uri, ml / "code", "source")


def _explainer(world: World, asked: Mapping[str, Any], folder: Path) -> None:
    """What the worker's explainer reads: its configuration, and a baseline that lies in S3."""
    config = asked["ClarifyExplainerConfig"]
    channels.write_json(folder / "config.json", config)
    uri = config["ShapConfig"]["ShapBaselineConfig"].get("ShapBaselineUri")
    if uri:
        bucket, key = channels.split(uri)
        try:
            item = world.objects.head(bucket, key)
        except ObjectsError as error:
            raise JobFailure(
                f"ClientError: Could not find the SHAP baseline at {uri} ({error.code})"
            ) from error
        channels.bring(world.objects, item, folder / "baseline")


def _fetch_archive(world: World, uri: str, folder: Path, what: str) -> None:
    bucket, key = channels.split(uri)
    try:
        item = world.objects.head(bucket, key)
    except ObjectsError as error:
        raise JobFailure(f"ClientError: Could not find {what} data at {uri} ({error.code})") from error
    packed = folder.parent / f"{what}.tar.gz"
    channels.bring(world.objects, item, packed, link=True)
    unpack(packed, folder, uri)
    packed.unlink()


def _inside(folder: Path, member: tarfile.TarInfo, name: str) -> Path:
    parts = [part for part in member.name.split("/") if part not in ("", ".")]
    if member.name.startswith("/") or ".." in parts or not (member.isreg() or member.isdir()):
        raise JobFailure(
            f"ClientError: {name} holds {member.name!r}, which is not a plain file or folder below the "
            "archive's root; make it without links, devices and outside paths"
        )
    return folder.joinpath(*parts)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    assert content is not None
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)
    target.chmod(0o755 if member.mode & 0o100 else 0o644)
