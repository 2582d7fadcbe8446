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

from clary.clarify import ClarifyError, analyze
from clary.clarify.config import AnalysisConfig, parse
from clary.clarify.time_series import analysis as series
from clary.containers.clarify import archive, forecaster, inputs
from clary.containers.clarify.endpoint import Endpoint, existing
from clary.containers.clarify.image_model import of_images

OPT_ML = Path("/opt/ml")


def run(options: argparse.Namespace) -> int:
    """Exit status 1, and one line that says what to change, where the analysis cannot be made."""
    try:
        with ExitStack() as cleanup:
            _analyse(options, Path(cleanup.enter_context(tempfile.TemporaryDirectory())))
    except (ClarifyError, BotoCoreError, ClientError, OSError) as error:
        print(f"clary clarify: {error}", file=sys.stderr)
        return 1
    return 0


def _analyse(options: argparse.Namespace, folder: Path) -> None:
    config = inputs.local(_read(Path(options.config)), OPT_ML, folder)
    parsed = parse(config)
    data = options.data or parsed.dataset_uri
    if data is None:
        raise ClarifyError("There is no data: give it by --data, or as dataset_uri in the configuration.")
    if data.startswith("s3://"):
        data = inputs.download(data, "--data", folder / "data")
    elif not Path(data).exists():
        raise ClarifyError(f"There is no data at {data}.")
    if parsed.asymmetric_shapley_value is not None:
        template = forecaster.template(parsed)
        panel = series.check(forecaster.asked_about(series.load(Path(data), parsed), template), parsed)
        forecast = forecaster.Forecaster(_model(options, parsed, folder), template)
        analyze(config, panel, None, options.output, _say, forecast=forecast)
        print(f"The results are in {options.output}.")
        return
    predict = _model(options, parsed, folder) if parsed.needs_model else None
    trees = predict.trees if isinstance(predict, archive.Archive) else None
    if predict is not None and parsed.images is not None:
        analyze(config, data, of_images(predict, parsed), options.output, _say)
    else:
        analyze(config, data, predict, options.output, _say, trees)
    print(f"The results are in {options.output}.")


def _read(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ClarifyError(f"{path} is not JSON: {error}.") from error
    if not isinstance(config, dict):
        raise ClarifyError(f"{path} must hold a JSON object.")
    return config


def _model(options: argparse.Namespace, config: AnalysisConfig, folder: Path) -> archive.Archive | Endpoint:
    if options.model:
        unpacked = folder / "ml"
        unpacked.mkdir()
        return archive.load(Path(options.model), config, unpacked)
    if config.predictor.endpoint_name:
        return Endpoint(existing(config.predictor.endpoint_name), config, _say)
    raise ClarifyError(
        "This analysis needs a model: give its archive by --model, or the name of a running endpoint as "
        "predictor.endpoint_name (and the server's address, say by AWS_PROFILE=clary)."
    )


def _say(line: str) -> None:
    print(line, flush=True)
