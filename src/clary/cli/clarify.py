"""`clary clarify`: an analysis_config.json, data and a model in; analysis.json and reports out. No server."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from botocore.exceptions import BotoCoreError, ClientError

from clary.clarify import ClarifyError, compare
from clary.clarify.config.analysis import AnalysisConfig, parse
from clary.clarify.monitoring.captured_table import opened
from clary.clarify.monitoring.constraints import is_analysis, load
from clary.clarify.monitoring.drift import Drift
from clary.clarify.monitoring.monitor import completed, tell, write_drift
from clary.containers.clarify import archive, inputs
from clary.containers.clarify.endpoint import Endpoint, existing
from clary.containers.clarify.execute import Task, execute

OPT_ML = Path("/opt/ml")


Log = Callable[[str], None]

VIOLATED = 3
"""The exit status where a constraint is violated."""


def run(options: argparse.Namespace) -> int:
    """Exit status 1, and one line that says what to change, where the analysis cannot be made."""
    say: Log = partial(print, file=sys.stderr if options.json else sys.stdout, flush=True)
    try:
        with ExitStack() as cleanup:
            document = _result(options, Path(cleanup.enter_context(tempfile.TemporaryDirectory())), say)
    except (ClarifyError, BotoCoreError, ClientError, OSError) as error:
        print(f"clary clarify: {error}", file=sys.stderr)
        return 1
    say(f"The results are in {options.output}.")
    if options.json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
    return VIOLATED if document.get("violations") else 0


def _result(options: argparse.Namespace, folder: Path, say: Log) -> dict[str, Any]:
    """analysis.json's content; with constraints, that of constraint_violations.json."""
    asked, constraints = _read(Path(options.config)), None
    if options.constraints is not None:
        constraints = load(_local(options.constraints, "constraints file", folder / "constraints"))
        if is_analysis(asked):
            drift = compare(constraints, asked)
            write_drift(drift, Path(options.output))
            tell(drift, say)
            return drift.in_json()
        asked = completed(asked, constraints)
    found = execute(_task(options, asked, constraints, folder, say))
    return found.in_json() if isinstance(found, Drift) else found


def _task(
    options: argparse.Namespace,
    asked: dict[str, Any],
    constraints: dict[str, Any] | None,
    folder: Path,
    say: Log,
) -> Task:
    """The configuration and the data set on this machine, and how to get at the model."""
    config = inputs.local(asked, OPT_ML, folder)
    data = options.data or parse(config).dataset_uri
    if data is None:
        raise ClarifyError("There is no data: give it by --data, or as dataset_uri in the configuration.")
    found = _local(data, "data", folder / "data")
    truth = options.ground_truth and _local(options.ground_truth, "ground truth", folder / "truth")
    config, table = opened(config, found, truth, log=say)
    table = table if isinstance(table, pd.DataFrame) else Path(table)
    start = partial(_model, options, folder=folder, say=say)
    return Task(config, table, Path(options.output), start, say, constraints)


def _local(place: str, what: str, folder: Path) -> Path:
    if place.startswith("s3://"):
        return inputs.download(place, what, folder)
    if not Path(place).exists():
        raise ClarifyError(f"There is no {what} at {place}.")
    return Path(place)


def _read(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ClarifyError(f"{path} is not JSON: {error}.") from error
    if not isinstance(config, dict):
        raise ClarifyError(f"{path} must hold a JSON object.")
    return config


def _model(
    options: argparse.Namespace, config: AnalysisConfig, folder: Path, say: Log
) -> archive.Archive | Endpoint:
    if options.model:
        unpacked = folder / "ml"
        unpacked.mkdir()
        return archive.load(Path(options.model), config, unpacked)
    if config.predictor.endpoint_name:
        return Endpoint(existing(config.predictor.endpoint_name), config, say)
    raise ClarifyError(
        "This analysis needs a model: give its archive by --model, or the name of a running endpoint as "
        "predictor.endpoint_name (and the server's address, say by AWS_PROFILE=clary)."
    )
