"""`clary clarify`: an analysis_config.json, data and a model in; analysis.json and reports out. No server."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from clary.clarify import ClarifyError, analyze, compare, monitor
from clary.clarify.config import AnalysisConfig, parse
from clary.clarify.monitoring.captured_table import opened
from clary.clarify.monitoring.constraints import is_analysis, load
from clary.clarify.monitoring.monitor import completed, tell, write_drift
from clary.clarify.predictions import Predict
from clary.containers.clarify import archive, inputs
from clary.containers.clarify.endpoint import Endpoint, existing

OPT_ML = Path("/opt/ml")


VIOLATED = 3
"""The exit status where a constraint is violated."""


def run(options: argparse.Namespace) -> int:
    """Exit status 1, and one line that says what to change, where the analysis cannot be made."""
    options.say = _say_aside if options.json else _say
    try:
        with ExitStack() as cleanup:
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
            constraints = _constraints(options, folder)
            document = _analyse(options, constraints, folder)
    except (ClarifyError, BotoCoreError, ClientError, OSError) as error:
        print(f"clary clarify: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
    return VIOLATED if constraints is not None and document["violations"] else 0


def _constraints(options: argparse.Namespace, folder: Path) -> dict[str, Any] | None:
    if options.constraints is None:
        return None
    return load(_local(options.constraints, "constraints file", folder / "constraints"))


def _local(place: str, what: str, folder: Path) -> Path:
    if place.startswith("s3://"):
        return inputs.download(place, what, folder)
    if not Path(place).exists():
        raise ClarifyError(f"There is no {what} at {place}.")
    return Path(place)


def _analyse(options: argparse.Namespace, constraints: dict[str, Any] | None, folder: Path) -> dict[str, Any]:
    """analysis.json's content; with constraints, that of constraint_violations.json."""
    asked = _read(Path(options.config))
    if constraints is not None and is_analysis(asked):
        drift = compare(constraints, asked)
        write_drift(drift, Path(options.output))
        tell(drift, options.say)
    else:
        config = inputs.local(asked, OPT_ML, folder)
        config = config if constraints is None else completed(config, constraints)
        data = options.data or parse(config).dataset_uri
        if data is None:
            raise ClarifyError("There is no data: give it by --data, or as dataset_uri in the configuration.")
        found = _local(data, "data", folder / "data")
        truth = options.ground_truth and _local(options.ground_truth, "ground truth", folder / "truth")
        config, table = opened(config, found, truth, log=options.say)
        parsed = parse(config)
        predict = _model(options, parsed, folder) if parsed.needs_model else None
        trees = predict.trees if isinstance(predict, archive.Archive) else None
        if constraints is None:
            document = analyze(config, table, predict, options.output, options.say, trees)
            options.say(f"The results are in {options.output}.")
            return document
        drift = monitor(constraints, config, table, predict, options.output, options.say, trees)
    options.say(f"The results are in {options.output}.")
    return drift.in_json()


def _read(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ClarifyError(f"{path} is not JSON: {error}.") from error
    if not isinstance(config, dict):
        raise ClarifyError(f"{path} must hold a JSON object.")
    return config


def _model(options: argparse.Namespace, config: AnalysisConfig, folder: Path) -> Predict:
    if options.model:
        unpacked = folder / "ml"
        unpacked.mkdir()
        return archive.load(Path(options.model), config, unpacked)
    if config.predictor.endpoint_name:
        return Endpoint(existing(config.predictor.endpoint_name), config, options.say)
    raise ClarifyError(
        "This analysis needs a model: give its archive by --model, or the name of a running endpoint as "
        "predictor.endpoint_name (and the server's address, say by AWS_PROFILE=clary)."
    )


def _say(line: str) -> None:
    print(line, flush=True)


def _say_aside(line: str) -> None:
    """The same, out of the way of a document on standard output."""
    print(line, file=sys.stderr, flush=True)
