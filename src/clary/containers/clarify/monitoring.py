"""What Model Monitor's environment variables ask of a Clarify job: constraints, captured data, a window."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary.clarify.errors import ClarifyError
from clary.clarify.monitoring.captured_table import KIND
from clary.clarify.monitoring.constraints import load
from clary.clarify.monitoring.monitor import completed

_TYPES = {
    "sagemakerCaptureJson": KIND,
    "sagemakerMergeJson": KIND,
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/x-parquet",
}


@dataclass(frozen=True)
class Monitoring:
    """A job's paths; a plain Clarify job has the usual ones and no constraints."""

    data: Path
    output: Path
    constraints: dict[str, Any] | None = None
    truth: Path | None = None
    window: tuple[str, str] | None = None


def asked(root: Path, variables: Mapping[str, str]) -> Monitoring:
    """The job as its variables have it; paths below /opt/ml lie below `root`."""

    def path(name: str, otherwise: str) -> Path:
        return root / variables.get(name, otherwise).removeprefix("/opt/ml").lstrip("/")

    times = [variables[name] for name in ("start_time", "end_time") if name in variables]
    truth = path("ground_truth_source", "") if "ground_truth_source" in variables else None
    constraints = path("baseline_constraints", "") if "baseline_constraints" in variables else None
    return Monitoring(
        path("dataset_source", "processing/input/data"),
        path("output_path", "processing/output"),
        None if constraints is None else load(_file(constraints)),
        truth,
        (times[0], times[1]) if len(times) == 2 else None,
    )


def _file(path: Path) -> Path:
    """The constraints file; it may be alone in a folder, or an analysis.json among others."""
    if not path.is_dir():
        return path
    files = [file for file in sorted(path.iterdir()) if file.suffix == ".json"]
    return files[0] if len(files) == 1 else path / "analysis.json"


def configuration(config: Mapping[str, Any], job: Monitoring, variables: Mapping[str, str]) -> dict[str, Any]:
    """The analysis as a monitoring job has it: its configuration leaves to variables what data it reads."""
    here = dict(config)
    if "dataset_format" in variables:
        here.setdefault("dataset_type", _dataset_type(variables["dataset_format"]))
    if "features_attribute" in variables:
        here.setdefault("features", variables["features_attribute"])
    _answers(here, variables)
    return here if job.constraints is None else completed(here, job.constraints)


def _dataset_type(text: str) -> str:
    """`{"json": {"line": true}}` and the like as a dataset_type."""
    try:
        (name, settings), *_ = json.loads(text).items()
        kind = _TYPES[name]
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ClarifyError(
            f"The variable dataset_format is {text!r:.100}: give an object of one of {', '.join(_TYPES)}."
        ) from error
    return "application/jsonlines" if name == "json" and settings.get("line") else kind


def _answers(config: dict[str, Any], variables: Mapping[str, str]) -> None:
    """Where labels and scores are: in captured answers, or (labels) in a column of other data."""
    threshold = variables.get("probability_threshold_attribute")
    if threshold is not None:
        config.setdefault("probability_threshold", _number(threshold))
    places = {
        key: int(variables[name]) if variables[name].isdigit() else variables[name]
        for key, name in (("label", "inference_attribute"), ("probability", "probability_attribute"))
        if name in variables
    }
    if config.get("dataset_type") == KIND:
        config["predictor"] = places | config.get("predictor", {})
    elif "label" in places:
        config.setdefault("predicted_label", places["label"])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ClarifyError(
            f"The variable probability_threshold_attribute is {text!r}: give a number from 0 to 1."
        ) from error
