"""Files that a configuration names by URI, brought to this machine."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import boto3

from clary.clarify.errors import ClarifyError


def local(config: dict[str, Any], root: Path, folder: Path) -> dict[str, Any]:
    """The configuration with every URI made a path: S3 objects are copied to `folder`, /opt/ml is `root`."""
    here = dict(config)
    for key in ("dataset_uri", "facet_dataset_uri", "predicted_label_dataset_uri"):
        if isinstance(here.get(key), str):
            here[key] = _path(here[key], key, root, folder / key)
    shap = here.get("methods", {}).get("shap", {})
    if isinstance(shap.get("baseline"), str):
        path = _path(shap["baseline"], "methods.shap.baseline", root, folder / "baseline")
        here["methods"] = {**here["methods"], "shap": {**shap, "baseline": path}}
    series = here.get("methods", {}).get("asymmetric_shapley_value", {})
    if isinstance(series.get("baseline"), str):
        key = "methods.asymmetric_shapley_value.baseline"
        path = _path(series["baseline"], key, root, folder / "series_baseline")
        here["methods"] = {**here["methods"], "asymmetric_shapley_value": {**series, "baseline": path}}
    return here


def _path(uri: str, key: str, root: Path, folder: Path) -> str:
    if uri.startswith("s3://"):
        return str(download(uri, key, folder))
    if uri == "/opt/ml" or uri.startswith("/opt/ml/"):
        return str(root / uri.removeprefix("/opt/ml").lstrip("/"))
    return uri


def download(uri: str, key: str, folder: Path) -> Path:
    """One object as a file, or all objects below a prefix as a folder."""
    parsed = urlparse(uri)
    bucket, prefix = parsed.netloc, parsed.path.lstrip("/")
    s3 = boto3.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [
        item["Key"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")
    ]
    keys = [prefix] if prefix in keys else [k for k in keys if k.startswith(prefix.rstrip("/") + "/")]
    if not keys:
        raise ClarifyError(f"{key}: there is no object at {uri}.")
    files = [folder / f"{number:06d}" / Path(name).name for number, name in enumerate(keys)]
    for name, file in zip(keys, files, strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, name, str(file))
    return files[0] if len(keys) == 1 else folder


def unpack(archive: Path, root: Path) -> None:
    """The content of a model.tar.gz; ClarifyError where it is none."""
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(root, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0]  # tarfile lists what every compression said
        raise ClarifyError(f"{archive} is not a model.tar.gz: {reason}") from error
